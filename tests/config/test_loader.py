"""What a good tree becomes: canonical definitions, defaults merged, state pushed down, places on demand."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gradesync.config.effective import effective
from gradesync.config.settings import read_settings
from gradesync.domain.account import Account, ChangeLimit, PassbackPolicy
from gradesync.domain.plan import Safety
from gradesync.domain.problem import Place
from gradesync.errors import ConfigInvalid, NotFound
from tests.config.trees import GOOD, account, errors, loaded, tree


def definitions(root: Path, key: str = "riverside") -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    result = loaded(root)
    assert not errors(result), errors(result)
    desired = result.desired.accounts[key]
    return json.loads(desired.text), {n: json.loads(s.text) for n, s in desired.schedules.items()}


def test_the_definition_holds_every_policy_and_reads_back_as_an_account(tmp_path: Path) -> None:
    definition, schedules = definitions(tree(tmp_path, {"riverside.yaml": GOOD}))
    read = Account.from_definitions("riverside", definition, schedules)
    assert read.passback == PassbackPolicy()
    assert read.roster.change_limit.users == 0.05
    assert definition["passback"]["excused"] == "withhold"
    assert schedules["grades"]["time_zone"] == "America/New_York"
    assert schedules["grades"]["state"] == "active"
    assert str(read.schedules["grades"].first_run) == "2026-09-01 07:00"


def test_an_expected_change_of_the_roster_is_in_force_on_its_days(tmp_path: Path) -> None:
    expect = "{name: New year, from: 2027-08-20, until: 2027-09-10, change_limit: {enrollments: 100%}}"
    text = GOOD + f"roster: {{change_limit: {{users: 7%}}, expect: [{expect}]}}\n"
    definition, schedules = definitions(tree(tmp_path, {"riverside.yaml": text}))
    roster = Account.from_definitions("riverside", definition, schedules).roster
    assert roster.limit_on(date(2027, 9, 10)) == ChangeLimit(enrollments=1.0, users=0.07)
    assert roster.limit_on(date(2027, 9, 11)) == ChangeLimit(users=0.07)


def test_scalars_mean_what_yaml_1_2_says(tmp_path: Path) -> None:
    text = GOOD + "labels: {country: no, at: 14:30, day: 2026-09-01, power: off, id: '010'}\n"
    definition, _ = definitions(tree(tmp_path, {"riverside.yaml": text}))
    assert definition["labels"] == {
        "country": "no", "at": "14:30", "day": "2026-09-01", "power": "off", "id": "010",
    }  # fmt: skip


def test_a_respelt_interval_or_a_comment_changes_no_digest(tmp_path: Path) -> None:
    one = GOOD.replace("every 15 minutes", "daily at 03:10")
    two = "# why\n" + GOOD.replace("every 15 minutes", "cron 10 3 * * *  # nightly")
    first = loaded(tree(tmp_path / "a", {"riverside.yaml": one})).desired.accounts["riverside"]
    second = loaded(tree(tmp_path / "b", {"riverside.yaml": two})).desired.accounts["riverside"]
    assert first.digest == second.digest
    assert first.schedules["grades"].digest == second.schedules["grades"].digest


def test_defaults_merge_maps_replace_lists_and_the_account_wins(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "_defaults.yaml": "passback: {missing: zero, excused: exempt}\nscope: {classes: {exclude: [A-*]}}\n",
        "north/_defaults.yaml": "passback: {missing: withhold}\nlabels: {of: '{account}'}\n"
        "canvas: {url: 'https://{account}.instructure.com'}\n",
        "north/riverside.yaml": GOOD.replace("url: https://riverside.instructure.com, ", "")
        + "scope: {classes: {exclude: [B-*]}}\npassback: {conflict: canvas_wins}\n",
    }
    definition, _ = definitions(tree(tmp_path, files))
    assert definition["canvas"]["url"] == "https://riverside.instructure.com"
    assert definition["labels"] == {"of": "riverside"}
    assert definition["group"] == "north"
    assert definition["scope"]["classes"]["exclude"] == ["B-*"]
    assert {k: definition["passback"][k] for k in ("missing", "excused", "conflict")} == {
        "missing": "withhold", "excused": "exempt", "conflict": "canvas_wins",
    }  # fmt: skip


def test_another_placeholder_in_defaults_is_a_problem_at_its_place(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"_defaults.yaml": "labels: {of: '{group}'}\n", "riverside.yaml": GOOD}
    (problem,) = errors(loaded(tree(tmp_path, files)))
    assert problem.place == Place("schedules/_defaults.yaml", 1, 14)


def test_secrets_left_out_come_from_the_owners_template(tmp_path: Path) -> None:
    text = GOOD.replace(", token: env:RIVERSIDE_CANVAS_TOKEN", "")
    text = "".join(line for line in text.splitlines(keepends=True) if "client_" not in line)
    hosts = 'hosts: ["*.instructure.com", "*.example"]\n'
    root = tree(tmp_path / "f", {"riverside.yaml": text}, hosts + "secrets: file:/run/{account}/{name}\n")
    assert definitions(root)[0]["canvas"]["token"] == "file:/run/riverside/canvas_token"
    root = tree(tmp_path / "e", {"riverside.yaml": text}, hosts + "secrets: env\n")
    definition, _ = definitions(root)
    assert definition["canvas"]["token"] == "env:RIVERSIDE_CANVAS_TOKEN"
    assert definition["sis"]["client_id"] == "env:RIVERSIDE_SIS_ID"
    assert definition["sis"]["client_secret"] == "env:RIVERSIDE_SIS_SECRET"
    assert [p.code for p in errors(loaded(tree(tmp_path / "n", {"riverside.yaml": text}, hosts)))] == [
        "GS-111"
    ] * 3


@pytest.mark.parametrize(
    ("account_state", "schedule_state", "effective_state"),
    [
        ("active", "active", "active"), ("active", "observe", "observe"), ("paused", "active", "paused"),
        ("paused", "observe", "paused"), ("observe", "active", "observe"), ("observe", "paused", "paused"),
        ("leaving", "active", "active"),
    ],
)  # fmt: skip
def test_the_stricter_state_counts(
    account_state: str, schedule_state: str, effective_state: str, tmp_path: Path
) -> None:
    text = f"{GOOD}    state: {schedule_state}\nstate: {account_state}\nreason: ours\n"
    root = tree(tmp_path, {"riverside.yaml": text})
    _, schedules = definitions(root)
    assert schedules["grades"]["state"] == effective_state
    assert loaded(root).desired.accounts["riverside"].leaving is (account_state == "leaving")
    if account_state == "paused":
        assert schedules["grades"]["reason"] == "ours"


def test_the_owners_blackouts_reach_every_account(tmp_path: Path) -> None:
    settings = (
        'hosts: ["*.instructure.com", "*.example"]\n'
        "blackouts: [{name: Winter, from: 2026-12-24, until: 2027-01-02 06:00}]\n"
    )
    files: dict[str, str | bytes] = {
        "riverside.yaml": GOOD
        + "blackouts: [{name: Own, from: 2027-06-25 18:00, until: 2027-07-06 06:00}]\n",
        "hillside.yaml": account("hillside"),
    }
    root = tree(tmp_path, files, settings)
    winter = {"name": "Winter", "from": "2026-12-24 00:00", "until": "2027-01-02 06:00"}
    assert definitions(root, "hillside")[0]["blackouts"] == [winter]
    own = {"name": "Own", "from": "2027-06-25 18:00", "until": "2027-07-06 06:00"}
    assert definitions(root)[0]["blackouts"] == [winter, own]


def test_moves_are_carried_and_both_endings_are_read(tmp_path: Path) -> None:
    desired = loaded(
        tree(tmp_path, {"riverside.yml": GOOD + "moved: {hourly: grades}\nmoved_from: creek\n"})
    ).desired
    found = desired.accounts["riverside"]
    assert (found.moved, found.moved_from, found.file) == (
        {"hourly": "grades"},
        "creek",
        "schedules/riverside.yml",
    )
    assert desired.files == 1


def test_places_are_found_in_the_account_or_in_the_defaults(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"_defaults.yaml": "passback:\n  missing: zero\n", "riverside.yaml": GOOD}
    place = loaded(tree(tmp_path, files)).desired.place
    file = "schedules/riverside.yaml"
    assert place(file, ("schedules", "grades")) == Place(file, 11, 3)
    assert place(file, ("schedules", "grades", "canonical_interval")) == Place(file, 13, 5)
    assert place(file, ("passback", "missing")) == Place("schedules/_defaults.yaml", 2, 3)
    assert place(file, ("schedules", "gone", "state")) == Place(file, 10, 1)
    assert place("schedules/gone.yaml", ("state",)) == Place("schedules/gone.yaml")


def test_effective_names_the_file_and_line_of_every_value(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"_defaults.yaml": "passback:\n  missing: zero\n", "riverside.yaml": GOOD}
    rows = {key: (value, place) for key, value, place in effective(tree(tmp_path, files), "riverside")}
    assert rows["passback.missing"] == ("zero", Place("schedules/_defaults.yaml", 2, 12))
    assert rows["schedules.grades.interval"] == (
        "every 15 minutes",
        Place("schedules/riverside.yaml", 13, 15),
    )
    assert rows["passback.excused"][0] == "withhold"
    assert rows["passback.excused"][1].file == "default"
    assert rows["sis.page_size"] == (1000, Place("profile genesis", 0, 0))
    with pytest.raises(NotFound):
        effective(tmp_path, "nobody")


def test_settings_are_read_alone_and_refused_with_a_place(tmp_path: Path) -> None:
    root = tree(tmp_path, {}, "store: env:STORE\nlineage: abc\nsafety: {all_share: 5%, all_least: 3}\n")
    settings = read_settings(root)
    assert (settings.store, settings.lineage, settings.hosts) == ("env:STORE", "abc", None)
    assert Safety(**settings.safety) == Safety(all_share=0.05, all_least=3)  # type: ignore[arg-type]  # shares and counts in one map
    tree(tmp_path, {}, "store: env:STORE\nlineag: abc\n")
    with pytest.raises(ConfigInvalid, match=r"gradesync\.yaml:2:1: GS-102"):
        read_settings(root)
    assert read_settings(tmp_path / "nowhere").store is None
