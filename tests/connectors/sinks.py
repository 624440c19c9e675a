"""Every kind of gradebook sink over one school: the fake in memory, and the connector in each write mode."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from gradesync.connectors.auth import ClientCredentials
from gradesync.connectors.http import HttpClient
from gradesync.connectors.memory import MemorySis
from gradesync.connectors.oneroster import OneRosterConnector
from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.profile import POST, PROFILES, PUT, SERVER_IDS, SisProfile
from gradesync.ports import GradebookSink
from gradesync.sandbox.server import Sandbox
from tests.connectors.conftest import roster_of
from tests.connectors.hostile import Sleeps

KEY = "riverside"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_numbers = itertools.count(1)

Sink = MemorySis | OneRosterConnector


@dataclass(frozen=True)
class Kind:
    """One kind of sink. `profile` is None for the fake."""

    name: str
    profile: SisProfile | None = None
    own_ids: bool = False

    @property
    def newer(self) -> bool:
        return self.profile is not None and self.profile.version == "1.2"


def _kind(profile: str, mode: str) -> Kind:
    return Kind(f"{profile} {mode}", replace(PROFILES[profile], write_mode=mode))


OVER_HTTP = (
    _kind("genesis", PUT),
    _kind("genesis", SERVER_IDS),
    _kind("oneroster-1.2", PUT),
    _kind("oneroster-1.2", POST),
    _kind("oneroster-1.2", SERVER_IDS),
)
KINDS = (Kind("memory"), Kind("memory minting ids", own_ids=True), *OVER_HTTP)


@asynccontextmanager
async def connector(
    sandbox: Sandbox,
    profile: SisProfile,
    *,
    guard: Callable[[], None] | None = None,
    scopes: tuple[str, ...] | None = None,
    **options: Any,
) -> AsyncIterator[OneRosterConnector]:
    """The real connector against the sandbox, both services, every right."""
    desk, url = sandbox.schools[KEY].sis.desk, sandbox.sis_url(KEY)
    asked = (*profile.write_scopes, profile.delete_scope) if scopes is None else scopes
    auth = ClientCredentials(f"{url}/token", desk.client_id, desk.client_secret, asked)
    options = {"side": "sis", "auth": auth, "sleep": Sleeps(), "random": lambda: 0.0, **options}
    async with (
        HttpClient(url + profile.rostering_path, **options) as rostering,
        HttpClient(url + profile.gradebook_path, guard=guard, **options) as gradebook,
    ):
        yield OneRosterConnector(rostering, profile, gradebook=gradebook)


@asynccontextmanager
async def sink_of(
    sandbox: Sandbox, kind: Kind, *, closed: tuple[str, ...] = (), guard: Callable[[], None] | None = None
) -> AsyncIterator[Sink]:
    """A sink of one kind; `closed` grading periods take no writes."""
    behaviour = sandbox.schools[KEY].sis.behaviour
    if kind.profile is not None:
        behaviour.write_mode = kind.profile.write_mode.replace("_", "-")
        behaviour.closed_periods = closed
        async with connector(sandbox, kind.profile, guard=guard) as sink:
            yield sink
        return
    async with connector(sandbox, PROFILES["genesis"]) as real:
        class_id = class_with_students(sandbox)
        catalogue = await real.catalogue()
        yield MemorySis(
            district=await real.identity(),
            roster=await roster_of(real),
            categories=catalogue.categories,
            periods=catalogue.periods,
            students={class_id: (await real.read_class(class_id)).students},
            closed=frozenset(closed),
            guard=guard,
            own_ids=kind.own_ids,
        )


def class_with_students(sandbox: Sandbox) -> str:
    """A class whose students the SIS counts as current."""
    world = sandbox.schools[KEY].sis
    return next(one for one in world.rows["classes"] if len(world.people_of_class(one, "student")) > 2)


async def new_item(sink: GradebookSink, class_id: str, **changes: Any) -> LineItem:
    """A line item nobody has sent yet, in a grading period of the class."""
    catalogue = await sink.catalogue()
    below = {one: parent for one, parent in catalogue.session_parents.items() if parent is not None}
    terms = set(catalogue.classes[class_id].term_ids)
    number = next(_numbers)
    usual = LineItem(
        id=f"conformance-item-{number}",
        title=f"Essay / “{number}”",
        class_id=class_id,
        category_id=catalogue.categories[0].id,
        period_id=next(p.id for p in catalogue.periods if p.id in terms or below.get(p.id) in terms),
        assign_date=NOON,
        due_date=NOON.replace(hour=20),
        minimum=Decimal(0),
        maximum=Decimal("12.5"),
        school_id=catalogue.classes[class_id].school_id,
    )
    return replace(usual, **changes)


def new_result(item: LineItem, student: str, **changes: Any) -> Result:
    """A result nobody has sent yet."""
    usual = Result(
        id=f"conformance-result-{next(_numbers)}",
        line_item_id=item.id,
        student_id=student,
        score=Decimal("9.1"),
        status="fully graded",
        score_date=date(2026, 11, 20),
        class_id=item.class_id,
    )
    return replace(usual, **changes)
