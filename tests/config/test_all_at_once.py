"""One mistake never hides another: whoever fixes a file sees all that is wrong with it at once."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.test_bad_files import BAD_VALUES, SECRET_FILES
from tests.config.trees import GOOD, SECRET, SETTINGS, account, errors, loaded, tree

TEN = f"""\
account: riverdale
collor: red
time_zone: America/New_Yrk
canvas:
  url: http://riverside.instructure.com
  token: {SECRET}
sis:
  profile: genesis
  url: https://evil.test/genesis
  client_id: env:RIVERSIDE_SIS_ID
  client_secret: env:RIVERSIDE_SIS_SECRET
passback: {{missing: flag}}
schedules:
  grades:
    type: grade passback
    interval: 10:30
    first_run: 2026-02-30 07:00
    posted_by: 010
moved: {{old: grads}}
blackouts:
  - {{name: Summer, from: 2027-06-25 18:00, until: 2027-06-24 06:00}}
"""
TEN_PLACES = [
    ("GS-113", 1), ("GS-102", 2), ("GS-105", 3), ("GS-108", 5), ("GS-107", 6), ("GS-108", 9), ("GS-116", 12),
    ("GS-104", 16), ("GS-104", 17), ("GS-106", 18), ("GS-110", 19), ("GS-110", 21),
]  # fmt: skip

KEY = "qqq"
HOLES = {
    "at the top": ("account: ", f"{KEY}: red\naccount: "),
    "in the SIS": ("  profile:", f"  {KEY}: red\n  profile:"),
    "in a schedule": ("    type:", f"    {KEY}: red\n    type:"),
}


def found_in(text: str, owner: str | None = SETTINGS) -> list[tuple[str, int, str]]:
    with TemporaryDirectory() as folder:
        files: dict[str, str | bytes] = {"riverside.yaml": text, "hillside.yaml": account("hillside")}
        result = loaded(tree(Path(folder), files, owner))
        found = [p for p in errors(result) if "riverside" in p.place.file]
        return [(p.code, p.place.line, re.sub(r"on line \d+", "on a line", p.message)) for p in found]


def test_a_file_with_twelve_mistakes_is_told_all_twelve_in_order() -> None:
    found = found_in(TEN)
    assert [(code, line) for code, line, _ in found] == TEN_PLACES
    assert SECRET not in repr(found)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(BAD_VALUES)), hole=st.sampled_from(sorted(HOLES)))
def test_an_unknown_key_hides_no_other_mistake(name: str, hole: str) -> None:
    text = BAD_VALUES[name][0]
    old, new = HOLES[hole]
    before, added = found_in(text), found_in(text.replace(old, new, 1))
    at = text[: text.index(old)].count("\n") + 1 if old in text else 0
    if not at:
        return
    moved = {(code, line + (line >= at), message) for code, line, message in before}
    # A mistake shown at the first key of a block is shown at the new first key.
    places = {(code, message) for code, _, message in moved}
    assert places <= {(code, message) for code, _, message in added}
    assert {one for one in moved if one[0] != "GS-111"} <= set(added)
    assert len(added) <= len(before) + 1 + ("unknown key" in name)


@settings(max_examples=60, deadline=None)
@given(names=st.lists(st.sampled_from(sorted(BAD_VALUES)), min_size=2, max_size=2, unique=True))
def test_two_mistakes_that_do_not_touch_are_both_told(names: list[str]) -> None:
    first, second = (BAD_VALUES[name][0] for name in names)
    if not (first.startswith(GOOD) and second.startswith(GOOD)):
        return
    tails = [text.removeprefix(GOOD) for text in (first, second)]
    if tails[0].startswith(" ") or tails[1].startswith(" "):
        return
    keys = [{line.partition(":")[0] for line in tail.splitlines() if line[0] != " "} for tail in tails]
    if keys[0] & keys[1]:
        return
    both = {(code, message) for code, _, message in found_in(GOOD + "".join(tails))}
    for text in (first, second):
        assert {(code, message) for code, _, message in found_in(text)} <= both


@pytest.mark.parametrize("name", SECRET_FILES)
def test_an_unknown_key_hides_no_secret(name: str) -> None:
    found = found_in(SECRET_FILES[name].replace("account: ", f"{KEY}: red\naccount: ", 1))
    assert "GS-107" in {code for code, _, _ in found}
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "wrong",
    [
        "schedules: {grades: {interval: 10:30}}\n", "passback: {missing: flag}\n",
        "roster: {expect: [{name: x, from: 2027-09-10, until: 2027-08-20, change_limit: {}}]}\n",
    ],
)  # fmt: skip
def test_defaults_with_an_unknown_key_are_told_their_other_mistakes_once(wrong: str, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "riverside.yaml": GOOD.replace("    interval: every 15 minutes\n", ""),
        "hillside.yaml": account("hillside").replace("    interval: every 15 minutes\n", ""),
    }
    if "schedules" not in wrong:
        files = {"riverside.yaml": GOOD, "hillside.yaml": account("hillside")}
    files["_defaults.yaml"] = f"{KEY}: red\n{wrong}"
    result = loaded(tree(tmp_path, files))
    found = [(p.place.file, p.place.line) for p in errors(result)]
    assert found == [("schedules/_defaults.yaml", 1), ("schedules/_defaults.yaml", 2)]
    assert result.desired.frozen == {"riverside", "hillside"}


def test_bad_defaults_hide_no_mistake_of_an_account_below_them(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "_defaults.yaml": "roster: {change_limit: {users: x}}\n",
        "riverside.yaml": GOOD.replace("every 15 minutes", "10:30") + "moved: {old: grads}\n",
    }
    assert [(p.place.file, p.code) for p in errors(loaded(tree(tmp_path, files)))] == [
        ("schedules/_defaults.yaml", "GS-110"),
        ("schedules/riverside.yaml", "GS-104"),
        ("schedules/riverside.yaml", "GS-110"),
    ]


def test_what_unreadable_defaults_may_hold_is_not_called_missing(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "_defaults.yaml": "schedules: {\n",
        "riverside.yaml": GOOD.replace("time_zone: America/New_York\n", "").replace(
            "    first_run: 2026-09-01 07:00\n", ""
        )
        + "collor: red\nmoved: {old: roster}\n",
    }
    assert [(p.place.file, p.code) for p in errors(loaded(tree(tmp_path, files)))] == [
        ("schedules/_defaults.yaml", "GS-101"),
        ("schedules/riverside.yaml", "GS-102"),
    ]


OWNER = 'hosst: 1\nhosts: ["*.instructure.com", "*.example"]\n'


def test_settings_are_told_all_their_mistakes(tmp_path: Path) -> None:
    owner = (
        "collor: red\nhosts: ['*']\nstore: nowhere\nsafety: {all_share: 10}\n"
        "blackouts:\n  - {name: x, from: 2027-06-25, until: 2027-06-24}\n  - {name: y, from: 2027-02-30}\n"
        "notify: [{name: x, url: env:X, channel: fax}]\nsecrets: file:/run/x\n"
    )
    found = [(p.code, p.place.line) for p in errors(loaded(tree(tmp_path, {"riverside.yaml": GOOD}, owner)))]
    assert found == [
        ("GS-102", 1), ("GS-110", 2), ("GS-110", 3), ("GS-110", 4), ("GS-110", 6), ("GS-111", 7), ("GS-104", 7),
        ("GS-110", 8), ("GS-110", 9),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [("riverside.instructure.com", "evil.test"), ("env:RIVERSIDE_SIS_ID", "my-id"), ("daily", "daly"),
     ("time_zone: America/New_York\n", "")],
)  # fmt: skip
def test_a_mistake_in_the_settings_hides_none_of_an_account(old: str, new: str) -> None:
    text = GOOD.replace("every 15 minutes", "daily at 02:00").replace(old, new)
    assert found_in(text, OWNER) == found_in(text, SETTINGS) != []


@pytest.mark.parametrize("rest", ["", "collor: red\n", "roster: {\n"])
@pytest.mark.parametrize("file", ["gradesync.yaml", "schedules/_defaults.yaml"])
def test_a_secret_in_a_comment_of_a_shared_file_is_found(file: str, rest: str, tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": GOOD, "_defaults.yaml": "roster: {}\n"})
    path = root / file
    path.write_text(f"{path.read_text(encoding='utf-8')}# old token: {SECRET}\n{rest}", encoding="utf-8")
    result = loaded(root)
    assert [(p.place.file, p.place.line) for p in errors(result) if p.code == "GS-107"] == [(file, 2)]
    assert SECRET not in repr(result.problems)
    assert result.desired.frozen == {"riverside"}


def test_settings_whose_secrets_are_not_understood_blame_no_account() -> None:
    text = GOOD.replace("env:RIVERSIDE_SIS_ID", "vault:x/y").replace(
        "  client_secret: env:RIVERSIDE_SIS_SECRET\n", ""
    )
    assert found_in(text, SETTINGS + "secrets: vault:x\n") == []
