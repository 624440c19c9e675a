"""The telling nights of a school year, for every way a roster can come: over either version of OneRoster, as whole
files, as changes, as Canvas's own files. After each of them Canvas holds what another's reading of the SIS expects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.whole.roster_feeds import Bulk, CanvasFormat, Delta, Service
from tests.whole.roster_nights import Nights
from tests.whole.roster_oracle import Rules
from tests.whole.roster_telling import ANY, FIRST, played

FEEDS: Mapping[str, tuple[Callable[[], Service], str, str, Rules]] = {
    "oneroster csv 1.1": (Bulk, "genesis", "", Rules()),
    "changes in oneroster csv 1.1": (Delta, "genesis", "", Rules()),
    "oneroster csv 1.2": (
        lambda: Bulk(version="1.2"),
        "genesis",
        "names: preferred",
        Rules(names="preferred"),
    ),
    "changes in oneroster csv 1.2": (
        lambda: Delta(version="1.2"),
        "genesis",
        "logins: email, emails: never",
        Rules(logins="email", emails="never"),
    ),
    "canvas csv": (CanvasFormat, "genesis", "", Rules()),
    "oneroster rest 1.2": (Service, "oneroster-1.2", "", Rules()),
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False, today=FIRST) as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", FEEDS)
def test_however_a_roster_comes_canvas_holds_what_the_sis_says(
    name: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, profile, policy, rules = FEEDS[name]
    feed = make()
    more = f"{{{ANY}{', ' if policy else ''}{policy}}}"
    nights = Nights(tmp_path, sandbox, monkeypatch, feed=feed, profile=profile, roster=more, rules=rules)
    played(nights)
    if isinstance(feed, Delta):
        assert feed.nights_of_changes > 5
