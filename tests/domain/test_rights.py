"""Who may do what: nothing is given that nobody wrote, and a refusal names what is missing and who may."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.acting import Identity
from gradesync.domain.rights import EVERYWHERE, Right, Target, refusal

PEOPLE: dict[str, dict[str, Any]] = {
    "ana": {"name": "Ana Ortiz", "logins": ["aortiz"], "may": {"everything": [EVERYWHERE]}},
    "ben": {
        "name": "Ben Lee",
        "logins": ["github:blee", "os:ben"],
        "may": {"pause": [EVERYWHERE], "run": ["riverside", "oak-*"], "resume": ["group:north"]},
    },
    "cleo": {"name": "Cleo", "logins": ["cleo"], "may": {}},
}
RIVERSIDE, OAK, ELM = Target("riverside", "north"), Target("oak-hill", "south"), Target("elm", "north")
ANYWHERE = Target()


def os(login: str) -> Identity:
    return Identity(login, "os", "OS user")


def may(who: Identity, right: Right, target: Target) -> bool:
    return refusal(PEOPLE, who, right, target) is None


@pytest.mark.parametrize(
    ("right", "target", "expected"),
    [
        (Right.PAUSE, ANYWHERE, True),
        (Right.PAUSE, ELM, True),
        (Right.RUN, RIVERSIDE, True),
        (Right.RUN, OAK, True),
        (Right.RUN, ELM, False),
        (Right.RUN, ANYWHERE, False),
        (Right.RESUME, ELM, True),
        (Right.RESUME, OAK, False),
        (Right.RESUME, Target(group="north"), True),
        (Right.RESUME, ANYWHERE, False),
        (Right.APPROVE, RIVERSIDE, False),
    ],
)
def test_a_right_counts_where_it_was_given(right: Right, target: Target, expected: bool) -> None:
    assert may(os("ben"), right, target) is expected


def test_a_login_with_its_realm_counts_nowhere_else() -> None:
    assert may(Identity("BLEE", "github", "CI dispatch"), Right.PAUSE, RIVERSIDE)
    assert not may(os("blee"), Right.PAUSE, RIVERSIDE)
    assert not may(Identity("blee", "gitlab", "CI dispatch"), Right.PAUSE, RIVERSIDE)
    assert may(os("aortiz"), Right.APPROVE, ANYWHERE)
    assert not may(os("AOrtiz"), Right.APPROVE, ANYWHERE)


def test_several_entries_of_a_login_add_up() -> None:
    more = {**PEOPLE, "ben-2": {"name": "Ben Lee", "logins": ["ben"], "may": {"approve": ["elm"]}}}
    assert refusal(more, os("ben"), Right.APPROVE, ELM) is None
    assert refusal(more, os("ben"), Right.PAUSE, ELM) is None


def test_without_any_right_in_the_file_nobody_is_refused() -> None:
    book: dict[str, dict[str, Any]] = {"ana": {"name": "Ana", "logins": ["aortiz"], "may": {}}}
    assert refusal({}, os("anybody"), Right.APPROVE, ANYWHERE) is None
    assert refusal(book, os("anybody"), Right.APPROVE, ANYWHERE) is None


def test_a_refusal_names_who_may() -> None:
    unknown = refusal(PEOPLE, os("mallory"), Right.RUN, RIVERSIDE)
    assert unknown is not None
    assert unknown.who_may == ("Ana Ortiz", "Ben Lee")
    assert "mallory (OS user) is nobody" in unknown.sentence
    known = refusal(PEOPLE, os("cleo"), Right.RUN, ELM)
    assert known is not None
    assert (known.who_may, known.sentence) == (
        ("Ana Ortiz",),
        "cleo (OS user) has no right `run`, which this needs on elm",
    )
    elsewhere = refusal(PEOPLE, os("ben"), Right.RUN, ELM)
    assert elsewhere is not None
    assert "may `run` only on oak-*, riverside, not on elm" in elsewhere.sentence


def test_clocks_and_ci_carry_out_passes_and_nothing_else() -> None:
    clock = Identity("scheduler", "os", "system cron", by_clock=True)
    ci = Identity("someone", "github", "CI push")
    for who in (clock, ci):
        assert may(who, Right.RECONCILE, ANYWHERE)
        for right in set(Right) - {Right.RECONCILE}:
            assert not may(who, right, RIVERSIDE)
    assert not may(os("someone"), Right.RECONCILE, ANYWHERE)


@given(
    login=st.text(max_size=12),
    right=st.sampled_from(Right),
    target=st.sampled_from([RIVERSIDE, OAK, ELM, ANYWHERE, Target(group="north")]),
    realm=st.sampled_from(["os", "github", "gitlab", "ci"]),
)
def test_whom_nobody_wrote_down_may_nothing_but_what_ci_may(
    login: str, right: Right, target: Target, realm: str
) -> None:
    who = Identity(login, realm, "x")
    named = any(who.is_named(one) for person in PEOPLE.values() for one in person["logins"])
    if not named and not (right is Right.RECONCILE and realm != "os"):
        assert not may(who, right, target)
