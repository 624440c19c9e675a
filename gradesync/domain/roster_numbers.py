"""Many numbers of 64 bits in order, in little memory. Pure.

`sorted` makes an object of each number, five times the size of what it sorts; here that is true of a part at a time.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

_SHIFT, _PARTS, _LOWEST = 58, 64, -32


def in_order(numbers: Iterable[int]) -> array[int]:
    """Signed numbers of 64 bits, sorted; equal ones stay."""
    parts = [array("q") for _ in range(_PARTS)]
    for number in numbers:
        parts[(number >> _SHIFT) - _LOWEST].append(number)
    found = array("q")
    for part in parts:
        found.extend(sorted(part))
        del part[:]
    return found


__all__ = ["in_order"]
