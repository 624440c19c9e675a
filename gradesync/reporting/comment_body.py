"""The one comment of a pull request: a marker that nobody sees, the plan, and where the rest of it is.

Always below GitHub's limit, whatever the plan. Nothing of a student ever stands in a plan; what people wrote is
escaped, see `clean`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from gradesync.domain.action import Plan
from gradesync.domain.problem import Problem
from gradesync.domain.sticky import Stamp
from gradesync.reporting import words
from gradesync.reporting.annotations import shortened
from gradesync.reporting.clean import code, markdown
from gradesync.reporting.links import NOWHERE, Links
from gradesync.reporting.plan_document import plan_document

COMMENT_LIMIT = 65_000
"""Bytes. GitHub refuses a body of more than 65,536 characters, and no text has more characters than bytes."""

_NAMED = 5


def comment_body(
    plan: Plan,
    problems: Sequence[Problem],
    now: datetime | None,
    stamp: Stamp,
    *,
    links: Links = NOWHERE,
    accounts: Collection[str] | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """The whole comment; `accounts` are those the plan was limited to, `remarks` what must be known beside it."""
    head = [stamp.marker, f"### gradesync plan{_about(links, accounts)}", ""]
    return plan_document(
        plan,
        problems,
        now,
        links=links,
        room=COMMENT_LIMIT,
        head=head,
        foot=_foot(stamp, links),
        remarks=remarks,
    )


def is_quiet(plan: Plan, problems: Sequence[Problem]) -> bool:
    """Whether there is nothing anybody has to read: no change, and no file that stops its account."""
    return not plan.changes and not plan.frozen and all(problem.warning for problem in problems)


def _about(links: Links, accounts: Collection[str] | None) -> str:
    where = f" of {code(shortened(links.under, 100))}" if links.under else ""
    if accounts is None:
        return where
    named = [markdown(shortened(one, 60)) for one in sorted(accounts)[:_NAMED]]
    more = f" and {len(accounts) - _NAMED:,} more" if len(accounts) > _NAMED else ""
    return f"{where}, {', '.join(named)}{more} alone"


def _foot(stamp: Stamp, links: Links) -> list[str]:
    made = f"Made {words.utc(stamp.at)}"
    of = f" of {code(stamp.head[:12])}" if stamp.head else ""
    run = f" by [this run]({links.run}); its summary and artifacts hold the whole plan" if links.run else ""
    return ["", f"<sub>{made}{of}{run}. A later push edits this comment.</sub>"]


__all__ = ["COMMENT_LIMIT", "comment_body", "is_quiet"]
