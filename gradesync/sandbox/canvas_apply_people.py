"""Applies the people's tables of a SIS import: users, further logins, enrollments."""

from __future__ import annotations

from collections.abc import Callable

from gradesync.sandbox.canvas_apply_ties import see_with
from gradesync.sandbox.canvas_csv import Row
from gradesync.sandbox.canvas_records import Course, Enrollment, Login, Section, User
from gradesync.sandbox.canvas_rows import Applying, ParseError, RowError, note_state

_ROLES = {
    "student": "StudentEnrollment",
    "teacher": "TeacherEnrollment",
    "ta": "TaEnrollment",
    "observer": "ObserverEnrollment",
    "designer": "DesignerEnrollment",
}
_ROLE_IDS = {"3": "student", "4": "teacher", "5": "ta", "6": "designer", "7": "observer"}

_ENROLLMENT_STATES = ("deleted_last_completed", "active", "deleted", "completed", "inactive")


def _user(state: Applying, row: Row) -> None:
    world = state.world
    sis_id = state.required(row, "user_id", "a user")
    name = state.required(row, "login_id", f"user {sis_id}")
    status = (row.get("status") or "").lower()
    wanted = next((one for one in ("active", "suspended", "deleted") if status.startswith(one)), None)
    if wanted is None:
        raise ParseError(f'Improper status for user {sis_id}: "{status}"')
    _known_provider(row, f"user {sis_id}")
    login = _claim(state, sis_id, name)
    if login is None:
        if wanted == "deleted":
            return
        full = _name(row, None, name)
        user = world.add_user(User(world.new_id("user"), full, _sortable(row, full), full, world.now()))
        login = world.add_login(Login(world.new_id("login"), user.id, name, sis_id))
        state.note("User", "created")
        state.note("Pseudonym", "created")
    else:
        if wanted == "deleted" and login.user_id == state.options.user_id:
            raise RowError(f"You cannot remove yourself: user {sis_id}")
        if login.unique_id != name and not state.sticks(world.users[login.user_id], "unique_id"):
            world.rename_login(login, name)
        note_state(state, "Pseudonym", login.workflow_state, wanted)
    login.workflow_state = wanted
    login.sis_import_id = state.options.import_id
    # Users are the one type whose integration id survives an absent column.
    if "integration_id" in row:
        login.integration_id = row["integration_id"]
    _describe(state, world.users[login.user_id], row, name)
    if wanted == "deleted":
        _remove_if_last(state, login.user_id)


def _claim(state: Applying, sis_id: str, name: str) -> Login | None:
    """The login this row speaks of; a login of that name with another SIS id refuses the row."""
    world = state.world
    mine = world.login_by_sis(sis_id)
    named = world.login_by_name(name)
    if named is None or named is mine or named.workflow_state == "deleted":
        return mine
    if mine is None and (named.sis_user_id is None or state.options.claim_logins):
        world.give_sis_id(named, sis_id)
        return named
    raise RowError(
        f"User {sis_id} could not be added: login {name} is already claimed by user {named.sis_user_id}"
    )


def _known_provider(row: Row, what: str) -> None:
    """This Canvas signs people in by itself only."""
    provider = row.get("authentication_provider_id")
    if provider is not None and provider.lower() != "canvas":
        raise RowError(f"Unrecognized authentication provider {provider} for {what}, skipping")


def _name(row: Row, before: str | None, login: str) -> str:
    both = " ".join(one for one in (row.get("first_name"), row.get("last_name")) if one)
    return (
        row.get("full_name") or both or before or row.get("sortable_name") or row.get("short_name") or login
    )


def _sortable(row: Row, full: str) -> str:
    given = row.get("sortable_name")
    if given is not None:
        return given
    if row.get("last_name") and row.get("first_name"):
        return f"{row['last_name']}, {row['first_name']}"
    first, _, last = full.rpartition(" ")
    return f"{last}, {first}" if first else last


def _describe(state: Applying, user: User, row: Row, login: str) -> None:
    full = _name(row, user.name, login)
    state.set(user, "name", full)
    state.set(user, "sortable_name", _sortable(row, full))
    state.set(user, "short_name", row.get("short_name") or full)
    email = row.get("email")
    if email is not None:
        if "@" in email:
            user.email = email
        else:
            state.asides.append(f"The email address associated with user {row.get('user_id')} is invalid")
    user.sis_import_id = state.options.import_id


def _remove_if_last(state: Applying, user_id: int) -> None:
    """Who loses the last login loses all enrollments too."""
    world = state.world
    if any(one.workflow_state != "deleted" for one in world.logins_by_user[user_id]):
        return
    for enrollment in world.enrollments_by_user[user_id]:
        note_state(state, "Enrollment", enrollment.workflow_state, "deleted")
        world.set_enrollment_state(enrollment, "deleted")


def _login(state: Applying, row: Row) -> None:
    world = state.world
    sis_id = state.required(row, "user_id", "a login")
    name = state.required(row, "login_id", f"login {sis_id}")
    _known_provider(row, f"login {sis_id}")
    owner = _owner(state, row)
    number = row.get("existing_canvas_user_id")
    user_id = owner.user_id if owner is not None else int(number) if number and number.isdecimal() else 0
    if user_id not in world.users:
        raise RowError(f"Could not find the existing user for login {sis_id}, skipping")
    if world.login_by_sis(sis_id) is None and world.login_by_name(name) is None:
        login = world.add_login(Login(world.new_id("login"), user_id, name, sis_id))
        login.sis_import_id = state.options.import_id
        login.integration_id = row.get("integration_id")
        state.note("Pseudonym", "created")


def _owner(state: Applying, row: Row) -> Login | None:
    existing = row.get("existing_user_id")
    if existing is not None:
        return state.world.login_by_sis(existing)
    integration = row.get("existing_integration_id")
    if integration is None:
        return None
    return state.login_by_integration(integration)


def _enrollment(state: Applying, row: Row) -> None:
    world = state.world
    if row.get("course_id") is None and row.get("section_id") is None:
        raise ParseError("No course_id or section_id given for an enrollment")
    if row.get("user_id") is None and row.get("user_integration_id") is None:
        raise ParseError("No user_id given for an enrollment")
    kind = _ROLES.get((row.get("role") or _ROLE_IDS.get(row.get("role_id") or "", "")).lower())
    if kind is None:
        raise ParseError(f'Improper role "{row.get("role") or ""}" for an enrollment')
    text = (row.get("status") or "").lower()
    status = next((one for one in _ENROLLMENT_STATES if text.startswith(one)), None)
    if status is None:
        raise ParseError(f'Improper status "{text}" for an enrollment')
    login = _enrolled_login(state, row)
    if login is None:
        raise RowError(f"User not found for enrollment ({_place(row)})")
    section = _enrolled_section(state, row)
    watched = _watched(state, row) if kind == "ObserverEnrollment" else None
    known = next(
        (
            one
            for one in world.enrollments_by_section[section.id]
            if one.user_id == login.user_id and one.type == kind and one.associated_user_id == watched
        ),
        None,
    )
    if status == "deleted_last_completed":
        status = "deleted" if known is None or _has_other(state, known) else "completed"
    made = _enroll(state, row, known, login, section, kind, status)
    if made is not None:
        made.associated_user_id = watched
        see_with(state, made)


def _watched(state: Applying, row: Row) -> int | None:
    """Whom an observer looks at, when the row says so."""
    student = row.get("associated_user_id")
    if student is None:
        return None
    login = state.world.login_by_sis(student)
    if login is None:
        raise RowError(f"Associated user not found for an enrollment ({_place(row)})")
    return login.user_id


def _place(row: Row) -> str:
    parts = (("User ID", "user_id"), ("Course ID", "course_id"), ("Section ID", "section_id"))
    return ", ".join(f"{name}: {row.get(column)}" for name, column in parts if row.get(column) is not None)


def _enrolled_login(state: Applying, row: Row) -> Login | None:
    integration = row.get("user_integration_id")
    if integration is not None:
        return state.login_by_integration(integration)
    return state.world.login_by_sis(row.get("user_id") or "")


def _enrolled_section(state: Applying, row: Row) -> Section:
    world = state.world
    course: Course | None = None
    section: Section | None = None
    if row.get("course_id") is not None:
        found = world.id_of("course", row["course_id"] or "")
        if found is None:
            raise RowError(f"An enrollment referenced a non-existent course ({_place(row)})")
        course = world.courses[found]
    if row.get("section_id") is not None:
        found = world.id_of("section", row["section_id"] or "")
        if found is None:
            raise RowError(f"An enrollment referenced a non-existent section ({_place(row)})")
        section = world.sections[found]
        # A cross-listed section may still be named together with its original course.
        if course is not None and course.id not in (section.course_id, section.nonxlist_course_id):
            raise RowError(f"An enrollment listed a section and a course that are unrelated ({_place(row)})")
        return section
    assert course is not None
    for one in world.sections_by_course[course.id].values():
        if one.default_section:
            return one
    return world.add_section(
        Section(world.new_id("section"), course.name, course.id, world.now(), default_section=True)
    )


def _has_other(state: Applying, enrollment: Enrollment) -> bool:
    course_id = state.world.course_of(enrollment).id
    return any(
        one is not enrollment
        and one.workflow_state == "active"
        and state.world.course_of(one).id == course_id
        for one in state.world.enrollments_by_user[enrollment.user_id]
    )


def _enroll(
    state: Applying,
    row: Row,
    known: Enrollment | None,
    login: Login,
    section: Section,
    kind: str,
    status: str,
) -> Enrollment | None:
    world = state.world
    if status == "active" and login.workflow_state == "deleted":
        state.asides.append(f"Attempted enrolling of deleted user ({_place(row)})")
        status = "deleted"
    if known is None:
        if status == "deleted" and login.workflow_state != "deleted":
            return None
        known = world.enroll(login.user_id, section, kind, login_id=login.id)
        state.note("Enrollment", "created")
        if status != "active":
            known.workflow_state = status
    else:
        note_state(state, "Enrollment", known.workflow_state, status)
        if known.workflow_state != status:
            world.set_enrollment_state(known, status)
    known.login_id = login.id
    known.sis_import_id = state.options.import_id
    begin, end = (state.date(row, one, "an enrollment") for one in ("start_date", "end_date"))
    # Dates only work as a pair; anything else clears both.
    known.start_at, known.end_at = (begin, end) if begin is not None and end is not None else (None, None)
    return known


PEOPLE: dict[str, Callable[[Applying, Row], None]] = {
    "user": _user,
    "login": _login,
    "enrollment": _enrollment,
}
