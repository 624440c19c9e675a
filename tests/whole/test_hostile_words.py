"""Words that would act if anything let them: in titles, names, groups, reasons, labels and vendors' texts.

One tree, one school, every command in every format, everything it prints and writes: nothing may steer a terminal or
a CI runner, begin a formula, mention anybody, or become markup.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest

from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.server import Sandbox, running
from tests.whole.harness import GRADES, ROSTER, Done, Tree

ACCOUNT = "riverside"
ID = f"{ACCOUNT}/{GRADES}"
MARK = "Quokka"
WORDS = (
    f"=cmd|' /C calc'!A0 {MARK}",
    f"\x1b]0;{MARK}\x07\x1b[31mred\x1b[0m \x9b2J",
    f"::set-output name={MARK}::1",
    f"\n::error file=x::{MARK}",
    f"##[error]{MARK}",
    f"<script>alert('{MARK}')</script><img src=x onerror=alert(1)>",
    f"@everyone <!channel> @here {MARK}",
    f"\u202etxt.{MARK}\u2066\u200b\u2028end",
    f"`{MARK}` | [click](https://evil.example/{MARK}) ![i](https://evil.example/i.png) #1 GH-1",
    f"{{{{ 7*7 }}}} {{% raw %}} ${{{{ secrets.{MARK} }}}} $(touch pwned) `touch pwned`",
    f"+1{MARK}\t-2\r=3",
    f"{MARK}\"'><svg/onload=alert(1)>",
)
WHY = "Wombat"
REASON = " ".join((WHY, *WORDS))
SEEN = " ".join(word for word in WORDS if word.isprintable())
"""What the loader lets through: of characters that cannot be seen, none stands in an account's file."""
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Scene:
    """The school, the tree, and everything that was said."""

    sandbox: Sandbox
    tree: Tree
    said: list[tuple[tuple[str, ...], Done]] = field(default_factory=list)

    def say(self, *args: str, code: int | None = None) -> Done:
        """Run a command and keep what it says."""
        done = self.tree.run(*args, env={"GITHUB_ACTIONS": "", "FORCE_COLOR": ""})
        assert done.code != 64, (args, done.err)
        if code is not None:
            assert done.code == code, done.said
        self.said.append((args, done))
        return done


@pytest.fixture(scope="module")
def scene(folder: Path) -> Iterator[Scene]:
    with running((ACCOUNT,), students=24) as sandbox:
        it = Scene(sandbox, Tree(folder, sandbox))
        _act(it)
        yield it


def _spoil_the_school(sandbox: Sandbox) -> None:
    """Every text a teacher or a clerk can write; each sync's own ids stay, or nothing would be carried."""
    words = cycle(WORDS)
    canvas, sis = sandbox.schools[ACCOUNT].canvas, sandbox.schools[ACCOUNT].sis
    for number, assignment in enumerate(canvas.assignments.values()):
        assignment.name = f"{next(words)} {number}"
    for group in list(canvas.groups.values())[::3]:
        group.name = next(words)
    for course in canvas.courses.values():
        course.name = next(words)
    for user in canvas.users.values():
        user.name = user.short_name = user.sortable_name = next(words)
    for row in [*sis.rows["classes"].values(), *sis.rows["courses"].values(), *sis.rows["orgs"].values()]:
        row["title" if "title" in row else "name"] = next(words)


def _spoil_the_files(tree: Tree, words: str) -> None:
    path = tree.root / "schedules" / f"{ACCOUNT}.yaml"
    tree.write_account(ACCOUNT)
    quoted = json.dumps(words.replace("\x00", ""))
    text = path.read_text(encoding="utf-8").replace(f"name: {ACCOUNT}\n", f"name: {quoted}\n")
    # Somebody to tell is a mail address or a few words.
    text += f"contacts: {{sis_admin: {json.dumps(WORDS[5])}}}\nlabels: {{region: {quoted}}}\n"
    path.write_text(text, encoding="utf-8")


def _act(it: Scene) -> None:
    _spoil_the_files(it.tree, REASON)
    for form in ("text", "json", "github"):
        it.say("validate", "--format", form, code=1)
    _spoil_the_files(it.tree, SEEN)
    it.say("validate", code=0)
    it.say("plan", code=0)
    it.say("reconcile", "--no-syncs", code=0)
    it.say("run", f"{ACCOUNT}/{ROSTER}")
    _spoil_the_school(it.sandbox)
    for form in ("text", "json"):
        it.say("run", ID, "--dry-run", "--full", "--format", form, "--verbose")
    it.tree.all_due(full=True)
    it.say("reconcile", "--format", "markdown", "--verbose")
    it.sandbox.front.faults.orders.append(FaultOrder("unauthorized", 9, "canvas"))
    it.say("run", ID, "--full", "--verbose")
    it.sandbox.front.faults.clear()
    it.say("request", ID, "--reason", REASON)
    it.say("pause", ID, "--reason", REASON, "--for", "2d")
    it.say("pause", ACCOUNT, "--reason", REASON, "--for", "1h")
    _change_the_files(it.tree)
    for form in ("text", "json", "markdown", "github"):
        it.say("plan", "--format", form)
    it.tree.make_due(ID)
    it.say("reconcile", "--format", "github")
    newest = it.tree.runs()[-1]["id"]
    for form in ("text", "json"):
        for command in (
            ["list"],
            ["list", "--needs", "teacher"],
            ["list", "--needs", "support"],
            ["holds"],
            ["show", ACCOUNT],
            ["show", ID],
            ["show", newest],
            ["history"],
            ["compare", ID],
            ["upcoming"],
            ["doctor", ACCOUNT],
            ["explain", ID, "--assignment", str(_assignment(it)), "--student", str(_student(it))],
        ):
            it.say(*command, "--format", form)
    it.say("explain", ACCOUNT, "--worklist", "for-teachers")
    it.say("page", "-o", "site")
    it.say("page", "-o", "site-public", "--audience", "public")
    it.say("support-bundle", newest, "-o", "bundle.zip")
    it.say("support-bundle", newest, "--show")


def _change_the_files(tree: Tree) -> None:
    """A plan with something to say: a paused schedule whose reason would act."""
    path = tree.root / "schedules" / f"{ACCOUNT}.yaml"
    text = path.read_text(encoding="utf-8")
    reason = json.dumps(f"{WHY} {WORDS[5]}")
    text = text.replace(f"  {GRADES}:\n", f"  {GRADES}:\n    state: paused\n    reason: {reason}\n")
    path.write_text(text, encoding="utf-8")


def _assignment(it: Scene) -> int:
    return next(row.assignment_id for row in it.sandbox.schools[ACCOUNT].canvas.submissions.values())


def _student(it: Scene) -> int:
    return next(row.user_id for row in it.sandbox.schools[ACCOUNT].canvas.submissions.values())


def test_the_words_arrive_where_people_write_them(scene: Scene) -> None:
    """Otherwise nothing would be tried."""
    canvas = scene.sandbox.schools[ACCOUNT].canvas
    assert sum(MARK in a.name for a in canvas.assignments.values()) > 20
    shown = [args for args, done in scene.said if MARK in done.said]
    assert len({args[0] for args in shown}) >= 6, shown


def test_nothing_printed_steers_a_terminal(scene: Scene) -> None:
    for args, done in scene.said:
        said = COLOURS.sub("", done.said)
        assert not [c for c in said if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], args
        assert not re.search("[\u200b\u202a-\u202e\u2028\u2029\u2066-\u2069]", _without_guards(args, said)), (
            args
        )


def _without_guards(args: tuple[str, ...], said: str) -> str:
    """Markdown for a pull request breaks mentions with a character of no width, on purpose."""
    return said.replace("\u200b", "") if {"markdown", "github"} & {*args} else said


def test_no_line_is_a_command_to_a_ci_runner(scene: Scene) -> None:
    ours = re.compile(r"::(?:error|warning|notice|group|endgroup)\b[^\n]*")
    for args, done in scene.said:
        for line in re.split(r"[\r\n\x0b\x0c\x85\u2028\u2029]", done.said):
            if line.lstrip().startswith("::"):
                assert "github" in args, (args, line)
                assert ours.fullmatch(line), line
            assert "##[" not in line, (args, line)


def test_markdown_holds_no_markup_and_no_mention_of_theirs(scene: Scene) -> None:
    documents = [(args, done.out) for args, done in scene.said if "markdown" in args]
    assert any(MARK in out for _, out in documents)
    for args, out in documents:
        prose = re.sub(r"(`+)(?:(?!\1).)+?\1", "", out, flags=re.DOTALL)
        assert not re.search(r"(?<!\\)<(?:script|img|svg|!)", prose, re.IGNORECASE), args
        assert not re.search(r"@(?:everyone|here)", prose), args
        assert "](https://evil" not in prose, args
        assert "![" not in re.sub(r"\\[!\[]", "", prose), args


def test_json_is_plain_ascii_and_valid(scene: Scene) -> None:
    documents = [done.out for args, done in scene.said if args[-1] == "json" and done.out.strip()]
    assert len(documents) > 8
    for out in documents:
        assert out.isascii()
        json.loads(out)


def test_no_cell_of_a_list_for_teachers_begins_a_formula(scene: Scene) -> None:
    files = list((scene.tree.root / "for-teachers").rglob("*.csv"))
    assert files
    texts = [path.read_bytes().decode("utf-8-sig") for path in files]
    cells = [cell for text in texts for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert any(MARK in cell for cell in cells), "the titles are in them"
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r", "\x00"))] == []
    assert [cell for cell in cells if re.match(r"-\D", cell)] == []


@pytest.mark.parametrize("site", ["site", "site-public"])
def test_a_page_holds_no_markup_of_theirs(scene: Scene, site: str) -> None:
    pages = list((scene.tree.root / site).rglob("*.html"))
    assert pages
    text = "".join(path.read_text(encoding="utf-8") for path in pages)
    assert not re.search(r"<(?:script>|img|svg/|svg\s+onload)", text, re.IGNORECASE)
    assert "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert MARK in text, "the account's name is theirs too"
    assert (WHY in text) is (site == "site"), "reasons are for the staff, and nobody's words are public"


def test_nothing_was_carried_out(scene: Scene) -> None:
    assert not list(scene.tree.root.rglob("pwned"))


def test_the_words_are_carried_to_the_sis_as_they_are(scene: Scene) -> None:
    """Cleaning is for what we show. What a teacher wrote goes into the report card's system as it was written, less
    what no title holds."""
    titles = [str(row["title"]) for row in scene.sandbox.schools[ACCOUNT].sis.rows["lineItems"].values()]
    assert any("<script>" in title for title in titles)
