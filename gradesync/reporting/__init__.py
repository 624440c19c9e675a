"""Reports: values in, text or JSON-able mappings out.

One module per format (`text`, `structured`, `github`, `markdown`), each with functions of the same names. Nothing here
reads a file, a store or a clock, and nothing decides: what is said was decided below. Rich is touched by
`reporting.text` alone, and only for a terminal.
"""

from __future__ import annotations
