"""`comment` as a workflow calls it: plan, then comment, against a GitHub over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gradesync.cli.github_job import this_job
from gradesync.cli.main import group
from gradesync.domain.problem import Place
from gradesync.reporting.links import Links
from tests.cli.conftest import Tree
from tests.cli.test_guards import apply, edit
from tests.connectors.fake_github import ANA, JOB, REPOSITORY, FakeGitHub, github

HEAD = "a" * 40
BASE = "c" * 40


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with github() as fake:
        yield fake


@pytest.fixture
def changed(tree: Tree) -> Tree:
    """A recorded tree with one changed interval and one vanished file."""
    apply(tree)
    edit(tree, "riverside", "daily at 04:00", "hourly")
    (tree.root / "schedules" / "oak-hill.yaml").unlink()
    return tree


def job(hub: FakeGitHub, folder: Path, *, head: str = HEAD, **more: str) -> dict[str, str]:
    """The environment of a job of pull request 212."""
    event = folder / "event.json"
    repo = {"full_name": more.pop("fork", REPOSITORY)}
    pull = {"number": 212, "head": {"sha": head, "repo": repo}, "base": {"sha": BASE}}
    event.write_text(json.dumps({"pull_request": pull}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_API_URL": hub.url,
        "GITHUB_RUN_ID": "17",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_TOKEN": "job",
        **more,
    }


def saved(tree: Tree, code: int = 5, env: Mapping[str, str] | None = None) -> str:
    file = tree.root / "plan.json"
    tree.run("plan", "--format", "github", "--out", str(file), code=code, env=env)
    return str(file)


def comment(tree: Tree, env: Mapping[str, str], *more: str, code: int = 0, source: str = "") -> Result:
    return tree.run("comment", "--plan", source or str(tree.root / "plan.json"), *more, code=code, env=env)


def did(result: Result) -> Any:
    return json.loads(result.stdout)["did"]


def test_a_plan_becomes_one_comment_that_the_next_push_edits(
    changed: Tree, hub: FakeGitHub, tmp_path: Path
) -> None:
    env = job(hub, tmp_path)
    saved(changed, env=env)
    told = comment(changed, env)
    assert "the comment is posted: https://github.example/" in told.stdout
    (body,) = hub.bodies()
    assert "**Plan: 1 to change, 3 withheld. 1 unchanged.**" in body
    assert "gradesync reconcile --allow" in body
    assert body.index("Withheld") < body.index("Other changes")
    assert f"https://github.example/{REPOSITORY}/blob/{HEAD}/schedules/riverside.yaml#L" in body
    assert f"https://github.example/{REPOSITORY}/actions/runs/17" in body
    assert "`daily at 04:00` → `hourly`" in body
    assert hub.labels[212] == ["gradesync/connection", "gradesync/dangerous", "gradesync/schedule"]

    edit(changed, "riverside", "hourly", "daily at 05:00")
    changed.account("oak-hill")
    hub.heads[212] = "b" * 40
    env = job(hub, tmp_path, head="b" * 40)
    saved(changed, code=0, env=env)
    assert did(comment(changed, env, "--format", "json")) == "edited"
    (body,) = hub.bodies()
    assert "`daily at 05:00`" in body
    assert "withheld" not in body
    assert hub.labels[212] == ["gradesync/schedule"]


def test_no_changes_edit_what_stands_there_and_post_nothing(
    changed: Tree, hub: FakeGitHub, tmp_path: Path
) -> None:
    env = job(hub, tmp_path)
    edit(changed, "riverside", "hourly", "daily at 04:00")
    changed.account("oak-hill")
    saved(changed, code=0)
    assert did(comment(changed, env, "--format", "json")) == "nothing"
    assert hub.bodies() == []
    edit(changed, "riverside", "daily at 04:00", "hourly")
    saved(changed, code=0)
    comment(changed, env)
    edit(changed, "riverside", "hourly", "daily at 04:00")
    saved(changed, code=0)
    assert did(comment(changed, env, "--format", "json")) == "edited"
    assert ["Nothing to do: 2 accounts" in body for body in hub.bodies()] == [True]
    assert hub.labels[212] == []


def test_a_marker_that_somebody_else_pasted_is_not_followed(
    changed: Tree, hub: FakeGitHub, tmp_path: Path
) -> None:
    env = job(hub, tmp_path)
    saved(changed)
    comment(changed, env)
    (ours,) = hub.bodies()
    hub.comments.clear()
    pasted = hub.comment(ours.replace("withheld", "fine"), ANA)
    quoted = hub.comment(f"> {ours}", JOB)
    comment(changed, env)
    assert len(hub.comments) == 3
    assert "withheld" not in hub.comments[pasted]["body"]
    assert hub.comments[quoted]["body"].startswith("> ")


def test_a_job_that_was_late_changes_nothing(changed: Tree, hub: FakeGitHub, tmp_path: Path) -> None:
    saved(changed)
    hub.heads[212] = "b" * 40
    before = list(hub.labels.get(212, []))
    told = comment(changed, job(hub, tmp_path))
    assert "moved on to another commit" in told.stdout
    assert hub.written() == []
    assert hub.labels.get(212, []) == before


def test_a_run_that_follows_another_comments_only_where_that_ones_commit_still_stands(
    changed: Tree, hub: FakeGitHub, tmp_path: Path
) -> None:
    saved(changed)
    env = job(hub, tmp_path)
    for head, number, expected in (("b" * 40, "212", "behind"), (HEAD, "212", "posted")):
        event = {"workflow_run": {"id": 99, "head_sha": head, "pull_requests": []}}
        Path(env["GITHUB_EVENT_PATH"]).write_text(json.dumps(event))
        assert did(comment(changed, env, "--number", number, "--format", "json")) == expected
    assert "actions/runs/99" in hub.bodies()[0], "there the plan was made, and there its artifact is"


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"GITHUB_TOKEN": "fork"}, "permissions: pull-requests: write"),
        ({"GITHUB_TOKEN": "fork", "fork": "stranger/sync"}, "a pull request from a fork"),
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN": "", "fork": "stranger/sync"}, "a pull request from a fork"),
        ({"GITHUB_TOKEN": "nobody"}, "not valid"),
        ({"GITHUB_API_URL": "http://github.example"}, "https"),
        ({"GITHUB_REPOSITORY": "a/other", "fork": "a/other"}, "no such pull request"),
    ],
)
def test_what_github_does_not_take_is_a_warning_with_the_way_out_and_fails_only_with_strict(
    changed: Tree, hub: FakeGitHub, tmp_path: Path, env: dict[str, str], says: str
) -> None:
    saved(changed)
    environment = job(hub, tmp_path, **env)
    told = comment(changed, environment, "--format", "json")
    assert json.loads(told.stdout)["did"] == "failed"
    assert told.stderr.startswith("::warning title=GS-712 No comment on the pull request::")
    assert says in told.stderr.replace("%3A", ":")
    comment(changed, environment, "--strict", code=1)
    assert hub.bodies() == []


def test_labels_that_cannot_be_set_leave_the_comment_standing(
    changed: Tree, hub: FakeGitHub, tmp_path: Path
) -> None:
    hub.before = lambda _method, path: (403, {}) if path.endswith("/labels") else None
    saved(changed)
    told = comment(changed, job(hub, tmp_path), "--format", "json")
    assert json.loads(told.stdout)["did"] == "posted"
    assert "the labels" in told.stderr
    assert len(hub.bodies()) == 1


def test_the_token_is_said_nowhere(changed: Tree, hub: FakeGitHub, tmp_path: Path) -> None:
    secret = "ghs-obviously-fake-4711"
    hub.tokens[secret] = JOB
    saved(changed)
    for env in (job(hub, tmp_path, GITHUB_TOKEN=secret), job(hub, tmp_path, GITHUB_TOKEN=secret + "x")):
        told = comment(changed, env, "--verbose")
        assert "ghs-" not in told.output
    assert "ghs-" not in "".join(hub.bodies())
    odd = job(hub, tmp_path, GITHUB_TOKEN=f"{secret}\nX-More: 1")
    assert "ghs-" not in comment(changed, odd).output


def test_a_dry_run_prints_the_comment_and_asks_nothing(
    changed: Tree, hub: FakeGitHub, tmp_path: Path
) -> None:
    told = comment(changed, job(hub, tmp_path, GITHUB_TOKEN=""), "--dry-run", source=saved(changed))
    assert "### gradesync plan" in told.stdout
    assert "labels: gradesync/connection" in told.stderr
    assert hub.seen == []


def test_a_plan_comes_from_stdin_too(changed: Tree, hub: FakeGitHub, tmp_path: Path) -> None:
    plan = changed.run("plan", "--format", "json", code=5).stdout
    arguments = ["comment", "--plan", "-", "--number", "212", "--format", "json"]
    result = CliRunner().invoke(group, arguments, input=plan, env=job(hub, tmp_path))
    assert (result.exit_code, json.loads(result.stdout)["did"]) == (0, "posted")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"kind": "plan", "version": 1}',
        '{"kind": "saved plan", "version": 1, "accounts": null, "report": null}',
        '{"kind": "plan", "version": 2}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_what_is_no_plan_is_refused_in_a_sentence(tree: Tree, text: str) -> None:
    file = tree.root / "plan.json"
    file.write_text(text, errors="surrogateescape")
    told = tree.run("comment", "--plan", str(file), "--dry-run", code=1)
    assert "holds no plan that this gradesync can show" in told.stderr


def test_a_plan_whose_digest_was_exchanged_is_refused(changed: Tree) -> None:
    body = json.loads(Path(saved(changed)).read_text())
    body["report"]["digest"] = "0123456789ab"
    (changed.root / "plan.json").write_text(json.dumps(body))
    comment(changed, {}, "--dry-run", code=1)


def test_a_strangers_plan_is_text_and_nothing_else(changed: Tree, hub: FakeGitHub, tmp_path: Path) -> None:
    body = json.loads(Path(saved(changed)).read_text())
    body["report"] |= {"at": "2190-01-01T00:00:00Z", "commit": "x)[y](https://evil.example"}
    (changed.root / "plan.json").write_text(json.dumps(body))
    env = job(hub, tmp_path)
    Path(env["GITHUB_EVENT_PATH"]).write_text("{}")
    comment(changed, env, "--number", "212")
    (shown,) = hub.bodies()
    assert "](https://evil" not in shown
    assert "/blob/" not in shown, "there is no commit whose files could be shown"
    saved(changed)
    assert did(comment(changed, env, "--number", "212", "--format", "json")) == "edited"
    links = job_links(job(hub, tmp_path), "../../evil")
    assert links.address(Place("schedules/a.yaml", 3)) == ""
    assert job_links(job(hub, tmp_path), "north").address(Place("schedules/a.yaml", 3)).endswith("a.yaml#L3")


def job_links(env: dict[str, str], under: str) -> Links:
    return this_job(env).links(None, None, under)


def test_outside_of_a_pull_request_it_asks_which_one(changed: Tree) -> None:
    saved(changed)
    assert "--number" in comment(changed, {"GITHUB_REPOSITORY": REPOSITORY}, code=64).stderr
    comment(changed, {}, "--repo", REPOSITORY, "--number", "0", code=64)
    comment(changed, {}, "--repo", REPOSITORY, "--number", "1", "--head", "abc", code=64)


def test_a_tree_in_a_folder_and_a_plan_of_one_account_have_comments_of_their_own(
    changed: Tree, hub: FakeGitHub, tmp_path: Path
) -> None:
    env = job(hub, tmp_path, GITHUB_WORKSPACE=str(changed.root.parent))
    saved(changed, env=env)
    comment(changed, env)
    changed.run("plan", "--account", "riverside", "--out", str(changed.root / "plan.json"), env=env)
    comment(changed, env)
    whole, one = hub.bodies()
    assert "### gradesync plan of `tree`" in whole
    assert f"/blob/{HEAD}/tree/schedules/riverside.yaml#L" in whole
    assert "### gradesync plan of `tree`, riverside alone" in one


def test_settings_of_the_store_get_their_label_and_a_tree_that_has_parted_is_told(
    changed: Tree, tmp_path: Path, hub: FakeGitHub
) -> None:
    import subprocess

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(changed.root), "-c", "user.name=a", "-c", "user.email=a@b.example", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", "gradesync.yaml", "schedules")
    git("commit", "-q", "-m", "before")
    base = git("rev-parse", "HEAD")
    settings = changed.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "keys: env:OTHER_KEY\n")
    changed.run("reconcile", "--no-syncs", "--commit", base, code=5)
    git("checkout", "-q", "--orphan", "another")
    git("add", "gradesync.yaml")
    git("commit", "-q", "-m", "another history")
    env = job(hub, tmp_path)
    event = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text())
    event["pull_request"]["base"]["sha"] = base
    Path(env["GITHUB_EVENT_PATH"]).write_text(json.dumps(event))
    told = changed.run("plan", "--format", "json", code=5, env=env).stdout
    assert json.loads(told)["settings"] == ["keys"]
    saved(changed, env=env)
    comment(changed, env)
    assert "gradesync/store" in hub.labels[212]
    assert "⚠️ this tree does not follow commit" in hub.bodies()[0], "what stands on stderr is said here too"
