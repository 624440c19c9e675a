"""The one tree of errors: each class knows its exit code and carries a hint for the person who must act.

Lowest room of the house, so that every other may raise from it. No prose assembly beyond a sentence, no I/O.
Findings about files or records are not errors but problems (`domain.problem`); an error is what ends a command.
"""

from __future__ import annotations


class GradesyncError(Exception):
    """Something ended the command; `str()` is one sentence for the person who must act.

    `hint` names the next step. `exit_code` is the process's exit code (DESIGN.md 4).
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageProblem(GradesyncError):
    """The command line itself cannot be understood (exit 64)."""

    exit_code = 64


class ConfigInvalid(GradesyncError):
    """Files of the tree have problems and the command cannot go on without them."""


class NotFound(GradesyncError):
    """No account, schedule, run or code of that name is known."""


class StoreUnavailable(GradesyncError):
    """The store cannot be reached, read or written, is of another lineage, or has another schema.

    `code` stands before the sentence when a command ends with it: `gradesync explain GS-705` says more.
    """

    code = "GS-705"


class StoreMissing(StoreUnavailable):
    """There is no store where the settings say; a plan may go on as if nothing was recorded yet."""


class ExportUnusable(GradesyncError):
    """The file of an exported store is cut short, changed, or of another version; nothing of it was taken in."""


class HistoryTampered(GradesyncError):
    """The hash chain of the history does not verify."""


class Blocked(GradesyncError):
    """A run was asked for, but something blocks the schedule and no override was given."""


class NotAllowed(GradesyncError):
    """`people` of gradesync.yaml gives whoever asked no right to do this (GS-710)."""


class AccountBusy(GradesyncError):
    """The one account asked for is being synced by somebody else (exit 4)."""

    exit_code = 4


class StalePlan(GradesyncError):
    """A saved plan no longer fits what is recorded (exit 6)."""

    exit_code = 6


class LeaseLost(GradesyncError):
    """This run's right to work in the account has ended; nothing more may be written.

    Raised by the guard before an outside write and by every fenced store write.
    """


class NotSent(GradesyncError):
    """A channel did not take an alarm; the sentence never holds its address, which is a secret."""


class Halted(GradesyncError):
    """This process was asked to end: the run stops at a class boundary and is handed back, for the next pass."""


class RunStopped(GradesyncError):
    """An operator took the lease away; the run ends as `stopped` with its counts."""


class ConnectionProblem(GradesyncError):
    """The other side could not do what was asked; `code` is the GS code a run records.

    `retryable` tells transport trouble and throttling (True) from refusals that a repeat cannot cure.
    `vendor_text` is the other side's own short text; it may name people, so it never reaches a log. `fingerprint`
    groups answers nobody has a code for, and says nothing of whom they were about; "" where a code says it all.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        hint: str | None = None,
        status: int | None = None,
        retryable: bool = False,
        vendor_text: str = "",
        fingerprint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status
        self.retryable = retryable
        self.vendor_text = vendor_text
        self.fingerprint = fingerprint
