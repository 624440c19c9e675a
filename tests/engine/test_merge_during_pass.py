"""A merge that lands while a pass works reaches every run the pass has not started yet."""

from __future__ import annotations

from typing import Any

from gradesync.domain.run import Outcome
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.apply import Wish, apply_wish
from tests.domain.plan_samples import schedule
from tests.engine.district import GRADES, District


class MergingCanvas:
    """While the first run reads Canvas, somebody's merge pauses the other schedule."""

    def __init__(self, district: District, paused: Any) -> None:
        self._canvas = district.school.canvas
        self._district = district
        self._paused = paused
        self.merged = False

    async def identity(self) -> str:
        if not self.merged:
            self.merged = True
            tools = self._district.tools
            apply_wish(tools, Wish(self._paused))
        return await self._canvas.identity()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._canvas, name)


def test_a_pause_merged_during_a_pass_stops_the_run_the_pass_has_not_started() -> None:
    district = District()
    late = ScheduleId("riverside", "later")
    active = district.tree(more={"later": schedule()})
    district.reconcile(active)
    district.later(15)
    paused = district.tree(more={"later": schedule(state="paused")})
    district.school.canvas = MergingCanvas(district, paused)  # type: ignore[assignment]  # stands in by name
    report = district.reconcile()
    assert [end.run.schedule for end in report.ends] == [GRADES]
    assert report.ends[0].result is not None
    assert report.ends[0].result.outcome is Outcome.COMPLETED
    assert late in report.blocked
