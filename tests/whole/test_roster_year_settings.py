"""The telling nights of a school year, for every way of mapping an account can choose: after each of them Canvas holds
what another's reading of the SIS and of the setting expects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.sis_world import SisWorld
from tests.whole.roster_feeds import Bulk, Delta, Service
from tests.whole.roster_nights import Nights
from tests.whole.roster_oracle import Rules
from tests.whole.roster_telling import ANY, FIRST, played

TAUGHT = ("001-ART1-01", "001-ART1/02", "001-MUS-404"), ("001-SCI1-01", "001-SCI1/02")


def departments(world: SisWorld) -> None:
    """Schools whose courses belong to departments."""
    for row in list(world.rows["orgs"].values()):
        if row["type"] == "school":
            made = {"name": f"Sciences of {row['name']}", "type": "department", "children": []}
            made |= {"sourcedId": f"{row['sourcedId']} SCI", "status": "active", "identifier": ""}
            world.put_row("orgs", {**made, "parent": world.reference("org", row["sourcedId"])})
    for row in list(world.rows["courses"].values()):
        if "SCI" in row["sourcedId"]:
            home = world.reference("org", f"{row['org']['sourcedId']} SCI")
            world.put_row("courses", row | {"org": home})


def numbers(world: SisWorld) -> None:
    """People with numbers that are not the SIS's own ids."""
    for at, row in enumerate(list(world.rows["users"].values())):
        world.put_row("users", row | {"identifier": f"{at:06d}"})


def families(world: SisWorld) -> None:
    """A guardian for every third student, by the SIS's word at the guardian; siblings share one."""
    students = [row for row in world.rows["users"].values() if row["role"] == "student"]
    for at in range(0, len(students), 3):
        wards = students[at : at + 1 + at % 2]
        made = students[at] | {"sourcedId": f"G {at:04d}", "role": "guardian", "username": f"guardian{at}"}
        made |= {"email": f"guardian{at}@families.example", "identifier": f"G{at}", "grades": []}
        made |= {"agents": [world.reference("user", one["sourcedId"]) for one in wards]}
        world.put_row("users", {name: value for name, value in made.items() if name != "metadata"})


def as_it_is(world: SisWorld) -> None:
    """Nothing special."""


Made = tuple[str, dict[str, Any], Callable[[SisWorld], None], Callable[[], Service]]

SETTINGS: Mapping[str, Made] = {
    "a course per catalogue course, in departments": (
        "genesis",
        {"courses": "per_course", "accounts": "tree"},
        departments,
        Service,
    ),
    "a course per catalogue course and year, without sub-accounts": (
        "oneroster-1.2",
        {"courses": "per_course", "terms": "school_year", "accounts": "none"},
        as_it_is,
        Service,
    ),
    "classes taught together": (
        "genesis",
        {"cross_list": {"001-ART1-01": TAUGHT[0], "TOGETHER": TAUGHT[1]}},
        as_it_is,
        Bulk,
    ),
    "guardians observe": ("genesis", {"guardians": "observers"}, families, Service),
    "guardians observe, by changes in files": (
        "genesis",
        {"guardians": "observers", "ended": "completed"},
        families,
        lambda: Delta(version="1.2"),
    ),
    "people by their numbers": (
        "genesis",
        {"people": "integration_id", "logins": "identifier"},
        numbers,
        Service,
    ),
    "people log in with the SIS's ids, and leavers may": (
        "genesis",
        {"logins": "id", "leavers": "keep", "ended": "completed", "names": "preferred"},
        as_it_is,
        lambda: Bulk(version="1.2"),
    ),
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False, today=FIRST) as sandbox:
        yield sandbox


def policy(chosen: Mapping[str, Any]) -> str:
    """The choices as the account's file has them."""
    said = [ANY]
    for name, value in chosen.items():
        if isinstance(value, dict):
            value = ", ".join(f"'{one}': ['{many}']" for one, many in _quoted(value))
            said.append(f"{name}: {{{value}}}")
        else:
            said.append(f"{name}: {value}")
    return f"{{{', '.join(said)}}}"


def _quoted(value: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(one, "', '".join(many)) for one, many in value.items()]


@pytest.mark.parametrize("name", SETTINGS)
def test_whatever_an_account_chose_canvas_holds_what_the_sis_says(
    name: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, chosen, prepare, feed = SETTINGS[name]
    prepare(sandbox.schools["riverside"].sis)
    rules = Rules(**chosen)
    nights = Nights(
        tmp_path, sandbox, monkeypatch, feed=feed(), profile=profile, roster=policy(chosen), rules=rules
    )
    played(nights)
