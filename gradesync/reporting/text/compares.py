"""What `compare` prints: how far the gradebooks agree, what differs and why, and who must look at what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradesync.domain.comparison import Cause, ClassComparison, Comparison, Difference, Uneven
from gradesync.domain.record import LINE_ITEM, RESULT
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import Cell, finished, folded, table

MEANING: Mapping[Cause, str] = {
    Cause.HAND_EDIT: "the SIS holds neither what was sent nor what was read back; somebody changed it there",
    Cause.LOST: "it was written, and the SIS holds it no more, or said yes and never held it",
    Cause.REFUSED: "the SIS would not take it",
    Cause.OTHERWISE: "the SIS took it and keeps something else",
    Cause.NOT_YET: "changed in Canvas since it was last sent; the next run writes it",
    Cause.WITHHELD: "a rule keeps it back",
    Cause.ROUNDING: "the SIS holds it in its own form (fewer decimals, a shorter title), which is settled",
    Cause.ONLY_IN_SIS: "not ours: typed in the SIS, or another tool's",
}
_COLORS = {
    Cause.HAND_EDIT: "red",
    Cause.LOST: "red",
    Cause.REFUSED: "yellow",
    Cause.OTHERWISE: "red",
    Cause.NOT_YET: "cyan",
}
_ORDER = {cause: place for place, cause in enumerate(Cause)}
_NAMED = 20
"""How many single records are named unless all are asked for."""


def comparison(comparison: Comparison, *, style: Style, every: bool = False) -> str:
    """The whole comparison. `every` names each differing record; else only those somebody must look at."""
    lines = [style.paint(f"{clean(comparison.schedule)}  compared", "bold"), *_totals(comparison)]
    lines += [*_causes(comparison, style), *_by_class(comparison.classes, style)]
    lines += _records(comparison, style, every=every)
    lines += _uneven(comparison, style)
    lines += ["", *folded(_closing(comparison), style)]
    return finished(lines)


def _totals(comparison: Comparison) -> list[str]:
    lines = []
    for title, kind in (("results", RESULT), ("line items", LINE_ITEM)):
        causes = comparison.causes(kind)
        told = [f"{comparison.equal(kind):,} equal"]
        told += [f"{causes[cause]:,} {cause.value}" for cause in Cause if causes[cause]]
        lines.append(f"  {title:<10}  {', '.join(told)}")
    for word, count in sorted(comparison.unread.items()):
        lines.append(f"  {words.counts_line({word: count})}")
    return lines


def _causes(comparison: Comparison, style: Style) -> list[str]:
    """What each cause met means, with the codes behind it and who must act on them."""
    lines: list[str] = []
    for cause in Cause:
        found = [one for one in comparison.differences if one.cause is cause]
        if not found:
            continue
        told = f"{cause.value} ({words.plural(len(found), 'record')}): {MEANING[cause]}"
        first, *rest = folded(told, style, "  ", "      ")
        head = f"  {cause.value}"
        lines += [f"  {style.paint(cause.value, _COLORS.get(cause, 'dim'))}{first[len(head) :]}", *rest]
        lines += _code_lines(comparison.codes_of(cause), style)
    if comparison.codes:
        lines += ["  besides", *_code_lines(comparison.codes, style), *_untied(comparison.untied, style)]
    return ["", *lines] if lines else []


def _code_lines(codes: Mapping[str, int], style: Style) -> list[str]:
    lines: list[str] = []
    for code, count in sorted(codes.items()):
        lines += folded(words.code_line(code, count), style, "      ", " " * 13)
    return lines


def _untied(places: Sequence[str], style: Style) -> list[str]:
    """Where in Canvas the sections are that no class of the SIS stands behind."""
    lines: list[str] = []
    if places:
        more = f", and {len(places) - _NAMED:,} more (--format json has all)" if len(places) > _NAMED else ""
        told = f"In Canvas: {', '.join(places[:_NAMED])}{more}"
        lines += folded(told, style, " " * 13, " " * 13)
    return lines


def _by_class(classes: Sequence[ClassComparison], style: Style) -> list[str]:
    """Classes with differences; a column per cause met."""
    differing = [one for one in classes if one.differences]
    if not differing:
        return []
    met = [cause for cause in Cause if any(one.causes()[cause] for one in differing)]
    columns = ("CLASS", "COURSE", "EQUAL", *(cause.value.upper() for cause in met))
    rows = []
    for one in differing:
        causes = one.causes()
        cells = [Cell(f"{causes[cause]:,}", _COLORS.get(cause, "") if causes[cause] else "") for cause in met]
        course = Cell("" if one.course_id is None else str(one.course_id))
        rows.append((Cell(one.class_id, "bold"), course, Cell(f"{sum(one.equal.values()):,}"), *cells))
    return ["", *table(columns, rows, style)]


def _records(comparison: Comparison, style: Style, *, every: bool) -> list[str]:
    """Single records by Canvas's assignment number and pseudonym, never by name."""
    chosen = [one for one in comparison.differences if every or one.needs_person]
    if not every:
        # The few that are cut off must not be those that matter most.
        chosen.sort(key=lambda one: _ORDER[one.cause])
    if not chosen:
        return []
    named = chosen if every else chosen[:_NAMED]
    values = any(one.shown is not None for one in named)
    columns = ("CLASS", "ASSIGNMENT", "RECORD", "KIND", "CAUSE", "CODE", "FIELDS", "NEXT RUN")
    more = ("CANVAS", "SENDS", "SIS") if values else ()
    lines = ["", *table((*columns, *more), [_row(one, values=values) for one in named], style)]
    if len(chosen) > len(named):
        rest = words.plural(len(chosen) - len(named), "record")
        lines += folded(f"... and {rest} more; --records or --format json names them all.", style)
    return lines


def _row(one: Difference, *, values: bool) -> tuple[Cell, ...]:
    cells = [
        Cell(one.class_id),
        Cell(str(one.assignment_id) if one.assignment_id is not None else ""),
        Cell(one.subject[:12]),
        Cell(one.kind),
        Cell(one.cause.value, _COLORS.get(one.cause, "")),
        Cell(one.code or ""),
        Cell(", ".join(one.fields)),
        Cell("writes it" if one.sends else "leaves it"),
    ]
    if values:
        shown = one.shown
        told = (shown.canvas, shown.sends, shown.sis) if shown else ("", "", "")
        cells += [Cell(text) for text in told]
    return tuple(cells)


_UNEVEN: Mapping[Uneven, str] = {
    Uneven.WEIGHTS: "Canvas weights its assignment groups",
    Uneven.DROPS: "Canvas drops scores in a group",
}


def _uneven(comparison: Comparison, style: Style) -> list[str]:
    """Classes whose averages may differ although no score does, with what Canvas does there."""
    lines: list[str] = []
    for one in comparison.uneven:
        why = ", and ".join(_UNEVEN[reason] for reason in one.averages)
        told = f"{clean(one.class_id)}: every score agrees, and the average may differ: {why}."
        lines += folded(told, style, "  ", "      ")
    return ["", *lines] if lines else []


def _closing(comparison: Comparison) -> str:
    """The sentence a person takes away."""
    told = []
    looks = comparison.looks
    if looks:
        told.append(f"{words.plural(looks, 'record')} need{'s' if looks == 1 else ''} somebody.")
        account = clean(comparison.schedule).partition("/")[0]
        told.append(f"`gradesync explain {account} --worklist` writes lists of who must do what.")
    if comparison.unread:
        told.append("Not everything could be read, so more may differ.")
    elif not looks:
        told.append("Nothing differs that somebody must look at.")
    writes = comparison.would_write(RESULT), comparison.would_write(LINE_ITEM)
    if any(writes):
        told.append(
            f"A run would write {words.plural(writes[0], 'result')} and {words.plural(writes[1], 'line item')}."
        )
        if comparison.observes:
            told.append("This schedule only observes, so nothing is written.")
    if comparison.agreeing:
        told.append(f"Every score agrees in {words.plural(comparison.agreeing, 'class', 'classes')}.")
    return " ".join(told)
