"""Which hosts an account's definition hands its secrets to, read from its canonical text.

For the guards alone: nothing is resolved and nothing is asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

SIDES = ("canvas", "sis")
_REFERENCES = (("canvas", "token"), ("sis", "client_id"), ("sis", "client_secret"))


def _urls(definition: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for side in SIDES:
        values = definition.get(side)
        rows = values.items() if isinstance(values, dict) else ()
        found[side] = {key: str(value) for key, value in rows if key.endswith("url") and value}
    sftp = ((definition.get("sis") or {}).get("roster") or {}).get("sftp")
    if sftp:
        found["sis"]["sftp"] = f"sftp://{sftp['host']}:{sftp.get('port', 22)}"
    return found


def hosts_of(text: str) -> dict[str, frozenset[str]]:
    """Every host that is given the secrets of a side, by side."""
    return _hosts(json.loads(text))


def _hosts(definition: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    return {side: frozenset(_host(url) for url in urls.values()) for side, urls in _urls(definition).items()}


def _host(url: str) -> str:
    """The host of an address the schema let through: it has a scheme, and no user, query or fragment."""
    return url.partition("://")[2].partition("/")[0].casefold()


def both_addresses(text: str) -> tuple[str, str] | None:
    """Both addresses of an account, when it has both."""
    urls = _urls(json.loads(text))
    canvas, sis = urls["canvas"].get("url"), urls["sis"].get("url")
    return (canvas, sis) if canvas and sis else None


def secrets_of(text: str) -> dict[str, frozenset[str]]:
    """Reference of a secret -> the hosts it is given to."""
    definition = json.loads(text)
    hosts = _hosts(definition)
    found: dict[str, frozenset[str]] = {}
    for side, key in _REFERENCES:
        reference = (definition.get(side) or {}).get(key)
        if reference:
            found[str(reference)] = found.get(str(reference), frozenset()) | hosts[side]
    return found
