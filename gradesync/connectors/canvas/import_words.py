"""What a message of a SIS import means, by its words; the words themselves stay here, because they quote people.

Canvas answers in the language of the token's owner, and its texts differ from version to version: what is not
recognised is GS-604. Shapes: canvas.md 2.1.
"""

from __future__ import annotations

import re

from gradesync.connectors.canvas.paging import Row
from gradesync.connectors.wire import text_of
from gradesync.domain.roster_csv import HEADERS
from gradesync.domain.roster_rows import RowMessage

_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"\bclaimed\b|already (?:in use|taken)", "GS-615"),
        (
            r"malformed csv|invalid utf-?8|csv import headers|unpacking the archive|unknown file type",
            "GS-618",
        ),
        (
            r"non-?existent|n[o']t exist|not found|could not find|couldn't find|unrelated|deleted user",
            "GS-616",
        ),
        (r"no \w+ given|improper |bad date|is invalid|invalid |too long|cannot be blank", "GS-617"),
    )
)
_UNKNOWN = "GS-604"
_MORE_KINDS = frozenset({"xlists", "logins", "user_observers"})


def import_message(row: Row) -> RowMessage:
    """One entry of the errors listing; what it says and the row it quotes are forgotten here."""
    name = text_of(row.get("file")).replace("\\", "/").rsplit("/", 1)[-1].lower()
    kind = name.removesuffix(".csv")
    number = row.get("row")
    return RowMessage(
        kind=kind if kind in HEADERS or kind in _MORE_KINDS else "",
        row=number if type(number) is int and number > 0 else None,
        code=code_of(text_of(row.get("message"))),
    )


def code_of(message: str) -> str:
    """The code of a message by its words."""
    return next((code for pattern, code in _PATTERNS if pattern.search(message)), _UNKNOWN)
