"""`gradesync doctor --secrets`: every reference of every account is followed, and no value is ever shown."""

from __future__ import annotations

import json
import secrets as random_secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gradesync.cli.main import group
from gradesync.domain.doctor import Verdict
from gradesync.domain.doctor_secrets import Kind, Look, SecretFact, judge_secrets
from gradesync.sandbox.server import running
from gradesync.wiring.secret_facts import secret_facts

TODAY = datetime.now(UTC).date()
ACCOUNT = """\
account: {key}
time_zone: America/New_York
{more}canvas: {{url: "https://{key}.instructure.com"{canvas}}}
sis: {{profile: genesis, url: "https://{key}.example/genesis"}}
schedules:
  grades: {{type: grade passback, interval: "daily at 04:00"}}
"""


def write(root: Path, key: str, *, canvas: str = "", more: str = "", **values: str) -> dict[str, str]:
    """An account with keys; those given replace the usual ones, "" leaves one out. Answers the values."""
    (root / "schedules").mkdir(exist_ok=True)
    (root / "gradesync.yaml").write_text(
        'hosts: ["*.instructure.com", "*.example"]\nsecrets: "file:secrets/{account}/{name}"\n'
    )
    (root / "schedules" / f"{key}.yaml").write_text(ACCOUNT.format(key=key, canvas=canvas, more=more))
    folder = root / "secrets" / key
    folder.mkdir(parents=True, exist_ok=True)
    usual = {
        "canvas_token": f"1234~{random_secrets.token_hex(32)}",
        "sis_id": f"id-{key}",
        "sis_secret": random_secrets.token_urlsafe(24),
    }
    for name, value in {**usual, **values}.items():
        if value:
            (folder / name).write_text(value)
    return {**usual, **values}


def examined(root: Path, code: int | None = None) -> dict[str, Any]:
    result = CliRunner().invoke(group, ["-C", str(root), "doctor", "--secrets", "--format", "json"])
    assert code is None or result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_secrets_in_order_are_counted_and_nothing_else(tmp_path: Path) -> None:
    for key in ("a", "b"):
        write(tmp_path, key)
    found = examined(tmp_path, code=0)
    assert (found["accounts"], found["secrets"], found["findings"]) == (2, 6, [])


@pytest.mark.parametrize(
    ("name", "value", "code", "word"),
    [
        ("canvas_token", "", "GS-207", "Nothing is found"),
        ("canvas_token", " \n\t", "GS-207", "Nothing is found"),
        ("canvas_token", "changeme", "GS-214", "placeholder"),
        ("canvas_token", "your-token-goes-here", "GS-214", "placeholder"),
        ("canvas_token", "1234~abc", "GS-214", "shorter"),
        ("canvas_token", "sandbox-canvas-a", "GS-214", "a key of the sandbox"),
        ("sis_secret", "sandbox-secret-a", "GS-214", "a key of the sandbox"),
        ("canvas_token", "Bearer 1234~abcdefghijklmnopqrstuv", "GS-214", "header"),
        ("canvas_token", '"1234~abcdefghijklmnopqrstuvw"', "GS-214", "quotes"),
        ("canvas_token", "env:RIVERSIDE_CANVAS_TOKEN_VALUE", "GS-214", "a reference"),
        ("canvas_token", "https://a.instructure.com/profile", "GS-214", "an address"),
        ("canvas_token", "1234~abcdefghijkl\nmnopqrstuvwxyz12", "GS-214", "one line"),
        ("sis_secret", "1234~abcdefghijklmnopqrstuvwxyz", "GS-214", "a Canvas token"),
        ("sis_secret", "-----BEGIN OPENSSH PRIVATE KEY-----\nxx\n-----END", "GS-214", "private key"),
        ("sis_secret", "  gV3kq81yPzLr02 ", "GS-214", "blanks around it"),
    ],
)
def test_what_cannot_be_such_a_key_is_told_without_showing_it(
    tmp_path: Path, name: str, value: str, code: str, word: str
) -> None:
    write(tmp_path, "a", **{name: value})
    result = CliRunner().invoke(group, ["-C", str(tmp_path), "doctor", "--secrets"])
    assert result.exit_code == (3 if "blanks" in word else 1)
    assert word in " ".join(result.output.split())
    assert code in result.output
    for part in value.split():
        assert len(part) < 7 or part not in result.output


def test_the_sandbox_s_own_keys_are_right_for_the_sandbox_however_short_the_district_s_name(
    tmp_path: Path,
) -> None:
    write(tmp_path, "a")
    with running(("a",), students=1) as sandbox:
        sandbox.write_secrets(tmp_path / "secrets")
        account = tmp_path / "schedules" / "a.yaml"
        account.write_text(
            account.read_text()
            .replace("https://a.instructure.com", f"{sandbox.url}/a/canvas")
            .replace("https://a.example", f"{sandbox.url}/a")
        )
        (tmp_path / "gradesync.yaml").write_text('secrets: "file:secrets/{account}/{name}"\n')
    assert (tmp_path / "secrets" / "a" / "canvas_token").read_text().strip() == "sandbox-canvas-a"
    assert examined(tmp_path, code=0)["findings"] == []


def test_one_key_of_two_accounts_is_told_of_both_unless_both_share(tmp_path: Path) -> None:
    values = write(tmp_path, "a")
    write(tmp_path, "b", canvas_token=values["canvas_token"], sis_id=values["sis_id"])
    found = examined(tmp_path, code=1)
    assert [(one["account"], one["secret"]) for one in found["findings"]] == [
        ("a", "canvas token"),
        ("b", "canvas token"),
    ]
    for key in ("a", "b"):
        write(tmp_path, key, more="shared: true\n", canvas_token=values["canvas_token"])
    assert examined(tmp_path, code=0)["findings"] == []


def test_the_end_of_a_key_is_told_in_time(tmp_path: Path) -> None:
    write(tmp_path, "a", canvas=f", expires: {TODAY + timedelta(days=9)}")
    write(tmp_path, "b", canvas=f", expires: {TODAY - timedelta(days=9)}")
    write(tmp_path, "c", canvas=f", expires: {TODAY + timedelta(days=90)}")
    found = examined(tmp_path, code=1)
    assert [(one["account"], one["code"], one["status"]) for one in found["findings"]] == [
        ("b", "GS-201", "fail"),
        ("a", "GS-204", "warn"),
    ]


def test_an_account_whose_file_has_problems_is_named_and_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path, "a")
    write(tmp_path, "b", sis_secret="")
    (tmp_path / "schedules" / "a.yaml").write_text("account: a\n")
    found = examined(tmp_path, code=1)
    assert found["not_looked_at"] == ["a"]
    assert [one["account"] for one in found["findings"]] == ["b"]


ACCOUNTS = 200


def test_many_accounts_are_looked_at_with_the_worst_first(tmp_path: Path) -> None:
    for number in range(ACCOUNTS):
        write(tmp_path, f"d{number}", sis_secret="" if number % 100 == 7 else "gV3kq81yPzLr02" + str(number))
    result = CliRunner().invoke(group, ["-C", str(tmp_path), "doctor", "--secrets"])
    assert "600 secrets of 200 accounts looked at, none shown: 2 wrong" in result.output
    assert "gV3kq81yPzLr02" not in result.output


def test_what_settings_and_headers_refer_to_is_followed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a")
    settings = tmp_path / "gradesync.yaml"
    settings.write_text(
        settings.read_text() + 'store: "postgresql://g:{env:DOCTOR_DB}@db.example/g"\nkeys: env:DOCTOR_KEY\n'
    )
    account = tmp_path / "schedules" / "a.yaml"
    account.write_text(
        account.read_text().replace("genesis, url", "genesis, headers: {X-Key: env:DOCTOR_X}, url")
    )
    monkeypatch.setenv("DOCTOR_KEY", "ab" * 32)
    found = examined(tmp_path, code=1)
    assert found["secrets"] == 6
    assert [(one["account"], one["secret"]) for one in found["findings"]] == [
        ("a", "sis header"),
        ("gradesync.yaml", "address or password of the store"),
    ]


looks = st.sampled_from(Look)


@given(
    st.lists(
        st.builds(
            SecretFact,
            account=st.sampled_from("abc"),
            kind=st.sampled_from(Kind),
            reference=st.just("env:X"),
            found=st.booleans(),
            look=looks,
            edges=st.booleans(),
            mark=st.sampled_from(["", "1", "2"]),
            shared=st.booleans(),
            expires=st.none() | st.dates(TODAY - timedelta(days=60), TODAY + timedelta(days=60)),
        ),
        max_size=8,
    )
)
def test_failures_come_first_and_every_finding_can_be_acted_on(facts: list[SecretFact]) -> None:
    report = judge_secrets(facts, TODAY, 3)
    order = [one.verdict is not Verdict.FAIL for one in report.findings]
    assert order == sorted(order)
    assert all(one.remedy and one.who and one.code for one in report.findings)
    missing = sum(not fact.found for fact in facts)
    assert sum(one.code == "GS-207" for one in report.findings) == missing


def test_a_fact_holds_nothing_of_the_value(tmp_path: Path) -> None:
    value = write(tmp_path, "a")["canvas_token"]
    definition = {"canvas": {"token": "file:secrets/a/canvas_token"}, "sis": {}}
    (fact,) = secret_facts("a", definition, tmp_path)
    assert value not in repr(fact)
    assert value[:6] not in repr(fact)
