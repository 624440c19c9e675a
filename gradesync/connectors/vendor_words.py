"""What SIS vendors say in prose when they refuse a record, as a table of words and codes.

Only words: status and shape come first, in `errors`. The table grows by fingerprints: an answer nobody knows has one,
equal for equal refusals, and a group of them is promoted to a row here. Pure.
"""

from __future__ import annotations

import hashlib
import re

_FLAGS = re.IGNORECASE | re.DOTALL

_TABLE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile(words, _FLAGS))
    for code, words in (
        (
            "GS-503",
            (
                r"student\b.{0,80}\b(not|no longer)\b.{0,40}\b(class|section|enrol|belong|roster)|not enrolled"
                r"|invalid student|student (sourced)?id\b.{0,30}(invalid|not found|unknown)"
            ),
        ),
        ("GS-504", r"\b(teacher|user|staff)\b.{0,60}\bnot\b.{0,40}\b(class|section|teach|assigned)"),
        (
            "GS-405",
            (
                r"categor(y|ies)\b.{0,60}(not found|unknown|invalid|not exist|missing|no match|not match|required)"
                r"|(unknown|invalid|no such|no matching|missing|find|teacher) (the )?(grading |gradebook )?category"
            ),
        ),
        (
            "GS-402",
            (
                r"(invalid|find) (the )?(due|assign|assignment) ?dates?"
                r"|(due|assign|assignment) ?dates?\b.{0,60}(outside|not (with)?in|invalid|error|before|after|beyond)"
            ),
        ),
        (
            "GS-403",
            (
                r"\b(title|name|description)\b.{0,60}"
                r"(too long|exceeds?|longer than|max(imum)? length|at most \d+|length)"
            ),
        ),
        (
            "GS-409",
            r"grade ?scale|score ?scale|scale id|(unknown|invalid) (letter|mark|grade code|score code)",
        ),
        ("GS-408", r"score\b.{0,30}(must|has to|should) be (a |an )?(number|numeric|decimal)|non-?numeric"),
        (
            "GS-413",
            (
                r"(points?|maximum|max|resultvaluemax)\b.{0,50}"
                r"(greater than (0|zero)|not be (0|zero)|be positive|above (0|zero))"
            ),
        ),
        (
            "GS-410",
            (
                r"score\b.{0,60}(exceed|above|greater than|higher than|larger than|more than).{0,40}"
                r"(max|point|limit|possible)"
            ),
        ),
        (
            "GS-501",
            (
                r"((grading|marking) ?period|grading window|\bterm\b|\bgrade ?book\b).{0,80}"
                r"(\bclosed\b|\binactive\b|not (yet )?(open|active)|has ended|\blocked\b|read.?only)"
                r"|\b(closed|inactive|locked)\b.{0,40}((grading|marking) ?period|grading window)"
            ),
        ),
        ("GS-502", r"\blocked\b|\bread.?only\b|\bclosed\b"),
        (
            "GS-505",
            (
                r"gradebook number|invalid (assignment|line ?item|column)( sourced)? ?id"
                r"|(assignment|line ?item|column)( sourced)? ?id\b.{0,20}(invalid|not found|unknown)"
                r"|could not find (the )?(resource|assignment|line ?item)"
            ),
        ),
        ("GS-404", r"multiple (matches|matching)|already exists?|\bduplicate"),
    )
)
"""The first row that fits decides: a student named in a sentence about a locked class is still a student's."""

_ABOUT_RESULTS = {"GS-404": "GS-511"}
"""For a result, a record that exists already is a cell somebody else made, not a name given twice."""

_NOT_OFFERED = re.compile(r"\broutes?\b.{0,30}not found|no such (route|endpoint)|not licen[cs]ed", _FLAGS)

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\u201c[^\u201d]*\u201d|\([^)]*\)|\[[^\]]*\]")
_WORD = re.compile(r"[^\W\d_]+")


def code_of(text: str, *, about_result: bool) -> str | None:
    """The code of a refused record by the vendor's words; None when they say nothing we know."""
    for code, words in _TABLE:
        if words.search(text):
            return _ABOUT_RESULTS.get(code, code) if about_result else code
    return None


def not_offered(text: str) -> bool:
    """Whether the words say that the whole service is not there."""
    return bool(_NOT_OFFERED.search(text))


def fingerprint(where: str, text: str) -> str:
    """Twelve hexadecimal digits, equal for refusals that differ in names and numbers only.

    `where` is status, method and path template. Quoted parts, digits and capitalised words inside a sentence are left
    out before hashing: they name people, titles and ids, and a hash of a name could be guessed.
    """
    words = _WORD.findall(_QUOTED.sub(" ", text))
    kept = [word.lower() for place, word in enumerate(words) if not place or word.islower()]
    return hashlib.sha256(f"{where}|{' '.join(kept)}".encode()).hexdigest()[:12]
