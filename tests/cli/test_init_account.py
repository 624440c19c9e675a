"""`gradesync init ACCOUNT`: questions, flags and pasted tables become one file, which is checked and never replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from gradesync.cli.main import group
from tests.cli.conftest import Tree

FLAGS = (
    "--name", "Lakeside: Schools #1", "--zone", "America/Chicago", "--canvas", "https://lakeside.instructure.com",
    "--sis", "https://genesis.lakeside.example/genesis", "--profile", "genesis",
)  # fmt: skip
TABLE = (
    "Grade Sync\nType\tInterval\tFirst Run\tNext Run\tTime Zone\tPosted By\n"
    "Roster Sync\tDaily\t09/01/2026 2:00 AM\t11/24/2026 2:00 AM\tCentral Time (US & Canada)\tsis-admin\n"
    "Grade Sync\tEvery 15 minutes\t09/01/2026 7:00 AM\t\tEastern Time (US & Canada)\tJane Doe\n"
    "Grade Sync\tNow and then\t09/01/2026 7:00 AM\t\tHawaii\tevil: \x1b[31m\n"
)


def run(root: Path, *arguments: str, typed: str | bytes | None = None, code: int | None = 0) -> Result:
    result = CliRunner().invoke(group, ["-C", str(root), *arguments], input=typed)
    assert code is None or result.exit_code == code, result.output
    return result


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "schedules").mkdir()
    (tmp_path / "gradesync.yaml").write_text(
        'hosts: ["*.instructure.com", "*.lakeside.example"]\nsecrets: env\n'
    )
    return tmp_path


def read(root: Path, name: str = "lakeside") -> dict[str, object]:
    found: dict[str, object] = yaml.load(
        (root / "schedules" / f"{name}.yaml").read_text(encoding="utf-8"), yaml.BaseLoader
    )
    return found


def test_flags_alone_write_an_account_that_validates_and_observes(root: Path) -> None:
    told = run(root, "init", "lakeside", *FLAGS, "--yes").output
    assert "gradesync doctor lakeside" in told
    assert "env:LAKESIDE_CANVAS_TOKEN" in told
    made = read(root)
    assert (made["state"], made["name"]) == ("observe", "Lakeside: Schools #1")
    assert "token" not in made["canvas"]  # type: ignore[operator]  # a mapping of YAML
    text = (root / "schedules" / "lakeside.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../gradesync.schema.json\n")
    run(root, "validate")


def test_the_last_step_names_the_line_that_lets_the_account_send(root: Path) -> None:
    told = run(root, "init", "lakeside", *FLAGS, "--group", "pilot", "--yes").output
    lines = (root / "schedules" / "pilot" / "lakeside.yaml").read_text().splitlines()
    number = 1 + next(n for n, line in enumerate(lines) if line.startswith("state:"))
    assert (
        f"`state: active` in place of `state: observe` (schedules/pilot/lakeside.yaml, line {number})" in told
    )


def test_schedules_that_come_from_the_folder_are_named(root: Path) -> None:
    (root / "schedules" / "pilot").mkdir()
    (root / "schedules" / "pilot" / "_defaults.yaml").write_text(
        "schedules:\n  nightly-of-all: {type: roster import, interval: 'daily at 03:30'}\n"
    )
    told = run(root, "init", "lakeside", *FLAGS, "--group", "pilot", "--yes").output
    assert "it inherits the schedule nightly-of-all from schedules/pilot/_defaults.yaml:2" in told


@pytest.mark.parametrize(
    ("hosts", "missing"),
    [
        ('["*.instructure.com"]', "genesis.lakeside.example"),
        ("[genesis.lakeside.example]", "lakeside.instructure.com"),
        ("[other.example]", "lakeside.instructure.com, genesis.lakeside.example"),
        ('["*.instructure.com", genesis.lakeside.example]', None),
    ],
)
def test_the_owner_is_asked_only_for_hosts_that_are_not_allowed_yet(
    hosts: str, missing: str | None, root: Path
) -> None:
    (root / "gradesync.yaml").write_text(f"hosts: {hosts}\nsecrets: env\n")
    told = run(root, "init", "lakeside", *FLAGS, "--yes", code=1 if missing else 0).output
    asked = [
        line.partition("gradesync.yaml: ")[2] for line in told.splitlines() if "have the owner add" in line
    ]
    assert asked == ([missing] if missing else [])


def test_nothing_is_ever_overwritten(root: Path) -> None:
    run(root, "init", "lakeside", *FLAGS, "--yes")
    before = (root / "schedules" / "lakeside.yaml").read_bytes()
    assert "already" in run(root, "init", "lakeside", *FLAGS, "--yes", "--group", "north", code=1).output
    assert "already" in run(root, "init", "lakeside", *FLAGS, "--yes", code=1).output
    assert (root / "schedules" / "lakeside.yaml").read_bytes() == before
    assert not (root / "schedules" / "north").exists()


def test_a_group_is_a_folder_and_the_schema_is_found_from_there(root: Path) -> None:
    run(root, "init", "lakeside", *FLAGS, "--yes", "--group", "north")
    text = (root / "schedules" / "north" / "lakeside.yaml").read_text()
    assert "$schema=../../gradesync.schema.json" in text


def test_without_a_terminal_every_missing_answer_is_named_at_once(root: Path) -> None:
    told = run(root, "init", "lakeside", "--profile", "genesis", code=64).output
    assert all(option in told for option in ("--zone", "--canvas", "--sis"))
    assert "--profile," not in told
    assert not (root / "schedules" / "lakeside.yaml").exists()


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ("--zone", "America/Springfield"),
        ("--zone", "EST"),
        ("--canvas", "http://lakeside.example"),
        ("--canvas", "https://user:secret@lakeside.example"),
        ("--profile", "abacus"),
        ("--group", "../up"),
        ("--name", "two\nlines"),
    ],
)
def test_a_wrong_flag_writes_nothing(root: Path, option: str, wrong: str) -> None:
    run(root, "init", "lakeside", *FLAGS, option, wrong, "--yes", code=64)
    assert list((root / "schedules").iterdir()) == []


@pytest.mark.parametrize("page", ["/courses/12", "/login/canvas", "/courses/12/gradebook?view=1", "/Users/4"])
def test_the_address_of_a_page_in_canvas_is_refused_with_the_one_that_is_meant(root: Path, page: str) -> None:
    told = run(
        root,
        "init",
        "lakeside",
        *FLAGS,
        "--canvas",
        f"https://lakeside.instructure.com{page}",
        "--yes",
        code=64,
    ).output
    assert "Canvas itself is https://lakeside.instructure.com" in " ".join(told.split())
    assert list((root / "schedules").iterdir()) == []


def test_where_settings_do_not_say_where_keys_are_the_file_does(root: Path) -> None:
    (root / "gradesync.yaml").write_text('hosts: ["*.instructure.com", "*.lakeside.example"]\n')
    run(root, "init", "lakeside", *FLAGS, "--yes")
    assert read(root)["canvas"]["token"] == "env:LAKESIDE_CANVAS_TOKEN"  # type: ignore[index]  # a mapping of YAML
    run(root, "validate")


def test_a_zone_that_canvas_shows_counts_for_the_rows_of_a_table_too(root: Path) -> None:
    (root / "pasted.csv").write_text(
        "Type,Hour of Day,Next Run,Status\nGrade Sync,2 AM,11/24/2026 2:00 AM,Active\n"
    )
    flags = [*FLAGS]
    flags[flags.index("America/Chicago")] = "Central Time (US & Canada)"
    told = run(root, "init", "lakeside", *flags, "--from-table", str(root / "pasted.csv")).output
    assert "1 of 1 rows" in told
    assert read(root)["time_zone"] == "America/Chicago"


def test_where_there_are_workflows_the_lines_they_need_are_written_out_to_copy(root: Path) -> None:
    line = "LAKESIDE_CANVAS_TOKEN: ${{ secrets.LAKESIDE_CANVAS_TOKEN }}"
    assert line not in run(root, "init", "lakeside", *FLAGS, "--yes").output
    (root / "schedules" / "lakeside.yaml").unlink()
    (root / ".github" / "workflows").mkdir(parents=True)
    (root / ".github" / "workflows" / "reconcile.yml").write_text("name: reconcile\n")
    assert line in run(root, "init", "lakeside", *FLAGS, "--yes").output


def test_a_host_that_is_not_allowed_is_shown_with_the_file_and_who_must_add_it(root: Path) -> None:
    (root / "gradesync.yaml").write_text("secrets: env\n")
    told = run(root, "init", "lakeside", *FLAGS, "--yes", code=1).output
    assert "GS-108" in told
    assert "lakeside.instructure.com, genesis.lakeside.example" in told
    assert (root / "schedules" / "lakeside.yaml").exists()


def test_questions_at_a_terminal_are_asked_again_until_they_are_answered(tree: Tree) -> None:
    (tree.root / "gradesync.yaml").write_text(
        'hosts: ["*.instructure.com", "*.lakeside.example"]\nsecrets: env\n'
    )
    typed = (
        "\nEastern Time (US & Canada)\nlakeside\nhttps://lakeside.instructure.com\ngenesis\n"
        "https://genesis.lakeside.example/genesis\n"
    )
    code, shown = tree.at_a_terminal("init", "lakeside", typed=typed)
    assert code == 0, shown
    assert "Name of the district [Lakeside]" in shown
    assert "https://, names a host" in shown
    made = read(tree.root)
    assert (made["name"], made["time_zone"]) == ("Lakeside", "America/New_York")


@pytest.mark.parametrize("way", ["file", "stdin", "html", "utf-16"])
def test_a_pasted_table_becomes_schedules_and_doubts_become_comments(
    root: Path, tmp_path: Path, way: str
) -> None:
    pasted = tmp_path / "pasted.txt"
    raw = TABLE.encode()
    if way == "html":
        rows = "".join(
            "<tr>" + "".join(f"<td>{cell.replace('&', '&amp;')}</td>" for cell in line.split("\t")) + "</tr>"
            for line in TABLE.splitlines()
        )
        raw = f"<table>{rows}</table>".encode()
    pasted.write_bytes(TABLE.encode("utf-16") if way == "utf-16" else raw)
    source = "-" if way == "stdin" else str(pasted)
    flags = [one for one in FLAGS if one not in ("--zone", "America/Chicago")]
    result = run(
        root,
        "init",
        "lakeside",
        *flags,
        "--from-table",
        source,
        typed=raw if way == "stdin" else None,
        code=3,
    )
    assert "2 of 3 rows of the table were taken over" in result.output
    assert "row 5, Interval shows `Now and then`" in result.output or way == "html"
    assert "Jane" not in result.output
    assert "\x1b" not in result.output
    made = read(root)
    assert made["time_zone"] in ("America/Chicago", "America/New_York", "Pacific/Honolulu")
    schedules = made["schedules"]
    assert isinstance(schedules, dict)
    assert set(schedules) == {"roster", "grades"}
    assert schedules["roster"]["interval"] == "daily at 02:00"
    assert schedules["grades"] == {
        "type": "grade passback",
        "interval": "every 15 minutes",
        "first_run": "2026-09-01 07:00",
        "time_zone": "America/New_York",
        "state": "paused",
        "reason": "no next run in the vendor's table",
    }
    text = (root / "schedules" / "lakeside.yaml").read_text()
    assert "# grades-2:" in text
    assert "Jane" not in text
    run(root, "validate")


def test_a_row_that_could_not_be_read_keeps_its_cells_for_whoever_finishes_it(root: Path) -> None:
    text = TABLE + "Grade Sync\tTwice a day\t9/1/2026 7:00 AM\t\tEST\tjsmith@lakeside.example\n"
    told = run(root, "init", "lakeside", *FLAGS, "--from-table", "-", typed=text, code=3).output
    assert "row 6, Time Zone shows `EST`" in told
    assert "row 6, Interval shows `Twice a day`" in told
    file = (root / "schedules" / "lakeside.yaml").read_text()
    comment = next(line for line in file.splitlines() if "row 6 shows" in line)
    assert "Interval: Twice a day; First Run: 9/1/2026 7:00 AM; Time Zone: EST" in comment
    assert "  #   first_run: 2026-09-01 07:00" in file
    assert "Jane" not in file
    run(root, "validate")


def test_a_table_of_which_nothing_is_certain_still_makes_a_file_that_validates(root: Path) -> None:
    text = "Type,Interval,First Run,Next Run,Time Zone\nGrades,x\\ny: z,,,\n"
    run(root, "init", "lakeside", *FLAGS, "--from-table", "-", typed=text, code=3)
    assert read(root)["schedules"] in ({}, "{}")
    run(root, "validate")


@pytest.mark.parametrize("text", ["", "hello", "Type\tInterval\tNext Run\n"])
def test_what_is_no_table_is_said_and_nothing_is_written(root: Path, text: str) -> None:
    told = run(root, "init", "lakeside", *FLAGS, "--from-table", "-", typed=text, code=1).output
    assert "titles" in told
    assert list((root / "schedules").iterdir()) == []


def test_outside_a_tree_an_account_cannot_begin_and_a_plain_name_is_a_folder(tmp_path: Path) -> None:
    run(tmp_path, "init", "lakeside", *FLAGS, "--yes", code=1)
    run(tmp_path, "init", "lakeside")
    assert (tmp_path / "lakeside" / "schedules" / "example.yaml").exists()


def test_a_repository_is_begun_with_its_owners(tmp_path: Path) -> None:
    pin = f"someone/gradesync@{'a' * 40}"
    told = run(tmp_path, "init", "repo", "--repo", "--owner", "@district/lms", "--actions", pin).output
    assert "@district/lms" in (tmp_path / "repo" / ".github" / "CODEOWNERS").read_text()
    assert "CODEOWNERS written" in told
    assert "next:" in told
    run(tmp_path, "init", "repo2", "--owner", "@district/lms", code=64)
    run(tmp_path, "init", "repo3", "--repo", "--actions", pin, code=1)
