"""Talking to a sandbox that runs in another process: what `gradesync sandbox teach`
and `sis-edit` do.

Standard library only, so that the command starts at once. No world and no server here.
"""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from gradesync.errors import GradesyncError, NotFound, UsageProblem

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TIMEOUT_SECONDS = 120.0


def teach_over_http(
    url: str,
    district: str | None = None,
    rounds: int = 1,
    seed: int | None = None,
    style: str = "day",
    acts: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Let the teachers of a running sandbox work; gives counts per district (all of them when none is named).

    `url` is the address the sandbox printed. Raises `GradesyncError` with a hint when nothing listens there
    or what listens is no sandbox, `NotFound` for an unknown district, `UsageProblem` for a style it does
    not know.
    """
    body = {"district": district, "rounds": rounds, "seed": seed, "style": style, "acts": acts}
    return _asked(url, "/_sandbox/teach", body)


def sis_edit_over_http(
    url: str,
    district: str | None = None,
    acts: tuple[str, ...] = (),
    times: int = 1,
    seed: int | None = None,
    target: str | None = None,
    value: str | None = None,
) -> dict[str, Any]:
    """Let people work by hand in the SIS of a running sandbox; gives counts per district, nothing else.

    Raises as `teach_over_http` does, `UsageProblem` also for a target that no such act can change.
    """
    body = {
        "district": district,
        "acts": acts,
        "times": times,
        "seed": seed,
        "target": target,
        "value": value,
    }
    return _asked(url, "/_sandbox/sis-edit", body)


def other_tool_over_http(
    url: str, district: str | None = None, seed: int | None = None, share: float = 1.0
) -> dict[str, Any]:
    """Let another tool carry grades into the SIS of a running sandbox; raises as `teach_over_http` does."""
    return _asked(url, "/_sandbox/other-tool", {"district": district, "seed": seed, "share": share})


def _asked(url: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the sandbox answers to one order; its refusals as this project's errors."""
    district = body["district"]
    status, answer = _post(url, path, body)
    if status == 404 and "error" in answer:
        raise NotFound(f"the sandbox has no district {district!r}", hint="its start-up text lists them")
    if status == 400:
        said = str(answer.get("error", "the sandbox did not understand the request"))
        raise UsageProblem(said, hint=answer.get("hint"))
    if status != 200 or not answer:
        raise GradesyncError(
            f"what answers at {url} is not a gradesync sandbox (status {status})",
            hint="check the port of --url",
        )
    return answer


def _post(url: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        raise UsageProblem(f"{url} is no sandbox address", hint="it looks like http://127.0.0.1:8400")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read() or b"{}")
        return response.status, answer if isinstance(answer, dict) else {}
    except (OSError, http.client.HTTPException) as problem:
        raise GradesyncError(
            f"no sandbox answers at {url}", hint="start one with `gradesync sandbox serve`, or give its --url"
        ) from problem
    except ValueError:
        return 0, {}
    finally:
        connection.close()
