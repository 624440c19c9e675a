"""What a message says: the account, the schedule, the state, the code, who must act and what to do, in short sentences.

Pure. It says no more than its letters hold, which is never about a student. Names of accounts and schedules have been
through the file format, and go through `harmless` all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from gradesync.domain.alarm import AlarmKind, Cause, Letter, Message, News, Where
from gradesync.domain.interval import to_local
from gradesync.domain.problem import CODES
from gradesync.notify.harmless import harmless

LINES = 20
"""So many things are said in one message; the rest is counted."""

_APART = 3
"""Up to so many accounts with the same trouble have a line each; more share one."""

_HEADS = {
    News.RAISED: "New",
    News.STILL: "Still so",
    News.PASSED: "Came and went",
    News.ENDED: "Over",
}


def subject(message: Message) -> str:
    """One line for a mail or a chat's title."""
    if message.test:
        return "gradesync: a test message"
    lines = _groups(message.letters)
    if len(lines) == 1:
        over = "over: " if lines[0][0].news in (News.ENDED, News.PASSED) else ""
        return f"gradesync: {over}{_headline(lines[0])}"
    said = [
        f"{number} {head.lower()}"
        for news, head in _HEADS.items()
        if (number := sum(group[0].news is news for group in lines))
    ]
    return f"gradesync: {', '.join(said)}"


def body(message: Message) -> str:
    """The whole message as plain text."""
    if message.test:
        works = "This channel works. gradesync notify test sent this; nothing is the matter."
        return "\n".join([works, *_where(message)])
    groups = _groups(message.letters)
    lines: list[str] = []
    for news, head in _HEADS.items():
        mine = [group for group in groups[:LINES] if group[0].news is news]
        if mine:
            lines += ["", f"{head}:", *(line for group in mine for line in _said(group, message.time_zone))]
    if len(groups) > LINES:
        lines += ["", f"And {len(groups) - LINES} more: gradesync list"]
    codes = sorted({one.cause.code for one in message.letters if one.cause.code in CODES})
    explain = f" More about a code: gradesync explain {codes[0]}." if codes else ""
    lines += ["", f"Seen {_time(message.at, message.time_zone)}.{explain}", *_where(message)]
    return "\n".join(lines).strip("\n")


def _where(message: Message) -> list[str]:
    """Where to look. These are links on purpose, and so the only text of a message that does not go through `harmless`:
    their shape was checked where they were read."""
    found = (("Page", page_url(message)), ("CI job", message.where.run))
    return [f"{what}: {address}" for what, address in found if address]


def page_url(message: Message) -> str:
    """The page of the one account the message is about, or of all of them; empty where none is published."""
    accounts = {one.cause.account for one in message.letters}
    return page_of(message.where, accounts.pop() if len(accounts) == 1 else "")


def page_of(where: Where, account: str) -> str:
    """The page of an account, or of all of them for ""; empty where none is published."""
    # The file is named, as in the page's own links: not every server shows a folder by its index.
    below = f"/accounts/{quote(account, safe='')}/index.html" if account else ""
    return f"{where.page}{below}" if where.page else ""


def _groups(letters: Sequence[Letter]) -> list[list[Letter]]:
    """Letters that are one line: the same trouble of many accounts, mostly one server's."""
    same: dict[object, list[Letter]] = {}
    for one in letters:
        cause = one.cause
        same.setdefault((one.news, cause.kind, cause.code, cause.host, cause.level), []).append(one)
    found: list[list[Letter]] = []
    for group in same.values():
        if len({one.cause.account for one in group}) > _APART:
            found.append(group)
        else:
            found += [[one] for one in group]
    order = list(_HEADS)
    return sorted(found, key=lambda group: (order.index(group[0].news), not group[0].cause.urgent))


def _said(group: Sequence[Letter], zone: str) -> list[str]:
    first, cause = group[0], group[0].cause
    if first.news in (News.ENDED, News.PASSED):
        if cause.kind is AlarmKind.LATE:
            end = cause.until or first.ended_at or cause.since
            return [f"- No pass between {_time(cause.since, zone)} and {_time(end, zone)}; passes come again"]
        if cause.kind is AlarmKind.HOLD and len(group) == 1:
            return [harmless(f"- {_held(cause)}: the hold that was about to end is over")]
        return [f"- {_headline(group)}{_span(first, zone)}"]
    lines = [f"- {_headline(group)}{_when(cause, zone)}", f"  {_acting(cause)}"]
    command = command_of(cause) if len(group) == 1 else "gradesync list"
    lines.append(f"  Look: {command}")
    return lines


def _acting(cause: Cause) -> str:
    """Who must act and how; what heals by itself asks for nobody yet."""
    step = _to_do(cause)
    if step.startswith("None"):
        rest = step.removeprefix("None").strip(";. ") or "it heals by itself"
        return harmless(f"Nothing to do yet: {rest}.")
    who = "Whoever keeps these files" if cause.who in ("support", "us", "nobody", "") else cause.who
    return harmless(f"{who[0].upper()}{who[1:]} must act: {step}")


def _headline(group: Sequence[Letter]) -> str:
    cause = group[0].cause
    if len(group) == 1:
        return sentence_of(cause)
    names = sorted({one.cause.account for one in group})
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    at = f" at {cause.host}" if cause.host else ""
    return harmless(f"{len(names)} accounts{at}: {_titled(cause)} ({shown})")


def sentence_of(cause: Cause) -> str:
    """One cause alone, without times."""
    return harmless(_SENTENCES[cause.kind](cause))


def to_do(cause: Cause) -> str:
    """What whoever must act has to do."""
    return harmless(_to_do(cause))


def _titled(cause: Cause) -> str:
    title = CODES[cause.code].title if cause.code in CODES else _KINDS[cause.kind]
    return f"{title} ({cause.code})" if cause.code in CODES else title


def _to_do(cause: Cause) -> str:
    if cause.kind in _STEPS:
        return _STEPS[cause.kind]
    if cause.kind is AlarmKind.PROBLEMS and not cause.code:
        return "Mend the file: gradesync validate shows what is wrong and where."
    return CODES[cause.code].remedy if cause.code in CODES else "Look at the run."


def command_of(cause: Cause) -> str:
    """The command that shows more."""
    if cause.kind is AlarmKind.SAFETY_STOP or (cause.kind is AlarmKind.PROBLEMS and cause.subject == ""):
        return "gradesync plan" if cause.kind is AlarmKind.SAFETY_STOP else "gradesync validate"
    if cause.kind is AlarmKind.HOLD:
        return "gradesync holds"
    if cause.run is not None:
        return f"gradesync show {cause.run}"
    return f"gradesync show {harmless(cause.account)}" if cause.account else "gradesync history"


def _id(cause: Cause) -> str:
    return f"{cause.account}/{cause.subject}"


def _failed(cause: Cause) -> str:
    often = f" {cause.count} times in a row" if cause.count > 1 else ""
    because = f": {_titled(cause)}" if cause.code in CODES else ""
    return f"{_id(cause)} failed{often}{because}"


def _expires(cause: Cause) -> str:
    which = "Canvas token" if cause.subject == "canvas" else "SIS key"
    day = f"{cause.until:%Y-%m-%d}" if cause.until is not None else "a day"
    ended = cause.level > _LEVELS
    return f"{cause.account}: by its file the {which} {'has ended' if ended else 'ends'} on {day} (GS-204)"


_LEVELS = 3


def _hold(cause: Cause) -> str:
    until = f" at {cause.until:%Y-%m-%d %H:%M} UTC" if cause.until is not None else ""
    return f"{_held(cause)}: a hold ends{until}, and what it stops starts again"


def _held(cause: Cause) -> str:
    """What a hold covers; one that was noted before that was remembered says only the account."""
    covered = cause.scope or cause.account or "Many accounts"
    return covered[0].upper() + covered[1:] if not cause.account else covered


def _breaker(cause: Cause) -> str:
    because = f": {_titled(cause)}" if cause.code in CODES else ""
    return f"{cause.account}: the breaker opened after failures in a row{because}; one run an hour is tried"


def _brake(cause: Cause) -> str:
    whose = cause.account if cause.code == "GS-208" else _id(cause)
    return f"{whose}: stopped before anything was sent: {_titled(cause)}"


def _safety_stop(cause: Cause) -> str:
    changes = "change" if cause.count == 1 else "changes"
    return (
        f"{cause.account}: {cause.count} dangerous {changes} of the files withheld until somebody allows them"
    )


def _problems(cause: Cause) -> str:
    if cause.subject == "commit":
        return f"The checkout is behind what was applied: {_titled(cause)}"
    problems = "problem" if cause.count == 1 else "problems"
    if not cause.account:
        return f"The files have {cause.count} {problems} that concern all accounts"
    rest = "nothing of it runs until it is fixed" if cause.unrecorded else "its last good definition goes on"
    return f"{cause.account}: its file has {cause.count} {problems}; {rest}"


def _waiting(cause: Cause) -> str:
    records, wait = ("record", "waits") if cause.count == 1 else ("records", "wait")
    whom = {"us": "support", "support": "support", "teacher": "teachers"}.get(cause.who, f"the {cause.who}")
    return f"{cause.account}: {cause.count} {records} {wait} for {whom}, the oldest: {_titled(cause)}"


def _overdue(cause: Cause) -> str:
    return f"{_id(cause)} owes a run that nothing has begun"


def _late(cause: Cause) -> str:
    return "no pass for a while" if cause.until is not None else "No pass comes any more: nothing is synced"


_SENTENCES: dict[AlarmKind, Callable[[Cause], str]] = {
    AlarmKind.FAILED: _failed,
    AlarmKind.KEY: lambda cause: f"{cause.account}: {_titled(cause)}",
    AlarmKind.EXPIRES: _expires,
    AlarmKind.HOLD: _hold,
    AlarmKind.BREAKER: _breaker,
    AlarmKind.BRAKE: _brake,
    AlarmKind.SAFETY_STOP: _safety_stop,
    AlarmKind.PROBLEMS: _problems,
    AlarmKind.WAITING: _waiting,
    AlarmKind.OVERDUE: _overdue,
    AlarmKind.LATE: _late,
}

_KINDS = {
    AlarmKind.FAILED: "runs fail",
    AlarmKind.KEY: "a key is refused",
    AlarmKind.EXPIRES: "a key ends soon",
    AlarmKind.HOLD: "a hold ends",
    AlarmKind.BREAKER: "the breaker opened",
    AlarmKind.BRAKE: "a roster was stopped",
    AlarmKind.SAFETY_STOP: "changes are withheld",
    AlarmKind.PROBLEMS: "files have problems",
    AlarmKind.WAITING: "records wait",
    AlarmKind.OVERDUE: "runs are overdue",
    AlarmKind.LATE: "no pass came",
}

_STEPS = {
    AlarmKind.HOLD: "Place a longer hold if it must go on: gradesync pause.",
    AlarmKind.SAFETY_STOP: "Look at the plan; if it is meant, run gradesync reconcile --allow DIGEST --reason WHY.",
    AlarmKind.OVERDUE: "See that passes and workers run, and that nothing works in the account without an end.",
    AlarmKind.LATE: "See that the CI job, timer or service that starts gradesync reconcile still does.",
}


def _when(cause: Cause, zone: str) -> str:
    if cause.kind in (AlarmKind.EXPIRES, AlarmKind.HOLD, AlarmKind.SAFETY_STOP, AlarmKind.PROBLEMS):
        return ""
    return f", since {_time(cause.since, zone)}"


def _span(letter: Letter, zone: str) -> str:
    cause = letter.cause
    end = letter.ended_at
    if end is None:
        return ""
    timeless = cause.kind in (AlarmKind.EXPIRES, AlarmKind.HOLD, AlarmKind.SAFETY_STOP, AlarmKind.PROBLEMS)
    # A clock that was set back ends things before they began: then nobody knows how long they lasted.
    if timeless or end < cause.since:
        return f", until {_time(end, zone)}"
    return f", from {_time(cause.since, zone)} to {_time(end, zone)} ({lasted(end - cause.since)})"


def lasted(length: timedelta) -> str:
    """A length in the two largest units that matter."""
    minutes = max(0, int(length.total_seconds() // 60))
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    shown = [f"{number} {unit}" for number, unit in parts if number][:2]
    return " ".join(shown) or "under a minute"


def _time(at: datetime, zone: str) -> str:
    return f"{to_local(at, zone):%Y-%m-%d %H:%M %Z}"
