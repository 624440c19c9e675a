"""Makes text harmless for wherever a channel shows it: a chat that knows mentions and markup, a mail, a log.

A channel may read a line in three ways at once, so nothing is escaped for one of them: what any of them gives a meaning
is replaced by something that looks much like it and means nothing. Pure.
"""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_REPLACED = str.maketrans({
    "<": "‹",
    ">": "›",
    "`": "'",
    "*": "∗",
    "~": "∼",
    "[": "(",
    "]": ")",
    "|": "¦",
    "\\": "⧵",
    "&": "＆",
})  # fmt: skip
_ZERO_WIDTH = "\u200b"
_ACTS = re.compile(r"(@|:(?=:|//))")
"""Behind these a mention, an address or a command goes on."""


def harmless(text: object, longest: int = 200) -> str:
    """One line of at most `longest` characters in which nothing is markup, a mention, a link or a command."""
    spaced = " ".join(str(text).split())
    seen = "".join(c for c in spaced if unicodedata.category(c) not in _UNSEEN).translate(_REPLACED)
    seen = _ACTS.sub(rf"\1{_ZERO_WIDTH}", seen)
    if seen.startswith(("=", "+", "-", "#")):
        seen = _ZERO_WIDTH + seen
    return seen if len(seen) <= longest else seen[: longest - 1] + "…"
