"""The body of a SIS import: CSV files as one stored zip in one multipart form. Pure bytes, no HTTP."""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Mapping

# A fixed time keeps the same files the same bytes; zip knows no earlier year.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def packed(files: Mapping[str, str]) -> bytes:
    """The files as a zip, stored uncompressed: Canvas refuses a zip that unpacks to 100 times its size."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name].encode("utf-8"))
    return target.getvalue()


def form(fields: Mapping[str, str], archive: bytes) -> tuple[bytes, str]:
    """The multipart body and its content type; the file field is `attachment`."""
    boundary = f"gradesync-{secrets.token_hex(16)}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="attachment"; filename="roster.zip"\r\n'
        "Content-Type: application/zip\r\n\r\n"
    )
    body = "".join(parts).encode() + head.encode() + archive + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
