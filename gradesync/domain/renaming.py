"""Renames that the files declare: `moved` for schedules, `moved_from` for accounts, and where they cannot be true.

Pure. What a rename carries along is the store's part; here it is only found out what becomes what.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from gradesync.domain.definition import Desired, DesiredAccount, Recorded, RecordedAccount, RecordedSchedule
from gradesync.domain.safety import Clash


def account_moves(desired: Desired, recorded: Recorded) -> Mapping[str, str]:
    """New key -> old key of accounts whose rename is declared and not yet carried out.

    Not carried out is one whose old name still has a file (sound or not), or whose new name is recorded already.
    """
    moves: dict[str, str] = {}
    for key, want in sorted(desired.accounts.items()):
        old = want.moved_from
        if (
            old is not None
            and old in recorded.accounts
            and key not in recorded.accounts
            and old not in desired.accounts
            and old not in desired.frozen
            and old not in moves.values()
        ):
            moves[key] = old
    return moves


def recorded_under_new_names(recorded: Recorded, moves: Mapping[str, str]) -> Recorded:
    """What is recorded, as it reads once the accounts bear their new names."""
    if not moves:
        return recorded
    accounts = {key: one for key, one in recorded.accounts.items() if key not in moves.values()}
    for new, old in moves.items():
        accounts[new] = _renamed(recorded.accounts[old], new)
    return replace(recorded, accounts=accounts)


def _renamed(account: RecordedAccount, key: str) -> RecordedAccount:
    schedules = {name: replace(one, account=key) for name, one in account.schedules.items()}
    return replace(account, key=key, schedules=schedules)


@dataclass(frozen=True, slots=True)
class ScheduleMoves:
    """`moves`: new name -> old name, still to be carried out; `clashes`: those that cannot be."""

    moves: Mapping[str, str]
    clashes: tuple[Clash, ...] = ()


def schedule_moves(want: DesiredAccount, recorded: Mapping[str, RecordedSchedule]) -> ScheduleMoves:
    """What `moved` of one account means now; two renames in a row are followed to their end.

    A rename that was carried out stays in the file for as long as people like, and means nothing any more.
    """
    ends: dict[str, list[str]] = {}
    for old in want.moved:
        new = end_of(old, want.moved, want.schedules)
        alive = old in recorded and not recorded[old].retired
        # A move to a schedule that is not there either would leave the old one running, in no file at all.
        if new in want.schedules and alive and old not in want.schedules:
            ends.setdefault(new, []).append(old)
    moves: dict[str, str] = {}
    clashes: list[Clash] = []
    for new, olds in ends.items():
        if new in recorded and not recorded[new].retired:
            clashes.append(_taken(want.key, new, olds))
        elif len(olds) > 1:
            clashes.append(_two_become_one(want.key, new, olds))
        else:
            moves[new] = olds[0]
    return ScheduleMoves(moves, tuple(clashes))


def end_of(old: str, moved: Mapping[str, str], schedules: Container[str]) -> str:
    """The name at which a chain of renames ends; as many steps as there are renames, so that a ring does not hang."""
    name = moved[old]
    for _ in moved:
        if name in schedules or name not in moved:
            break
        name = moved[name]
    return name


def _taken(account: str, new: str, olds: list[str]) -> Clash:
    names = ", ".join(olds)
    return Clash(
        account,
        frozenset(olds),
        f"{account}: `moved` says that {names} became {new}, but {new} is recorded with a history of its own; "
        f"{names} would be retired",
    )


def _two_become_one(account: str, new: str, olds: list[str]) -> Clash:
    names = " and ".join(olds)
    return Clash(
        account,
        frozenset([new, *olds]),
        f"{account}: `moved` says that {names} all became {new}; only one can, and the others would be retired",
    )
