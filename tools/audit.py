"""Asks whether a pinned package has a known hole: `python -m tools.audit [--strict]`.

A front for pip-audit, because two answers must not look alike: "looked up, nothing known" and "nobody could be asked".
Only the first is good with --strict, which is what hosted CI says; elsewhere the second is told and passes, so that a
machine without a way to the advisories can still run the gate. Nothing is installed or changed here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FILES = ("requirements/run.txt", "requirements/dev.txt")


@dataclass(frozen=True, slots=True)
class Audit:
    """What one requirements file's audit said: packages looked up, packages nobody could look up, and holes."""

    looked_up: tuple[str, ...]
    skipped: tuple[str, ...]
    holes: tuple[str, ...]


def read_answer(answer: Mapping[str, Any]) -> Audit:
    """pip-audit's JSON (`--format json`), sorted into the three."""
    looked_up, skipped, holes = [], [], []
    for package in answer["dependencies"]:
        if "skip_reason" in package:
            skipped.append(package["name"])
            continue
        looked_up.append(package["name"])
        for hole in package["vulns"]:
            fixed = ", ".join(hole["fix_versions"]) or "no version yet"
            holes.append(f"{package['name']} {package['version']}: {hole['id']}, fixed in {fixed}")
    return Audit(tuple(looked_up), tuple(skipped), tuple(holes))


def verdict(audits: Mapping[str, Audit], *, strict: bool) -> tuple[int, list[str]]:
    """The exit code (0 good, 1 a hole, 2 nobody could be asked where that matters) and what to say."""
    said, code = [], 0
    for name, audit in audits.items():
        said += [f"{name}: {hole}" for hole in audit.holes]
        if audit.holes:
            code = 1
        if audit.skipped:
            total = len(audit.skipped) + len(audit.looked_up)
            said.append(f"{name}: {len(audit.skipped)} of {total} packages could not be looked up")
            code = code or (2 if strict else 0)
        elif not audit.holes:
            said.append(f"{name}: {len(audit.looked_up)} packages, no known hole")
    return code, said


def ask(name: str) -> Audit:
    """Have pip-audit look the pinned versions up. A service that does not answer leaves every package skipped."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--require-hashes",
        "--disable-pip",
        "--progress-spinner",
        "off",
    ]
    done = subprocess.run(  # noqa: S603 - a fixed command of our own
        [*command, "--format", "json", "-r", str(ROOT / name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    try:
        return read_answer(json.loads(done.stdout))
    except (json.JSONDecodeError, KeyError):
        return Audit((), ("all",), ())


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit both pinned sets; the answer is the exit code of `verdict`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--strict", action="store_true", help="packages that could not be looked up are a failure"
    )
    said = parser.parse_args(arguments)
    code, lines = verdict({name: ask(name) for name in FILES}, strict=said.strict)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
