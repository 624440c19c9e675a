"""What the log is told of a run's beginning and end. Counts and codes only."""

from __future__ import annotations

from gradesync.domain.report import RunEnd
from gradesync.domain.run import Claimed
from gradesync.events import tell


def tell_begin(claimed: Claimed) -> None:
    """A run took its account."""
    run = claimed.run
    tell(
        "run.claimed",
        "the run begins ({type}, {mode}, attempt {attempt}, epoch {epoch})",
        type=run.type.value,
        mode=run.mode.value,
        attempt=run.attempt,
        epoch=claimed.epoch,
    )


def tell_end(end: RunEnd) -> None:
    """A run is over, or left."""
    if end.result is None:
        tell("run.handed-back", "left for the next pass")
        return
    codes = ", ".join(sorted(code for code, count in end.result.codes.items() if count))
    tell(
        "run.ended",
        "{outcome} at {stage}" + (": {codes}" if codes else ""),
        outcome=end.result.outcome.value,
        stage=end.result.stage.value,
        codes=codes or None,
        sent=end.result.counts.get("sent"),
        unchanged=end.result.counts.get("unchanged"),
        withheld=end.result.counts.get("withheld"),
        refused=end.result.counts.get("refused"),
    )


__all__ = ["tell_begin", "tell_end"]
