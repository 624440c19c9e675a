"""What a job of GitHub Actions says about itself, and the two files it reads back: outputs and summary.

Everything is read from the environment and believed only in the shape GitHub gives it. Outside GitHub all of this is
empty, but for the address of a job of GitLab, and nothing is written.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradesync.domain.action import Plan
    from gradesync.domain.problem import Problem
    from gradesync.reporting.links import Links

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_SERVER = re.compile(r"https://[A-Za-z0-9.-]{1,200}(:\d{1,5})?|http://(localhost|127\.0\.0\.1)(:\d{1,5})?")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PULL = re.compile(r"refs/pull/(\d{1,10})/(?:merge|head)")
_VALUE = re.compile(r"[A-Za-z0-9_.-]*")
_LARGEST_EVENT = 32 * 1024 * 1024
_NOT_LISTED = frozenset({"", "."})
_LEAST = 4_000
"""Bytes: with less room left a summary would say nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    """The job this process runs in. Texts are empty and numbers 0 where nothing says so; `address` is another CI's."""

    inside: bool = False
    repository: str = ""
    server: str = ""
    run: int = 0
    attempt: int = 0
    workspace: str = ""
    event: Mapping[str, Any] = field(default_factory=dict)
    ref: str = ""
    address: str = ""

    @property
    def pull(self) -> Mapping[str, Any]:
        """The event's pull request; of a run that follows another one, the first pull request of that."""
        found = self.event.get("pull_request")
        if isinstance(found, dict):
            return found
        of_run = self.event.get("workflow_run")
        pulls = of_run.get("pull_requests") if isinstance(of_run, dict) else None
        return pulls[0] if isinstance(pulls, list) and pulls and isinstance(pulls[0], dict) else {}

    @property
    def number(self) -> int | None:
        """The pull request's number."""
        said = self.pull.get("number")
        if isinstance(said, int) and said > 0:
            return said
        match = _PULL.fullmatch(self.ref)
        return int(match[1]) if match else None

    @property
    def head(self) -> str | None:
        """The pull request's newest commit when the job began: not the merge that is checked out."""
        return _commit(_at(self.pull, "head", "sha")) or _commit(_at(self.event, "workflow_run", "head_sha"))

    @property
    def base(self) -> str | None:
        """The commit the pull request is to be merged into, or the one before a push."""
        return _commit(_at(self.pull, "base", "sha")) or _commit(self.event.get("before"))

    @property
    def from_fork(self) -> bool:
        """Whether the pull request comes from another repository: its token may not write."""
        there = _at(self.pull, "head", "repo", "full_name")
        return isinstance(there, str) and bool(self.repository) and there != self.repository

    def links(self, root: Path | None, commit: str | None, under: str | None = None) -> Links:
        """Addresses for reports about the tree at `root`, or about one that lay in the folder `under`."""
        from gradesync.reporting.links import Links

        base = f"{self.server}/{self.repository}" if self.server and self.repository else ""
        run = f"{base}/actions/runs/{self.run}" if base and self.run else self.address
        where = under if under is not None else self.under(root) if root is not None else ""
        return Links(base=base, ref=self.head or _commit(commit) or "", under=where, run=run)

    def under(self, root: Path) -> str:
        """The tree's folder in the repository; empty at its top, or where nothing tells."""
        if not self.workspace:
            return ""
        try:
            found = root.resolve().relative_to(Path(self.workspace).resolve()).as_posix()
        except (ValueError, OSError):
            return ""
        return "" if found in _NOT_LISTED else found


def this_job(environ: Mapping[str, str] | None = None) -> Job:
    """The job of this process; an empty one outside GitHub Actions."""
    env = os.environ if environ is None else environ
    inside = env.get("GITHUB_ACTIONS") == "true"
    if not inside and not env.get("GITHUB_REPOSITORY"):
        return Job(address=_elsewhere(env))
    event = _event(env.get("GITHUB_EVENT_PATH", ""))
    # What follows another run speaks of that one: there the plan was made, and there its artifacts are.
    of_run = _at(event, "workflow_run", "id")
    return Job(
        inside=inside,
        repository=_whole(_REPOSITORY, env.get("GITHUB_REPOSITORY", "")),
        server=_whole(_SERVER, env.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")),
        run=of_run if isinstance(of_run, int) and of_run > 0 else _number(env.get("GITHUB_RUN_ID", "")),
        attempt=_number(env.get("GITHUB_RUN_ATTEMPT", "")),
        workspace=env.get("GITHUB_WORKSPACE", ""),
        event=event,
        ref=env.get("GITHUB_REF", ""),
    )


def _elsewhere(env: Mapping[str, str]) -> str:
    """The address of a job of GitLab, for reports; empty anywhere else."""
    if env.get("GITLAB_CI") != "true":
        return ""
    from gradesync.wiring.notifying import job_address

    return job_address(env)


def _event(path: str) -> Mapping[str, Any]:
    """The event's payload; empty when there is none or it makes no sense."""
    if not path:
        return {}
    try:
        file = Path(path)
        if file.stat().st_size > _LARGEST_EVENT:
            return {}
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _whole(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def _commit(value: object) -> str | None:
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) and value.strip("0") else None


def _at(value: object, *path: str) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def changed_files(job: Job, root: Path, listed: Path | None = None) -> frozenset[str]:
    """The files of the pull request, as `listed` names them, one a line; else as the event or Git tells.

    Empty when nothing tells. Raises ConfigInvalid for a list that cannot be read.
    """
    if listed is not None:
        from gradesync.errors import ConfigInvalid

        try:
            return frozenset(line for line in listed.read_text(encoding="utf-8").splitlines() if line)
        except (OSError, UnicodeDecodeError):
            raise ConfigInvalid(
                f"{listed} cannot be read", hint="make it with `git diff --name-only BASE...`"
            ) from None
    if told := _pushed(job.event):
        return told
    if job.base is None:
        return frozenset()
    from gradesync.wiring.commits import ask_git

    code, text = ask_git(root, "diff", "--name-only", "-z", "--no-renames", f"{job.base}...HEAD", "--")
    return frozenset(name for name in text.split("\0") if name) if code == 0 else frozenset()


def _pushed(event: Mapping[str, Any]) -> frozenset[str]:
    """The files a push's own commits name."""
    commits = event.get("commits")
    rows = [one for one in commits if isinstance(one, dict)] if isinstance(commits, list) else []
    named = [one.get(key) for one in rows for key in ("added", "modified", "removed")]
    return frozenset(file for files in named if isinstance(files, list) for file in map(str, files))


def changed_settings(job: Job, root: Path) -> tuple[str, ...]:
    """The top-level keys of gradesync.yaml in which the tree differs from the commit it is to be merged into.

    Empty when there is no such commit, or Git does not know it.
    """
    if job.base is None:
        return ()
    from gradesync.wiring.changed_settings import changed_settings as keys

    return keys(root, job.base)


def add_outputs(values: Mapping[str, object]) -> None:
    """Outputs of the step, one line each: nothing but plain words and numbers can become one."""
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        return
    lines = []
    for name, value in values.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        # A line break would begin another output, and `<<` a block of them.
        if not _VALUE.fullmatch(text):
            raise ValueError(f"the output {name} is no plain word")
        lines.append(f"{name}={text}\n")
    with Path(path).open("a", encoding="utf-8") as file:
        file.write("".join(lines))


def add_summary(render: Callable[[int], str], form: str = "text") -> None:
    """Append to the step's summary; `render` is given the bytes that are left of GitHub's 1 MiB.

    Not with `--format markdown`: whoever asks for that puts it somewhere.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path or form == "markdown":
        return
    from gradesync.reporting.fitting import SUMMARY_LIMIT

    file = Path(path)
    left = SUMMARY_LIMIT - (file.stat().st_size if file.exists() else 0)
    if left < _LEAST:
        return
    text = render(left).encode("utf-8", "replace")
    if len(text) < left:
        with file.open("ab") as summary:
            summary.write(text + b"\n")


def plan_outputs(plan: Plan | None, problems: tuple[Problem, ...] | list[Problem]) -> dict[str, object]:
    """What later steps want to know of a plan; all zero where there is none."""
    counts = dict(plan.counts()) if plan is not None else {}
    return {
        "changes": plan is not None and plan.changes,
        "create": counts.get("create", 0),
        "change": counts.get("change", 0) + counts.get("change account", 0),
        "move": counts.get("move", 0),
        "pause": counts.get("pause", 0),
        "resume": counts.get("resume", 0),
        "retire": counts.get("retire", 0),
        "withheld": len(plan.withheld) if plan is not None else 0,
        "unsafe": plan is not None and bool(plan.withheld),
        "digest": plan.digest if plan is not None else "",
        "problems": sum(not problem.warning for problem in problems),
    }
