"""One institution as typed values: its two connections, policies, scope and blackouts.

The canonical definition (a plain JSON mapping) is what is compared, digested and stored; the types here are read
from it, so that a pass can work from recorded definitions alone. No YAML, no secrets' values, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, TypeVar

from gradesync.domain.profile import SisProfile, profile_with
from gradesync.domain.roster_files import RosterFiles, roster_files
from gradesync.domain.schedule import Schedule, ScheduleId

T = TypeVar("T")

_WRITING = ("createput", "createpost", "delete")
"""What the names of OneRoster's writing scopes contain (oneroster.md 1.3)."""


@dataclass(frozen=True, slots=True)
class CanvasConnection:
    """Where Canvas is. `token` is a reference such as `env:NAME`, never a value."""

    url: str
    token: str
    concurrency: int = 5
    page_size: int = 100


@dataclass(frozen=True, slots=True)
class SisConnection:
    """Where the SIS is. Full URLs win over the profile's paths; ids and secrets are references.

    `scopes` are those to ask for instead of the profile's; None leaves them to the profile. `roster` are files that are
    read instead of the rostering service; with them, `url` and the references may be "".
    """

    url: str
    client_id: str
    client_secret: str
    profile: SisProfile
    token_url: str
    rostering_url: str
    gradebook_url: str
    scopes: tuple[str, ...] | None = None
    roster: RosterFiles | None = None

    def scopes_for(self, *, write: bool) -> tuple[str, ...]:
        """The scopes of a token: all of them to write, the reading ones otherwise."""
        if write:
            return self.scopes or self.profile.write_scopes
        reading = tuple(s for s in self.scopes or () if not any(right in s for right in _WRITING))
        # Asking for no scope at all may be answered with every right the key has, so the profile's stand in.
        return reading or self.profile.read_scopes


@dataclass(frozen=True, slots=True)
class PassbackPolicy:
    """What the account chose for cases the standard leaves open; every default is the safe one (DESIGN.md 3).

    `gone_limit` is the share (0..1) of a class's known records that may be created anew; `deletion_limit` the number
    of records a run may blank or delete.
    """

    excused: str = "withhold"
    missing: str = "withhold"
    no_due_date: str = "withhold"
    category_map: Mapping[str, str] = field(default_factory=dict)
    default_category: str | None = None
    conflict: str = "withhold"
    gone_in_sis: str = "withhold"
    gone_limit: float = 0.10
    deletions: str = "report"
    deletion_limit: int = 50
    long_titles: str = "withhold"
    over_max: str = "send"
    letter_grades: str = "score"
    new_assignments: str = "with_first_score"


@dataclass(frozen=True, slots=True)
class ChangeLimit:
    """Largest share (0..1) of removals and moves per kind that a roster may bring without approval."""

    enrollments: float = 0.10
    users: float = 0.05
    sections: float = 0.10


@dataclass(frozen=True, slots=True)
class ExpectedChange:
    """A time in which larger changes are expected: local days, both included, and shares (0..1) by kind.

    A kind left at 0 keeps the usual limit.
    """

    name: str
    start: date
    until: date
    enrollments: float = 0.0
    users: float = 0.0
    sections: float = 0.0


@dataclass(frozen=True, slots=True)
class RosterMapping:
    """What a record of the SIS becomes in Canvas, where districts differ (`docs/schedules-file.md`, `roster`).

    `courses` is `per_class` or `per_course`, `terms` `own` or `school_year`, `accounts` `schools`, `tree` or `none`,
    `names` `legal` or `preferred`, `logins` `username`, `email`, `identifier` or `id`, `emails` `from_sis` or `never`,
    `guardians` `leave_out` or `observers`, `leavers` `suspend` or `keep`, `ended` `inactive` or `completed`, `people`
    `sis_id` or `integration_id`. `cross_list` is Canvas course id -> ids of the classes taught together there.
    """

    courses: str = "per_class"
    terms: str = "own"
    accounts: str = "schools"
    names: str = "legal"
    logins: str = "username"
    emails: str = "from_sis"
    guardians: str = "leave_out"
    leavers: str = "suspend"
    ended: str = "inactive"
    people: str = "sis_id"
    cross_list: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RosterPolicy:
    """How the roster is carried over. `at_least` is the number of records below which no share counts.

    `verify` is `sample`, `full` or `off`: how much is read back from Canvas after an import. `remaster_days`: after
    how many days all rows are applied again, to undo what was changed in Canvas by hand; 0 for never.
    """

    change_limit: ChangeLimit = field(default_factory=ChangeLimit)
    at_least: int = 20
    verify: str = "sample"
    remaster_days: int = 7
    expect: tuple[ExpectedChange, ...] = ()
    mapping: RosterMapping = field(default_factory=RosterMapping)

    def limit_on(self, today: date) -> ChangeLimit:
        """The limits in force on a local day: an expected change widens them, and never narrows one."""
        now = [one for one in self.expect if one.start <= today <= one.until]
        usual = self.change_limit
        return ChangeLimit(
            enrollments=max([usual.enrollments, *(one.enrollments for one in now)]),
            users=max([usual.users, *(one.users for one in now)]),
            sections=max([usual.sections, *(one.sections for one in now)]),
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """What both syncs look at; what is outside is neither sent nor counted as gone.

    `terms` is `current`, `all` or titles; `schools` is `all` or ids; `exclude_classes` are globs on class codes.
    """

    terms: str | tuple[str, ...] = "current"
    schools: str | tuple[str, ...] = "all"
    include_classes: tuple[str, ...] = ()
    exclude_classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Blackout:
    """A planned window, in local wall time of `time_zone`, in which nothing starts; `until` is exclusive."""

    name: str
    start: datetime
    until: datetime
    time_zone: str
    schedules: tuple[str, ...] | None = None

    def covers(self, schedule: str) -> bool:
        """Whether the named schedule of the account is meant."""
        return self.schedules is None or schedule in self.schedules


@dataclass(frozen=True, slots=True)
class Account:
    """One effective account. `schedules` is by name."""

    key: str
    name: str
    time_zone: str
    canvas: CanvasConnection
    sis: SisConnection
    passback: PassbackPolicy
    roster: RosterPolicy
    scope: Scope
    blackouts: tuple[Blackout, ...]
    labels: Mapping[str, str]
    contacts: Mapping[str, str]
    schedules: Mapping[str, Schedule]

    @classmethod
    def from_definitions(
        cls, key: str, account: Mapping[str, Any], schedules: Mapping[str, Mapping[str, Any]]
    ) -> Account:
        """Read the canonical account mapping and its schedules' mappings (shape: `docs/schedules-file.md`)."""
        return cls(
            key=key,
            name=str(account.get("name") or key),
            time_zone=str(account["time_zone"]),
            canvas=_from(CanvasConnection, account["canvas"]),
            sis=_sis(account["sis"]),
            passback=_from(PassbackPolicy, account.get("passback", {})),
            roster=_roster(account.get("roster", {})),
            scope=_scope(account.get("scope", {})),
            blackouts=blackouts_of(account),
            labels=dict(account.get("labels", {})),
            contacts=dict(account.get("contacts", {})),
            schedules={
                name: Schedule.from_definition(ScheduleId(key, name), definition)
                for name, definition in schedules.items()
            },
        )


def _from(kind: type[T], values: Mapping[str, Any]) -> T:
    """Pick the fields a dataclass knows; the canonical mapping may hold more."""
    names = {f.name for f in fields(kind)}  # type: ignore[arg-type]  # T is always one of the dataclasses above
    return kind(**{name: value for name, value in values.items() if name in names})


def _sis(values: Mapping[str, Any]) -> SisConnection:
    profile = profile_with(str(values["profile"]), dict(values))
    url = str(values.get("url") or "").rstrip("/")
    return SisConnection(
        url=url,
        client_id=str(values.get("client_id") or ""),
        client_secret=str(values.get("client_secret") or ""),
        profile=profile,
        token_url=str(values.get("token_url") or url + profile.token_path),
        rostering_url=str(values.get("rostering_url") or url + profile.rostering_path),
        gradebook_url=str(values.get("gradebook_url") or url + profile.gradebook_path),
        scopes=tuple(str(scope) for scope in values.get("scopes") or ()) or None,
        roster=roster_files(values.get("roster")),
    )


def _roster(values: Mapping[str, Any]) -> RosterPolicy:
    return RosterPolicy(
        change_limit=ChangeLimit(**_shares(values)),
        verify=str(values.get("verify", "sample")),
        remaster_days=int(values.get("remaster_days", 7)),
        expect=tuple(
            ExpectedChange(
                name=str(one["name"]),
                start=date.fromisoformat(str(one["from"])),
                until=date.fromisoformat(str(one["until"])),
                **_shares(one),
            )
            for one in values.get("expect", ())
        ),
        mapping=replace(
            _from(RosterMapping, values),
            cross_list={
                str(course): tuple(str(one) for one in classes)
                for course, classes in values.get("cross_list", {}).items()
            },
        ),
    )


def _shares(values: Mapping[str, Any]) -> dict[str, float]:
    return {kind: float(share) for kind, share in values.get("change_limit", {}).items()}


def _scope(values: Mapping[str, Any]) -> Scope:
    def names(key: str) -> str | tuple[str, ...]:
        value = values.get(key, "current" if key == "terms" else "all")
        if isinstance(value, str):
            # A single title stands for a list of one; as bare text it would match every part of itself.
            return value if value in ("current", "all") else (value,)
        return tuple(str(v) for v in value)

    classes = values.get("classes") or {}
    return Scope(
        terms=names("terms"),
        schools=names("schools"),
        include_classes=tuple(classes.get("include", ())),
        exclude_classes=tuple(classes.get("exclude", ())),
    )


def blackouts_of(account: Mapping[str, Any]) -> tuple[Blackout, ...]:
    """The blackouts of a canonical account mapping."""
    return tuple(_blackout(b, str(account["time_zone"])) for b in account.get("blackouts", ()))


def _blackout(values: Mapping[str, Any], time_zone: str) -> Blackout:
    only = values.get("schedules")
    return Blackout(
        name=str(values["name"]),
        start=datetime.strptime(str(values["from"]), "%Y-%m-%d %H:%M"),  # noqa: DTZ007 - local wall time by design
        until=datetime.strptime(str(values["until"]), "%Y-%m-%d %H:%M"),  # noqa: DTZ007 - local wall time by design
        time_zone=str(values.get("time_zone") or time_zone),
        schedules=None if only is None else tuple(str(name) for name in only),
    )
