"""Reads an uploaded zip or CSV into tables, and takes the difference of two uploads.

Types are recognised from headers, never from file names. A file that cannot be read is a failure and the
others go on; nothing here touches the world.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field

#: The order in which types are applied, whatever the order in the zip.
ORDER = (
    "change_sis_id",
    "account",
    "term",
    "abstract_course",
    "course",
    "section",
    "xlist",
    "user",
    "login",
    "enrollment",
    "admin",
    "group_category",
    "group",
    "group_membership",
    "grade_publishing_results",
    "user_observer",
)

#: What makes two rows of a type the same row in a diff.
KEYS = {
    "account": ("account_id",),
    "term": ("term_id",),
    "course": ("course_id",),
    "section": ("section_id",),
    "xlist": ("section_id",),
    "user": ("user_id",),
    "enrollment": (
        "course_id",
        "section_id",
        "user_id",
        "user_integration_id",
        "role",
        "role_id",
        "associated_user_id",
    ),
    "user_observer": ("observer_id", "student_id"),
}

Row = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Message:
    """Something an import has to say: about a file, perhaps a row (1-based, the header counts)."""

    file: str
    message: str
    row: int | None = None
    failure: bool = False


@dataclass(slots=True)
class Table:
    """The rows of one recognised file, each with its line number; None marks a row a diff made up."""

    kind: str
    file: str
    rows: list[tuple[int | None, Row]] = field(default_factory=list)


def kind_of(columns: frozenset[str]) -> str | None:
    """The type of a file by its headers; the first match in importer order wins."""
    existing = {"existing_user_id", "existing_integration_id", "existing_canvas_user_id"}
    checks = (
        ("change_sis_id", bool(columns & {"old_id", "old_integration_id"})),
        ("account", columns >= {"account_id", "parent_account_id"}),
        ("term", columns >= {"term_id", "name"}),
        ("course", columns >= {"course_id", "short_name"}),
        ("section", columns >= {"section_id", "name"}),
        ("xlist", columns >= {"xlist_course_id", "section_id"}),
        ("user", columns >= {"user_id", "login_id"} and not columns & existing),
        ("login", bool(columns & existing)),
        (
            "enrollment",
            bool(columns & {"section_id", "course_id"})
            and bool(columns & {"user_id", "user_integration_id"}),
        ),
        ("admin", columns >= {"account_id", "user_id"}),
        ("grade_publishing_results", columns >= {"enrollment_id", "grade_publishing_status"}),
        ("user_observer", columns >= {"observer_id", "student_id"}),
    )
    return next((kind for kind, matches in checks if matches), None)


def read_upload(data: bytes, extension: str, name: str) -> tuple[list[Table], list[Message]]:
    """The tables of an upload, in order of application, and what was wrong with its files."""
    tables: list[Table] = []
    messages: list[Message] = []
    if extension != "zip":
        files: list[tuple[str, bytes]] = [(name, data)]
    else:
        try:
            files = list(_unzip(data, messages))
        except zipfile.BadZipFile:
            return [], [Message(name, "Error unpacking the archive", failure=True)]
    for file, content in files:
        found = _read_csv(file, content)
        if isinstance(found, Message):
            messages.append(found)
        else:
            tables.append(found)
    tables.sort(key=lambda one: ORDER.index(one.kind))
    return tables, messages


def _unzip(data: bytes, messages: list[Message]) -> Iterable[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            base = entry.filename.rsplit("/", 1)[-1]
            if entry.is_dir() or "__MACOSX" in entry.filename or base.startswith((".", "Desktop D")):
                continue
            if not base.lower().endswith(".csv"):
                messages.append(Message(base, "Skipping unknown file type"))
                continue
            yield base, archive.read(entry)


def _read_csv(file: str, content: bytes) -> Table | Message:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Message(file, "Invalid UTF-8", failure=True)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        columns = [one.strip().lower() for one in header]
        kind = kind_of(frozenset(columns))
        if kind is None:
            return Message(file, "Couldn't find Canvas CSV import headers", failure=True)
        table = Table(kind, file)
        for fields in reader:
            if not any(one.strip() for one in fields):
                continue
            # A short row lacks its last fields; they are as empty as blank ones.
            padded = fields + [""] * (len(columns) - len(fields))
            row = {column: value.strip() or None for column, value in zip(columns, padded, strict=False)}
            table.rows.append((reader.line_num, row))
    except csv.Error:
        return Message(file, "Malformed CSV", failure=True)
    return table


def _key(kind: str, row: Row) -> tuple[str | None, ...]:
    return tuple(row.get(column) for column in KEYS[kind])


def diff_tables(
    before: list[Table], now: list[Table], *, drop_status: str, user_remove_status: str
) -> list[Table]:
    """Rows that are new or changed, and rows that are gone with the status that drops them.

    A type missing from `now` loses nothing; a type present with only its header loses everything.
    """
    made: list[Table] = []
    for kind in dict.fromkeys(one.kind for one in now):
        if kind not in KEYS:
            made += [one for one in now if one.kind == kind]
            continue
        old = {_key(kind, row): row for one in before if one.kind == kind for _, row in one.rows}
        files = [one for one in now if one.kind == kind]
        seen: set[tuple[str | None, ...]] = set()
        for one in files:
            changed = Table(kind, one.file)
            for line, row in one.rows:
                key = _key(kind, row)
                seen.add(key)
                if old.get(key) != row:
                    changed.rows.append((line, row))
            made.append(changed)
        status = {"enrollment": drop_status, "user": user_remove_status}.get(kind, "deleted")
        made[-1].rows += [(None, row | {"status": status}) for key, row in old.items() if key not in seen]
    return made
