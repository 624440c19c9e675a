"""From what the store holds to what is the matter: facts in, causes out.

Pure, and every decision of what deserves an alarm stands here. Each cause is something that stands: the same facts an
hour later give the same cause, and `alarm_telling` makes sure that it is told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from gradesync.domain.alarm import AlarmKind, Cause
from gradesync.domain.alarm_passes import Gap
from gradesync.domain.alarm_rule import Subject
from gradesync.domain.breaker import DEAD_KEYS, closes
from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.interval import local_to_utc
from gradesync.domain.problem import CODES, Act
from gradesync.domain.run import Outcome, Run
from gradesync.domain.schedule import ScheduleId

KEY_CODES = frozenset({*DEAD_KEYS, "GS-203", "GS-207", "GS-209"})
"""Keys that are refused, lack a right, are missing, or would be shown to a stranger."""

BRAKE_CODES = frozenset(
    {"GS-601", "GS-602", "GS-603", "GS-609", "GS-613", "GS-623", "GS-624", "GS-625", "GS-208"}
)
"""The brake of roster imports, and the stop before another institution's data."""

WARNED_DAYS = (30, 7, 1)
"""Days before a credential's end at which it is told (again)."""

HOLD_LEAD = timedelta(hours=24)
"""So long before its end a hold is told, or a quarter of its length if that is shorter."""

_BAD = frozenset({Outcome.FAILED, Outcome.ABANDONED})


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is known of an account that is not retired. `ends` are the days its keys end, by side (`canvas`, `sis`)."""

    about: Subject = field(default_factory=Subject)
    time_zone: str = "UTC"
    canvas_host: str = ""
    sis_host: str = ""
    ends: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScheduleFacts:
    """A schedule and its last ended run. `failures` in a row since `failing_since`; `overdue_since`: it owes a run."""

    id: ScheduleId
    type: str
    last: Run | None = None
    failures: int = 0
    failing_since: datetime | None = None
    overdue_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything one look found. `waiting` is (account, code) -> (records, when the oldest began to wait).

    `withheld` and `problems` count by account ("" for the whole tree); only a pass over the files knows them.
    """

    now: datetime
    accounts: Mapping[str, AccountFacts] = field(default_factory=dict)
    schedules: Sequence[ScheduleFacts] = ()
    holds: Sequence[Hold] = ()
    waiting: Mapping[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)
    gap: Gap | None = None
    withheld: Mapping[str, int] = field(default_factory=dict)
    problems: Mapping[str, int] = field(default_factory=dict)
    stale: bool = False
    waiting_days: int = 7


def causes(facts: Facts) -> tuple[Cause, ...]:
    """All that is the matter, each once."""
    found: list[Cause] = [*_keys(facts), *_runs(facts), *_expiring(facts), *_holds(facts), *_waiting(facts)]
    found += _tree(facts)
    if facts.gap is not None and facts.gap.until is None:
        found.append(Cause(AlarmKind.LATE, "", "", facts.gap.since, "support"))
    else:
        # While no pass comes everything is overdue, and one message says so.
        found += _overdue(facts)
    unique = {(one.kind, one.account, one.subject): one for one in found}
    return tuple(unique.values())


def ended_gap(facts: Facts) -> Cause | None:
    """The gap without passes that this very pass has ended: told once, as something that is over."""
    gap = facts.gap
    if gap is None or gap.until is None:
        return None
    return Cause(AlarmKind.LATE, "", "", gap.since, "support", until=gap.until)


def _keys(facts: Facts) -> Iterator[Cause]:
    """One cause per account and code, however many schedules met it."""
    met: dict[tuple[str, str], list[ScheduleFacts]] = {}
    for one in facts.schedules:
        for code in _codes(one.last) & KEY_CODES:
            if not _proved_since(one, code, facts.schedules):
                met.setdefault((one.id.account, code), []).append(one)
    for (account, code), schedules in met.items():
        since = min(_since(one, facts.now) for one in schedules)
        run = min(schedules, key=lambda one: one.id.name).last
        yield Cause(
            AlarmKind.KEY,
            account,
            code,
            since,
            CODES[code].who,
            code,
            len(schedules),
            host=_host(facts.accounts.get(account), code),
            run=run.id if run is not None else None,
        )


def _proved_since(one: ScheduleFacts, code: str, all_: Sequence[ScheduleFacts]) -> bool:
    """Whether a later run of the account has used the same key and worked.

    Canvas's key is everybody's; the SIS's may be used by one sync type alone, where rosters come from files.
    """
    assert one.last is not None  # it met the code
    ended = one.last.ended_at
    return ended is not None and any(
        other.id.account == one.id.account
        and (code == "GS-201" or other.type == one.type)
        and other.last is not None
        and other.last.result is not None
        and other.last.ended_at is not None
        and other.last.ended_at > ended
        and not other.last.result.codes.get(code)
        and closes(other.last.result)
        for other in all_
    )


def _runs(facts: Facts) -> Iterator[Cause]:
    """Schedules whose last run failed or was given up, and those the brake has stopped."""
    for one in facts.schedules:
        if one.last is None or one.last.result is None:
            continue
        codes, run = _codes(one.last), one.last
        host_of = facts.accounts.get(one.id.account)
        since = _since(one, facts.now)
        braked = min(codes & BRAKE_CODES, default=None)
        if braked is not None:
            yield Cause(
                AlarmKind.BRAKE,
                one.id.account,
                one.id.name,
                since,
                CODES[braked].who,
                braked,
                run=run.id,
                type=one.type,
            )
        elif run.result is not None and run.result.outcome in _BAD and not codes & KEY_CODES:
            code = min(codes, default="GS-702" if run.result.outcome is Outcome.ABANDONED else None)
            yield Cause(
                AlarmKind.FAILED,
                one.id.account,
                one.id.name,
                since,
                _acting(code),
                code,
                max(1, one.failures),
                host=_host(host_of, code),
                run=run.id,
                type=one.type,
            )


def _codes(run: Run | None) -> frozenset[str]:
    """The codes a run met that need somebody, or that ended it."""
    if run is None or run.result is None:
        return frozenset()
    return frozenset(code for code, count in run.result.codes.items() if count and code in CODES)


def _since(one: ScheduleFacts, now: datetime) -> datetime:
    ended = one.last.ended_at if one.last is not None else None
    return one.failing_since or ended or now


def _acting(code: str | None) -> str:
    who = CODES[code].who if code is not None else "support"
    return "support" if who in ("nobody", "us", "teacher") else who


def _host(account: AccountFacts | None, code: str | None) -> str:
    """The server a code is about, so that one server's outage is one line for all its accounts."""
    if account is None or code is None:
        return ""
    if code == "GS-201" or code.startswith("GS-3"):
        return account.canvas_host
    return account.sis_host if code == "GS-202" or code.startswith("GS-5") else ""


def _expiring(facts: Facts) -> Iterator[Cause]:
    for key, account in facts.accounts.items():
        for side, day in account.ends.items():
            end = local_to_utc(datetime(day.year, day.month, day.day), account.time_zone)  # noqa: DTZ001 - a local day
            left = end - facts.now
            passed = sum(left <= timedelta(days=limit) for limit in WARNED_DAYS) + (facts.now >= end)
            if passed:
                who = "Canvas admin" if side == "canvas" else "SIS admin"
                since = end - timedelta(days=WARNED_DAYS[0])
                yield Cause(
                    AlarmKind.EXPIRES,
                    key,
                    side,
                    since,
                    who,
                    "GS-204",
                    level=passed,
                    # The day is what is told, and noon in UTC is that day nearly everywhere.
                    until=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
                )


def _holds(facts: Facts) -> Iterator[Cause]:
    for hold in facts.holds:
        if not hold.in_force(facts.now):
            continue
        account = hold.scope.account or ""
        subject = hold.id
        if hold.kind is HoldKind.IDENTITY:
            yield Cause(AlarmKind.BRAKE, account, subject, hold.created_at, "admin", "GS-208")
        elif hold.kind is HoldKind.BREAKER:
            # A dead key has a cause of its own.
            if hold.code not in DEAD_KEYS:
                subject = hold.scope.schedule or subject
                yield Cause(
                    AlarmKind.BREAKER, account, subject, hold.created_at, _acting(hold.code), hold.code
                )
        elif hold.expires_at is not None:
            lead = min(HOLD_LEAD, (hold.expires_at - hold.created_at) / 4)
            if facts.now >= hold.expires_at - lead:
                since = hold.expires_at - lead
                scope = "" if account and hold.scope == HoldScope(account) else str(hold.scope)
                yield Cause(
                    AlarmKind.HOLD, account, subject, since, "support", until=hold.expires_at, scope=scope
                )


def _waiting(facts: Facts) -> Iterator[Cause]:
    """One cause per account and who must act; codes that wait for nobody are nobody's."""
    by_who: dict[tuple[str, str], list[tuple[int, datetime, str]]] = {}
    for (account, code), (count, since) in facts.waiting.items():
        entry = CODES.get(code)
        if entry is None or account not in facts.accounts or entry.who == "nobody":
            continue
        old = facts.now - since >= timedelta(days=facts.waiting_days)
        if old and (entry.needs_person or entry.act is Act.HOLD):
            by_who.setdefault((account, entry.who), []).append((count, since, code))
    for (account, who), rows in by_who.items():
        oldest = min(rows, key=lambda row: (row[1], row[2]))
        count = sum(row[0] for row in rows)
        yield Cause(AlarmKind.WAITING, account, who, oldest[1], who, oldest[2], count)


def _overdue(facts: Facts) -> Iterator[Cause]:
    for one in facts.schedules:
        if one.overdue_since is not None:
            yield Cause(
                AlarmKind.OVERDUE, one.id.account, one.id.name, one.overdue_since, "support", type=one.type
            )


def _tree(facts: Facts) -> Iterable[Cause]:
    """What a pass over the files met: what the guards withheld, files with problems, a tree that is behind."""
    for account, count in facts.withheld.items():
        yield Cause(AlarmKind.SAFETY_STOP, account, "", facts.now, "support", count=count)
    for account, count in facts.problems.items():
        # Of an account that is new, or that was retired, there is no good definition to go on with.
        unrecorded = bool(account) and account not in facts.accounts
        yield Cause(AlarmKind.PROBLEMS, account, "", facts.now, "support", count=count, unrecorded=unrecorded)
    if facts.stale:
        yield Cause(AlarmKind.PROBLEMS, "", "commit", facts.now, "support", "GS-704")
