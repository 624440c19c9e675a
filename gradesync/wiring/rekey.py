"""Changing the key of the ledger's hashes: from the key in use to a new one, safe to cut short anywhere.

Keyed hashes cannot be translated: what they stand for is kept nowhere. So the store forgets them and the next full run
of each account compares Canvas and SIS anew.
"""

from __future__ import annotations

import os
import secrets as random_bytes
from pathlib import Path
from typing import TYPE_CHECKING

from gradesync.domain.keyed import KeyedHash
from gradesync.errors import ConfigInvalid
from gradesync.wiring import home_of
from gradesync.wiring.keys import SHORTEST

if TYPE_CHECKING:
    from gradesync.wiring import App


def rekey(app: App, reason: str) -> str:
    """Forget what was hashed with the old key and name the new one; answers the new key's id.

    The new key is the one `keys` names by now; without `keys` one is made, put by as `.gradesync/key.next`, and takes
    the old one's place when the store knows it. Cut short in between, the next call finishes. Raises ConfigInvalid
    while `keys` still names the old key, ConnectionProblem when the key cannot be read, AccountBusy while a run works.
    """
    from gradesync.domain.history import Fact

    if app.settings.keys is not None:
        key_id = _id_of(_referenced(app))
        if key_id == app.store.key_id():
            raise ConfigInvalid(
                "`keys` in gradesync.yaml still names the key the ledger was made with",
                hint="make a new one with `openssl rand -hex 32`, put it where `keys` points, and rekey again",
            )
        app.store.rekey(key_id, [Fact("rekeyed", app.actor, data={"key": key_id, "reason": reason})])
        return key_id
    upcoming = home_of(app.root) / "key.next"
    key_id = _id_of(_made(upcoming))
    if key_id != app.store.key_id():
        app.store.rekey(key_id, [Fact("rekeyed", app.actor, data={"key": key_id, "reason": reason})])
    upcoming.replace(home_of(app.root) / "key")
    return key_id


def _referenced(app: App) -> str:
    from gradesync.wiring.secrets import References

    assert app.settings.keys is not None  # the caller looked
    text = References(app.root).value(app.settings.keys, "", "keys")
    if len(text) < SHORTEST:
        raise ConfigInvalid(
            f"the new key has {len(text)} characters, fewer than {SHORTEST}",
            hint="make one with `openssl rand -hex 32`",
        )
    return text


def _made(path: Path) -> str:
    """The key put by, or a new one: whole on disk before the store hears of it."""
    found = path.read_text(encoding="ascii").strip() if path.exists() else ""
    if len(found) >= SHORTEST:
        return found
    path.unlink(missing_ok=True)
    text = random_bytes.token_hex(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    return text


def _id_of(text: str) -> str:
    return KeyedHash(text.encode(), "").key_id
