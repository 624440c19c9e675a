"""Refusals of every shape seen in the field, and the one code each means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.connectors.errors import is_throttled, refusal, refused_with_yes
from gradesync.domain.problem import CODES
from gradesync.errors import ConnectionProblem


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
    ("path", "expected"),
    [
        ("/api/v1/accounts/self", "GS-215"),
        ("/api/v1/accounts/self/terms", "GS-305"),
        ("/api/v1/users/{}", "GS-305"),
    ],
)
def test_what_every_canvas_has_and_a_server_has_not_tells_that_it_is_none(path: str, expected: str) -> None:
    assert refusal("canvas", "GET", path, 404, {}, b"<html>404</html>").code == expected


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
        (409, imsx("A result for this student already exists"), "GS-511"),
        (409, imsx("Precondition not met"), "GS-506"),
        (412, {"message": "Precondition failed"}, "GS-505"),
        (418, imsx("?"), "GS-599"),
        (423, b"", "GS-502"),
        (408, b"", "GS-508"),
        (410, {"error": "gone"}, "GS-505"),
        (404, {"error": "API route not found"}, "GS-510"),
        (403, {"error": "The grade book module is not licensed"}, "GS-510"),
        (403, {"error": "Too Many Requests"}, "GS-507"),
        (422, imsx("score must be a number"), "GS-408"),
        (422, imsx("Actual score grade scale id is not known"), "GS-409"),
        (422, imsx("The score is above the maximum points"), "GS-410"),
        (500, {"error": "score is greater than the maximum"}, "GS-410"),
        (500, {"error": "database is locked"}, "GS-508"),
        (500, {"error": "connection closed"}, "GS-508"),
        (500, b"<html>oops</html>", "GS-508"),
        (429, b"", "GS-507"),
        (403, b"403 Forbidden Rate Limit", "GS-507"),
    ],
)
def test_each_refusal_has_its_code(status: int, body: object, expected: str) -> None:
    assert code(status, body) == expected


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (404, "unknown category", "GS-405"),
        (422, "Grading category not found, use one of: A, B", "GS-405"),
        (409, "Teacher category id is invalid", "GS-405"),
        (409, "Multiple matches for this assignment", "GS-404"),
        (409, "Assignment already exists", "GS-404"),
        (422, "Invalid due date", "GS-402"),
        (422, "Cannot find due date", "GS-402"),
        (422, "The due date is outside the term", "GS-402"),
        (422, "title exceeds 30 characters", "GS-403"),
        (422, "resultValueMax must be greater than 0", "GS-413"),
        (409, "Gradebook number does not match", "GS-505"),
        (422, "Invalid assignment id", "GS-505"),
        (403, "User does not teach section", "GS-504"),
        (403, "The grading window is not open", "GS-501"),
        (400, "Unable to add assignment", "GS-506"),
        (400, "Validation exception", "GS-506"),
    ],
)
def test_what_vendors_say_of_a_line_item_has_its_code(status: int, text: str, expected: str) -> None:
    raw = json.dumps(imsx(text)).encode()
    assert refusal("sis", "PUT", "/lineItems/{}", status, {}, raw).code == expected


def said(text: str, status: int = 418) -> ConnectionProblem:
    return refusal("sis", "PUT", "/results/{}", status, {}, json.dumps(imsx(text)).encode())


def test_unknown_answers_are_grouped_whomever_they_are_about() -> None:
    one = said("Genesis: Widget frobnication failed for Maria Lopez (id 4711) in 'Essay 3'")
    other = said("Genesis: Widget frobnication failed for Bo Chen (id 12) in 'Lab'")
    assert one.code == "GS-599"
    assert one.fingerprint == other.fingerprint != ""
    assert said("Genesis: quota of gremlins reached").fingerprint != one.fingerprint
    assert said("Genesis: Widget frobnication failed", 422).fingerprint != one.fingerprint
    assert said("student does not belong to this class", 422).fingerprint == ""


@given(st.text(max_size=80))
def test_a_fingerprint_does_not_depend_on_what_stands_in_quotes(name: str) -> None:
    quoted = name.replace("'", "").replace('"', "").replace("`", "")
    quoted = "".join(c for c in quoted if c not in "()[]\u201c\u201d" and c.isprintable())
    assert (
        said(f"no widget for '{quoted[:40]}' here").fingerprint == said("no widget for 'x' here").fingerprint
    )


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: {"imsx_StatusInfo": one}])
def test_a_failure_inside_a_yes_is_a_refusal(wrap: Any) -> None:
    body = json.dumps(wrap(imsx("the grading period is closed"))).encode()
    problem = refused_with_yes("PUT", "/results/{}", 200, body)
    assert problem is not None
    assert (problem.code, problem.retryable) == ("GS-501", False)
    fine = json.dumps({**imsx("stored"), "imsx_codeMajor": "success"}).encode()
    assert refused_with_yes("PUT", "/results/{}", 200, fine) is None
    assert refused_with_yes("PUT", "/results/{}", 200, b"imsx_codeMajor: nonsense") is None


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
    words = (b"rate limit", b"too many requests", b"throttl")
    assert is_throttled(403, body) == any(word in body.lower() for word in words)
