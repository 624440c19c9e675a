"""Lines of the history: the one table with tens of thousands of rows, put together from pieces that were made once.

The pieces come from `run_cells.html`, which escapes; what is left is escaped here, and `history.html` shows all of it
as it is. With every cell escaped anew a page of many accounts would take half as long again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from gradesync.domain.run import Lease, Mode, RunState, Trigger
from gradesync.domain.run_line import RunLine
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page.environment import Escaped, escaped, piece
from gradesync.reporting.page.wording import Stamps, code_text, mark_of


class RunRow(NamedTuple):
    """A run as `history.html` takes it apart: cells as HTML, and what stands in the last cell."""

    when: Escaped
    whose: Escaped
    end: Escaped
    counts: Escaped
    codes: Escaped
    facts: Escaped
    id: Escaped


_NO_TEXT = Escaped("")
_NOTHING = Escaped("nothing to carry")


def run_row(run: RunLine, zone: str, stamps: Stamps, lease: Lease | None = None) -> RunRow:
    """One line of the history; the account's `lease` tells where a run at work is.

    The words of enumerations are taken as they are kept (`_value_`): `value` is a look-up each time.
    """
    if run.outcome is None or run.stage is None:
        headway = lease.headway if lease is not None and lease.run_id == run.id else None
        state = "running" if run.state is RunState.RUNNING else "queued"
        end, counts = _end("" if headway is None else clean(headway.stage), "open", state), _NO_TEXT
    else:
        outcome = run.outcome._value_
        end = _end(run.stage._value_, mark_of(outcome), outcome)
        counts = _counts(run.counts) or _NOTHING
    return RunRow(
        _when(*stamps(run.at, zone)),
        _whose(run.type._value_, run.schedule.name, run.actor, run.via, run.trigger._value_),
        end,
        counts,
        _codes(run.codes) if run.codes else _NO_TEXT,
        _facts(run),
        Escaped(run.id) if run.id.isalnum() else escaped(run.id),
    )


@lru_cache(maxsize=16_384)
def _when(iso: str, clock: str) -> Escaped:
    return piece("when")(iso, clock)


@lru_cache(maxsize=16_384)
def _whose(type: str, name: str, actor: str, via: str, trigger: str) -> Escaped:
    """What the runs of a schedule have in common."""
    return piece("whose")(type, clean(name), who_line(actor, via), trigger)


@lru_cache(maxsize=256)
def _end(stage: str, slug: str, outcome: str) -> Escaped:
    return piece("end")(stage, slug, outcome)


def _counts(counts: Mapping[str, int]) -> Escaped:
    """`words.counts_line`, escaped word by word."""
    ordered = words.counts_in_order(tuple(counts))
    return Escaped(", ".join([f"{n:,} {_word(word, n == 1)}" for word in ordered if (n := counts[word])]))


@lru_cache(maxsize=1024)
def _word(word: str, alone: bool) -> Escaped:
    return escaped(words.count_word(word, alone))


def _codes(met: Mapping[str, int]) -> Escaped:
    return Escaped("".join([_code(code, number) for code, number in sorted(met.items()) if number]))


@lru_cache(maxsize=16_384)
def _code(code: str, number: int) -> Escaped:
    return piece("met")(clean(code), number, *code_text(code))


def who_line(name: str, via: str) -> str:
    """`sam (OS user)`."""
    return f"{clean(name)} ({clean(via)})"


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


__all__ = ["RunRow", "run_row", "who_line"]
