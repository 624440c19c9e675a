"""An examination whose sides fail in any way still tells all it could learn: one failure hides no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.account import Account
from gradesync.domain.doctor import Check, Examination, Verdict
from gradesync.domain.doctor_facts import (
    Admin,
    Certificate,
    Granted,
    GraphQl,
    Groups,
    Hello,
    Page,
    Section,
    SectionSample,
    Students,
    Term,
    TokenEnd,
)
from gradesync.domain.gradebook import Category
from gradesync.domain.problem import CODES
from gradesync.engine.doctor import examine
from gradesync.engine.doctor_sides import CanvasSide, Patient, SisSide
from gradesync.errors import ConnectionProblem
from tests.domain.plan_samples import definition

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
YEAR = Term("2026-2027", date(2026, 8, 1), date(2027, 6, 30))
Trouble = Callable[[str], None]
HEALTHY: Trouble = lambda _name: None  # noqa: E731 - a value of the type above


@dataclass
class FakeCanvas:
    """A Canvas in order, whose every method may meet `trouble` first."""

    trouble: Trouble
    asked: list[str] = field(default_factory=list)

    def _meet(self, name: str) -> None:
        self.asked.append(f"canvas.{name}")
        self.trouble(f"canvas.{name}")

    async def hello(self) -> Hello:
        self._meet("hello")
        return Hello("uuid", NOW, NOW, 600.0)

    async def whose(self) -> int:
        self._meet("whose")
        return 7

    async def token_end(self) -> TokenEnd:
        self._meet("token_end")
        return TokenEnd(told=True)

    async def permissions(self, names: Sequence[str]) -> Mapping[str, bool] | None:
        self._meet("permissions")
        return {name: name != "become_user" for name in names}

    async def includes(self) -> bool | None:
        self._meet("includes")
        return True

    async def account_calls(self, names: Sequence[str]) -> list[tuple[str, ConnectionProblem | None]]:
        self._meet("account_calls")
        return [(name, None) for name in names]

    async def course_calls(self, course_id: int) -> list[tuple[str, ConnectionProblem | None]]:
        self._meet("course_calls")
        return [("assignments", None)]

    async def terms(self) -> list[Term]:
        self._meet("terms")
        return [YEAR]

    async def graphql(self) -> GraphQl | None:
        self._meet("graphql")
        return GraphQl.ANSWERS

    async def admin(self, posted_by: str) -> Admin | None:
        self._meet("admin")
        return Admin(known=True, admin=True, active=True)

    async def sections(self, courses: int) -> SectionSample:
        self._meet("sections")
        return SectionSample((Section(1, 10, "c1"), Section(2, 20, "c2")), 2, more=False)

    async def students(self, section_id: int) -> Students:
        self._meet("students")
        return Students(frozenset({"s1"}), 0)

    async def groups(self, course_id: int) -> Groups:
        self._meet("groups")
        return Groups({"Homework": 1})


@dataclass
class FakeSis:
    """A SIS in order, likewise."""

    trouble: Trouble

    async def may_read(self) -> Granted:
        self.trouble("sis.may_read")
        return Granted(("r",), None)

    async def may_write(self) -> Granted | None:
        self.trouble("sis.may_write")
        return Granted(("w",), frozenset({"w"}))

    async def hello(self) -> Hello:
        self.trouble("sis.hello")
        return Hello("district", NOW, NOW)

    async def page(self) -> Page:
        self.trouble("sis.page")
        return Page(1000, 2, 2)

    async def terms(self) -> list[Term]:
        self.trouble("sis.terms")
        return [YEAR]

    async def class_ids(self) -> frozenset[str]:
        self.trouble("sis.class_ids")
        return frozenset({"c1", "c2"})

    async def members(self, class_id: str) -> frozenset[str]:
        self.trouble("sis.members")
        return frozenset({"s1"})

    async def categories(self, class_ids: Sequence[str]) -> Mapping[str, Sequence[Category]]:
        self.trouble("sis.categories")
        return dict.fromkeys(class_ids, (Category("1", "Homework"),))

    async def roster_answers(self) -> list[tuple[str, ConnectionProblem | None]]:
        self.trouble("sis.roster_answers")
        return [("orgs", None)]

    async def gradebook_answers(self, class_id: str | None) -> list[tuple[str, ConnectionProblem | None]]:
        self.trouble("sis.gradebook_answers")
        return [("categories", None), ("lineItems", None)]


@dataclass
class FakeTools:
    """Opens the two sides."""

    trouble: Trouble

    def canvas(self) -> AbstractAsyncContextManager[CanvasSide]:
        return self._opened("open canvas", FakeCanvas(self.trouble))

    def sis(self) -> AbstractAsyncContextManager[SisSide]:
        return self._opened("open sis", FakeSis(self.trouble))

    @asynccontextmanager
    async def _opened(self, name: str, side: Any) -> AsyncIterator[Any]:
        self.trouble(name)
        yield side

    async def canvas_certificate(self) -> Certificate:
        self.trouble("canvas.certificate")
        return Certificate("h", NOW + timedelta(days=90))

    async def sis_certificate(self) -> Certificate:
        self.trouble("sis.certificate")
        return Certificate("h", NOW + timedelta(days=90))

    async def roster_files(self) -> str:
        self.trouble("files")
        return "The files are there."


def examined(trouble: Trouble, **more: Any) -> Examination:
    schedule = {
        "interval": "daily at 04:00",
        "canonical_interval": "cron 0 4 * * *",
        "time_zone": "America/New_York",
        "posted_by": "jo",
    }
    schedules = {
        "roster": {"type": "roster import", **schedule},
        "grades": {"type": "grade passback", **schedule},
    }
    account = Account.from_definitions("a", definition("a", **more), schedules)
    patient = Patient(account, date(2027, 11, 1), date(2027, 11, 1), "uuid", "district")
    return asyncio.run(examine(patient, FakeTools(trouble), lambda: NOW))


NAMES = [
    f"canvas.{one}"
    for one in (
        "certificate", "hello", "whose", "token_end", "permissions", "includes", "account_calls", "course_calls",
        "terms", "admin", "sections", "students", "groups", "graphql",
    )
] + [
    f"sis.{one}"
    for one in (
        "certificate", "may_read", "may_write", "hello", "page", "terms", "class_ids", "members", "categories",
        "roster_answers", "gradebook_answers",
    )
] + ["open canvas", "open sis"]  # fmt: skip
VITAL = {
    "open canvas": "canvas", "canvas.certificate": "canvas", "canvas.hello": "canvas", "canvas.whose": "canvas",
    "open sis": "sis", "sis.certificate": "sis", "sis.may_read": "sis",
}  # fmt: skip
"""What must work before anything else of its side can be asked."""


def failing(names: Mapping[str, str]) -> Trouble:
    """These calls fail with a code, or with `late` never answer in time."""

    def meet(name: str) -> None:
        if names.get(name) == "late" and not name.startswith("open"):
            raise TimeoutError
        if name in names:
            # Opening asks nobody: only a key or an address can be missing.
            raise ConnectionProblem("it did not", code="GS-207" if name.startswith("open") else names[name])

    return meet


def test_two_sides_in_order_are_fine_in_every_check() -> None:
    told = examined(HEALTHY)
    assert {check.verdict for check in told.checks} == {Verdict.OK}
    assert told.exit_code == 0
    assert len({check.name for check in told.checks}) == len(told.checks) >= 25


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.sampled_from(["late", "GS-203", "GS-305", "GS-302", "GS-599", "GS-202"]),
        max_size=4,
    )
)
def test_whatever_fails_every_check_that_does_not_rest_on_it_is_made_as_before(names: dict[str, str]) -> None:
    whole = {check.name: check for check in examined(HEALTHY).checks}
    told = examined(failing(names))
    dead = {VITAL[name] for name in names if name in VITAL}
    if names:
        assert told.exit_code in (1, 3)
    for check in told.checks:
        assert check.needs_action <= (check.code in CODES)
    made = {check.name: check for check in told.checks}
    hurt = {name.partition(".")[0] for name in names if name not in VITAL}
    for side in {"canvas", "sis"} - dead:
        for name, check in whole.items():
            if check.side != side or name == "canvas-course-calls":
                continue
            # A check that went wrong may stand for those that its one answer would have filled.
            if name not in made:
                assert side in hurt
            elif made[name].verdict is Verdict.SKIPPED:
                raise AssertionError(f"{name} was hidden by {names}")


def test_a_side_that_never_answers_is_told_once_and_the_rest_says_why() -> None:
    told = examined(failing({"canvas.hello": "late"}))
    by_name: dict[str, Check] = {check.name: check for check in told.checks}
    assert by_name["canvas-token"].code == "GS-302"
    assert by_name["canvas-permissions"].verdict is Verdict.SKIPPED
    assert by_name["sis-identity"].verdict is Verdict.OK
    assert by_name["categories"].verdict is Verdict.SKIPPED


def test_who_asks_us_to_slow_down_is_asked_nothing_more() -> None:
    told = examined(failing({"canvas.permissions": "GS-301"}))
    by_name = {check.name: check for check in told.checks}
    assert (by_name["canvas-permissions"].verdict, told.exit_code) == (Verdict.WARN, 3)
    assert by_name["canvas-terms"].verdict is Verdict.SKIPPED
    assert "GS-301" in by_name["canvas-terms"].sentence
    assert by_name["sis-terms"].verdict is Verdict.OK


def test_files_are_looked_at_even_when_the_service_of_the_sis_is_dead() -> None:
    sis = {**definition("a")["sis"], "roster": {"format": "oneroster csv", "path": "x.zip"}}
    told = examined(failing({"sis.may_read": "GS-202"}), sis=sis)
    by_name = {check.name: check for check in told.checks}
    assert by_name["sis-files"].verdict is Verdict.OK
    assert "sis-roster" not in by_name
