"""Lines, columns and tables. Knows widths and colours, nothing of what is told.

Rich is imported inside `_drawn` alone: it costs more than a whole piped command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gradesync.reporting.clean import cell_width, clean, guarded
from gradesync.reporting.style import Style

NARROWEST = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table and its colour."""

    text: str
    color: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and the fewest columns the field may be squeezed to."""

    title: str
    least: int = 6


def finished(lines: Iterable[str]) -> str:
    """The lines as one output: no blanks at line ends, no line a CI runner would obey."""
    return guarded("\n".join(line.rstrip() for line in lines).rstrip("\n")) + "\n"


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


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], style: Style) -> list[str]:
    """A table: fitted to a terminal when it does not fit by itself, else plain aligned columns."""
    if style.terminal:
        return _drawn(columns, rows, style)
    return _aligned(columns, rows)


def _aligned(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[str]:
    texts = [
        [column.title for column in columns],
        *([clean(cell.text) or "-" for cell in row] for row in rows),
    ]
    widths = [max(cell_width(line[i]) for line in texts) for i in range(len(columns))]
    return [
        "  ".join(_padded(text, width) for text, width in zip(line, widths, strict=True)) for line in texts
    ]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_width(text))


def least_width(columns: Sequence[Column]) -> int:
    """The narrowest terminal the columns can be read on."""
    return sum(column.least for column in columns) + 2 * (len(columns) - 1)


def _drawn(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], style: Style) -> list[str]:
    from io import StringIO

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = StringIO()
    console = Console(
        file=out,
        width=max(style.width, NARROWEST),
        height=100,
        force_terminal=style.color,
        color_system="standard" if style.color else None,
        no_color=not style.color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column.title, overflow="fold", min_width=column.least)
    for row in rows:
        drawn.add_row(*(Text(clean(cell.text), style=_RICH.get(cell.color, cell.color)) for cell in row))
    console.print(drawn)
    return out.getvalue().splitlines()


_RICH = {"alarm": "bold red"}
