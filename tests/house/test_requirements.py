"""The pinned requirements fit what the package declares, and carry nothing but names, versions, markers and hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
WANTED = {
    "run.txt": [*PROJECT["dependencies"], *EXTRAS["postgres"], "setuptools>=77"],
    "dev.txt": [
        *PROJECT["dependencies"],
        *(one for extra in EXTRAS.values() for one in extra),
        "setuptools>=77",
    ],
}
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;]+)(?: ; .+?)? \\$")


def entries(name: str) -> dict[str, str]:
    """Each pin with everything that stands under it."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return {part.split("==")[0]: part for part in re.split(r"\n(?=[a-z0-9-]+==)", text)[1:]}


def versions(name: str) -> dict[str, str]:
    found = {}
    for package, entry in entries(name).items():
        match = PIN.match(entry.splitlines()[0])
        assert match, entry.splitlines()[0]
        found[package] = match[2]
    return found


@pytest.mark.parametrize("name", sorted(WANTED))
def test_every_declared_dependency_is_pinned_to_a_version_it_allows(name: str) -> None:
    pinned = versions(name)
    for text in WANTED[name]:
        wanted = Requirement(text)
        package = re.sub(r"[-_.]+", "-", wanted.name).lower()
        assert package in pinned, f"{wanted.name} is declared but not pinned: run requirements/compile.sh"
        assert wanted.specifier.contains(pinned[package]), (
            f"{package} {pinned[package]} is not {wanted.specifier}"
        )


@pytest.mark.parametrize("name", sorted(WANTED))
def test_every_pin_carries_hashes(name: str) -> None:
    assert [package for package, entry in entries(name).items() if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", sorted(WANTED))
def test_no_address_stands_in_a_requirements_file(name: str) -> None:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "://" in line or line.startswith("--")] == []


def test_what_is_tested_is_what_is_installed() -> None:
    dev = versions("dev.txt")
    assert {package: dev.get(package) for package in versions("run.txt")} == versions("run.txt")
