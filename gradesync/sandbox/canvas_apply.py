"""Applies the tables of a SIS import to the world: upserts, statuses, and what a missing column destroys.

Row trouble is a warning and the next row goes on. Knows no HTTP and no diffing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gradesync.sandbox.canvas_apply_people import PEOPLE
from gradesync.sandbox.canvas_apply_ties import TIES
from gradesync.sandbox.canvas_csv import Fields, Message, Row, Table
from gradesync.sandbox.canvas_import_record import Outcome
from gradesync.sandbox.canvas_records import Account, Course, Section, Term
from gradesync.sandbox.canvas_rows import Applying, ParseError, RowError, note_state
from gradesync.sandbox.canvas_world import CanvasWorld

__all__ = ["Options", "apply_rows"]


@dataclass(frozen=True, slots=True)
class Options:
    """The parameters of an import that change how rows apply."""

    import_id: int
    user_id: int
    override_stickiness: bool = False
    add_stickiness: bool = False
    clear_stickiness: bool = False
    skip_deletes: bool = False
    claim_logins: bool = False


def apply_rows(
    world: CanvasWorld,
    table: Table,
    rows: Sequence[tuple[int, Fields]],
    options: Options,
    outcome: Outcome,
) -> None:
    """Applies some rows of a table in order. What was refused for its form is told before all else of these rows."""
    handler = _PLACES.get(table.kind) or PEOPLE.get(table.kind) or TIES.get(table.kind)
    if handler is None:
        outcome.messages.append(Message(table.file, f"{table.kind} rows are not applied by this sandbox"))
        return
    state = Applying(world, options, outcome.statistics)
    malformed: list[Message] = []
    refused: list[Message] = []
    for line, fields in rows:
        row = table.row(fields)
        if options.skip_deletes and (row.get("status") or "").lower().startswith("delete"):
            continue
        try:
            handler(state, row)
            outcome.counts[table.kind] += 1
        except RowError as error:
            kept = malformed if isinstance(error, ParseError) else refused
            kept.append(Message(table.file, str(error), line, row_info=_row_info(fields)))
        refused += [Message(table.file, text, line, row_info=_row_info(fields)) for text in state.asides]
        state.asides.clear()
    outcome.messages += [*malformed, *refused]


def _row_info(fields: Fields) -> str:
    return ",".join(one or "" for one in fields)


def _status(row: Row, allowed: tuple[str, ...], what: str) -> str:
    text = (row.get("status") or "").lower()
    found = next((one for one in allowed if text.startswith(one)), None)
    if found is None:
        raise ParseError(f'Improper status "{text}" for {what}')
    return found


def _account(state: Applying, row: Row) -> None:
    world = state.world
    sis_id = state.required(row, "account_id", "an account")
    status = _status(row, ("active", "deleted"), f"account {sis_id}")
    parent_id = world.root_account_id
    if row.get("parent_account_id") is not None:
        found = world.id_of("account", row["parent_account_id"] or "")
        if found is None:
            raise RowError(f"Parent account didn't exist for {sis_id}")
        parent_id = found
    known = world.id_of("account", sis_id)
    name = state.required(row, "name", f"account {sis_id}")
    if known is None:
        account = world.add_account(Account(world.new_id("account"), name, parent_id, sis_id))
        state.note("Account", "created")
    else:
        account = world.accounts[known]
        if status == "deleted" and _in_use(world, account):
            raise RowError(f"Cannot delete account {sis_id}: it has active sub-accounts or courses")
        note_state(state, "Account", account.workflow_state, status)
        state.set(account, "name", name)
        state.set(account, "parent_account_id", parent_id)
    account.workflow_state = status
    account.integration_id = row.get("integration_id")
    account.sis_import_id = state.options.import_id


def _in_use(world: CanvasWorld, account: Account) -> bool:
    below = any(
        one.parent_account_id == account.id and one.workflow_state != "deleted"
        for one in world.accounts.values()
    )
    return below or any(
        one.account_id == account.id and one.workflow_state != "deleted" for one in world.courses.values()
    )


def _term(state: Applying, row: Row) -> None:
    world = state.world
    sis_id = state.required(row, "term_id", "a term")
    if row.get("date_override_enrollment_type") is not None:
        # Dates per role are no part of this Canvas; the row is understood and changes nothing.
        return
    name = state.required(row, "name", f"term {sis_id}")
    status = _status(row, ("active", "deleted"), f"term {sis_id}")
    known = world.id_of("term", sis_id)
    if known is None:
        term = world.add_term(Term(world.new_id("term"), name, sis_term_id=sis_id))
    else:
        term = world.terms[known]
        state.set(term, "name", name)
    term.workflow_state = status
    _dates(state, term, row, f"term {sis_id}")
    term.integration_id = row.get("integration_id")
    term.sis_import_id = state.options.import_id


def _dates(state: Applying, record: Any, row: Row, what: str) -> None:
    """Blank or missing dates clear: the data loss a careless export causes."""
    for column, name in (("start_date", "start_at"), ("end_date", "end_at")):
        state.set(record, name, state.date(row, column, what))


def _course(state: Applying, row: Row) -> None:
    world = state.world
    sis_id = state.required(row, "course_id", "a course")
    short = state.required(row, "short_name", f"course {sis_id}")
    long = state.required(row, "long_name", f"course {sis_id}")
    status = _status(row, ("active", "deleted", "completed", "published", "unpublished"), f"course {sis_id}")
    account_id = None
    if row.get("account_id") is not None:
        account_id = world.id_of("account", row["account_id"] or "")
        if account_id is None:
            raise RowError(f"Account not found for course {sis_id}")
    # An unknown term is ignored without a word: the default, or the previous one, stays.
    term_id = world.id_of("term", row.get("term_id") or "")
    known = world.id_of("course", sis_id)
    if known is None:
        home = account_id or world.root_account_id
        course = world.add_course(
            Course(
                world.new_id("course"),
                long,
                short,
                home,
                term_id or world.default_term.id,
                world.now(),
                sis_id,
                time_zone=world.time_zone,
            )
        )
        state.note("Course", "created")
        if status == "deleted":
            course.workflow_state = "deleted"
    else:
        course = world.courses[known]
        for name, value in (("name", long), ("course_code", short)):
            state.set(course, name, value)
        if account_id is not None:
            state.set(course, "account_id", account_id)
        if term_id is not None:
            state.set(course, "enrollment_term_id", term_id)
    _course_state(state, course, status)
    _course_extras(state, course, row, sis_id)


def _course_state(state: Applying, course: Course, status: str) -> None:
    if state.sticks(course, "workflow_state"):
        return
    before = course.workflow_state
    after = before
    if status in ("deleted", "completed"):
        after = status
    elif status == "published" and before in ("created", "claimed", "deleted"):
        after = "available"
    elif before == "deleted":
        after = "claimed"
    elif status == "active" and before == "completed":
        after = "available"
    if before != after:
        note_state(state, "Course", before, after)
        course.workflow_state = after


def _course_extras(state: Applying, course: Course, row: Row, sis_id: str) -> None:
    for column, name in (("start_date", "start_at"), ("end_date", "end_at")):
        # Unlike all other dates, those of a course stay when the column is absent.
        if column in row:
            gone = row[column] == "<delete>"
            state.set(course, name, None if gone else state.date(row, column, f"course {sis_id}"))
    setting = row.get("grade_passback_setting")
    if setting is not None:
        if setting.lower() in ("nightly_sync", "not_set", "disabled"):
            value = None if setting.lower() == "not_set" else setting.lower()
            state.set(course, "grade_passback_setting", value)
        else:
            state.asides.append(f'Invalid grade_passback_setting "{setting}" for course {sis_id}')
    course.integration_id = row.get("integration_id")
    course.sis_import_id = state.options.import_id


def _section(state: Applying, row: Row) -> None:
    world = state.world
    sis_id = state.required(row, "section_id", "a section")
    course_sis = state.required(row, "course_id", f"section {sis_id}")
    status = _status(row, ("active", "deleted"), f"section {sis_id}")
    name = row.get("name") or sis_id
    if status == "active":
        name = state.required(row, "name", f"section {sis_id} in course {course_sis}")
    course_id = world.id_of("course", course_sis)
    if course_id is None:
        raise RowError(f"Section {sis_id} references course {course_sis} which doesn't exist")
    known = world.id_of("section", sis_id)
    if known is None:
        section = world.add_section(
            Section(world.new_id("section"), name, course_id, world.now(), sis_section_id=sis_id)
        )
        state.note("CourseSection", "created")
    else:
        section = world.sections[known]
        note_state(state, "CourseSection", section.workflow_state, status)
        state.set(section, "name", name)
        if not state.sticks(section, "course_id"):
            _settle(world, section, course_id)
    section.workflow_state = status
    _dates(state, section, row, f"section {sis_id}")
    section.integration_id = row.get("integration_id")
    section.sis_import_id = state.options.import_id


def _settle(world: CanvasWorld, section: Section, course_id: int) -> None:
    """A section cross-listed by hand stays away as long as the file names its home."""
    if section.nonxlist_course_id == course_id or section.course_id == course_id:
        return
    section.nonxlist_course_id = None
    world.move_section(section, course_id)


def _xlist(state: Applying, row: Row) -> None:
    world = state.world
    course_sis = state.required(row, "xlist_course_id", "a cross-listing")
    section_sis = state.required(row, "section_id", "a cross-listing")
    status = _status(row, ("active", "deleted"), f"cross-listing of {section_sis}")
    found = world.id_of("section", section_sis)
    if found is None:
        raise RowError(f"A cross-listing referenced a non-existent section {section_sis}")
    section = world.sections[found]
    if state.sticks(section, "course_id"):
        # A section that was cross-listed by hand is passed over without a word.
        return
    if status == "deleted":
        world.uncrosslist(section)
        return
    course_id = world.id_of("course", course_sis)
    if course_id is None:
        course = _xlist_course(world, world.courses[section.course_id], course_sis)
    else:
        course = world.courses[course_id]
    if section.course_id != course.id:
        world.crosslist(section, course)


def _xlist_course(world: CanvasWorld, model: Course, sis_id: str) -> Course:
    return world.add_course(
        Course(
            world.new_id("course"),
            model.name,
            model.course_code,
            model.account_id,
            model.enrollment_term_id,
            world.now(),
            sis_id,
            time_zone=model.time_zone,
            grade_passback_setting=model.grade_passback_setting,
        )
    )


_PLACES: dict[str, Callable[[Applying, Row], None]] = {
    "account": _account,
    "term": _term,
    "course": _course,
    "section": _section,
    "xlist": _xlist,
}
