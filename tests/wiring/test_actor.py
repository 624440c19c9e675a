"""Who acts: what CI, a clock and a machine prove, and what is only claimed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.acting import Identity, parts_of
from gradesync.domain.run import Actor
from gradesync.wiring.actor import current_actor, identity, os_user

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "boss",
    "GITHUB_TRIGGERING_ACTOR": "aortiz",
    "GITHUB_EVENT_NAME": "workflow_dispatch",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "district/sync",
    "GITHUB_RUN_ID": "17",
}
GITLAB = {
    "GITLAB_CI": "true",
    "GITLAB_USER_LOGIN": "ben",
    "CI_PIPELINE_SOURCE": "web",
    "CI_JOB_URL": "https://gitlab.example/district/sync/-/jobs/9",
}
PEOPLE = {"ana": {"name": "Ana Ortiz", "logins": ["github:aortiz"]}}


def at_a_machine() -> bool:
    return False


def test_a_dispatch_names_who_pressed_the_button_and_the_run() -> None:
    parts = parts_of(current_actor(PEOPLE, None, GITHUB))
    assert (parts.how, parts.login) == ("CI dispatch", "aortiz")
    assert parts.run_url == "https://github.com/district/sync/actions/runs/17"
    assert current_actor(PEOPLE, None, GITHUB).name == "Ana Ortiz"
    of_gitlab = parts_of(current_actor({}, None, GITLAB))
    assert (of_gitlab.how, of_gitlab.login, of_gitlab.run_url) == ("CI dispatch", "ben", GITLAB["CI_JOB_URL"])


def test_a_cron_event_is_the_schedulers_and_credits_no_login() -> None:
    for env in (
        {**GITHUB, "GITHUB_EVENT_NAME": "schedule"},
        {**GITLAB, "CI_PIPELINE_SOURCE": "schedule"},
    ):
        actor = current_actor({"x": {"name": "X", "logins": ["scheduler", "aortiz", "ben"]}}, None, env)
        assert actor.name == "scheduler"
        assert "aortiz" not in actor.via
        assert parts_of(actor).run_url is not None


def test_a_person_who_repeats_a_scheduled_run_is_its_actor() -> None:
    again = identity({**GITHUB, "GITHUB_EVENT_NAME": "schedule", "GITHUB_RUN_ATTEMPT": "2"})
    assert (again.login, again.how, again.by_clock) == ("aortiz", "CI re-run", False)
    by_hand = identity({**GITLAB, "CI_PIPELINE_SOURCE": "schedule", "CI_JOB_MANUAL": "true"})
    assert (by_hand.login, by_hand.by_clock) == ("ben", False)


def test_the_login_of_the_machine_stands_beside_what_variables_say() -> None:
    assert parts_of(current_actor({}, None, GITHUB)).os_user == os_user()
    assert parts_of(current_actor({}, None, {"CI": "true"})).login == os_user()


def test_what_a_clock_starts_is_the_schedulers() -> None:
    for found in (identity({"GRADESYNC_STARTED_BY": "cron"}, at_a_machine), identity({}, lambda: True)):
        assert (found.login, found.by_clock, found.os_user) == ("scheduler", True, os_user())
    assert identity({"SYSTEMD_EXEC_PID": "1"}, at_a_machine).by_clock is False
    assert identity({}, at_a_machine) == Identity(os_user(), "os", "OS user")


def test_the_main_process_of_a_service_is_the_schedulers() -> None:
    import os

    assert identity({"SYSTEMD_EXEC_PID": str(os.getpid())}, at_a_machine).by_clock


def test_an_address_that_is_none_is_left_out() -> None:
    for url in ("javascript:alert(1)", "https://ci.example/a b", "https://ci.example/a, claims boss"):
        parts = parts_of(current_actor({}, None, {"CI": "true", "BUILD_URL": url}))
        assert (parts.run_url, parts.claims) == (None, None)


names = st.text(max_size=30)


@given(login=names, claims=names, event=names)
def test_no_name_from_outside_can_pass_for_another_part(login: str, claims: str, event: str) -> None:
    env = {**GITHUB, "GITHUB_TRIGGERING_ACTOR": login, "GITHUB_EVENT_NAME": event, "GITHUB_ACTOR": ""}
    parts = parts_of(current_actor({}, claims, env))
    assert parts.run_url == "https://github.com/district/sync/actions/runs/17"
    assert parts.os_user == os_user()
    assert (parts.claims or "") == "".join(c for c in claims if c.isprintable()).strip()
    assert parts_of(Actor("x", "slot")).how == "slot"


@given(name=names, login=names)
def test_a_claim_never_becomes_a_name(name: str, login: str) -> None:
    plain = current_actor({}, None, {"CI": "1"})
    assert current_actor({}, f"{name}, run https://x, OS user {login}", {"CI": "1"}).name == plain.name
    assert parts_of(current_actor({}, f"{name}, OS user {login}", {"CI": "1"})).os_user is None
