"""Applies what ties records to each other: observers to students, admins to accounts, and old SIS ids to new ones.

Beside `canvas_apply` (places) and `canvas_apply_people`; same manners, no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradesync.sandbox.canvas_csv import Row
from gradesync.sandbox.canvas_records import Enrollment, Login
from gradesync.sandbox.canvas_rows import Applying, ParseError, RowError, note_state

_OBSERVER = "ObserverEnrollment"


def _status(row: Row, what: str) -> str:
    text = (row.get("status") or "").lower()
    found = next((one for one in ("active", "deleted") if text.startswith(one)), None)
    if found is None:
        raise ParseError(f'Improper status "{text}" for {what}')
    return found


def _person(state: Applying, sis_id: str, what: str) -> Login:
    login = state.world.login_by_sis(sis_id)
    if login is None:
        raise RowError(f"{what} referenced user {sis_id} who doesn't exist")
    return login


# -- observers -------------------------------------------------------------------------------------


def _user_observer(state: Applying, row: Row) -> None:
    observer_sis = state.required(row, "observer_id", "a user observer")
    student_sis = state.required(row, "student_id", f"observer {observer_sis}")
    status = _status(row, f"observer {observer_sis}")
    observer = _person(state, observer_sis, "An observer")
    student = _person(state, student_sis, "An observed student")
    if observer.user_id == student.user_id:
        raise RowError(f"Can't observe yourself: user {observer_sis}")
    watching = state.world.observers.setdefault(student.user_id, set())
    if status == "active":
        watching.add(observer.user_id)
    for enrollment in list(state.world.enrollments_by_user[student.user_id]):
        if enrollment.type == "StudentEnrollment":
            wanted = enrollment.workflow_state if status == "active" else "deleted"
            _watch(state, observer.user_id, enrollment, wanted)
    if status == "deleted":
        watching.discard(observer.user_id)


def see_with(state: Applying, enrollment: Enrollment) -> None:
    """Observers follow a student's enrollment: into a new one, and out of one that ended."""
    if enrollment.type == "StudentEnrollment":
        for observer_id in state.world.observers.get(enrollment.user_id, ()):
            _watch(state, observer_id, enrollment, enrollment.workflow_state)


def _watch(state: Applying, observer_id: int, enrollment: Enrollment, wanted: str) -> None:
    world = state.world
    section = world.sections[enrollment.course_section_id]
    known = next(
        (
            one
            for one in world.enrollments_by_section[section.id]
            if one.user_id == observer_id
            and one.type == _OBSERVER
            and one.associated_user_id == enrollment.user_id
        ),
        None,
    )
    if known is None:
        if wanted == "deleted":
            return
        known = world.enroll(observer_id, section, _OBSERVER)
        known.associated_user_id = enrollment.user_id
        state.note("Enrollment", "created")
    if known.workflow_state != wanted:
        note_state(state, "Enrollment", known.workflow_state, wanted)
        world.set_enrollment_state(known, wanted)
    known.sis_import_id = state.options.import_id


# -- admins ----------------------------------------------------------------------------------------


def _admin(state: Applying, row: Row) -> None:
    world = state.world
    sis_id = state.required(row, "user_id", "an admin")
    role = row.get("role") or row.get("role_id")
    if role is None:
        raise ParseError(f"No role given for admin {sis_id}")
    status = _status(row, f"admin {sis_id}")
    login = _person(state, sis_id, "An admin")
    account_id: int | None = world.root_account_id
    if row.get("account_id") is not None:
        account_id = world.id_of("account", row["account_id"] or "")
    if account_id is None:
        raise RowError(f"Account not found for admin {sis_id}")
    key = (login.user_id, account_id, role)
    if status == "active":
        world.account_admins.add(key)
    elif login.user_id == state.options.user_id:
        raise RowError(f"You cannot remove yourself: admin {sis_id}")
    else:
        world.account_admins.discard(key)


# -- changed ids -----------------------------------------------------------------------------------


def _change_sis_id(state: Applying, row: Row) -> None:
    kind = (row.get("type") or "").lower()
    kept: Mapping[str, Mapping[int, Any]] = {
        "account": state.world.accounts,
        "term": state.world.terms,
        "course": state.world.courses,
        "section": state.world.sections,
        "user": state.world.logins,
    }
    if kind not in kept:
        raise ParseError(f'Invalid type "{kind}" for a change of ids')
    old, new = row.get("old_id"), row.get("new_id")
    other = row.get("new_integration_id")
    if new is None and other is None:
        raise ParseError("No new_id or new_integration_id given")
    record = _holder(state, kind, kept[kind], row)
    if new is not None and new != old:
        if state.world.id_of(kind, new) is not None:
            raise RowError(f"The new id {new} is in use already")
        _rename(state, kind, record, new)
    if other is not None:
        record.integration_id = None if other == "<delete>" else other


def _holder(state: Applying, kind: str, kept: Mapping[int, Any], row: Row) -> Any:
    """The record that carries the old id."""
    old, integration = row.get("old_id"), row.get("old_integration_id")
    if old is not None:
        found = state.world.id_of(kind, old)
        if found is None:
            raise RowError(f"The old id {old} was not found as a {kind}")
        return kept[found]
    for record in kept.values():
        if integration is not None and record.integration_id == integration:
            return record
    raise RowError(f"The old integration id {integration} was not found as a {kind}")


def _rename(state: Applying, kind: str, record: Any, new: str) -> None:
    if kind == "user":
        state.world.give_sis_id(record, new)
        return
    name = f"sis_{kind}_id"
    old = getattr(record, name)
    if old is None:
        state.world.index_sis(kind, new, record.id)
    else:
        state.world.move_sis_id(kind, old, new)
    setattr(record, name, new)


TIES: dict[str, Callable[[Applying, Row], None]] = {
    "user_observer": _user_observer,
    "admin": _admin,
    "change_sis_id": _change_sis_id,
}
