"""Reads a file's events into plain values, and notes everything this reader does not take.

A file people write is hostile until read: whatever it holds, the answer is a Problem, never an exception. No
knowledge of the file format lives here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradesync.config.findings import Path
from gradesync.config.marks.complaints import syntax_problem
from gradesync.config.marks.events import (
    MAX_DEPTH,
    MAX_NODES,
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    YAMLError,
    parser,
    width,
)
from gradesync.config.marks.places import Places, compose_places
from gradesync.config.marks.signs import odd_line_end, odd_sign
from gradesync.config.scalars import SUSPECT, resolve
from gradesync.config.scan import MAX_BYTES
from gradesync.domain.problem import Place, Problem

LONG = 32
_MAX_PROBLEMS = 200

_CONFLICT = re.compile(r"^(?:<<<<<<<|\|\|\|\|\|\|\||=======|>>>>>>>)(?: |\r?$)", re.MULTILINE)
_CUT = re.compile(r"[ \t]#[^\s#!]")
_COMMENT = re.compile(r"[ \t]+#[^\s#!]")


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file's value (dicts, lists, str, int, float, bool, None), or None when it cannot be trusted at all.

    Text that was written as a plain number, boolean or null arrives as that type, so the schema can ask for quotes.
    `watched` are place and width of the values under the keys the caller named: positions that cost no second parse.
    `long_texts` are keys and values of LONG characters or more; `spans_lines` says that some text goes over lines.
    """

    value: Any
    problems: tuple[Problem, ...] = ()
    watched: Mapping[Path, tuple[Place, int]] = field(default_factory=dict)
    long_texts: Sequence[str] = ()
    spans_lines: bool = True


class _Stop(Exception):
    """Reading on makes no sense; the problem is already noted."""


_ABSENT = object()


@dataclass(slots=True)
class _Reading:
    """One file being read: what was found so far, and whether the value may still be used."""

    file: str
    text: str = ""
    lines: list[str] | None = None
    problems: list[Problem] = field(default_factory=list)
    fatal: bool = False
    duplicates: list[tuple[Path, Place]] = field(default_factory=list)
    watched: dict[Path, tuple[Place, int]] = field(default_factory=dict)
    long_texts: list[str] = field(default_factory=list)
    spans_lines: bool = False

    def note(
        self, code: str, message: str, mark: Any, hint: str = "", *, width: int = 1, warning: bool = False
    ) -> None:
        self.at(code, message, Place(self.file, mark.line + 1, mark.column + 1), hint, width, warning)

    def at(
        self, code: str, message: str, place: Place, hint: str = "", width: int = 1, warning: bool = False
    ) -> None:
        self.problems.append(Problem(code, message, place, hint, None, warning, max(width, 1)))
        if len(self.problems) > _MAX_PROBLEMS:
            self.fatal = True
            raise _Stop

    def refuse(self, message: str, mark: Any, hint: str = "") -> None:
        """A feature this reader does not take: reading goes on, but the value is not used."""
        self.fatal = True
        self.note("GS-101", message, mark, hint)


def load_tree(
    text: bytes, file: str, watch: frozenset[str] = frozenset(), named: frozenset[str] = frozenset()
) -> LoadedFile:
    """Read one file. Never raises; every problem has a place in `file`.

    `watch` are keys whose places are kept; `named` are keys of the file below which people choose the names.
    """
    reading = _Reading(file)
    try:
        reading.text = decoded = _readable(text, reading)
        if (" #" in decoded or "\t#" in decoded) and _CUT.search(decoded):
            reading.lines = decoded.split("\n")
        value = _build(parser(text), reading, watch)
    except _Stop:
        _name_duplicates(text, reading, named, None)
        return LoadedFile(None, tuple(reading.problems))
    except (YAMLError, RecursionError, ValueError) as error:
        reading.problems.append(syntax_problem(error, text.decode("utf-8-sig", "replace"), file))
        return LoadedFile(None, tuple(reading.problems))
    _name_duplicates(text, reading, named, value)
    usable = None if reading.fatal else value
    return LoadedFile(
        usable, tuple(reading.problems), reading.watched, reading.long_texts, reading.spans_lines
    )


def _readable(text: bytes, reading: _Reading) -> str:
    """What must hold before a parser sees the bytes."""
    if len(text) > MAX_BYTES:
        reading.at("GS-101", "the file is larger than 1 MB", Place(reading.file), "one account per file")
        raise _Stop
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8-sig", "replace")
        reading.at("GS-101", "the file is not UTF-8", _place_after(before, reading.file), "save it as UTF-8")
        raise _Stop from None
    if "\0" in decoded:
        place = _place_after(decoded[: decoded.index("\0")], reading.file)
        reading.at("GS-101", "the file holds a NUL character", place, "save it as UTF-8 text")
        raise _Stop
    if ("<<<<<<<" in decoded or ">>>>>>>" in decoded) and (match := _CONFLICT.search(decoded)):
        place = _place_after(decoded[: match.start()], reading.file)
        reading.at("GS-101", "a merge conflict was left in the file", place, "choose one side", 7)
        raise _Stop
    if ("\r" in decoded or not decoded.isascii()) and (odd := odd_line_end(decoded)) is not None:
        at, sign = odd
        reading.at("GS-101", sign.message, _place_after(decoded[:at], reading.file), sign.hint)
        raise _Stop
    return decoded


def _place_after(before: str, file: str) -> Place:
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _build(events: Any, reading: _Reading, watch: frozenset[str]) -> Any:
    """Turn events into values with a stack of our own, so that nesting cannot exhaust Python's.

    One long loop on purpose: it sees every event of every changed file, and a call per event would cost as much
    as the parser itself. `frames` holds the outer containers with the entry of each that is being filled.
    """
    frames: list[tuple[Any, Any]] = []
    root: Any = _ABSENT
    top: Any = None
    is_map = False
    key: Any = _ABSENT
    nodes = 0
    get, lines = events.get_event, reading.lines
    while (event := get()) is not None:
        kind = event.__class__
        if kind is ScalarEvent:
            value = text = event.value
            if len(text) >= LONG:
                reading.long_texts.append(text)
            if not event.style:
                if (" " in value or "\n" in value) and event.start_mark.line != event.end_mark.line:
                    reading.spans_lines = True
                if value[:1] in SUSPECT or not value:
                    value = _plain(value, event, reading)
                if lines is not None:
                    _warn_of_cut(event, lines, reading)
            else:
                # A block scalar counts even when it is empty: a comment put below it could become its text.
                if event.style in "|>" or event.start_mark.line != event.end_mark.line:
                    reading.spans_lines = True
            if event.style or not text.isascii():
                _judge_signs(event, reading, is_key=is_map and key is _ABSENT)
            if event.tag is not None or event.anchor is not None:
                _refuse_features(event, reading)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if event.tag is not None or event.anchor is not None:
                _refuse_features(event, reading)
            value = {} if kind is MappingStartEvent else []
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            top = frames.pop()[0]
            is_map = top.__class__ is dict
            continue
        elif kind is AliasEvent:
            reading.refuse(
                "aliases (`*name`) are not taken",
                event.start_mark,
                "write the value out, or use _defaults.yaml",
            )
            value = None
        else:
            if kind is DocumentStartEvent and root is not _ABSENT:
                reading.refuse(
                    "a second document begins here", event.start_mark, "one account per file: remove `---`"
                )
                raise _Stop
            continue
        nodes += 1
        if nodes > MAX_NODES:
            reading.refuse(f"the file has more than {MAX_NODES:,} entries", event.start_mark, "split it")
            raise _Stop
        if is_map:
            if key is _ABSENT:
                key = _key(value, event, top, frames, reading)
                if value.__class__ is dict or value.__class__ is list:
                    raise _Stop  # a key that is a container has been noted; what follows cannot be told apart
                continue
            if key is not None:
                top[key] = value
                if key in watch:
                    at = event.start_mark
                    path = (*(entry for _, entry in frames if entry is not _ABSENT), key)
                    reading.watched[path] = (Place(reading.file, at.line + 1, at.column + 1), width(event))
            done, key = key, _ABSENT
        elif top is None:
            root, done = value, _ABSENT
        else:
            done = len(top)
            top.append(value)
        if kind is not ScalarEvent and kind is not AliasEvent:
            if len(frames) >= MAX_DEPTH:
                reading.refuse(
                    f"nested deeper than {MAX_DEPTH} levels", event.start_mark, "close the brackets"
                )
                raise _Stop
            frames.append((top, done))
            top, is_map = value, kind is MappingStartEvent
    if root is _ABSENT:
        reading.at("GS-101", "the file is empty", Place(reading.file), "fill it, or remove it")
        raise _Stop
    return root


def _key(value: Any, event: Any, top: dict[str, Any], frames: list[Any], reading: _Reading) -> str | None:
    """The key to store under; None when its value must be thrown away."""
    mark = event.start_mark
    if value.__class__ is not str:
        if value is None or value.__class__ in (dict, list):
            reading.fatal = True
            reading.note("GS-101", "a key is missing or is not text", mark, "write `key: value`")
        else:
            reading.note(
                "GS-106",
                "a key is read as a number or boolean",
                mark,
                "put the key in quotes",
                width=width(event),
            )
        return None
    if value in top:
        path: Path = (*(entry for _, entry in frames if entry is not _ABSENT), value)
        reading.duplicates.append((path, Place(reading.file, mark.line + 1, mark.column + 1)))
        if len(reading.duplicates) > _MAX_PROBLEMS:
            raise _Stop
        return None
    return value


def _plain(value: str, event: Any, reading: _Reading) -> Any:
    try:
        return resolve(value)
    except ValueError:
        reading.note(
            "GS-106", "a number is too long", event.start_mark, "put it in quotes", width=width(event)
        )
        return value


def _refuse_features(event: Any, reading: _Reading) -> None:
    """A value is known without its anchor and its tag, so the rest of the file is judged all the same."""
    if event.anchor is not None:
        hint = "write the value out, or use _defaults.yaml"
        reading.note("GS-101", "anchors (`&name`) are not taken", event.start_mark, hint)
    if event.tag is not None:
        hint = "remove the tag, or put the value in quotes"
        reading.note("GS-101", "tags (`!name`) are not taken", event.start_mark, hint)


def _judge_signs(event: Any, reading: _Reading, *, is_key: bool) -> None:
    """Refuse, or warn of, a character that reads otherwise than it looks, at the character itself."""
    sign = odd_sign(event.value, plain=not event.style, is_key=is_key)
    if sign is None:
        return
    place, width = _place_of(sign.char, event, reading)
    reading.fatal = reading.fatal or not sign.warning
    reading.at("GS-110" if sign.warning else "GS-101", sign.message, place, sign.hint, width, sign.warning)


def _place_of(char: str, event: Any, reading: _Reading) -> tuple[Place, int]:
    """Where the character is, and how many of it; the text's beginning when it is written as an escape."""
    start, end = event.start_mark, event.end_mark
    lines = reading.text.split("\n")
    for number in range(start.line, min(end.line + 1, len(lines))):
        until = end.column if number == end.line else len(lines[number])
        at = lines[number].find(char, start.column if number == start.line else 0, until)
        if at >= 0:
            behind = lines[number][at:until]
            return Place(reading.file, number + 1, at + 1), len(behind) - len(behind.lstrip(char))
    return Place(reading.file, start.line + 1, start.column + 1), 1


def _warn_of_cut(event: Any, lines: list[str], reading: _Reading) -> None:
    end = event.end_mark
    if end.line < len(lines) and (match := _COMMENT.match(lines[end.line], end.column)):
        text = "` #` begins a comment: what follows is not part of the value"
        place = Place(reading.file, end.line + 1, match.end() - 1)
        reading.at("GS-110", text, place, "put the whole value in quotes", warning=True)


def _name_duplicates(text: bytes, reading: _Reading, named: frozenset[str], tree: Any) -> None:
    if not reading.duplicates:
        return
    places = compose_places(text, reading.file)
    left = _without_too_deep(places, reading, tree)
    for path, second in left:
        key = str(path[-1])
        first = places(path)
        chosen = len(path) == 2 and path[0] in named
        hint = "give one of the two another name, or remove it" if chosen else "remove one of the two"
        message = f"{_shown(key)} is written twice; first on line {first.line}"
        reading.problems.append(Problem("GS-103", message, second, hint, width=max(len(key), 1)))


def _without_too_deep(places: Places, reading: _Reading, tree: Any) -> list[tuple[Path, Place]]:
    """The duplicates that do not follow from an empty key before them, which was indented too far: that is the slip.

    What came with such a key is taken out of the tree, so that it is judged nowhere else.
    """
    left: list[tuple[Path, Place]] = []
    by_parent: dict[Path, list[tuple[Path, Place]]] = {}
    for one in reading.duplicates:
        by_parent.setdefault(one[0][:-1], []).append(one)
    for parent, found in by_parent.items():
        if not parent or len(found) < 2:
            left += found
            continue
        inside = {path: spot.key for path, spot in places.spots.items() if path[:-1] == parent}
        last_first = max(places(path).line for path, _ in found)
        empty = [
            (key.line, path)
            for path, key in inside.items()
            if places.spots[path].raw == "" and last_first < key.line < found[0][1].line
        ]
        if not empty:
            left += found
            continue
        line, slip = max(empty)
        message = f"{_shown(str(slip[-1]))} is indented too far: the keys below it repeat those above it"
        hint = f"indent it like {_shown(str(parent[-1]))}"
        width = max(len(str(slip[-1])), 1)
        reading.problems.append(Problem("GS-103", message, inside[slip], hint, width=width))
        _take_out(tree, parent, [str(path[-1]) for path, key in inside.items() if key.line >= line])
    return left


def _take_out(tree: Any, parent: Path, keys: list[str]) -> None:
    for part in parent:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return
    for key in keys if isinstance(tree, dict) else ():
        tree.pop(key, None)


def _shown(key: str) -> str:
    return f"`{key}`" if len(key) <= 24 and key.isprintable() else "this key"
