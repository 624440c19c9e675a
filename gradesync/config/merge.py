"""Defaults under an account: maps merge, lists and single values replace, the account wins. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gradesync.config.findings import Finding, Path

_PLACEHOLDER = re.compile(r"\{[A-Za-z_]*\}")


def merged(below: Any, above: Any) -> Any:
    """`above` over `below`; neither is changed."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    result = dict(below)
    for key, value in above.items():
        result[key] = merged(result[key], value) if key in result else value
    return result


def filled(value: Any, account: str) -> Any:
    """A copy of a defaults tree with `{account}` replaced in every text."""
    if isinstance(value, dict):
        return {key: filled(inner, account) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, account) for inner in value]
    return value.replace("{account}", account) if isinstance(value, str) else value


def placeholder_findings(tree: Any) -> list[Finding]:
    """Placeholders that a defaults file cannot have."""
    return [
        Finding("GS-110", path, "`{account}` is the only placeholder", "write {account}, or the value itself")
        for path, text in leaves(tree)
        if isinstance(text, str) and any(found != "{account}" for found in _PLACEHOLDER.findall(text))
    ]


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is no map, with its path; a list of single values counts as one value."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value
