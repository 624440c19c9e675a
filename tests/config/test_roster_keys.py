"""What may be said of a roster's mapping: every key reaches the account, and what contradicts itself has a place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradesync.domain.account import Account, RosterMapping
from tests.config.trees import GOOD, errors, loaded, tree

ROSTER_ONLY = GOOD.replace("grade passback", "roster import").replace("every 15 minutes", "daily at 02:00")


def with_roster(*lines: str, text: str = ROSTER_ONLY) -> str:
    return text + "roster:\n" + "".join(f"  {line}\n" for line in lines)


def mapping_of(root: Path) -> RosterMapping:
    result = loaded(root)
    assert not errors(result), errors(result)
    definition: dict[str, Any] = json.loads(result.desired.accounts["riverside"].text)
    return Account.from_definitions("riverside", definition, {}).roster.mapping


def test_left_out_means_the_safe_mapping(tmp_path: Path) -> None:
    assert mapping_of(tree(tmp_path, {"riverside.yaml": ROSTER_ONLY})) == RosterMapping()


def test_every_key_of_the_mapping_reaches_the_account(tmp_path: Path) -> None:
    text = with_roster(
        "courses: per_course",
        "terms: school_year",
        "accounts: tree",
        "names: preferred",
        "logins: identifier",
        "emails: never",
        "guardians: observers",
        "leavers: keep",
        "ended: completed",
        "people: integration_id",
        'cross_list: {BIO-TOGETHER: ["4711", "4712"], ART: []}',
    )
    assert mapping_of(tree(tmp_path, {"riverside.yaml": text})) == RosterMapping(
        courses="per_course",
        terms="school_year",
        accounts="tree",
        names="preferred",
        logins="identifier",
        emails="never",
        guardians="observers",
        leavers="keep",
        ended="completed",
        people="integration_id",
        cross_list={"BIO-TOGETHER": ("4711", "4712"), "ART": ()},
    )


@pytest.mark.parametrize(
    ("lines", "text", "code"),
    [
        (['cross_list: {A: ["1", "2"], B: ["2"]}'], ROSTER_ONLY, "GS-110"),
        (["people: integration_id"], GOOD, "GS-110"),
        (["courses: per_teacher"], ROSTER_ONLY, "GS-110"),
        (["cross_list: {A: [007]}"], ROSTER_ONLY, "GS-106"),
    ],
)
def test_what_cannot_be_meant_is_a_problem_at_its_line(
    tmp_path: Path, lines: list[str], text: str, code: str
) -> None:
    found = errors(loaded(tree(tmp_path, {"riverside.yaml": with_roster(*lines, text=text)})))
    assert [one.code for one in found] == [code]
    written = with_roster(*lines, text=text).splitlines()
    assert found[0].place is not None
    assert found[0].place.line in (len(written), len(written) - 1)


@pytest.mark.parametrize(("version", "warned"), [("1.1", True), ("1.2", False)])
def test_preferred_names_that_a_version_cannot_tell_are_warned_of(
    tmp_path: Path, version: str, warned: bool
) -> None:
    text = with_roster("names: preferred", text=ROSTER_ONLY)
    text = text.replace("profile: genesis", f'profile: genesis\n  version: "{version}"', 1)
    found = loaded(tree(tmp_path, {"riverside.yaml": text})).problems
    assert any(one.code == "GS-116" and one.warning for one in found) is warned
