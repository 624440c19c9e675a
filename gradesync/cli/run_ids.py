"""The run that a command is given: by its whole id, or by the beginning of it that lists and `explain` print.

A name of an account is never taken for a run, and a beginning that several runs share is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradesync.errors import NotFound

if TYPE_CHECKING:
    from gradesync.wiring import App

SHORTEST = 8
"""Characters of an id that are enough to look for it: fewer are more likely a slip than a run."""

_BEGINNING = re.compile(rf"[0-9a-f]{{{SHORTEST},32}}\Z")


def may_be_run(text: str) -> bool:
    """Whether the text could be a run's id or its beginning; an account may be called so too."""
    return _BEGINNING.match(text) is not None


def run_or_account(app: App, text: str) -> str | None:
    """The whole id of the run that the text names; None where it names an account, or nothing a run could be.

    Raises NotFound for what could be a run only and is none, or is the beginning of several.
    """
    if not may_be_run(text) or text in app.store.recorded([text]).accounts:
        return None
    return run_named(app, text)


def run_named(app: App, text: str) -> str:
    """The whole id of the run that the text names. Raises NotFound where none does, or several begin so."""
    from gradesync.ports import RunQuery

    found = app.store.runs(RunQuery(id_begins=text, limit=2)) if may_be_run(text) else ()
    if len(found) > 1:
        raise NotFound(f"several runs begin with {text}", hint="write more of the run's id")
    if not found:
        raise NotFound(
            f"no run {text} is recorded",
            hint=f"`gradesync history` shows runs; a run is named by its id, or by the first {SHORTEST} characters "
            "of it or more",
        )
    return found[0].id
