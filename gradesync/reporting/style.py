"""How a text is drawn: with colours or without, how wide, and whether somebody looks at a terminal.

Asking the terminal is the command line's business; this is only its answer.
"""

from __future__ import annotations

from dataclasses import dataclass

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "alarm": "1;31",
}


@dataclass(frozen=True, slots=True)
class Style:
    """`color` allows ANSI colours, `width` is in columns, `terminal` is False when the output is piped."""

    color: bool
    width: int
    terminal: bool

    def paint(self, text: str, name: str) -> str:
        """The text in a colour of the list, or as it is."""
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m" if self.color and text and name in _CODES else text


PLAIN = Style(color=False, width=120, terminal=False)
"""For logs and files."""
