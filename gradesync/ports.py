"""Every seam of the house as a Protocol: what syncs and engine need from the outside, in their own words.

One file on purpose, though a long one: who asks what the house needs of the outside finds all of it here. Nothing
here imports a library or does I/O. An adapter belongs to one of the rooms above; its fake ships beside it
and passes the same conformance suite.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gradesync.domain.approval import Approval
from gradesync.domain.history import Fact
from gradesync.domain.hold import HoldScope
from gradesync.domain.record import LedgerEntry, PastEvent, RecordEvent, WaitingRecord, WaitingRow
from gradesync.domain.run import Actor, Mode, Run
from gradesync.domain.schedule import ScheduleId

if TYPE_CHECKING:
    # Types of the syncs and the plan: `list` opens the store without loading any of them.
    from gradesync.domain.account import Account
    from gradesync.domain.alarm import Alarm, AlarmChange, AlarmKey, Message
    from gradesync.domain.alarm_rule import AlarmRule
    from gradesync.domain.class_terms import ClassTerm, PastTerm
    from gradesync.domain.comparison import Weighing
    from gradesync.domain.definition import Recorded
    from gradesync.domain.gradebook import (
        CanvasCourse,
        CourseChange,
        CourseGradebook,
        LineItem,
        Result,
        SisCatalogue,
        SisGradebook,
        Submission,
    )
    from gradesync.domain.history import HistoryEntry
    from gradesync.domain.hold import Hold, Request
    from gradesync.domain.keyed import KeyedHash
    from gradesync.domain.people import CoursePeople
    from gradesync.domain.plan import Action
    from gradesync.domain.roster import (
        AcademicSession,
        ImportStatus,
        Org,
        Roster,
        RosterClass,
        RosterCourse,
        RosterEnrollment,
        RosterUser,
    )
    from gradesync.domain.roster_csv import CanvasFiles, Row, RowFiles
    from gradesync.domain.roster_rows import RowMessage
    from gradesync.domain.roster_takeover import HeldIds
    from gradesync.domain.run import ClaimAnswer, Claimed, Headway, Holder, Lease, RunResult
    from gradesync.domain.run_line import RunLine
    from gradesync.domain.sticky import OwnComment

Clock = Callable[[], datetime]
"""The wall clock: an aware UTC instant."""


class Secrets(Protocol):
    """Resolves references such as `env:NAME` and `file:PATH` at the last moment."""

    def value(self, reference: str, account: str, name: str) -> str:
        """The secret's value. Raises ConnectionProblem (GS-207) naming the reference, never a value."""
        ...


class Progress(Protocol):
    """Somebody watching: told where a run is. Carries counts only, never a name, title or score."""

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None:
        """`done` of `total` units (classes, files) of this stage; total None while unknown."""
        ...

    def say(self, schedule: ScheduleId, sentence: str) -> None:
        """One sentence worth a line even in a quiet log."""
        ...

    def ended(self, schedule: ScheduleId, done: int, total: int | None) -> None:
        """A run is over, whether it ended or was left; `done` of `total` runs of this pass are (None: no pass)."""
        ...


class Guard(Protocol):
    """The last look before an outside write: is the lease still ours for as long as the write may take?

    `run` names the run and its epoch in every request made under the guard; empty: in none.
    """

    @property
    def run(self) -> str: ...

    def check(self) -> None:
        """Raises LeaseLost when it is not."""
        ...


class Notifier(Protocol):
    """Sends alarms. No student data comes here (`domain.alarm`), and no error of it names an address."""

    def send(self, rule: AlarmRule, message: Message) -> None:
        """Hand the message to the rule's channel. Raises NotSent."""
        ...

    def ping(self, *, good: bool) -> None:
        """Tell a watcher outside that a pass has ended, well or not; nothing where none is named. Raises NotSent."""
        ...


class FileCache(Protocol):
    """Throw-away memory of files read before: nothing in it is needed, and nothing in it is trusted blindly.

    A file set (`accounts`, `settings`) is kept whole: file -> row, one line of JSON in ASCII that names what it was
    made from.
    """

    def get(self, file_set: str) -> Mapping[str, str] | None:
        """The set's rows by file; None when absent or damaged."""
        ...

    def put(self, file_set: str, rows: Mapping[str, str]) -> None:
        """Replace the set at once. Never raises for a disk that will not take it."""
        ...


# --- the SIS as the source of rosters, Canvas as their sink --------------------------------------------------


class RosterIntake(Protocol):
    """Takes a roster's rows as pages arrive."""

    def orgs(self, rows: Iterable[Org]) -> None: ...
    def sessions(self, rows: Iterable[AcademicSession]) -> None: ...
    def courses(self, rows: Iterable[RosterCourse]) -> None: ...
    def classes(self, rows: Iterable[RosterClass]) -> None: ...
    def users(self, rows: Iterable[RosterUser]) -> None: ...
    def enrollments(self, rows: Iterable[RosterEnrollment]) -> None: ...


class RosterSpool(RosterIntake, Protocol):
    """A run's private place for student data: a read that is not in memory, and the files made of it."""

    def roster(self) -> Roster:
        """What was taken in."""
        ...

    def chunks(self) -> MutableMapping[tuple[str, str], bytes]:
        """Room for the chunks of one generation (`domain.roster_generation`), which live as long as the spool does."""
        ...

    def files(self, headers: Mapping[str, Row]) -> RowFiles:
        """Room for one set of Canvas files, which live as long as the spool does."""
        ...


class RosterSource(Protocol):
    """The SIS, read for a roster import."""

    async def identity(self) -> str:
        """The district's stable id (OneRoster: sourcedId of the district org, else of the root orgs)."""
        ...

    async def read_roster(self, told: Callable[[int, int | None], None], intake: RosterIntake) -> None:
        """Hand everything a roster import needs to `intake`, nothing more (never demographics or metadata).

        Rows go as they come, page by page, so that the read is never in memory as a whole. Every row is handed over
        once; a method of the intake may be called many times, and from this task only.
        """
        ...


@runtime_checkable
class NarrowedSource(Protocol):
    """A source that reads whatever views the SIS offers, of which some cannot show everything."""

    def hidden(self) -> frozenset[str]:
        """What the last read could not see: `roster_generation.ENROLLMENTS`, with none but today's members of classes
        in their place, `AIDES`, or `AIDES_BY_ROLE` where they were found one by one."""
        ...


@runtime_checkable
class ReadyFiles(Protocol):
    """A source whose export consists of Canvas's own files: its rows are carried, not made anew of values."""

    def headers(self) -> Mapping[str, Row]:
        """The files and their columns, after a read; at least those the mapping makes, with the same key columns."""
        ...

    def canvas_files(self, scoped: Roster, out: RowFiles) -> CanvasFiles:
        """Write the rows that are in scope. May read files, so it is not called on the loop.

        Raises ConnectionProblem when they can no longer be read.
        """
        ...


class RosterReader(Protocol):
    """Canvas, as far as a dry run may see it."""

    async def identity(self) -> str:
        """The root account's uuid."""
        ...

    async def unfinished_imports(self) -> Sequence[ImportStatus]:
        """Imports of any tool that wait or run."""
        ...

    async def recent_imports(self) -> Sequence[ImportStatus]:
        """The last imports of any tool, in any state, newest first."""
        ...

    def held_ids(self, people: str) -> AsyncIterator[HeldIds]:
        """SIS ids Canvas already holds, page by page: what a take-over is measured against.

        `people` is the id people are known by, `sis_id` or `integration_id`. All of `roster_takeover.KINDS` are told.
        """
        ...

    async def class_seats(self, class_id: str) -> frozenset[tuple[str, str]] | None:
        """Who sits in the class's section: (SIS id of the person, Canvas role); None when there is no section."""
        ...

    async def imported_seats(self, class_id: str) -> frozenset[tuple[str, str]] | None:
        """Those of `class_seats` that some import made, as far as Canvas tells: nobody who was seated by hand."""
        ...


class RosterSink(RosterReader, Protocol):
    """Canvas, fed with SIS CSV files."""

    async def start_import(
        self,
        files: Mapping[str, Path],
        *,
        data_set: str | None,
        remaster: bool,
        expected_change: int = 0,
        deletes: bool = False,
    ) -> ImportStatus:
        """Send the files (by name) as one import with diffing (none without a data set); answers its first status.

        `expected_change`: by how many percent the files' size is known to change, which Canvas's own brake must allow.
        `deletes`: what is gone from the files is deleted; else nothing ever is.
        """
        ...

    async def import_status(self, import_id: int) -> ImportStatus:
        """Where the import is."""
        ...

    def import_messages(self, import_id: int) -> AsyncIterator[RowMessage]:
        """What Canvas had to say about the rows of an import."""
        ...


# --- Canvas as the source of grades, the SIS as their sink ---------------------------------------------------


class CanvasLookup(Protocol):
    """Canvas, asked about single courses for a person who looks; what it answers holds names, and is kept nowhere."""

    async def find_course(
        self, *, course_id: int | None = None, class_id: str | None = None
    ) -> CanvasCourse | None:
        """A course by Canvas's number, or the one that holds a SIS class's section now; None when there is none."""
        ...

    async def has_assignment(self, course: CanvasCourse, assignment_id: int) -> bool:
        """Whether the course holds the assignment."""
        ...

    async def sis_ids_of(self, user_id: int) -> frozenset[str] | None:
        """The SIS ids a Canvas user has or had, in enrollments of any state; None when Canvas knows no such user."""
        ...

    async def weighing(self, course_id: int) -> Weighing | None:
        """How the course averages: weights of its groups, scores they drop; None when it cannot be told."""
        ...

    async def people(self, course: CanvasCourse) -> CoursePeople:
        """The course's name, its students and its teachers by name."""
        ...


@dataclass(frozen=True, slots=True)
class ChangeFeed:
    """What changed in the account, course by course; read once, from its beginning.

    `read_at` is Canvas's clock at the first answer: the next watermark. Reading on raises ConnectionProblem when the
    listing breaks off; what was told until then is true.
    """

    read_at: datetime
    courses: AsyncIterator[CourseChange]


class GradebookSource(CanvasLookup, Protocol):
    """Canvas, read for a grade passback."""

    async def identity(self) -> str:
        """The root account's uuid."""
        ...

    def courses(self) -> AsyncIterator[CanvasCourse]:
        """Courses with enrollments, in scope; `state` tells which are published. Deleted ones are left out."""
        ...

    async def read_course(self, course: CanvasCourse, since: datetime | None) -> CourseGradebook:
        """All of a course (`since` None), or its assignments and what was graded after `since`.

        A delta names students only when a submission changed.
        """
        ...

    async def changes(self, since: datetime | None) -> ChangeFeed | None:
        """Every course of the terms in scope with the submissions changed after `since` (None: stamps only).

        None when this Canvas or this key has no such listing; then courses are asked one by one.
        """
        ...

    async def read_around(self, course: CanvasCourse, submissions: tuple[Submission, ...]) -> CourseGradebook:
        """The course's assignments and students around submissions that `changes` told."""
        ...


class GradebookReader(Protocol):
    """The SIS, as far as a dry run may see it."""

    async def identity(self) -> str:
        """The district's stable id."""
        ...

    async def catalogue(self) -> SisCatalogue:
        """Classes, categories and grading periods, read once per run."""
        ...

    async def read_class(self, class_id: str, columns: Sequence[str] = ()) -> SisGradebook:
        """The class's line items, results and students. Raises ConnectionProblem GS-512 when unknown.

        `columns` names the line items whose results are wanted; none named means the results of all.
        """
        ...

    async def read_results(self, class_id: str) -> Sequence[Result]:
        """The class's results alone, for reading back."""
        ...

    async def read_line_items(self, class_id: str) -> Sequence[LineItem]:
        """The class's line items alone, for reading back."""
        ...


class GradebookSink(GradebookReader, Protocol):
    """The SIS, written to. Every call raises ConnectionProblem; one refusal never concerns another record."""

    async def read_line_item_results(self, class_id: str, line_item_id: str) -> Sequence[Result]:
        """The results of one line item, for reading back what was just written."""
        ...

    async def put_line_item(self, item: LineItem, *, new: bool = True) -> str:
        """Create or replace the whole line item; answers the id under which the SIS holds it.

        `new` False: the record was seen in the SIS. A SIS that mints its own ids is then never asked to create.
        """
        ...

    async def put_result(self, result: Result, *, new: bool = True) -> str:
        """Create or replace the whole result; answers and `new` as for a line item."""
        ...

    async def delete_result(self, result_id: str) -> None:
        """Remove a result; one that is gone already is removed."""
        ...

    async def delete_line_item(self, line_item_id: str) -> None:
        """Remove a line item; one that is gone already is removed. Its results go first: the SIS may keep orphans."""
        ...


# --- getting hold of both sides --------------------------------------------------------------------------------


class Connections(Protocol):
    """Opens connections to an account's two sides. Each call is one run's: one token, shared by its requests.

    The read-only calls ask for reading scopes and answer sides that cannot write.
    """

    def roster(
        self, account: Account, guard: Guard
    ) -> AbstractAsyncContextManager[tuple[RosterSource, RosterSink]]: ...
    def roster_readonly(
        self, account: Account
    ) -> AbstractAsyncContextManager[tuple[RosterSource, RosterReader]]: ...
    def spool(self) -> AbstractContextManager[RosterSpool]:
        """A private place for one run's roster; gone when the block ends."""
        ...

    def gradebook(
        self, account: Account, guard: Guard
    ) -> AbstractAsyncContextManager[tuple[GradebookSource, GradebookSink]]: ...
    def gradebook_readonly(
        self, account: Account
    ) -> AbstractAsyncContextManager[tuple[GradebookSource, GradebookReader]]: ...


class PullRequest(Protocol):
    """One pull request on a code host, as far as a plan concerns it. Every method raises ConnectionProblem."""

    async def head(self) -> str | None:
        """The newest commit; None when it is not said."""
        ...

    async def comments(self) -> Sequence[OwnComment]:
        """The comments that our own token wrote, and no others."""
        ...

    async def post(self, body: str) -> OwnComment:
        """Write a new comment."""
        ...

    async def edit(self, comment: OwnComment, body: str) -> OwnComment:
        """Write another text into a comment of ours."""
        ...

    async def remove(self, comment: OwnComment) -> None:
        """Take a comment of ours away; one that is gone already is no error."""
        ...

    async def labels(self) -> Sequence[str]:
        """All labels, ours and others'."""
        ...

    async def add_labels(self, labels: Collection[str], looks: Mapping[str, tuple[str, str]]) -> None:
        """Add labels; `looks` gives the colour and the description of those that are new."""
        ...

    async def remove_label(self, label: str) -> None:
        """Take a label away; one that is gone already is no error."""
        ...


class Keys(Protocol):
    """The key of the ledger's hashes; lives outside the store."""

    def keyed(self, account: str) -> KeyedHash:
        """The account's keyed hash. Raises ConnectionProblem GS-207 when the key is missing."""
        ...


# --- the store ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DueRow:
    """A schedule whose `next_run_at` has come, as the store selects it."""

    schedule: ScheduleId
    text: str
    next_run_at: datetime


@dataclass(frozen=True, slots=True)
class SlotClaim:
    """One schedule's due slot as the pass decided it, to be inserted once.

    `run` None means that the slot is consumed without a run (blocked or too late). `next_run_at` is stored only if
    the row still holds `expected`, so that two passes never advance twice.
    """

    schedule: ScheduleId
    expected: datetime
    next_run_at: datetime | None
    run: Run | None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs to read, newest first. `id_begins`: lower hexadecimal digits that the id begins with."""

    account: str | None = None
    schedule: str | None = None
    run_id: str | None = None
    id_begins: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What and where the store is. `created` is True when this opening made it: a new store says so.

    `counts` of its tables are there when they were asked for. `migrated_from` is the schema that this opening brought
    up to date, `backup` the copy it put by before.
    """

    kind: str
    place: str
    lineage: str
    schema: str
    counts: Mapping[str, int] = field(default_factory=dict)
    created: bool = False
    migrated_from: str | None = None
    backup: str | None = None


class RunRecords(Protocol):
    """The store as one claimed run sees it: every write is fenced by the epoch and raises LeaseLost."""

    def ledger(self, class_id: str) -> Mapping[tuple[str, str], LedgerEntry]:
        """What was last written in the class, by (kind, subject)."""
        ...

    def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Write down what is about to be sent."""
        ...

    def checkpoint(
        self,
        class_id: str,
        *,
        ledger: Sequence[LedgerEntry],
        waiting: Sequence[WaitingRecord],
        complete: bool,
        events: Sequence[RecordEvent] = (),
        forgotten: Sequence[tuple[str, str]] = (),
    ) -> None:
        """One class is done: its ledger, and its waiting rows (all replaced when `complete`).

        A record that still waits for the same code keeps its `since`. `events` are appended with the run and the
        instant; `forgotten` names ledger entries (kind, subject) to drop, because the record was deleted in the SIS.
        """
        ...

    def watermark(self, name: str) -> str | None:
        """A stored watermark of the account."""
        ...

    def waiting(self, class_id: str) -> Mapping[str, WaitingRow]:
        """What waits in the class, by subject."""
        ...

    def set_watermarks(self, values: Mapping[str, str]) -> None:
        """Store watermarks."""
        ...

    def generation(self) -> str | None:
        """The head (JSON) of the last good roster read; None while there is none."""
        ...

    def generation_chunk(self, kind: str, school: str) -> bytes:
        """One chunk of the last good roster read; empty when there is none. May be asked from another thread."""
        ...

    def note_terms(self, terms: Mapping[str, ClassTerm]) -> None:
        """Remember in which term classes end (by class id), for pruning what is over."""
        ...

    def keep_generation(self, head: str, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace the last good roster read as a whole."""
        ...


class ReadRecords(Protocol):
    """The read half, for dry runs: the same calls without a write method."""

    def ledger(self, class_id: str) -> Mapping[tuple[str, str], LedgerEntry]: ...

    def watermark(self, name: str) -> str | None: ...

    def waiting(self, class_id: str) -> Mapping[str, WaitingRow]:
        """What waits in the class, by subject."""
        ...

    def generation(self) -> str | None: ...

    def generation_chunk(self, kind: str, school: str) -> bytes: ...


class Store(Protocol):
    """What was recorded, runs, leases, history, ledger. One contract for memory, SQLite and PostgreSQL.

    Every verb is one short transaction; none stays open across a network call. Verbs that take `facts` append them
    to the history in the same transaction. `engine.md` 5 is the law for clocks, claims and fencing.
    """

    # life
    def info(self, *, counted: bool = False) -> StoreInfo:
        """What and where the store is. Counting goes through whole tables: only for who wants to see the counts."""
        ...

    def now(self) -> datetime:
        """The store's clock (PostgreSQL: the database's; else the host's), aware UTC, never going back."""
        ...

    def close(self) -> None: ...

    # definitions
    def recorded(self, accounts: Iterable[str] | None = None) -> Recorded:
        """Recorded definitions of all (or the named) accounts, with next runs."""
        ...

    def apply_account(
        self,
        account: str,
        *,
        expected_revision: int | None,
        actions: Sequence[Action],
        facts: Sequence[Fact],
        commit: str | None,
        now: datetime,
    ) -> bool:
        """Apply one account's actions in one transaction; False, and nothing is done, when it cannot be true any more.

        That is when the revision moved meanwhile, when the tree of another commit is being applied by now, and, for an
        account that takes another name (`expected_revision` is that of its old one), while a run works in it.
        """
        ...

    def advance_commit(self, commit: str, seen: str | None) -> bool:
        """Remember the commit whose tree is applied from now on; False when `seen` is no longer the last one."""
        ...

    def origin(self, account: str) -> str:
        """The name the account's hashes are keyed with: that under which it was first recorded."""
        ...

    def forget_account(self, account: str, fact: Fact) -> Mapping[str, int] | None:
        """Erase what can be erased of an account that has left: how many rows, by what they were, also in the fact.

        None, and nothing is erased, when it has not left, is not known, or a run still works in it. The history stays
        whole but for its details.
        """
        ...

    # slots and runs
    def due_rows(self, now: datetime, limit: int = 5000) -> Sequence[DueRow]:
        """Schedules whose next run has come, by the partial index."""
        ...

    def claim_slots(self, claims: Sequence[SlotClaim], *, enqueue: bool = False) -> Sequence[Run]:
        """Insert the runs ON CONFLICT DO NOTHING and advance; answers the runs really inserted.

        With `enqueue` each of them is on the queue when the transaction is through, or none is. Raises
        StoreUnavailable where there is no queue.
        """
        ...

    def redeliver(self) -> int:
        """Put every waiting run that no worker was told of (any more) on the queue; answers how many.

        This is what makes delivery heal itself: jobs of lost workers go first. Raises StoreUnavailable where there
        is no queue.
        """
        ...

    def add_run(self, run: Run, facts: Sequence[Fact] = ()) -> bool:
        """Queue one run that no slot owns (by hand); False when its slot key exists."""
        ...

    def queued_runs(self, accounts: Iterable[str] | None = None) -> Sequence[Run]:
        """Runs waiting to be claimed, and running ones whose lease has expired."""
        ...

    def skip_runs(self, run_ids: Sequence[str], facts: Sequence[Fact]) -> None:
        """End queued runs as `skipped` (superseded by a later slot)."""
        ...

    def claim(self, run_id: str, holder: Holder, ttl: float) -> ClaimAnswer:
        """Take the account's lease and the run, or say who works / that it is gone (engine.md 5)."""
        ...

    def renew(self, account: str, epoch: int, ttl: float, headway: Headway | None = None) -> bool:
        """Extend the lease, and keep how far its run has come; False when it is no longer ours."""
        ...

    def finish(self, claimed: Claimed, result: RunResult, facts: Sequence[Fact]) -> None:
        """End the run and free the lease, fenced by the epoch. Raises LeaseLost and writes nothing otherwise."""
        ...

    def hand_back(self, claimed: Claimed) -> None:
        """Put an unfinished, unfenced run back to `queued` and free the lease (shutdown)."""
        ...

    def stop_run(self, run_id: str, facts: Sequence[Fact]) -> bool:
        """End a queued run as `stopped`, or make the next renewal of a running one fail; False when it has ended.

        A run asked to stop can still record what it sent and finish (as `stopped`), until somebody else claims.
        """
        ...

    def stop_asked(self, run_id: str) -> bool:
        """Tells, after a failed renewal, an operator's stop from a lost lease."""
        ...

    def unlock(self, account: str, facts: Sequence[Fact]) -> bool:
        """Take the lease away as if its holder had died; False when the account is free."""
        ...

    def records(self, claimed: Claimed) -> RunRecords: ...
    def read_records(self, account: str) -> ReadRecords: ...
    def runs(self, query: RunQuery) -> Sequence[Run]: ...
    def recent_runs(self, each: int, accounts: Iterable[str] | None = None) -> Sequence[RunLine]:
        """The `each` newest runs of every schedule, retired ones too, newest first."""
        ...

    def met_since(
        self, met: Collection[tuple[ScheduleId, str]], each: int
    ) -> Mapping[tuple[ScheduleId, str], tuple[datetime, bool]]:
        """Since when the runs of a schedule meet a code, of its `each` newest; see `domain.needs.streak`."""
        ...

    def run_counts(self, accounts: Iterable[str] | None = None) -> Mapping[str, int]:
        """Account -> how many runs are recorded."""
        ...

    def last_runs(self, accounts: Iterable[str] | None = None) -> Mapping[ScheduleId, Run]:
        """The latest ended run of each schedule; a skipped one only where there is no other."""
        ...

    def first_runs(self, accounts: Iterable[str] | None = None) -> Mapping[ScheduleId, datetime]:
        """When each schedule first really ran."""
        ...

    def last_full_runs(self, accounts: Iterable[str] | None = None) -> Mapping[ScheduleId, datetime]:
        """When each schedule last started a run of mode full that ended `completed` or `warning`, by any trigger."""
        ...

    def leases(self) -> Sequence[Lease]:
        """Leases in force."""
        ...

    def waiting_counts(self, account: str | None = None) -> Mapping[tuple[str, str], int]:
        """(account, code) -> records waiting."""
        ...

    def waiting_rows(self, account: str, codes: Collection[str] | None = None) -> Sequence[WaitingRow]:
        """Everything that waits in the account (for one of `codes`), oldest first."""
        ...

    def waiting_since(self, account: str | None = None) -> Mapping[tuple[str, str], datetime]:
        """(account, code) -> when the oldest record began to wait for it."""
        ...

    def record_events(self, account: str, subjects: Sequence[str]) -> Sequence[PastEvent]:
        """The events of the named records, oldest first."""
        ...

    def ledger_entries(self, account: str, subjects: Sequence[str]) -> Sequence[LedgerEntry]:
        """The ledger's entries of the named records."""
        ...

    def classes(self, account: str) -> Sequence[str]:
        """SIS ids of the classes in which anything is remembered or waits, in order."""
        ...

    # operators
    def add_hold(self, hold: Hold, facts: Sequence[Fact]) -> None: ...
    def release_holds(self, hold_ids: Sequence[str], at: datetime, facts: Sequence[Fact]) -> None: ...
    def holds(self, now: datetime, include_past: bool = False, account: str | None = None) -> Sequence[Hold]:
        """Holds that do not end before `now`, or all; oldest first. `account` leaves out those of other accounts."""
        ...

    def expired_holds(self, now: datetime) -> Sequence[Hold]:
        """Holds past their expiry that were not yet released at it, which is how an expiry is told once."""
        ...

    def try_hold(self, hold_id: str, last: datetime | None, at: datetime, mark: str | None) -> bool:
        """Note that a breaker, last tried at `last`, lets a run through now; True for exactly one caller."""
        ...

    def add_request(self, request: Request, facts: Sequence[Fact]) -> bool:
        """False when one waits already for the schedule."""
        ...

    def requests(self, now: datetime) -> Sequence[Request]:
        """Requests in force (at most 24 h old)."""
        ...

    def take_request(
        self, request: Request, run: Run, facts: Sequence[Fact], *, enqueue: bool = False
    ) -> bool:
        """Turn the request into a queued run; False when another pass was quicker. `enqueue` as for slots."""
        ...

    def withdraw_request(self, schedule: ScheduleId, facts: Sequence[Fact]) -> bool:
        """Forget the schedule's request; False when there is none."""
        ...

    def add_approval(self, approval: Approval, facts: Sequence[Fact]) -> None:
        """Keep the consent to exactly what its digest covers (a braked roster); given again it counts anew."""
        ...

    def approvals(self, account: str, now: datetime) -> Sequence[Approval]:
        """Consents in force in the account, oldest first."""
        ...

    # alarms
    def alarms(self) -> Sequence[Alarm]:
        """Everything that stands, or whose end was not told yet, for every rule; by key."""
        ...

    def swap_alarms(self, changes: Sequence[AlarmChange]) -> frozenset[AlarmKey]:
        """Carry out each change whose `before` is still what stands; answers the keys of those.

        So of several passes that decided the same, one does it. Columns are whole rows; `turn` alone is compared.
        """
        ...

    def passes(self) -> Sequence[datetime]:
        """When the last passes over all accounts (or over a shard of them) ended, oldest first."""
        ...

    def note_pass(self, at: datetime) -> None:
        """Remember that a pass ended."""
        ...

    # frozen accounts
    def frozen(self) -> Mapping[str, datetime]:
        """Accounts whose file has problems in the tree applied last, and since when.

        One that was never recorded stands by its file: `schedules/new.yaml`.
        """
        ...

    def note_frozen(self, frozen: Mapping[str, datetime], facts: Sequence[Fact]) -> None:
        """Remember which accounts are frozen now, all of them, together with the facts of what changed."""
        ...

    # history
    def append(self, facts: Sequence[Fact]) -> None: ...
    def history(
        self, account: str | None = None, schedule: str | None = None, limit: int = 50
    ) -> Sequence[HistoryEntry]:
        """Newest first; account None means all chains."""
        ...

    def chain(self, chain: str) -> Iterable[HistoryEntry]:
        """One chain from its beginning, for verifying."""
        ...

    def chains(self) -> Mapping[str, str]:
        """chain -> head hash; empty for entries whose head has vanished."""
        ...

    def checkpoint(self) -> str:
        """Append one entry over all heads if any moved since the last one; answers its hash, the outside witness."""
        ...

    def erasable(self, before: datetime, account: str | None = None) -> Mapping[str, int]:
        """What `purge` would erase of one account or of all: `details`, `vendor texts`, `record events`."""
        ...

    def purge(self, before: datetime, facts: Sequence[Fact], account: str | None = None) -> int:
        """Erase old details and what old runs hold of other systems' words and of rosters; answers how many."""
        ...

    # what is over
    def past_terms(self, before: datetime, account: str | None = None) -> Sequence[PastTerm]:
        """Terms that ended before the instant and of whose classes the ledger still holds something."""
        ...

    def prune(self, term: PastTerm, facts: Sequence[Fact]) -> int:
        """Forget the ledger and the waiting rows of a past term's classes; answers how many rows went.

        In several short transactions, the facts with the first. Raises AccountBusy while a run works in the account.
        """
        ...

    # keys and identity
    def key_id(self) -> str | None:
        """The id of the key that the ledger's hashes were made with; None while nothing was hashed."""
        ...

    def set_key_id(self, key_id: str) -> None:
        """Name the key with the first hash; a key that is named already stays."""
        ...

    def rekey(self, key_id: str, facts: Sequence[Fact]) -> None:
        """Forget all hashes made with the old key (ledger, waiting rows, events, rosters) and name the new one.

        The next run of each schedule is then a full one. Raises AccountBusy while a run works anywhere.
        """
        ...


OpenStore = Callable[[], AbstractContextManager[Store]]

__all__ = [
    "Actor",
    "CanvasLookup",
    "ChangeFeed",
    "Clock",
    "DueRow",
    "FileCache",
    "GradebookReader",
    "GradebookSink",
    "GradebookSource",
    "Guard",
    "HoldScope",
    "LedgerEntry",
    "Mode",
    "Notifier",
    "OpenStore",
    "Progress",
    "ReadRecords",
    "RecordEvent",
    "RosterIntake",
    "RosterReader",
    "RosterSink",
    "RosterSource",
    "RosterSpool",
    "RunQuery",
    "RunRecords",
    "Secrets",
    "SlotClaim",
    "Store",
    "StoreInfo",
    "WaitingRecord",
]
