"""A throw-away folder of what was read before. Deleting it costs a second; believing a broken one would cost more.

Each file carries its own checksum, so a torn or edited one counts as absent. Two passes may write at once: a file
is replaced whole, and either content is true, because every row names what it was made from.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

_MAGIC = b"gradesync-cache 1 "


def _head(body: bytes | memoryview) -> bytes:
    return _MAGIC + hashlib.blake2b(body, digest_size=16).hexdigest().encode()


class FolderCache:
    """`ports.FileCache` in a folder, usually `.gradesync/cache` beside the store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, file_set: str) -> Mapping[str, str] | None:
        """What was kept of the set by file; None when there is nothing that can be trusted."""
        try:
            text = self._path(file_set).read_bytes()
        except OSError:
            return None
        end = text.find(b"\n")
        body = memoryview(text)[end + 1 :]  # several megabytes, which need not be copied to be checked
        if end < 0 or text[:end] != _head(body):
            return None
        lines = (line.partition("\t") for line in str(body, "ascii").split("\n") if line)
        return {json.loads(name): row for name, _, row in lines}

    def put(self, file_set: str, rows: Mapping[str, str]) -> None:
        """Keep the rows (JSON in ASCII on one line). A disk that is full or read-only costs speed, never the pass."""
        body = "".join([f"{json.dumps(name)}\t{row}\n" for name, row in rows.items()]).encode("ascii")
        temporary: str | None = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=f"{file_set}.")
            with os.fdopen(handle, "wb") as file:
                file.writelines((_head(body), b"\n", body))
            Path(temporary).replace(self._path(file_set))
        except OSError:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)

    def _path(self, file_set: str) -> Path:
        return self._folder / f"{file_set}.json"
