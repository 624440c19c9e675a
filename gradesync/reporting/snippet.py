"""Whether a line of a file may be shown, and the line with a caret under what is meant.

A finding often stands on the very line somebody pasted a key into. So a line is shown only when nothing on it, nor
any key above it that it belongs to, looks like a secret; in doubt it is not shown: the place is enough to find it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from gradesync.domain.problem import Problem
from gradesync.domain.secret_looks import key_looks_secret, keys_in, laden_address, value_looks_secret
from gradesync.reporting.clean import cell_width, in_place

HIDDEN = "(line not shown: it may hold a secret)"
LONGEST = 1_200
"""Characters of the longest line that is looked through; people write none longer, and looking would take minutes."""

_BARE = re.compile(r"[-?\s]*([A-Za-z_][\w.-]*)")


def may_hold_secret(lines: Sequence[str], number: int) -> bool:
    """Whether line `number` (from 1) or a key it stands under looks like a secret."""
    line = lines[number - 1]
    if len(line) > LONGEST:
        return True
    if value_looks_secret(line) or laden_address(line) or _has_secret_key(line):
        return True
    indent = _indent(line)
    for above in reversed(lines[: number - 1]):
        if not above.strip() or above.lstrip().startswith("#"):
            continue
        # A value on a line of its own belongs to the key above it, at the same depth or less.
        continues = (":" not in line or line.lstrip().startswith(":")) and _indent(above) <= _indent(line)
        if (_indent(above) < indent or continues) and (len(above) > LONGEST or _has_secret_key(above)):
            return True
        if _indent(above) < indent:
            indent = _indent(above)
        if indent == 0 and ":" in above and not above.startswith((" ", "\t")):
            break
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _has_secret_key(line: str) -> bool:
    keys = keys_in(line)
    if not keys and (bare := _BARE.match(line)):
        keys = [bare[1]]
    return any(map(key_looks_secret, keys))


def snippet(
    problem: Problem, source: str | None, secret_lines: frozenset[int], width: int
) -> tuple[str, ...]:
    """The line and its caret, each without indent; empty when the file cannot be shown.

    `secret_lines` are lines with a GS-107 finding: whatever else is wrong there, they stay hidden.
    """
    lines = _lines(source) if source is not None else ()
    number = problem.place.line
    if not 1 <= number <= len(lines):
        return ()
    gutter = f"{number:>4} | "
    if problem.code == "GS-107" or number in secret_lines or may_hold_secret(lines, number):
        return (gutter + HIDDEN,)
    line = in_place(lines[number - 1]).rstrip()
    if not line:
        return ()
    start = max(0, min(problem.place.column - 1, len(line)))
    shown, start = _window(line, start, max(20, width - len(gutter) - 2))
    length = max(1, min(problem.width, len(shown) - start))
    marks = "^" * max(1, cell_width(shown[start : start + length]))
    return (gutter + shown, f"{'':>4} | {' ' * cell_width(shown[:start])}{marks}")


@lru_cache(maxsize=4)
def _lines(source: str) -> tuple[str, ...]:
    """Only real line ends count: the parser's line numbers know nothing of form feeds and the like."""
    return tuple(re.split(r"\r\n|\r|\n|\x85|\u2028|\u2029", source))


def _window(line: str, start: int, room: int) -> tuple[str, int]:
    """The part of a long line around the caret, and the caret's place in it."""
    if cell_width(line) <= room:
        return line, start
    begin = max(0, min(start - room // 3, len(line) - room))
    part = line[begin : begin + room]
    while cell_width(part) > room:
        part = part[:-1]
    if begin:
        part = "…" + part[1:]
    if begin + len(part) < len(line):
        part = part[:-1] + "…"
    return part, start - begin
