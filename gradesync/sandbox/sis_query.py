"""OneRoster's query parameters over plain rows: filter, sort, fields, paging.

Rules: OneRoster 1.1 and 1.2 REST bindings, sections on filtering, sorting, field selection and pagination. Works
on lists of dicts; which rows a path means is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from gradesync.sandbox.sis_errors import Json, SisError

_CLAUSE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_.]*)\s*(!=|>=|<=|=|>|<|~)\s*'((?:[^']|'')*)'\s*")
_COMMON = "sourcedId status dateLastModified metadata "
Fields = Mapping[str, frozenset[str]]
FIELDS_V1P1: Fields = {
    kind: frozenset((_COMMON + names).split())
    for kind, names in {
        "orgs": "name type identifier parent children",
        "academicSessions": "title startDate endDate type parent children schoolYear",
        "courses": "title schoolYear courseCode grades subjects subjectCodes org resources",
        "classes": "title classCode classType location grades subjects course school terms subjectCodes "
        "periods resources",
        "enrollments": "user class school role primary beginDate endDate",
        "users": "username userIds enabledUser givenName familyName middleName role identifier email "
        "sms phone agents orgs grades password",
        "categories": "title",
        "lineItems": "title description assignDate dueDate class category gradingPeriod resultValueMin "
        "resultValueMax",
        "results": "lineItem student score scoreStatus scoreDate comment",
    }.items()
}
_USERS_V1P2 = frozenset(
    (
        "roles",
        "primaryOrg",
        "userMasterIdentifier",
        "userProfiles",
        "resources",
        "preferredFirstName",
        "preferredMiddleName",
        "preferredLastName",
        "pronouns",
    )
)
_ITEMS_V1P2 = frozenset(("school", "academicSession", "scoreScale", "learningObjectiveSet"))
_RESULTS_V1P2 = frozenset(
    (
        "class",
        "scoreScale",
        "textScore",
        "learningObjectiveSet",
        "inProgress",
        "incomplete",
        "late",
        "missing",
    )
)
FIELDS_V1P2: Fields = {
    **FIELDS_V1P1,
    "users": FIELDS_V1P1["users"] - {"role", "orgs"} | _USERS_V1P2,
    "categories": FIELDS_V1P1["categories"] | {"weight"},
    "lineItems": FIELDS_V1P1["lineItems"] | _ITEMS_V1P2,
    "results": FIELDS_V1P1["results"] | _RESULTS_V1P2,
    "scoreScales": frozenset((_COMMON + "title type course class scoreScaleValue").split()),
}
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    "~": lambda a, b: str(b) in str(a),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a read: its rows, how many there are in all, and the window that was served."""

    rows: list[Json]
    total: int
    limit: int
    offset: int


def select(
    fields: frozenset[str],
    rows: Iterable[Json],
    query: Mapping[str, str],
    *,
    default_limit: int,
    clamp: int | None,
    show: Callable[[Json], Json],
    shifted: bool = False,
) -> Page:
    """Apply filter, sort, paging and field selection; raises `SisError` (400) for what cannot be understood.

    `fields` are the names one may use. `show` turns a kept row into the one that is answered. `shifted` plays a
    row that came in before all others while the client was paging: later pages repeat one and count one more.
    """
    chosen = list(rows)
    limit, offset = _number(query, "limit", default_limit, 1), _number(query, "offset", 0, 0)
    # A real server clamps silently: a client that trusts its own limit then loses rows.
    limit = min(limit, clamp) if clamp else limit
    shift = 1 if shifted and offset else 0
    # Ids are the same in every version, so rows sorted by them need not be shown before they are chosen.
    asked = query.get("filter") or query.get("sort", "sourcedId") != "sourcedId"
    if asked:
        # Only now every row must speak the version's words: a filter may name what only that version has.
        chosen = [show(row) for row in chosen]
    if expression := query.get("filter"):
        test = compile_filter(fields, expression)
        chosen = [row for row in chosen if test(row)]
    chosen = _sorted(fields, chosen, query)
    page = chosen[offset - shift : offset - shift + limit]
    if not asked:
        page = [show(row) for row in page]
    if "fields" in query:
        page = _only(fields, page, query["fields"])
    return Page(page, len(chosen) + shift, limit, offset)


def compile_filter(fields: frozenset[str], expression: str) -> Callable[[Json], bool]:
    """One clause, or two joined by AND or OR, as a test of a row; text compares without regard to case."""
    first = _CLAUSE.match(expression)
    if first is None:
        raise _bad_filter("the filter is not understood")
    left = _clause(fields, first)
    rest = expression[first.end() :]
    if not rest.strip():
        return left
    word, _, tail = rest.partition(" ")
    second = _CLAUSE.fullmatch(tail)
    if second is None or word not in ("AND", "OR"):
        raise _bad_filter("a filter has at most two clauses, joined by AND or OR")
    right = _clause(fields, second)
    if word == "AND":
        return lambda row: left(row) and right(row)
    return lambda row: left(row) or right(row)


def _clause(fields: frozenset[str], match: re.Match[str]) -> Callable[[Json], bool]:
    name, operator, value = match[1], _OPERATORS[match[2]], match[3].replace("''", "'")
    if name.split(".")[0] not in fields:
        raise _bad_filter(f"unknown filter field {name}")
    path = name.split(".")

    def test(row: Json) -> bool:
        found = _values(row, path)
        if match[2] == "!=":
            return all(_compare(operator, item, value) for item in found)
        return any(_compare(operator, item, value) for item in found)

    return test


def _compare(operator: Callable[[Any, Any], bool], actual: Any, wanted: str) -> bool:
    """Numbers compare as numbers when both sides are one, everything else as folded text."""
    if isinstance(actual, (int, float)) and not isinstance(actual, bool):
        try:
            return operator(float(actual), float(wanted))
        except ValueError:
            return False
    return operator(str(actual).casefold(), wanted.casefold())


def _values(row: Any, path: list[str]) -> list[Any]:
    """What a dotted path names; a list on the way means each of its items."""
    if isinstance(row, list):
        return [value for item in row for value in _values(item, path)]
    if not path:
        return [] if row is None else [row]
    return _values(row.get(path[0]), path[1:]) if isinstance(row, dict) else []


def _sorted(fields: frozenset[str], rows: list[Json], query: Mapping[str, str]) -> list[Json]:
    name = query.get("sort")
    if not name:
        return rows
    if name.split(".")[0] not in fields:
        raise SisError(400, "invalid_selection_field", "unknown sort field")
    path = name.split(".")
    backwards = query.get("orderBy") == "desc"
    if name == "sourcedId":
        return sorted(rows, key=itemgetter(name), reverse=backwards)
    return sorted(rows, key=lambda row: str(_values(row, path)), reverse=backwards)


def _only(fields: frozenset[str], rows: list[Json], selection: str) -> list[Json]:
    wanted = [name.strip() for name in selection.split(",") if name.strip()]
    if not wanted or any(name not in fields for name in wanted):
        raise SisError(400, "invalid_selection_field", "unknown field in the selection")
    return [{name: row[name] for name in wanted if name in row} for row in rows]


def _number(query: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) < least:
        raise SisError(400, "invaliddata", f"{name} is not a number of at least {least}")
    return int(text)


def _bad_filter(description: str) -> SisError:
    return SisError(400, "invalid_filter_field", description)
