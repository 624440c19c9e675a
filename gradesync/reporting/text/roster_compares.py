"""What `compare` prints of a roster import: the SIS now, the last good import and Canvas, and why they differ."""

from __future__ import annotations

from collections.abc import Mapping

from gradesync.domain.roster_change import ALL_SCHOOLS
from gradesync.domain.roster_comparing import (
    NEED_PERSON,
    Cause,
    ClassLine,
    KindLine,
    RecordLine,
    RosterComparison,
)
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import Cell, finished, folded, table
from gradesync.reporting.text.rosters import school_lines

MEANING: Mapping[Cause, str] = {
    Cause.LOST: "the last import held it, and Canvas does not: changed in Canvas by hand or by another tool; a run "
    "with --full sends all rows again",
    Cause.STAYED: "ended in the SIS and in an earlier import, and Canvas still holds it: seated again by hand, or "
    "never taken out; take it out in Canvas",
    Cause.BEYOND: "GS-626: an import before gradesync's first one made it, and the SIS does not have it; it stays until"
    " somebody decides; `gradesync run ID --dry-run --csv-to DIR` lists such seats, `gradesync show ID` has the line"
    " that takes them out",
    Cause.REFUSED: "Canvas would not take it when it was sent; it is sent again every night; the run's codes say why",
    Cause.ENDS: "Canvas still holds it, and it has ended in the SIS since the last import; the next run ends it",
    Cause.NOT_YET: "new in the SIS since the last import; the next run sends it",
    Cause.GONE: "sent once, and no longer in the SIS's read; it stays in Canvas, because absence deletes nothing",
    Cause.OTHERS: "not from the last import: made by hand, by another tool, or of a year that is over; left alone",
}
_COLORS = {
    Cause.LOST: "red",
    Cause.STAYED: "red",
    Cause.BEYOND: "red",
    Cause.REFUSED: "yellow",
    Cause.ENDS: "cyan",
    Cause.NOT_YET: "cyan",
}
_WHAT = {"accounts": "sub-accounts", "users": "people", "enrollments": "seats"}
_MOST_ROWS, _NAMED = 40, 20


def roster_comparison(found: RosterComparison, *, style: Style, every: bool = False) -> str:
    """The whole comparison. `every` names each record that was kept; else only those somebody must look at."""
    lines = [style.paint(f"{clean(found.schedule)}  compared", "bold"), *_looked_at(found, style)]
    lines += ["", *_table(found, style), *_causes(found, style), *_left_out(found, style)]
    lines += _by_class(found, style)
    lines += _records(found, style, every=every)
    lines += _since(found, style)
    lines += ["", *folded(_closing(found), style)]
    return finished(lines)


def _looked_at(found: RosterComparison, style: Style) -> list[str]:
    """What was laid beside what."""
    day = f"the last good import, of {found.last_day:%Y-%m-%d}" if found.last_day else "no import yet"
    ids = "all ids" if found.ids_compared else "no ids"
    seats = f"the seats of {found.looked:,} of {words.plural(found.classes_in_all, 'class', 'classes')}"
    more = "; --full looks at all" if found.ids_compared and found.looked < found.classes_in_all else ""
    return folded(f"The SIS now, {day}, and Canvas: {ids}, and {seats}{more}.", style, "  ")


def _met(found: RosterComparison) -> list[Cause]:
    causes = found.causes()
    return [cause for cause in Cause if causes[cause]]


def _table(found: RosterComparison, style: Style) -> list[str]:
    met = _met(found)
    columns = ("SCHOOL", "WHAT", "SIS NOW", "LAST IMPORT", "IN BOTH", *(cause.value.upper() for cause in met))
    ordered = sorted(found.lines, key=_rank)
    cells = [
        (
            Cell("(all)" if one.school == ALL_SCHOOLS else one.school, "bold"),
            Cell(_WHAT.get(one.kind, one.kind)),
            Cell(f"{one.sis:,}"),
            Cell("" if one.last is None else f"{one.last:,}"),
            Cell(f"{one.both:,}"),
            *_cause_cells(one.causes, met),
        )
        for one in ordered[:_MOST_ROWS]
    ]
    return [*table(columns, cells, style), *_more(len(ordered) - _MOST_ROWS, "row")]


def _rank(one: KindLine) -> tuple[int, str, str]:
    return (
        -sum(number for cause, number in one.causes.items() if cause in NEED_PERSON),
        one.school,
        one.kind,
    )


def _cause_cells(causes: Mapping[Cause, int], met: list[Cause]) -> list[Cell]:
    return [
        Cell(f"{causes.get(cause, 0):,}", _COLORS.get(cause, "") if causes.get(cause) else "")
        for cause in met
    ]


def _more(number: int, word: str, many: str | None = None) -> list[str]:
    return [f"and {words.plural(number, word, many)} more (--format json has all)"] if number > 0 else []


def _causes(found: RosterComparison, style: Style) -> list[str]:
    """What each cause met means."""
    causes, lines = found.causes(), [""]
    for cause in _met(found):
        meaning = MEANING[cause].replace(" ID", f" {clean(found.schedule)}")
        told = f"{cause.value} ({words.plural(causes[cause], 'record')}): {meaning}"
        first, *rest = folded(told, style, "  ", "      ")
        head = f"  {cause.value}"
        lines += [f"  {style.paint(cause.value, _COLORS.get(cause, 'dim'))}{first[len(head) :]}", *rest]
    return lines if len(lines) > 1 else []


def _left_out(found: RosterComparison, style: Style) -> list[str]:
    """Records of the SIS that no file holds, and why."""
    lines: list[str] = []
    if found.future:
        told = f"future ({words.plural(found.future, 'enrollment')}): not begun yet; each is sent on its first day"
        lines += folded(told, style, "  ", "      ")
    for code, count in found.codes.items():
        lines += folded(words.code_line(code, count), style, "  ", " " * 9)
    return ["", "  not sent by rule", *lines] if lines else []


def _by_class(found: RosterComparison, style: Style) -> list[str]:
    if not found.classes:
        return []
    met = [cause for cause in Cause if any(one.causes.get(cause) for one in found.classes)]
    columns = ("CLASS", "SCHOOL", "SIS NOW", "CANVAS", *(cause.value.upper() for cause in met))
    cells = [_class_cells(one, met) for one in found.classes[:_MOST_ROWS]]
    more = _more(len(found.classes) - _MOST_ROWS, "class", "classes")
    return ["", *table(columns, cells, style), *more]


def _class_cells(one: ClassLine, met: list[Cause]) -> tuple[Cell, ...]:
    return (
        Cell(one.class_id, "bold"),
        Cell("" if one.school == ALL_SCHOOLS else one.school),
        Cell(f"{one.sis:,}"),
        Cell("no section" if one.canvas is None else f"{one.canvas:,}"),
        *_cause_cells(one.causes, met),
    )


def _records(found: RosterComparison, style: Style, *, every: bool) -> list[str]:
    """Single records by pseudonym, never by name."""
    order = {cause: place for place, cause in enumerate(Cause)}
    chosen = [one for one in found.records if every or one.cause in NEED_PERSON]
    chosen.sort(key=lambda one: (order[one.cause], one.kind, one.school, one.class_id, one.subject))
    named = chosen if every else chosen[:_NAMED]
    if not named:
        return []
    cells = [_record_cells(one) for one in named]
    lines = ["", *table(("RECORD", "WHAT", "SCHOOL", "CLASS", "CAUSE"), cells, style)]
    if len(chosen) > len(named):
        rest = words.plural(len(chosen) - len(named), "record")
        lines += folded(f"... and {rest} more; --records or --format json names them.", style)
    return lines


def _record_cells(one: RecordLine) -> tuple[Cell, ...]:
    return (
        Cell(one.subject),
        Cell(_ONE.get(one.kind, one.kind)),
        Cell("" if one.school == ALL_SCHOOLS else one.school),
        Cell(one.class_id),
        Cell(one.cause.value, _COLORS.get(one.cause, "")),
    )


_ONE = {
    "accounts": "sub-account",
    "terms": "term",
    "courses": "course",
    "sections": "section",
    "users": "person",
    "enrollments": "seat",
}


def _since(found: RosterComparison, style: Style) -> list[str]:
    """The SIS now beside the last good import: what a run would do, whatever Canvas holds."""
    told = school_lines(found.change, style) if found.last_day else []
    lines = ["", "The SIS now beside the last good import: what the next run would do", *told] if told else []
    for sentence in found.change.sentences if found.change.stopped else ():
        lines += folded(f"{', '.join(found.change.codes)}: {clean(sentence)}", style, "  ", "    ")
    return lines


def _closing(found: RosterComparison) -> str:
    """The sentence a person takes away."""
    causes, told = found.causes(), []
    if found.change.stopped:
        told.append("The next run would be stopped by the brake: look with --dry-run.")
    if found.looks:
        told.append(f"{words.plural(found.looks, 'record')} need{'s' if found.looks == 1 else ''} somebody.")
    elif not found.change.stopped:
        told.append("Nothing differs that somebody must look at.")
    waits = causes[Cause.NOT_YET] + causes[Cause.ENDS]
    if waits:
        told.append(f"{words.plural(waits, 'record')} of those looked at wait for the next run.")
        if found.observes:
            told.append("This schedule only observes, so nothing is sent.")
    return " ".join(told)
