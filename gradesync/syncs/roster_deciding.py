"""Reading the SIS and deciding what of it is to be sent: the half a dry run shares with a run. Sends nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gradesync.domain.roster import Roster
from gradesync.domain.roster_change import RosterChange
from gradesync.domain.roster_csv import CanvasFiles, files_digest, headers
from gradesync.domain.roster_faults import RosterFilesProblem
from gradesync.domain.roster_guard import (
    STRANGERS,
    RosterStop,
    file_counts,
    files_stop,
    roster_counts,
    roster_stop,
    strangers_stop,
)
from gradesync.domain.roster_mapping import canvas_files
from gradesync.domain.roster_scope import in_scope, school_year, scope_digest
from gradesync.domain.run import Mode, RunResult, Stage
from gradesync.ports import NarrowedSource, ReadyFiles, RosterSpool
from gradesync.syncs.identity import check_identity
from gradesync.syncs.roster_braking import Measured, basis_of, measured
from gradesync.syncs.roster_job import RosterPreview
from gradesync.syncs.roster_second_looks import new_ids, taken_back
from gradesync.syncs.roster_take_over import first_contact
from gradesync.syncs.stage import StageTracker

_DATA_SET_BYTES = 128
_REMEMBERED = ("sent", "counts", "chain", "remaster")


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be sent, or `stop`: why not.

    `passes` are the imports in order, by their remaster flag; `brake` is the read measured against the last good one;
    `rest`, at first contact, is a file of the ids that only one side holds; `taken_back` are imports of ours that
    somebody took back in Canvas. `contact`: this is the first contact with a Canvas that holds ids already.
    """

    scoped: Roster
    files: CanvasFiles
    digest: str
    data_set: str
    chain: str
    counts: Mapping[str, int]
    passes: tuple[bool, ...]
    brake: Measured
    identities: Mapping[str, str] = field(default_factory=dict)
    rest: Mapping[str, Path] = field(default_factory=dict)
    taken_back: frozenset[int] = frozenset()
    contact: bool = False

    @property
    def stop(self) -> RosterStop | None:
        """Why nothing may be sent."""
        return self.brake.verdict.stop


async def decide(job: RosterPreview, spool: RosterSpool) -> Decided:
    """Read the SIS, ask the guards, make the files; both lie in `spool` and go with it."""

    def told(done: int, total: int | None) -> None:
        job.progress.stage(job.schedule, Stage.FETCH.value, done, total)

    job.tracker.stage = Stage.FETCH
    try:
        identities = check_identity(job.records, await job.canvas.identity(), await job.source.identity())
        await job.source.read_roster(told, spool)
    except RosterFilesProblem as problem:
        # The message is told once, when the run ends; the run keeps what somebody at the SIS needs tomorrow.
        job.tracker.roster = RosterChange(faults=problem.faults)
        raise
    whole = spool.roster()
    job.tracker.stage = Stage.DECIDE
    job.progress.stage(job.schedule, Stage.DECIDE.value)
    # Read here, because a store's connection may belong to this thread.
    remembered = {name: job.records.watermark(f"roster:{name}") for name in _REMEMBERED}
    # A large district takes seconds of pure computing: on the loop it would keep the lease from being renewed.
    decided = await asyncio.to_thread(_judge, job, spool, remembered)
    decided = replace(decided, identities=identities)
    _count(job.tracker, whole, decided.files)
    if decided.stop is None and remembered["sent"] is None:
        # First contact: an empty Canvas is filled, one that another tool filled must hold the same ids.
        contact = await first_contact(job, decided.files, decided.scoped, decided.data_set, spool)
        if contact is not None:
            brake = decided.brake.judged(contact, job.brake)
            decided = replace(decided, brake=brake, rest=contact.rest, contact=True)
        job.tracker.stage = Stage.DECIDE
    if decided.stop is None:
        decided = await _asked_again(job, decided)
    job.tracker.roster = _told(decided.brake.verdict.change)
    if decided.brake.verdict.change.approved:
        job.tracker.codes["GS-614"] += 1
    return decided


async def _asked_again(job: RosterPreview, decided: Decided) -> Decided:
    """What the brake let pass, once Canvas was asked whether it can be sent as it is."""
    brake = await new_ids(job, decided.brake, decided.files, decided.scoped)
    if brake is not None:
        # The first import ends what stood under the old ids, most of which Canvas knows no more: what it says of those
        # rows is of no use to anybody. The second applies every row.
        decided = replace(decided, brake=brake, passes=(False, True) if decided.passes else ())
    if decided.stop is not None:
        return decided
    brake, back = await taken_back(job, decided.brake)
    if not back:
        return decided
    # What was ended must be ended again, which only differences do; and all rows go, whatever they are compared with.
    return replace(decided, brake=brake, passes=(False, True), taken_back=back)


def _told(change: RosterChange) -> RosterChange | None:
    """What is worth keeping with a run: schools in which something changes, and why it was stopped."""
    kept = tuple(one for one in change.schools if one.is_change)
    besides = tuple(one for one in change.besides if one.is_change)
    told = replace(change, schools=kept, besides=besides)
    return told if kept or besides or change.codes or change.matching else None


def _count(tracker: StageTracker, whole: Roster, files: CanvasFiles) -> None:
    """What was read and what became of it."""
    parts = (whole.orgs, whole.sessions, whole.courses, whole.classes, whole.users, whole.enrollments)
    tracker.counts["read"] = sum(len(part) for part in parts)
    tracker.counts["users"] = files.counts["users"]
    tracker.counts["classes"] = files.counts["sections"]
    tracker.counts["enrollments"] = files.counts["enrollments"]
    tracker.counts["dropped"] = files.dropped
    tracker.counts["future"] = files.future
    tracker.codes.update(files.problems)


def _judge(job: RosterPreview, spool: RosterSpool, remembered: Mapping[str, str | None]) -> Decided:
    """All that is pure: scope, files, the brake, and which imports are needed."""
    whole = spool.roster()
    scoped = in_scope(whole, job.account.scope, job.today)
    mapping = job.account.roster.mapping
    ready = job.source if isinstance(job.source, ReadyFiles) else None
    columns = headers(mapping) if ready is None else ready.headers()
    out = spool.files(columns)
    maker = job.brake.maker(columns, mapping, scoped) if job.brake is not None else None
    out = out if maker is None else maker.beside(out)
    if ready is None:
        files = canvas_files(scoped, out, mapping, time_zone=job.account.time_zone, today=job.today)
    else:
        files = ready.canvas_files(scoped, out)
    year, scope = school_year(whole, job.today), scope_digest(job.account.scope)
    data_set = data_set_id(job.data_set, job.account.key, year)
    chain = f"{data_set} {scope}"
    same_chain = remembered["chain"] == chain
    # Counts of another school year or another scope say nothing about what is missing from this one.
    previous = _previous_counts(remembered["counts"]) if same_chain else None
    policy = job.account.roster
    digest = files_digest(files)
    pending = job.remaster or remembered["remaster"] == "1"
    hidden = job.source.hidden() if isinstance(job.source, NarrowedSource) else frozenset()
    basis = basis_of(scoped, scope, year, job.today, hidden)
    brake = measured(
        job.records,
        job.brake,
        None if maker is None else maker.made(basis, spool.chunks()),
        account=job.account.key,
        files=digest,
        policy=policy,
        today=job.today,
        stops=(
            roster_stop(scoped, previous, policy, job.today),
            files_stop(files, previous, policy, job.today),
            strangers_stop(files, previous, policy, job.today),
        ),
        held=same_chain and digest == remembered["sent"],
        begun=files.kept_enrollments >= files.future,
    )
    return Decided(
        scoped=scoped,
        files=files,
        digest=digest,
        data_set=data_set,
        chain=chain,
        counts={**roster_counts(scoped), **file_counts(files), STRANGERS: files.strangers},
        passes=_passes(
            job.mode, same_chain=same_chain, changed=digest != remembered["sent"], pending=pending
        ),
        brake=brake,
    )


def _passes(mode: Mode, *, same_chain: bool, changed: bool, pending: bool) -> tuple[bool, ...]:
    """The imports needed, each by its remaster flag; none when Canvas already has exactly these files.

    A remaster applies every row and removes nothing, and becomes what the next upload is compared with
    (`canvas.md` 2.6). So after a change it must follow a plain import, or what left the files would stay in Canvas
    for good. Under a new name or scope it goes alone: what the account no longer looks at is not to be removed.
    """
    if not same_chain:
        return (True,)
    if not changed:
        return (True,) if pending else ()
    return (False, True) if pending or mode is Mode.FULL else (False,)


def _previous_counts(text: str | None) -> dict[str, int] | None:
    if text is None:
        return None
    return {str(kind): int(number) for kind, number in json.loads(text).items()}


def stopped(job: RosterPreview, files: CanvasFiles, stop: RosterStop) -> RunResult:
    """The run's end when a guard said no: everything withheld, the sentence kept beside the code."""
    job.tracker.codes[stop.code] += 1
    job.tracker.counts["withheld"] = files.rows
    job.progress.say(job.schedule, f"{stop.code}: the brake stopped this roster; nothing was sent to Canvas.")
    return replace(job.tracker.result(), vendor={stop.code: stop.message})


def data_set_id(stem: str, account: str, year: str) -> str:
    """The name under which Canvas compares uploads: at most 128 bytes (`canvas.md` 2.2), one per school year."""
    name = f"{stem or f'gradesync:{account}'}:{year}"
    if len(name.encode()) <= _DATA_SET_BYTES:
        return name
    return f"gradesync:{hashlib.sha256(name.encode()).hexdigest()}"
