"""The night a SIS goes to the next school year: new sessions, new classes, everybody one grade on.

Works on the rows of a SIS. Last year's classes stay on record until the office archives them. No HTTP, no Canvas.
"""

from __future__ import annotations

from collections import Counter

from gradesync.sandbox.generate import school_year
from gradesync.sandbox.registrar_desk import Desk
from gradesync.sandbox.sis_errors import Json

_LAST_GRADE = 12


def roll_over(desk: Desk) -> Counter[str]:
    """Bring the SIS into the school year that `desk.day` lies in; counts what became of people and classes.

    Each class gets a successor under a new id, taught by the same people; its students move along, except those of
    the last grade, who graduate: their record is disabled. New students of the first grade take their places.
    """
    done: Counter[str] = Counter()
    if _new_sessions(desk) == 0:
        return done
    old = [row for row in desk.world.rows["classes"].values() if row["status"] == "active"]
    graduates = _promote(desk, done)
    sat = _last_seats(desk)
    for row in sorted(old, key=lambda row: str(row["sourcedId"])):
        made = _successor(desk, row)
        if made is None:
            continue
        done["classes opened"] += 1
        for user_id, role in sat.get(str(row["sourcedId"]), ()):
            user = desk.world.rows["users"].get(user_id)
            if user is not None and user["enabledUser"] == "true" and user_id not in graduates:
                # Begun on the day itself: a year that has begun lists its people at once.
                desk.seat(user, made, role=role)
    schools = sorted(str(graduates[one]) for one in graduates)
    for school_id in schools:
        done["students admitted"] += min(1, desk.like_a_peer(desk.hire("student", school_id), school_id))
    return done


def archive(desk: Desk) -> int:
    """Clear everything of school years that are over out of the SIS; answers how many classes went."""
    world = desk.world
    over = {
        sourced_id
        for sourced_id, row in world.rows["academicSessions"].items()
        if row["endDate"] <= desk.today and row["schoolYear"] not in {r["schoolYear"] for r in _running(desk)}
    }
    gone = [
        sourced_id
        for sourced_id, row in world.rows["classes"].items()
        if all(term["sourcedId"] in over for term in row["terms"])
    ]
    for class_id in gone:
        for seat in list(world.found("enrollments/class", class_id)):
            world.drop_row("enrollments", seat["sourcedId"])
        world.drop_row("classes", class_id)
    for session_id in over:
        world.drop_row("academicSessions", session_id)
    return len(gone)


def _running(desk: Desk) -> list[Json]:
    rows = desk.world.rows["academicSessions"].values()
    return [row for row in rows if row["startDate"] <= desk.today < row["endDate"]]


def _new_sessions(desk: Desk) -> int:
    """Enter the year's sessions; 0 when they are there already."""
    world, made = desk.world, school_year(desk.day)
    fresh = [one for one in made if one.sourced_id not in world.rows["academicSessions"]]
    for one in fresh:
        row: Json = {
            "sourcedId": one.sourced_id,
            "status": "active",
            "title": one.title,
            "type": one.kind,
            "startDate": one.start.isoformat(),
            "endDate": one.end.isoformat(),
            "schoolYear": one.school_year,
            "children": [
                world.reference("academicSession", other.sourced_id)
                for other in made
                if other.parent_id == one.sourced_id
            ],
        }
        if one.parent_id is not None:
            row["parent"] = world.reference("academicSession", one.parent_id)
        world.put_row("academicSessions", row)
    return len(fresh)


def _promote(desk: Desk, done: Counter[str]) -> dict[str, str]:
    """Everybody one grade on; graduates by id, with the school they leave."""
    graduates: dict[str, str] = {}
    for row in sorted(desk.people("student"), key=lambda row: str(row["sourcedId"])):
        grade = int((row["grades"] or ["9"])[0])
        if grade >= _LAST_GRADE:
            graduates[str(row["sourcedId"])] = str(row["orgs"][0]["sourcedId"])
            desk.change("users", row, enabledUser="false")
            done["students graduated"] += 1
        else:
            desk.change("users", row, grades=[f"{grade + 1:02d}"])
            done["students promoted"] += 1
    return graduates


def _last_seats(desk: Desk) -> dict[str, list[tuple[str, str]]]:
    """class -> (person, role) of those who stayed to the end of it; a seat without an end counts as kept."""
    seats: dict[str, list[tuple[str, str]]] = {}
    for _, row in sorted(desk.world.rows["enrollments"].items()):
        class_row = desk.world.rows["classes"].get(row["class"]["sourcedId"])
        if row["status"] != "active" or class_row is None:
            continue
        if row.get("endDate") in (None, desk.last_day_of(class_row)):
            seats.setdefault(str(row["class"]["sourcedId"]), []).append(
                (str(row["user"]["sourcedId"]), str(row["role"]))
            )
    return {class_id: list(dict.fromkeys(found)) for class_id, found in seats.items()}


def _successor(desk: Desk, row: Json) -> Json | None:
    """Next year's class in the place of this one; none for classes of a short session."""
    world = desk.world
    year, *rest = school_year(desk.day)
    before = [world.rows["academicSessions"][term["sourcedId"]] for term in row["terms"]]
    semesters = [one for one in rest if one.kind == "semester"]
    terms = [semesters[int(one["title"].split()[1]) - 1] for one in before if one["type"] == "semester"]
    if not terms:
        return None
    made = row | {
        "sourcedId": f"{row['sourcedId']}~{year.school_year}",
        "terms": [world.reference("academicSession", one.sourced_id) for one in terms],
    }
    world.put_row("classes", made)
    return made
