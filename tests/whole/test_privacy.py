"""What may never leave the two sides: names, person ids, titles, scores and secrets.

Everything the commands say and everything they leave on disk is searched for every seeded person and assignment,
also when things go wrong and when somebody asks for more with --verbose.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gradesync.sandbox.canvas_state import FIRST_IDS
from tests.whole.private_scene import (
    ACCOUNT,
    ID,
    ROSTER_FILES,
    UNLIKELY,
    WORKLIST,
    Everything,
    found,
    grades,
    people,
    scores,
    secrets,
    titles,
    whole_life,
)

FORBIDDEN_KEYS = {
    "score",
    "scores",
    "student",
    "students",
    "email",
    "username",
    "login",
    "sourcedid",
    "submission",
}


@pytest.fixture(scope="module")
def everything(folder: Path) -> Iterator[Everything]:
    with pytest.MonkeyPatch.context() as patch:
        # Canvas's own numbers of people are searched for too, so they must not look like any count.
        patch.setitem(FIRST_IDS, "user", 7_310_000_011)
        with whole_life(folder) as it:
            yield it


def test_the_search_would_find_what_it_looks_for(everything: Everything) -> None:
    person = everything.sandbox.schools[ACCOUNT].district.people[0]
    needles = list(people(everything.sandbox))
    for leak in (f'"{person.sourced_id}"', f"for {person.given_name} {person.family_name}:", person.email):
        assert found(needles, f"line one\n {leak} 9.5") != set()
    assert len(set(needles)) > 100


def test_no_command_says_a_name_a_person_id_a_title_or_a_secret(everything: Everything) -> None:
    sandbox = everything.sandbox
    needles = {*people(sandbox), *titles(sandbox), *scores(sandbox), *secrets(everything)}
    for command, done in everything.said:
        # What somebody typed themselves stands in no answer either, but a command may point at it.
        assert found(needles - set(command.replace("sis:", " ").split()), done.said) == set(), command


def test_every_command_that_was_searched_was_a_real_one(everything: Everything) -> None:
    unreal = [
        command for command, done in everything.said if done.code == 64 and "--show-values" not in command
    ]
    assert unreal == []


def test_grades_really_travelled(everything: Everything) -> None:
    """Otherwise there would be nothing to leak."""
    held = [row.get("score") for row in everything.sandbox.schools[ACCOUNT].sis.rows["results"].values()]
    assert sum(isinstance(score, (int, float, Decimal)) and score > UNLIKELY for score in held) > 50
    assert len(scores(everything.sandbox)) > 200


def test_no_command_shows_a_stack_of_a_library_or_a_values_repr(everything: Everything) -> None:
    for command, done in everything.said:
        assert "Traceback (most recent call last)" not in done.said, command
        assert not re.search(r"\b(?:LineItem|Result|Person|Submission)\(", done.said), command


def test_json_answers_have_no_place_for_a_person_or_a_score(everything: Everything) -> None:
    documents = [done for command, done in everything.said if "--format json" in command]
    assert len(documents) > 8
    for done in documents:
        if done.out.strip():
            assert {key.lower() for key in _keys(json.loads(done.out))} & FORBIDDEN_KEYS == set()


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if {"name", "via", "how"} <= value.keys():
            # A member of the staff who did something, by name and login: that is what history is for.
            return
        # That somebody asked about a student is kept under a keyed pseudonym.
        yield from (key for key, inner in value.items() if not re.fullmatch("[0-9a-f]{25}", str(inner)))
        for inner in value.values():
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def test_no_file_left_behind_holds_a_name_a_person_id_a_title_or_a_secret(everything: Everything) -> None:
    sandbox = everything.sandbox
    needles = {*people(sandbox), *titles(sandbox), *scores(sandbox)}
    keys = secrets(everything)
    searched = []
    for path in everything.tree.root.rglob("*"):
        meant_for_people = any(part.startswith((WORKLIST, ROSTER_FILES)) for part in path.parts)
        if path.is_file() and "secrets" not in path.parts and not meant_for_people:
            text = _text_of(path)
            assert found(needles, text) == set(), path.name
            if path.name != "key":
                assert found(keys, text) == set(), path.name
            searched.append(path.name)
    assert {"store.db", "index.html", "summary.md", "plan.json", "bundle.zip"} <= {*searched}


def _text_of(path: Path) -> str:
    """A file's content; of an archive, that of everything in it, which is packed."""
    if path.suffix != ".zip":
        return path.read_bytes().decode("latin-1")
    with zipfile.ZipFile(path) as archive:
        return "".join(archive.read(name).decode("latin-1") for name in archive.namelist())


def test_no_alarm_carries_a_name_a_person_id_a_title_a_score_or_a_secret(everything: Everything) -> None:
    sandbox = everything.sandbox
    needles = {*people(sandbox), *titles(sandbox), *scores(sandbox), *secrets(everything)}
    bodies = [body.decode() for _, _, body in everything.hook.requests]
    assert any("GS-" in body for body in bodies), "there was something to tell"
    assert [found(needles, body) for body in bodies if found(needles, body)] == []


def test_the_page_for_everybody_names_no_staff_either(everything: Everything) -> None:
    pages = list((everything.tree.root / "public").rglob("*.html"))
    assert pages
    for path in pages:
        assert not re.search(r"sis-admin|a look around|GS-\d{3}|gradesync (?:run|pause)", path.read_text()), (
            path.name
        )


def test_the_lists_for_teachers_are_the_one_place_with_names_and_are_for_their_owner_alone(
    everything: Everything,
) -> None:
    files = [path for path in (everything.tree.root / WORKLIST).rglob("*") if path.is_file()]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert found(people(everything.sandbox), text) != set()
    for path in files:
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_the_files_of_a_dry_roster_run_hold_names_and_are_for_their_owner_alone(
    everything: Everything,
) -> None:
    folder = everything.tree.root / ROSTER_FILES
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.csv"))
    usernames = {
        str(row["username"]) for row in everything.sandbox.schools[ACCOUNT].sis.rows["users"].values()
    }
    assert found(usernames, text) != set()
    assert folder.stat().st_mode & 0o077 == 0
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_run_leaves_no_roster_behind_on_this_machine(everything: Everything) -> None:
    assert list(everything.temporary.rglob("*")) == []


def test_a_score_typed_by_hand_is_in_no_answer(everything: Everything) -> None:
    for command, done in everything.said:
        assert "--was" in command or found({"61.37"}, done.said) == set(), command


def test_values_are_shown_at_a_terminal_alone(everything: Everything) -> None:
    for command in (["compare", ID], grades(everything)[0]):
        done = everything.tree.run(*command, "--show-values")
        assert done.code == 64, done.said


def test_the_stores_files_and_the_key_are_for_their_owner_alone(everything: Everything) -> None:
    for path in (everything.tree.root / ".gradesync").iterdir():
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path.name


def test_the_running_stores_own_log_holds_nothing_either(everything: Everything) -> None:
    """While a process works, fresh pages stand in the write-ahead log, which a checkpoint would tidy away."""
    sandbox = everything.sandbox
    needles = {*people(sandbox), *titles(sandbox), *scores(sandbox), *secrets(everything)}
    tree = everything.tree
    import sqlite3

    reader = sqlite3.connect(tree.database)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM run").fetchone()
        tree.all_due(full=True)
        tree.run("reconcile")
        log = tree.database.with_name("store.db-wal").read_bytes()
    finally:
        reader.close()
    assert len(log) > 10_000
    assert found(needles, log.decode("latin-1")) == set()
