"""OneRoster's JSON rows, 1.1 and 1.2, into the domain's values. Pure.

Parsers keep the fields the domain has and drop the rest at once: metadata and demographics of SISes hold religion,
health and addresses (oneroster.md 5.4). Fields and vocabularies: oneroster.md 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gradesync.connectors.wire import Malformed, day, instant, number, text_of
from gradesync.domain.account import RosterMapping
from gradesync.domain.gradebook import Category, LineItem, Result
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)
from gradesync.domain.roster_columns import Enrollments

T = TypeVar("T")
Row = Mapping[str, Any]


def ref(row: Row, key: str) -> str | None:
    """The sourcedId a reference names; href and type are not needed."""
    value = row.get(key)
    if value is None:
        return None
    found = value["sourcedId"]
    if type(found) is not str:
        raise Malformed(f"{key} is not a reference")
    return found or None


def refs(row: Row, key: str) -> tuple[str, ...]:
    """The sourcedIds of a list of references; a single one outside a list is taken too."""
    value = row.get(key) or ()
    entries = (value,) if isinstance(value, dict) else value
    return tuple(str(entry["sourcedId"]) for entry in entries)


_YES, _NO = frozenset({"true", "1", "yes", "y"}), frozenset({"false", "0", "no", "n"})


def yes(value: Any, otherwise: bool = False) -> bool:
    """A boolean in any spelling: OneRoster wants the strings "true" and "false". What is neither is `otherwise`."""
    word = str(value).strip().lower()
    return True if word in _YES else False if word in _NO else otherwise


def org(sourced_id: str, row: Row) -> Org:
    """A row of /orgs."""
    return Org(sourced_id, text_of(row.get("name")), text_of(row.get("type")), ref(row, "parent"))


def session(sourced_id: str, row: Row) -> AcademicSession:
    """A row of /academicSessions; one without dates cannot be placed in time."""
    start, end = day(row.get("startDate")), day(row.get("endDate"))
    if start is None or end is None:
        raise Malformed("a session without dates")
    return AcademicSession(
        id=sourced_id,
        title=text_of(row.get("title")),
        kind=text_of(row.get("type")),
        start=start,
        end=end,
        parent_id=ref(row, "parent"),
        school_year=str(row.get("schoolYear") or ""),
    )


def course(sourced_id: str, row: Row) -> RosterCourse:
    """A row of /courses."""
    code = text_of(row.get("courseCode"))
    return RosterCourse(sourced_id, text_of(row.get("title")), code, ref(row, "org"))


def school_class(sourced_id: str, row: Row) -> RosterClass:
    """A row of /classes."""
    return RosterClass(
        id=sourced_id,
        title=text_of(row.get("title")),
        code=text_of(row.get("classCode")),
        course_id=ref(row, "course") or "",
        school_id=ref(row, "school") or "",
        term_ids=refs(row, "terms"),
    )


def _roles(row: Row) -> list[str]:
    """The user's roles, the first one first: 1.1 has one, 1.2 a list with the primary one marked."""
    entries = row.get("roles")
    if not isinstance(entries, list):
        return [text_of(row.get("role"))]
    found = [entry for entry in entries if isinstance(entry, dict)]
    found.sort(key=lambda entry: entry.get("roleType") != "primary")
    return [_word(entry.get("role")) for entry in found]


def _word(value: Any) -> str:
    """A word of an open vocabulary, without 1.2's prefix for words of one's own."""
    return text_of(value).removeprefix("ext:")


@dataclass(frozen=True, slots=True)
class Wants:
    """What of a person is needed beyond name, login, e-mail and role: only what the account's mapping makes use of."""

    identifiers: bool = False
    preferred_names: bool = False
    guardians: bool = False

    @classmethod
    def of(cls, mapping: RosterMapping) -> Wants:
        """What a mapping of people needs."""
        return cls(
            identifiers=mapping.logins == "identifier" or mapping.people == "integration_id",
            preferred_names=mapping.names == "preferred",
            guardians=mapping.guardians == "observers",
        )


USUAL = Wants()


def user(sourced_id: str, row: Row, wants: Wants = USUAL) -> RosterUser:
    """A row of /users, /students or /teachers, of either version."""
    given, family = _preferred(row) if wants.preferred_names else ("", "")
    return RosterUser(
        id=sourced_id,
        username=text_of(row.get("username")),
        given_name=text_of(row.get("givenName")),
        family_name=text_of(row.get("familyName")),
        email=text_of(row.get("email")),
        role=next(iter(_roles(row)), ""),
        enabled=yes(row.get("enabledUser"), otherwise=True),
        identifier=text_of(row.get("identifier")) if wants.identifiers else "",
        preferred_given_name=given,
        preferred_family_name=family,
        agents=refs(row, "agents") if wants.guardians else (),
    )


def _preferred(row: Row) -> tuple[str, str]:
    """Preferred names: 1.2's own fields, else the two names in the metadata of a server that sent it unasked."""
    given, family = text_of(row.get("preferredFirstName")), text_of(row.get("preferredLastName"))
    more = row.get("metadata")
    if isinstance(more, dict):
        given = given or text_of(more.get("preferredForename"))
        family = family or text_of(more.get("preferredSurname"))
    return given, family


def user_as(wanted: str, wants: Wants = USUAL) -> Callable[[str, Row], RosterUser]:
    """A parser of users shown as `wanted`: somebody with several roles, or with none, is taken in that one."""

    def parse(sourced_id: str, row: Row) -> RosterUser:
        found = user(sourced_id, row, wants)
        if found.role == wanted or (found.role and wanted not in _roles(row)):
            return found
        return found._replace(role=wanted)

    return parse


def user_only(*wanted: str, wants: Wants = USUAL) -> Callable[[str, Row], RosterUser | None]:
    """A parser of users with one of these roles; anybody else is let go at once, filter or not."""

    def parse(sourced_id: str, row: Row) -> RosterUser | None:
        role = next((one for one in _roles(row) if one in wanted), None)
        return None if role is None else user(sourced_id, row, wants)._replace(role=role)

    return parse


def enrollment(sourced_id: str, row: Row) -> RosterEnrollment:
    """A row of /enrollments; ended ones stay."""
    return RosterEnrollment(
        ref(row, "user") or "",
        ref(row, "class") or "",
        _word(row.get("role")),
        day(row.get("beginDate")),
        day(row.get("endDate")),
        sourced_id,
    )


class _Known(dict[Any, Any]):
    """What a value means, found out once: a district's enrollments begin on a few days and know a few roles."""

    def __init__(self, meaning: Callable[[Any], Any]) -> None:
        super().__init__()
        self._meaning = meaning

    def __missing__(self, value: Any) -> Any:
        found = self._meaning(value)
        if len(self) < _MOST_KNOWN:
            self[value] = found
        return found


_MOST_KNOWN = 4096
_DAYS, _WORDS = _Known(day), _Known(_word)


def enrollments(page: Sequence[Row]) -> Enrollments:
    """A page of /enrollments: what `enrollment` makes of each row, column by column, because a district has half a
    million of them. Raises Malformed."""
    try:
        users = [row["user"]["sourcedId"] for row in page]
        classes = [row["class"]["sourcedId"] for row in page]
        if not set(map(type, users)) | set(map(type, classes)) <= {str}:
            raise Malformed("an enrollment without references")
        columns = (
            users,
            classes,
            [_WORDS[row["role"]] for row in page],
            [_DAYS[row.get("beginDate")] for row in page],
            [_DAYS[row.get("endDate")] for row in page],
            [row["sourcedId"] for row in page],
        )
        return Enrollments(columns)
    except (KeyError, TypeError):
        # Some row is not as usual: each is looked at by itself, and refused if it must be.
        return Enrollments.of(parsed(page, enrollment))


def parsed(page: Sequence[Row], parser: Callable[[str, Row], T | None]) -> list[T]:
    """What a parser of single rows makes of a page; rows it answers None for are left out. Raises Malformed."""
    try:
        return [value for row in page if (value := parser(row["sourcedId"], row)) is not None]
    except (KeyError, TypeError, AttributeError):
        raise Malformed("a row of another shape") from None


def category(sourced_id: str, row: Row) -> Category:
    """A row of /categories; 1.1 has no field for the class, vendors put it into metadata."""
    metadata = row.get("metadata")
    class_id = metadata.get("classId") if isinstance(metadata, dict) else None
    return Category(sourced_id, text_of(row.get("title")), class_id if isinstance(class_id, str) else None)


def category_of(class_id: str) -> Callable[[str, Row], Category]:
    """A parser of categories shown by a class itself: they are that class's, whatever else they say."""
    return lambda sourced_id, row: replace(category(sourced_id, row), class_id=class_id)


def line_item_of(class_id: str) -> Callable[[str, Row], LineItem | None]:
    """A parser of lineItems of one class; items a server mixes in from other classes are left out."""

    def parse(sourced_id: str, row: Row) -> LineItem | None:
        found = ref(row, "class") or class_id
        if found != class_id:
            return None
        return LineItem(
            id=sourced_id,
            title=text_of(row.get("title")),
            class_id=found,
            category_id=ref(row, "category"),
            # 1.2 lets a server file a line item under a whole term instead.
            period_id=ref(row, "gradingPeriod") or ref(row, "academicSession"),
            assign_date=instant(row.get("assignDate")),
            due_date=instant(row.get("dueDate")),
            minimum=number(row.get("resultValueMin")),
            maximum=number(row.get("resultValueMax")),
            school_id=ref(row, "school"),
        )

    return parse


def result_of(class_id: str) -> Callable[[str, Row], Result]:
    """A parser of results of one class; runs once per grade of a district."""

    def parse(sourced_id: str, row: Row) -> Result:
        line_item_id = row["lineItem"]["sourcedId"]
        student_id = row["student"]["sourcedId"]
        if type(line_item_id) is not str or type(student_id) is not str:
            raise Malformed("a result without references")
        get = row.get
        text = get("textScore")
        return Result(
            sourced_id,
            line_item_id,
            student_id,
            number(get("score")),
            text_of(get("scoreStatus")),
            day(get("scoreDate")),
            class_id,
            text if type(text) is str and text else None,
            "late" in row and yes(row["late"]),
            "missing" in row and yes(row["missing"]),
        )

    return parse
