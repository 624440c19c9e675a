"""Every finding a file or a run can have, as data: what it means, what to do, and who must do it.

Codes are appended and never renumbered: they stand in histories and in people's mails for years. No rendering here
and no vendor text: a code says what *we* think; what the other side said is kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """Whether a finding needs a person: `person` and `bug` turn a run into a `warning`."""

    RETRY = "retry"
    PERSON = "person"
    HOLD = "hold"
    INFO = "info"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of the catalogue: a plain title, the remedy in one sentence, who acts, and its class."""

    code: str
    title: str
    remedy: str
    who: str
    act: Act

    @property
    def needs_person(self) -> bool:
        """True when a run that met this code ends as `warning` (DESIGN.md 8)."""
        return self.act in (Act.PERSON, Act.BUG)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in the tree a finding stands: `file` relative to the tree, `line` and `column` counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding in the files people write. `message` never repeats a value that could be a secret.

    `width` is the length of the key or value the caret underlines; `warning` findings do not stop anything.
    """

    code: str
    message: str
    place: Place
    hint: str = ""
    account: str | None = None
    warning: bool = False
    width: int = 1


def _c(code: str, title: str, remedy: str, who: str, act: Act) -> Code:
    return Code(code, title, remedy, who, act)


_R, _P, _H, _I, _B = Act.RETRY, Act.PERSON, Act.HOLD, Act.INFO, Act.BUG

CODES: dict[str, Code] = {
    entry.code: entry
    for entry in (
        _c("GS-101", "Settings file cannot be read", "Fix the line shown.", "support", _P),
        _c("GS-102", "Unknown or misspelt setting", "Fix the name, or remove the line.", "support", _P),
        _c("GS-103", "Same setting twice", "Remove one of the two.", "support", _P),
        _c(
            "GS-104",
            "Time or interval not understood",
            "Write it as the docs show, in quotes.",
            "support",
            _P,
        ),
        _c(
            "GS-105", "Time zone or local time does not exist", "Pick a zone of the IANA list.", "support", _P
        ),
        _c("GS-106", "Text written without quotes", "Put the value in quotes.", "support", _P),
        _c(
            "GS-107", "Secret found in settings", "Remove it, rotate the key, use a reference.", "support", _P
        ),
        _c("GS-108", "Server address not allowed", "Use https, or have the owner add the host.", "admin", _P),
        _c("GS-109", "Posted by is not an active Canvas admin", "Name another admin.", "Canvas admin", _P),
        _c("GS-110", "Setting has a wrong value", "Use one of the values shown.", "support", _P),
        _c("GS-111", "Setting is missing", "Add the setting.", "support", _P),
        _c(
            "GS-112",
            "Two accounts claim the same thing",
            "Make them differ, or say `shared: true`.",
            "support",
            _P,
        ),
        _c(
            "GS-113",
            "Name of the file and of the account differ",
            "Rename the file or the account.",
            "support",
            _P,
        ),
        _c("GS-114", "File that gradesync does not read", "Move or rename the file.", "support", _I),
        _c(
            "GS-115",
            "Schedule may surprise",
            "Read the note; change the interval if it is not meant.",
            "support",
            _I,
        ),
        _c("GS-116", "The SIS profile cannot express this policy", "Choose another value.", "support", _P),
        _c("GS-201", "Canvas refuses our key", "Renew the Canvas token.", "Canvas admin", _P),
        _c("GS-202", "SIS refuses our key", "Renew the client id and secret in the SIS.", "SIS admin", _P),
        _c("GS-203", "Key works but lacks a right", "Grant the missing right or scope.", "admin", _P),
        _c("GS-204", "Key expires soon", "Renew it now.", "admin", _I),
        _c("GS-205", "Secure connection failed", "Have the host renew its certificate.", "SIS admin", _P),
        _c("GS-206", "Server sent us elsewhere", "Check the address; nothing was followed.", "admin", _P),
        _c(
            "GS-207", "Secret cannot be found", "Set the variable or file the reference names.", "support", _P
        ),
        _c(
            "GS-208",
            "Other side is not the institution recorded",
            "Check the address before anything else.",
            "admin",
            _P,
        ),
        _c("GS-301", "Canvas asks us to slow down", "None; the run slows down by itself.", "nobody", _R),
        _c("GS-302", "Canvas is down or too slow", "None; the next pass tries again.", "nobody", _R),
        _c("GS-303", "Course not published", "Publish the course.", "teacher", _P),
        _c("GS-304", "Grade export not enabled in Canvas", "Turn on grade export.", "Canvas admin", _P),
        _c("GS-305", "Canvas data changed while reading", "None; it is read again.", "nobody", _R),
        _c("GS-306", "Canvas said something we do not know", "Send the support bundle.", "us", _B),
        _c("GS-401", "No due date", "Add a due date.", "teacher", _P),
        _c("GS-402", "Due date outside the term", "Change the date.", "teacher", _P),
        _c("GS-403", "Name too long", "Shorten the name.", "teacher", _P),
        _c("GS-404", "Same name and date twice", "Rename one of them.", "teacher", _P),
        _c(
            "GS-405",
            "Group matches no category",
            "Rename the group, or map it in category_map.",
            "teacher",
            _P,
        ),
        _c("GS-406", "More than one category fits", "Name the category in category_map.", "support", _P),
        _c("GS-407", "Only for some students", "Assign it to the whole section.", "teacher", _P),
        _c(
            "GS-408",
            "Grade is text, SIS wants a number",
            "Give points, or choose letter_grades.",
            "teacher",
            _P,
        ),
        _c("GS-409", "Letter or scale unknown to the SIS", "Fix the scheme.", "teacher", _P),
        _c("GS-410", "Score above maximum", "Check the score, or set over_max: send.", "teacher", _P),
        _c("GS-411", "Grade not posted yet", "Post the grades when they are ready.", "teacher", _I),
        _c("GS-412", "Changed by hand in the SIS", "Choose which value is right.", "teacher", _P),
        _c("GS-413", "Assignment without points", "Give it points, or do not flag it.", "teacher", _P),
        _c("GS-414", "Section not tied to the SIS", "Tie the section to its SIS class.", "Canvas admin", _P),
        _c("GS-415", "Excused, and no rule chosen", "Set passback.excused for the account.", "support", _P),
        _c("GS-416", "Partly graded, waits for review", "Finish grading.", "teacher", _I),
        _c("GS-417", "Student has no SIS id in Canvas", "Tie the student to the SIS.", "Canvas admin", _P),
        _c(
            "GS-418",
            "Grade was cleared in Canvas after it was sent",
            "Clear it in the SIS if meant.",
            "teacher",
            _P,
        ),
        _c(
            "GS-419",
            "Assignment withdrawn after it was sent",
            "Remove it in the SIS if meant.",
            "teacher",
            _P,
        ),
        _c("GS-420", "Does not count toward the final grade", "Count it, or do not flag it.", "teacher", _I),
        _c(
            "GS-421",
            "Missing, and the rule cannot be applied yet",
            "Set passback.missing: withhold.",
            "support",
            _P,
        ),
        _c("GS-422", "No rule covers this case", "Send the support bundle.", "us", _B),
        _c("GS-423", "Two results for one student", "Remove one of them in the SIS.", "SIS admin", _P),
        _c(
            "GS-424",
            "Result stays in the SIS, Canvas no longer lists it",
            "Remove it if meant.",
            "teacher",
            _I,
        ),
        _c(
            "GS-425",
            "More removals than the limit allows",
            "Look whether they are meant; raise passback.deletion_limit.",
            "support",
            _P,
        ),
        _c("GS-501", "Marking period closed", "Registrar reopens it, or leave it.", "SIS admin", _H),
        _c("GS-502", "Assignment locked in the SIS", "Unlock it.", "teacher", _H),
        _c(
            "GS-503",
            "Student not in this class in the SIS",
            "Wait for the roster, or fix it.",
            "SIS admin",
            _R,
        ),
        _c("GS-504", "Teacher may not grade this class", "Fix the class's teacher.", "SIS admin", _P),
        _c("GS-505", "Record we knew is gone", "Link it again or create it anew.", "support", _P),
        _c("GS-506", "SIS will not accept this record", "See what the SIS said.", "support", _P),
        _c("GS-507", "SIS asks us to slow down", "None; the run slows down by itself.", "nobody", _R),
        _c("GS-508", "SIS is down or too slow", "None; the next pass tries again.", "nobody", _R),
        _c(
            "GS-509",
            "SIS said yes but the record differs",
            "Wait for the next check, then ask the SIS.",
            "SIS vendor",
            _P,
        ),
        _c("GS-510", "SIS does not offer this service", "Ask the SIS vendor to enable it.", "SIS admin", _P),
        _c("GS-511", "Human-made record blocks ours", "Delete or keep the record.", "teacher", _P),
        _c("GS-512", "Class unknown to the SIS", "Check the roster.", "SIS admin", _P),
        _c("GS-599", "SIS said something we do not know", "Send the support bundle.", "us", _B),
        _c(
            "GS-601",
            "Too many changes, stopped",
            "Look, then raise `roster.change_limit`, or name the days in `roster.expect`.",
            "support",
            _P,
        ),
        _c("GS-602", "Roster read is empty or incomplete", "Check the SIS export.", "SIS admin", _P),
        _c("GS-603", "Ids changed for the same classes", "Map the ids anew.", "support", _P),
        _c("GS-604", "Canvas import finished with warnings", "Look at the rows Canvas named.", "support", _P),
        _c("GS-605", "Inside a blackout window", "None.", "nobody", _I),
        _c("GS-606", "Canvas import failed", "Look at the import in Canvas.", "Canvas admin", _P),
        _c("GS-607", "Another import is running in Canvas", "None; the next pass tries again.", "nobody", _R),
        _c(
            "GS-608",
            "Roster record cannot be carried over",
            "Complete the record in the SIS.",
            "SIS admin",
            _P,
        ),
        _c(
            "GS-609",
            "Take-over: ids in Canvas do not match",
            "Compare the ids before going on.",
            "support",
            _P,
        ),
        _c("GS-701", "Another sync is running", "None; it runs next.", "nobody", _I),
        _c("GS-702", "Previous run died", "None; it was started again.", "nobody", _R),
        _c("GS-703", "Run started late or was skipped", "None.", "nobody", _I),
        _c("GS-704", "Recorded state is newer than this tree", "Update the checkout.", "support", _P),
        _c("GS-705", "Store unreachable or of another schema", "See the message.", "us", _P),
        _c("GS-706", "Run exceeded its time window", "None; the next run resumes.", "nobody", _I),
        _c("GS-707", "Paused", "Resume when ready.", "support", _I),
        _c("GS-708", "Stopped by an operator", "Run it again when ready.", "support", _I),
        _c("GS-709", "Run failed for a reason we do not know", "Send the support bundle.", "us", _B),
    )
}
"""The catalogue (`field.md` c), by code."""

ENDS_RUN = frozenset({"GS-201", "GS-202", "GS-205", "GS-206", "GS-207", "GS-208", "GS-510"})
"""Codes after which every further request of a run would meet the same refusal: the run ends at once."""
