"""Documents that the editor's schema and the loader must judge alike: (text, is it good)."""

from __future__ import annotations

from tests.config.trees import GOOD


def _bad(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


EXTRAS = """\
scope: {terms: [Fall 2026], schools: ['010'], classes: {exclude: [HR-*]}}
labels: {region: north}
contacts: {sis_admin: sis@riverside.example}
passback: {excused: exempt, category_map: {Homework: HW}}
roster:
  change_limit: {users: 5%}
  expect: [{name: New year, from: 2027-08-20, until: 2027-09-10, change_limit: {users: 100%}}]
blackouts:
  - {name: Summer, from: 2027-06-25 18:00, until: 2027-07-06 06:00, schedules: [grades]}
moved: {hourly: grades}
state: paused
reason: SIS upgrade
"""

GOOD_DOCUMENTS = {"smallest": GOOD, "everything": GOOD + EXTRAS}

BAD_DOCUMENTS = {
    "unknown key": GOOD + "collor: red\n",
    "unknown key inside": _bad("posted_by", "postedby"),
    "missing key": _bad("time_zone: America/New_York\n", ""),
    "missing interval": _bad("    interval: every 15 minutes\n", ""),
    "state off": GOOD + "state: off\n",
    "unknown zone": _bad("America/New_York", "America/New_Yrk"),
    "number for a text": _bad("sis-admin", "4711"),
    "number with a zero": _bad("sis-admin", "010"),
    "unknown profile": _bad("genesis\n  url", "gensis\n  url"),
    "unknown policy": GOOD + "passback: {excused: no}\n",
    "share as a number": GOOD + "roster: {change_limit: {users: 5}}\n",
    "text for a map": GOOD + "scope: all\n",
    "name in capitals": _bad("  grades:", "  Grades:"),
    "http is not ftp": _bad("https://riverside.i", "ftp://riverside.i"),
    "flag as a text": GOOD + "shared: 'true'\n",
    "too many requests": _bad("profile: genesis", "profile: genesis\n  concurrency: 500"),
    "empty block": GOOD + "labels:\n",
    "share as a decimal": GOOD + "roster: {change_limit: {users: 0.1}}\n",
    "schedules as a list": _bad("schedules:\n  grades:\n    type", "schedules:\n  - type"),
    "schedule in one line": GOOD + "  other: daily\n",
    "number of a class": GOOD + "scope: {classes: {include: [1]}}\n",
    "negative duration": GOOD + "    spread: -5m\n",
    "blackout without an end": GOOD + "blackouts: [{name: x, from: 2027-01-01}]\n",
    "empty blackout": GOOD + "blackouts: [~]\n",
    "path as the account": _bad("account: riverside", "account: ../riverside"),
    "half a request": _bad("profile: genesis", "profile: genesis\n  concurrency: 1.5"),
    "path with a question": _bad("profile: genesis", "profile: genesis\n  rostering_path: /a?b"),
    "address of a page": _bad("instructure.com, token", "instructure.com/courses/12, token"),
    "state in capitals": GOOD + "state: Paused\n",
}
