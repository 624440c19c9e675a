"""Reads an uploaded zip or CSV into tables, and takes the difference of two uploads.

Types are recognised from headers, never from file names. A file that cannot be read is a failure and the
others go on; nothing here touches the world.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

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
    "admin": ("user_id", "account_id", "role", "role_id"),
}

#: A zip that unpacks to more than this many times its own size is refused, and so are more entries or bytes.
LARGEST_RATIO = 100
MOST_ENTRIES = 100_000
MOST_BYTES = 50 * 1024**3

Row = dict[str, str | None]
Fields = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """Something an import has to say: about a file, perhaps a row (1-based, the header counts) and what stood there."""

    file: str
    message: str
    row: int | None = None
    failure: bool = False
    row_info: str | None = None


@dataclass(slots=True)
class Table:
    """The rows of one recognised file under its columns, each with its line number."""

    kind: str
    file: str
    columns: tuple[str, ...]
    rows: list[tuple[int, Fields]] = field(default_factory=list)

    def row(self, fields: Fields) -> Row:
        """One row by column name; an absent column is absent."""
        return dict(zip(self.columns, fields, strict=True))

    def keys(self) -> Callable[[Fields], Fields]:
        """What of a row makes it the same row in a diff; an absent column counts as blank."""
        at = {name: number for number, name in enumerate(self.columns)}
        places = [at.get(name) for name in KEYS[self.kind]]
        return lambda fields: tuple(None if place is None else fields[place] for place in places)


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
    known: dict[str, str] = {}
    for file, content in files:
        found = _read_csv(file, content, known)
        if isinstance(found, Message):
            messages.append(found)
        else:
            tables.append(found)
    tables.sort(key=lambda one: ORDER.index(one.kind))
    return tables, messages


def _unzip(data: bytes, messages: list[Message]) -> Iterable[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if len(entries) > MOST_ENTRIES or unpacked > min(MOST_BYTES, LARGEST_RATIO * len(data)):
            # What it claims to hold decides, before anything is unpacked.
            raise zipfile.BadZipFile("too large")
        for entry in entries:
            base = entry.filename.rsplit("/", 1)[-1]
            if entry.is_dir() or "__MACOSX" in entry.filename or base.startswith((".", "Desktop D")):
                continue
            if not base.lower().endswith(".csv"):
                messages.append(Message(base, "Skipping unknown file type"))
                continue
            yield base, archive.read(entry)


def _read_csv(file: str, content: bytes, known: dict[str, str]) -> Table | Message:
    """One file; `known` keeps one copy of every text, because ids come again and again in a district's files."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Message(file, "Invalid UTF-8", failure=True)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        columns = tuple(one.strip().lower() for one in header)
        kind = kind_of(frozenset(columns))
        if kind is None:
            return Message(file, "Couldn't find Canvas CSV import headers", failure=True)
        table = Table(kind, file, columns)
        width = len(columns)
        for fields in reader:
            stripped = [one.strip() for one in fields[:width]]
            if not any(stripped):
                continue
            # A short row lacks its last fields; they are as empty as blank ones.
            stripped += [""] * (width - len(stripped))
            row = tuple(known.setdefault(one, one) if one else None for one in stripped)
            table.rows.append((reader.line_num, row))
    except csv.Error:
        return Message(file, "Malformed CSV", failure=True)
    return table


def diff_tables(
    before: list[Table], now: list[Table], *, drop_status: str, user_remove_status: str
) -> list[Table]:
    """Rows that are new or changed, and rows that are gone with the status that drops them.

    A type missing from `now` loses nothing; a type present with only its header loses everything. Canvas writes the
    difference into a file of its own, one per type, and its messages count the lines of that one: what changed in the
    order it came, then what is gone. They are no lines of the upload.
    """
    made: list[Table] = []
    for kind in dict.fromkeys(one.kind for one in now):
        files = [one for one in now if one.kind == kind]
        if kind not in KEYS:
            made += files
            continue
        olds = [one for one in before if one.kind == kind]
        old = {key: (one, fields) for one in olds for key, fields in _keyed(one)}
        seen: set[Fields] = set()
        lines = count(2)
        for one in files:
            key_of = one.keys()
            changed = Table(kind, one.file, one.columns)
            for _, fields in one.rows:
                key = key_of(fields)
                seen.add(key)
                if not _same(old.get(key), one, fields):
                    changed.rows.append((next(lines), fields))
            made.append(changed)
        status = {"enrollment": drop_status, "user": user_remove_status}.get(kind, "deleted")
        made += [_dropped(one, seen, status, lines) for one in olds]
    return [one for one in made if one.rows or one.kind not in KEYS]


def _keyed(table: Table) -> Iterator[tuple[Fields, Fields]]:
    key_of = table.keys()
    for _, fields in table.rows:
        yield key_of(fields), fields


def _same(old: tuple[Table, Fields] | None, table: Table, fields: Fields) -> bool:
    if old is None:
        return False
    if old[0].columns == table.columns:
        return old[1] == fields
    return old[0].row(old[1]) == table.row(fields)


def _dropped(table: Table, seen: set[Fields], status: str, lines: Iterator[int]) -> Table:
    """Rows of an earlier upload that are gone, with the status that drops them."""
    gone = [fields for key, fields in dict(_keyed(table)).items() if key not in seen]
    at = table.columns.index("status") if "status" in table.columns else None
    if at is None:
        made = Table(table.kind, table.file, (*table.columns, "status"))
        made.rows = [(next(lines), (*fields, status)) for fields in gone]
        return made
    made = Table(table.kind, table.file, table.columns)
    made.rows = [(next(lines), (*fields[:at], status, *fields[at + 1 :])) for fields in gone]
    return made
