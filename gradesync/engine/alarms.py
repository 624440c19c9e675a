"""Alarms: look at what is recorded, note what began and what is over, and send what is due.

Every pass does all of it from the store, so that a pass that dies, a channel that is away or a second pass beside this
one loses nothing and tells nothing twice: a message is sent only by whoever claimed its rows. Decisions are in
`domain.alarm_*`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from logging import WARNING

from gradesync.domain.alarm import Alarm, Look, Message, Told
from gradesync.domain.alarm_causes import Facts, causes, ended_gap
from gradesync.domain.alarm_rule import AlarmRule, AlarmSettings, Subject
from gradesync.domain.alarm_telling import (
    SENDING,
    Envelope,
    addresses,
    claim,
    due,
    envelopes,
    event,
    given_up,
    keep,
    settled,
)
from gradesync.engine.alarm_facts import PassNews, gather
from gradesync.errors import NotSent
from gradesync.events import tell
from gradesync.ports import Notifier, Store


@dataclass(frozen=True, slots=True)
class Standing:
    """What `notify list` shows: every row with its state (`alarm.AlarmLine`), and since when no pass came (or None)."""

    now: datetime
    rows: tuple[tuple[Alarm, str], ...]
    no_pass_since: datetime | None
    last_pass: datetime | None


def after_pass(
    store: Store,
    notifier: Notifier,
    settings: AlarmSettings,
    news: PassNews | None,
    *,
    within: timedelta | None = None,
) -> Told:
    """Note and send what a pass leaves behind; `news` None for a look by somebody who is no pass (`notify send`).

    `within` is how long messages are begun in all, for a process that is about to end; what is left is due still.
    Raises StoreUnavailable; a channel's trouble is in the answer, and its messages are tried again.
    """
    told = _carried(store, notifier, settings, news, within)
    if news is not None and news.whole:
        store.note_pass(store.now())
    return told


def _carried(
    store: Store,
    notifier: Notifier,
    settings: AlarmSettings,
    news: PassNews | None,
    within: timedelta | None,
) -> Told:
    if not settings.rules:
        # Settings with a problem may hide the rules: what was told stays remembered.
        return Told()
    rows = store.alarms()
    facts, accounts = gather(store, news, settings.waiting_days, settings.late_after)
    look = (news or PassNews()).look
    _note(store, rows, facts, settings.rules, accounts, look)
    return _send(store, notifier, settings.rules, accounts, facts.now, within)


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
    within: timedelta | None,
) -> Told:
    rows = store.alarms()
    letters = messages = lost = unnamed = 0
    failed: dict[str, str] = {}
    for rule in rules:
        ready, nobody = envelopes(rule, rows, accounts, now)
        # Told to the terminal once, by the pass that noticed; `notify list` goes on showing it.
        unnamed += sum(row.news_at == now for row in nobody)
        begun = store.now()
        for envelope in ready:
            at = store.now()
            if at - begun > SENDING or (within is not None and at - now > within):
                break  # what is left is due still, and goes with the next look
            sent, trouble, gone = _posted(store, notifier, rule, envelope)
            letters += sent
            messages += bool(sent)
            lost += gone
            if trouble is not None:
                failed[rule.name] = trouble
    return Told(letters, messages, failed, unnamed, lost)


def _posted(
    store: Store, notifier: Notifier, rule: AlarmRule, envelope: Envelope
) -> tuple[int, str | None, int]:
    """Send one message: letters sent, what went wrong, letters given up. Rows another pass has claimed are left out."""
    # Not the time the look began: the messages before may have taken longer than a claim lasts.
    now = store.now()
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
    done = store.now()
    store.swap_alarms([settled(row, done, sent=trouble is None) for row in rows])
    if trouble is None:
        tell("alarm.sent", "{letters} alarms sent by {channel}", letters=len(rows), channel=rule.channel)
    else:
        tell("alarm.failed", "an alarm by {channel} was not delivered", level=WARNING, channel=rule.channel)
    lost = sum(given_up(row, done) for row in rows) if trouble is not None else 0
    return (len(rows) if trouble is None else 0), trouble, lost


def standing(store: Store, settings: AlarmSettings) -> Standing:
    """What was noted by the last pass, and whether passes still come. Changes nothing."""
    facts, accounts = gather(store, None, settings.waiting_days, settings.late_after)
    by_name = {rule.name: rule for rule in settings.rules}
    passes = store.passes()
    return Standing(
        now=facts.now,
        rows=tuple(
            (row, _state(row, by_name.get(row.key.rule), accounts, facts.now)) for row in store.alarms()
        ),
        no_pass_since=facts.gap.since if facts.gap is not None else None,
        last_pass=passes[-1] if passes else None,
    )


def _state(row: Alarm, rule: AlarmRule | None, accounts: Mapping[str, Subject], now: datetime) -> str:
    if row.news_at is None:
        return "told" if row.told_at is not None else "given up"
    if rule is None:
        return "nobody to tell"
    if addresses(rule, row.cause, accounts.get(row.key.account, Subject())) is None:
        return "nobody to tell"
    return "due" if due(row, rule, now) else "waits"


__all__ = ["Standing", "after_pass", "standing"]
