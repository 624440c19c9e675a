"""Which of several passes beside each other an account belongs to: the same one everywhere and always.

Pure; by the account's key alone, so that no two machines have to talk about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `count` parts of all accounts, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `2/4`. Raises ValueError with a sentence for anything else."""
        first, slash, second = text.partition("/")
        if not (slash and first.strip().isdecimal() and second.strip().isdecimal()):
            raise ValueError(f"`{text}` is no part of accounts; write it like 2/4")
        shard = cls(int(first), int(second))
        if not 1 <= shard.number <= shard.count:
            raise ValueError(f"`{text}` names a part that is not there; {second.strip()} parts count from 1")
        return shard

    def holds(self, account: str) -> bool:
        """Whether the account belongs to this part."""
        return int.from_bytes(sha256(account.encode()).digest()[:8]) % self.count == self.number - 1
