"""Lines of the history: the one table with tens of thousands of rows, and so the one whose cells are escaped here.

Its template shows them as they are. A text that comes again is escaped once and kept, which halves the time of a page.
The type tells which cells are fit for that: `Escaped`, and no other text.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from gradesync.domain.run import Lease, Mode, RunState, Trigger
from gradesync.domain.run_line import RunLine
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page.environment import Escaped, escaped
from gradesync.reporting.page.wording import Stamps, code_text, mark_of


class CodeCells(NamedTuple):
    """A code that a run met, as its line in the details takes it apart."""

    code: Escaped
    number: Escaped
    title: Escaped
    to_do: Escaped


class RunCells(NamedTuple):
    """A run as `history.html` takes it apart; `when` is the machine's text, `clock` people's, `slug` a class."""

    when: Escaped
    clock: Escaped
    type: Escaped
    schedule: Escaped
    who: Escaped
    trigger: Escaped
    stage: Escaped
    slug: Escaped
    outcome: Escaped
    counts: Escaped
    codes: tuple[CodeCells, ...]
    facts: Escaped
    id: Escaped


_NO_TEXT = Escaped("")
_NOTHING = Escaped("nothing to carry")


def run_row(run: RunLine, zone: str, stamps: Stamps, lease: Lease | None = None) -> RunCells:
    """One line of the history; the account's `lease` tells where a run at work is.

    The words of enumerations are taken as they are kept (`_value_`): `value` is a look-up each time.
    """
    if run.outcome is None or run.stage is None:
        headway = lease.headway if lease is not None and lease.run_id == run.id else None
        end = (
            escaped("" if headway is None else clean(headway.stage)),
            Escaped("open"),
            Escaped("running" if run.state is RunState.RUNNING else "queued"),
        )
        counts = _NO_TEXT
    else:
        end = _end(run.stage._value_, run.outcome._value_)
        counts = escaped(words.counts_line(run.counts)) or _NOTHING
    id = run.id
    return RunCells(
        *stamps.cells(run.at, zone),
        *_who_and_what(run.type._value_, run.schedule.name, run.actor, run.via, run.trigger._value_),
        *end,
        counts,
        _codes(run.codes) if run.codes else (),
        _facts(run),
        Escaped(id) if id.isalnum() else escaped(id),
    )


@lru_cache(maxsize=256)
def _end(stage: str, outcome: str) -> tuple[Escaped, Escaped, Escaped]:
    return escaped(stage), escaped(mark_of(outcome)), escaped(outcome)


@lru_cache(maxsize=16_384)
def _who_and_what(
    type: str, name: str, actor: str, via: str, trigger: str
) -> tuple[Escaped, Escaped, Escaped, Escaped]:
    """What the runs of a schedule have in common."""
    return escaped(type), escaped(clean(name)), escaped(who_line(actor, via)), escaped(trigger)


def who_line(name: str, via: str) -> str:
    """`sam (OS user)`."""
    return f"{clean(name)} ({clean(via)})"


def _codes(met: Mapping[str, int]) -> tuple[CodeCells, ...]:
    return tuple([_code(code, number) for code, number in sorted(met.items()) if number])


@lru_cache(maxsize=16_384)
def _code(code: str, number: int) -> CodeCells:
    title, to_do = code_text(code)
    return CodeCells(escaped(clean(code)), escaped(str(number)), escaped(title), escaped(to_do))


def _facts(run: RunLine) -> Escaped:
    """What is not usual about a run; empty for most."""
    usual = run.mode is Mode.DELTA and run.late_by < 60 and run.attempt < 2
    if usual and run.trigger is Trigger.SLOT and not run.class_filter:
        return _NO_TEXT
    told = [f"{run.mode.value} run"] if run.mode is not Mode.DELTA else []
    if run.late_by >= 60:
        told.append(f"began {words.plural(run.late_by // 60, 'minute')} late")
    if run.attempt > 1:
        told.append(f"attempt {run.attempt}")
    if run.trigger is not Trigger.SLOT and run.reason:
        told.append(f"reason: {clean(run.reason)}")
    if run.class_filter:
        told.append("one class only")
    return escaped(". ".join(text[:1].upper() + text[1:] for text in told) + ("." if told else ""))


__all__ = ["RunCells", "run_row", "who_line"]
