"""The key of the ledger's hashes: from `keys:` in gradesync.yaml, or a generated file that Git never sees.

A key is never made anew where hashes already exist: with another key every value would look edited by hand.
"""

from __future__ import annotations

import os
import secrets as random_bytes
from pathlib import Path

from gradesync.domain.keyed import KeyedHash, refuse_other_key
from gradesync.errors import ConnectionProblem
from gradesync.ports import Secrets, Store

SHORTEST = 32
"""Characters; a generated key has 64 (256 bits in hexadecimal)."""


def _no_key(sentence: str, hint: str | None) -> ConnectionProblem:
    return ConnectionProblem(sentence, code="GS-207", hint=hint)


class AccountKeys:
    """`ports.Keys`. The key is read once per process."""

    def __init__(self, file: Path, reference: str | None, secrets: Secrets, store: Store) -> None:
        self._file = file
        self._reference = reference
        self._secrets = secrets
        self._store = store
        self._text: str | None = None

    def keyed(self, account: str) -> KeyedHash:
        """The account's keyed hash. Raises ConnectionProblem GS-207 when the key is missing or too short."""
        # A renamed account keeps its first name's key: with another one every value would look edited by hand.
        return KeyedHash(self._usable().encode(), self._store.origin(account))

    def trouble(self) -> ConnectionProblem | None:
        """What would keep every run from its key: missing, too short, or not the ledger's. No key is made here."""
        try:
            if self._reference is None and self._gone():
                self._refuse_making()
                return None
            known = self._store.key_id()
            if known is not None:
                refuse_other_key(known, KeyedHash(self._usable().encode(), ""))
            else:
                self._usable()
        except ConnectionProblem as problem:
            return problem
        return None

    def _usable(self) -> str:
        if self._text is None:
            self._text = self._referenced() if self._reference is not None else self._from_file()
        if len(self._text) < SHORTEST:
            hint = "make one with `openssl rand -hex 32`"
            if self._store.key_id() is not None:
                # A key cut short is a slip of the hand; a new one would cost the ledger.
                hint = (
                    "put back the whole key that the ledger was made with; another one would make every grade look "
                    "edited by hand (only where it is lost for good: `gradesync store rekey`)"
                )
            raise _no_key(
                f"the key of the ledger has {len(self._text)} characters, fewer than {SHORTEST}", hint=hint
            )
        return self._text

    def _gone(self) -> bool:
        try:
            self._file.stat()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return False

    def _referenced(self) -> str:
        assert self._reference is not None  # the caller looked
        try:
            return self._secrets.value(self._reference, "", "keys")
        except ConnectionProblem as problem:
            found = str(problem).removeprefix("keys: ")
            raise _no_key(f"the key of the ledger: {found}", hint=problem.hint) from None

    def _from_file(self) -> str:
        try:
            return self._file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return self._made()
        except (OSError, UnicodeDecodeError):
            raise _no_key(
                f"the key in {self._file} cannot be read", hint="give this user the right to read it"
            ) from None

    def _made(self) -> str:
        self._refuse_making()
        try:
            return self._placed(random_bytes.token_hex(32))
        except OSError:
            raise _no_key(
                f"no key can be kept in {self._file}", hint="give this user the right to write that folder"
            ) from None

    def _refuse_making(self) -> None:
        """Raises where the ledger has a key already, or others would not have the one made here."""
        if self._store.key_id() is not None:
            raise _no_key(
                f"the ledger was made with a key, and {self._file} is gone",
                hint="bring the file back from a backup, or the line `keys` in gradesync.yaml that named the key; "
                "a new key would make every grade look edited by hand",
            )
        if self._store.info().kind != "sqlite":
            raise _no_key(
                "several machines may use this store, and no key they share is named",
                hint="make one with `openssl rand -hex 32`, keep it as a secret, and write `keys: env:NAME`"
                " in gradesync.yaml",
            )

    def _placed(self, text: str) -> str:
        """Written aside and then linked under its name, so that nobody ever reads half a key.

        Of several processes that make one in the same moment the first one's counts for all.
        """
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self._file.with_name(f".{self._file.name}-{random_bytes.token_hex(8)}")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{text}\n")
                file.flush()
                # A ledger hashed with a key that a power cut took away could never be read again.
                os.fsync(file.fileno())
            os.link(aside, self._file)
        except FileExistsError:
            return self._file.read_text(encoding="ascii").strip()
        finally:
            aside.unlink()
        return text
