"""Names a character for a person who cannot see it, or cannot tell it from another. Pure; nothing is judged here."""

from __future__ import annotations

import unicodedata


def called(char: str) -> str:
    """The character's name and number, such as `no-break space (U+00A0)`; the number alone where it has no name."""
    number = f"U+{ord(char):04X}"
    name = unicodedata.name(char, "").lower()
    return f"{name} ({number})" if name else number


def with_article(char: str) -> str:
    """As `called`, with `a` or `an` before it."""
    name = called(char)
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


__all__ = ["called", "with_article"]
