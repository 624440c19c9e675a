"""Reports for people: on a terminal with colours and fitted to its width, piped as plain aligned text.

Every function answers a text that ends in a line end. Only this room may draw with rich, and only for tables on a
terminal, so that piped commands never load it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradesync.reporting.text.adoptions import adoption
    from gradesync.reporting.text.alarm_list import alarms, channels
    from gradesync.reporting.text.codes import code
    from gradesync.reporting.text.coming_days import upcoming
    from gradesync.reporting.text.compares import comparison
    from gradesync.reporting.text.explain import explanation, worklist
    from gradesync.reporting.text.held import holds
    from gradesync.reporting.text.listing import history, next_runs, rows
    from gradesync.reporting.text.needing import causes
    from gradesync.reporting.text.passes import pass_report, run, run_end
    from gradesync.reporting.text.plans import plan
    from gradesync.reporting.text.problem_list import problems
    from gradesync.reporting.text.roster_compares import roster_comparison
    from gradesync.reporting.text.rosters import approved
    from gradesync.reporting.text.shows import account, effective, schedule, store_info

__all__ = [
    "account",
    "adoption",
    "alarms",
    "approved",
    "causes",
    "channels",
    "code",
    "comparison",
    "effective",
    "explanation",
    "history",
    "holds",
    "next_runs",
    "pass_report",
    "plan",
    "problems",
    "roster_comparison",
    "rows",
    "run",
    "run_end",
    "schedule",
    "store_info",
    "upcoming",
    "worklist",
]

_MODULES = {
    "account": "shows",
    "adoption": "adoptions",
    "alarms": "alarm_list",
    "channels": "alarm_list",
    "approved": "rosters",
    "causes": "needing",
    "code": "codes",
    "comparison": "compares",
    "explanation": "explain",
    "worklist": "explain",
    "effective": "shows",
    "history": "listing",
    "holds": "held",
    "next_runs": "listing",
    "pass_report": "passes",
    "plan": "plans",
    "problems": "problem_list",
    "roster_comparison": "roster_compares",
    "rows": "listing",
    "run": "passes",
    "run_end": "passes",
    "schedule": "shows",
    "store_info": "shows",
    "upcoming": "coming_days",
}


def __getattr__(name: str) -> object:
    """One report's module is imported when that report is asked for, so that `list` loads none of the others."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
