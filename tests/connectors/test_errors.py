"""Refusals of every shape seen in the field, and the one code each means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.connectors.errors import is_throttled, refusal
from gradesync.domain.problem import CODES


def imsx(text: str, minor: str = "invaliddata") -> dict[str, Any]:
    field = {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}
    return {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": text,
        "imsx_CodeMinor": {"imsx_codeMinorField": [field]},
    }


def code(status: int, body: object, method: str = "PUT") -> str:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal("sis", method, "/results/{}", status, {}, raw).code


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, imsx("unknown lineItem", "unknownobject"), "GS-505"),
        (404, {"error": "Not found"}, "GS-505"),
        (404, b"<html>404 page not found</html>", "GS-510"),
        (404, b"", "GS-510"),
        (405, b"", "GS-510"),
        (501, imsx("not implemented"), "GS-510"),
        (403, imsx("forbidden", "forbidden"), "GS-203"),
        (403, imsx("The teacher does not teach this section"), "GS-504"),
        (403, imsx("Genesis: the gradebook is not active"), "GS-501"),
        (422, imsx("scoreDate must be a date"), "GS-506"),
        (400, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "GS-506"),
        (422, imsx("Genesis: the grading period is closed"), "GS-501"),
        (409, imsx("Marking period is locked"), "GS-501"),
        (409, {"message": "Assignment locked"}, "GS-502"),
        (422, imsx("Genesis: student does not belong to this class"), "GS-503"),
        (409, {"errors": ["Student is not enrolled in section"]}, "GS-503"),
        (409, imsx("duplicate"), "GS-506"),
        (418, imsx("?"), "GS-599"),
        (500, b"<html>oops</html>", "GS-508"),
        (429, b"", "GS-507"),
        (403, b"403 Forbidden Rate Limit", "GS-507"),
    ],
)
def test_each_refusal_has_its_code(status: int, body: object, expected: str) -> None:
    assert code(status, body) == expected


@pytest.mark.parametrize(
    "body",
    [
        imsx("SIS says no"),
        {"imsx_StatusInfo": imsx("SIS says no")},
        {"statusInfoSet": [{"imsx_description": "SIS says no"}]},
        {"imsx_codeMinor": "SIS says no"},
        {"error": "SIS says no"},
        {"detail": [{"msg": "SIS says no"}]},
        {"errors": [{"message": "SIS says no", "field": "x"}]},
        {"errors": {"graded_since": "SIS says no"}},
        {"errors": "SIS says no"},
        {"error": True, "error_message": "SIS says no"},
        "SIS says no",
        b"SIS says no",
    ],
)
def test_the_vendors_own_words_are_found_in_every_shape(body: object) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert refusal("sis", "PUT", "/x", 422, {}, raw).vendor_text == "SIS says no"


@given(
    side=st.sampled_from(["canvas", "sis"]),
    status=st.integers(300, 599),
    body=st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.booleans() | st.text(max_size=300) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["error", "errors", "message", "imsx_description", "detail", "code"]),
                    inner,
                )
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_any_answer_is_a_known_code_and_one_clean_line(side: Any, status: int, body: bytes) -> None:
    problem = refusal(side, "PUT", "/results/{}", status, {}, body)
    assert problem.code in CODES
    assert len(problem.vendor_text) <= 200
    assert all(
        character.isprintable() or character == " " for character in problem.vendor_text if character < "\xa0"
    )
    assert str(problem).endswith("answered " + f"{status} to PUT /results/{{}}.")


@given(st.binary(max_size=100))
def test_a_403_is_a_refusal_unless_it_speaks_of_the_rate_limit(body: bytes) -> None:
    assert is_throttled(403, body) == (b"rate limit" in body.lower())
