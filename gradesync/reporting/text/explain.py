"""What `explain` prints of one grade: its way from Canvas to the SIS, what was done, what happens next.

Scores and titles appear only where the explanation carries them, which is for a person at a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gradesync.domain.explained import (
    Check,
    ClassStory,
    Explanation,
    Held,
    Next,
    Remembered,
    WasSent,
)
from gradesync.domain.problem import CODES, Act
from gradesync.domain.record import PastEvent
from gradesync.domain.run import Run
from gradesync.domain.worklist import Worklist
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import fields, finished, folded

_HELD = {
    Held.NOTHING: "no result",
    Held.AS_CANVAS: "what Canvas shows",
    Held.AS_SENT: "what gradesync last wrote; Canvas shows something else",
    Held.OTHER: "a value that gradesync did not write: somebody changed it there",
    Held.UNKNOWN: "",
}
_WHATS = {
    "sent": "written to the SIS",
    "refused": "refused by the SIS",
    "withheld": "not sent",
    "released": "waits no longer",
    "blanked": "emptied in the SIS",
    "deleted": "deleted in the SIS",
    "adopted": "taken over from the SIS",
    "differs": "taken by the SIS, which holds something else",
}
_RETRIES = {
    Act.RETRY: "It is tried again by itself.",
    Act.HOLD: "It is sent by itself once the SIS takes it again.",
}


def explanation(told: Explanation, *, style: Style) -> str:
    """One grade, in every SIS class it belongs to."""
    head = f"{told.schedule}: assignment {told.assignment_id}, student {told.student[:12]}"
    lines = [style.paint(clean(head), "bold")]
    if told.course_id is not None:
        lines += fields([("course", f"{told.course_id} in Canvas")], style)
    lines += _absent(told, style)
    for story in told.classes:
        lines += _story(story, told, style)
    if told.was is not None:
        lines += ["", style.paint("Was it sent?", "bold"), *_was(told.was, told, style)]
    return finished(lines)


def _absent(told: Explanation, style: Style) -> list[str]:
    if not told.live:
        return folded("From the store alone: neither Canvas nor the SIS was asked.", style, "  ")
    if told.course_id is None:
        return folded(
            "No course in Canvas holds this assignment now; this is what was recorded.", style, "  "
        )
    if not told.in_course:
        return folded(
            "The student is in no section of the course now; this is what was recorded.", style, "  "
        )
    return []


def _story(story: ClassStory, told: Explanation, style: Style) -> list[str]:
    title = f"Class {story.class_id}" if story.class_id is not None else "A section tied to no SIS class"
    lines = ["", style.paint(clean(title), "bold")]
    lines += [_check(check, style) for check in story.checks]
    if story.result is not None or story.item is not None:
        lines += _memory(story, told, style)
    pairs = [("the SIS holds", _HELD[story.held])]
    pairs += [(label, clean(text)) for label, text in (story.shown.rows if story.shown is not None else ())]
    lines += fields(pairs, style)
    return [*lines, *_next(story, told, style)]


def _check(check: Check, style: Style) -> str:
    answer = {True: style.paint("yes", "green"), False: style.paint("no ", "red"), None: "?  "}[check.answer]
    named = f" ({clean(check.id)})" if check.id is not None else ""
    return f"  {answer}  {check.question}{named}"


def _memory(story: ClassStory, told: Explanation, style: Style) -> list[str]:
    record = story.result if story.result is not None else story.item
    assert record is not None  # the caller looked
    pairs = [("record", record.subject[:12])]
    entry = story.item.entry if story.item is not None else None
    pairs.append(("line item", f"linked to {clean(entry.record_id)}" if entry is not None else "not linked"))
    pairs.append(("result", _ledger(record)))
    row = record.waiting or (story.item.waiting if story.item is not None else None)
    if row is not None:
        since = words.clock(row.since, told.time_zone, told.at)
        pairs.append(("waits", f"for {clean(row.record.code)} since {since}"))
    last = record.last_told
    if last is not None:
        pairs.append(("last decision", _event(last, told)))
    write = story.last_write
    if write is not None:
        pairs.append(("last write", _event(write, told, who=True)))
    lines = fields(pairs, style)
    past = [*(story.item.events if story.item is not None else ()), *record.events]
    return [*lines, *_life(past, record, told, style)]


def _ledger(record: Remembered) -> str:
    entry = record.entry
    if entry is None or (entry.sent is None and entry.intent is None):
        return "never sent, as far as the ledger knows"
    if entry.intent is not None:
        return "a run broke off while it was written; the next one looks first"
    return (
        "sent, and read back as sent"
        if entry.sent == entry.read_back
        else "sent; the SIS stores it its own way"
    )


def _life(past: Iterable[PastEvent], record: Remembered, told: Explanation, style: Style) -> list[str]:
    ordered = sorted(past, key=lambda one: one.at)
    if not ordered:
        return []
    lines = ["  " + style.paint("what happened", "dim")]
    for one in ordered:
        kind = "result" if one.event.subject == record.subject else "line item"
        lines += folded(f"{_event(one, told)} ({kind})", style, "    ", "      ")
    return lines


def _event(past: PastEvent, told: Explanation, *, who: bool = False) -> str:
    text = f"{words.stamp(past.at, told.time_zone)}  {_WHATS.get(past.event.what, clean(past.event.what))}"
    if past.event.code is not None:
        text += f": {_code(past.event.code)}"
    text += f", run {past.run_id[:12]}"
    return text + _by(told.runs, past.run_id) if who else text


def _by(runs: Mapping[str, Run], run_id: str) -> str:
    run = runs.get(run_id)
    return "" if run is None else f" ({run.trigger.value}, by {clean(run.actor.name)})"


def _code(code: str) -> str:
    entry = CODES.get(code)
    return clean(code) if entry is None else f"{entry.code} {entry.title}"


def _next(story: ClassStory, told: Explanation, style: Style) -> list[str]:
    """What will happen, and what a person can do about it."""
    lines = folded(_next_sentence(story, told), style, "  next      ", " " * 12)
    entry = CODES.get(story.code or "")
    if entry is None:
        return lines
    lines += folded(f"{entry.code}  {entry.title}", style, "  why       ", " " * 12)
    told_more = (
        ("cause", entry.cause),
        ("remedy", entry.remedy),
        ("who acts", entry.who),
        ("meanwhile", entry.meanwhile),
    )
    for label, text in told_more:
        if text:
            lines += folded(text, style, f"  {label:<9} ", " " * 12)
    return lines


def _next_sentence(story: ClassStory, told: Explanation) -> str:
    entry = CODES.get(story.code or "")
    if story.next is Next.WAITS:
        retried = _RETRIES.get(entry.act, "") if entry is not None else ""
        return f"It is not sent. {retried}".rstrip()
    if story.next is Next.SETTLED:
        return "Nothing: both sides agree."
    if story.next is Next.NOTHING:
        return "Nothing: there is nothing to send."
    if story.next is Next.UNKNOWN:
        return "Not known without asking both sides."
    verb = "would be sent" if story.next is Next.SENDS else "would be taken out of the SIS"
    if told.observes:
        return f"It {verb}, but this schedule only observes."
    if told.blocked:
        return f"It {verb}, but the schedule is blocked: {clean('; '.join(told.blocked))}."
    verb = verb.replace("would be", "will be")
    if told.next_run_at is None:
        return f"It {verb} by the next run; none is planned."
    return f"It {verb} by the next run, {words.clock(told.next_run_at, told.time_zone, told.at)}."


def _was(was: WasSent, told: Explanation, style: Style) -> list[str]:
    lines: list[str] = []
    if was.last:
        lines += folded("It is the value gradesync last wrote.", style, "  ")
    for past in was.events:
        lines += folded(_event(past, told, who=True), style, "  ", "    ")
    if not was.answer:
        ago = words.stamp(was.since, told.time_zone)
        told_it = "Not sent" if not was.events else "Met, but never sent"
        lines += folded(
            f"{told_it}, as far as the records of this store go back (at most to {ago}).", style, "  "
        )
    return lines


def worklist(found: Worklist, folder: str, *, style: Style) -> str:
    """Counts and the folder; names stand in the files alone."""
    head = f"{found.account}: {words.plural(found.records, 'record')} for {words.plural(found.teachers, 'teacher')}"
    lines = [style.paint(head, "bold")]
    codes = sorted(found.codes.items())
    lines += [f"  {number:>6,}  {_code(code)}" for code, number in codes]
    if found.files:
        lines += folded(f"{words.plural(len(found.files), 'list')} written to {clean(folder)}", style)
    if found.unplaced:
        lines += folded(
            f"{words.plural(found.unplaced, 'record')} without a teacher: no course or no teacher was found",
            style,
        )
    return finished(lines)


__all__ = ["explanation", "worklist"]
