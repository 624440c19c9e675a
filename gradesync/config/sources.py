"""The files one tree of values came from, in the order in which they win, and where each value is written.

Positions are composed only when somebody asks. No judging here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradesync.config.findings import Finding, Path
from gradesync.config.marks import Places, Spot, compose_places
from gradesync.domain.problem import Place, Problem

Watched = Mapping[Path, tuple[Place, int]]


class Sources:
    """The account's own file first, then the defaults that apply, nearest first."""

    def __init__(
        self, files: Sequence[tuple[str, bytes]], account: str | None = None, watched: Watched | None = None
    ) -> None:
        self._files = files
        self._account = account
        self._watched = watched or {}
        self._composed: dict[int, Places] = {}

    def _places(self, index: int) -> Places:
        if index not in self._composed:
            file, text = self._files[index]
            self._composed[index] = compose_places(text, file)
        return self._composed[index]

    def _exact(self, path: Path) -> tuple[Places, Spot] | None:
        for index in range(len(self._files)):
            places = self._places(index)
            if (spot := places.spots.get(path)) is not None:
                return places, spot
        return None

    def raw(self, path: Path) -> str | None:
        """The text of a scalar as written; None when there is none."""
        found = self._exact(path)
        return found[1].raw if found else None

    def in_braces(self, path: Path) -> bool:
        """Whether the entry stands inside `{}` or `[]`."""
        found = self._exact(path)
        return found is not None and found[1].flow

    def place(self, path: Path, *, on: str = "value") -> Place:
        """Where the value (or key) at `path` is written; of what is nowhere, the nearest parent."""
        return self._located(path, on)[0]

    def problem(self, finding: Finding) -> Problem:
        """The finding with its place and the width of its caret."""
        place, width = self._located(finding.path, finding.on)
        if finding.sign is not None:
            place, width = self._sign(finding.sign, place, width)
        return Problem(
            finding.code, finding.message, place, finding.hint, self._account, finding.warning, max(width, 1)
        )

    def _sign(self, sign: str, place: Place, width: int) -> tuple[Place, int]:
        """The character inside the value; the whole value when it is written otherwise there, as an escape."""
        text = next(text for file, text in self._files if file == place.file)
        lines = text.decode("utf-8-sig", "replace").split("\n")
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        at = line.find(sign, place.column - 1, place.column - 1 + width)
        return (Place(place.file, place.line, at + 1), len(sign)) if at >= 0 else (place, width)

    def _located(self, path: Path, on: str) -> tuple[Place, int]:
        if on == "value" and (known := self._watched.get(path)) is not None:
            return known
        if on == "inside":
            return self._inside(path[:-1])
        found = self._exact(path)
        if found is None:
            spot = self._places(0).nearest(path)
            return (spot.key, spot.key_width) if spot else (Place(self._files[0][0]), 1)
        spot = found[1]
        return (spot.value, spot.value_width) if on == "value" else (spot.key, spot.key_width)

    def _inside(self, parent: Path) -> tuple[Place, int]:
        """A missing key is shown at the first key of its parent, in the first file that has any."""
        for index in range(len(self._files)):
            if (spot := self._places(index).first_key(parent)) is not None:
                return spot.key, spot.key_width
        return self._located(parent, "key") if parent else (Place(self._files[0][0]), 1)
