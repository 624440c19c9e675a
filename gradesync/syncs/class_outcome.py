"""What became of a class's records after writing: ledger, waiting rows, events and counts, from what the SIS answered.

Pure bookkeeping over decisions and answers; the talking is `class_writer`'s. Only what was read back is recorded as
sent, and only what is gone is forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gradesync.domain.passback import ClassDecision, ClassInput, LineItemDecision, ResultDecision
from gradesync.domain.passback_decisions import STORED_OTHERWISE
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry, RecordEvent, WaitingRecord, WaitingRow
from gradesync.domain.wish import Verdict

Decision = LineItemDecision | ResultDecision

_WRITES = (Verdict.SEND, Verdict.BLANK)


@dataclass(slots=True)
class Outcome:
    """What became of the records of one class, by subject.

    `answers`: None when the SIS took it, else the code. `ids`: under which id the SIS says it holds a record, where
    that is not the one asked for. `found`: the keyed hash of what was read back. `unasked`: never sent, because what
    it needs was refused. `transport`: trouble left something undone.
    """

    answers: dict[str, str | None] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    unasked: set[str] = field(default_factory=set)
    transport: bool = False

    def took(self, decision: Decision) -> bool:
        """Whether the SIS said yes to it."""
        return self.answers.get(decision.subject, "") is None

    def record_id(self, decision: Decision) -> str:
        """The id under which the SIS holds the record."""
        return self.ids.get(decision.subject) or record_id(decision)


def kind_of(decision: Decision) -> str:
    """LINE_ITEM or RESULT."""
    return LINE_ITEM if isinstance(decision, LineItemDecision) else RESULT


def record_id(decision: Decision) -> str:
    """The id the decision names its record by."""
    record = decision.item if isinstance(decision, LineItemDecision) else decision.result
    assert record is not None  # only decisions about a real record are written or reach the ledger
    return record.id


def every(decision: ClassDecision) -> Iterator[Decision]:
    """Line items, then results."""
    yield from decision.line_items
    yield from decision.results


def intent(given: ClassInput, decision: Decision, id: str | None = None) -> LedgerEntry:
    """The ledger's row before a record is sent: what it was, and what is about to be written."""
    kind = kind_of(decision)
    old = given.ledger.get((kind, decision.subject))
    sent, seen = (old.sent, old.read_back) if old is not None else (None, None)
    return LedgerEntry(
        kind, decision.subject, given.class_id, id or record_id(decision), sent, seen, decision.value
    )


def settled(given: ClassInput, decisions: Sequence[Decision]) -> list[LedgerEntry]:
    """What a broken-off run wrote, recorded as ours before a new intent takes the place of its own.

    Otherwise a second broken-off run would make our own score look like a hand edit.
    """
    rows: list[LedgerEntry] = []
    for d in decisions:
        old = given.ledger.get((kind_of(d), d.subject))
        open_ = old is not None and old.intent is not None and d.holds is not None
        if old is not None and open_ and d.holds not in (old.sent, old.read_back):
            sent = old.intent if d.holds == old.intent else old.sent
            rows.append(replace(old, record_id=record_id(d), sent=sent, read_back=d.holds, intent=old.intent))
    return rows


@dataclass(slots=True)
class Bookkeeping:
    """The rows of one class's checkpoint; filled once, by `keep`."""

    given: ClassInput
    decision: ClassDecision
    outcome: Outcome
    standing: Mapping[str, WaitingRow]
    ledger: list[LedgerEntry] = field(default_factory=list)
    waiting: list[WaitingRecord] = field(default_factory=list)
    events: list[RecordEvent] = field(default_factory=list)
    forgotten: list[tuple[str, str]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)

    def keep(self) -> None:
        """Go through every decision once."""
        for d in every(self.decision):
            if d.verdict in _WRITES:
                self._written(d)
            elif d.verdict is Verdict.DELETE:
                self._deleted(d)
            elif d.verdict is Verdict.WITHHELD:
                assert d.code is not None  # withheld without a reason would be silence
                self._waits(d, d.code)
                self._link(d)
            else:
                self._rested(d)
        if self.given.complete and self.standing:
            self._vanished()

    def _written(self, d: Decision) -> None:
        answer = self.outcome.answers.get(d.subject)
        if answer is not None:
            self._refused(d, answer)
            return
        what = "blanked" if d.verdict is Verdict.BLANK else "sent"
        self._tell(d, what, value=d.value)
        seen = self.outcome.found.get(d.subject)
        if seen is not None:
            self.ledger.append(self._entry(d, seen))
        if seen == d.value or self.outcome.transport:
            self._done(d, what)
            return
        # The SIS said yes and holds something else, or nothing.
        self._tell(d, "differs", STORED_OTHERWISE, seen)
        self._counted_as_refused(d, STORED_OTHERWISE)

    def _deleted(self, d: Decision) -> None:
        answer = self.outcome.answers.get(d.subject)
        if answer is not None:
            self._refused(d, answer)
            return
        self.forgotten.append((kind_of(d), d.subject))
        self._tell(d, "deleted", value=d.value)
        self._done(d, "deleted")

    def _refused(self, d: Decision, code: str) -> None:
        if d.subject not in self.outcome.unasked:
            self._tell(d, "refused", code, d.value)
        elif self._is_new(d, code):
            self._tell(d, "withheld", code)
        self._counted_as_refused(d, code)

    def _counted_as_refused(self, d: Decision, code: str) -> None:
        self.refused[code] += 1
        self.waiting.append(WaitingRecord(d.subject, self.given.class_id, code, d.assignment_id or None))

    def _waits(self, d: Decision, code: str) -> None:
        self.waiting.append(WaitingRecord(d.subject, self.given.class_id, code, d.assignment_id or None))
        if self._is_new(d, code):
            self._tell(d, "withheld", code)

    def _link(self, d: Decision) -> None:
        """Remember whose column our scores go into: renamed by a person, it would not be found a second time."""
        if not isinstance(d, LineItemDecision) or not d.usable or d.item is None or d.holds is None:
            return
        if (LINE_ITEM, d.subject) not in self.given.ledger:
            self.ledger.append(LedgerEntry(LINE_ITEM, d.subject, self.given.class_id, d.item.id, None, None))

    def _rested(self, d: Decision) -> None:
        """Nothing was to be done; a record that waited waits no longer."""
        if d.verdict is Verdict.UNCHANGED and d.confirmed:
            assert d.value is not None  # what is confirmed has a value
            self.ledger.append(self._entry(d, d.holds or d.value))
        elif d.forget:
            self.forgotten.append((kind_of(d), d.subject))
        row = self.standing.get(d.subject)
        if row is None:
            return
        self._tell(d, "released", row.record.code)
        if not (d.confirmed or d.forget) and not self.given.complete:
            # A checkpoint of a part lets go only of records that it names.
            known = self.given.ledger.get((kind_of(d), d.subject))
            if known is not None:
                self.ledger.append(known)
            else:
                self.forgotten.append((kind_of(d), d.subject))

    def _vanished(self) -> None:
        """Waiting records that a full reading does not know any more."""
        decided = {d.subject for d in every(self.decision)}
        for subject, row in self.standing.items():
            if subject not in decided:
                self.events.append(RecordEvent(subject, self.given.class_id, "released", row.record.code))

    def _entry(self, d: Decision, seen: str) -> LedgerEntry:
        return LedgerEntry(
            kind_of(d), d.subject, self.given.class_id, self.outcome.record_id(d), d.value, seen
        )

    def _done(self, d: Decision, word: str) -> None:
        self.done[word if isinstance(d, ResultDecision) else f"line items {word}"] += 1

    def _is_new(self, d: Decision, code: str) -> bool:
        row = self.standing.get(d.subject)
        return row is None or row.record.code != code

    def _tell(self, d: Decision, what: str, code: str | None = None, value: str | None = None) -> None:
        self.events.append(RecordEvent(d.subject, self.given.class_id, what, code, value))

    def counts(self) -> Counter[str]:
        """The decision's counts with what really happened in place of what was meant to."""
        counts = self.decision.counts()
        for word in ("sent", "line items sent", "blanked", "deleted", "line items deleted"):
            if word in counts or self.done[word]:
                counts[word] = self.done[word]
        counts["refused"] += sum(self.refused.values())
        return counts
