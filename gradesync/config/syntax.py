"""Our own sentences for what a YAML parser complains about. Data and one look-up; yaml itself is not known here."""

from __future__ import annotations

# The parser's own sentences may carry a piece of the source, so none is passed on; each known one gets a wording.
_SENTENCES = (
    ("scanning a directive", "a line that begins with `%` is an order to the parser", "remove the line"),
    ("mapping values are not allowed", "YAML allows no `:` in this place", "indent equally; quote a value with `: `"),
    ("did not find expected ',' or '}'", "a comma or `}` is missing", "inside { } write `key: value, key: value`"),
    ("did not find expected ',' or ']'", "a comma or `]` is missing", "inside [ ] put a comma between entries"),
    ("expected ',' or '}'", "a comma or `}` is missing", "inside { } write `key: value, key: value`"),
    ("expected ',' or ']'", "a comma or `]` is missing", "inside [ ] put a comma between entries"),
    ("did not find expected node content", "a bracket is not closed", "close every [ and {"),
    ("unexpected end of stream", "a quoted text is not closed", "close it with the quote it began with"),
    ("alphabetic or numeric character", "a value begins with `*` or `&`", "put the value in quotes"),
    ("could not find expected ':'", "a key has no `:`", "write `key: value`"),
    ("did not find expected key", "this line does not fit the lines above", "indent the keys of one block equally"),
    ("did not find expected '-' indicator", "a list ends where an entry was due", "begin each entry with `- `"),
    ("unknown escape character", "an escape in double quotes is unknown", "use single quotes"),
    ("cannot start any token", "a value begins with a character YAML keeps for itself", "put the value in quotes"),
    ("unexpected ':'", "a `:` ends a value inside { } or [ ]", "put the value in quotes"),
    ("document start", "this comes after the end of the file's keys", "keep one map of keys in the file"),
    ("block end", "this line does not fit the lines above", "indent the keys of one block equally"),
)  # fmt: skip


def sentence(complaint: str) -> tuple[str, str]:
    """Message and hint for the parser's complaint, of which nothing is repeated."""
    known = ((message, hint) for part, message, hint in _SENTENCES if part in complaint)
    return next(known, ("this cannot be read as YAML", "compare the line with the example in the docs"))
