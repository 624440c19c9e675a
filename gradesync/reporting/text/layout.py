"""Lines, columns and tables. Knows widths and colours, nothing of what is told.

Rich is imported inside `_drawn` alone: it costs more than a whole piped command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gradesync.reporting.clean import cell_width, clean, cut, guarded
from gradesync.reporting.style import Style

NARROWEST = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table and its colour."""

    text: str
    color: str = ""


def finished(lines: Iterable[str]) -> str:
    """The lines as one output: no blanks at line ends, no line a CI runner would obey."""
    return guarded("\n".join([_trimmed(line) for line in lines]).rstrip("\n")) + "\n"


def _trimmed(line: str) -> str:
    """Without blanks at its end, coloured ones included; the pattern is slow, and piped lines have no colours."""
    return _TRAILING.sub("", line) if "\x1b" in line else line.rstrip()


_TRAILING = re.compile(r"(?:\x1b\[[0-9;]+m +\x1b\[0m|\s)+$")


def folded(text: str, style: Style, indent: str = "", more: str | None = None, color: str = "") -> list[str]:
    """The text behind `indent`, wrapped on a terminal with `more` before every further line.

    Colour is put on afterwards: its codes take no columns. A word longer than a line stays whole, so that it can
    still be copied.
    """
    following = indent if more is None else more
    room = max(style.width, NARROWEST) if style.terminal else None
    lines, current = [], indent
    for word in text.split(" "):
        joined = current + word if current in (indent, following) else f"{current} {word}"
        if room is not None and cell_width(joined) > room and current.strip() and joined != current + word:
            lines.append(current)
            joined = following + word
        current = joined
    return [style.paint(line, color) for line in (*lines, current)]


def fields(pairs: Iterable[tuple[str, str]], style: Style, indent: str = "  ") -> list[str]:
    """`name  value` lines with the values under each other; pairs without a value are left out."""
    kept = [(name, value) for name, value in pairs if value]
    width = max((len(name) for name, _ in kept), default=0)
    lines: list[str] = []
    for name, value in kept:
        head = f"{indent}{name:<{width}}  "
        first, *rest = folded(value, style, head, " " * len(head))
        lines.append(indent + style.paint(first[len(indent) : len(head)], "dim") + first[len(head) :])
        lines.extend(rest)
    return lines


def table(titles: Sequence[str], rows: Sequence[Sequence[Cell]], style: Style) -> list[str]:
    """Plain aligned columns when piped; on a terminal fitted to its width.

    On a terminal that even the longest words are too wide for, every row becomes a few lines of its own: words cut
    in the middle can neither be read nor copied.
    """
    if not style.terminal:
        return _aligned_in_colour(titles, rows, style) if style.color else _aligned(titles, rows)
    widths = _fit(titles, [[clean(c.text) for c in row] for row in rows], max(style.width, NARROWEST))
    if widths is None:
        return [line for row in rows for line in _stacked(titles, row, style)][:-1]
    return _drawn(titles, rows, widths, style)


def important(
    titles: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    style: Style,
    may_go: Sequence[str],
    brief: Sequence[Sequence[Cell]] | None = None,
) -> tuple[list[str], list[str]]:
    """A table with a line for each row, and the titles of the columns that a narrow terminal has no room for.

    Columns go in the order of `may_go`, until what is left fits on one line; no value is ever cut. `brief` are the
    same rows in fewer letters, for a terminal that has no room for the long ones. Piped, everything is there.
    """
    if not style.terminal or _one_line(titles, rows, range(len(titles)), style):
        return table(titles, rows, style), []
    shown = rows if brief is None else brief
    kept, gone = list(range(len(titles))), []
    for title in may_go:
        if _one_line(titles, shown, kept, style):
            break
        kept.remove(titles.index(title))
        gone.append(title)
    chosen = [[row[at] for at in kept] for row in shown]
    return table([titles[at] for at in kept], chosen, style), gone


def _one_line(
    titles: Sequence[str], rows: Sequence[Sequence[Cell]], kept: Sequence[int], style: Style
) -> bool:
    widths = (max(cell_width(t) for t in (titles[i], *(clean(row[i].text) for row in rows))) for i in kept)
    return sum(widths) + _GAP * (len(kept) - 1) <= max(style.width, NARROWEST)


def _aligned(titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    texts = [list(titles), *([clean(cell.text) or "-" for cell in row] for row in rows)]
    columns = [_padded(column) for column in zip(*texts, strict=True)]
    return ["  ".join(line) for line in zip(*columns, strict=True)]


def _aligned_in_colour(titles: Sequence[str], rows: Sequence[Sequence[Cell]], style: Style) -> list[str]:
    """The same columns, for a pipe that was given colours: the blanks between them stay as they are."""
    cells = [
        [Cell(title, "bold") for title in titles],
        *([Cell(c.text or "-", c.color) for c in r] for r in rows),
    ]
    texts = [[clean(cell.text) for cell in row] for row in cells]
    columns = zip(*(_padded(column) for column in zip(*texts, strict=True)), strict=True)
    lines: list[str] = []
    for row, shown, line in zip(cells, texts, columns, strict=True):
        parts = zip(row, shown, line, strict=True)
        lines.append("  ".join(style.paint(t, cell.color) + wide[len(t) :] for cell, t, wide in parts))
    return lines


def _padded(column: Sequence[str]) -> list[str]:
    """All texts as wide as the widest."""
    if all(map(str.isascii, column)):
        width = max(map(len, column))
        return [text.ljust(width) for text in column]
    widths = [cell_width(text) for text in column]
    widest = max(widths)
    return [text + " " * (widest - width) for text, width in zip(column, widths, strict=True)]


LONGEST = 160
"""Columns of a table's cell that people may write as much into as they like; what is whole stands elsewhere."""


def shortened(text: str) -> str:
    """A text of people's own for a cell: one line, cut with `...` where a table would grow wider than anybody reads."""
    return cut(clean(text), LONGEST)


_GAP = 2


def _fit(titles: Sequence[str], texts: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Widths of the columns, each between its longest word and its longest text; None when words do not fit."""
    columns = list(zip(titles, *texts, strict=True))
    room -= _GAP * (len(columns) - 1)
    wanted = [max(cell_width(text) for text in column) for column in columns]
    widths = [
        max(cell_width(word) for word in (*_words(title), *(w for text in column for w in _words(text))))
        for title, *column in columns
    ]
    spare = room - sum(widths)
    if spare < 0:
        return None
    # What is left goes where a line break is saved for the fewest columns.
    for i in sorted(range(len(columns)), key=lambda i: wanted[i] - widths[i]):
        given = min(spare, wanted[i] - widths[i])
        widths[i] += given
        spare -= given
    return widths


def _words(text: str) -> list[str]:
    """Parts a line may end after: words, and the parts of `account/schedule` and of zones."""
    return _PART.findall(text) or [""]


# The last choice is the second slash of `https://` before a blank: nothing of a text may be lost.
_PART = re.compile(r"[^\s/]*/(?=\S)|[^\s/]+/?|/")


def _cell_lines(text: str, width: int) -> str:
    lines, current = [], ""
    for match in _PART.finditer(text):
        gap = " " if current and text[match.start() - 1] == " " else ""
        if current and cell_width(current + gap + match[0]) > width:
            lines.append(current)
            current, gap = "", ""
        current += gap + match[0]
    return "\n".join([*lines, current])


def _stacked(titles: Sequence[str], row: Sequence[Cell], style: Style) -> list[str]:
    """The first cell as a heading, the others under it as many to a line as fit; a cell is never broken over lines."""
    head, *rest = row
    lines, current, room = [style.paint(clean(head.text), head.color)], "", 0
    for title, cell in zip(titles[1:], rest, strict=True):
        text = clean(cell.text)
        if not text:
            continue
        part = f"{style.paint(title.lower(), 'dim')} {style.paint(text, cell.color)}"
        taken = len(title) + 1 + cell_width(text) + _GAP
        if taken > max(style.width, NARROWEST):
            lines += [
                *([current] if current else []),
                *folded(f"{title.lower()} {text}", style, "  ", "    "),
            ]
            current = ""
            continue
        if current and taken > room:
            lines.append(current)
            current = ""
        if not current:
            room = max(style.width, NARROWEST)
        current += " " * _GAP + part
        room -= taken
    return [*lines, *([current] if current else []), ""]


def _drawn(
    titles: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[int], style: Style
) -> list[str]:
    from io import StringIO

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = StringIO()
    console = Console(
        file=out,
        # The last column's gap is cut off afterwards, as every blank at a line's end is.
        width=max(style.width, NARROWEST) + _GAP,
        height=100,
        force_terminal=style.color,
        color_system="standard" if style.color else None,
        no_color=not style.color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        # What the terminal can do was asked already; rich must not look into the environment again.
        _environ={},
    )
    drawn = Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold")
    for title, width in zip(titles, widths, strict=True):
        drawn.add_column(Text(_cell_lines(title, width)), width=width, no_wrap=True, overflow="ignore")
    for row in rows:
        cells = zip(row, widths, strict=True)
        drawn.add_row(
            *(Text(_cell_lines(clean(c.text), w), style=_RICH.get(c.color, c.color)) for c, w in cells)
        )
    console.print(drawn)
    return out.getvalue().splitlines()


_RICH = {"alarm": "bold red"}
