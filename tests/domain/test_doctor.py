"""What an examination makes of facts: limits, who must act, and how it ends. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain import doctor_judging as judging
from gradesync.domain import doctor_matching as matching
from gradesync.domain.account import PassbackPolicy, Scope
from gradesync.domain.doctor import (
    CANVAS,
    SIDES,
    SIS,
    Check,
    Examination,
    Verdict,
    by_who,
    fine,
    lines_of,
    of_problem,
    skipped,
)
from gradesync.domain.doctor_facts import (
    Admin,
    Certificate,
    Granted,
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
from gradesync.errors import ConnectionProblem

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOW.date()
OK, WARN, FAIL, SKIPPED = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.SKIPPED


def _sound(check: Check) -> None:
    """Whatever is found, somebody can act on it; whatever is fine asks nobody."""
    assert check.sentence.endswith(".")
    assert check.side in SIDES
    assert check.needs_action == (check.code is not None) == bool(check.remedy) == bool(check.who)


@pytest.mark.parametrize(("days", "verdict"), [(400, OK), (21, OK), (20, WARN), (0, WARN)])
def test_a_certificate_is_told_of_three_weeks_before_its_end(days: int, verdict: Verdict) -> None:
    seen = Certificate("h", NOW + timedelta(days=days, hours=1))
    check = judging.certificate("sis-tls", SIS, seen, NOW)
    _sound(check)
    assert check.verdict is verdict
    assert check.who == ("SIS admin" if verdict is WARN else "")
    assert judging.certificate("canvas-tls", CANVAS, seen, NOW).who in ("", "Canvas admin")


@given(st.integers(-100_000, 100_000))
def test_clocks_may_differ_by_a_minute_and_not_by_five(seconds: int) -> None:
    hello = Hello("x", NOW + timedelta(seconds=seconds), NOW)
    check = judging.clock("canvas-clock", CANVAS, hello)
    _sound(check)
    assert check.verdict is (OK if abs(seconds) <= 60 else WARN if abs(seconds) <= 300 else FAIL)
    if check.verdict is not OK:
        assert ("ahead of" in check.sentence) == (seconds > 0)


def test_a_server_without_a_clock_is_no_fault() -> None:
    assert judging.clock("sis-clock", SIS, Hello("x", None, NOW)).verdict is SKIPPED


@pytest.mark.parametrize(
    ("said", "told", "verdict", "code"),
    [
        (None, None, SKIPPED, None),
        (None, TokenEnd(told=True), OK, None),
        (None, TokenEnd(told=False), SKIPPED, None),
        (TODAY + timedelta(days=31), None, OK, None),
        (TODAY + timedelta(days=30), None, WARN, "GS-204"),
        (TODAY, None, WARN, "GS-204"),
        (TODAY - timedelta(days=1), None, FAIL, "GS-201"),
        (TODAY + timedelta(days=200), TokenEnd(told=True, ends=NOW + timedelta(days=100)), WARN, "GS-204"),
        (TODAY + timedelta(days=100), TokenEnd(told=True, ends=NOW + timedelta(days=200)), OK, None),
    ],
)
def test_the_end_of_a_key(
    said: date | None, told: TokenEnd | None, verdict: Verdict, code: str | None
) -> None:
    check = judging.key_end("canvas-token-end", CANVAS, said, told, TODAY)
    _sound(check)
    assert (check.verdict, check.code) == (verdict, code)


@given(
    st.sets(st.sampled_from([*judging.WORDS, "manage_sis"])),
    st.sets(st.sampled_from(["roster import", "grade passback"]), min_size=1),
)
def test_rights_are_enough_exactly_when_every_needed_one_is_there(held: set[str], types: set[str]) -> None:
    answer = {name: name in held for name in (*judging.WORDS, "manage_sis")}
    first, *more = judging.permissions(answer, sorted(types))
    readable = held | ({"read_sis"} if "manage_sis" in held else set())
    assert (first.verdict is OK) == (set(judging.needed_permissions(types)) <= readable)
    assert [one.name for one in more] == ["canvas-act-as"] * ("become_user" in held)
    for check in (first, *more):
        _sound(check)


def test_grade_rights_are_not_asked_for_where_only_rosters_go() -> None:
    assert judging.needed_permissions(["roster import"]) == ("read_course_list", "read_sis", "import_sis")
    assert "import_sis" not in judging.needed_permissions(["grade passback"])
    assert judging.permissions(None, ["roster import"])[0].verdict is SKIPPED


@pytest.mark.parametrize(
    ("granted", "verdict"), [(None, OK), (frozenset({"x/a", "x/b"}), OK), (frozenset({"x/a"}), FAIL)]
)
def test_scopes_that_are_kept_back_are_named_and_silence_means_all(
    granted: frozenset[str] | None, verdict: Verdict
) -> None:
    check = judging.scopes("sis-scopes-write", "writing", Granted(("x/a", "x/b"), granted))
    _sound(check)
    assert check.verdict is verdict
    if verdict is FAIL:
        assert "b missing" in check.sentence
        assert judging.reading_scopes(Granted(("x/a", "x/b"), granted)).verdict is WARN


def test_a_full_bucket_is_told_before_canvas_refuses() -> None:
    assert judging.throttle(Hello("x", None, NOW, remaining=600.0), 5).verdict is OK
    assert judging.throttle(Hello("x", None, NOW, remaining=240.0), 5).code == "GS-301"
    assert judging.throttle(Hello("x", None, NOW), 5).verdict is SKIPPED


FALL = Term("Fall", date(2026, 8, 1), date(2027, 1, 20))


@pytest.mark.parametrize(
    ("terms", "scope", "verdict"),
    [
        ([FALL], Scope(), OK),
        ([FALL], Scope(terms=("fall",)), OK),
        ([FALL], Scope(terms=("Spring",)), FAIL),
        ([], Scope(), WARN),
        ([Term("Default", None, None)], Scope(), WARN),
        ([Term("Old", date(2025, 8, 1), date(2026, 1, 20))], Scope(), WARN),
        ([Term("Short", date(2026, 8, 1), TODAY + timedelta(days=14))], Scope(), WARN),
        ([Term("Short", date(2026, 8, 1), TODAY + timedelta(days=3)), FALL], Scope(), OK),
    ],
)
def test_terms_of_the_sis(terms: Sequence[Term], scope: Scope, verdict: Verdict) -> None:
    check = matching.terms("sis-terms", SIS, terms, scope, TODAY)
    _sound(check)
    assert check.verdict is verdict
    assert "Spring" not in check.sentence


@given(st.lists(st.sampled_from([None, "known", "strange"]), max_size=12))
def test_sections_are_fine_exactly_when_all_are_tied_to_known_classes(ids: list[str | None]) -> None:
    sample = SectionSample(tuple(Section(1, n, one) for n, one in enumerate(ids)), 1, more=False)
    check = matching.class_ids(sample, {"known"})
    _sound(check)
    met = ids.count("known")
    assert check.verdict is (OK if ids and met == len(ids) else FAIL if ids and not met else WARN)
    if ids:
        assert (check.counts["known"], check.counts["sections"]) == (met, len(ids))


def test_what_does_not_fit_is_named_by_its_place_in_canvas() -> None:
    sections = (Section(1, 10, "known"), Section(2, 20, None), Section(3, 30, "strange"))
    check = matching.class_ids(SectionSample(sections, 3, more=False), {"known"})
    assert check.names == ("courses/2/sections/20", "courses/3/sections/30")
    fits, without = Students(frozenset({"a"}), 0), Students(frozenset({"a"}), 1)
    pairs = [(fits, frozenset({"a"})), (without, frozenset({"a"})), (fits, frozenset[str]())]
    assert matching.student_ids(pairs, ["x", "y", "z"]).names == ("y", "z")


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_students_are_counted_as_known_without_id_or_not_in_class(met: int, without: int, away: int) -> None:
    there = frozenset(f"m{n}" for n in range(met))
    canvas = Students(there | {f"a{n}" for n in range(away)}, without)
    check = matching.student_ids([(canvas, there | {"somebody else"})])
    _sound(check)
    if met + without + away:
        assert check.counts == {
            "students": met + without + away,
            "known": met,
            "without_id": without,
            "not_in_class": away,
        }
        assert check.verdict is (OK if not without + away else WARN if met else FAIL)


CATEGORIES = (Category("1", "Homework"), Category("2", "Tests"), Category("3", "tests"))


@pytest.mark.parametrize(
    ("marked", "mapped", "code"),
    [
        ({"homework ": 3}, {}, None),
        ({"Labs": 3}, {}, "GS-405"),
        ({"Labs": 3}, {"Labs": "Homework"}, None),
        ({"TESTS": 1}, {}, "GS-406"),
        ({}, {}, None),
    ],
)
def test_groups_are_matched_as_a_run_would(
    marked: Mapping[str, int], mapped: Mapping[str, str], code: str | None
) -> None:
    policy = PassbackPolicy(category_map=mapped)
    check = matching.categories([("c", Groups(marked), CATEGORIES)], policy)
    _sound(check)
    assert check.code == code
    assert not any(title in check.sentence for title in marked)
    if code:
        assert check.names == tuple(marked)
        assert check.counts["assignments_affected"] == sum(marked.values())


@pytest.mark.parametrize(
    "seen", [Admin(False, False, False), Admin(True, False, True), Admin(True, True, False)]
)
def test_somebody_who_is_no_active_admin_is_only_a_warning(seen: Admin) -> None:
    check = matching.posted_by("grades", seen)
    _sound(check)
    assert (check.verdict, check.code) == (WARN, "GS-109")
    assert matching.posted_by("grades", Admin(True, True, True)).verdict is OK


def test_paging_never_fails_and_says_what_would_spare_requests() -> None:
    assert "page_size: 100" in matching.paging(Page(1000, 100, 5000)).sentence
    assert "empty end" in matching.paging(Page(1000, 100, None)).sentence
    assert matching.paging(Page(1000, 1000, 5000)).verdict is OK


@pytest.mark.parametrize("code", sorted(CODES))
def test_any_refusal_becomes_a_check_with_somebody_to_act(code: str) -> None:
    for side in SIDES:
        check = of_problem("x", side, ConnectionProblem("it did not", code=code, vendor_text="Jane Doe"))
        assert check.needs_action
        assert check.remedy.endswith(".")
        assert check.who
        assert check.who != "admin"
        assert "Jane" not in repr(check)


@given(
    st.lists(
        st.tuples(st.sampled_from(Verdict), st.sampled_from(sorted(CODES)), st.sampled_from(SIDES)),
        max_size=8,
    )
)
def test_it_ends_with_one_for_a_failure_three_for_a_warning_and_every_finding_is_on_somebodys_list(
    made: list[tuple[Verdict, str, str]],
) -> None:
    checks = tuple(
        Check(f"c{n}", side, verdict, "S.", code, CODES[code].remedy, CODES[code].who)
        for n, (verdict, code, side) in enumerate(made)
    )
    told = Examination("a", NOW, checks)
    kinds = {verdict for verdict, _, _ in made}
    assert told.exit_code == (1 if FAIL in kinds else 3 if WARN in kinds else 0)
    listed = [check for _, group in by_who(checks) for check in group]
    assert sorted(one.name for one in listed) == sorted(one.name for one in checks if one.needs_action)
    for _, group in by_who(checks):
        order = [one.verdict is not FAIL for one in group]
        assert order == sorted(order)


def test_what_was_not_made_for_one_reason_shares_a_line() -> None:
    lines = lines_of(
        [
            fine("a", CANVAS, "Fine."),
            skipped("canvas-b-c", CANVAS, "it is down"),
            skipped("d", CANVAS, "it is down"),
        ]
    )
    assert lines == [(OK, "Fine."), (SKIPPED, "Not checked, because it is down: b c, d.")]
