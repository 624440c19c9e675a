"""Characters that look like others: odd blanks, quotes that are not YAML's, and what cannot be seen at all.

Text is pasted from web pages and word processors. YAML reads such a character as a letter, so what a file means is not
what it shows; each is named with its number, because nobody can see it. Only single texts and lines are judged here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gradesync.domain.characters import called, with_article

_BLANKS = "\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
_BLANK = re.compile(f"[{_BLANKS}]")
_BLANK_BEFORE_COMMENT = re.compile(f"[{_BLANKS}]#")
# Escapes for terminals, and marks that turn the direction of text: reports would show something else than is written.
_INVISIBLE = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u00ad\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060\\u2066-\\u2069\\ud800-\\udfff\\ufeff]"
)
_LINE_END = re.compile("[\\x85\\u2028\\u2029]")
# A file of the old Mac has nothing else for line ends; among others, a lone one is shown by few editors.
_LONE_RETURN = re.compile(r"(?<!\r)\r++(?!\n|\Z)")
_ODD = f"[{_BLANKS}\u00ad\u200b-\u200f\u2060\ufeff]"
# Where a blank has a meaning: before a line's first character, behind a sign of YAML, before one, at a line's end.
_IN_STRUCTURE = re.compile(rf"(?:^ *|[:,\[{{-] *)({_ODD}++)|(?<!{_ODD})({_ODD}++)(?= *(?:[:#,\]}}]|$))")
_QUOTED = re.compile(r"""(?<=[:,\[{-] )(["'])(?:(?!\1).)*\1|(?<=[\[{,])(["'])(?:(?!\2).)*\2""")
_OPENING, _CLOSING = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b", "\u201c\u201d\u2018\u2019"
_CURLY_VALUE = re.compile(rf"(?:: +|^ *- +|[\[{{,] *)([{_OPENING}])")
_PLAIN_SPACE = "delete it and type a plain space"
_STRAIGHT = 'write straight quotes, "..."; a word processor turns them into curly ones'


@dataclass(frozen=True, slots=True)
class Sign:
    """A character to complain about, `width` of them in a row; `warning`: the text may be meant like this."""

    char: str
    message: str
    hint: str
    warning: bool = False
    width: int = 1


def odd_sign(text: str, *, plain: bool, is_key: bool) -> Sign | None:
    """What is odd about a key or a value; in quotes (not `plain`) only what cannot be seen is."""
    if found := _INVISIBLE.search(text):
        message = f"a text holds a character that cannot be seen: {called(found[0])}"
        return Sign(found[0], message, "delete it, or type the text again")
    if not plain or not text:
        return None
    if text[0] in _OPENING and (text[-1] in _CLOSING or not any(c in text[1:] for c in _CLOSING)):
        return _curly(text[0])
    blank = _BLANK.search(text)
    if blank is None:
        return None
    cut = _BLANK_BEFORE_COMMENT.search(text)
    if is_key or cut or _BLANK.match(text[0]) or _BLANK.match(text[-1]):
        return _blank(cut[0][0] if cut else blank[0])
    message = f"this text holds {with_article(blank[0])}, which only looks like a plain one"
    return Sign(blank[0], message, f"{_PLAIN_SPACE}; if it is meant, write the text in quotes", warning=True)


def odd_line_end(text: str) -> tuple[int, Sign] | None:
    """A character that ends a line for YAML and for no editor, with its index: a comment could go on as a key."""
    found = _LINE_END.search(text) or ("\n" in text and _LONE_RETURN.search(text)) or None
    if found is None:
        return None
    message = f"{called(found[0][0])} ends a line here, and most editors do not show it"
    return found.start(), Sign(found[0][0], message, "delete it; if a new line is meant, press Enter")


def odd_in_line(line: str) -> tuple[int, Sign] | None:
    """An odd blank of a line of a file that cannot be parsed, with its index, where a blank has a meaning."""
    if line.isascii() or line.lstrip(" ").startswith("#"):
        return None
    bare = _QUOTED.sub(lambda match: "x" * len(match[0]), line)
    found = _IN_STRUCTURE.search(bare.partition(" #")[0])
    if found is None:
        return None
    at, end = found.span(1) if found[1] else found.span(2)
    return at, replace(_blank(line[at]), width=end - at)


def curly_in_line(line: str) -> tuple[int, Sign] | None:
    """A curly quote where a value begins, of a line that cannot be parsed, with its index."""
    if line.isascii() or line.lstrip(" ").startswith("#"):
        return None
    found = _CURLY_VALUE.search(line.partition(" #")[0])
    return (found.start(1), _curly(found[1])) if found else None


def _blank(char: str) -> Sign:
    what = "looks like a plain space, but is not one" if _BLANK.match(char) else "cannot be seen"
    return Sign(char, f"the character here is {with_article(char)}: it {what}", _PLAIN_SPACE)


def _curly(char: str) -> Sign:
    return Sign(
        char, f"{char} is a curly quote (U+{ord(char):04X}): YAML does not read it as a quote", _STRAIGHT
    )


__all__ = ["Sign", "curly_in_line", "odd_in_line", "odd_line_end", "odd_sign"]
