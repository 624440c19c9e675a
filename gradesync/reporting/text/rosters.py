"""What the brake of the roster import says to people: the numbers, examples by pseudonym, and the commands to go on."""

from __future__ import annotations

from collections.abc import Sequence

from gradesync.domain.approval import Approved
from gradesync.domain.roster_change import ALL_SCHOOLS, Example, RosterChange, SchoolChange
from gradesync.domain.run import Run
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import Cell, fields, finished, folded, table

_MOST_ROWS = 30
"""Rows of the table; beyond that the schools that lose most stand for the others, and JSON has them all."""


def stop_lines(change: RosterChange | None, run: Run, style: Style, indent: str) -> list[str]:
    """Why the brake held a run, and how to look and to approve; nothing for a run it did not hold."""
    if change is None or not change.stopped:
        return []
    lines = _sentences(change, style, indent)
    if told := match_lines(change, style, indent):
        lines += ["", *told]
    elif not change.dry and _BEYOND not in change.codes:
        # A dry run shows all it would change anyway.
        lines += ["", *(indent + line for line in number_lines(change.schools, style))]
    lines += _example_lines(change.examples, style, indent)
    lines += ["", *fields(_commands(change, run), style, indent)]
    return lines


def _sentences(change: RosterChange, style: Style, indent: str) -> list[str]:
    lines: list[str] = []
    for sentence in change.sentences:
        lines += folded(clean(sentence), style, indent, indent + "  ")
    return lines


def match_lines(change: RosterChange | None, style: Style, indent: str) -> list[str]:
    """First contact: how many of our ids Canvas knows, by kind and school; nothing where all of them match."""
    if change is None or all(one.same == one.wanted and not one.foreign for one in change.matching):
        return []
    kinds = list(dict.fromkeys(one.kind for one in change.matching))
    ordered = sorted(
        change.matching, key=lambda one: (one.school != ALL_SCHOOLS, kinds.index(one.kind), one.school)
    )
    cells = [
        (
            Cell("all" if one.school == ALL_SCHOOLS else one.school or "(none)", "bold"),
            Cell(_MATCHED.get(one.kind, one.kind)),
            *(Cell(f"{number:,}") for number in (one.wanted, one.same, one.wanted - one.same)),
            Cell(f"{one.foreign:,}" if one.school == ALL_SCHOOLS or one.kind == _SEATS else ""),
        )
        for one in ordered[:_MOST_ROWS]
    ]
    more = len(ordered) - _MOST_ROWS
    told = [f"and {words.plural(more, 'row')} more (--format json has all)"] if more > 0 else []
    columns = ("SCHOOL", "WHAT", "FROM THE SIS", "SAME IN CANVAS", "ONLY IN THE SIS", "ONLY IN CANVAS")
    head = f"{indent}First contact: ids of the SIS beside those Canvas holds"
    lines = [head, *(indent + line for line in [*table(columns, cells, style), *told])]
    return lines + (folded(_SEATS_NOTE, style, indent) if _SEATS in kinds else [])


def fault_lines(change: RosterChange | None, style: Style) -> list[str]:
    """What was wrong with the files of a read, as far as the run kept it."""
    if change is None or not change.faults:
        return []
    cells = [
        (
            Cell(one.file or "(the export)", "bold"),
            Cell(
                ", ".join(f"{row:,}" for row in one.rows) + (" ..." if one.times > len(one.rows) > 0 else "")
            ),
            Cell(one.column),
            Cell(f"{one.times:,}"),
            Cell(one.what),
        )
        for one in change.faults
    ]
    return ["Faults of the files", *table(("FILE", "ROWS", "COLUMN", "TIMES", "WHAT"), cells, style)]


def _commands(change: RosterChange, run: Run) -> list[tuple[str, str]]:
    look = [("look", f"gradesync run {clean(run.schedule)} --dry-run")]
    if change.matching:
        look.append(
            ("all ids", f"gradesync run {clean(run.schedule)} --dry-run --csv-to DIR (in take-over.csv)")
        )
    if change.dry:
        return _beyond_dry(run) if _BEYOND in change.codes else look
    if _LATE_IDS in change.codes:
        # It was approved already, and approving it once more must not look like the way to go on.
        look.append(("then", f"gradesync run {clean(run.schedule)}"))
        return look if change.digest is None else [*look, ("or as new courses", _approve(run))]
    if _BEYOND in change.codes:
        look = [_beyond_look(run)]
        return look if change.digest is None else [*look, ("take out", _approve(run))]
    if change.digest is None:
        return [*look, ("approve", "not possible: this is no roster; check the SIS export")]
    return [*look, ("approve", _approve(run))]


def _beyond_look(run: Run) -> tuple[str, str]:
    return "look", f"gradesync run {clean(run.schedule)} --dry-run --csv-to DIR (in seats-beyond.csv)"


def _beyond_dry(run: Run) -> list[tuple[str, str]]:
    """A dry run cannot be approved; the last real one that told the seats can."""
    known = f"gradesync show {clean(run.schedule)} (its last line, once a run has told these seats)"
    return [_beyond_look(run), ("take out", known)]


def _approve(run: Run) -> str:
    return f'gradesync approve {clean(run.id)} --reason "..."'


def number_lines(schools: Sequence[SchoolChange], style: Style) -> list[str]:
    """The numbers per school and kind, the largest losses first."""
    changed = sorted(
        (one for one in schools if one.is_change), key=lambda one: (-one.lost, one.school, one.kind)
    )
    columns = (
        "SCHOOL",
        "WHAT",
        "BEFORE",
        "AFTER",
        "CREATED",
        "CHANGED",
        "ENDED",
        "REMOVED",
        "MOVED",
        "NEW IDS",
    )
    cells = [
        (
            Cell(one.school or "(no class)", "bold"),
            Cell(one.kind),
            *(
                Cell(f"{number:,}")
                for number in (
                    *(one.before, one.after, one.created, one.changed),
                    *(one.ended, one.removed, one.moved, one.renumbered),
                )
            ),
        )
        for one in changed[:_MOST_ROWS]
    ]
    more = len(changed) - _MOST_ROWS
    told = [f"and {words.plural(more, 'row')} more (--format json has all)"] if more > 0 else []
    return [*table(columns, cells, style), *told] if cells else []


_ENDING = frozenset({"enrollments", "user_observers"})
"""Kinds whose records end in Canvas when they are gone from the files; all others stay."""


def school_lines(change: RosterChange, style: Style) -> list[str]:
    """What a roster import would do, school by school and kind by kind; where nothing would change, nothing is said."""
    columns = (
        "SCHOOL",
        "WHAT",
        "WOULD CREATE",
        "WOULD CHANGE",
        "WOULD MOVE",
        "WOULD END",
        "GONE, STAY",
        "NOW",
    )
    cells = []
    for one in sorted((*change.schools, *change.besides), key=lambda one: one.school):
        if not one.is_change:
            continue
        gone = 0 if one.kind in _ENDING else one.removed
        cells.append(
            (
                Cell("(all)" if one.school == ALL_SCHOOLS else one.school or "(no class)", "bold"),
                Cell(_WHAT.get(one.kind, one.kind)),
                *(Cell(f"{number:,}") for number in (one.created, one.changed, one.moved)),
                Cell(f"{one.ended + one.removed - gone:,}"),
                Cell(f"{gone:,}"),
                Cell(f"{one.before:,}"),
            )
        )
    return table(columns, cells, style) if cells else []


_WHAT = {"accounts": "sub-accounts", "xlists": "cross-lists", "user_observers": "observers"}


def _example_lines(examples: Sequence[Example], style: Style, indent: str) -> list[str]:
    lines = ["", f"{indent}Examples, by pseudonym"] if examples else []
    for one in examples:
        where = f" of school {clean(one.school)}" if one.school else ""
        seats = f", {words.plural(one.seats, 'seat')}" if one.seats else ""
        back = f", now {clean(one.other)}" if one.other else ""
        told = f"{_KINDS.get(one.kind, clean(one.kind))} {clean(one.subject)}{where}: {clean(one.what)}{back}{seats}"
        lines += folded(told, style, indent + "  ", indent + "    ")
    return lines


_LATE_IDS = "GS-624"
_BEYOND = "GS-626"
_SEATS = "enrollments"
_KINDS = {
    "users": "person",
    "sections": "section",
    "enrollments": "enrollment",
    "courses": "course",
    "terms": "term",
    "accounts": "sub-account",
}
_SEATS_NOTE = (
    "Seats are those of a sample of up to 50 classes, and of each class only as many as the smaller side holds: they "
    "show whether both mean the same people. GS-626 looks at every class, for seats that imports made."
)
_MATCHED = {"users": "people", "accounts": "sub-accounts", _SEATS: "seats (a sample)"}


def approved(found: Approved, *, style: Style) -> str:
    """What was approved, until when, and how to let it run."""
    one, change = found.approval, found.change
    pairs = [
        ("run", clean(one.run_id)),
        ("codes", clean(", ".join(change.codes))),
        ("change", clean(one.digest)),
        ("by", clean(f"{one.actor.name} ({one.actor.via})")),
        ("reason", clean(one.reason)),
        ("until", words.utc(one.expires_at)),
        ("next", f"gradesync run {clean(found.run.schedule)}"),
    ]
    head = f"Approved for {clean(found.run.schedule)}: this change and no other"
    lines = [style.paint(head, "bold"), *fields(pairs, style), "", *_sentences(change, style, "  ")]
    # The read's other changes went through with the run and are not what is approved here.
    told = [] if _BEYOND in change.codes else number_lines(change.schools, style)
    return finished([*lines, "", *("  " + line for line in told)] if told else lines)


__all__ = ["approved", "fault_lines", "match_lines", "number_lines", "school_lines", "stop_lines"]
