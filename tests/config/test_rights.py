"""Rights that nobody could use are told where they stand; the tree works on with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradesync.config.loader import load
from tests.config.trees import GOOD, NOW, SETTINGS, pointed_at, tree

ANA = "people:\n  ana:\n    name: Ana Ortiz\n    logins: [aortiz]\n    may: {may}\n"


@pytest.mark.parametrize(
    ("may", "key", "hint"),
    [
        ("{run: [rivreside], pause: everywhere}", "run", "did you mean `riverside`?"),
        ("{pause: ['group:nort']}", "pause", "did you mean `group:north`?"),
        ("{pause: ['x*']}", "pause", "`group:NAME`"),
    ],
)
def test_a_right_on_a_place_that_is_none_is_told(tmp_path: Path, may: str, key: str, hint: str) -> None:
    root = tree(
        tmp_path,
        {
            "riverside.yaml": GOOD,
            "north/elm.yaml": GOOD.replace("riverside", "elm").replace("RIVERSIDE", "ELM"),
        },
        SETTINGS + ANA.format(may=may),
    )
    loaded = load(root, now=NOW)
    [problem] = [one for one in loaded.problems if one.code == "GS-118"]
    assert problem.warning
    assert hint in problem.hint
    assert pointed_at(root, problem) == key
    assert loaded.desired.accounts.keys() == {"riverside", "elm"}


def test_rights_of_somebody_without_a_login_are_told(tmp_path: Path) -> None:
    settings = SETTINGS + "people:\n  ana: {name: Ana Ortiz, may: [everything]}\n"
    root = tree(tmp_path, {"riverside.yaml": GOOD}, settings)
    [problem] = [one for one in load(root, now=NOW).problems if one.code == "GS-118"]
    assert pointed_at(root, problem) == "may"


def test_rights_that_count_somewhere_are_fine(tmp_path: Path) -> None:
    settings = SETTINGS + ANA.format(may="{run: ['river*'], pause: everywhere}")
    root = tree(tmp_path, {"riverside.yaml": GOOD}, settings)
    assert [one for one in load(root, now=NOW).problems if one.code == "GS-118"] == []
