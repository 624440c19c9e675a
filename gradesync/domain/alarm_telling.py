"""Who is told of a cause, when, and never twice: causes and what was told before in, changes and messages out.

Pure. The promises: a standing cause is told once to each rule that wants it (and again after `remind` days, or when it
gets worse); what was told is told to be over; quiet hours and digests delay and never lose. The store lets one of
several passes carry a change out, so the same decision taken twice sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gradesync.domain.alarm import (
    Alarm,
    AlarmChange,
    AlarmKey,
    Cause,
    Letter,
    Look,
    News,
    contact_of,
)
from gradesync.domain.alarm_rule import EVERYBODY, AlarmRule, Subject, covers

MAX_ATTEMPTS = 12
"""Tries of one message; with the waits between them that is about a third of a day."""

CLAIM = timedelta(minutes=5)
"""How long whoever sends has for it; a process that died while sending is taken over from then on."""

AGAIN = timedelta(days=1)
"""After this time what was given up is tried again, while it still stands: the channel may work by now."""

LONGEST_WAIT = timedelta(hours=1)

END_KEPT = timedelta(days=7)
"""So long it is tried to tell the end of what was told: somebody may still be at work on it."""

SENDING = timedelta(minutes=2)
"""One look begins no message of a rule after this time: a channel that hangs must hold up neither passes nor others."""

LETTERS = 200
"""Letters of one message; the rest goes with the next pass."""

ENVELOPES = 50
"""Messages one rule sends in one pass: an alarm about everybody must not become a flood of mail."""

_NOBODY = Subject()


def keep(
    rows: Iterable[Alarm],
    found: Sequence[Cause],
    rules: Sequence[AlarmRule],
    accounts: Mapping[str, Subject],
    look: Look,
    now: datetime,
) -> list[AlarmChange]:
    """What has to change in the store now that these causes stand: new ones, worse ones, those that are over.

    Rows that somebody is sending are left to the next look: a change under the sender's hands would undo that they
    were told, and what stands now stands then.
    """
    standing = {row.key: row for row in rows}
    sending = {key for key, row in standing.items() if _ahead(row.claimed_until, now)}
    wanted = {
        AlarmKey(rule.name, one.kind.value, one.account, one.subject): (rule, one)
        for rule in rules
        for one in found
        if look.saw(one.kind, one.account) and covers(rule, one, accounts.get(one.account, _NOBODY))
    }
    changes = [
        _noted(standing.get(key), key, rule, one, now)
        for key, (rule, one) in wanted.items()
        if key not in sending
    ]
    by_name = {rule.name: rule for rule in rules}
    for key, row in standing.items():
        if key in sending:
            continue
        if key.rule not in by_name:
            # Nobody is left to tell.
            changes.append(AlarmChange(row, None))
        elif key not in wanted and look.saw(key.kind, key.account):
            changes.append(_over(row, by_name[key.rule], now))
    return [change for change in changes if change is not None]


def _noted(
    row: Alarm | None, key: AlarmKey, rule: AlarmRule, cause: Cause, now: datetime
) -> AlarmChange | None:
    """A standing cause meets its row. None: nothing is new."""
    if row is None:
        return AlarmChange(None, Alarm(key, cause.text(), raised_at=now, news_at=now))
    if row.ended_at is not None:
        # It came back before anybody was told that it went: for whoever was told, it has stood all along.
        news = None if row.told_at is not None else row.news_at
        return AlarmChange(row, row.next(ended_at=None, news_at=news, attempts=0, text=cause.text()))
    worse = cause.level > row.cause.level
    long_ago = row.told_at is not None and rule.remind and now - row.told_at >= timedelta(days=rule.remind)
    given_up = row.told_at is None and row.tried_at is not None and now - row.tried_at >= AGAIN
    if row.news_at is None and (worse or long_ago or given_up):
        return AlarmChange(row, row.next(news_at=now, attempts=0, text=cause.text()))
    if worse:
        return AlarmChange(row, row.next(text=cause.text()))
    return None


def _over(row: Alarm, rule: AlarmRule, now: datetime) -> AlarmChange | None:
    """The cause is gone."""
    if row.ended_at is not None:
        return None
    if row.told_at is None and row.news_at is None:
        return AlarmChange(row, None)  # given up: nobody knows of it
    if not rule.recoveries and row.told_at is not None:
        return AlarmChange(row, None)
    news = row.news_at if row.told_at is None else now
    return AlarmChange(row, row.next(ended_at=now, news_at=news, attempts=0))


def event(
    rows: Iterable[Alarm], cause: Cause, rules: Sequence[AlarmRule], now: datetime
) -> list[AlarmChange]:
    """Something that is over already when it is noticed: told once, unless it is known from when it stood."""
    known = {row.key for row in rows}
    return [
        AlarmChange(None, Alarm(key, cause.text(), raised_at=now, news_at=now, ended_at=now))
        for rule in rules
        if covers(rule, cause, _NOBODY)
        and (key := AlarmKey(rule.name, cause.kind.value, cause.account, cause.subject)) not in known
    ]


def due(row: Alarm, rule: AlarmRule, now: datetime) -> bool:
    """Whether the row's news may be sent now: nobody else does, no failure is too fresh, no quiet hour."""
    if row.news_at is None or _ahead(row.claimed_until, now):
        return False
    if row.attempts and row.tried_at is not None and _ahead(row.tried_at + _wait(row.attempts), now):
        return False
    return rule.open_at(now, row.news_at, urgent=row.cause.urgent)


def _ahead(at: datetime | None, now: datetime) -> bool:
    """Whether the instant is yet to come; one further away than any wait was written by a clock that was wrong."""
    return at is not None and now < at <= now + AGAIN


def _wait(attempts: int) -> timedelta:
    return min(LONGEST_WAIT, timedelta(minutes=2 ** min(attempts - 1, 10)))


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to be: the rows it tells of, and the addresses (none for a channel that is one itself)."""

    to: tuple[str, ...]
    rows: tuple[Alarm, ...]

    def letters(self) -> tuple[Letter, ...]:
        """Its lines, the urgent first."""
        letters = [Letter(_news(row), row.cause, row.ended_at) for row in self.rows]
        order = {News.RAISED: 0, News.STILL: 1, News.PASSED: 2, News.ENDED: 3}
        return tuple(
            sorted(
                letters,
                key=lambda one: (
                    order[one.news],
                    not one.cause.urgent,
                    one.cause.kind.value,
                    one.cause.account,
                    one.cause.subject,
                ),
            )
        )


def _news(row: Alarm) -> News:
    assert row.news is not None  # only rows with news come into an envelope
    return row.news


def envelopes(
    rule: AlarmRule, rows: Iterable[Alarm], accounts: Mapping[str, Subject], now: datetime
) -> tuple[list[Envelope], list[Alarm]]:
    """The messages a rule sends now, at most `ENVELOPES`, and the rows nobody is named for."""
    by_address: dict[tuple[str, ...], list[Alarm]] = {}
    nobody: list[Alarm] = []
    for row in sorted(rows, key=lambda one: one.key):
        if row.key.rule != rule.name or not due(row, rule, now):
            continue
        to = addresses(rule, row.cause, accounts.get(row.key.account, _NOBODY))
        if to is None:
            nobody.append(row)
        else:
            by_address.setdefault(to, []).append(row)
    made = [Envelope(to, tuple(mine[:LETTERS])) for to, mine in by_address.items()]
    return made[:ENVELOPES], nobody


def addresses(rule: AlarmRule, cause: Cause, account: Subject) -> tuple[str, ...] | None:
    """Whom a rule writes to about the cause: () for a channel that is an address itself, None when nobody is named."""
    if not rule.to:
        return ()
    found: list[str] = []
    for entry in rule.to:
        one = contact_of(cause.who, account.contacts) if entry == EVERYBODY else account.contacts.get(entry)
        one = entry if "@" in entry else one
        if one is not None and "@" in one and one not in found:
            found.append(one)
    return tuple(found) or None


def claim(rows: Iterable[Alarm], now: datetime) -> list[AlarmChange]:
    """Before sending: nobody else may, for a while."""
    return [AlarmChange(row, row.next(claimed_until=now + CLAIM, tried_at=now)) for row in rows]


def settled(row: Alarm, now: datetime, *, sent: bool) -> AlarmChange:
    """After sending: told, or to be tried again; what was told to be over is forgotten."""
    if sent:
        if row.ended_at is not None:
            return AlarmChange(row, None)
        return AlarmChange(row, row.next(told_at=now, news_at=None, claimed_until=None, attempts=0))
    attempts = row.attempts + 1
    if not given_up(row, now):
        return AlarmChange(row, row.next(claimed_until=None, attempts=attempts))
    if row.ended_at is not None:
        return AlarmChange(row, None)
    # A reminder that fails is tried again after another `remind` days.
    told = now if row.told_at is not None else None
    return AlarmChange(row, row.next(told_at=told, news_at=None, claimed_until=None, attempts=attempts))


def given_up(row: Alarm, now: datetime) -> bool:
    """Whether a failed row was tried for the last time."""
    if row.attempts + 1 < MAX_ATTEMPTS:
        return False
    return row.told_at is None or row.ended_at is None or now - row.ended_at >= END_KEPT


def untold(rows: Iterable[Alarm]) -> Iterator[Alarm]:
    """Rows with news."""
    return (row for row in rows if row.news_at is not None)
