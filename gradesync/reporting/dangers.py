"""How grave an action of a plan is for whoever reads it. Only the judgement; how it is told is written elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum

from gradesync.domain.action import Action, ActionKind, FieldChange
from gradesync.domain.reasons import grows_bold
from gradesync.reporting import plan_words


class Danger(IntEnum):
    """Where an action stands in the report, gravest first."""

    RETIRED = 0
    NEW_HOST = 1
    BOLD = 2
    BEGINS = 3
    RESUMED = 4
    HELD = 5
    OTHER = 6


HEADINGS: Mapping[Danger, str] = {
    Danger.RETIRED: "Will be retired",
    Danger.NEW_HOST: "Addresses change: secrets go there",
    Danger.BOLD: "Policies change: more is sent, overwritten or taken away",
    Danger.BEGINS: "Will begin to send",
    Danger.RESUMED: "Will run again",
    Danger.HELD: "Under a hold: stored, and nothing starts",
    Danger.OTHER: "Other changes",
}


def dangers_of(action: Action) -> Collection[Danger]:
    """Everything an action does that somebody must see, gravest first; `OTHER` alone when there is nothing."""
    found = {
        Danger.RETIRED: action.kind is ActionKind.RETIRE,
        Danger.NEW_HOST: any(is_address(field) for field in action.fields),
        Danger.BOLD: grows_bold(action.fields),
        Danger.BEGINS: plan_words.begins(action),
        Danger.RESUMED: action.kind is ActionKind.RESUME,
        Danger.HELD: action.held,
    }
    return [danger for danger, does in found.items() if does] or [Danger.OTHER]


def danger_of(action: Action) -> Danger:
    """The gravest thing an action does."""
    return min(dangers_of(action))


def is_address(field: FieldChange) -> bool:
    """Whether the field says where an account's secrets are sent."""
    side, *_, name = field.path.split(".") if "." in field.path else (field.path, "")
    return side in ("canvas", "sis") and (name.endswith("url") or name in ("host", "port"))


__all__ = ["HEADINGS", "Danger", "danger_of", "dangers_of", "is_address"]
