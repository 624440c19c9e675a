"""Whether a bare 404 is about one record or about the whole service. No HTTP here.

Some web servers answer an odd id (an encoded slash) as if the address did not exist, and some SISes answer every
unknown object so. A service that has answered before is there; one that never did is given up soon.
"""

from __future__ import annotations

from collections import Counter

MISSES = 4
"""Bare 404s of a kind of address that never answered otherwise, before the service counts as not offered."""


class Absences:
    """What was seen of each path template during one run."""

    def __init__(self) -> None:
        self._served: set[str] = set()
        self._missed: Counter[str] = Counter()

    def served(self, template: str) -> None:
        """An address of this kind answered well."""
        self._served.add(template)

    def about_one(self, template: str) -> bool:
        """Called for each bare 404: True while it is more likely about one record."""
        self._missed[template] += 1
        return "{}" in template and (template in self._served or self._missed[template] < MISSES)
