"""The catalogue holds what support needs for every code, in plain words, and the house uses exactly these codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradesync.domain.problem import CODES, ENDS_RUN, RESERVED, Act, Code, Radius

HOUSE = Path(__file__).parents[2] / "gradesync"
USED = {
    code
    for path in HOUSE.rglob("*.py")
    if "catalogue" not in path.parts and path.name != "problem.py"
    for code in re.findall(r"GS-\d{3}", path.read_text(encoding="utf-8"))
}
PEOPLE = {"teacher", "support", "admin", "Canvas admin", "SIS admin", "SIS vendor", "nobody", "us"}
entries = pytest.mark.parametrize("entry", CODES.values(), ids=lambda entry: entry.code)


@entries
def test_a_code_says_cause_remedy_and_what_happens_meanwhile_in_single_sentences(entry: Code) -> None:
    for text in (entry.cause, entry.remedy, entry.meanwhile):
        assert text.endswith(".")
        assert ". " not in text
        assert text[0].isupper()
    assert not entry.title.endswith(".")
    assert len(entry.cause) <= 120


@entries
def test_a_code_names_somebody_who_can_act_exactly_when_somebody_must(entry: Code) -> None:
    assert entry.who in PEOPLE
    if entry.act is Act.PERSON:
        assert entry.who != "nobody"
    assert entry.needs_person == (entry.act in (Act.PERSON, Act.BUG))
    assert (entry.act is Act.BUG) <= (entry.who == "us")
    if entry.remedy.startswith("None"):
        assert entry.who == "nobody"


@entries
def test_words_of_programmers_are_not_used_toward_teachers(entry: Code) -> None:
    text = f"{entry.title} {entry.cause} {entry.remedy} {entry.meanwhile}".lower()
    if entry.who == "teacher":
        jargon = ("http", "json", "api", "sourcedid", "endpoint", "ledger", "line item", "token", "payload")
        assert [word for word in jargon if word in text] == []


def test_codes_are_in_order_and_none_is_given_twice() -> None:
    assert list(CODES) == sorted(CODES)
    folder = HOUSE / "domain" / "catalogue"
    written = [
        code
        for path in sorted(folder.glob("*.py"))
        for code in re.findall(r'^        "(GS-\d{3})",$', path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert sorted(written) == list(CODES)


def test_every_code_the_house_names_is_in_the_catalogue() -> None:
    assert USED - set(CODES) == set()


def test_a_code_no_module_names_is_reserved_and_the_reserved_ones_are_unused() -> None:
    assert set(CODES) - USED == RESERVED


def test_what_ends_a_run_concerns_the_whole_account_and_needs_a_person() -> None:
    assert all(CODES[code].radius is Radius.ACCOUNT and CODES[code].needs_person for code in ENDS_RUN)


def test_a_run_that_was_given_up_is_not_said_to_have_been_started_again() -> None:
    assert "started again" not in CODES["GS-702"].remedy
    assert "given up" in CODES["GS-702"].remedy


def test_a_key_too_short_or_another_than_recorded_is_named_as_a_cause() -> None:
    entry = CODES["GS-207"]
    assert "too short" in entry.cause
    assert "recorded" in entry.cause
    assert "cannot be found" not in entry.title
