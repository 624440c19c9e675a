"""The dependency audit tells a known hole, a clean answer and no answer apart."""

from __future__ import annotations

import pytest

from tools.audit import Audit, read_answer, verdict

CLEAN = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
HOLE = {"name": "jinja2", "version": "3.1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"]}]}
UNKNOWN = {"name": "rich", "skip_reason": "not found"}


def test_a_hole_is_named_with_the_version_that_mends_it() -> None:
    code, said = verdict({"run.txt": read_answer({"dependencies": [CLEAN, HOLE]})}, strict=False)
    assert (code, said) == (1, ["run.txt: jinja2 3.1.0: PYSEC-1, fixed in 3.1.6"])


def test_a_clean_answer_says_how_many_were_looked_up() -> None:
    assert verdict({"run.txt": read_answer({"dependencies": [CLEAN]})}, strict=True) == (
        0,
        ["run.txt: 1 packages, no known hole"],
    )


@pytest.mark.parametrize(("strict", "code"), [(True, 2), (False, 0)])
def test_no_answer_is_told_and_is_a_failure_where_it_matters(strict: bool, code: int) -> None:
    found = verdict({"run.txt": read_answer({"dependencies": [CLEAN, UNKNOWN]})}, strict=strict)
    assert found == (code, ["run.txt: 1 of 2 packages could not be looked up"])


def test_a_hole_outweighs_what_nobody_could_look_up() -> None:
    code, said = verdict({"run.txt": Audit(("a",), ("b",), ("a 1: X, fixed in 2",))}, strict=True)
    assert code == 1
    assert len(said) == 2
