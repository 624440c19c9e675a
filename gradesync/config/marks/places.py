"""Positions of every entry of a file, found by a second look at the events when somebody wants to be pointed at one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gradesync.config.findings import Path
from gradesync.config.marks.events import (
    MAX_DEPTH,
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    YAMLError,
    parser,
    width,
)
from gradesync.domain.problem import Place


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one entry stands: its key (the value itself for a list's entry) and its value, with widths.

    `raw` is a plain or quoted scalar's text; `flow` says that the entry stands inside `{}` or `[]`.
    """

    key: Place
    key_width: int
    value: Place
    value_width: int
    raw: str | None
    flow: bool


@dataclass(frozen=True, slots=True)
class Places:
    """Positions of every entry of one file. Called with a path, answers the nearest place that exists."""

    file: str
    spots: dict[Path, Spot]

    def __call__(self, path: Path, *, on: str = "key") -> Place:
        """The key's place, or with on="value" the value's; an entry that is not there is its nearest parent."""
        spot = self.nearest(path)
        if spot is None:
            return Place(self.file)
        return spot.value if on == "value" else spot.key

    def nearest(self, path: Path) -> Spot | None:
        """The spot of the longest beginning of `path` that exists."""
        for end in range(len(path), 0, -1):
            if (spot := self.spots.get(path[:end])) is not None:
                return spot
        return None

    def first_key(self, path: Path) -> Spot | None:
        """The first entry below `path`: where a missing key is shown."""
        depth = len(path)
        return next((s for p, s in self.spots.items() if len(p) == depth + 1 and p[:depth] == path), None)


def compose_places(text: bytes, file: str) -> Places:
    """Positions of all entries, for a file that somebody wants to be pointed at. Never raises.

    Of a file that cannot be read to its end, what stands before the error. Of two equal keys, the first counts.
    """
    spots: dict[Path, Spot] = {}
    try:
        for path, spot in _walk(parser(text), file):
            spots.setdefault(path, spot)
    except (YAMLError, RecursionError, ValueError):
        pass
    return Places(file, spots)


def _walk(events: Any, file: str) -> Iterator[tuple[Path, Spot]]:
    frames: list[list[Any]] = []  # [path, is_map, pending key event, next index, flow]
    while (event := events.get_event()) is not None:
        kind = event.__class__
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            frames.pop()
            continue
        starts = kind is MappingStartEvent or kind is SequenceStartEvent
        if not starts and kind is not ScalarEvent and kind is not AliasEvent:
            continue
        path: Path = ()
        if frames:
            frame = frames[-1]
            if frame[1] and frame[2] is None:
                if starts:
                    return
                frame[2] = event
                continue
            named = frame[2] if frame[1] else event
            entry: Any = getattr(named, "value", None) if frame[1] else frame[3]
            path = (*frame[0], entry)
            frame[2], frame[3] = None, frame[3] + 1
            yield path, _spot(named, event, file, frame[4])
        if starts:
            if len(frames) >= MAX_DEPTH:
                return
            frames.append([path, kind is MappingStartEvent, None, 0, bool(event.flow_style)])


def _spot(key: Any, value: Any, file: str, flow: bool) -> Spot:
    at, to = key.start_mark, value.start_mark
    return Spot(
        key=Place(file, at.line + 1, at.column + 1),
        key_width=width(key),
        value=Place(file, to.line + 1, to.column + 1),
        value_width=width(value),
        raw=getattr(value, "value", None),
        flow=flow,
    )
