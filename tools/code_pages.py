"""`python -m tools.code_pages` writes docs/codes from the catalogue: one page per code, and their list.

A page's first half is made here and never edited; what stands below the second marker was written by hand and is
kept. The tests tell when a page and the catalogue differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from gradesync.domain.problem import CODES, RESERVED, Code
from gradesync.reporting.words import CONCERNS, EFFECTS, who_acts

FOLDER = Path(__file__).parents[1] / "docs" / "codes"
MADE = (
    "<!-- Made by `python -m tools.code_pages`; only what stands below the next mark is written by hand. -->"
)
BY_HAND = "<!-- Written by hand from here. -->"
INTRODUCTION = """\
Whatever gradesync does not do, it says with a code, and a code says why, who must act and what to do. A code keeps its
meaning for ever. `gradesync explain GS-405` prints the same in a terminal."""
HUNDREDS = {
    "1": "The files people write",
    "2": "Keys and addresses",
    "3": "Canvas, while it is read",
    "4": "Grades not sent by rule",
    "5": "What the SIS refuses or does not do",
    "6": "Roster imports",
    "7": "Runs, the store and the tree",
}


def page(entry: Code, by_hand: str = "") -> str:
    """The page of one code; `by_hand` is what a person added to it."""
    reserved = "\nNo run meets this code yet; its meaning is settled.\n" if entry.code in RESERVED else ""
    rows = (
        ("Why", entry.cause),
        ("What to do", entry.remedy),
        ("Who must act", _capital(who_acts(entry))),
        ("What it does to a run", EFFECTS[entry.act]),
        ("What it concerns", CONCERNS[entry.radius]),
        ("What happens meanwhile", entry.meanwhile),
    )
    table = "\n".join(f"| {name} | {text} |" for name, text in rows)
    made = (
        f"# {entry.code}: {entry.title}\n\n{MADE}\n{reserved}\n| | |\n| --- | --- |\n{table}\n\n{BY_HAND}\n"
    )
    tail = f"\n{by_hand.strip()}\n" if by_hand.strip() else ""
    return made + tail + "\n[All codes](README.md)\n"


def index(entries: Iterable[Code]) -> str:
    """The list of all codes, by hundred."""
    parts = [
        "# Codes",
        INTRODUCTION,
    ]
    for hundred, group in groupby(entries, key=lambda entry: entry.code[3]):
        rows = [
            f"| [{e.code}]({e.code}.md) | {e.title} | {_capital(who_acts(e))} | {e.remedy} |" for e in group
        ]
        head = "| code | what | who | what to do |\n| --- | --- | --- | --- |"
        parts += [f"## GS-{hundred}nn: {HUNDREDS[hundred]}", "\n".join([head, *rows])]
    return "\n\n".join(parts) + "\n"


def by_hand_of(text: str) -> str:
    """What a person wrote on a page; nothing where the page is not one of ours."""
    _, marker, rest = text.partition(BY_HAND)
    return rest.removesuffix("\n").removesuffix("[All codes](README.md)").strip() if marker else ""


def pages(folder: Path = FOLDER) -> dict[str, str]:
    """File name -> text, as it should stand in the folder; what was written by hand there is kept."""
    wanted = {"README.md": index(CODES.values())}
    for code, entry in CODES.items():
        path = folder / f"{code}.md"
        wanted[path.name] = page(entry, by_hand_of(path.read_text(encoding="utf-8")) if path.exists() else "")
    return wanted


def main(folder: Path = FOLDER) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(folder).items():
        (folder / name).write_text(text, encoding="utf-8")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


if __name__ == "__main__":
    main()
