"""Secrets by reference: `env:NAME` and `file:PATH`, read at the last moment and kept nowhere.

Errors name the reference, never a value, and values are never logged.
"""

from __future__ import annotations

import os
from pathlib import Path

from gradesync.errors import ConnectionProblem

LARGEST = 65_536
"""Characters a secret may have: a wrong path must not read a disk image into memory."""


class References:
    """`ports.Secrets` over environment and files. Relative paths count from the tree."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def value(self, reference: str, account: str, name: str) -> str:
        """The secret without blanks and line breaks around it. Raises ConnectionProblem GS-207."""
        kind, _, where = reference.partition(":")
        whose = f"{account}: {name}" if account else name
        if kind == "env":
            found = os.environ.get(where)
            hint = f"set the environment variable {where}"
        elif kind == "file":
            found = self._read(where)
            hint = f"write the value into {where}, readable by this user alone"
        else:
            found, hint = None, "references begin with env: or file:"
        if found is None or not found.strip():
            raise ConnectionProblem(f"{whose}: nothing is found at {reference}", code="GS-207", hint=hint)
        return found.strip()

    def _read(self, where: str) -> str | None:
        try:
            with (self._root / where).open(encoding="utf-8") as file:
                return file.read(LARGEST)
        except (OSError, UnicodeDecodeError):
            # Missing, unreadable and no text are one thing to the person: the reference leads to no secret.
            return None
