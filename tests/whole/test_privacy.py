"""What may never leave the two sides: names, person ids, titles, scores and secrets.

Everything the commands say and everything they leave on disk is searched for every seeded person and assignment,
also when things go wrong and when somebody asks for more with --verbose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gradesync.sandbox.accidents import Accident
from gradesync.sandbox.canvas_state import FIRST_IDS
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.school_year import SchoolYear
from gradesync.sandbox.server import Sandbox, running
from tests.whole.harness import GRADES, ROSTER, Done, Tree

ACCOUNT = "riverside"
ID = f"{ACCOUNT}/{GRADES}"
WORKLIST = "for-teachers"
ROSTER_ID = f"{ACCOUNT}/{ROSTER}"
ROSTER_FILES = "roster-files"
UNLIKELY = 7_310_000
"""Scores begin here: a number of seven digits stands in no log by chance, whole or with its decimals."""
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


@dataclass
class Everything:
    """All that was said, by command, and the tree that was left."""

    sandbox: Sandbox
    tree: Tree
    temporary: Path
    said: list[tuple[str, Done]] = field(default_factory=list)

    def say(self, *args: str) -> Done:
        """Run a command and keep what it says."""
        done = self.tree.run(*args, env={"TMPDIR": str(self.temporary)})
        self.said.append((" ".join(args), done))
        return done


@pytest.fixture(scope="module")
def everything(folder: Path) -> Iterator[Everything]:
    with pytest.MonkeyPatch.context() as patch:
        # Canvas's own numbers of people are searched for too, so they must not look like any count.
        patch.setitem(FIRST_IDS, "user", 7_310_000_011)
        yield from _everything(folder)


def _everything(folder: Path) -> Iterator[Everything]:
    with running((ACCOUNT,), students=30) as sandbox:
        _mark(sandbox)
        temporary = folder / "tmp"
        temporary.mkdir()
        it = Everything(sandbox, Tree(folder, sandbox), temporary)
        _a_good_day(it)
        _a_day_of_questions(it)
        _a_week_of_rosters(it)
        _a_bad_day(it)
        yield it


def _mark(sandbox: Sandbox) -> None:
    """Titles and scores that no other text holds by chance."""
    canvas = sandbox.schools[ACCOUNT].canvas
    for number, assignment in enumerate(canvas.assignments.values()):
        assignment.name = f"Zebra {number} {assignment.name}"
    graded = [row for row in canvas.submissions.values() if row.score is not None]
    for number, row in enumerate(graded):
        if canvas.assignments[row.assignment_id].grading_type == "points":
            canvas.grade(row.assignment_id, row.user_id, float(f"{UNLIKELY + number}.37"))


def _a_good_day(it: Everything) -> None:
    it.say("validate")
    it.say("validate", "--format", "json")
    it.say("plan", "--verbose")
    it.say("plan", "--format", "json")
    it.say("plan", "--format", "github")
    it.say("reconcile", "--no-syncs", "--format", "json")
    it.say("run", ID, "--dry-run", "--full", "--verbose")
    it.say("run", ID, "--dry-run", "--format", "json")
    it.tree.all_due()
    it.say("reconcile", "--verbose")
    it.tree.all_due(full=True)
    it.say("reconcile", "--format", "markdown")
    for command in (["list"], ["show", ACCOUNT], ["show", ID], ["history"], ["holds"], ["explain", "GS-401"]):
        it.say(*command, "--format", "json")
    for command in (["list"], ["show", ACCOUNT], ["history"]):
        it.say(*command)
    it.say("show", it.tree.runs()[0]["id"], "--format", "json")
    it.say("store", "info")
    it.say("compare", ID, "--records", "--verbose")
    it.say("compare", ID, "--format", "json")
    it.say("compare", ID, "--show-values")
    it.say("adopt", ID, "--verbose")
    it.say("adopt", ID, "--yes", "--format", "json")


def _a_day_of_questions(it: Everything) -> None:
    """Both gradebooks compared, another tool's work taken over, the life of single grades, and lists for teachers."""
    world = it.sandbox.schools[ACCOUNT].sis
    for result in list(world.rows["results"].values())[::9]:
        world.edit_score(result["sourcedId"], 61.37)
    it.tree.all_due(full=True)
    it.say("reconcile", "--verbose")
    for form in ("text", "json"):
        for command in (["show", ACCOUNT], ["show", ID], ["compare", ID], ["adopt", ID], *_grades(it)):
            it.say(*command, "--format", form, "--verbose")
    it.say(*_by_sis_id(it), "--was", "61.37", "--offline", "--format", "json")
    it.say("next", "daily at 02:00", "--time-zone", "America/New_York")
    it.say("explain", ACCOUNT, "--worklist", WORKLIST, "--verbose")
    it.say("explain", ACCOUNT, "--worklist", f"{WORKLIST}-2", "--format", "json")
    it.say("history", "--last", "500")
    it.say("history", "--verify", "--verbose")


def _a_week_of_rosters(it: Everything) -> None:
    """Changes in the SIS looked at and imported, exports that break, a change approved, files left for a person."""
    world = it.sandbox.schools[ACCOUNT].sis
    year = SchoolYear(world)
    for act in ("admit-student", "marry", "rename-student", "drop-class", "change-school", "open-class"):
        year.act(act)
    it.say("run", ROSTER_ID, "--dry-run", "--format", "json")
    it.say("run", ROSTER_ID, "--dry-run", "--csv-to", str(it.tree.root / ROSTER_FILES), "--verbose")
    it.say("run", ROSTER_ID, "--verbose")
    for accident in ("half-the-rows", "new-class-ids"):
        broken = Accident(world, accident)
        stopped = it.say("run", ROSTER_ID, "--verbose")
        assert "GS-60" in stopped.said, stopped.said
        newest = it.tree.runs()[-1]["id"]
        it.say("show", newest)
        it.say("show", newest, "--format", "json")
        if accident == "half-the-rows":
            broken.repair()
    approved = it.say("approve", newest, "--reason", "meant")
    assert approved.code == 0, approved.said
    it.say("run", ROSTER_ID, "--verbose")


def _grades(it: Everything) -> list[list[str]]:
    """Questions about single grades: one that is in the SIS, one edited by hand there, one of nobody."""
    canvas = it.sandbox.schools[ACCOUNT].canvas
    rows = [row for row in canvas.submissions.values() if row.score is not None][::40][:2]
    asked = [["explain", ID, "--assignment", str(r.assignment_id), "--student", str(r.user_id)] for r in rows]
    return [*asked, ["explain", ID, "--assignment", str(rows[0].assignment_id), "--student", "999999"]]


def _by_sis_id(it: Everything) -> list[str]:
    """A question about one grade that needs no Canvas."""
    canvas = it.sandbox.schools[ACCOUNT].canvas
    row = next(row for row in canvas.submissions.values() if row.score is not None)
    student = canvas.logins_by_user[row.user_id][0].sis_user_id
    return ["explain", ID, "--assignment", str(row.assignment_id), "--student", f"sis:{student}"]


def _a_bad_day(it: Everything) -> None:
    """Faults of the network, rows nobody expects, and a store that somebody damaged."""
    it.sandbox.front.faults.stand(["server-error", "cut", "unauthorized"])
    it.say("run", ID, "--full", "--verbose")
    it.sandbox.front.faults.clear()
    it.sandbox.front.faults.orders.append(FaultOrder("unauthorized", 5, "canvas"))
    it.say("run", ID, "--full", "--verbose", "--format", "json")
    it.sandbox.front.faults.clear()
    world = it.sandbox.schools[ACCOUNT].sis
    students = [row for row in world.rows["users"].values() if row["role"] == "student"]
    _spoil(students, "givenName", "username", "role")
    _spoil(list(world.rows["results"].values()), "score", "scoreStatus", "student")
    it.say("run", ID, "--full", "--verbose")
    it.say("run", f"{ACCOUNT}/{ROSTER}", "--verbose")
    it.say("compare", ID, "--records", "--verbose")
    it.say("adopt", ID, "--verbose", "--format", "json")
    it.say("history", "--last", "500", "--format", "json")
    it.say("show", ACCOUNT)
    newest = it.tree.runs()[-1]["id"]
    it.tree.execute(f"UPDATE run SET counts = 'broken' WHERE id = '{newest}'")
    broken = it.say("show", newest, "--verbose")
    assert "something broke that should not" in broken.err, "a bug is really provoked"
    it.tree.execute(f"UPDATE run SET counts = '{{}}' WHERE id = '{newest}'")


def _spoil(rows: list[dict[str, Any]], *names: str) -> None:
    """In each of the first rows, one field is of a kind that nobody expects."""
    for row, name in zip(rows, names, strict=False):
        row[name] = [f"strange {row[name]}"]


def _people(sandbox: Sandbox) -> Iterator[str]:
    for person in sandbox.schools[ACCOUNT].district.people:
        yield f"{person.given_name} {person.family_name}"
        yield f"{person.family_name}, {person.given_name}"
        yield from (person.username, person.email, person.sourced_id)
    for row in sandbox.schools[ACCOUNT].sis.rows["users"].values():
        yield f"{row['givenName']} {row['familyName']}"
        yield from (str(row["username"]), str(row["email"]), str(row["sourcedId"]))
    canvas = sandbox.schools[ACCOUNT].canvas.raw()
    enrolled = {row["user_id"] for row in canvas["enrollments"]}
    for user in (user for user in canvas["users"] if user["id"] in enrolled):
        yield str(user["id"])
        yield from (str(user[key]) for key in ("name", "sortable_name", "email") if user.get(key))


def _scores(sandbox: Sandbox) -> set[str]:
    """Every score as a program or a person would write it: whole, with decimals, with thousands."""
    rows = sandbox.schools[ACCOUNT].canvas.submissions.values()
    scores = [row.score for row in rows if row.score is not None and row.score > UNLIKELY]
    return {
        form
        for score in scores
        for form in (f"{score:.2f}", f"{score:,.2f}", f"{score:.0f}", f"{score:,.0f}")
    }


def _titles(sandbox: Sandbox) -> set[str]:
    return {a.name for a in sandbox.schools[ACCOUNT].canvas.assignments.values()} | {"Zebra"}


def _secrets(it: Everything) -> set[str]:
    school = it.sandbox.schools[ACCOUNT]
    key = (it.tree.root / ".gradesync" / "key").read_text().strip()
    return {school.canvas.token, school.sis.client_id, school.sis.client_secret, key}


def _found(needles: Iterable[str], text: str) -> set[str]:
    """Needles standing free in the text: an id of digits inside a longer hash is not that id."""
    words = sorted({needle for needle in needles if len(needle) > 3}, key=len, reverse=True)
    pattern = "|".join(re.escape(word) for word in words)
    return set(re.findall(rf"(?<![0-9A-Za-z])(?:{pattern})(?![0-9A-Za-z])", text, re.IGNORECASE))


def test_the_search_would_find_what_it_looks_for(everything: Everything) -> None:
    person = everything.sandbox.schools[ACCOUNT].district.people[0]
    needles = list(_people(everything.sandbox))
    for leak in (f'"{person.sourced_id}"', f"for {person.given_name} {person.family_name}:", person.email):
        assert _found(needles, f"line one\n {leak} 9.5") != set()
    assert len(set(needles)) > 100


def test_no_command_says_a_name_a_person_id_a_title_or_a_secret(everything: Everything) -> None:
    sandbox = everything.sandbox
    needles = {*_people(sandbox), *_titles(sandbox), *_scores(sandbox), *_secrets(everything)}
    for command, done in everything.said:
        # What somebody typed themselves stands in no answer either, but a command may point at it.
        assert _found(needles - set(command.replace("sis:", " ").split()), done.said) == set(), command


def test_every_command_that_was_searched_was_a_real_one(everything: Everything) -> None:
    unreal = [
        command for command, done in everything.said if done.code == 64 and "--show-values" not in command
    ]
    assert unreal == []


def test_grades_really_travelled(everything: Everything) -> None:
    """Otherwise there would be nothing to leak."""
    held = [row.get("score") for row in everything.sandbox.schools[ACCOUNT].sis.rows["results"].values()]
    assert sum(isinstance(score, (int, float, Decimal)) and score > UNLIKELY for score in held) > 50
    assert len(_scores(everything.sandbox)) > 200


def test_no_command_shows_a_stack_of_a_library_or_a_values_repr(everything: Everything) -> None:
    for command, done in everything.said:
        assert "Traceback (most recent call last)" not in done.said, command
        assert not re.search(r"\b(?:LineItem|Result|Person|Submission)\(", done.said), command


def test_json_answers_have_no_place_for_a_person_or_a_score(everything: Everything) -> None:
    documents = [done for command, done in everything.said if "json" in command]
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
    needles = {*_people(sandbox), *_titles(sandbox), *_scores(sandbox)}
    secrets = _secrets(everything)
    searched = []
    for path in everything.tree.root.rglob("*"):
        meant_for_people = any(part.startswith((WORKLIST, ROSTER_FILES)) for part in path.parts)
        if path.is_file() and "secrets" not in path.parts and not meant_for_people:
            text = path.read_bytes().decode("latin-1")
            assert _found(needles, text) == set(), path.name
            if path.name != "key":
                assert _found(secrets, text) == set(), path.name
            searched.append(path.name)
    assert "store.db" in searched


def test_the_lists_for_teachers_are_the_one_place_with_names_and_are_for_their_owner_alone(
    everything: Everything,
) -> None:
    files = [path for path in (everything.tree.root / WORKLIST).rglob("*") if path.is_file()]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert _found(_people(everything.sandbox), text) != set()
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
    assert _found(usernames, text) != set()
    assert folder.stat().st_mode & 0o077 == 0
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_run_leaves_no_roster_behind_on_this_machine(everything: Everything) -> None:
    assert list(everything.temporary.rglob("*")) == []


def test_a_score_typed_by_hand_is_in_no_answer(everything: Everything) -> None:
    for command, done in everything.said:
        assert "--was" in command or _found({"61.37"}, done.said) == set(), command


def test_values_are_shown_at_a_terminal_alone(everything: Everything) -> None:
    for command in (["compare", ID], _grades(everything)[0]):
        done = everything.tree.run(*command, "--show-values")
        assert done.code == 64, done.said


def test_the_stores_files_and_the_key_are_for_their_owner_alone(everything: Everything) -> None:
    for path in (everything.tree.root / ".gradesync").iterdir():
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path.name


def test_the_running_stores_own_log_holds_nothing_either(everything: Everything) -> None:
    """While a process works, fresh pages stand in the write-ahead log, which a checkpoint would tidy away."""
    sandbox = everything.sandbox
    needles = {*_people(sandbox), *_titles(sandbox), *_scores(sandbox), *_secrets(everything)}
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
    assert _found(needles, log.decode("latin-1")) == set()
