"""First contact: the ids of the files about to be sent beside those Canvas holds. `domain.roster_takeover` judges."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from gradesync.domain.roster_csv import CanvasFiles
from gradesync.domain.roster_guard import RosterStop
from gradesync.domain.roster_takeover import other_tools, take_over_stop
from gradesync.syncs.roster_job import RosterPreview

_ID = {"accounts": "account_id", "courses": "course_id", "sections": "section_id", "terms": "term_id"}


async def first_contact(job: RosterPreview, files: CanvasFiles, data_set: str) -> RosterStop | None:
    """GS-609 when Canvas holds other ids than ours. Raises ConnectionProblem."""
    known = await job.canvas.known_ids()
    if not any(known.values()):
        return None
    wanted = wanted_ids(files, frozenset(known))
    if take_over_stop(known, wanted) is None:
        return None
    return take_over_stop(known, wanted, other_tools(await job.canvas.recent_imports(), data_set))


def wanted_ids(files: CanvasFiles, kinds: frozenset[str]) -> dict[str, dict[str, set[str]]]:
    """kind -> school -> ids we would send, for the kinds asked for; "" where a kind belongs to no school."""
    paths = files.paths
    school_of: dict[str, str] = {}
    wanted: dict[str, dict[str, set[str]]] = {}
    for row in _rows(paths, "courses"):
        school_of[row["course_id"]] = row["account_id"]
    for kind in sorted(kinds & {*_ID, "users"}):
        found = wanted.setdefault(kind, {})
        for row in _rows(paths, kind):
            id = row.get("integration_id") or row["user_id"] if kind == "users" else row[_ID[kind]]
            school = school_of.get(row["course_id"], "") if kind in ("courses", "sections") else ""
            found.setdefault(school, set()).add(id)
    return wanted


def _rows(paths: Mapping[str, Path], kind: str) -> Iterator[dict[str, str]]:
    with paths[f"{kind}.csv"].open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


__all__ = ["first_contact", "wanted_ids"]
