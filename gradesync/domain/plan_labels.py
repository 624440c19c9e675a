"""Which labels a pull request carries for its plan: what of the tree is touched, and whether something is withheld.

Pure. Only labels of this module are ever set or taken away; people's own labels are nobody's business here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gradesync.domain.action import Action, ActionKind, Plan

SCHEDULE = "gradesync/schedule"
POLICY = "gradesync/policy"
CONNECTION = "gradesync/connection"
STORE = "gradesync/store"
DANGEROUS = "gradesync/dangerous"

LABELS: dict[str, tuple[str, str]] = {
    SCHEDULE: ("1d76db", "Schedules come, go or change"),
    POLICY: ("5319e7", "What is sent, and when nothing is, changes"),
    CONNECTION: ("d93f0b", "Addresses, references of secrets or accounts change"),
    STORE: ("b60205", "Settings of the store or of the ledger's key change"),
    DANGEROUS: ("e11d21", "A guard withholds a part of the plan"),
}
"""Every label that is ours, with the colour and the description it is made with."""

_CONNECTIONS = frozenset({"canvas", "sis"})
_SETTINGS = {
    "store": STORE,
    "lineage": STORE,
    "keys": STORE,
    "hosts": CONNECTION,
    "private_hosts": CONNECTION,
    "secrets": CONNECTION,
}


@dataclass(frozen=True, slots=True)
class LabelChanges:
    """What to add and what to take away, each sorted; both empty when all is as it should be."""

    add: tuple[str, ...]
    remove: tuple[str, ...]


def labels_of(plan: Plan, settings: Iterable[str] = ()) -> frozenset[str]:
    """The labels for a plan; `settings` are the changed top-level keys of gradesync.yaml."""
    found = {_SETTINGS.get(key, POLICY) for key in settings}
    for action in (*plan.actions, *plan.withheld):
        found |= _touched(action)
    return frozenset(found | {DANGEROUS} if plan.withheld else found)


def _touched(action: Action) -> set[str]:
    if action.schedule is not None:
        return {SCHEDULE}
    if action.kind is ActionKind.RETIRE:
        return {CONNECTION}
    if not action.fields:
        # A new account brings its connections and its policies; a renamed one only its name.
        return {CONNECTION} if action.kind is ActionKind.MOVE else {CONNECTION, POLICY}
    return {CONNECTION if field.path.split(".")[0] in _CONNECTIONS else POLICY for field in action.fields}


def label_changes(present: Collection[str], wanted: Collection[str]) -> LabelChanges:
    """From the labels that stand there to exactly the wanted ones of ours. GitHub takes no note of capitals."""
    ours = {label.casefold() for label in LABELS}
    here = {label.casefold() for label in present}
    asked = {label.casefold() for label in wanted}
    return LabelChanges(
        add=tuple(sorted(label for label in wanted if label.casefold() in ours - here)),
        remove=tuple(
            sorted({label for label in present if label.casefold() in ours and label.casefold() not in asked})
        ),
    )


__all__ = [
    "CONNECTION",
    "DANGEROUS",
    "LABELS",
    "POLICY",
    "SCHEDULE",
    "STORE",
    "LabelChanges",
    "label_changes",
    "labels_of",
]
