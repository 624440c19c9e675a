"""Both other sides in RAM: the fakes that ship with the connectors and pass the same conformance suite.

For tests of syncs and engine, which need honest sinks and not mocks: what was put is read back, and what a real SIS
refuses is refused with the same codes. No HTTP, no delay, no sandbox; state is public and may be changed by tests.
"""

from __future__ import annotations

from gradesync.connectors.memory.canvas import MemoryCanvas, MemoryCourse, SentImport
from gradesync.connectors.memory.sis import MemorySis

__all__ = ["MemoryCanvas", "MemoryCourse", "MemorySis", "SentImport"]
