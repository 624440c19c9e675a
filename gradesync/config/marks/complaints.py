"""Where the parser gave up, told as what a person did: the slip is often a line or two before that place.

Neither the parser's text nor a line of the file is repeated. Only the raw lines around the place are looked at.
"""

from __future__ import annotations

import re
from typing import Any

from gradesync.config.marks.events import MarkedYAMLError
from gradesync.config.marks.signs import Sign, curly_in_line, odd_in_line
from gradesync.config.syntax import sentence
from gradesync.domain.problem import Place, Problem

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KEY_WITH_VALUE = re.compile(r" *(?:- +)?[^\s#'\"{\[][^:]*: +[^\s#]")
_EQUALLY = "indent the keys of one block equally"


def syntax_problem(error: Exception, decoded: str, file: str) -> Problem:
    """The one problem of a file that cannot be parsed, in our words and at the place a person has to change."""
    if not isinstance(error, MarkedYAMLError):
        bad = _UNPRINTABLE.search(decoded)
        place = _place_after(decoded[: bad.start()], file) if bad else Place(file)
        what = "the file holds a control character" if bad else "the file cannot be read as YAML"
        return Problem("GS-101", what, place, "save it as UTF-8 text")
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = decoded.replace("\r\n", "\n").split("\n")
    complaint = f"{error.context or ''}: {error.problem or ''}"
    found = (
        _tab(lines, line, file)
        or _odd(lines, line, file)
        or _behind_a_quote(lines, line, column, file)
        or _uneven(lines, line, complaint, file)
    )
    return found or _plainly(error, complaint, lines, line, column, file)


def _plainly(error: Any, complaint: str, lines: list[str], line: int, column: int, file: str) -> Problem:
    message, hint = sentence(complaint)
    began = error.context_mark
    if "comma or" in message and not any(part.strip() for part in lines[line:]):
        message, hint = sentence("did not find expected node content")
    # The parser complains where it gave up; people look for where it began.
    if began and began.line <= line and ("not closed" in message or "has no `:`" in message):
        line, column = began.line, began.column
    return Problem("GS-101", message, Place(file, line + 1, column + 1), hint)


def _place_after(before: str, file: str) -> Place:
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _tab(lines: list[str], line: int, file: str) -> Problem | None:
    for number in (line, line - 1):
        shown = lines[number] if 0 <= number < len(lines) else ""
        if "\t" in shown[: len(shown) - len(shown.lstrip())]:
            place = Place(file, number + 1, shown.index("\t") + 1)
            return Problem("GS-101", "a tab indents this line", place, "indent with spaces")
    return None


def _odd(lines: list[str], line: int, file: str) -> Problem | None:
    """The first odd blank up to where the parser gave up; a curly quote only on the line itself or the one above."""
    for number, shown in enumerate(lines[: line + 1]):
        if (found := odd_in_line(shown)) is not None:
            return _sign(found, number, file)
    for number in (line, line - 1):
        if 0 <= number < len(lines) and (found := curly_in_line(lines[number])) is not None:
            return _sign(found, number, file)
    return None


def _sign(found: tuple[int, Sign], number: int, file: str) -> Problem:
    at, sign = found
    return Problem("GS-101", sign.message, Place(file, number + 1, at + 1), sign.hint, width=sign.width)


def _behind_a_quote(lines: list[str], line: int, column: int, file: str) -> Problem | None:
    """Text where a value in quotes has ended: mostly an apostrophe inside single quotes."""
    shown = lines[line] if line < len(lines) else ""
    before = shown[:column].rstrip(" ")
    if before[-1:] not in ("'", '"') or len(before) < 2 or column >= len(shown) or shown[column] in ":,]}#":
        return None
    place = Place(file, line + 1, len(before))
    if before[-1] == "'":
        hint = 'write the whole value in double quotes: "..."'
        return Problem("GS-101", "this apostrophe ends the text that began with '", place, hint)
    hint = "write the whole value in single quotes: '...'"
    return Problem("GS-101", 'this quote ends the text that began with "', place, hint)


def _uneven(lines: list[str], line: int, complaint: str, file: str) -> Problem | None:
    """A line that is indented otherwise than the rest of its block, with both numbers."""
    if not any(
        part in complaint for part in ("mapping values are not", "did not find expected key", "block end")
    ):
        return None
    code = [n for n, shown in enumerate(lines) if (bare := shown.strip()) and not bare.startswith("#")]
    if line not in code or (at := code.index(line)) == 0:
        return None
    above = code[at - 1]
    mine, other = _indent(lines[line]), _indent(lines[above])
    open_ones = _open_indents(lines, code[:at])
    if mine == other or mine in open_ones or _is_item(lines[line]) or _is_item(lines[above]):
        return None
    if mine > other and not _KEY_WITH_VALUE.match(lines[above]):
        return None
    first_of_block = at < 2 or _indent(lines[code[at - 2]]) < other
    goes_on = at + 1 < len(code) and _indent(lines[code[at + 1]]) == mine
    if first_of_block and goes_on:
        message = f"this line is indented by {other}, the lines below it by {mine}"
        return Problem("GS-101", message, Place(file, above + 1, other + 1), _EQUALLY)
    message = f"this line is indented by {mine}, the line above it by {other}"
    return Problem("GS-101", message, Place(file, line + 1, mine + 1), _EQUALLY)


def _open_indents(lines: list[str], above: list[int]) -> set[int]:
    """The indents at which a key may follow these lines."""
    found: set[int] = set()
    low = None
    for number in reversed(above):
        indent = _indent(lines[number])
        if low is None or indent < low:
            found.add(indent)
            low = indent
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_item(line: str) -> bool:
    return line.lstrip(" ").startswith("- ")


__all__ = ["syntax_problem"]
