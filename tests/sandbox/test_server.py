"""The server around both sides: counting, latency, faults, control, secrets, start and stop."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gradesync.errors import GradesyncError, NotFound, UsageProblem
from gradesync.sandbox.remote import teach_over_http
from gradesync.sandbox.server import Sandbox, SandboxSchool, running

from .sis_client import Answer, Client, call, token


def control(sandbox: Sandbox, method: str, path: str, body: Any = None) -> Answer:
    return call(f"{sandbox.url}/_sandbox/{path}", method, json.dumps(body or {}).encode())


def canvas_get(sandbox: Sandbox, school: SandboxSchool) -> Answer:
    headers = {"Authorization": f"Bearer {school.canvas.token}", "User-Agent": "test"}
    return call(f"{sandbox.canvas_url('riverside')}/api/v1/accounts/1", headers=headers)


def test_requests_of_both_sides_are_counted_and_forgotten(
    sandbox: Sandbox, school: SandboxSchool, sis: Client
) -> None:
    sandbox.forget_requests()
    sis.get("orgs", filter="type='school'")
    sis.put("lineItems", "a/b", body={})
    assert canvas_get(sandbox, school).status == 200
    assert (sandbox.count(), sandbox.count(side="sis"), sandbox.count(side="canvas", method="GET")) == (
        3,
        2,
        1,
    )
    assert [(r.side, r.method, r.path, r.status) for r in sandbox.requests] == [
        ("sis", "GET", "/ims/oneroster/v1p1/orgs", 200),
        ("sis", "PUT", "/ims/oneroster/v1p1/lineItems/a%2Fb", 422),
        ("canvas", "GET", "/api/v1/accounts/1", 200),
    ]
    counted = control(sandbox, "GET", "requests").body
    assert (counted["total"], counted["side"], counted["status"]["422"]) == (3, {"sis": 2, "canvas": 1}, 1)
    control(sandbox, "POST", "requests/forget")
    assert sandbox.count() == 0


def test_health_and_the_whole_world_can_be_read(sandbox: Sandbox, school: SandboxSchool) -> None:
    health = control(sandbox, "GET", "health").body
    assert health["districts"] == ["riverside", "oak-hill"]
    assert health["today"] == "2026-11-23"
    world = control(sandbox, "GET", "world/riverside").body
    assert world["sis"] == school.sis.raw()
    assert "canvas" in world
    assert control(sandbox, "GET", "world/atlantis").status == 404


def test_an_ordered_fault_hits_the_next_fitting_request_only(
    sandbox: Sandbox, school: SandboxSchool, sis: Client
) -> None:
    order = {"name": "server-error", "side": "sis", "method": "GET", "path": "/orgs", "times": 2}
    assert control(sandbox, "POST", "faults", order).status == 200
    assert canvas_get(sandbox, school).status == 200
    assert sis.get("classes").status == 200
    assert [sis.get("orgs").status >= 500 for _ in range(3)] == [True, True, False]


def test_unknown_faults_are_refused(sandbox: Sandbox) -> None:
    assert control(sandbox, "POST", "faults", {"name": "flood", "times": 1}).status == 400
    odd = control(sandbox, "POST", "faults", {"name": "cut", "times": 1, "colour": 1})
    assert odd.status == 400
    assert "takes name, side, method, path and when" in str(odd.body)
    with pytest.raises(UsageProblem, match="unknown fault"):
        Sandbox(faults=("flood",))


def test_both_sides_throttle_in_their_own_words(sandbox: Sandbox, school: SandboxSchool, sis: Client) -> None:
    seen = set()
    for when in ("before", "after"):
        control(sandbox, "POST", "faults", {"name": "throttle", "side": "canvas", "times": 1, "when": when})
        answer = canvas_get(sandbox, school)
        assert "Rate Limit Exceeded" in answer.body
        seen.add(answer.status)
    assert seen == {403, 429}
    control(sandbox, "POST", "faults", {"name": "throttle", "side": "sis", "times": 1})
    answer = sis.get("orgs")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")


def test_unauthorized_ends_the_tokens_of_the_sis_in_mid_run(
    sandbox: Sandbox, school: SandboxSchool, sis: Client
) -> None:
    control(sandbox, "POST", "faults", {"name": "unauthorized", "side": "sis", "times": 1})
    assert sis.get("orgs").status == 401
    assert sis.get("orgs").status == 401
    assert Client(sandbox.sis_url("riverside"), "riverside").get("orgs").status == 200
    control(sandbox, "POST", "faults", {"name": "unauthorized", "side": "canvas", "times": 1})
    assert canvas_get(sandbox, school).status == 401
    assert canvas_get(sandbox, school).status == 200


@pytest.mark.parametrize("name", ["cut", "server-error"])
@pytest.mark.parametrize(("when", "stored"), [("before", False), ("after", True)])
def test_a_fault_can_come_before_or_after_a_write_took_effect(
    sandbox: Sandbox, school: SandboxSchool, sis: Client, name: str, when: str, stored: bool
) -> None:
    category = {"category": {"sourcedId": "fault", "title": "Fault"}}
    control(sandbox, "POST", "faults", {"name": name, "method": "PUT", "times": 1, "when": when})
    try:
        if name == "cut":
            with pytest.raises((http.client.HTTPException, ConnectionError)):
                sis.put("categories", "fault", body=category)
        else:
            assert sis.put("categories", "fault", body=category).status >= 500
        assert ("fault" in school.sis.rows["categories"]) is stored
        assert sis.put("categories", "fault", body=category).status == (200 if stored else 201)
    finally:
        school.sis.drop_row("categories", "fault")


def test_a_cut_read_breaks_off_in_the_middle_of_its_body(
    sandbox: Sandbox, sis: Client, caplog: pytest.LogCaptureFixture
) -> None:
    control(sandbox, "POST", "faults", {"name": "cut", "method": "GET", "times": 1, "when": "after"})
    sandbox.forget_requests()
    with pytest.raises(http.client.IncompleteRead) as caught:
        sis.get("users")
    assert len(caught.value.partial) > 100
    assert sandbox.requests[0].status == 0
    assert not caplog.records


def test_latency_and_slowness_delay_api_requests(
    sandbox: Sandbox, sis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only lower bounds: how much longer a busy machine takes is no business of this test.
    sandbox.front.latency_ms = 60
    began = time.monotonic()
    assert sis.get("orgs").status == 200
    assert time.monotonic() - began >= 0.06
    sandbox.front.latency_ms = 0
    monkeypatch.setattr("gradesync.sandbox.front._SLOW_SECONDS", 0.08)
    control(sandbox, "POST", "faults", {"name": "slow", "side": "sis", "times": 1})
    began = time.monotonic()
    assert sis.get("orgs").status == 200
    assert time.monotonic() - began >= 0.08


def test_a_score_can_be_edited_by_hand_from_outside(sandbox: Sandbox, school: SandboxSchool) -> None:
    row = {"sourcedId": "hand", "lineItem": {"sourcedId": "x"}, "student": {"sourcedId": "y"}, "score": 1}
    school.sis.put_row("results", row)
    try:
        edited = control(sandbox, "POST", "edit/riverside", {"result": "hand", "score": 4.5})
        assert edited.status == 200
        assert school.sis.rows["results"]["hand"]["score"] == 4.5
        assert control(sandbox, "POST", "edit/riverside", {"result": "none"}).status == 404
    finally:
        school.sis.drop_row("results", "hand")


def test_standing_faults_hit_a_share_of_requests(sandbox: Sandbox, sis: Client) -> None:
    control(sandbox, "POST", "faults", {"name": "server-error"})
    sandbox.front.faults.share = 0.3
    try:
        bad = sum(sis.get("orgs").status >= 500 for _ in range(100))
    finally:
        sandbox.front.faults.share = 0.05
    assert 5 < bad < 60
    control(sandbox, "DELETE", "faults")
    assert all(sis.get("orgs").status == 200 for _ in range(20))


def test_how_the_sis_behaves_can_be_changed_from_outside(sandbox: Sandbox, sis: Client) -> None:
    assert control(sandbox, "POST", "behaviour/riverside", {"page_clamp": 3}).status == 200
    assert len(sis.get("users", limit=50).body["users"]) == 3
    assert control(sandbox, "POST", "behaviour/riverside", {"colour": 3}).status == 400


def test_a_foreign_host_name_is_not_served(sandbox: Sandbox) -> None:
    assert call(f"{sandbox.url}/_sandbox/health", headers={"Host": "evil.example"}).status == 403
    with pytest.raises(UsageProblem, match=r"127\.0\.0\.1 only"):
        Sandbox(host="0.0.0.0")


def test_secrets_are_private_files_that_open_both_sides(
    sandbox: Sandbox, school: SandboxSchool, tmp_path: Path
) -> None:
    for _ in range(2):
        sandbox.write_secrets(tmp_path / "secrets")
    own = tmp_path / "secrets" / "riverside"
    assert {path.name for path in own.iterdir()} == {"canvas_token", "sis_id", "sis_secret"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in own.iterdir())
    assert (own / "canvas_token").read_text().strip() == school.canvas.token
    sis_id, secret = ((own / name).read_text().strip() for name in ("sis_id", "sis_secret"))
    assert token(sandbox.sis_url("riverside"), sis_id, secret).status == 200


def test_teachers_can_be_made_to_work_from_outside(sandbox: Sandbox) -> None:
    counts = teach_over_http(sandbox.url, "riverside", rounds=1, seed=5)
    assert list(counts) == ["riverside"]
    assert sum(counts["riverside"].values()) > 0
    assert set(teach_over_http(sandbox.url)) == {"riverside", "oak-hill"}
    with pytest.raises(NotFound, match="atlantis"):
        teach_over_http(sandbox.url, "atlantis")
    with pytest.raises(UsageProblem):
        teach_over_http(sandbox.url, style="sleep")


def test_teaching_a_sandbox_that_is_not_there_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(GradesyncError, match="no sandbox answers") as caught:
        teach_over_http(url)
    assert caught.value.hint is not None
    assert "sandbox serve" in caught.value.hint
    with pytest.raises(UsageProblem, match="no sandbox address"):
        teach_over_http("https://canvas.example")


def test_a_taken_port_is_said_plainly(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(GradesyncError, match=f"port {port}") as told, running((), port=port):
        pass
    assert "schedules" in (told.value.hint or "")


def test_who_goes_away_in_the_middle_of_asking_is_no_trouble(
    sandbox: Sandbox, sis: Client, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(f"{sis.api}/categories/half")
    lines = [f"PUT {address.path} HTTP/1.1", f"Host: {address.netloc}", "Content-Length: 99"]
    lines += [f"{name}: {value}" for name, value in sis.headers.items()]
    sandbox.forget_requests()
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as asking:
        asking.sendall("\r\n".join([*lines, "", "{"]).encode())
    give_up = time.monotonic() + 10
    while not sandbox.requests and time.monotonic() < give_up:
        time.sleep(0.01)
    assert [one.status for one in sandbox.requests] == [0]
    assert not caplog.records


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_process_announces_itself_and_ends_cleanly(tmp_path: Path, number: int) -> None:
    script = (
        "import sys; from pathlib import Path; from gradesync.sandbox.server import serve_forever\n"
        "serve_forever(('riverside',), students=8, secrets_folder=Path(sys.argv[1]), "
        "announce=lambda text: print(text, flush=True))"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(9)]
        text = "".join(lines)
        url = text.split()[3].rstrip(":")
        assert call(f"{url}/_sandbox/health").body["pid"] == child.pid
        os.kill(child.pid, number)
        _, errors = child.communicate(timeout=10)
    assert child.returncode == 0
    assert errors == ""
    for word in (
        "Riverside Public Schools",
        f"{url}/riverside/canvas",
        str(tmp_path),
        "sandbox teach",
        "Ctrl-C",
    ):
        assert word in text
    assert (tmp_path / "riverside" / "sis_secret").exists()
