"""Between the brake, which is pure, and the store: fetches the last good read, and keeps the new one once it counts.

Nothing is decided here. Without a key nothing is hashed: then only the counts of `roster_guard` protect an account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from gradesync.domain.account import RosterMapping, RosterPolicy
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster import AcademicSession, Roster, column
from gradesync.domain.roster_brake import Verdict, change_digest, change_stops, further_digest, verdict
from gradesync.domain.roster_change import RosterChange
from gradesync.domain.roster_csv import Row
from gradesync.domain.roster_diff import REPLACING, Chunks, all_new, differences
from gradesync.domain.roster_generation import Basis, Generation, GenerationHead
from gradesync.domain.roster_guard import RosterStop
from gradesync.domain.roster_hashing import GenerationMaker
from gradesync.domain.roster_plain import PlainRows, WholeMaker
from gradesync.domain.roster_takeover import FirstContact
from gradesync.ports import ReadRecords, RunRecords


@dataclass(frozen=True, slots=True)
class Brake:
    """What the brake of one account needs besides the read: its key, and the digests a person has approved."""

    keyed: KeyedHash
    approved: frozenset[str] = frozenset()

    def maker(self, headers: Mapping[str, Row], mapping: RosterMapping, scoped: Roster) -> WholeMaker:
        """Takes the rows of the Canvas files as they are written."""
        schools = None
        if mapping.accounts == "none":
            # Every course then lies in the root account, and the brake would be blind to single schools.
            schools = {row.id: row.school_id for row in scoped.classes}
        return WholeMaker(GenerationMaker(self.keyed, headers, schools), PlainRows(self.keyed, headers))


@dataclass(frozen=True, slots=True)
class Measured:
    """A read against the last good one: what the brake says, and the generation to keep if the import counts."""

    verdict: Verdict
    generation: Generation | None
    digest: str

    def judged(self, contact: FirstContact, brake: Brake | None) -> Measured:
        """The same with what the first contact showed, and perhaps one more reason to stop."""
        change = replace(self.verdict.change, matching=contact.matching, examples=contact.examples)
        approved = brake.approved if brake is not None else frozenset()
        stops = [] if contact.stop is None else [contact.stop]
        return replace(self, verdict=verdict(change, stops, self.digest, approved))

    def further(self, stop: RosterStop, what: str, brake: Brake | None) -> Measured:
        """The same with one more reason to stop, known only once Canvas was asked; `what` names it in the approval."""
        approved = brake.approved if brake is not None else frozenset()
        digest = further_digest(self.digest, what)
        return replace(self, verdict=verdict(self.verdict.change, [stop], digest, approved))


def basis_of(
    scoped: Roster, scope: str, year: str, today: date, hidden: Collection[str] = frozenset()
) -> Basis:
    """What a read is about; its year lasts as long as the longest session that is under way."""
    sessions = {one.id: one for one in scoped.sessions}
    ends = [one.end for one in sessions.values() if one.start <= today < one.end]
    # A class lasts as long as the last of its terms: the end of a marking period ends nothing.
    last = {
        max((sessions[id] for id in terms if id in sessions), key=_end, default=None)
        for terms in set(column(scoped.classes, "term_ids"))
    }
    # Older ones tell nothing any more, and a SIS may show twenty years of them.
    terms = {one.id: one.end for one in last if one is not None and one.end > today - REPLACING}
    spans = {school: dict(counts) for school, counts in _spans(scoped, sessions).items()}
    return Basis(scope, year, max(ends, default=None), today, terms, spans, tuple(sorted(hidden)))


def _spans(scoped: Roster, sessions: Mapping[str, AcademicSession]) -> Mapping[str, Counter[str]]:
    """From which day to which Canvas keeps courses open: the days around all terms of a class."""
    found: dict[str, Counter[str]] = {}
    named: dict[tuple[str, ...], str] = {}
    for one in scoped.classes:
        if one.term_ids not in named:
            of = [sessions[id] for id in one.term_ids if id in sessions]
            named[one.term_ids] = f"{min(s.start for s in of)}/{max(s.end for s in of)}" if of else ""
        if span := named[one.term_ids]:
            found.setdefault(one.school_id, Counter())[span] += 1
    return found


def _end(session: AcademicSession) -> date:
    return session.end


def measured(
    records: ReadRecords,
    brake: Brake | None,
    generation: Generation | None,
    *,
    account: str,
    files: str,
    policy: RosterPolicy,
    today: date,
    stops: Sequence[RosterStop | None] = (),
    held: bool = False,
    begun: bool = True,
) -> Measured:
    """Measure a read. `files` is the digest of its Canvas files, `stops` what the guards over counts alone said.

    A last good read made under another key, or of another scope, says nothing about this one. `held`: Canvas holds
    exactly these files, so that there is nothing to stop, even where a run died before it could keep its generation.
    `begun`: most of its enrollments are under way.
    """
    found = [stop for stop in stops if stop is not None]
    change = RosterChange() if generation is None else all_new(generation)
    past = _past(records, generation)
    if past is not None and generation is not None:
        chunks: Chunks = records.generation_chunk
        change = differences(past, chunks, generation, begun=begun)
        told = change_stops(change, past.basis, generation.head.basis, policy, today)
        if any(stop.code == "GS-601" for stop in told):
            # School by school says the same more exactly.
            found = [stop for stop in found if stop.code != "GS-601"]
        found += told
    digest = change_digest(account, change.base, files)
    approved = brake.approved if brake is not None else frozenset()
    return Measured(verdict(change, () if held else found, digest, approved), generation, digest)


def _past(records: ReadRecords, generation: Generation | None) -> GenerationHead | None:
    if generation is None:
        return None
    text = records.generation()
    past = None if text is None else GenerationHead.from_text(text)
    if past is None or past.key_id != generation.head.key_id:
        return None
    return past if past.basis.scope == generation.head.basis.scope else None


def keep(records: RunRecords, found: Measured) -> None:
    """Remember the read as the last good one. Only for an import that counts."""
    if found.generation is not None:
        records.keep_generation(found.generation.head.to_text(), found.generation.chunks)


def keep_first(records: RunRecords, found: Measured) -> None:
    """Remember a read whose very files Canvas holds already, unless it is remembered."""
    if found.generation is not None and found.verdict.change.base != found.generation.head.digest:
        keep(records, found)


__all__ = ["Brake", "Measured", "basis_of", "keep", "keep_first", "measured"]
