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
    Retry,
    WasSent,
)
from gradesync.domain.passback_decisions import STORED_OTHERWISE
from gradesync.domain.problem import CODES
from gradesync.domain.record import PastEvent
from gradesync.domain.run import Run
from gradesync.domain.wish import EXEMPT
from gradesync.domain.worklist import Worklist
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.lists import list_name
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import fields, finished, folded

_HELD = {
    Held.NOTHING: "no result",
    Held.AS_CANVAS: "what Canvas shows",
    Held.ROUNDED: "what Canvas shows, rounded to what the SIS keeps: the two numbers differ",
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
_MOST_PLACES = 20
_GONE = "what gradesync last wrote; the work is no longer in Canvas"
_RETRIES = {
    Retry.NEXT_RUN: "It is tried again by the next run",
    Retry.ROSTER: "It is looked at again as soon as the roster has changed, else once a day and by every full run",
    Retry.CATALOGUE: "It is looked at again as soon as classes, categories or marking periods change in the SIS, "
    "else once a day and by every full run",
    Retry.DAILY: "It is looked at again once a day and by every full run",
    Retry.CHANGE: "It goes by itself with the first run after the change in Canvas, or in the account's settings",
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
    if told.gone or told.course_id is None:
        if told.course_id is None:
            why = "Canvas does not know this assignment any more: it was deleted, or its course was."
        else:
            why = (
                f"Course {told.course_id} in Canvas has no such assignment: it was deleted, or is in another course; "
                "with its number alone every course is looked through."
            )
        return folded(f"{why} What follows is what the store remembers of it.", style, "  ")
    if told.unpublished:
        return _unpublished(told, style)
    if not told.in_course:
        return folded(
            "The student is in no section of the course now; this is what was recorded.", style, "  "
        )
    return []


def _unpublished(told: Explanation, style: Style) -> list[str]:
    entry = CODES["GS-303"]
    return folded(
        f"Course {told.course_id} is not published in Canvas (GS-303), so no grade of it can be read or sent; what is "
        f"in the SIS stays. {entry.remedy} Who must act: {entry.who}. "
        "What follows is what the store remembers.",
        style,
        "  ",
    )


def _story(story: ClassStory, told: Explanation, style: Style) -> list[str]:
    title = f"Class {story.class_id}" if story.class_id is not None else "A section tied to no SIS class"
    lines = ["", style.paint(clean(title), "bold")]
    if story.section is not None:
        lines += fields([("section", f"{clean(story.section)} in Canvas")], style)
    lines += [_check(check, style) for check in story.checks]
    if story.result is not None or story.item is not None:
        lines += _memory(story, told, style)
    deleted = any(one.question == "assignment in Canvas" and one.answer is False for one in story.checks)
    holds = _GONE if deleted and story.held is Held.AS_SENT else _HELD[story.held]
    if story.held is Held.AS_SENT and story.next is Next.REFUSED and story.code == STORED_OTHERWISE:
        holds = "another value than the one it said yes to"
    pairs = [("the SIS holds", holds)]
    pairs += [(label, clean(text)) for label, text in (story.shown.rows if story.shown is not None else ())]
    lines += fields(pairs, style)
    return [*lines, *_next(story, told, style)]


def _check(check: Check, style: Style) -> str:
    answer = {True: style.paint("yes", "green"), False: style.paint("no ", "red"), None: "?  "}[check.answer]
    named = ", ".join(clean(one) for one in (check.code, check.id) if one is not None)
    return f"  {answer}  {check.question}{f' ({named})' if named else ''}"


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
        word = "refused" if record.refused is not None else "waits"
        pairs.append((word, f"for {clean(row.record.code)} since {since}"))
    last = record.last_told
    if last is not None:
        pairs.append(("last decision", _event(last, told)))
    write = story.last_write
    if write is not None:
        pairs.append(("last write", _event(write, told, who=True)))
    elif any(past.event.what == "sent" for past in record.events):
        pairs.append(("last write", "none that the SIS kept"))
    lines = fields(pairs, style)
    past = [*(story.item.events if story.item is not None else ()), *record.events]
    return [*lines, *_life(past, record, story.item, told, style)]


def _ledger(record: Remembered) -> str:
    entry = record.entry
    if entry is None or (entry.sent is None and entry.intent is None):
        return "never sent, as far as the ledger knows"
    if record.broken_off:
        return "a run broke off while it was written; the next one looks first"
    if (
        record.refused is not None
        and record.refused.record.code == STORED_OTHERWISE
        and entry.sent is not None
    ):
        return "offered to the SIS, which said yes and holds another value"
    if entry.sent is None:
        return "offered to the SIS, which holds none of it, as far as the ledger knows"
    if entry.intent is not None:
        return "sent earlier; what was offered since is not in the SIS"
    return (
        "sent, and read back as sent"
        if entry.sent == entry.read_back
        else "sent; the SIS stores it its own way"
    )


def _life(
    past: Iterable[PastEvent], record: Remembered, item: Remembered | None, told: Explanation, style: Style
) -> list[str]:
    ordered = sorted(past, key=lambda one: one.at)
    if not ordered:
        return []
    lines = ["  " + style.paint("what happened", "dim")]
    for one in ordered:
        kind = "result" if one.event.subject == record.subject else "line item"
        swallowed = any(whose.swallowed(one) for whose in (record, item) if whose is not None)
        lines += folded(f"{_event(one, told, swallowed=swallowed)} ({kind})", style, "    ", "      ")
    return lines


def _event(past: PastEvent, told: Explanation, *, who: bool = False, swallowed: bool = False) -> str:
    what = _WHATS.get(past.event.what, clean(past.event.what))
    if swallowed:
        what = "offered to the SIS, which said yes"
    elif past.event.what == "differs" and past.event.value is None:
        what = "not held by the SIS"
    text = f"{words.stamp(past.at, told.time_zone)}  {what}"
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
    told_more = [("cause", entry.cause), ("remedy", entry.remedy), ("who acts", entry.who)]
    if story.namesakes:
        course = f"courses/{told.course_id}/assignments/"
        told_more.insert(1, ("the other", ", ".join(f"{course}{one}" for one in story.namesakes)))
    if story.since is not None:
        told_more.append(("since", words.clock(story.since, told.time_zone, told.at)))
    told_more.append(("meanwhile", entry.meanwhile))
    if (
        story.next is Next.REFUSED
        and story.code != STORED_OTHERWISE
        and (run := story.refused_in) is not None
    ):
        told_more.append(("SIS said", f"gradesync show {clean(run)} --vendor-text (it may name students)"))
    for label, text in told_more:
        if text:
            lines += folded(text, style, f"  {label:<9} ", " " * 12)
    return lines


def _next_sentence(story: ClassStory, told: Explanation) -> str:
    if story.next in (Next.WAITS, Next.REFUSED):
        return _waits(story, told)
    if story.next is Next.SETTLED:
        if story.held is Held.ROUNDED:
            return "Nothing: the SIS holds all it can keep of the score."
        return "Nothing: both sides agree."
    if story.next is Next.NOTHING:
        if story.unsent_missing:
            return (
                "Nothing: Canvas marks the work missing without a score, and this account does not send missing "
                "work (passback.missing: withhold)."
            )
        return "Nothing: there is nothing to send."
    if story.next is Next.UNKNOWN:
        if told.live and not told.gone and not story.checks:
            return (
                "Nothing is sent: in Canvas the student is no longer in a section of this class. What the SIS holds "
                "stays, unless the account's rules take it out."
            )
        return "Not known without asking both sides."
    verb = "would be sent" if story.next is Next.SENDS else "would be taken out of the SIS"
    if told.observes:
        return f"It {verb}, but this schedule only observes."
    if told.blocked:
        why = clean("; ".join(told.blocked))
        return f"It {verb}, but the schedule is blocked: {why}. It goes by itself after that."
    verb = verb.replace("would be", "will be")
    if told.next_run_at is None:
        return f"It {verb} by the next run; none is planned."
    return f"It {verb} by the next run, {words.clock(told.next_run_at, told.time_zone, told.at)}."


def _waits(story: ClassStory, told: Explanation) -> str:
    """That it is not there, and when it is looked at again: a blocked schedule looks at nothing."""
    # What went before stays where it is: `not sent` would deny that.
    text = "It is not sent." if story.last_write is None else "Nothing more is sent."
    if story.next is Next.REFUSED:
        text = (
            "The SIS refused it."
            if story.code != STORED_OTHERWISE
            else "The SIS said yes and does not hold it."
        )
    if told.observes:
        return f"{text} This schedule only observes."
    if told.blocked:
        return f"{text} The schedule is blocked: {clean('; '.join(told.blocked))}."
    if story.retry is None:
        return text
    if story.retry is Retry.NEXT_RUN and told.next_run_at is not None:
        return f"{text} {_RETRIES[story.retry]}, {words.clock(told.next_run_at, told.time_zone, told.at)}."
    return f"{text} {_RETRIES[story.retry]}."


def _was(was: WasSent, told: Explanation, style: Style) -> list[str]:
    lines: list[str] = []
    if was.last:
        lines += folded("It is the value gradesync last wrote.", style, "  ")
    if EXEMPT in was.statuses:
        lines += folded(
            "It went as exempt: the student is excused, and the number stands there only where the SIS must have one.",
            style,
            "  ",
        )
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
    lists = len(found.files) + len(found.others)
    if lists:
        lines += folded(f"{words.plural(lists, 'list')} written to {clean(folder)}", style)
    if found.unplaced:
        lines += folded(
            f"{words.plural(found.unplaced, 'record')} without a teacher: no course or no teacher was found",
            style,
        )
    return finished([*lines, *_others(found, style)])


def _others(found: Worklist, style: Style) -> list[str]:
    """Who else must act, in which file that is, and where the sections are that no class stands behind."""
    lines: list[str] = []
    for one in found.others:
        verb = "waits" if one.records == 1 else "wait"
        told = f"{words.plural(one.records, 'record')} {verb} for others ({one.who}): {list_name(one)}"
        lines += ["", *folded(told, style), *(f"  {n:>6,}  {_code(code)}" for code, n in one.codes.items())]
    if found.untied:
        more = len(found.untied) - _MOST_PLACES
        rest = f", and {more:,} more" if more > 0 else ""
        told = f"Sections without a SIS class, in Canvas: {', '.join(found.untied[:_MOST_PLACES])}{rest}"
        lines += folded(told, style, "          ", "          ")
    return lines


__all__ = ["explanation", "worklist"]
