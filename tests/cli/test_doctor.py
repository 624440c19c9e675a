"""`gradesync doctor` against a real sandbox: what it finds, what it never does, and how it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gradesync.sandbox import canvas_graphql
from gradesync.sandbox.canvas_state import CanvasSettings
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.sis_auth import KNOWN_SCOPES
from gradesync.sandbox.sis_behaviour import SisBehaviour
from tests.cli.conftest import DISTRICTS, Tree


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with running(DISTRICTS, students=24) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def shared_tree(served: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    root = tmp_path_factory.mktemp("doctor")
    (root / "schedules").mkdir()
    (root / "gradesync.yaml").write_text('secrets: "file:secrets/{account}/{name}"\n')
    served.write_secrets(root / "secrets")
    tree = Tree(root, served.url)
    for key in DISTRICTS:
        tree.account(key)
    return tree


@pytest.fixture
def tree(shared_tree: Tree, served: Sandbox) -> Iterator[Tree]:
    """The shared tree as it was, on sides that behave."""
    yield shared_tree
    for key in DISTRICTS:
        shared_tree.account(key)
        school = served.schools[key]
        school.canvas.settings = CanvasSettings()
        school.sis.behaviour = SisBehaviour()
        school.sis.desk.allowed = KNOWN_SCOPES
    served.write_secrets(shared_tree.root / "secrets")
    served.front.calm()


def examined(tree: Tree, code: int | None = None, account: str = "riverside") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(tree.run("doctor", account, "--format", "json", code=code).stdout)
    return told


def check(told: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in told["checks"] if one["name"] == name]
    return found  # type: ignore[no-any-return]  # a value of decoded JSON


def test_a_district_in_order_is_examined_before_anything_was_recorded(tree: Tree) -> None:
    told = examined(tree, code=3)
    states = {one["name"]: one["status"] for one in told["checks"]}
    assert [name for name, state in states.items() if state == "fail"] == []
    # What teachers left open in every school of the sandbox: a section made by hand, a transfer, a group of its own.
    assert {name for name, state in states.items() if state == "warn"} == {
        "ids-classes",
        "ids-students",
        "categories",
    }
    assert states["store"] == "skipped"
    assert not (tree.root / ".gradesync").exists()


def test_only_questions_are_asked_of_both_sides(
    tree: Tree, served: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries: list[tuple[str, dict[str, Any]]] = []
    answer = canvas_graphql._answer

    def heard(world: CanvasWorld, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        queries.append((query, variables))
        return answer(world, query, variables)

    monkeypatch.setattr(canvas_graphql, "_answer", heard)
    served.front.forget()
    examined(tree)
    asked = {(one.side, one.method, one.path) for one in served.front.records}
    assert {method for _, method, _ in asked} == {"GET", "POST"}
    assert {(side, path) for side, method, path in asked if method == "POST"} == {
        ("sis", "/token"),
        ("canvas", "/api/graphql"),
    }
    # What the POST to Canvas holds is this one query, which reads the number of one course.
    [(query, variables)] = queries
    assert query == "query($term: ID!) { term(id: $term) { coursesConnection(first: 1) { nodes { _id } } } }"
    assert set(variables) == {"term"}
    assert int(variables["term"]) in served.schools["riverside"].canvas.terms
    assert len(served.front.records) < 120


def test_every_finding_names_a_code_a_remedy_and_somebody(tree: Tree, served: Sandbox) -> None:
    served.schools["riverside"].canvas.settings.denied = frozenset(
        {"view_all_grades", "read_sis", "manage_sis"}
    )
    told = examined(tree, code=1)
    for one in told["checks"]:
        if one["status"] in ("warn", "fail"):
            assert one["code"], one
            assert one["remedy"].endswith("."), one
            assert one["who"], one
    rights = check(told, "canvas-permissions")
    assert (rights["status"], rights["code"], rights["who"]) == ("fail", "GS-203", "Canvas admin")
    assert "grades: view all" in rights["sentence"]
    assert rights["counts"] == {"needed": 5, "missing": 2}


def test_a_canvas_that_does_not_tell_rights_is_tried_call_by_call(tree: Tree, served: Sandbox) -> None:
    served.schools["riverside"].canvas.settings.tells_rights = False
    told = examined(tree, code=3)
    assert check(told, "canvas-permissions")["status"] == "skipped"
    assert check(told, "canvas-calls")["counts"] == {"calls": 5}


@pytest.mark.parametrize(
    ("manner", "words"), [("graphql", "has no GraphQL"), ("scoped_key", "plain token of the service user")]
)
def test_a_canvas_without_graphql_is_told_of_and_fails_nothing(
    tree: Tree, served: Sandbox, manner: str, words: str
) -> None:
    setattr(served.schools["riverside"].canvas.settings, manner, manner == "scoped_key")
    found = check(examined(tree, code=3), "canvas-graphql")
    assert (found["status"], found["counts"]) == ("ok", {"offered": 0})
    assert words in found["sentence"]
    assert "course by course" in found["sentence"]


@pytest.mark.parametrize("fault", ["server-error", "throttle", "truncated-json"])
@pytest.mark.parametrize("side", ["canvas", "sis"])
def test_a_side_that_misbehaves_is_a_finding_and_never_a_crash(
    tree: Tree, served: Sandbox, side: str, fault: str
) -> None:
    served.front.faults.orders.append(FaultOrder(fault, 400, side=side, method="GET"))
    told = examined(tree)
    assert told["exit_code"] in (1, 3)
    other = "sis" if side == "canvas" else "canvas"
    assert check(told, f"{other}-identity")["status"] == "ok"


@pytest.mark.parametrize("views", ["schools", "classes", "members"])
def test_a_sis_that_shows_narrow_views_alone_is_fine(tree: Tree, served: Sandbox, views: str) -> None:
    served.schools["riverside"].sis.behaviour.roster_views = views
    told = examined(tree, code=3)
    assert check(told, "sis-roster")["status"] == "ok"
    assert check(told, "sis-roster")["counts"]["narrow"] >= 1
    assert check(told, "ids-students")["counts"]["known"] > 0


def test_the_newer_standard_is_examined_in_its_own_words(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside").replace("profile: genesis", "profile: oneroster-1.2"))
    told = examined(tree, code=3)
    assert check(told, "sis-gradebook")["status"] == "ok"
    assert check(told, "sis-scopes-write")["counts"]["asked"] == 5
    assert check(told, "categories")["counts"]["matched"] > 0


def test_the_right_to_act_as_others_is_too_much(tree: Tree, served: Sandbox) -> None:
    served.schools["riverside"].canvas.settings.extra_rights = frozenset({"become_user"})
    found = check(examined(tree), "canvas-act-as")
    assert (found["status"], found["code"]) == ("warn", "GS-213")


@pytest.mark.parametrize(("days", "status"), [(12.5, "warn"), (300.0, "ok")])
def test_the_end_of_the_token_is_what_canvas_says(
    tree: Tree, served: Sandbox, days: float, status: str
) -> None:
    served.schools["riverside"].canvas.settings.token_days = days
    found = check(examined(tree), "canvas-token-end")
    assert found["status"] == status
    assert found["counts"]["days_left"] in (int(days), int(days) + 1)


def test_a_canvas_that_does_not_list_tokens_leaves_the_end_to_the_file(tree: Tree, served: Sandbox) -> None:
    served.schools["riverside"].canvas.settings.tells_tokens = False
    assert check(examined(tree), "canvas-token-end")["status"] == "skipped"
    ended = datetime.now(UTC).date() - timedelta(days=3)
    tree.account("riverside", tree.text("riverside").replace("/canvas\n", f"/canvas\n  expires: {ended}\n"))
    found = check(examined(tree, code=1), "canvas-token-end")
    assert (found["status"], found["code"]) == ("fail", "GS-201")


@pytest.mark.parametrize(("seconds", "status"), [(30.0, "ok"), (-150.0, "warn"), (3600.0, "fail")])
def test_a_wrong_clock_is_told(tree: Tree, served: Sandbox, seconds: float, status: str) -> None:
    served.schools["riverside"].canvas.settings.clock_ahead = seconds
    found = check(examined(tree), "canvas-clock")
    assert found["status"] == status
    if status != "ok":
        assert abs(found["counts"]["seconds"] - seconds) <= 3


def test_a_scoped_key_without_include_parameters_is_told(tree: Tree, served: Sandbox) -> None:
    served.schools["riverside"].canvas.settings.drops_includes = True
    found = check(examined(tree), "canvas-includes")
    assert (found["status"], found["code"]) == ("fail", "GS-203")


def test_scopes_the_sis_keeps_back_are_named(tree: Tree, served: Sandbox) -> None:
    school = served.schools["riverside"]
    school.sis.desk.allowed = frozenset(one for one in KNOWN_SCOPES if "createput" not in one)
    found = check(examined(tree, code=1), "sis-scopes-write")
    assert (found["status"], found["code"], found["who"]) == ("fail", "GS-203", "SIS admin")
    assert "gradebook.createput" in found["remedy"]


def test_an_account_without_grade_passback_is_never_asked_for_rights_to_write(
    tree: Tree, served: Sandbox
) -> None:
    text = tree.text("riverside")
    tree.account("riverside", text[: text.index("  grades:")])
    served.schools["riverside"].sis.desk.allowed = frozenset(
        one for one in KNOWN_SCOPES if one.endswith("readonly")
    )
    told = examined(tree)
    assert check(told, "sis-scopes-write")["status"] == "skipped"
    assert not {"sis-gradebook", "canvas-graphql"} & {one["name"] for one in told["checks"]}
    assert check(told, "canvas-permissions")["counts"] == {"needed": 3}


def test_a_dead_canvas_key_hides_nothing_of_the_sis(tree: Tree, served: Sandbox) -> None:
    (tree.root / "secrets" / "riverside" / "canvas_token").write_text("1234~notThisOneAnymoreAtAll")
    told = examined(tree, code=1)
    found = check(told, "canvas-token")
    assert (found["status"], found["code"]) == ("fail", "GS-201")
    assert check(told, "canvas-terms")["sentence"] == "Not checked, because Canvas refuses our key (GS-201)."
    assert check(told, "sis-identity")["status"] == "ok"
    assert check(told, "ids-classes")["status"] == "skipped"


def test_missing_secrets_of_one_side_leave_the_other_examined(tree: Tree) -> None:
    (tree.root / "secrets" / "riverside" / "sis_secret").unlink()
    told = examined(tree, code=1)
    found = check(told, "sis-token")
    assert (found["status"], found["code"]) == ("fail", "GS-207")
    assert "sis_secret" in found["remedy"]
    assert check(told, "canvas-permissions")["status"] == "ok"


def test_a_sis_that_nobody_answers_at_is_a_failed_check(tree: Tree) -> None:
    tree.account(
        "riverside", re.sub(r"url: \S+/genesis", "url: http://127.0.0.1:9/genesis", tree.text("riverside"))
    )
    told = examined(tree, code=1)
    found = check(told, "sis-token")
    assert (found["status"], found["code"], found["who"]) == ("fail", "GS-508", "support")
    assert check(told, "canvas-token")["status"] == "ok"


def test_an_address_where_no_canvas_is_fails_and_says_what_to_write(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside").replace("/riverside/canvas", "/riverside/canvass"))
    found = check(examined(tree, code=1), "canvas-token")
    assert (found["status"], found["code"], found["who"]) == ("fail", "GS-215", "support")
    assert "No Canvas answers at the address" in found["sentence"]
    assert "`url` under `canvas`" in found["remedy"]
    # A run that meets it says the same, with the same way out.
    tree.run("reconcile", "--no-syncs")
    for schedule in ("grades", "roster-nightly"):
        ended = tree.run("run", f"riverside/{schedule}", code=3).output
        assert "GS-215 No Canvas answers at the address. Support: write the address of Canvas alone" in ended
        assert "GS-305" not in ended


def test_an_address_where_no_sis_is_sends_nobody_to_the_vendor_first(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside").replace("/riverside/genesis", "/riverside/genesys"))
    found = check(examined(tree, code=1), "sis-token")
    assert (found["code"], found["who"]) == ("GS-510", "support")
    assert found["remedy"].startswith("Check `url` under `sis`")


@pytest.mark.parametrize("fault", ["throttle", "truncated-json", "server-error"])
def test_no_remedy_speaks_of_a_run_that_there_is_not(tree: Tree, served: Sandbox, fault: str) -> None:
    served.front.faults.orders.append(FaultOrder(fault, 400, side="canvas", method="GET"))
    found = check(examined(tree), "canvas-token")
    assert found["who"] == "support"
    assert "run" not in found["remedy"].split()
    assert "RUN" not in found["remedy"]


def test_a_section_that_is_tied_to_nothing_is_placed_on_a_terminal_alone(tree: Tree) -> None:
    told = tree.run("doctor", "riverside", "--format", "json", code=3).stdout
    assert "`--names`" in check(json.loads(told), "ids-classes")["remedy"]
    assert "/sections/" not in told
    _, shown = tree.at_a_terminal("doctor", "riverside", "--names")
    assert re.search(r"courses/\d+/sections/\d+", "".join(shown.split()))


def test_somebody_who_is_no_admin_is_told_of_and_stops_nothing(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside").replace("sis-admin", "nobody-here"))
    found = check(examined(tree, code=3), "posted-by-grades")
    assert (found["status"], found["code"]) == ("warn", "GS-109")


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_may_not_list_admins_is_no_fault(tree: Tree, served: Sandbox, status: int) -> None:
    settings = served.schools["riverside"].canvas.settings
    settings.denied, settings.forbidden_status = frozenset({"manage_account_memberships"}), status
    found = check(examined(tree, code=3), "posted-by-grades")
    assert (found["status"], found["code"]) == ("skipped", None)


def test_a_term_that_is_not_there_is_told(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside") + "scope: {terms: [Atlantis 1]}\n")
    found = check(examined(tree, code=1), "sis-terms")
    assert (found["status"], found["code"]) == ("fail", "GS-627")
    assert "Atlantis" not in json.dumps(found)


def test_another_institution_than_the_recorded_one_is_told(tree: Tree) -> None:
    tree.run("run", "riverside/roster-nightly", code=None)
    tree.run("reconcile", code=None)
    tree.run("run", "riverside/grades", code=None)
    try:
        assert check(examined(tree), "sis-identity")["sentence"].endswith("recorded for the account.")
        tree.account("riverside", tree.text("riverside").replace("/riverside/genesis", "/oak-hill/genesis"))
        tree.account("oak-hill", tree.text("oak-hill").replace("/oak-hill/genesis", "/riverside/genesis"))
        secrets = tree.root / "secrets"
        for name in ("sis_id", "sis_secret"):
            (secrets / "riverside" / name).write_text((secrets / "oak-hill" / name).read_text())
        found = check(examined(tree, code=1), "sis-identity")
        assert (found["status"], found["code"]) == ("fail", "GS-208")
    finally:
        for file in (tree.root / ".gradesync").glob("store.db*"):
            file.unlink()


def test_groups_that_match_no_category_are_counted_and_named_on_a_terminal_alone(
    tree: Tree, served: Sandbox
) -> None:
    canvas = served.schools["riverside"].canvas
    odd = next(one for one in canvas.groups.values())
    before, odd.name = odd.name, "Zebra \x1b[31m::set-output name=x::"
    try:
        told = tree.run("doctor", "riverside", "--format", "json", code=None).stdout
        assert "Zebra" not in told
        assert check(json.loads(told), "categories")["counts"]["unmatched"] >= 1
        assert tree.run("doctor", "riverside", "--names", code=64).exit_code == 64
        _, shown = tree.at_a_terminal("doctor", "riverside", "--names")
        assert "\x1b[31m" not in shown
        assert "Zebra" in " ".join(shown.split())
    finally:
        odd.name = before


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_nobody_is_named_and_no_key_is_shown_in_any_format(tree: Tree, served: Sandbox, form: str) -> None:
    canvas = served.schools["riverside"].canvas
    people = [one for one in canvas.users.values() if not one.admin]
    private = {one.name for one in people} | {one.sortable_name for one in people}
    private |= {one.sis_user_id for one in canvas.logins.values() if one.sis_user_id}
    private |= {one.name for one in canvas.assignments.values() if len(one.name) > 5}
    private |= {one.name for one in canvas.courses.values()} | {one.name for one in canvas.groups.values()}
    private |= {path.read_text().strip() for path in (tree.root / "secrets" / "riverside").iterdir()}
    told = tree.run("doctor", "riverside", "--format", form, "--verbose", code=None).output
    assert len(private) > 100
    assert [one for one in private if one in told] == []


def test_the_text_groups_by_who_must_act_and_fits_a_terminal(tree: Tree, served: Sandbox) -> None:
    served.schools["riverside"].canvas.settings.denied = frozenset({"import_sis"})
    plain = tree.run("doctor", "riverside", code=1).stdout
    assert plain.index("For the Canvas admin") < plain.index("For the SIS admin") < plain.index("The SIS\n")
    assert "do: Add to the role in Canvas: SIS data: import." in plain
    told = tree.run("doctor", "riverside", "--format", "markdown", code=1).stdout
    assert "### For the Canvas admin" in told


def test_neither_a_file_with_problems_nor_an_unknown_account_is_examined(tree: Tree) -> None:
    told = tree.run("doctor", "riversied", code=1).output
    assert "did you mean riverside? `gradesync list` shows every name" in told
    assert "did you mean" not in (other := tree.run("doctor", "elsewhere", code=1).output)
    assert "`gradesync list` shows every name" in other
    tree.account("riverside", "account: riverside\nnonsense: 1\n")
    assert "has problems" in tree.run("doctor", "riverside", code=1).output
    assert tree.run("doctor", code=64).exit_code == 64


def test_roster_files_are_looked_at_and_a_missing_one_is_told(tree: Tree) -> None:
    text = tree.text("riverside").replace(
        "  profile: genesis\n", "  profile: genesis\n  roster: {format: oneroster csv, path: exports/*.zip}\n"
    )
    tree.account("riverside", text)
    told = examined(tree, code=1)
    found = check(told, "sis-files")
    assert (found["status"], found["code"]) == ("fail", "GS-611")
    assert "sis-paging" not in {one["name"] for one in told["checks"]}
