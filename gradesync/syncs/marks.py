"""Names of watermarks that both syncs know: what one remembers and the other goes by.

Only names; each sync keeps its own watermarks to itself otherwise.
"""

from __future__ import annotations

ROSTER_SENT = "roster:sent"
"""Digest of the files of the last roster import that counts; it changes when people or classes may have arrived."""
