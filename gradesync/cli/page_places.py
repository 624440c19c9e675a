"""Where each schedule is written, and whether the files say something else than what is recorded.

Every line of every file is wanted here, and only the line: composing the places of all values of six hundred files
would cost more than the whole page. So a file is searched for the schedule's own key, and only a file that does not
have it plainly is asked through the loader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from gradesync.domain.definition import Desired, Recorded
from gradesync.domain.page_overview import Written
from gradesync.domain.schedule import ScheduleId

_TOP = re.compile(r"^([A-Za-z_]+)\s*:")
_KEY = re.compile(r"^( +)[\"']?([a-z0-9][a-z0-9-]*)[\"']?\s*:")


def places(root: Path, desired: Desired, recorded: Recorded) -> Mapping[ScheduleId, Written]:
    """The place of every recorded schedule that the files have; frozen accounts are left out."""
    found: dict[ScheduleId, Written] = {}
    for key, account in recorded.accounts.items():
        wanted = desired.accounts.get(key)
        if wanted is None:
            continue
        lines = _lines(root / wanted.file)
        for name, schedule in account.schedules.items():
            told = wanted.schedules.get(name)
            if told is None:
                continue
            line, file = lines.get(name), wanted.file
            if line is None:
                place = desired.place(wanted.file, ("schedules", name))
                line, file = place.line, place.file
            found[ScheduleId(key, name)] = Written(file, line, told.digest != schedule.digest)
    return found


def _lines(path: Path) -> Mapping[str, int]:
    """Line of each key under `schedules:` of a file in the usual shape; keys of another shape are left out."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, int] = {}
    inside, indent = False, ""
    for number, line in enumerate(text.splitlines(), start=1):
        top = _TOP.match(line)
        if top is not None:
            inside, indent = top[1] == "schedules", ""
        elif inside and (key := _KEY.match(line)) is not None:
            indent = indent or key[1]
            if key[1] == indent:
                found.setdefault(key[2], number)
    return found
