"""Whether a refusal is about one record or about the whole service, by what the service did before. No HTTP here.

Some web servers answer an odd id (an encoded slash) as if the address did not exist, some SISes answer every unknown
object so, and some say 401 or 405 where they mean "not this class". A service that has answered before is there, and
its key is good; one that never did is given up soon.
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

    def code(self, code: str, template: str, status: int) -> str:
        """The code of a refusal by the SIS: `code`, or a milder one that is about the one record alone."""
        if "{}" not in template:
            return code
        known = template in self._served
        if status == 404 and code == "GS-510":
            self._missed[template] += 1
            return "GS-505" if known or self._missed[template] < MISSES else code
        if status in (405, 501) and known:
            return "GS-506"
        if status == 401 and known:
            # Fresh tokens were shown, and one was good for another record: the server is confused, the key is not bad.
            return "GS-508"
        return code
