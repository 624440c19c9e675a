"""Files of saved plans: written by `plan --out`, read by `reconcile --plan`.

A file holds names, digests and what it is bound to, never a definition or a secret. Its `report` is the plan as
people read it, for `comment`; nothing of it is ever applied. The checksum notices a change that nobody meant; a change
that somebody meant can only leave something out, because all that is applied comes from the files and the store
(`domain.saved_plan`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradesync.errors import ConfigInvalid, StalePlan

if TYPE_CHECKING:
    from datetime import datetime

    from gradesync.domain.saved_plan import SavedAction, SavedPlan

_VERSION = 1
_AGAIN = "make it anew with `gradesync plan --out FILE`"


def write_plan(
    path: Path,
    actions: tuple[SavedAction, ...],
    *,
    lineage: str,
    commit: str | None,
    only: frozenset[str] | None,
    made_at: datetime,
    report: Mapping[str, Any] | None = None,
) -> str:
    """Write the file at once or not at all; answers the plan's id. Raises ConfigInvalid where it cannot be written."""
    from gradesync import __version__

    body: dict[str, Any] = {
        "version": _VERSION,
        "kind": "saved plan",
        "gradesync": __version__,
        "lineage": lineage,
        "commit": commit,
        "made_at": made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "accounts": None if only is None else sorted(only),
        "actions": [
            {
                "kind": one.kind,
                "account": one.account,
                "schedule": one.schedule,
                "before": one.before,
                "after": one.after,
                "moved_from": one.moved_from,
                "withheld": one.withheld,
            }
            for one in actions
        ],
        "report": report,
    }
    checksum = _checksum(body)
    aside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        aside.write_text(json.dumps({**body, "checksum": checksum}, indent=2) + "\n", encoding="ascii")
        aside.replace(path)
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be written: {error.strerror}", hint="name another file") from None
    return checksum[:12]


def read_plan(path: Path) -> SavedPlan:
    """What the file says. Raises ConfigInvalid for one that is no saved plan, or is not as it was written."""
    from gradesync.domain.saved_plan import SavedPlan

    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body.pop("version") != _VERSION or body["kind"] != "saved plan":
            raise ValueError("of another kind")
        checksum = body.pop("checksum")
        plan = SavedPlan(
            version=_text(body["gradesync"]),
            lineage=_text(body["lineage"]),
            commit=None if body["commit"] is None else _text(body["commit"]),
            only=None if body["accounts"] is None else frozenset(map(_text, body["accounts"])),
            actions=tuple(_action(one) for one in body["actions"]),
            id=_text(checksum)[:12],
        )
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be read: {error.strerror}", hint=_AGAIN) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigInvalid(f"{path} is no plan that this gradesync saved", hint=_AGAIN) from None
    if _checksum({"version": _VERSION, **body}) != checksum:
        raise ConfigInvalid(f"{path} was changed after it was saved; nothing of it is applied", hint=_AGAIN)
    return plan


def bound_to(plan: SavedPlan, path: Path, *, lineage: str, commit: str | None) -> None:
    """Raises StalePlan for a plan that was made for another store, another gradesync or another commit."""
    from gradesync import __version__
    from gradesync.domain.saved_plan import misfit

    why = misfit(plan, version=__version__, lineage=lineage, commit=commit)
    if why is not None:
        raise StalePlan(f"the plan in {path} does not fit here: {why}; nothing was applied", hint=_AGAIN)


def _action(row: Mapping[str, Any]) -> SavedAction:
    from gradesync.domain.saved_plan import SavedAction

    return SavedAction(
        kind=_text(row["kind"]),
        account=_text(row["account"]),
        schedule=_maybe(row["schedule"]),
        before=_maybe(row["before"]),
        after=_maybe(row["after"]),
        moved_from=_maybe(row["moved_from"]),
        withheld=row["withheld"] is True,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _maybe(value: object) -> str | None:
    return None if value is None else _text(value)


def _checksum(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
