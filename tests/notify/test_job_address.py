"""Which CI job an alarm names: only what an environment says in the shape its maker gives it."""

from __future__ import annotations

import pytest

from gradesync.wiring.notifying import job_address

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "north/sync",
    "GITHUB_RUN_ID": "4711",
}
GITLAB = {"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.example:8443/north/sub.group/sync/-/jobs/815"}


def test_the_job_of_github_and_of_gitlab_is_known_and_no_other() -> None:
    assert job_address(GITHUB) == "https://github.com/north/sync/actions/runs/4711"
    assert job_address(GITLAB) == GITLAB["CI_JOB_URL"]
    assert job_address({}) == ""
    # Left in a shell, without the word of either that this is a job of it.
    assert job_address({"CI_JOB_URL": GITLAB["CI_JOB_URL"], "GITHUB_RUN_ID": "4711"}) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_SERVER_URL", "http://github.com"),
        ("GITHUB_SERVER_URL", "javascript:alert(1)"),
        ("GITHUB_SERVER_URL", "https://github.com?x="),
        ("GITHUB_SERVER_URL", "https://user@github.com"),
        ("GITHUB_SERVER_URL", ""),
        ("GITHUB_REPOSITORY", "north"),
        ("GITHUB_REPOSITORY", "north/../.."),
        ("GITHUB_REPOSITORY", "../evil"),
        ("GITHUB_REPOSITORY", "north/sync?token=s3cr3t"),
        ("GITHUB_RUN_ID", "4711\n@everyone"),
        ("GITHUB_RUN_ID", "4711#x"),
        ("GITHUB_RUN_ID", ""),
    ],
)
def test_a_strange_environment_of_github_names_no_job(name: str, value: str) -> None:
    assert job_address({**GITHUB, name: value}) == ""


@pytest.mark.parametrize(
    "address",
    [
        "http://gitlab.example/north/sync/-/jobs/815",
        "https://gitlab.example/-/jobs/815?private_token=s3cr3t",
        "https://gitlab.example/-/jobs/815#x",
        "https://u:s3cr3t@gitlab.example/-/jobs/815",
        "https://gitlab.example/../jobs/815",
        "https://gitlab.example/<!channel>",
        "https://gitlab.example/jobs/815\n",
        "https://gitlab.example",
        "",
    ],
)
def test_a_strange_environment_of_gitlab_names_no_job(address: str) -> None:
    assert job_address({**GITLAB, "CI_JOB_URL": address}) == ""
