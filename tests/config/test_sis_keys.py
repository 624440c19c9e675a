"""What may be said about a SIS: every unknown is a key, contradictions are placed, and no header holds a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradesync.config.effective import effective
from gradesync.domain.account import Account
from gradesync.domain.profile import PROFILES
from tests.config.trees import GOOD, errors, loaded, pointed_at, tree

SIS = "  profile: genesis\n"


def with_sis(*lines: str, profile: str = "genesis", after: str = "") -> str:
    assert SIS in GOOD
    keys = "".join(f"  {line}\n" for line in (f"profile: {profile}", *lines))
    return GOOD.replace(SIS, keys) + after


def account_of(root: Path) -> Account:
    result = loaded(root)
    assert not errors(result), errors(result)
    desired = result.desired.accounts["riverside"]
    definition: dict[str, Any] = json.loads(desired.text)
    return Account.from_definitions("riverside", definition, {})


def test_every_key_of_a_profile_can_be_written_and_wins(tmp_path: Path) -> None:
    text = with_sis(
        "token_path: /oauth2/token?appName=x",
        "token_auth: form",
        "write_mode: server_ids",
        "concurrency: 2",
        "page_size: 50",
        "timeout: 120",
        "decimals: 1",
        "max_title: 40",
        "unique_titles: true",
        "due_date_as: local_midnight_utc",
        "exempt_needs_score: true",
        "can_flag_missing: true",
        "can_send_text: true",
        "sends_late: true",
        "school_required: true",
        "omit: [gradingPeriod, scoreDate]",
        "headers: {X-Vendor-Authorization: env:VENDOR, X-Client: gradesync}",
    )
    sis = account_of(tree(tmp_path, {"riverside.yaml": text})).sis
    profile = sis.profile
    assert (profile.write_mode, profile.concurrency, profile.page_size) == ("server_ids", 2, 50)
    assert (profile.decimals, profile.max_title, profile.unique_titles) == (1, 40, True)
    assert (profile.due_date_as, profile.token_auth) == ("local_midnight_utc", "form")
    assert profile.timeout == 120
    assert profile.can_flag_missing
    assert profile.can_send_text
    assert profile.sends_late
    assert profile.school_required
    assert profile.omit == ("gradingPeriod", "scoreDate")
    assert dict(profile.headers) == {"X-Vendor-Authorization": "env:VENDOR", "X-Client": "gradesync"}
    assert sis.token_url.endswith("/oauth2/token?appName=x")


def test_another_version_brings_its_paths_scopes_and_abilities_and_leaves_the_limits(tmp_path: Path) -> None:
    text = with_sis('version: "1.2"', "max_title: 40")
    sis = account_of(tree(tmp_path, {"riverside.yaml": text})).sis
    newer = PROFILES["oneroster-1.2"]
    assert sis.gradebook_url.endswith("/ims/oneroster/gradebook/v1p2")
    assert sis.rostering_url.endswith("/ims/oneroster/rostering/v1p2")
    assert sis.scopes_for(write=True) == newer.write_scopes
    assert (sis.profile.name, sis.profile.max_title) == ("genesis", 40)
    assert sis.profile.school_required
    assert not sis.profile.score_required


def test_posting_asks_for_the_right_to_post(tmp_path: Path) -> None:
    text = with_sis("write_mode: post", profile="oneroster-1.2")
    scopes = account_of(tree(tmp_path, {"riverside.yaml": text})).sis.scopes_for(write=True)
    assert [one.rpartition("/")[2] for one in scopes][-2:] == ["gradebook.createput", "gradebook.createpost"]


def test_what_the_profile_can_say_is_no_problem(tmp_path: Path) -> None:
    text = with_sis(profile="infinite-campus", after="passback: {missing: flag, letter_grades: text}\n")
    assert account_of(tree(tmp_path, {"riverside.yaml": text})).sis.profile.max_title == 30


def test_the_effective_file_shows_what_the_profile_supplies(tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": with_sis("omit: [status]", profile="oneroster-1.2")})
    shown = {key: (value, place.file) for key, value, place in effective(root, "riverside")}
    assert shown["sis.school_required"] == (True, "profile oneroster-1.2")
    assert shown["sis.omit"][0] == ["status"]
    assert "sis.headers" not in shown


CONTRADICTIONS = {
    "a field nobody sends": (with_sis("omit: [colour]"), "GS-110", "colour"),
    "a field without which nothing is said": (with_sis("omit: [title]"), "GS-110", "title"),
    "the school left out where it must be": (
        with_sis("omit: [school]", profile="oneroster-1.2"), "GS-116", "school",
    ),
    "a flag both sent and left out": (
        with_sis("can_flag_missing: true", "omit: [missing]"), "GS-116", "missing",
    ),
    "an exempt result without the number every result needs": (
        with_sis("exempt_needs_score: false"), "GS-116", "false",
    ),
    "flags alone where every result needs a number": (
        with_sis("can_flag_missing: true", after="passback: {missing: flag}\n"), "GS-116", "flag",
    ),
    "a key in a header": (with_sis("headers: {X-Vendor-Key: abc}"), "GS-107", "abc"),
    "a long key in a harmless header": (
        with_sis("headers: {X-Client: aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3}"), "GS-107", None,
    ),
    "our own header": (with_sis("headers: {authorization: env:X}"), "GS-110", "authorization"),
    "no name of a header": (with_sis('headers: {"X Vendor": a}'), "GS-110", None),
    "two lines in a header": (with_sis('headers: {X-Vendor: "a\\u00e9"}'), "GS-110", None),
    "an unknown way to write": (with_sis("write_mode: patch"), "GS-110", "patch"),
    "a version without quotes": (with_sis("version: 1.2"), "GS-106", "1.2"),
    "a secret in the token address": (
        with_sis("token_url: https://riverside.instructure.com/t?client_secret=x"), "GS-107", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_placed(name: str, tmp_path: Path) -> None:
    text, code, caret = CONTRADICTIONS[name]
    root = tree(tmp_path, {"riverside.yaml": text})
    found = [p for p in errors(loaded(root)) if p.code == code]
    assert found, [(p.code, p.message) for p in loaded(root).problems]
    assert "riverside" in loaded(root).desired.frozen
    if caret is not None:
        assert pointed_at(root, found[0]) == caret


def test_post_in_1_1_is_a_warning_for_some_vendors_added_it(tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": with_sis("write_mode: post")})
    result = loaded(root)
    assert not errors(result)
    assert [p.code for p in result.problems if "POST" in p.message] == ["GS-116"]
