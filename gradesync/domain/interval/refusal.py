"""The one error of this package. It stands alone so that every other module can raise it without a circle."""

from __future__ import annotations

from typing import Literal

from gradesync.errors import GradesyncError

Culprit = Literal["interval", "time_zone", "first_run"]


class IntervalError(GradesyncError):
    """An interval, its time zone or its first run cannot be accepted.

    `str()` is the reason in plain words. `reason_key` is short and stable (such as "cron-fields"), `culprit`
    names the key of the schedule the reason is about, so that a file reader can point at it; `sign` is the one
    character that is to blame, where there is one.
    """

    def __init__(
        self,
        message: str,
        *,
        reason_key: str,
        culprit: Culprit = "interval",
        hint: str | None = None,
        sign: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason_key = reason_key
        self.culprit: Culprit = culprit
        self.sign = sign

    @property
    def said(self) -> tuple[str, str]:
        """The reason and the advice that follows it; the advice is empty where the reason has none."""
        if self.hint:
            return str(self), self.hint
        reason, _, advice = str(self).rpartition("; ")
        return (reason, advice) if reason else (advice, "")
