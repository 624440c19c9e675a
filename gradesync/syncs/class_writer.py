"""Writing one decided class to the SIS: intent, line items, results, removals, read back, checkpoint.

The order is what makes a crash harmless: the intent is stored before anything is sent, ids are minted the same way
every time (or stored before they are used, where the SIS mints them), and only what was read back is recorded as
sent. One refused record never stops the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.line_item import line_item_key
from gradesync.domain.passback import ClassDecision, ClassInput, LineItemDecision, ResultDecision
from gradesync.domain.passback_removals import OVER_LIMIT, within_limit
from gradesync.domain.problem import ENDS_RUN
from gradesync.domain.retrying import let_rest
from gradesync.domain.run import Stage
from gradesync.domain.wish import Verdict
from gradesync.errors import ConnectionProblem, LeaseLost
from gradesync.ports import GradebookSink, RunRecords
from gradesync.syncs.class_outcome import Bookkeeping, Decision, Outcome, every, intent, record_id, settled
from gradesync.syncs.stage import StageTracker
from gradesync.syncs.together import together

FORBIDDEN_LIMIT = 5
"""Writes refused for want of a right, none having been taken, before the run ends: the key may write nothing."""

NOT_READ_BACK = "taken, not read back"
"""Records the SIS said yes to in a class that was not finished: the next run looks at them first."""

NOT_OFFERED = "GS-510"

REMOVALS_STOPPED = "removals:stopped"
"""Watermark: the limit at which a run stopped removing records; empty when nothing waits for consent."""


_Deleting = Callable[[str], Awaitable[None]]


class WritesForbidden(ConnectionProblem):
    """The SIS takes no write from this key; more of them would only be more refusals."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be written of one class; results are sent and blanked alike, by putting them."""

    decision: ClassDecision
    items: Sequence[LineItemDecision]
    results: Sequence[ResultDecision]
    going: Sequence[ResultDecision]
    going_items: Sequence[LineItemDecision]

    @classmethod
    def of(cls, decision: ClassDecision) -> _Work:
        return cls(
            decision=decision,
            items=[d for d in decision.line_items if d.verdict is Verdict.SEND],
            results=[d for d in decision.results if d.verdict in (Verdict.SEND, Verdict.BLANK)],
            going=[d for d in decision.results if d.verdict is Verdict.DELETE],
            going_items=[d for d in decision.line_items if d.verdict is Verdict.DELETE],
        )

    @property
    def puts(self) -> list[Decision]:
        return [*self.items, *self.results]

    @property
    def something(self) -> bool:
        return bool(self.items or self.results or self.going or self.going_items)


@dataclass(slots=True)
class ClassWriter:
    """Writes decided classes. `tracker` receives the counts and codes of what really happened.

    `taken` and `forbidden` count writes of the whole run: one class that forbids is the class's affair, a key that
    has never been let in is the run's. `removed` counts records blanked and deleted, up to the account's limit;
    `keeps_all` is set once the SIS has said that it deletes nothing. `removes` is false while removals wait for
    consent, `over_limit` set once something was not removed for want of it.
    """

    sink: GradebookSink
    records: RunRecords
    keyed: KeyedHash
    tracker: StageTracker
    taken: int = 0
    forbidden: int = 0
    removed: int = 0
    keeps_all: bool = False
    removes: bool = True
    over_limit: bool = False

    async def write(self, given: ClassInput, decision: ClassDecision) -> bool:
        """Write one class; False when transport trouble left records undone (the watermark must stay)."""
        standing = self.records.waiting(given.class_id)
        if not given.complete:
            decision = let_rest(decision, standing)
        # Taken from the limit before anything is awaited: other classes are being written meanwhile.
        left = max(0, decision.removal_limit - self.removed) if self.removes else 0
        decision, used = within_limit(decision, left)
        self.removed += used
        self._note_limit(decision)
        work, outcome = _Work.of(decision), Outcome()
        if work.something:
            self._intend(given, work)
            try:
                await self._send(given, work, outcome)
                await self._remove(work, outcome)
                await self._read_back(given.class_id, work, outcome)
            except (asyncio.CancelledError, LeaseLost):
                self._count_broken_off(work, outcome)
                raise
        self.tracker.stage = Stage.RECORD
        book = Bookkeeping(given, decision, outcome, standing)
        book.keep()
        self.tracker.counts.update(book.counts())
        self.tracker.codes.update(decision.codes())
        self.tracker.codes.update(book.refused)
        self.records.checkpoint(
            given.class_id,
            ledger=book.ledger,
            waiting=book.waiting,
            complete=given.complete,
            events=book.events,
            forgotten=book.forgotten,
        )
        return not outcome.transport

    def _count_broken_off(self, work: _Work, outcome: Outcome) -> None:
        """A run that is stopped in the middle of a class still says what the SIS has taken of it."""
        self.tracker.counts[NOT_READ_BACK] += sum(map(outcome.took, [*work.results, *work.going]))
        self.tracker.counts[f"line items {NOT_READ_BACK}"] += sum(
            map(outcome.took, [*work.items, *work.going_items])
        )

    def _note_limit(self, decision: ClassDecision) -> None:
        """Once a run has met the limit, removals wait for a person: night after night they would all be gone."""
        if self.over_limit or not any(d.code == OVER_LIMIT for d in every(decision)):
            return
        self.over_limit = True
        if self.removes:
            # Stored before anything is removed: a run that breaks off must not be taken for consent.
            self.records.set_watermarks({REMOVALS_STOPPED: str(decision.removal_limit)})

    def _intend(self, given: ClassInput, work: _Work) -> None:
        if rows := settled(given, work.puts):
            self.records.checkpoint(given.class_id, ledger=rows, waiting=(), complete=False)
        if work.puts:
            self.records.intend([intent(given, d) for d in work.puts])

    # - sending -

    async def _send(self, given: ClassInput, work: _Work, outcome: Outcome) -> None:
        """Line items first: a result needs its column, under the id the SIS knows it by."""
        self.tracker.stage = Stage.WRITE
        await together(self._put_item(decision, outcome) for decision in work.items)
        if outcome.ids:
            # The SIS gave columns ids of its own: known from now on, whatever happens to the results.
            rows = [intent(given, d, outcome.ids[d.subject]) for d in work.items if d.subject in outcome.ids]
            self.records.checkpoint(given.class_id, ledger=rows, waiting=(), complete=False)
        lost = {d.assignment_id: outcome.answers.get(d.subject) for d in work.items if not outcome.took(d)}
        columns = {record_id(d): id for d in work.items if (id := outcome.ids.get(d.subject))}
        for decision in work.results:
            if decision.assignment_id in lost:
                outcome.answers[decision.subject] = lost[decision.assignment_id] or "GS-506"
                outcome.unasked.add(decision.subject)
        await together(
            self._put_result(decision, columns, outcome)
            for decision in work.results
            if decision.subject not in outcome.unasked
        )

    async def _put_item(self, decision: LineItemDecision, outcome: Outcome) -> None:
        assert decision.item is not None  # a decision to send always carries what to send
        new = decision.holds is None
        await self._put(self.sink.put_line_item(decision.item, new=new), decision, decision.item.id, outcome)

    async def _put_result(
        self, decision: ResultDecision, columns: Mapping[str, str], outcome: Outcome
    ) -> None:
        result = decision.result
        assert result is not None  # a decision to send always carries what to send
        if result.line_item_id in columns:
            result = replace(result, line_item_id=columns[result.line_item_id])
        new = decision.holds is None
        await self._put(self.sink.put_result(result, new=new), decision, result.id, outcome)

    async def _put(self, sending: Awaitable[str], decision: Decision, asked: str, outcome: Outcome) -> None:
        try:
            held = await sending
        except ConnectionProblem as problem:
            self._refusal(problem, decision, outcome)
        else:
            self.taken += 1
            outcome.answers[decision.subject] = None
            if held != asked:
                outcome.ids[decision.subject] = held

    def _refusal(self, problem: ConnectionProblem, decision: Decision, outcome: Outcome) -> None:
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
        self.tracker.answered(problem)
        outcome.answers[decision.subject] = problem.code
        outcome.transport |= problem.retryable

    # - removing -

    async def _remove(self, work: _Work, outcome: Outcome) -> None:
        """Results first: a SIS may keep the results of a column it has lost."""
        await together(self._delete(self.sink.delete_result, decision, outcome) for decision in work.going)
        stay = {d.result.line_item_id for d in work.going if d.result is not None and not outcome.took(d)}
        for decision in work.going_items:
            if record_id(decision) in stay:
                outcome.answers[decision.subject] = "GS-506"
                outcome.unasked.add(decision.subject)
        await together(
            self._delete(self.sink.delete_line_item, decision, outcome)
            for decision in work.going_items
            if decision.subject not in outcome.unasked
        )

    async def _delete(self, deleting: _Deleting, decision: Decision, outcome: Outcome) -> None:
        if self.keeps_all:
            outcome.answers[decision.subject] = NOT_OFFERED
            outcome.unasked.add(decision.subject)
            return
        try:
            await deleting(record_id(decision))
        except ConnectionProblem as problem:
            if problem.code != NOT_OFFERED:
                self._refusal(problem, decision, outcome)
                return
            # Many a SIS takes grades and deletes none; that must not keep other students from theirs.
            self.keeps_all = True
            outcome.answers[decision.subject] = NOT_OFFERED
        else:
            outcome.answers[decision.subject] = None

    # - reading back -

    async def _read_back(self, class_id: str, work: _Work, outcome: Outcome) -> None:
        """Note the keyed hash of what the SIS now holds, for what it said it took."""
        self.tracker.stage = Stage.VERIFY
        try:
            if any(outcome.took(d) for d in (*work.items, *work.going_items)):
                self._found_items(work, await self.sink.read_line_items(class_id), outcome)
            if any(outcome.took(d) for d in (*work.results, *work.going)):
                self._found_results(work, await self._results_now(class_id, work, outcome), outcome)
        except ConnectionProblem as problem:
            if problem.code in ENDS_RUN:
                raise
            # Written but not seen: the intents stay, and the next run compares before it writes.
            self.tracker.codes[problem.code] += 1
            self.tracker.answered(problem)
            outcome.transport = True

    async def _results_now(self, class_id: str, work: _Work, outcome: Outcome) -> Sequence[Result]:
        """What the SIS holds now; a day's change is mostly one column, so only that one is asked for."""
        ids = {record_id(d): outcome.record_id(d) for d in work.items}
        columns = {d.result.line_item_id for d in (*work.results, *work.going) if d.result is not None}
        gone = {record_id(d) for d in work.going_items}
        if len(columns) == 1 and not columns & gone:
            column = columns.pop()
            return await self.sink.read_line_item_results(class_id, ids.get(column, column))
        return await self.sink.read_results(class_id)

    def _found_items(self, work: _Work, held: Sequence[LineItem], outcome: Outcome) -> None:
        by_id = {item.id: item for item in held}
        for d in work.items:
            item = by_id.get(outcome.record_id(d))
            if item is not None:
                outcome.found[d.subject] = self.keyed(*line_item_key(item, work.decision.omit))
        self._still_there(work.going_items, by_id, outcome)

    def _found_results(self, work: _Work, held: Sequence[Result], outcome: Outcome) -> None:
        by_id = {result.id: result for result in held}
        key_of = work.decision.speech.key_of
        for d in work.results:
            result = by_id.get(outcome.record_id(d))
            if result is not None:
                text = d.result is not None and d.result.text is not None
                outcome.found[d.subject] = self.keyed(key_of(result, text=text))
        self._still_there(work.going, by_id, outcome)

    def _still_there(
        self, going: Sequence[Decision], held: Mapping[str, LineItem | Result], outcome: Outcome
    ) -> None:
        for d in going:
            if outcome.took(d) and record_id(d) in held:
                # The SIS said that it had removed it, and goes on showing it.
                outcome.answers[d.subject] = "GS-509"
