"""The whole way: files, a school over HTTP, a store, a pass, a channel. And what a CI job sees of it."""

from __future__ import annotations

import json

from tests.notify.sinks import Hook, Mailbox
from tests.notify.story import a_pass, letters
from tests.whole.harness import GRADES, Tree

DAY = 24 * 3_600_000_000
HOUR = 3_600_000_000


def test_a_key_dies_and_comes_back(tree: Tree, hook: Hook, box: Mailbox) -> None:
    path = tree.root / "secrets" / "riverside" / "canvas_token"
    right = path.read_text()
    path.write_text("revoked")
    done = a_pass(tree)
    assert done.code == 3, done.said
    assert "alarms: 2 told in 2 messages" in done.err
    assert [path for _, path, _ in hook.requests] == ["/hook/s3cr3t-path", "/ping"]
    assert letters(hook) == [("raised", "key", "GS-201")]
    assert box.recipients == ["lms@riverside.example"]

    for _ in range(2):
        a_pass(tree)
    assert letters(hook) == []
    assert len(box.mails) == 1

    path.write_text(right)
    tree.execute(f"UPDATE hold SET created_at = created_at - {HOUR}, tried_at = tried_at - {HOUR}")
    a_pass(tree)
    assert letters(hook) == [("ended", "key", "GS-201")]
    assert box.mails[-1][1]["subject"] == "gradesync: over: riverside: Canvas refuses our key (GS-201)"
    assert tree.rows("SELECT * FROM alarm") == []
    everything = json.dumps([str(mail) for _, mail in box.mails]) + done.said
    assert "s3cr3t" not in everything


def test_a_channel_that_is_away_changes_no_exit_code_and_gets_it_later(tree: Tree, hook: Hook) -> None:
    (tree.root / "secrets" / "riverside" / "sis_secret").write_text("revoked")
    hook.status = 503
    done = a_pass(tree)
    assert done.code == 3, done.said
    assert "alarms: rule ops: the channel answered 503; it is tried again" in done.err
    assert "what to do: `gradesync notify test --to ops`" in done.err
    assert "the ping was not taken: the channel answered 503" in done.err
    assert "s3cr3t" not in done.said
    assert str(hook.port) not in done.said
    hook.status = 200
    hook.requests.clear()
    tree.execute(f"UPDATE alarm SET tried_at = tried_at - {HOUR}")
    shown = json.loads(tree.run("notify", "list", "--format", "json").out)
    assert {(one["rule"], one["state"], one["attempts"]) for one in shown["alarms"]} == {
        ("ops", "due", 1),
        ("schools", "told", 0),
    }
    sent = tree.run("notify", "send")
    assert (sent.code, "alarms: 1 told in 1 message" in sent.err) == (0, True)
    assert letters(hook) == [("raised", "key", "GS-202")]


def test_nobody_is_told_when_the_pass_says_so(tree: Tree, hook: Hook, box: Mailbox) -> None:
    (tree.root / "secrets" / "riverside" / "canvas_token").write_text("revoked")
    assert a_pass(tree, "--no-notify").code == 3
    assert (hook.requests, box.mails) == ([], [])
    assert tree.run("notify", "send").code == 0
    assert letters(hook) == [("raised", "key", "GS-201")]


def test_what_only_the_files_show_is_told_by_passes_over_them(tree: Tree, hook: Hook) -> None:
    file = tree.root / "schedules" / "riverside.yaml"
    right = file.read_text()
    file.write_text(right + "collor: red\n")
    assert tree.run("reconcile").code == 1
    assert [path for _, path, _ in hook.requests] == ["/hook/s3cr3t-path", "/ping/fail"]
    assert letters(hook) == [("raised", "problems", None)]
    assert tree.run("reconcile", "--due").code == 0
    assert letters(hook) == []
    file.write_text(right)
    assert tree.run("reconcile").code == 0
    assert letters(hook) == [("ended", "problems", None)]


def test_passes_that_stay_away_are_noticed_by_whoever_looks_and_by_the_next(tree: Tree, hook: Hook) -> None:
    def pass_ended_hours_ago(*hours: float) -> None:
        from datetime import UTC, datetime, timedelta

        now = datetime.now(UTC)
        ends = [int((now - timedelta(hours=one)).timestamp()) * 1_000_000 for one in hours]
        tree.execute(f"INSERT OR REPLACE INTO meta VALUES ('passes', '{json.dumps(ends)}')")

    pass_ended_hours_ago(*(6 + n / 12 for n in range(8, -1, -1)))
    listed = tree.run("notify", "list")
    assert listed.code == 1
    assert "nothing is synced" in listed.out
    assert "no pass since" in tree.run("list").err
    assert tree.run("notify", "send").code == 0
    assert letters(hook) == [("raised", "late", None)]
    tree.run("reconcile", "--due")
    assert letters(hook) == [("ended", "late", None)]
    assert tree.run("notify", "list").code == 0

    pass_ended_hours_ago(*(6 + n / 12 for n in range(8, -1, -1)))
    tree.run("reconcile", "--due")
    [body] = hook.bodies
    assert "No pass between " in body["text"]
    assert letters(hook) == [("passed", "late", None)]
    tree.run("reconcile", "--due")
    assert letters(hook) == []


def test_every_message_ends_with_where_to_look(tree: Tree, hook: Hook, box: Mailbox) -> None:
    with (tree.root / "gradesync.yaml").open("a") as file:
        file.write("page: {address: 'https://pages.example.org/sync/'}\nsafety: {all_share: much}\n")
    (tree.root / "secrets" / "riverside" / "canvas_token").write_text("revoked")
    tree.all_due()
    job = {"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.example/north/sync/-/jobs/815"}
    tree.run("reconcile", "--due", env=job)
    [body] = hook.bodies
    mine = "https://pages.example.org/sync/accounts/riverside/index.html"
    assert (body["page_url"], body["run_url"]) == (mine, job["CI_JOB_URL"])
    said = box.mails[0][1].get_content().splitlines()  # type: ignore[attr-defined]  # an EmailMessage
    assert said[-2:] == [f"Page: {mine}", f"CI job: {job['CI_JOB_URL']}"]


def test_a_channel_is_tried_and_says_what_to_do(tree: Tree, hook: Hook, box: Mailbox) -> None:
    good = tree.run("notify", "test")
    assert good.code == 0, good.said
    assert hook.bodies[0]["test"] is True
    # Never to a school.
    assert box.recipients == ["alarms@gradesync.example"]
    hook.status = 410
    bad = tree.run("notify", "test", "--to", "ops", "--format", "json")
    assert bad.code == 1
    [one] = json.loads(bad.out)["channels"]
    assert (one["rule"], one["sent"], one["problem"]) == ("ops", False, "the channel answered 410")
    assert one["kept_at"] == "file:secrets/hook"
    assert "make a new one" in one["hint"]
    (tree.root / "secrets" / "mail").unlink()
    gone = tree.run("notify", "test")
    assert gone.code == 1
    assert "nothing is found at file:secrets/mail" in gone.out.replace("\n", " ")
    assert "KEPT AT" in gone.out
    assert tree.run("notify", "test", "--to", "nobody").code == 1


def test_a_channel_is_tried_before_there_is_a_store(tree: Tree, hook: Hook) -> None:
    for file in (tree.root / ".gradesync").glob("store.db*"):
        file.unlink()
    assert tree.run("notify", "test", "--to", "ops").code == 0
    assert hook.bodies[0]["test"] is True
    assert not (tree.root / ".gradesync" / "store.db").exists()


def test_a_slip_elsewhere_in_the_settings_silences_no_alarm(tree: Tree, hook: Hook) -> None:
    with (tree.root / "gradesync.yaml").open("a") as file:
        file.write("safety: {all_share: much}\n")
    (tree.root / "secrets" / "riverside" / "canvas_token").write_text("revoked")
    a_pass(tree)
    assert ("raised", "key", "GS-201") in letters(hook)


def test_a_schedule_that_owes_a_run_is_told_unless_something_stops_it(tree: Tree, hook: Hook) -> None:
    tree.execute(f"UPDATE schedule SET next_run_at = next_run_at - {3 * DAY}")
    tree.run("notify", "send")
    assert letters(hook) == [("raised", "overdue", None)] * 2
    assert tree.run("pause", f"riverside/{GRADES}", "--reason", "x").code == 0
    tree.run("notify", "send")
    assert letters(hook) == [("ended", "overdue", None)]
