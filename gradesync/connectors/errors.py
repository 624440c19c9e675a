"""What the other side's refusals mean: from status and body, in every shape seen, to one GS code.

Pure. Status and shape decide first, words only where standards leave no other way (vendors say "locked" in prose).
Vendor text is kept as one short line for histories; it may name people and never reaches a log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from gradesync.connectors.wire import Malformed, decode, one_line
from gradesync.errors import ConnectionProblem

Side = Literal["canvas", "sis"]
NAMES: Mapping[Side, str] = {"canvas": "Canvas", "sis": "The SIS"}
REFUSED_KEY: Mapping[Side, str] = {"canvas": "GS-201", "sis": "GS-202"}
TOO_FAST: Mapping[Side, str] = {"canvas": "GS-301", "sis": "GS-507"}
DOWN: Mapping[Side, str] = {"canvas": "GS-302", "sis": "GS-508"}
UNKNOWN: Mapping[Side, str] = {"canvas": "GS-306", "sis": "GS-599"}

_TEXT_KEYS = (
    "imsx_description",
    "error_description",
    "message",
    "detail",
    "error_message",
    "error",
    "description",
)
_PERIOD = re.compile(r"(grading|marking)\s*period|grading window|\bterm\b|\bgradebook\b", re.IGNORECASE)
_CLOSED = re.compile(r"\bclosed\b|\binactive\b|not (open|active)|has ended", re.IGNORECASE)
_LOCKED = re.compile(r"\blocked\b|\bread.?only\b|\bclosed\b", re.IGNORECASE)
_NOT_IN_CLASS = re.compile(
    r"student\b.{0,80}\b(not|no longer)\b.{0,40}\b(class|section|enrol|belong)|not enrolled",
    re.IGNORECASE | re.DOTALL,
)
_TEACHER = re.compile(
    r"(teacher|user|staff)\b.{0,60}\bnot\b.{0,40}\b(class|section|teach)", re.IGNORECASE | re.DOTALL
)


def is_throttled(status: int, body: bytes) -> bool:
    """429, or a 403 whose text speaks of a rate limit (Canvas, PowerSchool); every other 403 is a refusal."""
    return status == 429 or (status == 403 and b"rate limit" in body[:2000].lower())


def lacks_right(side: Side, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a 401 means "no permission" rather than "bad key" (canvas.md 1.4): then a new token cannot help."""
    if side != "canvas":
        return False
    return "WWW-Authenticate" not in headers or b"insufficient scopes" in body[:2000].lower()


def refusal(
    side: Side, method: str, template: str, status: int, headers: Mapping[str, str], body: bytes
) -> ConnectionProblem:
    """The problem behind an answer that is not 2xx. `template` is the path without ids, the only part we repeat."""
    data = _decoded(body)
    text = vendor_text(data, body)
    code, retryable = _code(side, status, headers, body, data, text)
    return ConnectionProblem(
        f"{NAMES[side]} answered {status} to {method} {template}.",
        code=code,
        status=status,
        retryable=retryable,
        vendor_text=text,
    )


def _code(
    side: Side, status: int, headers: Mapping[str, str], body: bytes, data: Any, text: str
) -> tuple[str, bool]:
    if is_throttled(status, body):
        return TOO_FAST[side], True
    if 300 <= status < 400:
        return "GS-206", False
    if status == 401:
        return ("GS-203" if lacks_right(side, headers, body) else REFUSED_KEY[side]), False
    if status in (405, 501) and side == "sis":
        return "GS-510", False
    if status >= 500:
        return DOWN[side], True
    return (_canvas_code(status, data) if side == "canvas" else _sis_code(status, data, text)), False


def _canvas_code(status: int, data: Any) -> str:
    if status == 403:
        return "GS-203"
    if status == 404:
        # An address of ours names an id Canvas itself gave; gone means that it changed while we read.
        return "GS-305"
    word = data.get("code") if isinstance(data, dict) else None
    return {"not_enabled": "GS-304", "unpublished_course": "GS-303"}.get(str(word), "GS-306")


def _sis_code(status: int, data: Any, text: str) -> str:
    if status == 404:
        # An unknown route answers in the web server's own words, an unknown object in JSON.
        return "GS-505" if isinstance(data, dict) else "GS-510"
    if status == 403:
        return "GS-504" if _TEACHER.search(text) else _record_code(text, "GS-203")
    if status in (400, 409, 412, 422):
        return _record_code(text, "GS-506")
    return "GS-599"


def _record_code(text: str, otherwise: str) -> str:
    """The code of a refused record by the vendor's words; `otherwise` when they say nothing we know."""
    if _NOT_IN_CLASS.search(text):
        return "GS-503"
    if _PERIOD.search(text) and (_CLOSED.search(text) or _LOCKED.search(text)):
        return "GS-501"
    if _LOCKED.search(text):
        return "GS-502"
    return otherwise


def _decoded(body: bytes) -> Any:
    if not body:
        return None
    try:
        return decode(body)
    except Malformed:
        return None


def vendor_text(data: Any, body: bytes = b"") -> str:
    """The other side's own words as one short line: imsx in each of its shapes, Canvas's lists, bare strings."""
    found = _find_text(data, 0)
    if not found and data is None and body and not body.lstrip().startswith(b"<"):
        found = body[:400].decode("utf-8", "replace")
    return one_line(found)


def _find_text(data: Any, depth: int) -> str:
    if isinstance(data, str):
        return data
    if depth > 4:
        return ""
    if isinstance(data, list):
        return next((text for entry in data[:5] if (text := _find_text(entry, depth + 1))), "")
    if not isinstance(data, dict):
        return ""
    for key in _TEXT_KEYS:
        value = data.get(key)
        if isinstance(value, (str, list, dict)) and (text := _find_text(value, depth + 1)):
            return text
    for key in ("imsx_StatusInfo", "statusInfoSet", "imsx_statusInfo", "errors", "msg"):
        if text := _find_text(data.get(key), depth + 1):
            return text
    # A bare imsx code minor is better than nothing (Ed-Fi sends it as a plain string).
    minor = data.get("imsx_codeMinor")
    return minor if isinstance(minor, str) else _first_string(data) if depth > 0 else ""


def _first_string(data: Mapping[str, Any]) -> str:
    return next((value for value in data.values() if isinstance(value, str)), "")
