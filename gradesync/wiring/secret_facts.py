"""Facts about the secrets behind an account's references: read, looked at, and forgotten at once.

No value leaves this module: what is equal is told by a mark keyed with a number that lives as long as the process.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets as random_secrets
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from gradesync.config.settings import Settings
from gradesync.domain.doctor_secrets import Kind, Look, SecretFact
from gradesync.wiring.secrets import LARGEST

_KEY = random_secrets.token_bytes(32)
_CANVAS = re.compile(r"\d{1,6}~[A-Za-z0-9]{20,}")
_EXAMPLES = re.compile(
    r"change[-_ ]?me\W*|your[-_ ].*|<.*>|\{.*\}|x{4,}|todo|example|\*{3,}|\.{3,}"
    r"|(the[-_ ])?(secret|password|token|key)\d?",
    re.IGNORECASE,
)
_BRACED = re.compile(r"\{((?:env|file):[^{}]+)\}")
_SANDBOX = re.compile(r"sandbox-(canvas|id|secret)-[a-z0-9-]+")
SETTINGS = "gradesync.yaml"
"""Stands where an account's name would for what belongs to the whole tree."""
_SHORTEST: Mapping[Kind, int] = {
    Kind.CANVAS_TOKEN: 20,
    Kind.CLIENT_ID: 2,
    Kind.CLIENT_SECRET: 8,
    Kind.PASSWORD: 4,
}
_PLACES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    (Kind.CANVAS_TOKEN, ("canvas", "token")),
    (Kind.CLIENT_ID, ("sis", "client_id")),
    (Kind.CLIENT_SECRET, ("sis", "client_secret")),
    (Kind.PASSWORD, ("sis", "roster", "sftp", "password")),
    (Kind.PRIVATE_KEY, ("sis", "roster", "sftp", "private_key")),
    (Kind.PASSPHRASE, ("sis", "roster", "sftp", "passphrase")),
)


def secret_facts(account: str, definition: Mapping[str, Any], root: Path) -> Iterator[SecretFact]:
    """A fact for every reference of the account's canonical definition. Touches files and the environment alone."""
    for kind, path in _PLACES:
        reference: Any = definition
        for part in path:
            reference = reference.get(part) if isinstance(reference, Mapping) else None
        if not isinstance(reference, str) or not reference:
            continue
        expires = None
        if kind in (Kind.CANVAS_TOKEN, Kind.CLIENT_SECRET) and (day := definition[path[0]].get("expires")):
            expires = date.fromisoformat(str(day))
        # The sandbox alone is spoken to over plain http: elsewhere that is refused.
        plain = str(definition[path[0]].get("url") or "").startswith("http://")
        raw = _read(reference, root)
        yield _fact(account, kind, reference, raw, bool(definition.get("shared")), expires, plain)

    for reference in references((definition.get("sis") or {}).get("headers")):
        yield _fact(account, Kind.HEADER, reference, _read(reference, root), shared=True, expires=None)


def settings_facts(settings: Settings, root: Path) -> Iterator[SecretFact]:
    """The same for what gradesync.yaml refers to: the ledger's key, the store, alarms."""
    found = [(Kind.LEDGER_KEY, one) for one in references(settings.keys)]
    found += [(Kind.STORE, one) for one in references(settings.store)]
    found += [(Kind.ALARM, one) for one in references([*settings.notify, settings.ping, settings.ping_fail])]
    for kind, reference in found:
        yield _fact(SETTINGS, kind, reference, _read(reference, root), shared=True, expires=None)


def references(value: Any) -> Iterator[str]:
    """Every reference in a value: a whole text, or in braces inside one."""
    if isinstance(value, str):
        if value.startswith(("env:", "file:")):
            yield value
        else:
            yield from _BRACED.findall(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def _fact(
    account: str,
    kind: Kind,
    reference: str,
    raw: str | None,
    shared: bool,
    expires: date | None,
    plain: bool = False,
) -> SecretFact:
    """`plain`: the key is for an address over plain http, which is this machine's sandbox."""
    value = (raw or "").strip()
    if not value or raw is None:
        return SecretFact(account, kind, reference, found=False, shared=shared, expires=expires)
    mark = hmac.new(_KEY, value.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
    # A file ends in a line end as a matter of course; blanks are what people paste along.
    edges = raw.removesuffix("\n").removesuffix("\r") != value
    look = _look(kind, value, plain)
    return SecretFact(account, kind, reference, True, look, edges, mark, shared, expires)


def _read(reference: str, root: Path) -> str | None:
    """The raw text behind a reference, blanks and all; None when there is none."""
    kind, _, where = reference.partition(":")
    if kind == "env":
        return os.environ.get(where)
    if kind != "file":
        return None
    try:
        with (root / where).open(encoding="utf-8", newline="") as file:
            return file.read(LARGEST)
    except (OSError, UnicodeDecodeError):
        return None


def _look(kind: Kind, value: str, plain: bool) -> Look:
    """What the value plainly is. Only what cannot be right is named: every vendor mints keys of its own kind."""
    is_pem = value.startswith("-----BEGIN")
    if kind is Kind.PRIVATE_KEY:
        return Look.RIGHT if is_pem else Look.NO_KEY_FILE
    if is_pem:
        return Look.KEY_FILE
    if "\n" in value or "\r" in value:
        return Look.BREAK
    if value.startswith(("env:", "file:")):
        return Look.REFERENCE
    if value.lower().startswith(("bearer ", "basic ", "authorization:")):
        return Look.HEADER
    if value[0] == value[-1] and value[0] in "\"'" and len(value) > 1:
        return Look.QUOTED
    if kind in (Kind.STORE, Kind.ALARM, Kind.HEADER):
        # An address is what some of these are; nobody but their own service knows their shape.
        return Look.RIGHT
    if "://" in value[:12]:
        return Look.ADDRESS
    if kind in (Kind.PASSWORD, Kind.PASSPHRASE):
        return Look.RIGHT
    if kind is not Kind.CANVAS_TOKEN and _CANVAS.fullmatch(value):
        return Look.CANVAS_TOKEN
    if _SANDBOX.fullmatch(value):
        # Made of the district's name, so its length says nothing; a real district's server takes none of them.
        return Look.RIGHT if plain else Look.SANDBOX
    if _EXAMPLES.fullmatch(value):
        return Look.PLACEHOLDER
    return Look.SHORT if len(value) < _SHORTEST.get(kind, 1) else Look.RIGHT
