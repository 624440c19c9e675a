"""What `adopt` prints: what would become ours, what a person must settle, and what is left alone."""

from __future__ import annotations

from collections.abc import Mapping

from gradesync.domain.adoption import Fate
from gradesync.domain.record import LINE_ITEM, RESULT
from gradesync.domain.take_over import TakeOver
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import Cell, finished, folded, table

MEANING: Mapping[Fate, str] = {
    Fate.SAME: "becomes ours as it is; nothing is written until Canvas changes",
    Fate.DIFFERS: "linked; the values differ, and neither is overwritten until somebody has decided",
    Fate.AMBIGUOUS: "more than one could be meant, so none is taken",
    Fate.MISSING: "not in the SIS; the next run creates it",
    Fate.WITHHELD: "a rule keeps it back, whatever the SIS holds",
    Fate.KNOWN: "ours already",
    Fate.ONLY_IN_SIS: "no single record of Canvas answers to it; left alone",
}
_COLORS = {Fate.SAME: "green", Fate.DIFFERS: "yellow", Fate.AMBIGUOUS: "red"}
_NAMED = 30
"""How many records to settle are named; the JSON has them all."""


def adoption(found: TakeOver, *, style: Style) -> str:
    """The whole adoption, by class and by fate."""
    title = "adopted" if found.written else "what could be adopted"
    lines = [style.paint(f"{clean(found.schedule)}  {title}", "bold")]
    for name, kind in (("line items", LINE_ITEM), ("results", RESULT)):
        counts = found.counts(kind)
        told = [f"{counts[fate]:,} {fate.value}" for fate in Fate if counts[fate]]
        lines.append(f"  {name:<10}  {', '.join(told) or 'none'}")
    lines += [f"  {words.counts_line({word: count})}" for word, count in sorted(found.unread.items())]
    lines += [*_fates(found, style), *_by_class(found, style), *_open(found, style)]
    return finished([*lines, "", *folded(_closing(found), style)])


def _fates(found: TakeOver, style: Style) -> list[str]:
    lines: list[str] = [""]
    for fate in Fate:
        if not (found.counts(LINE_ITEM)[fate] or found.counts(RESULT)[fate]):
            continue
        first, *rest = folded(f"{fate.value}: {MEANING[fate]}", style, "  ", "      ")
        head = f"  {fate.value}"
        lines += [f"  {style.paint(fate.value, _COLORS.get(fate, 'dim'))}{first[len(head) :]}", *rest]
        for code, count in sorted(found.codes_of(fate).items()):
            lines += folded(words.code_line(code, count), style, "      ", " " * 13)
    for code, count in sorted(found.codes.items()):
        lines += folded(words.code_line(code, count), style, "  ", " " * 9)
    return lines if len(lines) > 1 else []


def _by_class(found: TakeOver, style: Style) -> list[str]:
    met = [fate for fate in Fate if found.counts(LINE_ITEM)[fate] or found.counts(RESULT)[fate]]
    if not found.classes or not met:
        return []
    rows = []
    for one in found.classes:
        items, results = one.counts(LINE_ITEM), one.counts(RESULT)
        cells = [
            Cell(f"{items[fate]:,} + {results[fate]:,}" if items[fate] or results[fate] else "")
            for fate in met
        ]
        rows.append((Cell(one.class_id, "bold"), *cells))
    columns = ("CLASS", *(fate.value.upper() for fate in met))
    return ["", *table(columns, rows, style), "(line items + results)"]


def _open(found: TakeOver, style: Style) -> list[str]:
    records = found.open()
    if not records:
        return []
    rows = [
        (
            Cell(class_id),
            Cell(str(one.assignment_id) if one.assignment_id is not None else ""),
            Cell(one.kind),
            Cell(one.fate.value, _COLORS.get(one.fate, "")),
            Cell(one.code or ""),
        )
        for class_id, one in records[:_NAMED]
    ]
    lines = ["", *table(("CLASS", "ASSIGNMENT", "KIND", "FATE", "CODE"), rows, style)]
    if len(records) > _NAMED:
        rest = words.plural(len(records) - _NAMED, "record")
        lines += folded(f"... and {rest} more; --format json names them all.", style)
    return lines


def _closing(found: TakeOver) -> str:
    told = []
    if found.unread:
        told.append("Not everything could be read; repeat it when both sides answer.")
    if found.written:
        told.append("The ledger knows it now. Nothing was written to Canvas or to the SIS.")
    else:
        told.append("Nothing was written. With --yes it goes into the ledger; neither gradebook is changed.")
    return " ".join(told)
