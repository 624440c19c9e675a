"""Text of the SIS as Canvas's files can hold it, and which records count at all. Pure.

Shared by the two halves of the mapping (`roster_courses`, `roster_people`); no rule about a kind of record lives here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")

INCOMPLETE = "GS-608"
"""A record that lacks what Canvas needs, or contradicts another one: left out and counted."""


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_HasId)


def clean(text: str) -> str:
    """The text on one line: control characters removed, runs of white space made one blank, ends stripped."""
    # Printable text holds no white space but blanks and nothing invisible: what nearly all text is.
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(_INVISIBLE.sub("", text).split())


def all_clean(*texts: str) -> tuple[str, ...]:
    """`clean` of several texts, at the price of one while there is nothing to clean."""
    return texts if _are_clean(texts) else tuple(map(clean, texts))


def _are_clean(texts: Iterable[str]) -> bool:
    """Whether `clean` would change none of the texts; one that holds a bar beside a blank is called unclean, too."""
    whole = "|".join(texts)
    return whole.isprintable() and not (
        "  " in whole or " |" in whole or "| " in whole or whole != whole.strip()
    )


def distinct(
    records: Iterable[R], problems: Counter[str], merge: Callable[[R, R], R | None] | None = None
) -> dict[str, R]:
    """Records by id. A row that paging brought twice is one; of two that differ, one is kept and one is a problem.

    `merge` may say that two are no contradiction, by answering the one that stands for both. Dropping both would make
    Canvas delete what it holds under that id; which one stays does not depend on order. Ids Canvas would alter (it
    strips blanks) could meet another record's id, so they are not carried over.
    """
    records = list(records)
    keys = [record.id for record in records]
    found = dict(zip(keys, records, strict=True))
    if len(found) == len(keys) and "" not in found and _are_clean(keys):
        return found
    found = {}
    several: dict[str, list[R]] = {}
    for record in records:
        key = record.id
        known = found.get(key)
        if known is not None:
            if known != record and record not in several.setdefault(key, [known]):
                several[key].append(record)
        elif key and clean(key) == key:
            found[key] = record
        else:
            problems[INCOMPLETE] += 1
    for key, versions in several.items():
        versions.sort(key=repr)
        kept = versions[0]
        for other in versions[1:]:
            merged = merge(kept, other) if merge else None
            problems[INCOMPLETE] += merged is None
            kept = merged or kept
        found[key] = kept
    return found
