"""`gradesync explain`: a code in plain words, the life of one grade, or what teachers and others must do."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, carry_out, format_option, new_command, opened
from gradesync.cli.render import show
from gradesync.domain.documents import in_docs
from gradesync.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradesync.engine.explain import GradeWish

_ADDRESS = re.compile(r"(?:.*/)?courses/(\d{1,18})/assignments/(\d{1,18})(?:[/?#].*)?\Z")
_STUDENT = re.compile(r"(?:\d{1,18}|sis:.+)\Z", re.DOTALL)
_PERSON = re.compile(r"(?:.*?/)??(?:courses/(\d{1,18})/)?(?:users|grades)/(\d{1,18})(?:[/?#].*)?\Z")
"""A student's page, `courses/101/users/32`, or `courses/101/grades/32` with their grades in the course."""


@dataclass(frozen=True)
class _Asked:
    """What the options said about one grade."""

    assignment: str | None
    student: str | None
    was: str | None
    offline: bool
    show_values: bool

    @property
    def anything(self) -> bool:
        return bool(self.assignment or self.student or self.was or self.offline or self.show_values)


@new_command(
    "explain",
    "gradesync explain GS-405\n"
    "gradesync explain riverside/grades --assignment 4711 --student sis:s-1042\n"
    "gradesync explain riverside --assignment courses/12/assignments/4711 \\\n"
    "  --student courses/12/users/88 --was 87\n"
    "gradesync explain riverside --worklist",
)
@click.argument("target", metavar="CODE|ACCOUNT|ACCOUNT/SCHEDULE")
@format_option()
@click.option("--assignment", metavar="ID", help="The assignment: Canvas's number, or its address in Canvas.")
@click.option(
    "--student",
    metavar="ID",
    help="The student: Canvas's number, the address of their page, or sis: with the SIS's id.",
)
@click.option("--was", metavar="SCORE", help="Say whether this score was ever sent.")
@click.option("--offline", is_flag=True, help="Ask the store alone, neither Canvas nor the SIS.")
@click.option("--show-values", is_flag=True, help="Insist on scores and titles, which only a terminal shows.")
@click.option(
    "--worklist",
    is_flag=False,
    flag_value="",
    metavar="[DIR]",
    help="Write a list for each teacher, and one for each of the others who must act (default: ./worklist-ACCOUNT).",
)
def command(
    said: Invocation,
    target: str,
    form: str,
    assignment: str | None,
    student: str | None,
    was: str | None,
    offline: bool,
    show_values: bool,
    worklist: str | None,
) -> None:
    """Say what a GS code means; or why one grade is, or is not, in the SIS.

    Every look at a grade and every worklist is kept in the history, without the student.
    """
    asked = _Asked(assignment, student, was, offline, show_values)
    if worklist is not None:
        if asked.anything:
            raise click.UsageError("--worklist is asked for a whole account, not with one grade")
        _worklist(said, target, form, worklist)
    elif asked.anything:
        _grade(said, target, form, asked)
    else:
        _code(target, form)


def _code(code: str, form: str) -> None:
    from gradesync.domain.problem import CODES

    written = _CODE.match(code)
    name = f"GS-{written[1]}" if written else code
    found = CODES.get(name)
    if found is None:
        if not written:
            raise NotFound(
                f"{code} is no code",
                hint=f"`gradesync show {code}` tells about an account or a schedule; name a grade of it with "
                "--assignment and --student, or ask for --worklist",
            )
        near = _near(name, CODES)
        told = f"did you mean {' or '.join(near)}? " if near else ""
        raise NotFound(f"there is no code {name}", hint=f"{told}{_LIST}")
    show(form, "code", found)


_CODE = re.compile(r"(?:GS-?)?(\d{1,6})\Z", re.ASCII | re.IGNORECASE)
"""`GS-405`, and what people make of it: `gs405`, `405`."""

_LIST = f"{in_docs('codes/README')} lists every code; a run, a plan and the page name the code they mean"


def _near(name: str, codes: Iterable[str]) -> list[str]:
    """Codes of the same hundred in which one digit is another, the nearest number first; two at most."""
    near = [
        code
        for code in codes
        if (len(code), code[:4]) == (len(name), name[:4])
        and sum(one != other for one, other in zip(code, name, strict=True)) == 1
    ]
    return sorted(near, key=lambda code: abs(int(code[3:]) - int(name[3:])))[:2]


def _place(target: str) -> tuple[str, str | None]:
    """ACCOUNT or ACCOUNT/SCHEDULE."""
    if "/" not in target:
        return target, None
    from gradesync.domain.schedule import ScheduleId

    try:
        id = ScheduleId.parse(target)
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None
    return id.account, id.name


def _grade(said: Invocation, target: str, form: str, asked: _Asked) -> None:
    terminal = form == "text" and sys.stdout.isatty()
    if asked.show_values and not terminal:
        raise click.UsageError("--show-values is for a terminal: scores must not end up in a file or a log")
    account, schedule = _place(target)
    wish = _wish(asked, values=terminal)
    from gradesync.cli.progress import watching
    from gradesync.engine.explain import explain_grade

    watch = watching()
    with opened(said, progress=watch) as app:
        try:
            found = carry_out(explain_grade(app.tools(), account, schedule, wish))
        finally:
            watch.clear()
        show(form, "explanation", found)


def _wish(asked: _Asked, *, values: bool) -> GradeWish:
    from gradesync.engine.explain import GradeWish

    if asked.assignment is None or asked.student is None:
        raise click.UsageError("a grade is named by --assignment and --student")
    course, assignment = _assignment(asked.assignment)
    their_course, student = _student(asked.student)
    if None not in (course, their_course) and course != their_course:
        raise click.UsageError("the two addresses are of different courses: a grade is in one")
    return GradeWish(
        assignment, student, course or their_course, asked.offline, _number(asked.was), values=values
    )


def _student(text: str) -> tuple[int | None, str]:
    """Course (where the address tells it) and student. Raises a usage error."""
    if _STUDENT.match(text):
        # Two spellings of one number would be two pseudonyms in the history.
        return None, text if text.startswith("sis:") else str(int(text))
    found = _PERSON.match(text)
    if found is None:
        raise click.UsageError(
            "--student takes Canvas's number, the address of the student's page with courses/N/users/N, or sis: with "
            "the SIS's id"
        )
    return (int(found[1]) if found[1] else None), str(int(found[2]))


def _assignment(text: str) -> tuple[int | None, int]:
    """Course (where the address tells it) and assignment. Raises a usage error."""
    if text.isdecimal() and len(text) <= 18:
        return None, int(text)
    found = _ADDRESS.match(text)
    if found is None:
        raise click.UsageError(
            "--assignment takes Canvas's number, or its address with courses/N/assignments/N"
        )
    return int(found[1]), int(found[2])


def _number(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise click.UsageError("--was takes a number, like 87 or 8.5") from None
    if not number.is_finite() or number.adjusted() > 12:
        raise click.UsageError("--was takes a number, like 87 or 8.5")
    return number


def _worklist(said: Invocation, target: str, form: str, folder: str) -> None:
    from gradesync.cli.progress import watching
    from gradesync.cli.worklist import prepare, write
    from gradesync.engine.explain import passback_of
    from gradesync.engine.worklist import make_worklist

    account, schedule = _place(target)
    watch = watching()
    with opened(said, progress=watch) as app:
        tools = app.tools()
        passback_of(tools, account, schedule)
        place = Path(folder or f"worklist-{account}")
        prepare(place)
        try:
            found = carry_out(make_worklist(tools, account, schedule))
        finally:
            watch.clear()
        write(found, place)
        show(form, "worklist", found, str(place))
