"""Whole nights over a SIS that serves its rows badly: what it hides completely stops the run with nothing sent, what it
only makes hard to find is carried over as on any other night.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.sis_behaviour import drop_manners, take_manner
from tests.whole.roster_nights import Nights


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False) as sandbox:
        yield sandbox


@pytest.fixture
def nights(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A district that was imported yesterday."""
    nights = Nights(tmp_path, sandbox, monkeypatch)
    nights.good_night()
    return nights


@pytest.mark.parametrize(("name", "code"), [("sis-counts-more", "GS-602"), ("sis-repeats-page", "GS-599")])
def test_a_read_that_is_not_whole_sends_nothing_and_the_next_whole_one_goes_through(
    name: str, code: str, nights: Nights
) -> None:
    behaviour = nights.sandbox.schools["riverside"].sis.behaviour
    take_manner(behaviour, name)
    nights.stopped_night(code)
    drop_manners(behaviour, (name,))
    nights.control("POST", "year", act="admit-student")
    nights.good_night()


def test_a_server_that_offers_less_from_one_night_to_the_next_changes_nothing(nights: Nights) -> None:
    behaviour = nights.sandbox.schools["riverside"].sis.behaviour
    for name in ("sis-schools-only", "sis-half-pages", "sis-caps", "sis-refuses-fields"):
        take_manner(behaviour, name)
        nights.control("POST", "year", act="admit-student")
        nights.good_night()
        drop_manners(behaviour, (name,))
