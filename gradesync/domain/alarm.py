"""Alarms as values: what can be the matter, what the store remembers of having told it, and what a message holds.

Only shapes. What is the matter is decided in `alarm_causes`, who is told when in `alarm_telling`. They leave the
house, so none may carry a name, a title, a person's id or a score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum


class AlarmKind(StrEnum):
    """What can be the matter, in the words of a rule's `on`."""

    FAILED = "failed"
    KEY = "key"
    EXPIRES = "expires"
    HOLD = "hold"
    BREAKER = "breaker"
    BRAKE = "brake"
    SAFETY_STOP = "safety stop"
    PROBLEMS = "problems"
    WAITING = "waiting"
    OVERDUE = "overdue"
    LATE = "late"


URGENT = frozenset({AlarmKind.KEY, AlarmKind.BRAKE, AlarmKind.SAFETY_STOP, AlarmKind.LATE})
"""Kinds that stop everybody's grades or rosters until somebody acts: these may pass quiet hours."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is the matter now. `account` "" is everybody's; `subject` tells causes of one kind apart.

    `since` is when it began, `who` must act (in the catalogue's words), `count` how many (runs in a row, records,
    files). `level` grows when the same thing gets worse and is told again. `host` is where one trouble of many accounts
    may come from; `until` when something ends; `run` the run to look at. `type` is the sync type of a schedule.
    `unrecorded`: nothing good was ever recorded of the account, so nothing of it runs. `scope`: what a hold covers, in
    words, where that is not the account as a whole.
    """

    kind: AlarmKind
    account: str
    subject: str
    since: datetime
    who: str
    code: str | None = None
    count: int = 0
    level: int = 0
    host: str = ""
    until: datetime | None = None
    run: str | None = None
    type: str | None = None
    unrecorded: bool = False
    scope: str = ""

    @property
    def urgent(self) -> bool:
        """Whether it may wake somebody."""
        return self.kind in URGENT

    def text(self) -> str:
        """As the store keeps it: JSON."""
        values = {
            "since": self.since.isoformat(),
            "who": self.who,
            "code": self.code,
            "count": self.count,
            "level": self.level,
            "host": self.host,
            "until": self.until.isoformat() if self.until is not None else None,
            "run": self.run,
            "type": self.type,
            "unrecorded": self.unrecorded,
            "scope": self.scope,
        }
        return json.dumps({key: value for key, value in values.items() if value})


@dataclass(frozen=True, slots=True, order=True)
class AlarmKey:
    """What one rule was told of one cause."""

    rule: str
    kind: str
    account: str
    subject: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """What the store remembers of one cause for one rule. All instants are aware UTC.

    `news_at`: since when there is something that was not told yet; None: nothing. `told_at`: when it was told last.
    `ended_at`: when the cause was found gone. `claimed_until`: somebody is sending it. `turn` counts changes: whoever
    changes a row must have seen its last turn. `text` is the cause's own (`Cause.text`).
    """

    key: AlarmKey
    text: str
    raised_at: datetime
    turn: int = 0
    news_at: datetime | None = None
    told_at: datetime | None = None
    ended_at: datetime | None = None
    claimed_until: datetime | None = None
    tried_at: datetime | None = None
    attempts: int = 0

    @property
    def cause(self) -> Cause:
        """The cause as it was noted last."""
        values = json.loads(self.text)
        until = values.get("until")
        return Cause(
            kind=AlarmKind(self.key.kind),
            account=self.key.account,
            subject=self.key.subject,
            since=datetime.fromisoformat(values["since"]).astimezone(UTC),
            who=values.get("who", ""),
            code=values.get("code"),
            count=values.get("count", 0),
            level=values.get("level", 0),
            host=values.get("host", ""),
            until=datetime.fromisoformat(until).astimezone(UTC) if until else None,
            run=values.get("run"),
            type=values.get("type"),
            unrecorded=values.get("unrecorded", False),
            scope=values.get("scope", ""),
        )

    @property
    def news(self) -> News | None:
        """What there is to tell."""
        if self.news_at is None:
            return None
        if self.told_at is None:
            return News.RAISED if self.ended_at is None else News.PASSED
        return News.STILL if self.ended_at is None else News.ENDED

    def next(self, **changes: object) -> Alarm:
        """The row after a change, one turn on."""
        return replace(self, turn=self.turn + 1, **changes)  # type: ignore[arg-type]  # names of this class's fields


class News(StrEnum):
    """What a letter says: it began; it stands still, or got worse; it is over; it came and went before it was told."""

    RAISED = "raised"
    STILL = "still"
    ENDED = "ended"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """One row before and after: `before` None makes it, `after` None removes it."""

    before: Alarm | None
    after: Alarm | None

    @property
    def key(self) -> AlarmKey:
        """Which row."""
        row = self.after or self.before
        assert row is not None  # a change of nothing to nothing is nobody's
        return row.key


@dataclass(frozen=True, slots=True)
class Letter:
    """One line of a message."""

    news: News
    cause: Cause
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """Where whoever reads a message looks: the job of CI that sent it, and the page. Empty: not known.

    Both are https addresses that were found harmless: no query, no markup.
    """

    run: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel is sent at once. `to` are addresses; empty for a channel that is one itself.

    `test` marks one that is sent only to see whether it arrives. `where` is put in by whoever sends.
    """

    at: datetime
    letters: tuple[Letter, ...]
    to: tuple[str, ...] = ()
    time_zone: str = "UTC"
    test: bool = False
    where: Where = Where()


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One row of `notify list`. `state` is `told`, `due`, `waits` (for quiet hours, a digest or the next try),
    `nobody to tell` or `given up`; `over` that the cause is gone and this was not told yet.
    """

    rule: str
    state: str
    cause: Cause
    sentence: str
    told_at: datetime | None
    attempts: int
    over: bool


CONTACTS: Mapping[str, tuple[str, ...]] = {
    "SIS admin": ("sis_admin", "admin", "support"),
    "Canvas admin": ("canvas_admin", "admin", "support"),
    "admin": ("admin", "sis_admin", "canvas_admin", "support"),
    "SIS vendor": ("sis_vendor", "sis_admin", "support"),
    "teacher": ("support", "canvas_admin", "admin"),
}
"""Who must act -> keys of an account's `contacts`, the first that is there. Teachers are no contacts: whoever keeps the
files gives them their lists (`explain ID --worklist`)."""

_OTHERS = ("support", "admin")


def contact_of(who: str, contacts: Mapping[str, str]) -> str | None:
    """The contact that is told when `who` must act; None when the account names nobody fit."""
    return next((contacts[key] for key in CONTACTS.get(who, _OTHERS) if contacts.get(key)), None)


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody has looked at, so that what was not seen is not taken for gone. `accounts` None: all."""

    kinds: frozenset[AlarmKind] = frozenset(AlarmKind)
    accounts: frozenset[str] | None = None

    def saw(self, kind: str, account: str) -> bool:
        """Whether a cause of this kind would have been found in the account."""
        return kind in self.kinds and (self.accounts is None or account in self.accounts)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling: letters and messages sent, messages that failed (by rule), letters for which nobody is
    named, and letters given up."""

    letters: int = 0
    messages: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)
    nobody: int = 0
    given_up: int = 0
