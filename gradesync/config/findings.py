"""A finding before it has a place: a code, a path of keys, and words. Findings become problems in `sources`.

Positions cost a second reading of the file, so everything that judges values speaks of paths; only the few files
with findings are composed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

Path = tuple[str | int, ...]

NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
"""Names of accounts, schedules, groups and people."""

_NAME = re.compile(NAME[:-1] + r"\Z")


def is_name(text: str) -> bool:
    """Whether the text can be a name."""
    return _NAME.match(text) is not None


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at `path`. `on` says where the caret goes: the key, the value, or (for a key that is missing)
    the first key inside the parent. `sign` narrows the caret to the first such character of the value."""

    code: str
    path: Path
    message: str
    hint: str = ""
    on: Literal["key", "value", "inside"] = "value"
    warning: bool = False
    sign: str | None = None


class Written(Protocol):
    """The files a tree of values came from, as far as wording needs them."""

    def raw(self, path: Path) -> str | None:
        """The text of a scalar as written, without quotes; None when there is none."""
        ...

    def in_braces(self, path: Path) -> bool:
        """Whether the entry stands inside `{}` or `[]`."""
        ...
