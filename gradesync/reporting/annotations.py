"""GitHub's annotations, to the budget: what stands on the lines of a pull request, gravest first.

GitHub shows ten annotations of a kind per step and fifty per job, and hides the rest without a word. So files of the
pull request come first, and where not all fit, the last one says how many more there are. Nothing people wrote can
become a command of its own: see `clean`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gradesync.domain.problem import CODES, Place, Problem
from gradesync.reporting.clean import clean, message, property_value
from gradesync.reporting.links import NOWHERE, Links

Kind = Literal["error", "warning", "notice"]

BUDGET: dict[Kind, int] = {"error": 10, "warning": 10, "notice": 5}
"""Per step. Together half of what a job may show, so that `validate` and `plan` fit into one job."""

LONGEST = 400
"""Characters of a message: longer ones hide the code they stand on."""


@dataclass(frozen=True, slots=True)
class Note:
    """One annotation before it is written. `place` None, or without a line, belongs to no line; `urgent` ones come
    before those of files."""

    kind: Kind
    title: str
    text: str
    place: Place | None = None
    urgent: bool = False


def note_of(problem: Problem) -> Note:
    """A finding: its code and name as title, its hint behind the sentence."""
    entry = CODES.get(problem.code)
    title = f"{problem.code} {entry.title}" if entry else problem.code
    hint = f" (hint: {problem.hint})" if problem.hint else ""
    return Note("warning" if problem.warning else "error", title, problem.message + hint, problem.place)


def commands(notes: Iterable[Note], *, changed: Collection[str] = (), links: Links = NOWHERE) -> list[str]:
    """The workflow commands, one line each, errors first. `changed` are files of the pull request, from the top of
    the repository or of the tree."""
    found: dict[Kind, list[Note]] = {kind: [] for kind in BUDGET}
    for note in notes:
        found[note.kind].append(note)
    lines: list[str] = []
    for kind, some in found.items():
        some.sort(key=lambda note: _rank(note, changed, links))
        lines += _of_kind(kind, some, links)
    return lines


def _rank(note: Note, changed: Collection[str], links: Links) -> tuple[bool, bool, str, int, int]:
    if note.place is None or note.urgent:
        return (False, False, "", 0, 0)
    place = note.place
    elsewhere = not ({place.file, links.path(place.file)} & set(changed))
    return (True, elsewhere, place.file, place.line, place.column)


def _of_kind(kind: Kind, notes: Sequence[Note], links: Links) -> list[str]:
    room = BUDGET[kind]
    if len(notes) <= room:
        return [_line(note, links) for note in notes]
    hidden = len(notes) - room + 1
    more = Note(kind, "More than GitHub shows", f"and {hidden:,} more, see the summary of this step")
    return [_line(note, links) for note in (*notes[: room - 1], more)]


def _line(note: Note, links: Links) -> str:
    properties = []
    if note.place is not None and note.place.file:
        properties.append(f"file={property_value(links.path(note.place.file))}")
        if note.place.line > 0:
            properties += [f"line={note.place.line}", f"col={max(1, note.place.column)}"]
    properties.append(f"title={property_value(note.title)}")
    return f"::{note.kind} {','.join(properties)}::{message(shortened(note.text, LONGEST))}"


def shortened(text: str, longest: int) -> str:
    """One clean line of at most so many characters."""
    # Cleaning looks at every character, and of a very long text nearly all are for nothing.
    looked = text[: 8 * longest]
    plain = clean(looked)
    if len(plain) <= longest and len(looked) == len(text):
        return plain
    return plain[: longest - 1].rstrip() + "…"
