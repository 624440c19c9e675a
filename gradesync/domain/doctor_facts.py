"""What probes of the two sides bring home, before anybody judges it. Values only; no I/O and no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Hello:
    """One answered request: who answered, its clock (None when it named none), ours in the middle of the request.

    `remaining` and `cost` are Canvas's throttle, None when it said nothing.
    """

    identity: str
    server_clock: datetime | None
    our_clock: datetime
    remaining: float | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's certificate. `ends` None: plain http on this machine, where there is none."""

    host: str
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class TokenEnd:
    """When Canvas says that the token ends. `told` False: it would not say; `ends` None with `told`: never."""

    told: bool
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A Canvas section: its course, its own number, and the SIS class it is tied to."""

    course_id: int
    section_id: int
    class_id: str | None


class GraphQl(StrEnum):
    """What Canvas's GraphQL said to the smallest question: everything but an answer leaves a passback to REST."""

    ANSWERS = "answers"
    MISSING = "missing"
    REFUSED = "refused"
    NOTHING = "nothing"
    """It answers, and shows this token nothing, as it does to a developer key with scopes."""
    UNCLEAR = "unclear"
    SILENT = "silent"
    """It is down for the moment, and a run would not wait for it either."""


@dataclass(frozen=True, slots=True)
class SectionSample:
    """Sections of some courses in scope; `courses` is how many were looked at, `more` whether there are others."""

    sections: tuple[Section, ...]
    courses: int
    more: bool


@dataclass(frozen=True, slots=True)
class Students:
    """The students of one section: SIS ids, and how many have none. The test student is nobody."""

    sis_ids: frozenset[str]
    without: int


@dataclass(frozen=True, slots=True)
class Groups:
    """A course's assignment groups: title -> how many of its assignments are marked for the SIS."""

    marked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Term:
    """A term as either side shows it; `end` is exclusive, None where Canvas names none."""

    title: str
    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class Admin:
    """The Canvas user somebody is posted as. `known`: there is such a user; `admin`: with a role on the account."""

    known: bool
    admin: bool
    active: bool


@dataclass(frozen=True, slots=True)
class Page:
    """How a SIS pages: rows asked for, rows that came, and how many it says there are (None: it says nothing)."""

    asked: int
    came: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Granted:
    """The scopes of a token: asked for, and granted. `granted` None: the SIS did not say, so all may be."""

    asked: tuple[str, ...]
    granted: frozenset[str] | None
