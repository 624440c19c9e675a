"""The JSON document of a comparison of rosters: counts by school and kind, ids of classes, pseudonyms of people."""

from __future__ import annotations

from collections.abc import Mapping

from gradesync.domain.roster_change import ALL_SCHOOLS
from gradesync.domain.roster_comparing import Cause, RosterComparison
from gradesync.reporting.roster_shapes import change_shape, stop_shape
from gradesync.reporting.shapes import Shape, code_keys


def roster_comparison_keys(found: RosterComparison) -> Shape:
    """Kind by kind and school by school, then the classes and records that differ."""
    return {
        "schedule": found.schedule,
        "observes": found.observes,
        "needs_person": found.needs_person,
        "records_that_need_a_person": found.looks,
        "last_import": None if found.last_day is None else found.last_day.isoformat(),
        "ids_compared": found.ids_compared,
        "classes_looked_at": found.looked,
        "classes_in_all": found.classes_in_all,
        "future": found.future,
        "codes": [{"code": code, "count": number, **code_keys(code)} for code, number in found.codes.items()],
        "causes": _causes(found.causes()),
        "kinds": [
            {
                "school": _school(one.school),
                "kind": one.kind,
                "sis": one.sis,
                "last_import": one.last,
                "both": one.both,
                "causes": _causes(one.causes),
            }
            for one in found.lines
        ],
        "classes": [
            {
                "class": one.class_id,
                "school": _school(one.school),
                "sis": one.sis,
                "canvas": one.canvas,
                "causes": _causes(one.causes),
            }
            for one in found.classes
        ],
        "records": [
            {
                "kind": one.kind,
                "school": _school(one.school),
                "class": one.class_id or None,
                "record": one.subject,
                "cause": one.cause.value,
            }
            for one in found.records
        ],
        "stop": stop_shape(found.change),
        "change": change_shape(found.change),
    }


def _school(school: str) -> str | None:
    return None if school == ALL_SCHOOLS else school


def _causes(causes: Mapping[Cause, int]) -> Shape:
    """Every cause, with its zeros: a program need not ask whether a key is there."""
    return {cause.value: causes.get(cause, 0) for cause in Cause}
