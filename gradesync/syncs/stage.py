"""Where a run is, and what it has counted so far, readable from outside when it breaks off.

A sync that raises returns nothing; the runner still owes the history a stage and the counts. So the runner makes
the tracker, hands it in, and reads it whatever happened. No decision and no I/O may live here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gradesync.domain.run import Outcome, RunResult, Stage, outcome_of


@dataclass(slots=True)
class StageTracker:
    """The one mutable thing of a run: its stage, its counts by word and its codes (GS-nnn) by number of records."""

    stage: Stage = Stage.FETCH
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def result(self, outcome: Outcome | None = None) -> RunResult:
        """The run as it stands; without `outcome` the codes decide it (`outcome_of`).

        Codes that were counted zero times are left out; counts keep their zeros, because "0 sent" is an answer.
        """
        codes = {code: number for code, number in sorted(self.codes.items()) if number}
        return RunResult(
            outcome=outcome if outcome is not None else outcome_of(codes),
            stage=self.stage,
            counts=dict(self.counts),
            codes=codes,
        )
