"""A school whose every name, id, title and score is known, and everything the product says and leaves of it.

The scene of `test_privacy`: days of work, questions, accidents and faults, each command as a person would type it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradesync.sandbox.accidents import Accident
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.school_year import SchoolYear
from gradesync.sandbox.server import Sandbox, running
from tests.notify.sinks import Hook, http_sink
from tests.whole.harness import GRADES, ROSTER, Done, Tree

ACCOUNT = "riverside"
ID = f"{ACCOUNT}/{GRADES}"
WORKLIST = "for-teachers"
ROSTER_ID = f"{ACCOUNT}/{ROSTER}"
ROSTER_FILES = "roster-files"
UNLIKELY = 7_310_000
"""Scores begin here: a number of seven digits stands in no log by chance, whole or with its decimals."""


@dataclass
class Everything:
    """All that was said, by command, and the tree that was left."""

    sandbox: Sandbox
    tree: Tree
    temporary: Path
    hook: Hook
    said: list[tuple[str, Done]] = field(default_factory=list)

    def say(self, *args: str, env: Mapping[str, str] = {}) -> Done:
        """Run a command and keep what it says."""
        done = self.tree.run(*args, env={"TMPDIR": str(self.temporary), **env})
        self.said.append((" ".join(args), done))
        return done


@contextmanager
def whole_life(folder: Path) -> Iterator[Everything]:
    """The school, the tree in `folder`, and all days one after the other."""
    with running((ACCOUNT,), students=30) as sandbox, http_sink() as hook:
        _mark(sandbox)
        temporary = folder / "tmp"
        temporary.mkdir()
        it = Everything(sandbox, Tree(folder, sandbox), temporary, hook)
        _be_told(it)
        _a_good_day(it)
        _a_day_of_questions(it)
        _a_week_of_rosters(it)
        _a_day_of_looking(it)
        _a_bad_day(it)
        _a_look_back(it)
        yield it


def _be_told(it: Everything) -> None:
    """Alarms go to a channel of our own; its address is a secret as a real one is."""
    with (it.tree.root / "gradesync.yaml").open("a") as settings:
        settings.write('notify: [{name: ops, channel: webhook, url: "file:secrets/hook"}]\n')
    (it.tree.root / "secrets" / "hook").write_text(it.hook.url())


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
        for command in (["show", ACCOUNT], ["show", ID], ["compare", ID], ["adopt", ID], *grades(it)):
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


def _a_day_of_looking(it: Everything) -> None:
    """What support staff, admins and CI look at: lists, the coming days, both sites, a plan on a pull request."""
    for form in ("text", "json"):
        for command in (
            ["list", "--needs", "teacher"],
            ["upcoming"],
            ["doctor", ACCOUNT],
            ["doctor", "--secrets"],
        ):
            it.say(*command, "--format", form, "--verbose")
    it.say("doctor", ACCOUNT, "--format", "markdown")
    it.say("pause", ID, "--reason", "a look around", "--for", "1h")
    path = it.tree.root / "schedules" / f"{ACCOUNT}.yaml"
    text = path.read_text()
    path.write_text(text.replace("type: grade passback\n", "type: grade passback\n    state: observe\n"))
    job = {
        "GITHUB_STEP_SUMMARY": str(it.tree.root / "summary.md"),
        "GITHUB_OUTPUT": str(it.tree.root / "output"),
    }
    it.say("validate", "--format", "github", env=job)
    it.say("plan", "--format", "github", "--out", str(it.tree.root / "plan.json"), env=job)
    it.say("comment", "--plan", str(it.tree.root / "plan.json"), "--dry-run", env=job)
    it.say("reconcile", "--format", "github", "--log-format", "json", "--verbose", env=job)
    it.say("resume", ID)
    path.write_text(text)
    it.say("reconcile", "--no-syncs")


def _a_look_back(it: Everything) -> None:
    """After what went wrong: alarms, the sites, and what somebody would send to support."""
    it.tree.all_due(full=True)
    it.say("reconcile", "--format", "github", "--verbose")
    it.say("notify", "test")
    it.say("notify", "list")
    it.say("notify", "send", "--verbose")
    it.say("list", "--needs", "support", "--verbose")
    for audience in ("staff", "public"):
        it.say("page", "-o", str(it.tree.root / audience), "--audience", audience, "--verbose")
    it.say("support-bundle", ID, "-o", str(it.tree.root / "bundle.zip"))
    it.say("support-bundle", ROSTER_ID, "--show", "--verbose")


def grades(it: Everything) -> list[list[str]]:
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


def people(sandbox: Sandbox) -> Iterator[str]:
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


def scores(sandbox: Sandbox) -> set[str]:
    """Every score as a program or a person would write it: whole, with decimals, with thousands."""
    rows = sandbox.schools[ACCOUNT].canvas.submissions.values()
    scores = [row.score for row in rows if row.score is not None and row.score > UNLIKELY]
    return {
        form
        for score in scores
        for form in (f"{score:.2f}", f"{score:,.2f}", f"{score:.0f}", f"{score:,.0f}")
    }


def titles(sandbox: Sandbox) -> set[str]:
    return {a.name for a in sandbox.schools[ACCOUNT].canvas.assignments.values()} | {"Zebra"}


def secrets(it: Everything) -> set[str]:
    school = it.sandbox.schools[ACCOUNT]
    key = (it.tree.root / ".gradesync" / "key").read_text().strip()
    told = it.hook.url().rpartition("/")[2]
    return {school.canvas.token, school.sis.client_id, school.sis.client_secret, key, told}


def found(needles: Iterable[str], text: str) -> set[str]:
    """Needles standing free in the text: an id of digits inside a longer hash is not that id."""
    words = sorted({needle for needle in needles if len(needle) > 3}, key=len, reverse=True)
    pattern = "|".join(re.escape(word) for word in words)
    return set(re.findall(rf"(?<![0-9A-Za-z])(?:{pattern})(?![0-9A-Za-z])", text, re.IGNORECASE))
