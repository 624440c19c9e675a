"""The form of the GitLab page: the same acts as GitHub's, by the login GitLab proves, and no word of it is a script."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.actions.conftest import git
from tests.actions.running import ROOT, Runner
from tests.actions.test_act import HOSTILE, ask, history, holds
from tests.actions.test_snippets import CI, the_one

Job = Callable[..., Runner]
VARIABLES = {
    "WHAT": "action",
    "TARGET": "target",
    "REASON": "reason",
    "LENGTH": "for",
    "END": "until",
    "NOW": "now",
}


def page() -> tuple[str, dict[str, Any]]:
    return the_one(CI, "stages")


def press(
    tree: Path, tmp_path: Path, login: str = "aortiz", **inputs: str
) -> subprocess.CompletedProcess[str]:
    """What GitLab's runner does with the job `act` when somebody has filled in the form."""
    tell_people_of_gitlab(tree)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=tree, check=True, capture_output=True, text=True
    ).stdout.strip()
    plain = Runner(tmp_path / f"job-{len(list(tmp_path.glob('job-*')))}", tree).env
    env = {name: value for name, value in plain.items() if not name.startswith(("GITHUB_", "RUNNER_"))}
    env |= {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "web",
        "GITLAB_USER_LOGIN": login,
        "CI_JOB_URL": "https://git.example.org/district/schedules/-/jobs/17",
        "CI_DEFAULT_BRANCH": "main",
        "CI_COMMIT_SHA": inputs.pop("commit", head),
    }
    given = {"target": "", "reason": "", "for": "", "until": "", "now": "false", **inputs}
    env |= {name: given[one] for name, one in VARIABLES.items()}
    [script] = page()[1]["act"]["script"]
    command = ["bash", "-c", script]
    return subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)


def tell_people_of_gitlab(tree: Path) -> None:
    settings = tree / "gradesync.yaml"
    if "gitlab:" in settings.read_text():
        return
    settings.write_text(settings.read_text().replace("github:", "gitlab:"))
    git(tree, "commit", "-q", "-a", "-m", "people by their GitLab logins")
    git(tree, "remote", "add", "origin", str(tree))


def test_a_pause_is_recorded_under_the_login_gitlab_proves(tree: Path, tmp_path: Path) -> None:
    done = press(
        tree, tmp_path, action="pause", target="riverside/grades", reason="SIS upgrade", **{"for": "4h"}
    )
    assert done.returncode == 0, done.stderr
    [hold] = holds(tree)
    assert (hold["actor"]["name"], hold["reason"]) == ("Ana Ortiz", "SIS upgrade")
    [entry] = [one for one in history(tree) if one["what"] == "hold placed"]
    assert entry["actor"]["how"] == "CI dispatch"
    assert "jobs/17" in str(entry["actor"])


@pytest.mark.parametrize("login", ["blee", "mallory"])
def test_a_right_that_the_login_lacks_is_refused_and_nothing_is_done(
    tree: Path, tmp_path: Path, login: str
) -> None:
    done = press(tree, tmp_path, login, action="pause", target="oak-hill", reason="by mistake")
    assert done.returncode == 1
    assert "GS-710" in done.stderr
    assert holds(tree) == []


def test_pausing_and_resuming_reach_types_and_everything(tree: Path, tmp_path: Path) -> None:
    for number, target in enumerate(("everything", "type:grade-passback"), 1):
        assert press(tree, tmp_path, action="pause-all", target=target, reason="outage").returncode == 0
        assert len(holds(tree)) == number
    done = press(tree, tmp_path, action="resume", target="everything", reason="over")
    assert (done.returncode, len(holds(tree))) == (0, 1)


def test_a_wish_and_a_consent_are_recorded_with_the_reason(tree: Path, tmp_path: Path) -> None:
    done = press(tree, tmp_path, "blee", action="request", target="riverside/grades", reason="a parent asked")
    assert done.returncode == 0, done.stderr
    [wish] = [entry for entry in history(tree) if entry["what"] == "run requested"]
    assert (wish["actor"]["name"], wish["data"]["reason"]) == ("Ben Lee", "a parent asked")
    for path in (tree / "schedules").glob("*.yaml"):
        path.write_text(path.read_text().partition("schedules:")[0] + "schedules: {}\n")
    git(tree, "commit", "-q", "-a", "-m", "two pilots ended")
    digest = ask(tree, "plan")["digest"]
    assert "GS-710" in press(tree, tmp_path, "blee", action="allow", target=digest, reason="over").stderr
    done = press(tree, tmp_path, action="allow", target=digest, reason="two pilots ended")
    assert done.returncode == 0, done.stderr
    assert not ask(tree, "plan")["withheld"]


def test_a_job_started_again_after_the_files_changed_does_nothing(tree: Path, tmp_path: Path) -> None:
    done = press(tree, tmp_path, action="pause", target="oak-hill", reason="again", commit="0" * 40)
    assert done.returncode == 64
    assert "Press Run pipeline again" in done.stderr
    assert holds(tree) == []


@pytest.mark.parametrize("missing", ["reason", "target"])
def test_without_a_reason_or_a_target_nothing_is_begun(missing: str, tree: Path, tmp_path: Path) -> None:
    words = {"reason": "outage", "target": "everything", missing: " "}
    assert press(tree, tmp_path, action="pause-all", **words).returncode == 64
    assert holds(tree) == []


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_are_words_even_past_what_gitlab_lets_through(
    hostile: str, tree: Path, tmp_path: Path
) -> None:
    done = press(tree, tmp_path, action="pause", target="riverside", reason=hostile)
    assert done.returncode == 0, done.stderr
    assert press(tree, tmp_path, action="pause", target=hostile, reason="x", until=hostile).returncode != 0
    assert press(tree, tmp_path, action=hostile, target="riverside", reason="x").returncode == 64
    assert not list(tmp_path.rglob("pwned"))
    assert len(holds(tree)) == 1


def test_the_form_offers_what_github_s_offers_and_a_plain_pass() -> None:
    form = yaml.load((ROOT / ".github" / "workflows" / "act.yml").read_text(), Loader=yaml.BaseLoader)
    theirs = form["on"]["workflow_dispatch"]["inputs"]
    ours = page()[1]["spec"]["inputs"]
    assert set(ours) == set(theirs)
    assert ours["action"]["options"] == ["pass", *theirs["action"]["options"]]
    # Every pipeline that nobody filled in, such as a merge request's, needs a value of each.
    assert all("default" in one for one in ours.values())


def test_no_input_stands_in_a_script_and_none_can_leave_the_value_it_lands_in() -> None:
    text, tree = page()
    inputs = tree["spec"]["inputs"]
    for job in [tree["default"], *(one for one in tree.values() if isinstance(one, dict))]:
        assert "inputs." not in str([job.get("before_script"), job.get("script")])
    free = {
        name: one for name, one in inputs.items() if "options" not in one and one.get("type") != "boolean"
    }
    assert set(free) == {"target", "reason", "for", "until"}
    odd = ('" }\n  script: [id]\nx: {y: "', '\\", z: "', "$GRADESYNC_STORE", "$[[ inputs.now ]]", *HOSTILE)
    fine = {
        "target": "type:grade-passback",
        "reason": "Überholt: Ana's #1 {SIS} [x] & *y",
        "for": "4h",
        "until": "",
    }
    for name, one in free.items():
        allowed = re.compile(one["regex"].replace(r"\z", r"\Z"))
        assert [value for value in odd if allowed.search(value)] in ([], ["--everything"])
        assert allowed.search(fine[name])
        shown = text.replace(f"$[[ inputs.{name} ]]", fine[name])
        _, filled = yaml.safe_load_all(shown)
        changed = {key: value for key, value in filled.items() if value != tree[key]}
        assert set(changed) <= {"act"}
        variable = next(key for key, each in VARIABLES.items() if each == name)
        assert filled["act"]["variables"][variable] == {"value": fine[name], "expand": False}
    # What stands in a condition is one of a fixed list.
    assert set(re.findall(r"- if: .*inputs\.(\w+)", text)) == {"action"}
