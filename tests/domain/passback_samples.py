"""A class of one SIS and its Canvas course, small enough to read: what the passback tests decide about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from gradesync.domain.account import PassbackPolicy
from gradesync.domain.gradebook import (
    Assignment,
    Category,
    GradingPeriod,
    LineItem,
    Result,
    SectionStudent,
    SisCatalogue,
    SisClass,
    SisGradebook,
    Submission,
)
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.passback import ClassDecision, ClassInput, LineItemDecision, decide_class
from gradesync.domain.profile import PROFILES
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry
from gradesync.domain.wish import Rules, Verdict

CLASS, SECTION = "c1", 71
ROOT = "root-uuid"
HASH = KeyedHash(b"k" * 32, "riverside")
DUE = datetime(2026, 10, 2, 3, 59, tzinfo=UTC)  # the evening of 1 October in New York
GRADED = datetime(2026, 10, 5, 15, 0, tzinfo=UTC)
TODAY = date(2026, 10, 20)

CATALOGUE = SisCatalogue(
    classes={CLASS: SisClass(CLASS, "oak", ("q1", "q2"), "MATH-1")},
    categories=(Category("hw", "Homework"), Category("tests", "Tests", CLASS)),
    periods=(
        GradingPeriod("q1", "Q1", date(2026, 9, 1), date(2026, 11, 15), "s1"),
        GradingPeriod("q2", "Q2", date(2026, 11, 15), date(2027, 2, 1), "s1"),
    ),
)


def rules(
    decimals: int = 2,
    max_title: int | None = None,
    unique: bool = False,
    sis: str = "genesis",
    profile: Mapping[str, Any] | None = None,
    time_zone: str = "America/New_York",
    **policy: Any,
) -> Rules:
    """Rules of an account with a policy; `profile` overrides single keys of the profile named `sis`."""
    usual = replace(PROFILES[sis], decimals=decimals, max_title=max_title, unique_titles=unique)
    return Rules(PassbackPolicy(**policy), replace(usual, **(profile or {})), time_zone, ROOT, HASH)


def assignment(id: int = 1, **more: Any) -> Assignment:
    usual = Assignment(
        id=id,
        course_id=5,
        title=f"Work {id}",
        group="Homework",
        points=Decimal(10),
        grading_type="points",
        due_at=DUE,
        assign_at=None,
        flagged=True,
        published=True,
    )
    return replace(usual, **more)


def submission(
    score: str | None = "8.5", assignment_id: int = 1, user_id: int = 11, **more: Any
) -> Submission:
    usual = Submission(
        assignment_id=assignment_id,
        user_id=user_id,
        score=None if score is None else Decimal(score),
        excused=False,
        missing=False,
        late=False,
        posted_at=GRADED,
        graded_at=GRADED,
        state="graded",
    )
    return replace(usual, **more)


def student(user_id: int = 11, **more: Any) -> SectionStudent:
    return replace(SectionStudent(user_id, f"s{user_id}", SECTION, CLASS, "active"), **more)


def given(
    assignments: Iterable[Assignment] = (assignment(),),
    submissions: Iterable[Submission] = (submission(),),
    students: Iterable[SectionStudent] = (student(),),
    line_items: Iterable[LineItem] = (),
    results: Iterable[Result] = (),
    ledger: Mapping[tuple[str, str], LedgerEntry] | None = None,
    complete: bool = True,
    listed: frozenset[str] = frozenset({"s11", "s12", "s13", "s14"}),
) -> ClassInput:
    return ClassInput(
        class_id=CLASS,
        section_ids=frozenset({SECTION}),
        students=tuple(students),
        assignments=tuple(assignments),
        submissions=tuple(submissions),
        sis=SisGradebook(CLASS, tuple(line_items), tuple(results), listed),
        ledger=ledger or {},
        complete=complete,
        today=TODAY,
    )


def decide(one: ClassInput, given_rules: Rules | None = None) -> ClassDecision:
    return decide_class(one, CATALOGUE, given_rules or rules())


def sent(decision: ClassDecision) -> int:
    verdicts = [*(d.verdict for d in decision.line_items), *(d.verdict for d in decision.results)]
    return verdicts.count(Verdict.SEND)


def after(one: ClassInput, decision: ClassDecision, *, ledger: bool = True) -> ClassInput:
    """The same class once the SIS has taken the decision exactly, and (unless told otherwise) it was recorded."""
    items = {item.id: item for item in one.sis.line_items}
    results = {result.id: result for result in one.sis.results}
    book = dict(one.ledger)
    for d in decision.line_items:
        if d.verdict is Verdict.SEND and d.item is not None:
            items[d.item.id] = d.item
            book[(LINE_ITEM, d.subject)] = entry(LINE_ITEM, d.subject, d.item.id, d.value)
        elif d.verdict is Verdict.DELETE and d.item is not None:
            del items[d.item.id], book[(LINE_ITEM, d.subject)]
        elif d.forget:
            del book[(LINE_ITEM, d.subject)]
    for r in decision.results:
        if r.verdict in (Verdict.SEND, Verdict.BLANK) and r.result is not None:
            results[r.result.id] = r.result
            book[(RESULT, r.subject)] = entry(RESULT, r.subject, r.result.id, r.value)
        elif r.verdict is Verdict.DELETE and r.result is not None:
            del results[r.result.id], book[(RESULT, r.subject)]
        elif r.forget:
            del book[(RESULT, r.subject)]
    sis = replace(one.sis, line_items=tuple(items.values()), results=tuple(results.values()))
    return replace(one, sis=sis, ledger=book if ledger else one.ledger)


def entry(
    kind: str, subject: str, record_id: str, value: str | None, intent: str | None = None
) -> LedgerEntry:
    return LedgerEntry(kind, subject, CLASS, record_id, value, value, intent)


def entry_with_intent(d: LineItemDecision) -> LedgerEntry:
    """What a run leaves that broke off after it had sent a column."""
    assert d.item is not None
    return entry(LINE_ITEM, d.subject, d.item.id, None, intent=d.value)


def column(one: Assignment, **policy: Any) -> LineItemDecision:
    """What is decided about one assignment with one score."""
    return decide(given([one], [submission(assignment_id=one.id)]), rules(**policy)).line_items[0]
