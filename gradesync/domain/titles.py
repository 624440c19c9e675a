"""Which title an assignment's line item gets where the SIS shows only so many characters.

Pure. Two rules pull at each other: a title must be the only one of its kind in the class, and it must not change
when another assignment appears. So what the SIS already shows is kept, and only the newcomer gets a suffix, made of
its number in Canvas.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def folded(title: str) -> str:
    """What two titles have in common that a teacher would call the same."""
    return " ".join(title.split()).casefold()


def cut(title: str, most: int) -> str:
    """The beginning of a title, at most `most` characters."""
    return title[:most].rstrip()


def cut_with_number(title: str, most: int, assignment_id: int) -> str | None:
    """The beginning of a title with the assignment's number behind; None when both do not fit."""
    suffix = f" ~{_short_number(assignment_id)}"
    return cut(title, most - len(suffix)) + suffix if most > len(suffix) else None


def _short_number(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def titles_for(titles: Mapping[int, str], shown: Mapping[int, str], most: int) -> Mapping[int, str]:
    """The title of each assignment, by its Canvas id; one that fits nowhere is left out.

    `titles` are the whole ones, `shown` those the SIS holds now, `most` the characters it shows. Titles that fit stay
    as the teacher wrote them; of those that do not, one keeps the plain cut: who has it already, else the oldest.
    """
    chosen = {id: title for id, title in titles.items() if len(title) <= most}
    taken = {folded(title) for title in chosen.values()}
    long = sorted(titles.keys() - chosen.keys())
    for id in sorted(long, key=lambda one: (shown.get(one) not in _forms(titles[one], most, one), one)):
        plain, *numbered = _forms(titles[id], most, id)
        held = shown.get(id)
        wanted = [*([held] if held in numbered else ()), plain, *numbered]
        title = next((one for one in wanted if one and folded(one) not in taken), None)
        if title is not None:
            chosen[id] = title
            taken.add(folded(title))
    return chosen


def _forms(title: str, most: int, assignment_id: int) -> tuple[str, ...]:
    numbered = cut_with_number(title, most, assignment_id)
    return (cut(title, most),) if numbered is None else (cut(title, most), numbered)


def doubles(titles: Mapping[int, str], shown: Mapping[int, str]) -> frozenset[int]:
    """Assignments whose title another one has, where a class may have each title once.

    Who stands in the SIS under it stays; of several newcomers none is chosen.
    """
    count = Counter(folded(title) for title in titles.values())
    there = Counter(folded(title) for id, title in titles.items() if _stands(id, title, shown))
    return frozenset(
        id
        for id, title in titles.items()
        if count[folded(title)] > 1 and not (_stands(id, title, shown) and there[folded(title)] == 1)
    )


def _stands(id: int, title: str, shown: Mapping[int, str]) -> bool:
    return id in shown and folded(shown[id]) == folded(title)
