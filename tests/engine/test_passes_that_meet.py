"""Two passes of one merge meet in the store: who has to look, and who has not."""

from __future__ import annotations

from typing import Any

import pytest

from gradesync.domain.definition import Desired
from gradesync.domain.report import exit_code_of
from gradesync.engine import apply as module
from tests.engine.district import District


def _a_quicker_pass(monkeypatch: pytest.MonkeyPatch, tree: Desired) -> None:
    """Between this pass's plan and its writing, another pass applies `tree`."""

    usual = module.apply_plan

    def late(tools: Any, plan: Any, wish: Any) -> Any:
        monkeypatch.setattr(module, "apply_plan", usual)
        module.apply_wish(tools, module.Wish(tree))
        return usual(tools, plan, wish)

    monkeypatch.setattr(module, "apply_plan", late)


def test_nobody_has_to_look_when_another_pass_applied_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    district = District()
    tree = district.tree()
    _a_quicker_pass(monkeypatch, tree)
    report = district.reconcile(tree)
    assert (report.applied, report.raced, exit_code_of(report)) == (0, (), 0)
    assert report.plan is not None
    assert (report.plan.changes, report.plan.unchanged) == (False, 1)
    assert [entry.fact.what for entry in district.history("schedule created")] == ["schedule created"]


def test_a_plan_that_another_passs_changes_left_undone_is_raced(monkeypatch: pytest.MonkeyPatch) -> None:
    district = District()
    _a_quicker_pass(monkeypatch, district.tree(posted_by="somebody-else"))
    report = district.reconcile(district.tree())
    assert (report.applied, report.raced, exit_code_of(report)) == (0, ("riverside",), 1)
    assert report.plan is not None
    assert report.plan.changes
