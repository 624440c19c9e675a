"""A pull request carries exactly the labels of what its plan touches, and nobody else's label is ever touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.action import Action, ActionKind, FieldChange, Plan
from gradesync.domain.plan_labels import (
    CONNECTION,
    DANGEROUS,
    LABELS,
    POLICY,
    SCHEDULE,
    STORE,
    label_changes,
    labels_of,
)

SCHEDULE_CHANGE = Action(ActionKind.CHANGE, "riverside", "grades", "changed")
ACCOUNT_CHANGE = Action(ActionKind.CHANGE_ACCOUNT, "riverside", None, "changed")


def fields(*paths: str) -> Action:
    return replace(ACCOUNT_CHANGE, fields=tuple(FieldChange(path, None, '"x"') for path in paths))


@pytest.mark.parametrize(
    ("action", "labels"),
    [
        (SCHEDULE_CHANGE, {SCHEDULE}),
        (replace(SCHEDULE_CHANGE, kind=ActionKind.RETIRE), {SCHEDULE}),
        (fields("canvas.url"), {CONNECTION}),
        (fields("sis.client_secret", "sis.url"), {CONNECTION}),
        (fields("passback.missing"), {POLICY}),
        (fields("roster.change_limit.users", "canvas.token"), {POLICY, CONNECTION}),
        (ACCOUNT_CHANGE, {CONNECTION, POLICY}),
        (replace(ACCOUNT_CHANGE, kind=ActionKind.MOVE, moved_from="old"), {CONNECTION}),
        (replace(ACCOUNT_CHANGE, kind=ActionKind.RETIRE), {CONNECTION}),
    ],
)
def test_labels_say_what_of_an_account_is_touched(action: Action, labels: set[str]) -> None:
    assert labels_of(Plan((action,))) == labels
    assert labels_of(Plan((), withheld=(action,))) == labels | {DANGEROUS}


def test_settings_have_their_labels_too() -> None:
    assert labels_of(Plan(()), ["store"]) == {STORE}
    assert labels_of(Plan(()), ["lineage", "keys", "hosts", "secrets"]) == {STORE, CONNECTION}
    assert labels_of(Plan(()), ["people", "safety"]) == {POLICY}
    assert labels_of(Plan(())) == frozenset()


OTHERS = st.text(max_size=12).filter(lambda text: text.casefold() not in {one.casefold() for one in LABELS})
OURS = st.sampled_from([*LABELS, *(label.upper() for label in LABELS)])
PRESENT = st.lists(st.one_of(OTHERS, OURS), max_size=10)
WANTED = st.sets(st.sampled_from(sorted(LABELS)))


def after(present: list[str], wanted: set[str]) -> list[str]:
    changes = label_changes(present, wanted)
    return [label for label in present if label not in changes.remove] + list(changes.add)


@given(PRESENT, WANTED)
def test_afterwards_ours_are_exactly_the_wanted_ones_and_the_others_are_as_before(
    present: list[str], wanted: set[str]
) -> None:
    found = after(present, wanted)
    ours = {label.casefold() for label in found} & {label.casefold() for label in LABELS}
    assert ours == {label.casefold() for label in wanted}
    known = {label.casefold() for label in LABELS}
    assert [one for one in found if one.casefold() not in known] == [
        one for one in present if one.casefold() not in known
    ]


@given(PRESENT, WANTED)
def test_a_second_time_there_is_nothing_to_do(present: list[str], wanted: set[str]) -> None:
    again = label_changes(after(present, wanted), wanted)
    assert (again.add, again.remove) == ((), ())
