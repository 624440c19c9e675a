"""A school office and the families: who may look after which student, and who no longer may.

Acts over the rows of a SIS, as in `registrar.py`. No HTTP, no Canvas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gradesync.sandbox.registrar_desk import Desk


def _add_guardian(desk: Desk) -> int:
    """A guardian of one student, or of two of a school, is entered."""
    first = desk.any_of(desk.students_with_seats())
    if first is None:
        return 0
    school_id = first["orgs"][0]["sourcedId"]
    schoolmates = [row for row in desk.students_with_seats() if row["orgs"][0]["sourcedId"] == school_id]
    wards = {first["sourcedId"]}
    if desk.rng.random() < 0.5:
        wards.add(desk.rng.choice(sorted(str(row["sourcedId"]) for row in schoolmates)))
    agents = [desk.world.reference("user", one) for one in sorted(wards)]
    desk.hire("guardian", school_id, agents=agents)
    return 1


def _remove_guardian(desk: Desk) -> int:
    """A court decides: a guardian may no longer see one of the students; of none left, the record goes."""
    guardian = desk.any_of(desk.people("guardian"))
    if guardian is None:
        return 0
    left = guardian["agents"][1:]
    if left:
        desk.change("users", guardian, agents=left)
    else:
        desk.world.remove("users", guardian["sourcedId"])
    return 1


FAMILY_ACTS: Mapping[str, Callable[[Desk], int]] = {
    "add-guardian": _add_guardian,
    "remove-guardian": _remove_guardian,
}
