"""Writing the history into a file with its proof, and checking such a file; the rules are `domain.history_file`'s."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from gradesync.cli.common import tell
from gradesync.cli.render import json_out
from gradesync.domain.history import HistoryEntry, chain_of
from gradesync.domain.history_file import FileProof, file_lines, verify_lines
from gradesync.errors import GradesyncError, HistoryTampered, NotFound

if TYPE_CHECKING:
    from gradesync.wiring import App


def export_history(app: App, account: str | None, name: str) -> None:
    """Write all chains, or one account's, to a new file of mode 0600 (`-`: to stdout). Never over a file."""
    lines = _lines(app, account)
    if name == "-":
        for line in lines:
            click.echo(line)
        return
    count = -2  # the first line and the last are no entries
    with _new_file(name) as file:
        for line in lines:
            file.write(f"{line}\n")
            count += 1
    tell(f"{name}: {count:,} entries; `gradesync history --verify {name}` checks it, without the store")


def _new_file(name: str) -> TextIO:
    try:
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise GradesyncError(f"{name} is there already", hint="name a new file") from None
    return os.fdopen(handle, "w", encoding="utf-8", newline="\n")


def _lines(app: App, account: str | None) -> Iterator[str]:
    own = chain_of(None)
    heads = app.store.chains()
    if account is not None and account not in heads:
        raise NotFound(f"nothing is recorded of {account}", hint="`gradesync list` shows every name")
    wanted = sorted(
        heads if account is None else _names(app, account, heads), key=lambda one: (one != own, one)
    )

    def chains() -> Iterator[tuple[str, str, Iterable[HistoryEntry]]]:
        for chain in wanted:
            yield chain, heads[chain], app.store.chain(chain)

    info = app.store.info()
    return file_lines(chains(), lineage=info.lineage, made_at=app.store.now(), whole=account is None)


def _names(app: App, account: str, known: Collection[str]) -> Iterable[str]:
    """The account's name and its earlier ones: a chain keeps the name it was begun under."""
    names, look = {account}, [account]
    while look:
        for entry in app.store.chain(look.pop()):
            earlier = entry.fact.data.get("moved from") if entry.fact.schedule is None else None
            if isinstance(earlier, str) and earlier in known and earlier not in names:
                names.add(earlier)
                look.append(earlier)
    return names


def verify_file(name: str, witness: str | None, form: str) -> None:
    """Check an exported file and say what it proves. Raises HistoryTampered with every place that does not fit."""
    path = Path(name)
    if not path.is_file():
        raise NotFound(
            f"there is no file {name}",
            hint="--verify alone checks the store; an account's name goes before the options",
        )
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        proof = verify_lines(file, witness)
    if form == "json":
        json_out(_shape(proof))
    if proof.faults:
        told = "; ".join(f"line {one.line}: {one.what}" if one.line else one.what for one in proof.faults[:5])
        more = f"; and {len(proof.faults) - 5} more" if len(proof.faults) > 5 else ""
        raise HistoryTampered(
            f"{name} does not verify: {told}{more}",
            hint="export it anew, and compare with the checkpoint hashes in your CI logs",
        )
    if form == "text":
        click.echo(_sentence(name, proof))


def _shape(proof: FileProof) -> dict[str, object]:
    return {
        "version": 1,
        "kind": "history file verification",
        "lineage": proof.lineage,
        "whole": proof.whole,
        "chains": proof.chains,
        "entries": proof.entries,
        "checkpoint": proof.checkpoint,
        "checkpoint_at": proof.checkpoint_at,
        "witness": proof.witness,
        "faults": [{"line": one.line or None, "what": one.what} for one in proof.faults],
    }


def _sentence(name: str, proof: FileProof) -> str:
    what = "all chains" if proof.whole else "a part"
    told = f"{name} verifies: {proof.entries:,} entries in {proof.chains} chains ({what}) of the store {proof.lineage}."
    if proof.witness:
        return f"{told}\nThe checkpoint asked about is in it, and everything before it is what it saw."
    if proof.checkpoint is None:
        return f"{told}\nIt holds no checkpoint, so nothing outside of it speaks for it."
    return (
        f"{told}\nLast checkpoint {proof.checkpoint} ({proof.checkpoint_at}).\n"
        "A file made anew from its beginning would fit itself too: compare that hash with what a pass printed, "
        "or give an earlier one with --witness."
    )


__all__ = ["export_history", "verify_file"]
