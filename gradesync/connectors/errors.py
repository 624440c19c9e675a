"""What the other side's refusals mean: from status and body, in every shape seen, to one GS code.

Pure. Status and shape decide first, words (`vendor_words`) only where standards leave no other way.
Vendor text is kept as one short line for histories; it may name people and never reaches a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gradesync.connectors.vendor_words import code_of, fingerprint, not_offered
from gradesync.connectors.wire import Malformed, decode, one_line
from gradesync.errors import ConnectionProblem

Side = Literal["canvas", "sis", "github"]
NAMES: Mapping[Side, str] = {"canvas": "Canvas", "sis": "The SIS", "github": "GitHub"}
REFUSED_KEY: Mapping[Side, str] = {"canvas": "GS-201", "sis": "GS-202", "github": "GS-712"}
TOO_FAST: Mapping[Side, str] = {"canvas": "GS-301", "sis": "GS-507", "github": "GS-712"}
DOWN: Mapping[Side, str] = {"canvas": "GS-302", "sis": "GS-508", "github": "GS-712"}
UNKNOWN: Mapping[Side, str] = {"canvas": "GS-306", "sis": "GS-599", "github": "GS-712"}

_TEXT_KEYS = (
    "imsx_description",
    "error_description",
    "message",
    "detail",
    "error_message",
    "error",
    "description",
)
_THROTTLED = (b"rate limit", b"too many requests", b"throttl")
_OF_MACHINES = ("GS-502", "GS-505")
"""Codes whose words a broken server uses of itself: connections are closed, databases locked, resources not found."""
_GROUPED = frozenset({"GS-506", "GS-599", "GS-306"})
"""Codes that say only that something was refused: their answers are grouped by fingerprint."""


def is_throttled(status: int, body: bytes) -> bool:
    """429, or a 403 whose text speaks of a rate limit (Canvas, PowerSchool); every other 403 is a refusal."""
    return status == 429 or (status == 403 and any(word in body[:2000].lower() for word in _THROTTLED))


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
    code, retryable = _code(side, template, status, headers, body, data, text)
    grouped = code in _GROUPED
    return ConnectionProblem(
        f"{NAMES[side]} answered {status} to {method} {template}.",
        code=code,
        status=status,
        retryable=retryable,
        vendor_text=text,
        fingerprint=fingerprint(f"{side} {status} {method} {template}", text) if grouped else "",
    )


def unclear(side: Side, template: str, what: str, status: int | None = None) -> ConnectionProblem:
    """The problem of an answer that makes no sense: `what` is a sentence without values."""
    return ConnectionProblem(
        f"{NAMES[side]}: {what}",
        code=UNKNOWN[side],
        status=status,
        fingerprint=fingerprint(f"{side} {template}", what),
    )


def refused_with_yes(method: str, template: str, status: int, body: bytes) -> ConnectionProblem | None:
    """The refusal inside a 2xx answer: some servers put `imsx_codeMajor: failure` into one. None for a yes."""
    if b"imsx_codeMajor" not in body:
        return None
    data = _decoded(body)
    inner = data.get("imsx_StatusInfo", data) if isinstance(data, dict) else None
    if not isinstance(inner, dict) or inner.get("imsx_codeMajor") != "failure":
        return None
    text = vendor_text(data)
    code = code_of(text, about_result=_about_result(template)) or "GS-506"
    return ConnectionProblem(
        f"{NAMES['sis']} answered {status} and a failure to {method} {template}.",
        code=code,
        status=status,
        vendor_text=text,
        fingerprint=fingerprint(f"sis {status} {method} {template}", text) if code in _GROUPED else "",
    )


def _about_result(template: str) -> bool:
    return "/results" in template


def _code(
    side: Side, template: str, status: int, headers: Mapping[str, str], body: bytes, data: Any, text: str
) -> tuple[str, bool]:
    if is_throttled(status, body):
        return TOO_FAST[side], True
    if 300 <= status < 400:
        return "GS-206", False
    if side == "github":
        # No run ever meets it; what it means for a comment tells its status.
        return UNKNOWN[side], status >= 500
    if status == 401:
        return ("GS-203" if lacks_right(side, headers, body) else REFUSED_KEY[side]), False
    if side == "sis":
        return _sis_code(template, status, data, text)
    return (DOWN[side], True) if status >= 500 else (_canvas_code(template, status, data), False)


_OWN_ACCOUNT = "/api/v1/accounts/self"
"""What every run asks Canvas first. Each Canvas has it, so a server that does not is none."""


def _canvas_code(template: str, status: int, data: Any) -> str:
    if status == 403:
        return "GS-203"
    if status == 404 and template == _OWN_ACCOUNT:
        return "GS-215"
    if status == 404:
        # An address of ours names an id Canvas itself gave; gone means that it changed while we read.
        return "GS-305"
    word = data.get("code") if isinstance(data, dict) else None
    return {"not_enabled": "GS-304", "unpublished_course": "GS-303"}.get(str(word), "GS-306")


def _sis_code(template: str, status: int, data: Any, text: str) -> tuple[str, bool]:
    if status in (405, 501):
        return "GS-510", False
    if status == 408:
        return DOWN["sis"], True
    said = code_of(text, about_result=_about_result(template))
    if status >= 500:
        # A server was seen that answers 500 to a score it does not like: its words tell it from an outage.
        about_record = status == 500 and said not in (None, *_OF_MACHINES)
        return (said or "", False) if about_record else (DOWN["sis"], True)
    if not_offered(text) and status in (400, 403, 404):
        return "GS-510", False
    if status == 404:
        # An unknown route answers in the web server's own words, an unknown object in JSON.
        return (said or "GS-505") if isinstance(data, dict) else "GS-510", False
    otherwise = {403: "GS-203", 410: "GS-505", 412: "GS-505", 423: "GS-502"}
    refused = "GS-506" if status in (400, 409, 413, 414, 422) else "GS-599"
    return said or otherwise.get(status, refused), False


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
