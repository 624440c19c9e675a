"""How the OneRoster side says no: one exception, one body shape.

Handlers and the world raise `SisError`; the app turns it into the imsx body. No rule about what is
refused may live here.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class SisError(Exception):
    """A OneRoster error answer: HTTP status, imsx code minor and one sentence.

    Code minors of the 1.1 gradebook: invaliddata, unknownobject, forbidden, unauthorisedrequest, server_busy,
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
