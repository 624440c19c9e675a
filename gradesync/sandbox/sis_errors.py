"""How the OneRoster side says no: one exception, and the shapes its body may take.

Handlers and the world raise `SisError`; the app turns it into a body, the imsx one of both versions or one of the
forms other servers were seen to use. No rule about what is refused may live here.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


class SisError(Exception):
    """A OneRoster error answer: HTTP status, imsx code minor and one sentence.

    Code minors of both gradebooks: invaliddata, unknownobject, forbidden, unauthorisedrequest, server_busy,
    invalid_filter_field, invalid_selection_field, deletefailure, internal_server_error.
    """

    def __init__(self, status: int, code_minor: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.code_minor = code_minor
        self.description = description


def imsx_body(code_minor: str, description: str) -> Json:
    """The bare imsx status object that OneRoster servers answer errors with."""
    return {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        # SIS vendors are asked to begin with their name, because the sentence is shown to people as it is.
        "imsx_description": f"Genesis: {description}",
        "imsx_CodeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": code_minor}
            ]
        },
    }


def unknown(kind: str) -> SisError:
    """404: the object of the path, or one the body refers to, does not exist."""
    return SisError(404, "unknownobject", f"unknown {kind}")


def invalid(description: str) -> SisError:
    """422: well-formed JSON that cannot be stored."""
    return SisError(422, "invaliddata", description)


def error_answer(refusal: SisError, form: str) -> tuple[str, str]:
    """The body and its content type for an error form of `sis_behaviour.ERROR_FORMS`; `bare` is the official one."""
    if form == "html":
        text = f"<html><head><title>Error {refusal.status}</title></head><body><h1>Genesis</h1></body></html>"
        return text, "text/html"
    if form == "empty":
        return "", "text/plain"
    body = imsx_body(refusal.code_minor, refusal.description)
    if form == "wrapped":
        body = {"imsx_StatusInfo": body}
    elif form == "flat":
        body = {"error": refusal.description}
    return json.dumps(body), "application/json"
