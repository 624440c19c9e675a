"""What `explain GS-nnn` prints: one code of the catalogue, from its cause to the page that says more."""

from __future__ import annotations

from gradesync.domain.documents import in_docs
from gradesync.domain.problem import Code
from gradesync.reporting import words
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import fields, finished


def code(entry: Code, *, style: Style) -> str:
    """Title, cause, remedy, who acts, what it does to a run, how far it reaches, and what happens meanwhile."""
    pairs = [
        ("cause", entry.cause),
        ("remedy", entry.remedy),
        ("who acts", words.who_acts(entry)),
        ("effect", words.EFFECTS[entry.act]),
        ("concerns", words.CONCERNS[entry.radius]),
        ("meanwhile", entry.meanwhile),
        ("more", in_docs(f"codes/{entry.code}")),
    ]
    return finished([f"{style.paint(entry.code, 'yellow')}  {entry.title}", *fields(pairs, style)])


__all__ = ["code"]
