"""Reads a plan back as people read it: from `plan --out FILE`, or from `plan --format json`.

The file may come from anybody (the artifact of a stranger's pull request): every value is checked for its type, and
nothing in it is more than text to be shown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradesync.errors import ConfigInvalid

if TYPE_CHECKING:
    from datetime import datetime

    from gradesync.domain.action import Action, Plan, Stop
    from gradesync.domain.problem import Place, Problem

_AGAIN = "make it with `gradesync plan --out FILE` or `gradesync plan --format json`"
_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PlanReport:
    """A plan that was made elsewhere. `accounts` are those it was limited to, `tree` the tree's folder in its
    repository, `settings` the keys of gradesync.yaml that changed, `remarks` what must be known beside it."""

    plan: Plan
    problems: tuple[Problem, ...]
    at: datetime
    accounts: tuple[str, ...] | None
    tree: str
    settings: tuple[str, ...]
    remarks: tuple[str, ...]


def read_report(source: str) -> PlanReport:
    """The plan in the file `source`, or on stdin for `-`. Raises ConfigInvalid for anything that is none."""
    try:
        body = json.loads(_text(source))
        return _report(body)
    except OSError as error:
        raise ConfigInvalid(f"{source} cannot be read: {error.strerror}", hint=_AGAIN) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ConfigInvalid(f"{source} holds no plan that this gradesync can show", hint=_AGAIN) from None


def _text(source: str) -> str:
    if source == "-":
        data = sys.stdin.buffer.read(_LARGEST + 1)
    else:
        with Path(source).open("rb") as file:
            data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError("too large")
    return data.decode("utf-8")


def _report(body: Mapping[str, Any]) -> PlanReport:
    accounts: object = None
    if body["kind"] == "saved plan":
        accounts = body["accounts"]
        body = body["report"]
    if body["kind"] != "plan" or body["version"] != 1:
        raise ValueError("another kind")
    accounts = body.get("limited_to") if accounts is None else accounts
    at = _instant(body["at"])
    if at is None:
        raise ValueError("no instant")
    return PlanReport(
        plan=_plan(body),
        problems=tuple(map(_problem, _list(body["problems"]))),
        at=at,
        accounts=None if accounts is None else tuple(map(_str, _list(accounts))),
        tree=_str(body.get("tree") or ""),
        settings=tuple(map(_str, _list(body.get("settings") or []))),
        remarks=tuple(map(_str, _list(body.get("remarks") or []))),
    )


def _plan(body: Mapping[str, Any]) -> Plan:
    from gradesync.domain.action import Plan

    digest = _maybe(body["digest"])
    found = Plan(
        actions=tuple(map(_action, _list(body["actions"]))),
        withheld=tuple(map(_action, _list(body["withheld"]))),
        stops=tuple(map(_stop, _list(body["stops"]))),
        unchanged=_int(body["unchanged"]),
        frozen=tuple(map(_str, _list(body["frozen"]))),
        unrecorded=tuple(map(_str, _list(body.get("unrecorded", [])))),
        commit=_maybe(body["commit"]),
        accounts=_int(body["accounts"]),
        schedules=_int(body["schedules"]),
        dirty=body["uncommitted"] is True,
    )
    if found.digest != (digest or ""):
        # Consent to a digest that does not fit what is shown would be consent to something else.
        raise ValueError("the digest is of another plan")
    return found


def _action(row: Mapping[str, Any]) -> Action:
    from gradesync.domain.action import Action, ActionKind, FieldChange

    zone = _maybe(row["time_zone"])
    return Action(
        kind=ActionKind(_str(row["action"])),
        account=_str(row["account"]),
        schedule=_maybe(row["schedule"]),
        why=_str(row["why"]),
        place=_place(row["place"]),
        fields=tuple(
            FieldChange(_str(one["path"]), _json(one["before"]), _json(one["after"]))
            for one in _list(row["fields"])
        ),
        digest=_maybe(row["digest"]),
        next_run_before=_instant(row["next_run_before"]),
        next_run_after=_instant(row["next_run_after"]),
        moved_from=_maybe(row["moved_from"]),
        held=row["held"] is True,
        held_by=_maybe(row["held_by"]) or "",
        hold_ids=tuple(map(_str, _list(row["holds"]))),
        despite=tuple(map(_str, _list(row.get("despite_holds", [])))),
        time_zone=zone,
        locked=row["locked"] is True,
        begins=row.get("begins") is True,
    )


def _stop(row: Mapping[str, Any]) -> Stop:
    from gradesync.domain.action import Stop

    return Stop(_maybe(row["account"]), _str(row["sentence"]), _str(row["hint"]), row["locked"] is True)


def _problem(row: Mapping[str, Any]) -> Problem:
    from gradesync.domain.problem import Place, Problem

    return Problem(
        code=_str(row["code"]),
        message=_str(row["message"]),
        place=_place(row["place"]) or Place("", 0, 0),
        hint=_maybe(row["hint"]) or "",
        account=_maybe(row["account"]),
        warning=row["severity"] == "warning",
    )


def _place(row: Any) -> Place | None:
    from gradesync.domain.problem import Place

    if row is None:
        return None
    return Place(_str(row["file"]), _int(row["line"] or 0), _int(row["column"] or 0))


def _instant(value: object) -> datetime | None:
    from datetime import UTC, datetime

    if value is None:
        return None
    moment = datetime.fromisoformat(_str(value))
    if moment.tzinfo is None or not 1970 <= moment.year < 9000:
        raise ValueError("no instant")
    return moment.astimezone(UTC)


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return value


def _str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    # Half a character is none that could be sent on.
    return value.encode("utf-8", "replace").decode()


def _maybe(value: object) -> str | None:
    return None if value is None else _str(value)


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**9:
        raise TypeError("a number was expected")
    return value
