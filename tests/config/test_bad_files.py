"""Every bad file is met by a placed, coded problem; never by an exception, never with a secret in the text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.config.trees import GOOD, SECRET, SETTINGS, account, errors, loaded, pointed_at, tree


def bad(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


BAD_VALUES = {
    "a time as an interval": (bad("every 15 minutes", "10:30"), "GS-104", 13, "10:30"),
    "a number as an interval": (bad("every 15 minutes", "15"), "GS-106", 13, "15"),
    "an id without quotes": (bad("sis-admin", "010"), "GS-106", 15, "010"),
    "no as a state": (GOOD + "state: no\n", "GS-110", 16, "no"),
    "off as a state": (GOOD + "    state: off\n", "GS-110", 16, "off"),
    "False as a state": (GOOD + "state: False\n", "GS-110", 16, "False"),
    "a duplicate key": (GOOD + "name: Again\n", "GS-103", 16, "name"),
    "an unknown key": (GOOD + "collor: red\n", "GS-102", 16, "collor"),
    "a misspelt key": (bad("interval:", "intervl:"), "GS-102", 13, "intervl"),
    "an unknown zone": (bad("America/New_York", "America/New_Yrk"), "GS-105", 3, "America/New_Yrk"),
    "an offset for a zone": (bad("America/New_York", '"-05:00"'), "GS-105", 3, '"-05:00"'),
    "an abbreviation for a zone": (bad("America/New_York", "EST"), "GS-105", 3, "EST"),
    "an impossible cron": (bad("every 15 minutes", "cron 0 0 31 2 *"), "GS-104", 13, "cron 0 0 31 2 *"),
    "six cron fields": (bad("every 15 minutes", "cron 0 0 0 1 1 *"), "GS-104", 13, "cron 0 0 0 1 1 *"),
    "30 February": (bad("2026-09-01 07:00", "2026-02-30 07:00"), "GS-104", 14, "2026-02-30 07:00"),
    "an elapsed interval without first run": (bad("    first_run: 2026-09-01 07:00\n", ""), "GS-104", 13, None),
    "http": (bad("https://riverside.i", "http://riverside.i"), "GS-108", 4, "http://riverside.instructure.com"),
    "a host not allowed": (bad("riverside.instructure.com", "evil.test"), "GS-108", 4, "https://evil.test"),
    "a missing key": (bad("    type: grade passback\n", ""), "GS-111", 12, "interval"),
    "a missing block": (bad("time_zone: America/New_York\n", ""), "GS-111", 1, "account"),
    "another name than the file's": (bad("account: riverside", "account: riverdale"), "GS-113", 1, "riverdale"),
    "an unknown profile": (bad("profile: genesis", "profile: gensis"), "GS-110", 6, "gensis"),
    "flagging what 1.1 cannot flag": (GOOD + "passback: {missing: flag}\n", "GS-116", 16, "flag"),
    "letters to 1.1": (GOOD + "passback: {letter_grades: text}\n", "GS-116", 16, "text"),
    "blanking what was cleared": (GOOD + "passback: {deletions: blank}\n", "GS-116", 16, "blank"),
    "cutting titles nobody measured": (GOOD + "passback: {long_titles: shorten}\n", "GS-116", 16, "shorten"),
    "a share of lost records without percent": (GOOD + "passback: {gone_limit: 10}\n", "GS-110", 16, "10"),
    "an unknown policy": (GOOD + "passback: {excused: exmpt}\n", "GS-110", 16, "exmpt"),
    "a share without percent": (GOOD + "roster: {change_limit: {users: 5}}\n", "GS-110", 16, "5"),
    "a school id without quotes": (GOOD + "scope: {schools: [010]}\n", "GS-106", 16, "["),
    "a value cut at a comma": (GOOD + "labels: {a: x}\nscope: {terms: Fall, Spring}\n", "GS-102", 17, "Spring"),
    "an empty text": (GOOD + "reason:\n", "GS-106", 16, "reason"),
    "an empty block": (GOOD + "scope:\n", "GS-110", 16, "scope"),
    "a list for a map": (GOOD + "labels: [a]\n", "GS-110", 16, "["),
    "a move to nowhere": (GOOD + "moved: {old: grads}\n", "GS-110", 16, "grads"),
    "a blackout that ends first": (
        GOOD + "blackouts:\n  - {name: x, from: 2027-06-25 18:00, until: 2027-06-25 17:00}\n",
        "GS-110", 17, "2027-06-25 17:00",
    ),
    "a blackout of an unknown schedule": (
        GOOD + "blackouts:\n  - {name: x, from: 2027-06-25, until: 2027-06-26, schedules: [grade]}\n",
        "GS-110", 17, "grade",
    ),
    "a blackout on no day": (
        GOOD + "blackouts:\n  - {name: x, from: 2027-02-30, until: 2027-06-26}\n", "GS-104", 17, "2027-02-30",
    ),
    "a name that cannot be one": (bad("  grades:", "  Grades A:"), "GS-110", 11, "Grades A"),
    "a spread as long as the interval": (bad("    posted_by", "    spread: 15m\n    posted_by"), "GS-110", 15, "15m"),
    "a number where true is wanted": (GOOD + "shared: 1\n", "GS-110", 16, "1"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_bad_value_has_its_code_and_the_caret_on_it(name: str, tmp_path: Path) -> None:
    text, code, line, caret = BAD_VALUES[name]
    root = tree(tmp_path, {"riverside.yaml": text})
    result = loaded(root)
    found = [p for p in errors(result) if p.code == code]
    assert found, [(p.code, str(p.place), p.message) for p in result.problems]
    assert found[0].place.line == line
    if caret is not None:
        assert pointed_at(root, found[0]) == caret
    assert "riverside" in result.desired.frozen
    assert "riverside" not in result.desired.accounts


BAD_BYTES = {
    "an alias bomb": b"a: &a [1,2]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n",
    "a cyclic alias": b"account: &x [*x]\n",
    "five thousand brackets": b"account: " + b"[" * 5000,
    "five thousand nested maps": b"".join(b" " * i + b"a:\n" for i in range(600)),
    "a tab": GOOD.replace("  grades:", "\tgrades:").encode(),
    "two documents": (GOOD + "---\naccount: other\n").encode(),
    "a tag": GOOD.replace("account: riverside", "account: !!python/name:os.system riverside").encode(),
    "latin-1": GOOD.replace("Public", "P\u00fablic").encode("latin-1"),
    "UTF-16": GOOD.encode("utf-16"),
    "a NUL": GOOD.encode() + b"reason: \0\n",
    "a control character": GOOD.encode() + b"reason: \x1b[31m\n",
    "an escaped control character": GOOD.encode() + b'reason: "\\e[31m"\n',
    "five megabytes": b"# " + b"x" * 5_000_000,
    "too many entries": b"a: [" + b"1," * 20_001 + b"]\n",
    "nothing": b"",
    "only a comment": b"# nothing yet\n",
    "a merge conflict": b"<<<<<<< HEAD\n" + GOOD.encode() + b"=======\n>>>>>>> other\n",
    "a single word": b"hello\n",
    "a list": b"- a\n- b\n",
    "a list as a key": b"? [a]\n: b\n",
    "a number as a key": GOOD.encode() + b"1: x\n",
    "a number too long": b"account: " + b"9" * 5000,
    "a bracket left open": GOOD.encode() + b"scope: {terms: [a, b\n",
    "a quote left open": GOOD.encode() + b"reason: 'x\n",
    "a value with a star": GOOD.replace("every 15", "*/15").encode(),
}


@pytest.mark.parametrize("name", BAD_BYTES)
def test_an_unreadable_file_is_a_placed_problem_and_freezes_only_its_account(
    name: str, tmp_path: Path
) -> None:
    root = tree(tmp_path, {"riverside.yaml": BAD_BYTES[name], "hillside.yaml": account("hillside")})
    result = loaded(root)
    found = errors(result)
    assert found
    assert {p.place.file for p in found} == {"schedules/riverside.yaml"}
    assert all(p.code in ("GS-101", "GS-106", "GS-110", "GS-111") for p in found)
    assert set(result.desired.accounts) == {"hillside"}
    assert "riverside" in result.desired.frozen


def test_a_duplicate_names_both_places(tmp_path: Path) -> None:
    result = loaded(tree(tmp_path, {"riverside.yaml": GOOD + "name: Again\n"}))
    (problem,) = errors(result)
    assert "first on line 2" in problem.message


def test_a_blank_that_had_to_be_a_zero_is_refused_and_what_holds_instead_is_named(tmp_path: Path) -> None:
    (problem,) = errors(loaded(tree(tmp_path, {"riverside.yaml": GOOD + "passback: {deletions: blank}\n"})))
    assert "every result must have a number" in problem.message
    assert problem.hint == "write `report` or `delete`"
    assert not errors(loaded(tree(tmp_path, {"riverside.yaml": GOOD + "passback: {deletions: delete}\n"})))


def test_a_misspelt_required_key_is_one_problem_with_a_suggestion(tmp_path: Path) -> None:
    (problem,) = errors(loaded(tree(tmp_path, {"riverside.yaml": bad("interval:", "intervl:")})))
    assert problem.hint == "did you mean `interval`?"


@pytest.mark.parametrize(
    ("word", "answer"), [("off", "`paused`"), ("no", "`paused`"), ("on", "`active`"), ("False", "`paused`")]
)
def test_a_state_of_yaml_1_1_is_answered_in_words(word: str, answer: str, tmp_path: Path) -> None:
    (problem,) = errors(loaded(tree(tmp_path, {"riverside.yaml": GOOD + f"state: {word}\n"})))
    assert problem.message == f"`{word}` is not a state; write {answer}"


SECRET_FILES = {
    "as the token": bad("env:RIVERSIDE_CANVAS_TOKEN", SECRET),
    "as a client secret": bad("env:RIVERSIDE_SIS_SECRET", "hunter2"),
    "as a client id": bad("env:RIVERSIDE_SIS_ID", "my-client-id"),
    "under an unknown key": GOOD + f"tokn: {SECRET}\n",
    "as a key": GOOD + f"labels: {{{SECRET}: x}}\n",
    "as a state": GOOD + f"state: {SECRET}\n",
    "as an interval": bad("every 15 minutes", SECRET),
    "as a zone": bad("America/New_York", SECRET),
    "in a reason": GOOD + f"reason: the token is {SECRET} now\n",
    "in a school's id": GOOD + f"scope: {{schools: ['{SECRET}']}}\n",
    "in an address": bad(
        "https://riverside.instructure.com", f"https://x:{SECRET}@riverside.instructure.com"
    ),
    "in a query": bad(
        "https://riverside.instructure.com", f"https://riverside.instructure.com?access_token={SECRET}"
    ),
    "beside a syntax error": GOOD + f"canvas: {SECRET}: {{\n",
    "in a comment": GOOD + f"# old token: {SECRET}\n",
    "twice as a key": GOOD + f"labels: {{{SECRET}: a, {SECRET}: b}}\n",
}


@pytest.mark.parametrize("name", SECRET_FILES)
def test_a_secret_is_refused_and_never_repeated(name: str, tmp_path: Path) -> None:
    result = loaded(tree(tmp_path, {"riverside.yaml": SECRET_FILES[name]}))
    assert errors(result)
    for hidden in (SECRET, SECRET[:12], "hunter2", "my-client-id"):
        assert hidden not in repr(result.problems)
    assert "GS-107" in {p.code for p in errors(result)}


def test_a_mail_address_in_free_text_is_a_warning(tmp_path: Path) -> None:
    result = loaded(tree(tmp_path, {"riverside.yaml": bad("sis-admin", "pat@riverside.example")}))
    assert [(p.code, p.warning, p.place.line) for p in result.problems] == [("GS-110", True, 15)]
    assert "pat@" not in repr(result.problems)


def test_a_comment_that_cuts_a_value_is_a_warning(tmp_path: Path) -> None:
    result = loaded(tree(tmp_path, {"riverside.yaml": GOOD + "reason: ticket #4711\n"}))
    assert [(p.code, p.warning) for p in result.problems] == [("GS-110", True)]
    assert "riverside" in result.desired.accounts


def test_an_ordinary_comment_is_no_warning(tmp_path: Path) -> None:
    result = loaded(tree(tmp_path, {"riverside.yaml": GOOD + "reason: moved  # see #4711\n"}))
    assert result.problems == ()


@pytest.mark.parametrize(
    ("shared", "change"),
    [
        ("the same account name", ("account: hillside", "account: riverside")),
        (
            "the same Canvas address",
            ("https://hillside.instructure.com", "https://RIVERSIDE.instructure.com:443/"),
        ),
        ("the same SIS address", ("https://genesis.hillside", "https://genesis.riverside")),
        ("the same secret", ("env:HILLSIDE_SIS_SECRET", "env:RIVERSIDE_SIS_SECRET")),
    ],
)
def test_two_accounts_that_claim_one_thing_are_both_told_and_both_frozen(
    shared: str, change: tuple[str, str], tmp_path: Path
) -> None:
    second = account("hillside").replace(*change).replace("/genesis\n", "/genesis\n")
    if "SIS" in shared:
        second = second.replace("riverside.example/genesis", "riverside.example/genesis")
    result = loaded(tree(tmp_path, {"riverside.yaml": GOOD, "hillside.yaml": second}))
    clashes = [p for p in errors(result) if p.code == "GS-112"]
    assert {p.place.file for p in clashes} == {"schedules/riverside.yaml", "schedules/hillside.yaml"}
    assert all(
        ("riverside.yaml" if "hillside" in p.place.file else "hillside.yaml") in p.message for p in clashes
    )
    assert {"riverside", "hillside"} <= result.desired.frozen
    assert not result.desired.accounts
    named = [p for p in clashes if "riverside" in p.place.file and "account name" not in p.message]
    assert all("claimed by `hillside` in schedules/hillside.yaml" in p.message for p in named)


def test_two_accounts_may_share_when_both_say_so(tmp_path: Path) -> None:
    second = account("hillside").replace("https://hillside.i", "https://riverside.i") + "shared: true\n"
    files: dict[str, str | bytes] = {"riverside.yaml": GOOD, "hillside.yaml": second}
    assert errors(loaded(tree(tmp_path, files)))
    files["riverside.yaml"] = GOOD + "shared: true\n"
    assert loaded(tree(tmp_path, files)).problems == ()


def test_one_name_in_two_groups_is_a_problem(tmp_path: Path) -> None:
    result = loaded(
        tree(tmp_path, {"north/riverside.yaml": GOOD, "south/riverside.yaml": GOOD + "shared: true\n"})
    )
    assert {p.place.file for p in errors(result)} == {
        "schedules/north/riverside.yaml",
        "schedules/south/riverside.yaml",
    }
    assert result.desired.frozen == {"riverside"}


def test_a_link_to_nothing_is_a_placed_problem(tmp_path: Path) -> None:
    root = tree(tmp_path, {"hillside.yaml": account("hillside")})
    (root / "schedules" / "riverside.yaml").symlink_to(root / "nowhere.yaml")
    result = loaded(root)
    assert [(p.code, p.place.file) for p in errors(result)] == [("GS-101", "schedules/riverside.yaml")]
    assert result.desired.frozen == {"riverside"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_the_right_to_read_is_a_placed_problem(tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": GOOD})
    (root / "schedules" / "riverside.yaml").chmod(0)
    (problem,) = errors(loaded(root))
    assert "may not be read" in problem.message


def test_a_folder_or_pipe_in_place_of_a_file_is_a_placed_problem(tmp_path: Path) -> None:
    root = tree(tmp_path, {"hillside.yaml": account("hillside")})
    (root / "schedules" / "riverside.yaml").mkdir()
    os.mkfifo(root / "schedules" / "pipe.yaml")
    result = loaded(root)
    assert [(p.code, p.place.file) for p in errors(result)] == [
        ("GS-101", "schedules/pipe.yaml"),
        ("GS-101", "schedules/riverside.yaml"),
    ]
    assert result.desired.frozen == {"riverside", "pipe"}


def test_stray_files_warn_and_freeze_nothing(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "riverside.yaml": GOOD,
        "notes.txt": "x",
        "_old.yaml": "x",
        "n/deep/x.yaml": "x",
    }
    result = loaded(tree(tmp_path, files))
    assert {(p.code, p.warning, p.place.file) for p in result.problems} == {
        ("GS-114", True, "schedules/notes.txt"),
        ("GS-114", True, "schedules/_old.yaml"),
        ("GS-114", True, "schedules/n/deep"),
    }
    assert set(result.desired.accounts) == {"riverside"}


def test_without_hosts_only_this_machine_is_allowed(tmp_path: Path) -> None:
    assert {p.code for p in errors(loaded(tree(tmp_path / "a", {"riverside.yaml": GOOD}, None)))} == {
        "GS-108"
    }
    local = bad("https://riverside.instructure.com", "http://127.0.0.1:8080")
    local = local.replace("https://genesis.riverside.example/genesis", "http://localhost:8081")
    assert loaded(tree(tmp_path / "b", {"riverside.yaml": local}, None)).problems == ()
    assert {p.code for p in errors(loaded(tree(tmp_path / "c", {"riverside.yaml": local}, SETTINGS)))} == {
        "GS-108"
    }


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("hosts: [", "GS-101"),
        ("hosts: ['*']\n", "GS-110"),
        ("hosst: ['a.example']\n", "GS-102"),
        ("store: postgresql://u:hunter2@db/x\n", "GS-107"),
        ("secrets: file:/run/x\n", "GS-110"),
        ("safety: {all_share: 10}\n", "GS-110"),
        ("", "GS-101"),
    ],
)
def test_bad_settings_freeze_every_account(settings: str, code: str, tmp_path: Path) -> None:
    result = loaded(
        tree(tmp_path, {"riverside.yaml": GOOD, "x/hillside.yaml": account("hillside")}, settings)
    )
    assert [(p.code, p.place.file) for p in errors(result)] == [(code, "gradesync.yaml")]
    assert result.desired.frozen == {"riverside", "hillside"}
    assert "hunter2" not in repr(result.problems)


def test_bad_defaults_freeze_only_the_accounts_below_them(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "north/_defaults.yaml": "roster: {change_limit: {users: x}}\n",
        "north/riverside.yaml": GOOD,
        "south/hillside.yaml": account("hillside"),
    }
    result = loaded(tree(tmp_path, files))
    assert {p.place.file for p in errors(result)} == {"schedules/north/_defaults.yaml"}
    assert result.desired.frozen == {"riverside"}
    assert set(result.desired.accounts) == {"hillside"}


def test_a_broken_file_also_freezes_the_account_it_came_from(tmp_path: Path) -> None:
    result = loaded(tree(tmp_path, {"new.yaml": account("new") + "moved_from: old\nstate: off\n"}))
    assert {"new", "old"} <= result.desired.frozen


def test_all_problems_of_all_files_come_at_once_and_in_order(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "b.yaml": account("b") + "x: 1\nstate: off\n",
        "a.yaml": account("a") + "y: 1\n",
    }
    found = [(p.place.file, p.place.line) for p in errors(loaded(tree(tmp_path, files)))]
    assert found == [("schedules/a.yaml", 16), ("schedules/b.yaml", 16), ("schedules/b.yaml", 17)]


def test_a_tree_without_schedules_is_a_problem(tmp_path: Path) -> None:
    (problem,) = errors(loaded(tmp_path))
    assert problem.code == "GS-101"


@pytest.mark.parametrize("text", ['"two\\nlines"', '"\\u202Eback"', "'\u202eback'", "\u202eback"])
def test_a_name_that_would_garble_a_report_is_refused(text: str, tmp_path: Path) -> None:
    result = loaded(tree(tmp_path, {"riverside.yaml": bad("Riverside Public Schools", text)}))
    assert {p.place.line for p in errors(result)} == {2}


def test_a_reason_may_have_lines(tmp_path: Path) -> None:
    assert not errors(loaded(tree(tmp_path, {"riverside.yaml": GOOD + "reason: |\n  one\n  two\n"})))
