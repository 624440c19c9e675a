"""Markdown that must fit: parts that are shown whole or not at all, and how many were left out.

Sizes are bytes of UTF-8: whoever counts characters or UTF-16 units finds no more. Knows nothing of plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gradesync.reporting.clean import guarded

LIMIT = 60_000
"""A comment is refused above 65,536 characters; some room is left for who posts this one."""

SUMMARY_LIMIT = 1024 * 1024 - 1024
"""GitHub drops a step's summary above 1 MiB as a whole."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with blocks under it that are shown whole or not at all. `what` is the word for blocks left out."""

    heading: str
    blocks: Sequence[str]
    what: str = "changes"
    opening: str = ""
    closing: str = ""


def size(text: str) -> int:
    """Bytes of UTF-8; half characters count as what they are written as."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def joined(head: Sequence[str], sections: Iterable[Section], foot: Sequence[str]) -> str:
    """Everything, whatever its size."""
    lines = list(head)
    for section in sections:
        lines += [
            section.heading,
            *_some(section.opening),
            *section.blocks,
            *_some(section.closing),
        ]
    return _ended([*lines, *foot])


def fitted(
    head: Sequence[str],
    sections: Iterable[Section],
    foot: Sequence[str],
    room: int,
    log: str = "the job's log",
) -> str:
    """Head and foot whole, and as many blocks between them as fit, from the first on; the rest is a number, and `log`
    says where it is.
    """
    left = room - sum(size(line) + 2 for line in (*head, *foot)) - 2
    lines: list[str] = []
    for section in sections:
        left = _fill(section, lines, left, log)
    return _ended([*head, *lines, *foot])


def _fill(section: Section, lines: list[str], left: int, log: str) -> int:
    """Add what fits of the section; answers the room that is left."""
    frame = [section.heading, *_some(section.opening)]
    rest = f"\n… and {len(section.blocks):,} more {section.what} not shown here; see {log}."
    fixed = sum(size(part) + 2 for part in (*frame, *_some(section.closing)))
    if fixed + size(rest) + 2 > left:
        return left
    lines += frame
    left -= fixed
    kept = 0
    for block in section.blocks:
        last = kept == len(section.blocks) - 1
        if size(block) + 2 + (0 if last else size(rest) + 2) > left:
            break
        lines.append(block)
        left -= size(block) + 2
        kept += 1
    hidden = len(section.blocks) - kept
    if hidden:
        more = f"\n… and {hidden:,} more {section.what} not shown here; see {log}."
        lines.append(more)
        left -= size(more) + 2
    lines += _some(section.closing)
    return left


def _some(text: str) -> list[str]:
    return [text] if text else []


def _ended(lines: Sequence[str]) -> str:
    """One text; nothing in it reads as a command where it is printed to a log."""
    return guarded("\n".join(lines).strip("\n")) + "\n"
