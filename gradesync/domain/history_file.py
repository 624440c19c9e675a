"""The history as a file of JSON lines that carries its own proof, and the check of such a file. No store is needed.

One line says what the file is, then come the entries chain by chain (the chain of entries without an account first),
then one line with the heads. Erasable details are never in it, only their hashes. docs/history-file.md is the same in
words, so that anybody can write this check anew. Pure: lines in, lines out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gradesync.domain.checkpoint import Progress, Witnessed
from gradesync.domain.history import (
    CHECKPOINT,
    GENESIS_HASH,
    HistoryEntry,
    canonical_json,
    chain_of,
    entry_values,
    hash_of,
)

FORMAT, VERSION = "gradesync history", 1
KEYS = frozenset(
    {"actor", "at", "chain", "data", "detail", "hash", "previous", "run", "schedule", "seq", "via", "what"}
)
"""Of an entry's line; its hash covers all of them but itself."""


def file_lines(
    chains: Iterable[tuple[str, str, Iterable[HistoryEntry]]], *, lineage: str, made_at: datetime, whole: bool
) -> Iterator[str]:
    """The lines of an export, without line ends. `chains`: name, head and entries, the chain without account first.

    Entries appended after the heads were read are left out, so that the file fits itself while passes go on.
    """
    made = made_at.astimezone(UTC).isoformat(timespec="microseconds")
    yield canonical_json(
        {"format": FORMAT, "version": VERSION, "lineage": lineage, "made_at": made, "whole": whole}
    )
    heads: dict[str, object] = {}
    count = 0
    for chain, head, entries in chains:
        seq = 0
        for entry in entries:
            yield entry_line(entry)
            seq, count = entry.seq, count + 1
            if entry.hash == head:
                break
        heads[chain] = {"seq": seq, "hash": head}
    yield canonical_json({"end": FORMAT, "entries": count, "heads": heads})


def entry_line(entry: HistoryEntry) -> str:
    """One entry as its line."""
    values = entry_values(entry.chain, entry.seq, entry.at, entry.fact, entry.detail_hash, entry.previous)
    return canonical_json({**values, "hash": entry.hash})


@dataclass(frozen=True, slots=True)
class FileFault:
    """The first place of a chain (or of the file) that does not fit; `line` counts from 1, 0 is the file as a whole."""

    line: int
    what: str


@dataclass(frozen=True, slots=True)
class FileProof:
    """What a check found. `checkpoint` is the last one in the file; `witness` whether the hash asked about was met."""

    lineage: str = ""
    entries: int = 0
    chains: int = 0
    whole: bool = False
    checkpoint: str | None = None
    checkpoint_at: str | None = None
    witness: bool | None = None
    faults: tuple[FileFault, ...] = ()


def verify_lines(lines: Iterable[str], witness: str | None = None) -> FileProof:
    """Check an exported file. `witness` is a checkpoint hash that was printed elsewhere, whole or its beginning.

    With a witness, everything up to that checkpoint is proved against it: a file made anew from its beginning fits
    itself, but not a hash that somebody else kept. Never raises for what a file holds.
    """
    check = _Check(witness)
    for number, line in enumerate(lines, 1):
        check.take(number, line.removesuffix("\n"))
    return check.result()


@dataclass
class _Check:
    """What is known so far of a file that is read line by line."""

    witness: str | None
    number: int = 0
    header: Mapping[str, Any] | None = None
    footer: Mapping[str, Any] | None = None
    chain: str | None = None
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    faults: list[FileFault] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)
    last_hash: str | None = None
    last: Witnessed | None = None
    seen: Witnessed | None = None

    def take(self, number: int, line: str) -> None:
        """One line more."""
        self.number = number
        values = _object(line)
        if values is None:
            self._fault("this is no line of a history, or it is written otherwise than gradesync writes it")
        elif number == 1:
            self._begin(values)
        elif self.footer is not None:
            self._fault("something follows the end")
        elif values.keys() == {"end", "entries", "heads"} and values["end"] == FORMAT:
            self.footer = values
        else:
            self._entry(values)

    def _fault(self, what: str) -> None:
        self.faults.append(FileFault(self.number, what))

    def _begin(self, values: Mapping[str, Any]) -> None:
        self.header = values
        if values.get("format") != FORMAT or values.get("version") != VERSION:
            self._fault(f"the file does not begin as a {FORMAT} of version {VERSION}")

    def _entry(self, values: Mapping[str, Any]) -> None:
        chain = values.get("chain")
        if values.keys() != KEYS or not isinstance(chain, str):
            self._fault("this is no entry of a history")
            return
        if chain != self.chain:
            if chain in self.heads:
                self._fault(f"the entries of {chain} do not stand together")
                return
            self.chain = chain
        if chain in self.broken:
            return
        seq, previous = self.heads.get(chain, (0, GENESIS_HASH))
        what = _entry_fault(values, seq + 1, previous)
        if what is not None:
            self.broken.add(chain)
            self._fault(f"{chain}, entry {seq + 1}: {what}")
            return
        self.heads[chain] = (seq + 1, str(values["hash"]))
        self._remember(chain, values)

    def _remember(self, chain: str, values: Mapping[str, Any]) -> None:
        """Checkpoints as they come, then every other chain's entries against the two that matter."""
        if chain == chain_of(None):
            if values["what"] == CHECKPOINT:
                self.last_hash = str(values["hash"])
                self.last = self.progress.read(str(values["at"]), values["data"])
                if self.witness and self.last_hash.startswith(self.witness):
                    self.seen = self.last
            return
        for one in (self.last, self.seen):
            if one is not None:
                one.meet(chain, int(values["seq"]), str(values["hash"]))

    def result(self) -> FileProof:
        """All faults, those of the file as a whole last."""
        self.number = 0
        if self.header is None:
            self._fault("the file is empty")
        elif self.footer is None:
            self._fault("the file breaks off: its last line is missing")
        elif not self.broken:
            self._judge_heads(self.footer)
            self._judge_checkpoints(self.header)
        header = self.header or {}
        return FileProof(
            lineage=str(header.get("lineage", "")),
            entries=sum(seq for seq, _ in self.heads.values()),
            chains=len(self.heads),
            whole=header.get("whole") is True,
            checkpoint=self.last_hash,
            checkpoint_at=self.last.at if self.last is not None else None,
            witness=None if self.witness is None else self.seen is not None and not self.faults,
            faults=tuple(self.faults),
        )

    def _judge_heads(self, footer: Mapping[str, Any]) -> None:
        told = footer.get("heads")
        found = {chain: {"seq": seq, "hash": head} for chain, (seq, head) in self.heads.items()}
        if told != found or footer.get("entries") != sum(seq for seq, _ in self.heads.values()):
            known = told if isinstance(told, dict) else {}
            odd = sorted(chain for chain in {*known, *found} if known.get(chain) != found.get(chain))
            self._fault(f"entries are missing at the end of {', '.join(odd) or 'the file'}")

    def _judge_checkpoints(self, header: Mapping[str, Any]) -> None:
        if self.witness and self.seen is None:
            self._fault("no checkpoint of the file has the hash asked about")
        if header.get("whole") is not True:
            return
        for one in (self.last, self.seen if self.seen is not self.last else None):
            what = one.fault() if one is not None else None
            if what is not None:
                self._fault(what)


def _object(line: str) -> Mapping[str, Any] | None:
    """A JSON object that is written as its canonical text; two readers must not see two things in one line."""
    try:
        values = json.loads(line)
        if not isinstance(values, dict) or canonical_json(values) != line:
            return None
    except (ValueError, RecursionError):
        return None
    return values


def _entry_fault(values: Mapping[str, Any], seq: int, previous: str) -> str | None:
    if values["seq"] != seq:
        return "it is missing"
    if values["previous"] != previous:
        return "it does not follow the one before it"
    if hash_of({key: value for key, value in values.items() if key != "hash"}) != values["hash"]:
        return "it was changed"
    if not isinstance(values["data"], dict):
        return "it was changed"
    return None


__all__ = ["FORMAT", "VERSION", "FileFault", "FileProof", "entry_line", "file_lines", "verify_lines"]
