"""Keyed hashes and minted ids: how records are recognised without keeping a person's id or score.

A keyed hash of a score is only as safe as its key, so keys live outside the store (field.md d4). Minted ids carry
no key: they must come out the same from a new machine with an empty store (DESIGN.md 7).
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable

_NAMESPACE = uuid.UUID("6f1c2a54-6a0e-5d8b-9a63-2f6f0c6f3b10")

_MOST_KNOWN = 10_000


class KeyedHash:
    """HMAC-SHA-256 under one account's key, cut to 100 bits and written in hex (25 characters)."""

    def __init__(self, key: bytes, account: str) -> None:
        # One key serves all accounts; deriving keeps equal records of two districts from looking equal.
        self._key = hmac.digest(key, account.encode(), "sha256")
        self._known: dict[tuple[str, ...], str] = {}
        self.key_id = hashlib.sha256(b"gradesync key id" + key).hexdigest()[:16]

    def __call__(self, *parts: str) -> str:
        """The hash of a tuple of texts; parts are length-prefixed, so no two tuples run together."""
        if len(parts) > 1:
            return self._digest(parts)
        # One text alone is a value such as a score, and a school has few of them.
        known = self._known.get(parts)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[parts] = self._digest(parts)
        return known

    def numbers(self, purpose: str) -> Callable[[str], int]:
        """A keyed hash of a text to a number of 64 bits, a third of HMAC's time: for a district's rows.

        The key stands before the text. What HMAC guards against beyond that, somebody lengthening a text whose whole
        digest he knows, is nothing here: only a quarter of a digest is ever kept. Purposes do not share numbers.
        """
        key = hmac.digest(self._key, f"numbers for {purpose}".encode(), "sha256")
        digest, number = hashlib.sha256, int.from_bytes

        def hashed(text: str) -> int:
            return number(digest(key + text.encode(errors="surrogatepass")).digest()[:8], "little")

        return hashed

    def _digest(self, parts: tuple[str, ...]) -> str:
        body = "".join([f"{len(part)}:{part}" for part in parts])
        return hmac.digest(self._key, body.encode(), "sha256").hex()[:25]


def minted_line_item_id(root_uuid: str, assignment_id: int, class_id: str) -> str:
    """The sourcedId of our line item for an assignment in a class (oneroster.md 2.2)."""
    return str(uuid.uuid5(_NAMESPACE, f"{root_uuid}|lineItem|{assignment_id}|{class_id}"))


def minted_result_id(line_item_id: str, student_id: str) -> str:
    """The sourcedId of our result for a student in a line item (oneroster.md 2.2)."""
    return str(uuid.uuid5(_NAMESPACE, f"result|{line_item_id}|{student_id}"))
