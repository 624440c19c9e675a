"""People at work in the SIS itself: teachers who change its gradebook by hand, registrars who move students.

Every act goes through `SisWorld`, past the rules for API clients: whoever sits at the SIS may do what a client may
not. Deterministic by seed and by the state the world is in. Answers counts alone. No HTTP here.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gradesync.errors import UsageProblem
from gradesync.sandbox.sis_errors import Json
from gradesync.sandbox.sis_rows import stamp
from gradesync.sandbox.sis_world import SisWorld


@dataclass(frozen=True, slots=True)
class _Hand:
    """One hand at work: where, the dice, and what was asked for by name."""

    world: SisWorld
    rng: random.Random
    target: str | None
    value: str | float | None

    def pick(self, rows: Iterable[Json]) -> Json | None:
        """The row asked for, or any one of them; None when there is none. Raises UsageProblem for a wrong name."""
        live = (row for row in rows if row.get("status", "active") == "active")
        found = sorted(live, key=lambda row: str(row["sourcedId"]))
        if self.target is not None:
            found = [row for row in found if row["sourcedId"] == self.target]
            if not found:
                raise UsageProblem("the SIS has no such record for this act")
        return self.rng.choice(found) if found else None

    def number(self, usual: float) -> float:
        """The number asked for, or the usual one."""
        return usual if self.value is None else float(self.value)

    def word(self, usual: str) -> str:
        """The text asked for, or the usual one."""
        return usual if self.value is None else str(self.value)


def edit_sis(
    world: SisWorld,
    *,
    seed: int,
    acts: tuple[str, ...] = (),
    times: int = 1,
    target: str | None = None,
    value: str | float | None = None,
) -> dict[str, int]:
    """Lets people work in the SIS by hand and counts what they did, by kind of act.

    `acts` are names of `SIS_ACTS`, each done `times` times; without them `times` acts are drawn from all. `target`
    is the sourcedId of the record to change, `value` what it becomes; both are drawn when left out. Raises
    UsageProblem for an unknown act, and for a target that is none of that kind.
    """
    for act in acts:
        if act not in _ACTS:
            raise UsageProblem(f"nobody at the SIS does {act!r}", hint=f"acts: {', '.join(SIS_ACTS)}")
    if target is not None and not acts:
        raise UsageProblem("a target needs an act", hint=f"acts: {', '.join(SIS_ACTS)}")
    done: Counter[str] = Counter()
    for number in range(times):
        # How much is in the world is part of the seed: a second call does other things than the first.
        size = f"{len(world.rows['lineItems'])} {len(world.rows['results'])} {len(world.rows['enrollments'])}"
        rng = random.Random(f"sis-edit {seed} {number} {size}")  # noqa: S311 - repeatable play, not a secret
        for act in acts or (rng.choice(SIS_ACTS),):
            done[act] += _ACTS[act](_Hand(world, rng, target, value))
    return dict(+done)


def _change_score(hand: _Hand) -> int:
    row = hand.pick(one for one in hand.world.rows["results"].values() if "score" in one)
    if row is None:
        return 0
    top = hand.world.rows["lineItems"].get(row["lineItem"]["sourcedId"], {}).get("resultValueMax", 100)
    step = hand.rng.choice((0.5, 1, 2))
    usual = row["score"] - step if row["score"] + step > top else row["score"] + step
    hand.world.edit_score(row["sourcedId"], hand.number(usual))
    return 1


def _changed_item(change: Callable[[_Hand, Json], Json]) -> Callable[[_Hand], int]:
    """An act that changes some fields of one line item."""

    def act(hand: _Hand) -> int:
        row = hand.pick(hand.world.rows["lineItems"].values())
        if row is None:
            return 0
        hand.world.put_row("lineItems", row | change(hand, row))
        return 1

    return act


def _other_title(hand: _Hand, row: Json) -> Json:
    return {"title": hand.word(f"{row['title']} *")[: hand.world.behaviour.title_limit]}


def _other_date(hand: _Hand, row: Json) -> Json:
    usual = datetime.fromisoformat(row["dueDate"]) + timedelta(days=hand.rng.choice((1, 2, 7)))
    return {"dueDate": _moment(hand.word(stamp(usual)))}


def _moment(text: str) -> str:
    """A person's date-time as OneRoster writes it; raises UsageProblem for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageProblem("the date is not one", hint="write it as 2026-11-25T23:59:00Z") from None
    return stamp(found if found.tzinfo else found.replace(tzinfo=UTC))


def _other_maximum(hand: _Hand, row: Json) -> Json:
    return {"resultValueMax": hand.number(row.get("resultValueMax", 100) * 2)}


def _deleted(kind: str) -> Callable[[_Hand], int]:
    """An act that deletes one record; a line item takes its results along."""

    def act(hand: _Hand) -> int:
        row = hand.pick(hand.world.rows[kind].values())
        if row is None:
            return 0
        hand.world.remove(kind, row["sourcedId"])
        return 1

    return act


def _add_category(hand: _Hand) -> int:
    """A category for all classes, or for the class that is the target alone."""
    world = hand.world
    number = len(world.rows["categories"]) + 1
    row: Json = {
        "sourcedId": world.mint("categories"),
        "status": "active",
        "dateLastModified": "",
        "title": hand.word(f"Category {number}"),
    }
    if hand.target is not None:
        chosen = hand.pick(world.rows["classes"].values())
        row["metadata"] = {"classId": chosen["sourcedId"]} if chosen else {}
    world.put_row("categories", row)
    return 1


def _close_period(hand: _Hand) -> int:
    behaviour, sessions = hand.world.behaviour, hand.world.rows["academicSessions"]
    periods = [row for row in sessions.values() if row["type"] == "gradingPeriod"]
    if hand.target is None:
        current = hand.world.current_periods()
        periods = [row for row in periods if row["sourcedId"] in current]
    row = hand.pick(row for row in periods if row["sourcedId"] not in behaviour.closed_periods)
    if row is None:
        return 0
    behaviour.closed_periods = (*behaviour.closed_periods, row["sourcedId"])
    return 1


def _open_period(hand: _Hand) -> int:
    """Opens one period again; without a name all that are closed."""
    behaviour = hand.world.behaviour
    opened = set(behaviour.closed_periods) if hand.target is None else {hand.target}
    left = tuple(one for one in behaviour.closed_periods if one not in opened)
    count = len(behaviour.closed_periods) - len(left)
    behaviour.closed_periods = left
    return count


def _current_student(hand: _Hand) -> Json | None:
    """A current enrollment of a student; the target is a student or an enrollment."""
    world = hand.world
    rows = [row for row in world.rows["enrollments"].values() if row["role"] == "student"]
    rows = [row for row in rows if world.is_current(row)]
    if hand.target in world.rows["users"]:
        rows = [row for row in rows if row["user"]["sourcedId"] == hand.target]
        # Only the student was named: which of the classes is left is drawn.
        hand = _Hand(world, hand.rng, None, hand.value)
    return hand.pick(rows)


def _drop(hand: _Hand) -> int:
    row = _current_student(hand)
    if row is None:
        return 0
    _end(hand.world, row)
    return 1


def _transfer(hand: _Hand) -> int:
    """A student goes from one class to another one of the course, or of the school when the course has no other."""
    world, row = hand.world, _current_student(hand)
    if row is None:
        return 0
    left = world.rows["classes"][row["class"]["sourcedId"]]
    mine = {one["sourcedId"] for one in world.classes_of_user(row["user"]["sourcedId"])}
    others = [
        one
        for one in world.rows["classes"].values()
        if one["sourcedId"] not in mine
        and one["status"] == "active"
        and one["school"]["sourcedId"] == left["school"]["sourcedId"]
    ]
    same = [one for one in others if one["course"]["sourcedId"] == left["course"]["sourcedId"]]
    wanted = None if hand.value is None else str(hand.value)
    chosen = _Hand(world, hand.rng, wanted, None).pick(same or others if wanted is None else others)
    if chosen is None:
        return 0
    _end(world, row)
    world.put_row("enrollments", _begun(world, row, chosen))
    return 1


def _end(world: SisWorld, row: Json) -> None:
    """Close an enrollment today; its end is exclusive, so that it is over at once."""
    today = world.today.isoformat()
    begin = {"beginDate": min(row["beginDate"], today)} if "beginDate" in row else {}
    world.put_row("enrollments", row | begin | {"endDate": today})


def _begun(world: SisWorld, row: Json, chosen: Json) -> Json:
    made = {name: value for name, value in row.items() if name not in ("endDate", "metadata")}
    return made | {
        "sourcedId": world.mint("enrollments"),
        "class": world.reference("class", chosen["sourcedId"]),
        "beginDate": world.today.isoformat(),
    }


_ACTS: Mapping[str, Callable[[_Hand], int]] = {
    "change-score": _change_score,
    "change-title": _changed_item(_other_title),
    "change-date": _changed_item(_other_date),
    "change-maximum": _changed_item(_other_maximum),
    "delete-result": _deleted("results"),
    "delete-line-item": _deleted("lineItems"),
    "add-category": _add_category,
    "close-period": _close_period,
    "open-period": _open_period,
    "transfer-student": _transfer,
    "drop-student": _drop,
}
SIS_ACTS = tuple(_ACTS)
