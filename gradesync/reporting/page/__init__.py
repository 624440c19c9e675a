"""The page: a static site of what is recorded, for support staff and, with less in it, for everybody.

Values in, files as bytes out. Jinja2 is touched by this package alone, with autoescape on. Its templates, its style
and its script are part of the package; nothing else is read here, and no file, store or clock is.
"""

from __future__ import annotations

from gradesync.reporting.page.build import MAX_BYTES, Options, build

__all__ = ["MAX_BYTES", "Options", "build"]
