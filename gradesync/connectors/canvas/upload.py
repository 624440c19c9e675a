"""The body of a SIS import: CSV files as one stored zip in one multipart form, streamed from disk. No HTTP."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# A fixed time keeps the same files the same bytes; zip knows no earlier year.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 18


def pack(files: Mapping[str, Path], target: IO[bytes]) -> None:
    """Write the files as a zip, stored uncompressed: Canvas refuses a zip that unpacks to 100 times its size."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            with files[name].open("rb") as source, archive.open(zipfile.ZipInfo(name, _EPOCH), "w") as entry:
                shutil.copyfileobj(source, entry, _CHUNK)


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form that ends with one file; `chunks` gives the same `length` bytes every time it is asked."""

    content_type: str
    head: bytes
    archive: IO[bytes]
    tail: bytes
    length: int

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body from its beginning."""
        yield self.head
        self.archive.seek(0)
        while chunk := self.archive.read(_CHUNK):
            yield chunk
        yield self.tail


def form(fields: Mapping[str, str], archive: IO[bytes]) -> Form:
    """The multipart form; the file field is `attachment`."""
    boundary = f"gradesync-{secrets.token_hex(16)}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="attachment"; filename="roster.zip"\r\n'
        "Content-Type: application/zip\r\n\r\n"
    )
    start, tail = ("".join(parts) + head).encode(), f"\r\n--{boundary}--\r\n".encode()
    length = len(start) + archive.seek(0, 2) + len(tail)
    return Form(f"multipart/form-data; boundary={boundary}", start, archive, tail, length)


@contextmanager
def packed(files: Mapping[str, Path]) -> Iterator[IO[bytes]]:
    """The zip in a private file without a name, beside the files themselves, gone when the block ends."""
    beside = next(iter(files.values())).parent if files else None
    with tempfile.TemporaryFile(dir=beside) as archive:
        pack(files, archive)
        yield archive
