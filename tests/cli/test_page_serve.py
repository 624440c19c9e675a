"""The served page over real HTTP: loopback, GET and HEAD, one host name, an address that nobody can guess, nothing but
the site's own files."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from gradesync.cli.page_serve import FRESH, Fresh, server, site_of
from gradesync.errors import ConfigInvalid, StoreUnavailable
from tests.cli.conftest import Tree

HTML = (
    b"<html><head><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'; x\">"
    b'</head><body><time datetime="%s" data-made="20">%s</time> words</body></html>'
)


@dataclass
class Scene:
    """A served site whose files the test changes, on a clock that the test moves."""

    port: int = 0
    place: str = ""
    words: bytes = b"first"
    made: bytes = b"10:00"
    builds: int = 0
    now: float = 0.0
    broken: bool = False
    extra: dict[str, bytes] = field(default_factory=dict)

    def build(self) -> Iterator[tuple[str, bytes]]:
        self.builds += 1
        if self.broken:
            raise StoreUnavailable("the store does not answer")
        page = HTML % (self.made, self.made)
        yield "index.html", page.replace(b"words", self.words)
        yield "riverside/index.html", page
        yield "style.css", b"body{}"
        yield from self.extra.items()

    def ask(
        self, path: str = "/", method: str = "GET", host: str | None = None, *, outside: bool = False
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        whole = path if outside else f"/{self.place}{path}"
        connection.putrequest(method, whole, skip_host=True)
        if host != "":
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        connection.endheaders()
        answer = connection.getresponse()
        told = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        connection.close()
        return told

    def version(self) -> str:
        """What the page's script asks for."""
        return str(json.loads(self.ask("/version.json")[2])["version"])


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    with server(Fresh(made.build, clock=lambda: made.now), 0) as running:
        made.port, made.place = running.server_port, running.place
        assert running.address == f"http://127.0.0.1:{made.port}/{made.place}/"
        assert running.server_address[0] == "127.0.0.1"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        running.shutdown()
        thread.join()


def test_pages_come_with_the_headers_that_protect_them(scene: Scene) -> None:
    for path in ("/", "/riverside/", "/style.css", "/live.js", "/version.json", "/nothing"):
        status, headers, _ = scene.ask(path)
        assert status == (404 if path == "/nothing" else 200)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "python" not in headers.get("server", "").lower()
    assert scene.ask("/")[1]["content-type"] == "text/html; charset=utf-8"


def test_a_folder_leads_to_its_page_and_queries_do_not_matter(scene: Scene) -> None:
    status, headers, _ = scene.ask("/riverside")
    assert (status, headers["location"]) == (301, f"/{scene.place}/riverside/")
    status, headers, _ = scene.ask("")
    assert (status, headers["location"]) == (301, f"/{scene.place}/")
    assert scene.ask("/riverside/?a=b")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_nothing_but_reading_is_answered(scene: Scene, method: str) -> None:
    status, headers, _ = scene.ask("/", method)
    assert status == 501
    assert "access-control-allow-origin" not in headers


def test_head_says_the_same_without_the_page(scene: Scene) -> None:
    _, with_body, page = scene.ask("/")
    status, headers, body = scene.ask("/", "HEAD")
    assert (status, body) == (200, b"")
    assert headers["content-length"] == with_body["content-length"] == str(len(page))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil.example"])
def test_a_name_that_points_here_gets_no_page(scene: Scene, host: str) -> None:
    status, _, body = scene.ask("/", host=host)
    assert status == 421
    assert b"words" not in body


def test_localhost_is_a_name_of_this_machine(scene: Scene) -> None:
    assert scene.ask("/", host=f"localhost:{scene.port}")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/secret",
        "/riverside/../../x",
        "//etc/passwd",
        "/assets/",
        "/riverside/%2e%2e/",
    ],
)
def test_a_path_can_name_only_what_the_site_has(scene: Scene, path: str) -> None:
    status, headers, body = scene.ask(path)
    assert status == 404
    assert "location" not in headers
    assert body == b"There is no such page.\n"


def test_a_doubled_slash_never_leads_to_another_host(scene: Scene) -> None:
    own = f"/{scene.place}/riverside/"
    for path in ("//evil.example/riverside", f"//evil.example/{scene.place}/riverside"):
        for outside in (True, False):
            _, headers, _ = scene.ask(path, outside=outside)
            assert headers.get("location", own) == own


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/riverside/", "/version.json", "/live.js", "/%00", "*"]
)
def test_whoever_does_not_know_the_address_is_answered_like_a_page_that_is_not_there(
    scene: Scene, path: str
) -> None:
    status, headers, body = scene.ask(path, outside=True)
    missing = scene.ask("/nothing")
    assert (status, body) == (missing[0], missing[2]) == (404, b"There is no such page.\n")
    assert "location" not in headers
    assert scene.place not in str(headers)


def test_a_part_of_the_address_or_more_than_it_is_not_the_address(scene: Scene) -> None:
    place = scene.place
    for guess in (place[:-1], place + "x", place.swapcase(), f"x/{place}", f"{place}%2f", f"?{place}"):
        assert scene.ask(f"/{guess}/", outside=True)[0] == 404


def test_guesses_make_no_page(scene: Scene) -> None:
    scene.ask("/guess/", outside=True)
    assert scene.builds == 0


def test_each_start_has_an_address_of_its_own_too_long_to_be_tried() -> None:
    places = set()
    for _ in range(2):
        with server(Fresh(Scene().build), 0) as one:
            places.add(one.place)
    assert len(places) == 2
    assert all(len(place) >= 40 for place in places)


def test_an_address_that_is_none_is_no_error_of_the_server(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scene.ask("http://[/", outside=True)[0] == 404
    with socket.create_connection(("127.0.0.1", scene.port)) as raw:
        host = f"Host: 127.0.0.1:{scene.port}\r\nConnection: close\r\n\r\n"
        raw.sendall(b"GET /\xff\xc3\xa9/ HTTP/1.1\r\n" + host.encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 404")
    assert capsys.readouterr().err == ""


def test_a_reader_who_goes_away_is_not_told_and_anything_else_is(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(Fresh(scene.build), 0) as one:
        for problem in (BrokenPipeError(), ValueError("told")):
            try:
                raise problem
            except (BrokenPipeError, ValueError):
                one.handle_error(None, ("127.0.0.1", 1))
    told = capsys.readouterr().err
    assert "BrokenPipeError" not in told
    assert "ValueError: told" in told


def test_the_page_is_made_anew_only_after_a_while_and_its_version_tells_changes(scene: Scene) -> None:
    first = scene.version()
    scene.words = b"second"
    assert scene.version() == first
    assert scene.builds == 1
    scene.now += FRESH
    assert scene.version() != first
    assert b"second" in scene.ask("/")[2]
    assert scene.builds == 2


def test_a_later_moment_alone_is_no_new_version(scene: Scene) -> None:
    first = scene.version()
    scene.made, scene.now = b"10:01", scene.now + FRESH
    assert scene.version() == first
    assert b"10:01" in scene.ask("/")[2]


def test_a_slow_build_is_not_repeated_at_once() -> None:
    now = [0.0]
    builds = []

    def build() -> Iterator[tuple[str, bytes]]:
        builds.append(now[0])
        now[0] += 10
        yield "index.html", b""

    fresh = Fresh(build, clock=lambda: now[0])
    fresh.site()
    now[0] += 39
    fresh.site()
    assert len(builds) == 1
    now[0] += 1
    fresh.site()
    assert len(builds) == 2


def test_readers_who_come_at_once_wait_for_one_build() -> None:
    builds = []

    def build() -> Iterator[tuple[str, bytes]]:
        builds.append(1)
        time.sleep(0.05)
        yield "index.html", b""

    fresh = Fresh(build)
    threads = [threading.Thread(target=fresh.site) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1


def test_a_store_that_is_away_is_said_and_comes_back(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.broken = True
    status, headers, body = scene.ask("/")
    assert (status, b"store" in body) == (503, False)
    assert "content-security-policy" in headers
    assert "the store does not answer" in capsys.readouterr().err
    scene.broken = False
    assert scene.ask("/")[0] == 200


def test_served_pages_ask_for_their_version_and_static_ones_could_not() -> None:
    (page,) = [(c) for p, c in site_of(list(Scene().build())).files.items() if p == "riverside/index.html"]
    assert b"connect-src 'self'" in page
    assert b'<script src="../live.js" defer></script>' in page
    assert b"<noscript><meta http-equiv=" in page
    assert b"live.js" not in HTML


def test_a_port_that_is_taken_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigInvalid, match="nothing can be served on port"):
            server(Fresh(Scene().build), taken.getsockname()[1])


def test_the_command_serves_the_real_page_until_ctrl_c(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    command = [sys.executable, "-m", "gradesync", "-C", str(tree.root), "page", "--serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[0]
        assert address.startswith("http://127.0.0.1:")
        port, place = address.removesuffix("/").rsplit(":", 1)[1].split("/")
        scene = Scene(port=int(port), place=place)
        status, _, page = scene.ask("/")
        first = scene.version()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert status == 200
    assert b"riverside" in page
    assert first
    assert process.returncode == 0, out + err
    assert "Traceback" not in err
    assert place not in out + err  # told once
