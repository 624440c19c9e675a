"""A run killed anywhere: what its successor sends once more is less than one class for each writer."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from gradesync.domain.run import Mode
from tests.machine.town import Town, town

PROFILES: dict[str, dict[str, Any]] = {
    "1.1": {"sis": {"profile": "genesis"}},
    "posted": {"sis": {"profile": "oneroster-1.2", "write_mode": "post"}, "sis_write": "post"},
}


def _written(school: Town) -> Counter[str]:
    """Every write that reached the SIS, by method and address, since the last look."""
    found = Counter(
        f"{one.method} {one.path}"
        for one in school.sandbox.requests
        if "/gradebook" in one.path or "/ims/" in one.path
        if one.method in ("PUT", "POST", "DELETE")
    )
    school.sandbox.forget_requests()
    return found


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("kill_at", [1, 2, 7, 23, 60])
def test_a_killed_run_is_not_repeated(profile: str, kill_at: int) -> None:
    with town(passback={"excused": "exempt"}, **PROFILES[profile]) as whole:
        whole.sandbox.forget_requests()
        whole.run(Mode.FULL)
        needed = _written(whole)
    with town(passback={"excused": "exempt"}, **PROFILES[profile]) as school:
        school.sandbox.forget_requests()
        assert school.run(Mode.FULL, kill_at=kill_at) is None
        before = _written(school)
        assert 0 < sum(before.values()) <= sum(needed.values())
        school.later(hours=1)
        assert school.run(Mode.FULL) is not None
        after = _written(school)
    # One writer here: less than one class. Single records under way when the process died may go twice.
    again = sum(before.values()) + sum(after.values()) - sum(needed.values())
    assert 0 <= again <= 1, (needed.total(), before.total(), after.total())
