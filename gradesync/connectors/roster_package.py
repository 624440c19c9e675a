"""An export of roster files, as a zip or a folder, opened without trusting it: limits first, streams afterwards.

Nothing is unpacked to disk, so a name inside a zip can never become a path. What the files mean is not known here.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from gradesync.connectors.roster_faults import Faults


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an export may be: bytes when unpacked, how many times its packed size that may be, and entries.

    Canvas takes at most 100 times (canvas.md 2.2), but an export full of equal rows packs better than that, so the
    ratio is wider here and holds only above `small` bytes, below which no bomb can hurt.
    """

    unpacked: int = 8 * 1024**3
    ratio: int = 250
    small: int = 64 * 1024**2
    entries: int = 1000


ROSTER_LIMITS = Limits()

READING = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""What reading a damaged, encrypted or oddly packed entry raises, as zipfile documents it."""

_TOO_MANY = "the zip holds more than {} files"
_LONGEST_END = 22 + 65_535
"""Bytes from the beginning of a zip's end record to the end of the file, comment included."""
_LARGEST_ENTRY = 1024
"""Bytes of one entry in the table of contents; one with a usual name has about sixty."""

DAMAGED = "is damaged or cut off; send it again as a whole"


class Package(Protocol):
    """The files of one export, by name."""

    @property
    def names(self) -> frozenset[str]:
        """Names of the files at the top level that end in .csv."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """The bytes of one file; raises one of `READING`."""
        ...


class FolderPackage:
    """A folder. Folders inside it are somebody's archive and not looked at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names = frozenset(
            one.name for one in folder.iterdir() if one.name.endswith(".csv") and one.is_file()
        )

    def open(self, name: str) -> IO[bytes]:
        """See Package."""
        return (self._folder / name).open("rb")


class ZipPackage:
    """A zip whose table of contents was judged before (`opened`)."""

    def __init__(self, archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> None:
        self._archive, self._entries = archive, entries
        self.names = frozenset(entries)

    def open(self, name: str) -> IO[bytes]:
        """See Package. No entry gives more bytes than its table of contents said."""
        return self._archive.open(self._entries[name])


@contextmanager
def opened(path: Path, faults: Faults, limits: Limits = ROSTER_LIMITS) -> Iterator[Package]:
    """The export at `path`; what is wrong with it as a whole becomes faults and an empty package."""
    archive: zipfile.ZipFile | None = None
    package: Package = _Empty()
    try:
        if path.is_dir():
            package = FolderPackage(path)
        elif _crowded(path, limits):
            faults.add(_TOO_MANY.format(limits.entries))
        else:
            archive = zipfile.ZipFile(path)
            package = ZipPackage(archive, _entries(archive, path.stat().st_size, faults, limits))
    except PermissionError:
        faults.add("this user may not read it")
    except READING:
        faults.add(f"the zip {DAMAGED}")
    try:
        yield package
    finally:
        if archive is not None:
            archive.close()


def _crowded(path: Path, limits: Limits) -> bool:
    """Whether the zip's table of contents is larger than the entries it may have: it would be read as a whole first."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LONGEST_END))
        end = file.read()
    at = end.rfind(b"PK\5\6")
    if at < 0 or len(end) < at + 16:
        return False
    return int.from_bytes(end[at + 12 : at + 16], "little") > limits.entries * _LARGEST_ENTRY


@dataclass(frozen=True, slots=True)
class _Empty:
    """What stands for an export that cannot be opened."""

    names: frozenset[str] = frozenset()

    def open(self, name: str) -> IO[bytes]:
        raise OSError(name)


def _entries(
    archive: zipfile.ZipFile, packed: int, faults: Faults, limits: Limits
) -> dict[str, zipfile.ZipInfo]:
    """The top-level CSV files, unless the zip as a whole is not to be touched."""
    everything = archive.infolist()
    if len(everything) > limits.entries:
        faults.add(_TOO_MANY.format(limits.entries))
        return {}
    unpacked = sum(one.file_size for one in everything)
    if unpacked > limits.unpacked:
        faults.add(f"the zip would unpack to more than {limits.unpacked // 1024**2} MiB")
        return {}
    if unpacked > limits.small and unpacked > limits.ratio * packed:
        faults.add(f"the zip would unpack to more than {limits.ratio} times its size, as no roster does")
        return {}
    entries: dict[str, zipfile.ZipInfo] = {}
    for one in everything:
        name = one.filename
        if one.is_dir() or name.startswith(("__MACOSX/", ".")) or name.rpartition("/")[2].startswith("."):
            continue
        if "/" in name or "\\" in name:
            faults.add("files lie in a folder inside the zip; they belong at its top level")
        elif one.flag_bits & 0x1:
            faults.add("the zip is locked with a password")
        elif name in entries:
            faults.add("the zip holds two files of the same name")
        elif name.endswith(".csv"):
            entries[name] = one
    return entries
