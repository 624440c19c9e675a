"""What an examination asks of each side, check by check. Every check is bounded, and none hides another.

Facts come from probes handed in, what they mean is `domain.doctor_judging`'s. Nothing is written anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from gradesync.domain import doctor_judging as judging
from gradesync.domain import doctor_matching as matching
from gradesync.domain.account import Account
from gradesync.domain.doctor import CANVAS, SIS, Check, Verdict, fine, found, of_problem, skipped, spare
from gradesync.domain.doctor_facts import (
    Admin,
    Certificate,
    Granted,
    GraphQl,
    Groups,
    Hello,
    Page,
    SectionSample,
    Students,
    Term,
    TokenEnd,
)
from gradesync.domain.gradebook import Category
from gradesync.domain.problem import CODES
from gradesync.domain.schedule import SyncType
from gradesync.errors import ConnectionProblem

Labelled = Sequence[tuple[str, ConnectionProblem | None]]
Answer = Check | Sequence[Check]

SECONDS = 30.0
"""How long one check may take; those that read lists of a whole district have `LONG`."""
LONG = 90.0
_MOST_POSTERS = 20
_SLOW_DOWN = frozenset({"GS-301", "GS-507"})
"""Who asks us to slow down is asked nothing more: an examination can be made again."""


class CanvasSide(Protocol):
    """Canvas as an examination asks it; every method raises ConnectionProblem."""

    async def hello(self) -> Hello: ...
    async def whose(self) -> int: ...
    async def token_end(self) -> TokenEnd: ...
    async def permissions(self, names: Sequence[str]) -> Mapping[str, bool] | None: ...
    async def includes(self) -> bool | None: ...
    async def account_calls(self, names: Sequence[str]) -> Labelled: ...
    async def course_calls(self, course_id: int) -> Labelled: ...
    async def terms(self) -> Sequence[Term]: ...
    async def graphql(self) -> GraphQl | None: ...
    async def admin(self, posted_by: str) -> Admin | None: ...
    async def sections(self, courses: int) -> SectionSample: ...
    async def students(self, section_id: int) -> Students: ...
    async def groups(self, course_id: int) -> Groups: ...


class SisSide(Protocol):
    """The SIS's service likewise."""

    async def may_read(self) -> Granted: ...
    async def may_write(self) -> Granted | None: ...
    async def hello(self) -> Hello: ...
    async def page(self) -> Page | None: ...
    async def terms(self) -> Sequence[Term]: ...
    async def class_ids(self) -> frozenset[str]: ...
    async def members(self, class_id: str) -> frozenset[str]: ...
    async def categories(self, class_ids: Sequence[str]) -> Mapping[str, Sequence[Category]]: ...
    async def roster_answers(self) -> Labelled: ...
    async def gradebook_answers(self, class_id: str | None) -> Labelled: ...


class Instruments(Protocol):
    """Opens both sides for one account, with keys but without a way to write."""

    def canvas(self) -> AbstractAsyncContextManager[CanvasSide]: ...
    def sis(self) -> AbstractAsyncContextManager[SisSide]: ...
    async def canvas_certificate(self) -> Certificate: ...
    async def sis_certificate(self) -> Certificate: ...

    async def roster_files(self) -> str:
        """Look at the newest roster file, or at the file server; a sentence about it."""
        ...


@dataclass(frozen=True, slots=True)
class Patient:
    """One account as its files say; the identities are those recorded, None before first contact."""

    account: Account
    canvas_expires: date | None = None
    sis_expires: date | None = None
    canvas_identity: str | None = None
    sis_identity: str | None = None

    def has(self, sync: SyncType) -> bool:
        """Whether any schedule, paused ones too, is of this type."""
        return any(one.type is sync for one in self.account.schedules.values())

    @property
    def types(self) -> tuple[str, ...]:
        """The sync types of the account; both while it has no schedule yet."""
        kinds = tuple(str(one) for one in SyncType if self.has(one))
        return kinds or tuple(map(str, SyncType))

    @property
    def rest(self) -> bool:
        """Whether the SIS is a service that is asked at all, and not known by its roster files alone."""
        return bool(self.account.sis.url)


@dataclass
class Side:
    """The checks of one side under way. `dead` is why nothing more can be asked of it."""

    name: str
    now: Callable[[], datetime]
    checks: list[Check] = field(default_factory=list)
    dead: str | None = None

    async def make(
        self,
        name: str,
        work: Callable[[], Awaitable[Answer]],
        *,
        seconds: float = SECONDS,
        vital: bool = False,
    ) -> bool:
        """Make one check; True when it came to an answer. Without a `vital` one nothing further can be asked."""
        if self.dead is not None:
            self.checks.append(skipped(name, self.name, self.dead))
            return False
        try:
            async with asyncio.timeout(seconds):
                answer = await work()
        except TimeoutError:
            code = "GS-302" if self.name == CANVAS else "GS-508"
            late = ConnectionProblem(f"The answer did not come within {seconds:.0f} seconds", code=code)
            made: Sequence[Check] = [of_problem(name, self.name, late)]
        except ConnectionProblem as problem:
            made = [of_problem(name, self.name, problem)]
        else:
            self.checks += [answer] if isinstance(answer, Check) else answer
            return True
        self.checks += made
        code = made[0].code or ""
        if vital or code in _SLOW_DOWN:
            self.dead = f"{_lowered(CODES[code].title)} ({code})"
        return False


def _lowered(title: str) -> str:
    """A title inside a sentence; names of things keep their capitals."""
    first = title.split(" ", 1)[0]
    return title if first in ("Canvas", "SIS") else f"{title[:1].lower()}{title[1:]}"


def refused(name: str, side: str, answers: Labelled, fit: str) -> Check:
    """Endpoints that answered and those that did not; the worst refusal names code and remedy."""
    failed = [(label, problem) for label, problem in answers if problem is not None]
    if not failed:
        return fine(
            name, side, f"{fit} {len(answers)} of {len(answers)} calls answer.", {"calls": len(answers)}
        )
    labels = ", ".join(label for label, _ in failed)
    told = of_problem(name, side, failed[0][1])
    sentence = f"{len(failed)} of {len(answers)} calls get no answer that can be used: {labels}."
    counts = {"calls": len(answers), "refused": len(failed)}
    return found(
        name, side, Verdict.FAIL, sentence, told.code or "", remedy=told.remedy, who=told.who, counts=counts
    )


async def look_at_canvas(side: Side, canvas: CanvasSide, tools: Instruments, patient: Patient) -> None:
    """Every check of Canvas alone."""
    account, today = patient.account, side.now().date()

    async def secure() -> Check:
        return judging.certificate("canvas-tls", CANVAS, await tools.canvas_certificate(), side.now())

    async def token() -> Sequence[Check]:
        hello = await canvas.hello()
        user = await canvas.whose()
        return [
            fine("canvas-token", CANVAS, f"Canvas takes the token; it is the one of Canvas user {user}."),
            fine(
                "canvas-user-agent",
                CANVAS,
                "Canvas takes requests under the name gradesync sends (User-Agent).",
            ),
            judging.identity("canvas-identity", CANVAS, hello.identity, patient.canvas_identity),
            judging.clock("canvas-clock", CANVAS, hello),
            judging.throttle(hello, account.canvas.concurrency),
        ]

    async def end() -> Check:
        told = await canvas.token_end()
        return judging.key_end("canvas-token-end", CANVAS, patient.canvas_expires, told, today)

    async def rights() -> Sequence[Check]:
        names = (*judging.needed_permissions(patient.types), "manage_sis", judging.ACT_AS)
        return judging.permissions(await canvas.permissions(names), patient.types)

    async def parts() -> Check:
        return matching.includes(await canvas.includes())

    async def calls() -> Check:
        names = ["courses", "terms"]
        if str(SyncType.ROSTER_IMPORT) in patient.types:
            names += ["sub_accounts", "users", "sis_imports"]
        return refused(
            "canvas-calls", CANVAS, await canvas.account_calls(names), "Of the account's listings,"
        )

    async def terms() -> Check:
        return matching.terms("canvas-terms", CANVAS, await canvas.terms(), account.scope, today)

    async def changes() -> Check:
        return matching.graphql(await canvas.graphql())

    await side.make("canvas-tls", secure, vital=True)
    await side.make("canvas-token", token, vital=True)
    for name, work in (
        ("canvas-token-end", end),
        ("canvas-permissions", rights),
        ("canvas-includes", parts),
        ("canvas-calls", calls),
        ("canvas-terms", terms),
    ):
        await side.make(name, work)
    if str(SyncType.GRADE_PASSBACK) in patient.types:
        await side.make("canvas-graphql", changes)
    for schedule, person in _posters(account):
        await side.make(f"posted-by-{schedule}", _posted(canvas, schedule, person))


def _posters(account: Account) -> list[tuple[str, str]]:
    """Each person once, with the first schedule that names them."""
    first: dict[str, str] = {}
    for name, schedule in sorted(account.schedules.items()):
        if schedule.posted_by:
            first.setdefault(schedule.posted_by, name)
    return [(name, person) for person, name in first.items()][:_MOST_POSTERS]


def _posted(canvas: CanvasSide, schedule: str, person: str) -> Callable[[], Awaitable[Check]]:
    async def look() -> Check:
        seen = await canvas.admin(person)
        if seen is None:
            return skipped(f"posted-by-{schedule}", CANVAS, "the token may not list the account's admins")
        return matching.posted_by(schedule, seen)

    return look


async def look_at_sis(side: Side, sis: SisSide, tools: Instruments, patient: Patient) -> None:
    """Every check of the SIS's service alone."""
    scope, today = patient.account.scope, side.now().date()

    async def secure() -> Check:
        return judging.certificate("sis-tls", SIS, await tools.sis_certificate(), side.now())

    async def token() -> Sequence[Check]:
        granted = await sis.may_read()
        return [
            fine("sis-token", SIS, "The SIS gives a token for the client id and secret."),
            judging.reading_scopes(granted),
            judging.key_end("sis-token-end", SIS, patient.sis_expires, None, today),
        ]

    async def hello() -> Sequence[Check]:
        seen = await sis.hello()
        return [
            judging.identity("sis-identity", SIS, seen.identity, patient.sis_identity),
            judging.clock("sis-clock", SIS, seen),
        ]

    async def writing() -> Check:
        granted = await sis.may_write()
        if granted is None:
            return spare(
                "sis-scopes-write", SIS, "No schedule sends grades, so no right to write is asked for."
            )
        return judging.scopes("sis-scopes-write", "writing grades", granted)

    async def roster() -> Check:
        return _collections(await sis.roster_answers())

    async def gradebook() -> Check:
        classes = await sis.class_ids()
        one = min(classes, default=None)
        return _gradebook(await sis.gradebook_answers(one), patient.account.sis.profile.version)

    async def paging() -> Check:
        seen = await sis.page()
        if seen is None:
            return spare(
                "sis-paging", SIS, "The SIS shows its classes by school only, so pages are small anyway."
            )
        return matching.paging(seen)

    async def terms() -> Check:
        return matching.terms("sis-terms", SIS, await sis.terms(), scope, today)

    await side.make("sis-tls", secure, vital=True)
    await side.make("sis-token", token, vital=True)
    await side.make("sis-identity", hello)
    await side.make("sis-scopes-write", writing)
    if patient.account.sis.roster is None:
        await side.make("sis-roster", roster)
        await side.make("sis-paging", paging)
    if str(SyncType.GRADE_PASSBACK) in patient.types:
        await side.make("sis-gradebook", gradebook, seconds=LONG)
    await side.make("sis-terms", terms, seconds=LONG)


def _collections(answers: Labelled) -> Check:
    """Flat collections a SIS may refuse: a roster is then read by school or by class, so only all of them count."""
    name = "sis-roster"
    failed = [label for label, problem in answers if problem is not None]
    if failed and len(failed) < len(answers):
        sentence = f"The SIS shows {', '.join(failed)} not as a whole; they are read by school or by class."
        return fine(name, SIS, sentence, {"calls": len(answers), "narrow": len(failed)})
    return refused(name, SIS, answers, "Of the roster's collections,")


def _gradebook(answers: Labelled, version: str) -> Check:
    """Without the flat categories, 1.2 is asked class by class; without line items or results nothing can go."""
    kept = [(label, problem) for label, problem in answers if label != "categories" or version == "1.1"]
    return refused("sis-gradebook", SIS, kept, "Reading the gradebook:")
