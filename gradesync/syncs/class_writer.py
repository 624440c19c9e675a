"""Writing one decided class to the SIS: intent, line items, results, read back, ledger, checkpoint.

The order is what makes a crash harmless: the intent is stored before anything is sent, ids are minted the same way
every time, and only what was read back is recorded as sent. One refused record never stops the others.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.line_item import line_item_key
from gradesync.domain.passback import ClassDecision, ClassInput, LineItemDecision, ResultDecision
from gradesync.domain.problem import ENDS_RUN
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry, WaitingRecord
from gradesync.domain.run import Stage
from gradesync.domain.wish import Verdict, value_key
from gradesync.errors import ConnectionProblem
from gradesync.ports import GradebookSink, RunRecords
from gradesync.syncs.stage import StageTracker

FORBIDDEN_LIMIT = 5
"""Writes refused for want of a right, none having been taken, before the run ends: the key may write nothing."""


class WritesForbidden(ConnectionProblem):
    """The SIS takes no write from this key; more of them would only be more refusals."""


Decision = LineItemDecision | ResultDecision


@dataclass(slots=True)
class _Outcome:
    """What became of the records of one class, by subject: None when the SIS took it, else the code."""

    answers: dict[str, str | None] = field(default_factory=dict)
    transport: bool = False

    def took(self, decision: Decision) -> bool:
        return decision.subject in self.answers and self.answers[decision.subject] is None


@dataclass(slots=True)
class ClassWriter:
    """Writes decided classes. `tracker` receives the counts and codes of what really happened.

    `taken` and `forbidden` count writes of the whole run: one class that forbids is the class's affair, a key that
    has never been let in is the run's.
    """

    sink: GradebookSink
    records: RunRecords
    keyed: KeyedHash
    tracker: StageTracker
    taken: int = 0
    forbidden: int = 0

    async def write(self, given: ClassInput, decision: ClassDecision) -> bool:
        """Write one class; False when transport trouble left records undone (the watermark must stay)."""
        items = [d for d in decision.line_items if d.verdict is Verdict.SEND]
        results = [d for d in decision.results if d.verdict is Verdict.SEND]
        outcome = _Outcome()
        found: Mapping[str, str] = {}
        if items or results:
            self._settle(given, items, results)
            self.records.intend([self._intent(given, d) for d in _every(items, results)])
            await self._send(items, results, outcome)
            found = await self._read_back(given.class_id, items, results, outcome)
        ledger = self._ledger(given, decision, outcome, found)
        refused = tuple(
            WaitingRecord(d.subject, given.class_id, code, d.assignment_id)
            for d in _every(items, results)
            if (code := outcome.answers.get(d.subject)) is not None
        )
        self._count(decision, items, results, outcome)
        self.tracker.stage = Stage.RECORD
        self.records.checkpoint(
            given.class_id,
            ledger=ledger,
            waiting=(*decision.waiting(), *refused),
            complete=given.complete,
        )
        return not outcome.transport

    # - sending -

    async def _send(
        self, items: Sequence[LineItemDecision], results: Sequence[ResultDecision], outcome: _Outcome
    ) -> None:
        """Line items first: a result needs its column."""
        self.tracker.stage = Stage.WRITE
        await _all(self._put_item(decision, outcome) for decision in items)
        lost = {d.assignment_id: outcome.answers.get(d.subject) for d in items if not outcome.took(d)}
        for decision in results:
            if decision.assignment_id in lost:
                outcome.answers[decision.subject] = lost[decision.assignment_id] or "GS-506"
        await _all(
            self._put_result(decision, outcome)
            for decision in results
            if decision.subject not in outcome.answers
        )

    async def _put_item(self, decision: LineItemDecision, outcome: _Outcome) -> None:
        assert decision.item is not None  # a decision to send always carries what to send
        await self._put(self.sink.put_line_item(decision.item), decision, outcome)

    async def _put_result(self, decision: ResultDecision, outcome: _Outcome) -> None:
        assert decision.result is not None  # a decision to send always carries what to send
        await self._put(self.sink.put_result(decision.result), decision, outcome)

    async def _put(self, sending: Awaitable[None], decision: Decision, outcome: _Outcome) -> None:
        try:
            await sending
        except ConnectionProblem as problem:
            self._refusal(problem, decision, outcome)
        else:
            self.taken += 1
            outcome.answers[decision.subject] = None

    def _refusal(self, problem: ConnectionProblem, decision: Decision, outcome: _Outcome) -> None:
        if problem.code in ENDS_RUN:
            raise problem
        if problem.code == "GS-203":
            self.forbidden += 1
            if not self.taken and self.forbidden >= FORBIDDEN_LIMIT:
                raise WritesForbidden(
                    "the SIS takes no write from this key",
                    code=problem.code,
                    hint="grant the scope gradebook.createput",
                    status=problem.status,
                    vendor_text=problem.vendor_text,
                )
        outcome.answers[decision.subject] = problem.code
        outcome.transport |= problem.retryable

    # - reading back -

    async def _read_back(
        self,
        class_id: str,
        items: Sequence[LineItemDecision],
        results: Sequence[ResultDecision],
        outcome: _Outcome,
    ) -> Mapping[str, str]:
        """subject -> keyed hash of what the SIS now holds, for what it said it took."""
        self.tracker.stage = Stage.VERIFY
        found: dict[str, str] = {}
        try:
            if any(outcome.took(d) for d in items):
                found |= self._found_items(items, await self.sink.read_line_items(class_id))
            if any(outcome.took(d) for d in results):
                found |= self._found_results(results, await self._results_now(class_id, results))
        except ConnectionProblem as problem:
            if problem.code in ENDS_RUN:
                raise
            # Written but not seen: the intents stay, and the next run compares before it writes.
            self.tracker.codes[problem.code] += 1
            outcome.transport = True
        return found

    async def _results_now(self, class_id: str, results: Sequence[ResultDecision]) -> Sequence[Result]:
        """What the SIS holds now; a day's change is mostly one column, so only that one is asked for."""
        columns = {d.result.line_item_id for d in results if d.result is not None}
        if len(columns) == 1:
            return await self.sink.read_line_item_results(class_id, columns.pop())
        return await self.sink.read_results(class_id)

    def _found_items(self, decisions: Sequence[LineItemDecision], held: Sequence[LineItem]) -> dict[str, str]:
        by_id = {item.id: item for item in held}
        return {
            d.subject: self.keyed(*line_item_key(by_id[d.item.id]))
            for d in decisions
            if d.item is not None and d.item.id in by_id
        }

    def _found_results(self, decisions: Sequence[ResultDecision], held: Sequence[Result]) -> dict[str, str]:
        by_id = {result.id: result for result in held}
        return {
            d.subject: self.keyed(value_key(by_id[d.result.id].score, by_id[d.result.id].status))
            for d in decisions
            if d.result is not None and d.result.id in by_id
        }

    # - recording -

    def _settle(
        self, given: ClassInput, items: Sequence[LineItemDecision], results: Sequence[ResultDecision]
    ) -> None:
        """What a broken-off run wrote is recorded as ours before a new intent takes the place of its own.

        Otherwise a second broken-off run would make our own score look like a hand edit.
        """
        settled: list[LedgerEntry] = []
        for d in _every(items, results):
            old = given.ledger.get((_kind(d), d.subject))
            open_ = old is not None and old.intent is not None and d.holds is not None
            if old is not None and open_ and d.holds not in (old.sent, old.read_back):
                sent = old.intent if d.holds == old.intent else old.sent
                settled.append(
                    replace(old, record_id=_record_id(d), sent=sent, read_back=d.holds, intent=old.intent)
                )
        if settled:
            self.records.checkpoint(given.class_id, ledger=settled, waiting=(), complete=False)

    def _intent(self, given: ClassInput, decision: Decision) -> LedgerEntry:
        old = given.ledger.get((_kind(decision), decision.subject))
        if old is not None:
            return replace(old, intent=decision.value)
        return LedgerEntry(
            kind=_kind(decision),
            subject=decision.subject,
            class_id=given.class_id,
            record_id=_record_id(decision),
            sent=None,
            read_back=None,
            intent=decision.value,
        )

    def _ledger(
        self, given: ClassInput, decision: ClassDecision, outcome: _Outcome, found: Mapping[str, str]
    ) -> list[LedgerEntry]:
        entries: list[LedgerEntry] = []
        for d in _every(decision.line_items, decision.results):
            seen = found.get(d.subject)
            if d.verdict is Verdict.UNCHANGED and d.confirmed:
                seen = d.value
            elif d.verdict is not Verdict.SEND or not outcome.took(d) or seen is None:
                continue
            entries.append(
                LedgerEntry(
                    kind=_kind(d),
                    subject=d.subject,
                    class_id=given.class_id,
                    record_id=_record_id(d),
                    sent=d.value,
                    read_back=seen,
                )
            )
        verified = not outcome.transport
        for d in _every(decision.line_items, decision.results):
            if d.verdict is Verdict.SEND and outcome.took(d) and verified and found.get(d.subject) != d.value:
                # The SIS said yes and holds something else, or nothing.
                outcome.answers[d.subject] = "GS-509"
        return entries

    def _count(
        self,
        decision: ClassDecision,
        items: Sequence[LineItemDecision],
        results: Sequence[ResultDecision],
        outcome: _Outcome,
    ) -> None:
        counts = decision.counts()
        counts["sent"] = sum(outcome.took(d) for d in results)
        counts["line items sent"] = sum(outcome.took(d) for d in items)
        failed = Counter(
            code for d in _every(items, results) if (code := outcome.answers.get(d.subject)) is not None
        )
        counts["refused"] += sum(failed.values())
        self.tracker.counts.update(counts)
        self.tracker.codes.update(decision.codes())
        self.tracker.codes.update(failed)


def _every(
    items: Sequence[LineItemDecision], results: Sequence[ResultDecision]
) -> Iterator[LineItemDecision | ResultDecision]:
    yield from items
    yield from results


def _kind(decision: Decision) -> str:
    return LINE_ITEM if isinstance(decision, LineItemDecision) else RESULT


def _record_id(decision: Decision) -> str:
    record = decision.item if isinstance(decision, LineItemDecision) else decision.result
    assert record is not None  # only decisions about a real record reach the ledger
    return record.id


async def _all(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Run coroutines together; the first fatal error cancels the rest and is raised bare."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
