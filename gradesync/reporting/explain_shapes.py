"""JSON shapes of `explain` for grades and worklists. No score, title, name or person's id has a place in them."""

from __future__ import annotations

from typing import Any

from gradesync.domain.explained import ClassStory, Explanation, Remembered
from gradesync.domain.record import PastEvent
from gradesync.domain.worklist import Worklist
from gradesync.reporting.lists import list_name
from gradesync.reporting.shapes import Shape, actor_shape, code_keys, instant


def explanation_keys(told: Explanation) -> Shape:
    """The life of one grade."""
    return {
        "schedule": told.schedule,
        "assignment": told.assignment_id,
        "pseudonym": told.student,
        "at": instant(told.at),
        "live": told.live,
        "course": told.course_id,
        "in_course": told.in_course,
        "gone_in_canvas": told.gone,
        "course_unpublished": told.unpublished,
        "next_run": instant(told.next_run_at),
        "blocked": list(told.blocked),
        "observes": told.observes,
        "classes": [_story(one, told) for one in told.classes],
        "was_sent": None
        if told.was is None
        else {
            "sent": told.was.answer,
            "last_written": told.was.last,
            "statuses": sorted(told.was.statuses),
            "events": [_event(past, told) for past in told.was.events],
            "since": instant(told.was.since),
        },
    }


def _story(story: ClassStory, told: Explanation) -> Shape:
    write = story.last_write
    return {
        "class": story.class_id,
        "section": story.section,
        "checks": [
            {"question": c.question, "answer": c.answer, "id": c.id, "code": c.code} for c in story.checks
        ],
        "line_item": _record(story.item, told),
        "result": _record(story.result, told),
        "last_write": None if write is None else _event(write, told),
        "sis_holds": story.held.value,
        "next": story.next.value,
        "retry": None if story.retry is None else story.retry.value,
        "since": instant(story.since),
        "unsent_missing": story.unsent_missing,
        "same_name": list(story.namesakes),
        "code": None if story.code is None else {"code": story.code, **code_keys(story.code)},
    }


def _record(record: Remembered | None, told: Explanation) -> Shape | None:
    if record is None:
        return None
    entry, row = record.entry, record.waiting
    return {
        "record": record.subject,
        "known": entry is not None,
        "written": entry is not None and entry.sent is not None,
        "read_back_as_sent": None if entry is None or entry.sent is None else entry.sent == entry.read_back,
        "broken_off": record.broken_off,
        "refused": record.refused is not None,
        "waits_for": None if row is None else row.record.code,
        "waits_since": None if row is None else instant(row.since),
        "events": [_event(past, told) for past in record.events],
    }


def _event(past: PastEvent, told: Explanation) -> Shape:
    run = told.runs.get(past.run_id)
    shape: dict[str, Any] = {
        "at": instant(past.at),
        "what": past.event.what,
        "code": past.event.code,
        "run": past.run_id,
        "trigger": None if run is None else run.trigger.value,
        "actor": None if run is None else actor_shape(run.actor),
    }
    return shape


def worklist_keys(found: Worklist, folder: str) -> Shape:
    """Counts and the folder; the names stand in the files alone."""
    return {
        "account": found.account,
        "at": instant(found.at),
        "folder": folder,
        "lists": len(found.files) + len(found.others),
        "teachers": found.teachers,
        "records": found.records,
        "without_teacher": found.unplaced,
        "codes": [
            {"code": code, "count": count, **code_keys(code)} for code, count in sorted(found.codes.items())
        ],
        "others": [
            {
                "who": one.who,
                "records": one.records,
                "list": list_name(one),
                "codes": [
                    {"code": code, "count": count, **code_keys(code)} for code, count in one.codes.items()
                ],
            }
            for one in found.others
        ],
        "untied_sections": list(found.untied),
    }


__all__ = ["explanation_keys", "worklist_keys"]
