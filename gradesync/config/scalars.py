"""What a plain scalar means by the YAML 1.2 core schema: null, booleans and numbers; all else is text.

Dates, times, `yes`, `off` and `1_000` are text here, unlike in YAML 1.1. Nothing but this one table lives here.
"""

from __future__ import annotations

import re
from typing import Any

SUSPECT = frozenset("~nNtTfF+-.0123456789")
"""A plain scalar that begins otherwise (and is not empty) is text."""

LONGEST_NUMBER = 40

_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".inf": float("inf"), ".Inf": float("inf"), ".INF": float("inf"), "+.inf": float("inf"),
    "+.Inf": float("inf"), "+.INF": float("inf"), "-.inf": float("-inf"), "-.Inf": float("-inf"),
    "-.INF": float("-inf"), ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip


def resolve(value: str) -> Any:
    """The value of a plain scalar. Raises ValueError for a number longer than LONGEST_NUMBER characters."""
    if value in _WORDS:
        return _WORDS[value]
    whole, based = _INT.match(value), _OCTAL_OR_HEX.match(value)
    if not (whole or based or _FLOAT.match(value)):
        return value
    if len(value) > LONGEST_NUMBER:
        raise ValueError("a number is too long")
    if based:
        return int(value, 0)
    return int(value) if whole else float(value)
