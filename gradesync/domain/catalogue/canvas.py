"""GS-3nn: what Canvas says or does while it is read."""

from __future__ import annotations

from gradesync.domain.catalogue.entry import ACCOUNT, CLASS, B, Code, P, R

_AGAIN = "The grades it would have carried wait; every run reads what is owed again."

ENTRIES = (
    Code(
        "GS-301",
        "Canvas asks us to slow down",
        "Canvas is busy and limits how many requests one key may make.",
        "None; the run slows down by itself.",
        "nobody",
        R,
        ACCOUNT,
        "The run goes on more slowly.",
    ),
    Code(
        "GS-302",
        "Canvas is down or too slow",
        "Canvas does not answer, or answers with an error of its own.",
        "None; the next pass tries again.",
        "nobody",
        R,
        ACCOUNT,
        _AGAIN,
    ),
    Code(
        "GS-303",
        "Course not published",
        "Canvas shows no grades of a course that is not published.",
        "Publish the course.",
        "teacher",
        P,
        CLASS,
        "Grades of this course are not sent; all others are.",
    ),
    Code(
        "GS-304",
        "Grade export not enabled in Canvas",
        "The Canvas account has the feature that marks assignments for the SIS switched off.",
        "Turn on grade export.",
        "Canvas admin",
        P,
        ACCOUNT,
        "No assignment can be marked for the SIS, so no new one is sent.",
    ),
    Code(
        "GS-305",
        "Canvas data changed while reading",
        "Pages of the listing shifted while they were read, so a part could have been missed.",
        "None; it is read again.",
        "nobody",
        R,
        CLASS,
        _AGAIN,
    ),
    Code(
        "GS-306",
        "Canvas said something we do not know",
        "Canvas answered in a way that gradesync has no rule for.",
        "Look at `gradesync show RUN --vendor-text`, and send it without names.",
        "us",
        B,
        CLASS,
        "Nothing is concluded from the answer; other courses are served, and this one is read again.",
    ),
)
