"""JSON of other people, read exactly and carefully: numbers as Decimal, instants as aware UTC, text cleaned.

Pure helpers for every connector. The parsers of submissions and results run per record, so these functions stay
short. No HTTP, no wire shape of one vendor.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

# Beyond this many digits before or after the point a number is no score, but would cost memory when written out.
_LARGEST_EXPONENT = 20


class Malformed(ValueError):
    """The other side's data is not of the shape its standard promises. Never carries the offending value."""


def _no_constant(name: str) -> object:
    # Python's reader would take NaN and Infinity, which are no JSON numbers and must never become a score.
    raise Malformed(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def decode(body: bytes) -> Any:
    """The JSON value of a UTF-8 body; numbers with a point become Decimal, exactly as written.

    Raises Malformed for anything else, deep nesting included.
    """
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        # The parser's own message would quote the text, which may name people.
        raise Malformed("the body is not JSON") from None


def number(value: Any) -> Decimal | None:
    """A score or a number of points; numbers in quotes are read too. None stays None; else Malformed."""
    if value is None:
        return None
    kind = type(value)
    if kind is Decimal:
        found: Decimal = value
    elif kind is int:
        found = Decimal(value)
    elif kind is str:
        try:
            found = Decimal(value.strip())
        except ArithmeticError:
            raise Malformed("a number was expected") from None
    else:
        raise Malformed("a number was expected")
    if not found.is_finite() or abs(found.adjusted()) > _LARGEST_EXPONENT:
        raise Malformed("a number is out of bounds")
    return found


def plain(value: Decimal) -> str:
    """A JSON number without exponent and without trailing zeros: 9.10 -> 9.1, 1E+2 -> 100."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def instant(value: Any) -> datetime | None:
    """An ISO 8601 instant as aware UTC; without an offset it is UTC. None and "" are None; else Malformed.

    The first and the last year there is are what some systems write for "no date" (0001-01-01, 9999-12-31); in
    another time zone such an instant does not even exist.
    """
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Malformed("an instant was expected") from None
    if not 1 < found.year < 9999:
        return None
    zone = found.tzinfo
    if zone is UTC:
        return found
    return found.replace(tzinfo=UTC) if zone is None else found.astimezone(UTC)


def day(value: Any) -> date | None:
    """A calendar date; of a date-time, which some servers send, the date part. None and "" are None."""
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(value[:10])
    except (TypeError, ValueError):
        raise Malformed("a date was expected") from None


def stamp(moment: datetime) -> str:
    """A date-time as OneRoster and Canvas both take it: UTC, milliseconds, Z."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def text_of(value: Any) -> str:
    """A text, or the empty one for anything that is none."""
    return value if type(value) is str else ""


def one_line(value: str, limit: int = 200) -> str:
    """One short line without control characters, for a vendor's own words."""
    return _CONTROL.sub(" ", value).strip()[:limit]


def json_object(fields: Mapping[str, object], numbers: Mapping[str, str]) -> str:
    """A JSON object of `fields` (one at least) and `numbers`, which are written out and kept digit by digit."""
    # Plain ASCII, so that even half a character in a title is JSON.
    head = _ENCODER.encode(fields)[:-1]
    tail = "".join(f',"{name}":{value}' for name, value in numbers.items())
    return f"{head}{tail}}}"
