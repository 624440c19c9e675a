"""The telling nights of a school year: few enough to be played for every setting, and each with what makes it hard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

from tests.whole.roster_feeds import Delta
from tests.whole.roster_nights import Nights

FIRST = date(2026, 8, 26)
FEW = ("admit-student", "drop-class", "switch-section", "rename-student", "prefer-name", "rename-class")
NIGHTS: Mapping[date, tuple[str, ...]] = {
    date(2026, 9, 2): (),
    date(2026, 9, 3): FEW,
    date(2026, 9, 4): ("return-to-class", "withdraw-student", "marry", "change-school", "enroll-ahead"),
    date(2026, 9, 15): ("open-class", "readmit-student", "hire-aide", "replace-teacher"),
    date(2026, 11, 10): (),
    date(2026, 11, 24): ("close-class", "withdraw-student", "delete-enrollment"),
    date(2027, 2, 1): ("purge-leaver",),
    date(2027, 2, 2): FEW,
    date(2027, 6, 30): ("rename-student",),
    date(2027, 7, 1): (),
    date(2027, 7, 2): ("admit-student",),
    date(2027, 8, 16): (),
    date(2027, 9, 3): FEW,
}
"""Each night, and what is done in the SIS's office on its day beside what a year does by itself."""

ANY = "change_limit: {enrollments: 100%, users: 100%, sections: 100%}"
"""Weeks pass between two of these nights, so the limits of a day say nothing."""


def played(nights: Nights) -> Counter[str]:
    """The first import and all nights; every one of them goes through. What happened in the SIS meanwhile."""
    happened: Counter[str] = Counter()
    nights.good_night()
    for day, acts in NIGHTS.items():
        happened.update(nights.until(day))
        for act in acts:
            happened.update(nights.control("POST", "year", act=act)["done"])
        if isinstance(nights.feed, Delta) and day in (date(2027, 2, 1), date(2027, 7, 2)):
            nights.feed.renew = True
        nights.good_night()
    never = {act for acts in NIGHTS.values() for act in acts} - happened.keys()
    assert never == set(), "every act these nights are about found somebody"
    assert happened.keys() >= {"add-term", "roll-over", "classes archived"}
    return happened
