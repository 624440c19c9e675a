"""The parts of a comparison's and an adoption's JSON documents.

Values never stand here: this output ends up in files and logs.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradesync.domain.adoption import Fate
from gradesync.domain.comparison import Cause, ClassComparison, Comparison, Difference
from gradesync.domain.record import LINE_ITEM, RESULT
from gradesync.domain.take_over import TakeOver
from gradesync.reporting.shapes import Shape, code_keys

KINDS = {"results": RESULT, "line_items": LINE_ITEM}


def comparison_keys(comparison: Comparison) -> Shape:
    """Totals first, then class by class with every record that differs."""
    return {
        "schedule": comparison.schedule,
        "observes": comparison.observes,
        "needs_person": comparison.needs_person,
        "records_that_need_a_person": comparison.looks,
        "equal": {key: comparison.equal(kind) for key, kind in KINDS.items()},
        "causes": {key: _causes(comparison.causes(kind)) for key, kind in KINDS.items()},
        "would_write": {key: comparison.would_write(kind) for key, kind in KINDS.items()},
        "nothing_to_compare": sum(one.nothing for one in comparison.classes),
        "classes_where_scores_agree": comparison.agreeing,
        "unread": dict(sorted(comparison.unread.items())),
        "codes": [
            {"code": code, "count": n, **code_keys(code)} for code, n in sorted(comparison.codes.items())
        ],
        "untied_sections": list(comparison.untied),
        "classes": [_class(one) for one in comparison.classes],
    }


def _class(one: ClassComparison) -> Shape:
    return {
        "class": one.class_id,
        "course": one.course_id,
        "equal": {key: one.equal.get(kind, 0) for key, kind in KINDS.items()},
        "causes": {key: _causes(one.causes(kind)) for key, kind in KINDS.items()},
        "nothing_to_compare": one.nothing,
        "scores_agree": one.scores_agree,
        "averages_may_differ_by": [reason.value for reason in one.averages],
        "records": [_record(difference) for difference in one.differences],
    }


def adoption_keys(found: TakeOver) -> Shape:
    """Totals first, then class by class, and the records a person must settle."""
    return {
        "schedule": found.schedule,
        "written": found.written,
        "run": found.run_id,
        **{key: _fates(found.counts(kind)) for key, kind in KINDS.items()},
        "unread": dict(sorted(found.unread.items())),
        "codes": [{"code": code, "count": n, **code_keys(code)} for code, n in sorted(found.codes.items())],
        "classes": [
            {"class": one.class_id, **{key: _fates(one.counts(kind)) for key, kind in KINDS.items()}}
            for one in found.classes
        ],
        "to_settle": [
            {
                "class": class_id,
                "kind": record.kind,
                "assignment": record.assignment_id,
                "fate": record.fate.value,
                "code": record.code,
            }
            for class_id, record in found.open()
        ],
    }


def _fates(counts: Mapping[Fate, int]) -> Shape:
    return {fate.value: counts.get(fate, 0) for fate in Fate}


def _causes(counts: Mapping[Cause, int]) -> Shape:
    """Every cause, in the order of importance, with its zeros: a program need not ask whether a key is there."""
    return {cause.value: counts.get(cause, 0) for cause in Cause}


def _record(one: Difference) -> Shape:
    return {
        "kind": one.kind,
        "assignment": one.assignment_id,
        "record": one.subject,
        "cause": one.cause.value,
        "code": one.code,
        "next_run": "writes" if one.sends else "leaves",
        "needs_person": one.needs_person,
        "fields": list(one.fields),
    }
