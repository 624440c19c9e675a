"""Alarms: look at what is recorded, note what began and what is over, and send what is due.

Every pass does all of it from the store, so that a pass that dies, a channel that is away or a second pass beside this
one loses nothing and tells nothing twice: a message is sent only by whoever claimed its rows. Decisions are in
`domain.alarm_*`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gradesync.domain.alarm import Alarm, Look, Message, Told
from gradesync.domain.alarm_causes import Facts, causes, ended_gap
from gradesync.domain.alarm_rule import AlarmRule, AlarmSettings, Subject
from gradesync.domain.alarm_telling import Envelope, claim, due, envelopes, event, given_up, keep, settled
from gradesync.engine.alarm_facts import PassNews, gather
from gradesync.errors import NotSent
from gradesync.ports import Notifier, Store


@dataclass(frozen=True, slots=True)
class Standing:
    """What `notify list` shows: every row, which of them may be sent now, and since when no pass came (or None)."""

    now: datetime
    rows: tuple[Alarm, ...]
    due: frozenset[int]
    no_pass_since: datetime | None
    last_pass: datetime | None


def after_pass(store: Store, notifier: Notifier, settings: AlarmSettings, news: PassNews | None) -> Told:
    """Note and send what a pass leaves behind; `news` None for a look by somebody who is no pass (`notify send`).

    Raises StoreUnavailable; a channel's trouble is in the answer, and its messages are tried again.
    """
    told = _carried(store, notifier, settings, news)
    if news is not None and news.whole:
        store.note_pass(store.now())
    return told


def _carried(store: Store, notifier: Notifier, settings: AlarmSettings, news: PassNews | None) -> Told:
    rows = store.alarms()
    if not settings.rules and not rows:
        return Told()
    facts, accounts = gather(store, news, settings.waiting_days, settings.late_after)
    look = (news or PassNews()).look
    _note(store, rows, facts, settings.rules, accounts, look)
    return _send(store, notifier, settings.rules, accounts, facts.now)


def _note(
    store: Store,
    rows: Sequence[Alarm],
    facts: Facts,
    rules: Sequence[AlarmRule],
    accounts: Mapping[str, Subject],
    look: Look,
) -> None:
    found = causes(facts)
    changes = keep(rows, found, rules, accounts, look, facts.now)
    gap = ended_gap(facts)
    if gap is not None:
        changes += event(rows, gap, rules, facts.now)
    if changes:
        store.swap_alarms(changes)


def _send(
    store: Store,
    notifier: Notifier,
    rules: Sequence[AlarmRule],
    accounts: Mapping[str, Subject],
    now: datetime,
) -> Told:
    rows = store.alarms()
    letters = messages = lost = unnamed = 0
    failed: dict[str, str] = {}
    for rule in rules:
        ready, nobody = envelopes(rule, rows, accounts, now)
        unnamed += len(nobody)
        for envelope in ready:
            sent, trouble, gone = _posted(store, notifier, rule, envelope, now)
            letters += sent
            messages += bool(sent)
            lost += gone
            if trouble is not None:
                failed[rule.name] = trouble
    return Told(letters, messages, failed, unnamed, lost)


def _posted(
    store: Store, notifier: Notifier, rule: AlarmRule, envelope: Envelope, now: datetime
) -> tuple[int, str | None, int]:
    """Send one message: letters sent, what went wrong, letters given up. Rows another pass has claimed are left out."""
    changes = claim(envelope.rows, now)
    mine = store.swap_alarms(changes)
    rows = tuple(change.after for change in changes if change.key in mine and change.after is not None)
    if not rows:
        return 0, None, 0
    message = Message(now, Envelope(envelope.to, rows).letters(), envelope.to, rule.time_zone)
    trouble: str | None = None
    try:
        notifier.send(rule, message)
    except NotSent as problem:
        trouble = str(problem)
    store.swap_alarms([settled(row, now, sent=trouble is None) for row in rows])
    lost = sum(given_up(row) for row in rows) if trouble is not None else 0
    return (len(rows) if trouble is None else 0), trouble, lost


def standing(store: Store, settings: AlarmSettings) -> Standing:
    """What was noted by the last pass, and whether passes still come. Changes nothing."""
    rows = tuple(store.alarms())
    facts, _ = gather(store, None, settings.waiting_days, settings.late_after)
    by_name = {rule.name: rule for rule in settings.rules}
    ready = frozenset(
        at
        for at, row in enumerate(rows)
        if row.key.rule in by_name and due(row, by_name[row.key.rule], facts.now)
    )
    passes = store.passes()
    return Standing(
        now=facts.now,
        rows=rows,
        due=ready,
        no_pass_since=facts.gap.since if facts.gap is not None else None,
        last_pass=passes[-1] if passes else None,
    )


__all__ = ["Standing", "after_pass", "standing"]
