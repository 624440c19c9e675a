"""A composite action's steps in real shells, with the files and variables GitHub's runner gives them.

Only what our actions use is understood; an expression or a condition beyond that is an error, so that nothing is
passed over in silence. Steps that use another action are recorded and not carried out: they belong to GitHub.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ACTIONS = ROOT / ".github" / "actions"
NAMES = sorted(path.parent.name for path in ACTIONS.glob("*/action.yml"))

_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_EQUALS = re.compile(r"(\S+) == '([^']*)'")


def read_action(name: str) -> dict[str, Any]:
    """The action's description, every scalar as text."""
    tree = yaml.load((ACTIONS / name / "action.yml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert isinstance(tree, dict)
    return tree


@dataclass
class Done:
    """What came of an action: its exit code, the job's log, its outputs, summary and the actions it used."""

    code: int = 0
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    path: list[str] = field(default_factory=list)
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def commands(self) -> list[str]:
        """The lines of the log that GitHub takes for commands: none between a stop and its token."""
        found, token = [], ""
        for line in self.log.splitlines():
            if token:
                token = "" if line.strip() == f"::{token}::" else token
            elif line.lstrip().startswith("::"):
                found.append(line)
                if line.startswith("::stop-commands::"):
                    token = line.removeprefix("::stop-commands::")
        return found


class Runner:
    """One job's folder: its workspace, its temporary folder and the variables of the run."""

    def __init__(self, folder: Path, workspace: Path, env: Mapping[str, str] | None = None) -> None:
        self.temp = folder / "temp"
        self.temp.mkdir(parents=True)
        self.workspace = workspace
        self.env = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": "aortiz",
            "GITHUB_TRIGGERING_ACTOR": "aortiz",
            "GITHUB_EVENT_NAME": "workflow_dispatch",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "district/schedules",
            "GITHUB_RUN_ID": "17",
            "GITHUB_WORKSPACE": str(workspace),
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            **(env or {}),
        }
        for name, value in os.environ.items():
            # Processes that a test starts are measured too.
            if name.startswith("COVERAGE_"):
                self.env[name] = value

    def use(self, name: str, **inputs: str) -> Done:
        """Carry the action out. `inputs` are spelled with _ for -."""
        action = read_action(name)
        declared = action.get("inputs") or {}
        given = {key: self._filled(one.get("default", ""), {}) for key, one in declared.items()}
        # What a person gives is a value: an expression in it is never evaluated.
        given |= {key.replace("_", "-"): value for key, value in inputs.items()}
        assert set(given) == set(declared), "an input the action does not have"
        done = Done()
        values = {f"inputs.{key}": value for key, value in given.items()}
        for number, step in enumerate(action["runs"]["steps"]):
            if done.code or not _holds(step.get("if"), values):
                continue
            if "uses" in step:
                with_ = {key: self._filled(one, values) for key, one in (step.get("with") or {}).items()}
                done.used.append((step["uses"], with_))
                continue
            self._carry_out(name, number, step, values, done)
        for key, one in (action.get("outputs") or {}).items():
            done.outputs[key] = self._filled(one["value"], values)
        return done

    def _carry_out(
        self, name: str, number: int, step: dict[str, Any], values: dict[str, str], done: Done
    ) -> None:
        assert step["shell"] == "bash"
        files = {
            key: self.temp / f"{key.lower()}-{name}-{number}"
            for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH", "GITHUB_ENV")
        }
        for path in files.values():
            path.write_text("")
        script = self.temp / f"step-{name}-{number}.sh"
        script.write_text(step["run"])
        own = {key: self._filled(one, values) for key, one in (step.get("env") or {}).items()}
        process = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace,
            env={
                **self.env,
                **own,
                **{key: str(path) for key, path in files.items()},
                "GITHUB_ACTION_PATH": str(ACTIONS / name),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        done.code = process.returncode
        done.log += process.stdout
        done.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        done.path += files["GITHUB_PATH"].read_text().splitlines()
        assert files["GITHUB_ENV"].read_text() == ""
        for key, value in read_outputs(files["GITHUB_OUTPUT"].read_text()).items():
            values[f"steps.{step.get('id', number)}.outputs.{key}"] = value

    def _filled(self, text: str, values: Mapping[str, str]) -> str:
        known = {"github.token": "token-of-the-job", "runner.temp": str(self.temp)}

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name in known:
                return known[name]
            assert re.fullmatch(r"(inputs|steps)\.[a-zA-Z0-9_.-]+", name), f"the emulation knows no {name}"
            return values.get(name, "")

        return _EXPRESSION.sub(value, text)


def read_outputs(text: str) -> dict[str, str]:
    """A step's outputs as GitHub reads the file: `name=value`, or `name<<END`, lines, `END`."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, heredoc, end = line.partition("<<")
        if heredoc and "=" not in name:
            body = []
            for one in lines:
                if one == end:
                    break
                body.append(one)
            found[name] = "\n".join(body)
        elif line:
            name, equals, value = line.partition("=")
            assert equals, f"GitHub refuses the output {line!r}"
            found[name] = value
    return found


def _holds(condition: str | None, values: Mapping[str, str]) -> bool:
    if condition is None:
        return True
    match = _EQUALS.fullmatch(condition)
    assert match, f"the emulation knows no condition {condition!r}"
    return values.get(match[1], "") == match[2]
