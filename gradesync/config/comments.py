"""Tells that only whole-line comments changed in a file, without parsing it again.

Safe only where a line that begins with `#` cannot be part of a value: the file was read without problems, no text in
it spans lines (the reader says so), and no byte could end a line or a comment unseen. In any doubt the answer is
None, and the file is parsed; a property test holds the two ways together.
"""

from __future__ import annotations

import hashlib
import re

_COMMENT_LINE = re.compile(rb"^ *#[^\n]*(?:\n|\Z)", re.MULTILINE)
# A carriage return ends a line for YAML but not for the pattern above, and control characters are refused by the
# parser even inside comments. Other line ends of YAML (NEL, LS, PS) are not ASCII.
_REFUSED = bytes(code for code in (*range(32), 127) if code != 10)


def bare_hash(text: bytes) -> str | None:
    """A hash over everything but whole-line comments; None when that would not be sure."""
    if not text.isascii() or len(text.translate(None, _REFUSED)) != len(text):
        return None
    return hashlib.sha256(_COMMENT_LINE.sub(b"", text)).hexdigest()


def code_lines(text: bytes) -> list[int]:
    """The numbers (from 1) of the lines that are no whole-line comments: how places move when comments do."""
    comments: set[int] = set()
    number, at = 1, 0
    for found in _COMMENT_LINE.finditer(text):
        number += text.count(b"\n", at, found.start())
        at = found.start()
        comments.add(number)
    return [line for line in range(1, text.count(b"\n") + 2) if line not in comments]
