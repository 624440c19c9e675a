"""Where a run is, and what it has counted so far, readable from outside when it breaks off.

A sync that raises returns nothing; the runner still owes the history a stage and the counts. So the runner makes
the tracker, hands it in, and reads it whatever happened. No decision and no I/O may live here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gradesync.domain.roster_change import RosterChange
from gradesync.domain.run import HTTP, Outcome, RunResult, Stage, outcome_of
from gradesync.errors import ConnectionProblem

ANSWERS_KEPT = 20
"""How many kinds of answers a run keeps, the most frequent: a SIS that never says the same twice fills no store."""

TEXTS_KEPT = 20
"""How many texts of the other side a run keeps in all, apart from everything else."""

TEXTS_PER_CODE = 3
"""And how many behind one code: a refusal that names each student anew is one kind of refusal."""

TEXT_LENGTH = 300
"""Characters kept of one such text."""

_NEVER_KEPT = frozenset({"GS-201", "GS-202"})
"""Answers to a key: a server may quote what it was shown."""


@dataclass(slots=True)
class StageTracker:
    """The one mutable thing of a run: its stage, its counts by word and its codes (GS-nnn) by number of records.

    `answers` counts fingerprints and HTTP statuses beside their codes (see RunResult). `texts` are the other side's
    own words by code (`GS-502`, `GS-502 #2`): they may name students, so the store keeps them apart and erasable, and
    nothing else sees them. `roster` is what a roster import changes.
    """

    stage: Stage = Stage.FETCH
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)
    roster: RosterChange | None = None

    def answered(self, problem: ConnectionProblem) -> None:
        """Keep the other side's words apart, count its status, and group what no code is for."""
        self._keep(problem.code, problem.vendor_text[:TEXT_LENGTH].strip())
        if problem.fingerprint:
            self.answers[f"{problem.code} {problem.fingerprint}"] += 1
        if problem.status is not None:
            self.answers[f"{problem.code} {HTTP}{problem.status}"] += 1

    def _keep(self, code: str, text: str) -> None:
        if not text or code in _NEVER_KEPT or len(self.texts) >= TEXTS_KEPT:
            return
        mine = [told for key, told in self.texts.items() if key.partition(" ")[0] == code]
        if text not in mine and len(mine) < TEXTS_PER_CODE:
            self.texts[f"{code} #{len(mine) + 1}" if mine else code] = text

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
            vendor=dict(self.texts),
            roster=self.roster,
        )
