"""A worklist as the text of a CSV file, safe to be opened in a spreadsheet.

Titles and names come from people, and a cell that begins like a formula would be carried out by the program that
opens it; so such a cell is marked as text. Nothing here writes a file.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata

from gradesync.domain.problem import CODES
from gradesync.domain.worklist import OtherList, Task, TeacherList
from gradesync.reporting.clean import clean
from gradesync.reporting.words import plural, stamp

HEADER = (
    "course",
    "class",
    "assignment",
    "student",
    "what is wrong",
    "why",
    "what to do",
    "waiting since",
    "code",
    "address in Canvas",
)
WHOLE_CLASS = "(whole class)"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")


def list_text(one: TeacherList | OtherList, time_zone: str) -> str:
    """The whole file. The mark at its beginning tells spreadsheets that it is UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for task in one.tasks:
        writer.writerow([cell(text) for text in _row(task, time_zone)])
    return f"\ufeff{out.getvalue()}"


def list_name(one: TeacherList | OtherList) -> str:
    """The file's name: the teacher's, in letters and digits of any script, and Canvas's number against namesakes."""
    if isinstance(one, OtherList):
        return f"for-{_named(one.who).lower()}.csv"
    if one.teacher is None:
        return "no-teacher.csv"
    return f"{_named(one.teacher.name) or 'teacher'}-{one.teacher.user_id}.csv"


def _named(name: str) -> str:
    """A name with nothing in it but letters, their marks, digits and hyphens, and short enough for every disk."""
    kept = "".join(
        one if unicodedata.category(one)[0] in "LMN" else "-" for one in unicodedata.normalize("NFC", name)
    )
    text = re.sub("-+", "-", kept).strip("-")[:60]
    # What a disk limits is bytes, and a cut must not leave half a letter.
    return text.encode("utf-8", "ignore")[:150].decode("utf-8", "ignore").strip("-")


def cell(text: str) -> str:
    """One cell that no spreadsheet takes for a formula."""
    plain = clean(text)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def _row(task: Task, time_zone: str) -> tuple[str, ...]:
    entry = CODES.get(task.code)
    return (
        task.course,
        task.class_id,
        task.assignment,
        task.student if task.student is not None else WHOLE_CLASS,
        entry.title if entry is not None else "",
        " ".join(
            text for text in (entry.cause if entry is not None else "", task.more, _grades(task)) if text
        ),
        task.to_do or (_remedy(entry.remedy) if entry is not None else ""),
        stamp(task.since, time_zone),
        task.code,
        task.link,
    )


def _remedy(text: str) -> str:
    """Without the command that makes these lists: whoever reads one has its answer."""
    told, found, _ = text.partition("; `gradesync explain ID --worklist`")
    return f"{told}." if found else text


def _grades(task: Task) -> str:
    of = "assignment" if task.student is None else "student"
    return f"{plural(task.grades, 'grade')} of this {of}." if task.grades else ""


__all__ = ["HEADER", "WHOLE_CLASS", "cell", "list_name", "list_text"]
