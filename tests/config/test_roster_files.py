"""Where an account's roster files are: what may be written, and what contradicts itself, at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradesync.config.effective import effective
from gradesync.domain.account import Account
from gradesync.domain.definition import Recorded
from gradesync.domain.plan import make_plan
from gradesync.domain.roster_files import RosterFiles, SftpPlace
from tests.config.trees import GOOD, SETTINGS, account, errors, loaded, pointed_at, tree
from tests.domain.plan_samples import NOW, applied, definition, desired, schedule
from tests.domain.plan_samples import account as planned

KEY = "SHA256:kJ0vYv9mXq3dF1b2c4e5g6h7i8j9k0l1m2n3o4p5q6r"
LOCAL = "  roster: {format: oneroster csv, path: exports/*.zip}\n"
SFTP = f"""\
  roster:
    format: oneroster csv
    path: /out/*.zip
    max_age: 36h
    sftp:
      host: sftp.sis.example
      user: riverside
      host_key: {KEY}
      private_key: file:keys/sftp
"""
ONLY_ROSTER = """\
account: riverside
time_zone: America/New_York
canvas: {url: https://riverside.instructure.com, token: env:RIVERSIDE_CANVAS_TOKEN}
sis:
  profile: genesis
  roster: {format: canvas csv, path: exports}
schedules:
  nightly: {type: roster import, interval: daily at 02:00}
"""


def with_files(text: str) -> str:
    return GOOD.replace("  profile: genesis\n", f"  profile: genesis\n{text}")


def sis_of(root: Path) -> Any:
    result = loaded(root)
    assert not errors(result), errors(result)
    definition = json.loads(result.desired.accounts["riverside"].text)
    return Account.from_definitions("riverside", definition, {}).sis


def problems(tmp_path: Path, text: str, settings: str = SETTINGS) -> list[tuple[str, str]]:
    root = tree(tmp_path, {"riverside.yaml": text}, settings)
    return [(one.code, pointed_at(root, one)) for one in errors(loaded(root))]


def test_files_on_this_machine_and_on_a_server(tmp_path: Path) -> None:
    local = sis_of(tree(tmp_path / "a", {"riverside.yaml": with_files(LOCAL)}))
    assert local.roster == RosterFiles("oneroster csv", "exports/*.zip", max_age=72 * 60)
    assert local.url
    served = sis_of(tree(tmp_path / "b", {"riverside.yaml": with_files(SFTP)})).roster
    assert served.max_age == 36 * 60
    assert served.sftp == SftpPlace("sftp.sis.example", "riverside", KEY, private_key="file:keys/sftp")


def test_a_known_hosts_line_is_taken_as_the_servers_key_and_for_no_secret(tmp_path: Path) -> None:
    line = "sftp.sis.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    sis = sis_of(tree(tmp_path, {"riverside.yaml": with_files(SFTP.replace(KEY, line))}))
    assert sis.roster.sftp.host_key == line
    shown = {key: value for key, value, _ in effective(tmp_path, "riverside")}
    assert shown["sis.roster.sftp.host_key"] == line


def test_an_account_that_only_reads_a_roster_from_files_needs_no_address_and_no_key(tmp_path: Path) -> None:
    sis = sis_of(tree(tmp_path, {"riverside.yaml": ONLY_ROSTER}))
    assert (sis.url, sis.client_id, sis.roster.format) == ("", "", "canvas csv")


def test_without_files_the_address_is_still_needed(tmp_path: Path) -> None:
    text = ONLY_ROSTER.replace("  roster: {format: canvas csv, path: exports}\n", "")
    assert [code for code, _ in problems(tmp_path, text)] == ["GS-111"] * 3


def test_grades_need_the_service_and_the_schedule_says_so(tmp_path: Path) -> None:
    text = ONLY_ROSTER + "  grades: {type: grade passback, interval: hourly}\n"
    assert problems(tmp_path, text) == [("GS-116", "grade passback")]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("format: oneroster csv", "format: excel", ("GS-110", "excel")),
        ("host: sftp.sis.example", "host: sftp.elsewhere.test", ("GS-108", "sftp.elsewhere.test")),
        ("host: sftp.sis.example", "host: sftp://sftp.sis.example", ("GS-110", "sftp://sftp.sis.example")),
        (KEY, "md5:00:11", ("GS-110", "md5:00:11")),
        (KEY, "SHA256:short", ("GS-110", "SHA256:short")),
        ("private_key: file:keys/sftp", "private_key: hunter2", ("GS-107", "hunter2")),
        ("max_age: 36h", "max_age: 36", ("GS-110", "36")),
        ("max_age: 36h", "max_age: 400h", ("GS-110", "400h")),
    ],
)
def test_a_value_that_cannot_be_is_told_at_its_place(
    tmp_path: Path, old: str, new: str, found: tuple[str, str]
) -> None:
    assert problems(tmp_path, with_files(SFTP.replace(old, new))) == [found]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("      password: env:SFTP_PASSWORD\n      private_key: file:keys/sftp\n", "GS-116"),
        ("      password: env:SFTP_PASSWORD\n      passphrase: env:PHRASE\n", "GS-116"),
        ("", "GS-111"),
    ],
    ids=["both", "a passphrase for nothing", "neither"],
)
def test_a_login_is_a_password_or_a_key(tmp_path: Path, line: str, code: str) -> None:
    text = with_files(SFTP.replace("      private_key: file:keys/sftp\n", line))
    assert [found for found, _ in problems(tmp_path, text)] == [code]


def test_a_base_is_for_changes_and_canvas_files_know_none(tmp_path: Path) -> None:
    text = with_files("  roster: {format: canvas csv, path: x, base: y}\n")
    assert problems(tmp_path, text) == [("GS-116", "y")]


def test_settings_that_do_nothing_with_canvas_files_are_told(tmp_path: Path) -> None:
    text = ONLY_ROSTER + "roster: {courses: per_course, names: legal, verify: full}\n"
    result = loaded(tree(tmp_path, {"riverside.yaml": text}))
    assert [(one.code, pointed_at(tmp_path, one)) for one in result.problems if one.code == "GS-116"] == [
        ("GS-116", "per_course")
    ]
    assert not errors(result)
    other = loaded(tree(tmp_path, {"riverside.yaml": text.replace("canvas csv", "oneroster csv")}))
    assert not [one for one in other.problems if one.code == "GS-116"]


@pytest.mark.parametrize("files", [LOCAL, SFTP], ids=["local", "sftp"])
def test_two_accounts_never_read_the_same_files(tmp_path: Path, files: str) -> None:
    one = with_files(files)
    other = account("oakhill").replace("  profile: genesis\n", f"  profile: genesis\n{files}")
    other = other.replace("file:keys/sftp", "file:keys/other")
    result = loaded(tree(tmp_path, {"riverside.yaml": one, "oakhill.yaml": other}))
    assert [one.code for one in errors(result)] == ["GS-112", "GS-112"]
    assert "roster files" in errors(result)[0].message


def test_another_server_for_the_roster_is_withheld_like_any_other_host(tmp_path: Path) -> None:
    def sis(host: str) -> dict[str, Any]:
        sftp = {"host": host, "user": "u", "host_key": KEY, "password": "env:P"}
        return {**definition("r")["sis"], "roster": {"format": "oneroster csv", "path": "x", "sftp": sftp}}

    def plan(host: str, recorded: Recorded) -> Any:
        tree_of_one = desired(planned("r", {"s": schedule()}, sis=sis(host)))
        return make_plan(tree_of_one, recorded, now=NOW)

    recorded = applied(Recorded({}), plan("a.example", Recorded({})).actions)
    assert any("another host" in stop.sentence for stop in plan("b.example", recorded).stops)
    assert not plan("a.example", recorded).stops
