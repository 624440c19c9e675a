"""What the store knows that may deserve an alarm, gathered for the domain to judge. No rule of alarms stands here."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from gradesync.domain.account import blackouts_of
from gradesync.domain.alarm import AlarmKind, Look
from gradesync.domain.alarm_causes import BRAKE_CODES, KEY_CODES, AccountFacts, Facts, ScheduleFacts
from gradesync.domain.alarm_passes import Gap, gap_before, gap_now, longest_usual
from gradesync.domain.alarm_rule import Subject
from gradesync.domain.definition import RecordedAccount
from gradesync.domain.due import blocks
from gradesync.domain.hold import HoldsByAccount
from gradesync.domain.report import PassReport
from gradesync.domain.run import Outcome, Run, Trigger
from gradesync.domain.schedule import Schedule, ScheduleId
from gradesync.ports import Store

OVERDUE_AFTER = timedelta(hours=1)
"""A slot owed for longer than this, and for longer than passes usually stay away, is overdue."""

LOOKBACK = 40
"""Runs of a failing schedule that are looked at for how long it has failed."""

TREE = frozenset({AlarmKind.SAFETY_STOP, AlarmKind.PROBLEMS})
"""What only a pass over the files can see."""

_SILENT = frozenset({Outcome.STOPPED, Outcome.SKIPPED})
_BAD = frozenset({Outcome.FAILED, Outcome.ABANDONED})


@dataclass(frozen=True, slots=True)
class PassNews:
    """What the pass that just ended knows besides the store: counts by account ("" for the whole tree).

    `look` is what it has seen; `whole` that it was a pass over all accounts, or over its shard of them; `began` when it
    did: its own length is no time without a pass.
    """

    withheld: Mapping[str, int] = field(default_factory=dict)
    problems: Mapping[str, int] = field(default_factory=dict)
    stale: bool = False
    look: Look = Look(frozenset(AlarmKind) - TREE)  # noqa: RUF009 - frozen
    whole: bool = False
    began: datetime | None = None


def news_of(
    report: PassReport, *, from_files: bool, only: frozenset[str] | None, shard: bool = False
) -> PassNews:
    """The news of a pass. One limited to accounts has seen those alone; one without the files, none of them.

    A `shard` of all accounts sees what concerns everybody too: no other pass may come.
    """
    kinds = frozenset(AlarmKind) if from_files else frozenset(AlarmKind) - TREE
    withheld = Counter(action.account for action in report.plan.withheld) if report.plan is not None else {}
    problems = Counter(one.account or "" for one in report.problems if not one.warning)
    return PassNews(
        withheld=dict(withheld),
        problems=dict(problems),
        stale=report.stale_commit is not None,
        look=Look(kinds, only | {""} if shard and only is not None else only),
        whole=only is None or shard,
        began=report.at,
    )


def news_of_cut(began: datetime, *, only: frozenset[str] | None, shard: bool = False) -> PassNews:
    """The news of a pass that was cut off: what the store holds, and nothing of the files."""
    kinds = frozenset(AlarmKind) - TREE
    look = Look(kinds, only | {""} if shard and only is not None else only)
    return PassNews(look=look, whole=only is None or shard, began=began)


def gather(
    store: Store, news: PassNews | None, waiting_days: int, late_after: timedelta | None
) -> tuple[Facts, Mapping[str, Subject]]:
    """The facts, and what rules choose accounts by. `news` None: whoever asks is no pass."""
    now = store.now()
    recorded = {key: one for key, one in store.recorded().accounts.items() if not one.retired and one.text}
    definitions = {key: json.loads(one.text) for key, one in recorded.items()}
    accounts = {key: _account(definition) for key, definition in definitions.items()}
    holds = store.holds(now)
    passes, leased = store.passes(), frozenset(lease.account for lease in store.leases())
    counts, since = store.waiting_counts(), store.waiting_since()
    facts = Facts(
        now=now,
        accounts=accounts,
        schedules=tuple(
            _schedules(
                store,
                recorded,
                definitions,
                HoldsByAccount(holds),
                Patience(max(OVERDUE_AFTER, longest_usual(passes) or OVERDUE_AFTER), leased),
                now,
            )
        ),
        holds=holds,
        waiting={key: (count, since[key]) for key, count in counts.items() if key in since},
        gap=_gap(passes, news, now, late_after, at_work=bool(leased)),
        withheld=news.withheld if news is not None else {},
        problems=news.problems if news is not None else {},
        stale=news is not None and news.stale,
        waiting_days=waiting_days,
    )
    return facts, {key: one.about for key, one in accounts.items()}


def _gap(
    passes: Sequence[datetime],
    news: PassNews | None,
    now: datetime,
    late_after: timedelta | None,
    *,
    at_work: bool,
) -> Gap | None:
    """The gap a pass has ended, or the one that lasts: not while runs are at work, since somebody began them."""
    if news is not None and news.whole and news.began is not None:
        return gap_before([one for one in passes if one <= news.began], news.began, late_after)
    return None if at_work else gap_now(passes, now, late_after)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run may be owed, and accounts in which one is at work: there the others wait for their turn."""

    longest: timedelta
    at_work: frozenset[str]


def _account(definition: Mapping[str, Any]) -> AccountFacts:
    ends = {
        side: date.fromisoformat(str(definition[side]["expires"]))
        for side in ("canvas", "sis")
        if definition.get(side, {}).get("expires")
    }
    return AccountFacts(
        about=Subject(definition.get("group"), definition.get("labels", {}), definition.get("contacts", {})),
        time_zone=str(definition.get("time_zone", "UTC")),
        canvas_host=_host(definition.get("canvas", {}).get("url")),
        sis_host=_host(definition.get("sis", {}).get("url")),
        ends=ends,
    )


def _host(url: object) -> str:
    """The host of an address that was found right: between the scheme and a port or path."""
    return re.sub(r":\d+\Z", "", str(url).partition("://")[2].partition("/")[0]).strip("[]") if url else ""


def _schedules(
    store: Store,
    recorded: Mapping[str, RecordedAccount],
    definitions: Mapping[str, Mapping[str, Any]],
    holds: HoldsByAccount,
    patience: Patience,
    now: datetime,
) -> Iterator[ScheduleFacts]:
    """Schedules that ran, or that owe a run."""
    last = store.last_runs()
    streaks = _streaks(store, {id: run for id, run in last.items() if _troubled(run)})
    # A queued run that nobody takes up is as overdue as a slot nobody claimed.
    queued = {
        run.schedule: run.slot_at or run.created_at
        for run in store.queued_runs()
        if run.trigger is not Trigger.BY_HAND
    }
    for key, account in recorded.items():
        for name, one in account.schedules.items():
            if one.retired:
                continue
            id, owed = ScheduleId(key, name), one.next_run_at
            owed = min((at for at in (owed, queued.get(id)) if at is not None), default=None)
            run = last.get(id)
            overdue = owed is not None and now - owed > patience.longest and key not in patience.at_work
            if run is None and not overdue:
                continue
            definition = definitions[key]
            type = run.type.value if run is not None else str(json.loads(one.text).get("type", ""))
            if overdue and _blocked(id, one.text, definition, holds, now):
                overdue = False
            failures, failing_since = streaks.get(id, (0, None))
            yield ScheduleFacts(id, type, run, failures, failing_since, owed if overdue else None)


def _blocked(
    id: ScheduleId, text: str, definition: Mapping[str, Any], holds: HoldsByAccount, now: datetime
) -> bool:
    """Whether something keeps the schedule from starting: then nothing is owed."""
    schedule = Schedule.from_definition(id, json.loads(text))
    return bool(
        blocks(schedule, holds.of(id.account), blackouts_of(definition), now, definition.get("group"))
    )


def _troubled(run: Run) -> bool:
    return run.result is not None and _in_trouble(run.result.outcome, run.result.codes)


def _in_trouble(outcome: Outcome, codes: Mapping[str, int]) -> bool:
    met = {code for code, count in codes.items() if count}
    return outcome in _BAD or bool(met & (KEY_CODES | BRAKE_CODES))


def _streaks(store: Store, troubled: Mapping[ScheduleId, Run]) -> Mapping[ScheduleId, tuple[int, datetime]]:
    """How many runs in a row were in trouble, and when the first of them ended."""
    found: dict[ScheduleId, tuple[int, datetime]] = {}
    if not troubled:
        return found
    over: set[ScheduleId] = set()
    for run in store.recent_runs(LOOKBACK, {id.account for id in troubled}):
        id = run.schedule
        if id not in troubled or id in over or run.outcome is None or run.ended_at is None:
            continue
        if run.outcome in _SILENT:
            continue
        if _in_trouble(run.outcome, run.codes):
            found[id] = (found.get(id, (0, run.ended_at))[0] + 1, run.ended_at)
        else:
            over.add(id)
    return found


__all__ = ["TREE", "PassNews", "gather", "news_of", "news_of_cut"]
