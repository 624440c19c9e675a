"""Makes text that people wrote harmless before it is shown.

Names, reasons and values come from files of a pull request: they may carry escape sequences for a terminal, commands
for a CI runner, or mentions and links for a comment. Everything shown passes here; nothing here knows what it means.
"""

from __future__ import annotations

import re
import unicodedata

# OSC, DCS, SOS, PM and APC run to their terminator; without one only the introducer goes, so that an unfinished
# sequence cannot swallow the rest of a report.
_STRINGS = re.compile(r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)")
_CSI = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")
_ESCAPE = re.compile(r"\x1b[ -/]*[0-~]?")
_SPACES = re.compile(r"\s+")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COLOUR = r"(?:\x1b\[[0-9;]*m)"
# Besides \n, whatever some reader of a log takes for the end of a line.
_LINE_ENDS = r"\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
_COMMAND = re.compile(rf"(^|[{_LINE_ENDS}])((?:\s|{_COLOUR})*):({_COLOUR}*):", re.MULTILINE)
_ZERO_WIDTH = "\u200b"


def clean(text: object) -> str:
    """One line without control characters, escape sequences, hidden or direction-changing characters."""
    plain = str(text)
    if plain.isascii() and plain.isprintable() and "  " not in plain:
        return plain.strip()
    for pattern in (_STRINGS, _CSI, _ESCAPE):
        plain = pattern.sub("", plain)
    seen = "".join(c for c in plain if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    return _SPACES.sub(" ", seen).strip()


def in_place(text: str) -> str:
    """Like `clean`, but every character keeps its column, for a line that a caret points into."""
    return "".join(" " if c.isspace() or unicodedata.category(c) in _UNSEEN else c for c in text)


def guarded(text: str) -> str:
    """A whole output in which no line reads as a command to a CI runner (`::error ...`, `##[error]...`).

    Runners look past leading blanks, so this does too. Colours of our own may stand before the colons.
    """
    return _COMMAND.sub(r"\1\2: \3:", text).replace("##[", "## [")


def cell_width(text: str) -> int:
    """Columns the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_char_width(c) for c in text)


def cut(text: str, width: int) -> str:
    """At most `width` columns of the text; what was cut ends in `...`, and no wide character is halved."""
    if cell_width(text) <= width:
        return text
    kept, taken = [], 0
    room = max(0, width - 3)
    for char in text:
        taken += _char_width(char)
        if taken > room:
            break
        kept.append(char)
    return ("".join(kept).rstrip() + "...")[:width]


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def property_value(text: object) -> str:
    """A property of a GitHub workflow command (`file=`, `title=`)."""
    return message(text).replace(":", "%3A").replace(",", "%2C")


def message(text: object) -> str:
    """The message of a GitHub workflow command."""
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


_MARKUP = re.compile(r"([\\`*_\[\]#~&$])")
_LIST = re.compile(r"^(\d*)([-+>=.)])")
_REFERENCES = re.compile(r"(?<![A-Za-z0-9])(www|gh|ghsa|cve)([.-])", re.IGNORECASE)
"""What GitHub makes links of beside addresses, mentions and numbers: `GH-12`, and the names of advisories."""
_COMMIT = re.compile(r"(?<![A-Za-z0-9])[0-9a-f]{7,}(?![A-Za-z0-9])", re.IGNORECASE)
"""Seven digits of a commit's id are enough for a link to it."""


def markdown(text: object) -> str:
    """Prose in a comment: no markup, no mention, no link, no reference to an issue or a commit.

    A backslash stops the markup; mentions and bare links are found in the rendered text, so only a character between
    their parts (of no width) stops those. What may be a commit's id is shown as code, where no link is looked for:
    so it can still be copied.
    """
    escaped = _LIST.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", clean(text)))
    for sign in ("@", "\\#"):
        escaped = escaped.replace(sign, sign + _ZERO_WIDTH)
    # Readers of tables disagree on what a backslash before a pipe means; none splits at an entity.
    escaped = escaped.replace("://", f":{_ZERO_WIDTH}//").replace("|", "&#124;").replace("<", "&lt;")
    return _COMMIT.sub(r"`\g<0>`", _REFERENCES.sub(rf"\1{_ZERO_WIDTH}\2", escaped))


_ACTS_IN_CODE = re.compile(r"((?<!\w)@(?=\w)|<(?=[A-Za-z/!?]))")


def code(text: object) -> str:
    """A value in a comment, as a code span: nothing in it is markup, a mention or a link.

    Nor is it where somebody shows the comment who knows no code spans; an address of e-mail stays whole, to be copied.
    """
    plain = _ACTS_IN_CODE.sub(rf"\1{_ZERO_WIDTH}", clean(text)) or " "
    longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def code_in_table(text: object) -> str:
    """A code span inside a table row; prose when it holds a pipe, which would end the cell."""
    return markdown(text) if "|" in clean(text) else code(text)
