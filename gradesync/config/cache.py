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
from typing import Any

_MAGIC = b"gradesync-cache 1 "


class FolderCache:
    """`ports.FileCache` in a folder, usually `.gradesync/cache` beside the store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, file_set: str) -> Mapping[str, Any] | None:
        """What was kept of the set by file; None when there is nothing that can be trusted."""
        try:
            text = self._path(file_set).read_bytes()
        except OSError:
            return None
        head, newline, body = text.partition(b"\n")
        if not newline or head != _MAGIC + hashlib.blake2b(body, digest_size=16).hexdigest().encode():
            return None
        try:
            rows = json.loads(body)
        except (ValueError, RecursionError):
            return None
        return rows if isinstance(rows, dict) else None

    def put(self, file_set: str, rows: Mapping[str, Any]) -> None:
        """Keep the rows. A disk that is full or read-only costs speed, never the pass."""
        body = json.dumps(rows, separators=(",", ":")).encode()
        head = _MAGIC + hashlib.blake2b(body, digest_size=16).hexdigest().encode() + b"\n"
        temporary: str | None = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=f"{file_set}.")
            with os.fdopen(handle, "wb") as file:
                file.write(head + body)
            Path(temporary).replace(self._path(file_set))
        except OSError:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)

    def _path(self, file_set: str) -> Path:
        return self._folder / f"{file_set}.json"
