"""Keyed hashes and minted ids: how records are recognised without keeping a person's id or score.

A keyed hash of a score is only as safe as its key, so keys live outside the store (field.md d4). Minted ids carry
no key: they must come out the same from a new machine with an empty store (DESIGN.md 7).
"""

from __future__ import annotations

import hashlib
import hmac
import sys
import uuid
from array import array
from collections.abc import Iterable
from operator import methodcaller

from gradesync.errors import ConnectionProblem

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

    def numbers(self, purpose: str) -> Numbers:
        """Keyed hashes of texts to numbers of 64 bits, for a district's rows. Purposes do not share numbers."""
        return Numbers(hmac.digest(self._key, f"numbers for {purpose}".encode(), "sha256"))

    def _digest(self, parts: tuple[str, ...]) -> str:
        body = "".join([f"{len(part)}:{part}" for part in parts])
        return hmac.digest(self._key, body.encode(), "sha256").hex()[:25]


class Numbers:
    """Text -> number of 64 bits under a key, in a third of HMAC's time.

    The key stands before the text. What HMAC guards against beyond that, somebody lengthening a text whose whole
    digest he knows, is nothing here: only a quarter of a digest is ever kept.
    """

    __slots__ = ("_with_key",)

    def __init__(self, key: bytes) -> None:
        self._with_key = key.__add__

    def __call__(self, text: str) -> int:
        """One text's number."""
        return self.of((text,))[0]

    def of(self, texts: Iterable[str]) -> array[int]:
        """Many texts' numbers, in order, without a line of Python for each."""
        texts = list(texts)
        try:
            encoded = list(map(str.encode, texts))
        except UnicodeEncodeError:
            encoded = [text.encode(errors="surrogatepass") for text in texts]
        digests = map(methodcaller("digest"), map(hashlib.sha256, map(self._with_key, encoded)))
        numbers = array("Q", b"".join(digests))
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers[::4]


def minted_line_item_id(root_uuid: str, assignment_id: int, class_id: str) -> str:
    """The sourcedId of our line item for an assignment in a class (oneroster.md 2.2)."""
    return str(uuid.uuid5(_NAMESPACE, f"{root_uuid}|lineItem|{assignment_id}|{class_id}"))


def minted_result_id(line_item_id: str, student_id: str) -> str:
    """The sourcedId of our result for a student in a line item (oneroster.md 2.2)."""
    return str(uuid.uuid5(_NAMESPACE, f"result|{line_item_id}|{student_id}"))


def refuse_other_key(known: str | None, keyed: KeyedHash) -> None:
    """Raises ConnectionProblem GS-207 when the ledger was made with another key (`known` is that one's id)."""
    if known != keyed.key_id:
        raise ConnectionProblem(
            "the ledger was made with another key than the one configured",
            code="GS-207",
            hint="bring the old key back (`keys:` in gradesync.yaml, or .gradesync/key)",
        )
