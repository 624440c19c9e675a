"""The sandbox's commands against a running one: they tell counts, and list what there is when asked for what is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradesync.cli.main import group
from gradesync.sandbox.canvas_state import MANNERS as CANVAS_MANNERS
from gradesync.sandbox.faults import FAULTS
from gradesync.sandbox.server import Sandbox, SandboxSchool, running
from gradesync.sandbox.sis_behaviour import MANNERS, WRITE_MODES
from gradesync.sandbox.sis_edit import SIS_ACTS
from gradesync.sandbox.teach import STYLES
from gradesync.sandbox.teach_acts import ACTS


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of these tests' own: what is moved here by hand would be missing elsewhere."""
    with running(("riverside", "oak-hill"), students=30, today=date(2026, 11, 23)) as started:
        yield started


@pytest.fixture
def school(sandbox: Sandbox) -> SandboxSchool:
    return sandbox.schools["riverside"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["sandbox", *arguments])


def test_editing_by_hand_tells_counts_alone(sandbox: Sandbox, school: SandboxSchool) -> None:
    done = run("sis-edit", "--url", sandbox.url, "--district", "riverside", "--act", "transfer-student")
    assert done.exit_code == 0
    assert done.stdout == "riverside: transfer-student 1\n"
    closed = run("sis-edit", "--url", sandbox.url, "--act", "close-period", "--seed", "4")
    assert closed.stdout == "riverside: close-period 1\noak-hill: close-period 1\n"
    assert school.sis.behaviour.closed_periods
    again = run("sis-edit", "--url", sandbox.url, "--act", "close-period")
    assert again.stdout == "riverside: nothing\noak-hill: nothing\n"


def test_teachers_can_be_asked_for_one_act(sandbox: Sandbox) -> None:
    done = run("teach", "--url", sandbox.url, "--district", "riverside", "--act", "renamed", "--rounds", "2")
    assert done.stdout == "riverside: renamed 2\n"


@pytest.mark.parametrize(
    ("arguments", "listed"),
    [
        (("sis-edit", "--act", "burn-down"), "drop-student"),
        (("teach", "--act", "sing"), "moved_students"),
        (("teach", "--style", "sing"), "hard-day"),
        (("serve", "--fault", "flood"), "sis-wrapped-errors"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(
    sandbox: Sandbox, arguments: tuple[str, ...], listed: str
) -> None:
    more = () if arguments[0] == "serve" else ("--url", sandbox.url)
    done = run(*arguments, *more)
    assert done.exit_code == 64
    assert listed in done.stderr


def test_no_name_title_or_id_of_the_school_is_told(sandbox: Sandbox, school: SandboxSchool) -> None:
    done = run("sis-edit", "--url", sandbox.url, "--times", "8", "--seed", "1", "--district", "riverside")
    said = done.stdout + done.stderr
    people = {
        word for row in school.sis.rows["users"].values() for word in (row["familyName"], row["sourcedId"])
    }
    assert done.exit_code == 0
    assert not [word for word in people if json.dumps(word)[1:-1] in said]


def test_the_page_about_the_sandbox_names_everything_one_can_ask_for() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z0-9_-]+)`", page))
    known = {*FAULTS, *MANNERS, *CANVAS_MANNERS, *SIS_ACTS, *ACTS, *STYLES, *WRITE_MODES}
    assert known <= told | {"day"}
