"""The kinds of values the files hold: each reads itself, refuses in our words, and says what an editor may show.

A refusal is raised with a GS code as its type; `wording` turns it into a placed problem. No refusal repeats a value
that could be a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import PlainValidator, StringConstraints, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from gradesync.config.findings import NAME
from gradesync.domain.interval import IntervalError, known_zones, zone
from gradesync.domain.profile import OMITTABLE, PROFILES
from gradesync.domain.rights import EVERYWHERE, Right

LINE, PATH, PATH_AND_QUERY = r"^[^\n\t]*$", r"^/[^\s?#]*$", r"^/[^\s#]*$"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_DURATION = re.compile(r"(\d{1,5}) ?(m|min|minutes?|h|hours?)\Z")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,3})?) ?%\Z")
_REFERENCE = re.compile(r"(?:env:[A-Za-z_][A-Za-z0-9_]*|file:[^\s{}\x00-\x1f]+)\Z")
_TEMPLATE = re.compile(r"[a-z][a-z0-9+-]*:\S+\Z")


MAIL = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+\Z"
)
"""One plain mail address: no blanks, quotes or commas, nothing that a header or a URL gives a meaning."""
_QUIET = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d) ?- ?((?:[01]\d|2[0-3]):[0-5]\d)\Z")
_PLACE = re.compile(r"(?:group:)?[a-z0-9*?][a-z0-9_*?-]{0,62}\Z")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the owner's settings allow in account files: host globs (None: loopback only), secret schemes.

    `schemes` None: not known, so none is blamed.
    """

    hosts: tuple[str, ...] | None = None
    schemes: frozenset[str] | None = field(default_factory=frozenset)


def refuse(code: str, message: str, hint: str = "") -> PydanticCustomError:
    """A refusal that carries its GS code, message and hint to `wording`."""
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint})


def text_in(value: Any) -> str:
    """Text, or pydantic's own refusal of anything else."""
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return value


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """` did you mean ...` as a hint, or nothing."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def _zone(value: Any) -> str:
    try:
        zone(text_in(value))
    except IntervalError as error:
        message, advice = error.said
        raise refuse(
            "GS-105", message, advice or "write a place of the IANA list, such as America/Chicago"
        ) from None
    return text_in(value)


def _profile(value: Any) -> str:
    name = text_in(value)
    if name not in PROFILES:
        known = sorted(PROFILES)
        hint = did_you_mean(name, known) or f"one of {', '.join(known)}"
        raise refuse("GS-110", "there is no SIS profile of this name", hint)
    return name


def _field(value: Any) -> str:
    name = text_in(value)
    if name not in OMITTABLE:
        hint = did_you_mean(name, list(OMITTABLE)) or f"one of {', '.join(OMITTABLE)}"
        raise refuse("GS-110", "this is not a field that can be left out", hint)
    return name


def _percent(value: Any) -> float:
    match = _PERCENT.match(value) if isinstance(value, str) else None
    if match is None or float(match[1]) > 100:
        raise refuse("GS-110", "a share is written as a percentage from 0% to 100%", "write it like `10%`")
    return round(float(match[1]) / 100, 6)


def _minutes(value: Any) -> int:
    match = _DURATION.match(value) if isinstance(value, str) else None
    minutes = int(match[1]) * (60 if match[2].startswith("h") else 1) if match else 0
    if not 1 <= minutes <= 10080:
        raise refuse("GS-110", "a duration is minutes or hours, at most 168h", "write it like `30m` or `4h`")
    return minutes


def _day(value: Any) -> str:
    text = text_in(value)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            date.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise refuse("GS-104", "this is not a date of the calendar", "write it like `2027-08-01`")


def _moment(value: Any) -> str:
    text = text_in(value)
    whole = f"{text} 00:00" if len(text) == 10 else text
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", whole, re.ASCII):
            datetime.strptime(whole, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - local wall time by design
            return whole
    except ValueError:
        pass
    raise refuse("GS-104", "this is not a local date and time", "write it like `2027-06-25 18:00`")


def _reference(value: Any, info: ValidationInfo) -> str:
    if isinstance(value, (dict, list)):
        raise PydanticKnownError("string_type")
    text = value if isinstance(value, str) else ""
    allowed = info.context.schemes if isinstance(info.context, Allowed) else frozenset()
    scheme = text.partition(":")[0]
    if _REFERENCE.match(text) or ((allowed is None or scheme in allowed) and _TEMPLATE.match(text)):
        return text
    if value is None:
        raise refuse("GS-107", "the reference is empty", "write `env:NAME` or `file:PATH`")
    raise refuse(
        "GS-107",
        "a secret is never written here, only where it is kept",
        "write `env:NAME` or `file:PATH`; if this was a real key, rotate it now",
    )


def _titles(word: str) -> Any:
    def read(value: Any) -> str | list[str]:
        words = ("current", "all") if word == "current" else (word,)
        if isinstance(value, str) and value in words:
            return value
        if isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
            return [str(item) for item in value]
        if isinstance(value, list) and any(isinstance(item, (int, float, bool)) for item in value):
            raise refuse(
                "GS-106", "an entry of the list is read as a number or boolean", "put every entry in quotes"
            )
        either = " or ".join(f"`{known}`" for known in words)
        raise refuse("GS-110", f"this is {either}, or a list of texts", "write a list like [a, b]")

    return read


def _may(value: Any) -> dict[str, list[str]]:
    """A list of rights counts everywhere; a mapping says where each does. The answer always says where."""
    if isinstance(value, list):
        value = {_right(one): EVERYWHERE for one in value}
    if not isinstance(value, dict):
        raise refuse(
            "GS-110",
            "rights are a list of words, or each with its places",
            "write `may: [run, pause]` or `may: {run: [riverside]}`",
        )
    return {_right(word): _places(places) for word, places in value.items()}


def _right(word: Any) -> str:
    known = [right.value for right in Right]
    if word not in known:
        near = did_you_mean(word[:40], known) if isinstance(word, str) else ""
        raise refuse("GS-110", "there is no such right", near or f"one of {', '.join(known)}")
    return str(word)


def _places(value: Any) -> list[str]:
    places = value if isinstance(value, list) else [value]
    if not places or not all(isinstance(one, str) and _PLACE.match(one) for one in places):
        raise refuse(
            "GS-110",
            "a right counts on accounts, groups or everywhere",
            "write `everywhere`, an account such as `riverside` or `oak-*`, or `group:north`",
        )
    return [str(one) for one in places]


def _contact(value: Any) -> str:
    """A role, a name or one plain mail address: anything else with an @ could be read as more than one."""
    text = text_in(value)
    if not text or len(text) > 200 or re.search(r"[\x00-\x1f\x7f]", text):
        raise refuse("GS-110", "this is not a line of text", "write one address, or a word")
    if "@" in text and not MAIL.match(text):
        raise refuse("GS-110", "this is not one mail address", "write it like `sis@riverside.example`")
    return text


def _quiet_hours(value: Any) -> str:
    match = _QUIET.match(text_in(value))
    if match is None or match[1] == match[2]:
        raise refuse("GS-110", "these are not two times of a day", 'write them like "21:00-06:30"')
    return f"{match[1]}-{match[2]}"


def _store(value: Any) -> str:
    text = text_in(value)
    if _REFERENCE.match(text):
        return text
    bare = re.sub(r":\{(?:env:[A-Za-z_]\w*|file:[^\s{}]+)\}@", ":x@", text)
    try:
        parts = urlsplit(bare)
        password = parts.password
    except ValueError:
        password, parts = None, urlsplit("")
    if password is not None and bare == text:
        raise refuse(
            "GS-107",
            "the store's password is never written here",
            "write `{env:NAME}` in its place; rotate a real one",
        )
    if parts.scheme not in ("sqlite", "postgresql"):
        raise refuse(
            "GS-110",
            "this is not the address of a store",
            "write `sqlite:///PATH` or `postgresql://user@host/db`",
        )
    return text


def _secrets(value: Any) -> str:
    text = text_in(value)
    if text == "env":
        return "env:{ACCOUNT}_{NAME}"
    named = ("{account}" in text and "{name}" in text) or ("{ACCOUNT}" in text and "{NAME}" in text)
    bare = re.sub(r"\{(account|name|ACCOUNT|NAME)\}", "x", text)
    if not (_TEMPLATE.match(bare) and named) or "{" in bare:
        hint = "write `env`, or like `file:/run/gradesync/{account}/{name}`"
        raise refuse("GS-110", "this does not say how every account's secrets are found", hint)
    return text


def in_schema(kind: str, **more: Any) -> WithJsonSchema:
    """What an editor is told of the field, in words of JSON Schema."""
    return WithJsonSchema({"type": kind, **more})


def _either(words: list[str]) -> WithJsonSchema:
    items = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
    return WithJsonSchema({"anyOf": [{"type": "string", "enum": words}, items]})


def zone_schema() -> Mapping[str, Any]:
    """Every accepted time zone, for editors."""
    return {
        "type": "string",
        "enum": sorted(known_zones()),
        "description": "A place of the IANA time zone list.",
    }


Text = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=LINE)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
UrlPath = Annotated[str, StringConstraints(max_length=200, pattern=PATH)]
TokenPath = Annotated[str, StringConstraints(max_length=200, pattern=PATH_AND_QUERY)]
Name = Annotated[str, StringConstraints(pattern=NAME)]
Zone = Annotated[str, PlainValidator(_zone), in_schema("string", **{"$zone": True})]
Profile = Annotated[str, PlainValidator(_profile), in_schema("string", enum=sorted(PROFILES))]
BodyField = Annotated[str, PlainValidator(_field), in_schema("string", enum=list(OMITTABLE))]
Percent = Annotated[
    float,
    PlainValidator(_percent),
    in_schema("string", pattern=r"^\d{1,3}(\.\d{1,3})? ?%$", examples=["10%"]),
]
Minutes = Annotated[
    int,
    PlainValidator(_minutes),
    in_schema("string", pattern=r"^\d{1,5} ?(m|min|minutes?|h|hours?)$", examples=["30m", "4h"]),
]
Day = Annotated[
    str, PlainValidator(_day), in_schema("string", pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2027-08-01"])
]
Moment = Annotated[
    str,
    PlainValidator(_moment),
    in_schema("string", pattern=rf"^\d{{4}}-\d{{2}}-\d{{2}}( {_CLOCK})?$", examples=["2027-06-25 18:00"]),
]
Reference = Annotated[
    str,
    PlainValidator(_reference),
    in_schema("string", pattern=r"^[a-z][a-z0-9+-]*:\S+$", examples=["env:RIVERSIDE_CANVAS_TOKEN"]),
]
Contact = Annotated[str, PlainValidator(_contact), in_schema("string", examples=["sis@riverside.example"])]
QuietHours = Annotated[
    str,
    PlainValidator(_quiet_hours),
    in_schema("string", pattern=rf"^{_CLOCK} ?- ?{_CLOCK}$", examples=["21:00-06:30"]),
]
Terms = Annotated[Any, PlainValidator(_titles("current")), _either(["current", "all"])]
_PLACES = {"type": "string", "pattern": "^(group:)?[a-z0-9*?][a-z0-9_*?-]{0,62}$", "examples": [EVERYWHERE]}
May = Annotated[
    Any,
    PlainValidator(_may),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string", "enum": [right.value for right in Right]}},
                {
                    "type": "object",
                    "propertyNames": {"enum": [right.value for right in Right]},
                    "additionalProperties": {
                        "anyOf": [_PLACES, {"type": "array", "minItems": 1, "items": _PLACES}]
                    },
                },
            ]
        }
    ),
]
Schools = Annotated[Any, PlainValidator(_titles("all")), _either(["all"])]
StoreUrl = Annotated[
    str,
    PlainValidator(_store),
    in_schema("string", examples=["postgresql://gradesync:{env:PGPASSWORD}@db.example/gradesync"]),
]
SecretsTemplate = Annotated[
    str,
    PlainValidator(_secrets),
    in_schema("string", examples=["env", "file:/run/gradesync/{account}/{name}"]),
]
