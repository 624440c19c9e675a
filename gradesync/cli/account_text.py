"""The text of a new account's file. Pure: answers in, YAML out, with comments for whoever fills in the rest.

Every value that people gave is quoted unless it is plainly a word, and every comment is one line, so that nothing that
was pasted can become a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gradesync.cli import templates
from gradesync.domain.documents import in_docs
from gradesync.domain.vendor_table import Imported, VendorTable, one_line

_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z0-9_/.-]*( [A-Za-z0-9:,*/-]+)*|\d{4}-\d{2}-\d{2} \d{2}:\d{2}|https?://[A-Za-z0-9./_:-]+|(env|file):[\w./-]+"
)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_ORDER = ("type", "interval", "first_run", "time_zone", "posted_by", "state", "reason")
_OBSERVE = """\
# Runs at its times and sends nothing: `gradesync compare` shows what it would write. Write `active`, or remove
# this line, when that is right.
state: observe
"""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is known of an account that begins. `references` are lines for keys whose place nothing else says."""

    key: str
    name: str
    time_zone: str
    canvas: str
    profile: str
    sis: str
    tomorrow: str
    group: str | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    table: VendorTable | None = None


def account_text(new: NewAccount) -> str:
    """The whole file."""
    up = "../" if new.group is None else "../../"
    lines = [
        f"# yaml-language-server: $schema={up}{templates.SCHEMA}",
        f"account: {new.key}",
        f"name: {value(new.name)}",
        f"time_zone: {new.time_zone}",
        *_OBSERVE.splitlines(),
        "",
        "canvas:",
        f"  url: {value(new.canvas)}",
        *_reference(new, "token", "canvas_token"),
        "sis:",
        f"  profile: {new.profile}",
        f"  url: {value(new.sis)}",
        *_reference(new, "client_id", "sis_id"),
        *_reference(new, "client_secret", "sis_secret"),
        "",
        f"# What is left out here is withheld and reported, never guessed; {in_docs('schedules-file')} has every key.",
        "# passback: {excused: exempt, category_map: {Labs: Classwork}}",
        "",
        *(_defaults(new) if new.table is None else _imported(new, new.table)),
    ]
    return "\n".join(lines) + "\n"


def value(text: str) -> str:
    """A YAML scalar that is this text: plain where nobody could read it otherwise, else in double quotes."""
    shown = one_line(text)
    if _PLAIN.fullmatch(shown) and shown.casefold() not in _WORDS and ": " not in shown:
        return shown
    return json.dumps(shown, ensure_ascii=False)


def _reference(new: NewAccount, key: str, name: str) -> Iterator[str]:
    if name in new.references:
        yield f"  {key}: {value(new.references[name])}"


def _defaults(new: NewAccount) -> Iterator[str]:
    yield from (
        "schedules:",
        "  roster-nightly:",
        "    type: roster import                 # SIS to Canvas",
        "    interval: daily at 03:15",
        "  grades:",
        "    type: grade passback                # Canvas to SIS",
        "    interval: every 15 minutes",
        f"    first_run: {new.tomorrow} 07:00         # the clock time that `every` counts from",
    )


def _imported(new: NewAccount, table: VendorTable) -> Iterator[str]:
    """The table's schedules; what was not certain stands above each as a comment."""
    if any(one.usable for one in table.schedules):
        yield "schedules:"
    else:
        yield "# None of the rows could be taken over as a whole."
        yield "schedules: {}"
    for one in table.schedules:
        yield from (f"  # {one_line(str(doubt))}" for doubt in one.doubts)
        if not one.usable:
            shown = "; ".join(f"{title}: {cell}" for title, cell in one.cells.items())
            # Not through `one_line`, which cuts at the length of one cell; every cell went through it already.
            yield f"  # row {one.row} shows: {shown}"
        mark = "  " if one.usable else "  # "
        yield f"{mark}{one.name}:"
        yield from (f"{mark}  {line}" for line in _fields(new, one))


def _fields(new: NewAccount, one: Imported) -> Iterator[str]:
    for key in _ORDER:
        if key == "time_zone" and one.fields.get(key) == new.time_zone:
            continue
        if key in one.fields:
            yield f"{key}: {value(one.fields[key])}"
        elif not one.usable and key in ("type", "interval"):
            yield f"{key}:"
