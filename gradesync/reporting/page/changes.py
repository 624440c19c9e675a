"""What somebody can do about a schedule: the line of its file to change, and the commands to copy. Words only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gradesync.domain.page_overview import PageAccount, PageSchedule, Written
from gradesync.domain.schedule import ScheduleId, State, SyncType
from gradesync.reporting.clean import clean
from gradesync.reporting.page import wording


@dataclass(frozen=True, slots=True)
class Change:
    """What one schedule's 'Change this schedule' says."""

    name: str
    account: str
    place: str
    link: str
    differs: bool
    blocks: Sequence[str]
    lines: Sequence[tuple[str, str]]
    account_state: str
    account_lines: Sequence[tuple[str, str]]
    commands: Sequence[tuple[str, str]]


def changes(account: PageAccount, written: Mapping[ScheduleId, Written], source: str | None) -> list[Change]:
    """The line of YAML to change, with its place, and the commands to copy, for each schedule."""
    return [
        _change(one, account.state, written.get(one.row.schedule.id), source) for one in account.schedules
    ]


def _change(one: PageSchedule, above: State, written: Written | None, source: str | None) -> Change:
    row = one.row
    id = clean(row.schedule.id)
    place = "" if written is None else f"{clean(written.file)}:{written.line}"
    scopes = dict.fromkeys(block.scope or id for block in row.blocks if block.kind in ("hold", "breaker"))
    release = [("end the hold", f"gradesync resume {clean(scope)}") for scope in scopes]
    grades = row.schedule.type is SyncType.GRADE_PASSBACK
    why = [("find out why a grade is missing", f"gradesync explain {id} --assignment ID --student ID")]
    stopped = bool(row.blocks) or row.schedule.state is State.PAUSED
    waits = (
        " (the request waits while the schedule is stopped, and expires after 24 hours)" if stopped else ""
    )
    blocked = " (refused while the schedule is stopped)" if stopped else ""
    return Change(
        name=clean(row.schedule.id.name),
        account=row.schedule.id.account,
        place=place,
        link=link_to(source, written),
        differs=written is not None and written.differs,
        blocks=[_sentence(told) for told in wording.sentences(row.blocks)],
        lines=_lines(row.schedule.state, above, clean(row.schedule.interval)),
        account_state=above.value,
        account_lines=_account_lines(row.schedule.state, above),
        commands=[
            *release,
            (f"run it at the next pass{waits}", f"gradesync request {id}"),
            (f"run it now, in your name{blocked}", f"gradesync run {id}"),
            ("hold it for some hours", f'gradesync pause {id} --reason "WHY" --for 4h'),
            ("see everything about it", f"gradesync show {id}"),
            ("see older runs", f"gradesync history {id} --last 200"),
            *(why if grades else []),
        ],
    )


def _sentence(plain: str) -> str:
    return f"{plain[:1].upper()}{plain[1:]}."


def _lines(state: State, above: State, interval: str) -> list[tuple[str, str]]:
    """What helps under the schedule's name; `state` is what counts, `above` the account's own."""
    rhythm = ("change how often it runs (now: " + interval + ")", "interval: daily at 02:00")
    if above is State.PAUSED:
        # Nothing that a schedule says undoes the account's pause: a line that does nothing is not offered.
        return [rhythm]
    if state is State.PAUSED:
        dry = ", only looking, as the account does" if above is State.OBSERVE else ""
        return [(f"let it run again{dry}", "state: active"), rhythm]
    stop = [("stop it for good", 'state: paused\nreason: "WHY"')]
    look = [("let it only look, and send nothing", "state: observe")] if state is State.ACTIVE else []
    own = state is State.OBSERVE and above is State.ACTIVE
    back = [("let it send again", "state: active")] if own else []
    return [*back, *stop, *look, rhythm]


def _account_lines(state: State, above: State) -> list[tuple[str, str]]:
    """What helps at the top of the account's file, where it is the account that stops its schedules."""
    if above is State.ACTIVE:
        return []
    if above is State.PAUSED:
        return [
            ("let them run again", "state: active"),
            ("let them only look, and send nothing", "state: observe"),
        ]
    held_back = " (this one stays paused by its own state)" if state is State.PAUSED else ""
    return [(f"let them send{held_back}", "state: active")]


def link_to(source: str | None, written: Written | None) -> str:
    """The line in the web view of the repository; only https, whatever was configured."""
    if source is None or written is None or not source.startswith("https://"):
        return ""
    return f"{source.rstrip('/')}/{_in_address(written.file)}#L{written.line}"


_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")


def _in_address(path: str) -> str:
    """A path as a part of an address: what is not plain is written as its bytes (RFC 3986, 2.1)."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in path.encode())
