"""An export with faults: nothing of it is used (GS-610). The error alone: files are read by the connectors."""

from __future__ import annotations

from gradesync.domain.roster_change import FileFault
from gradesync.errors import ConnectionProblem

KINDS_TOLD = 10
"""How many different faults the message spells out; `show RUN` has what is kept of the others."""


class RosterFilesProblem(ConnectionProblem):
    """The export has faults (GS-610). `faults` are the different ones, in the order met, `total` counts them all."""

    def __init__(self, faults: tuple[FileFault, ...], total: int) -> None:
        told = "; ".join(str(fault) for fault in faults[:KINDS_TOLD])
        rest = total - sum(fault.times for fault in faults[:KINDS_TOLD])
        more = f"; and {rest:,} more" if rest > 0 else ""
        count = "1 fault" if total == 1 else f"{total:,} faults"
        super().__init__(
            f"The roster files have {count}, so nothing of them is sent: {told}{more}.",
            code="GS-610",
            hint="fix the export in the SIS and export again; Canvas stays as the last import left it",
        )
        self.faults = faults
        self.total = total


__all__ = ["KINDS_TOLD", "RosterFilesProblem"]
