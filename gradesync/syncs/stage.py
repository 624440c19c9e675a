"""Where a run is, and what it has counted so far, readable from outside when it breaks off.

A sync that raises returns nothing; the runner still owes the history a stage and the counts. So the runner makes
the tracker, hands it in, and reads it whatever happened. No decision and no I/O may live here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gradesync.domain.roster_change import RosterChange
from gradesync.domain.run import Outcome, RunResult, Stage, outcome_of
from gradesync.errors import ConnectionProblem

ANSWERS_KEPT = 20
"""How many kinds of answers a run keeps, the most frequent: a SIS that never says the same twice fills no store."""


@dataclass(slots=True)
class StageTracker:
    """The one mutable thing of a run: its stage, its counts by word and its codes (GS-nnn) by number of records.

    `answers` counts fingerprints beside their codes (see RunResult). `roster` is what a roster import changes.
    """

    stage: Stage = Stage.FETCH
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    roster: RosterChange | None = None

    def answered(self, problem: ConnectionProblem) -> None:
        """Group an answer that nobody has a code of its own for; any other is its code and nothing more."""
        if problem.fingerprint:
            self.answers[f"{problem.code} {problem.fingerprint}"] += 1

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
            answers=dict(self.answers.most_common(ANSWERS_KEPT)),
            roster=self.roster,
        )
