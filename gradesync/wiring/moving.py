"""Moving a store as a whole: from the place the settings name into a file, and from a file into that place."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from gradesync.errors import ExportUnusable, HistoryTampered

if TYPE_CHECKING:
    from gradesync.store.transfer import Moved


def export_store(
    root: Path, file: Path, *, despite_runs: bool, told: Callable[[int], None] | None = None
) -> Moved:
    """Write the store to a new file of mode 0600, packed when its name ends in `.gz`.

    It stands under its name only when it is whole. Raises what `transfer.export` raises, and ExportUnusable when the
    file is there already.
    """
    from gradesync.config.settings import read_settings
    from gradesync.store.open import LEASE_GRACE, check_lineage, connect, open_store
    from gradesync.store.transfer import export
    from gradesync.wiring.place import store_place

    if file.exists():
        raise ExportUnusable(f"{file} is there already", hint="Name a new file, or remove that one.")
    settings = read_settings(root)
    place = store_place(root, settings.store)
    with closing(open_store(place, create=False)) as store:
        check_lineage(store, settings.lineage)
    aside = file.with_name(f".{file.name}.part")
    try:
        with (
            _made(aside, packed=file.suffix == ".gz") as out,
            closing(connect(place, create=False)) as database,
        ):
            moved = export(database, out, grace=LEASE_GRACE, despite_runs=despite_runs, told=told)
        aside.rename(file)
    finally:
        aside.unlink(missing_ok=True)
    return moved


@contextmanager
def _made(path: Path, *, packed: bool) -> Iterator[BinaryIO]:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as raw:
        if not packed:
            yield raw
            return
        # The quickest packing: hashes hardly pack, and a district's ledger has millions of them.
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1) as out:
            yield cast("BinaryIO", out)


def import_store(root: Path, file: Path, claims: str | None, told: Told | None = None) -> Moved:
    """Take the file into the (empty) place the settings name; the history says so, and must verify.

    `told` hears what is done with the file, and how many megabytes of how many.

    Raises what `transfer.load` raises, OSError for a file that cannot be read, and HistoryTampered when the history
    in the file did not verify where it came from.
    """
    from gradesync.config.settings import read_settings
    from gradesync.domain.history import Fact
    from gradesync.store.open import connect, open_store
    from gradesync.store.transfer import load
    from gradesync.store.verify import verify_history
    from gradesync.wiring.actor import current_actor
    from gradesync.wiring.place import store_place

    settings = read_settings(root)
    actor = current_actor(settings.people, claims)
    place = store_place(root, settings.store)
    with _nothing_left(place), closing(connect(place, create=True)) as database:
        try:
            passes = iter(("MB checked", "MB taken in"))
            moved = load(
                database, lambda: _lines(file, next(passes, "MB read"), told), pinned=settings.lineage
            )
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise ExportUnusable(
                f"{file} cannot be unpacked", hint="Copy it again; nothing was taken in."
            ) from None
    with closing(open_store(place, create=False)) as store:
        faults = verify_history(store)
        store.append([Fact("store imported", actor, data={"rows": moved.rows, "digest": moved.digest})])
    if faults:
        raise HistoryTampered(
            f"the store was taken in, but its history does not verify ({faults[0].chain}, entry {faults[0].seq})",
            hint="it did not where it came from either; `gradesync history --verify` names every fault",
        )
    return moved


@contextmanager
def _nothing_left(place: str) -> Iterator[None]:
    """A refused import leaves no empty SQLite file behind, which a later pass would take for the store."""
    from gradesync.store.open import is_postgresql

    new = not is_postgresql(place) and not Path(place).exists()
    try:
        yield
    except BaseException:
        if new:
            for suffix in ("", "-wal", "-shm"):
                Path(place + suffix).unlink(missing_ok=True)
        raise


Told = Callable[[str, int, int], None]
_OFTEN = 20_000
"""Lines between two words about how far a file is."""


def _lines(file: Path, what: str, told: Told | None) -> Iterator[bytes]:
    size = file.stat().st_size
    with file.open("rb") as plain:
        lines = gzip.GzipFile(fileobj=plain) if file.suffix == ".gz" else plain
        for number, line in enumerate(lines):
            if told is not None and number % _OFTEN == 0:
                # A small file is one of less than 1 MB, and not of none.
                told(what, plain.tell() // 1_000_000, max(1, size // 1_000_000))
            yield line
