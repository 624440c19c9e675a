"""`gradesync page --serve`: the page over HTTP for whoever sits at this machine, made anew when something changed.

Nothing is written to disk: the site is a mapping in memory, so a path can name one of its files and nothing else. Only
loopback answers, and only to a browser that was sent to this address: a page elsewhere that points its own name at
127.0.0.1 (DNS rebinding) gets no answer. Loopback belongs to every user of the machine, so the site stands under a name
that nobody can guess, made anew at each start and told on the terminal alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from socketserver import TCPServer
from typing import Any

from gradesync.cli.common import tell
from gradesync.errors import ConfigInvalid, GradesyncError

Build = Callable[[], Iterable[tuple[str, bytes]]]
"""Makes the whole site: paths (`riverside/index.html`) and contents. Called from requests' threads, one at a time."""

HOST = "127.0.0.1"
FRESH = 3.0
"""Seconds for which a site is served without looking again; a slow build stretches it, so that looking is no load."""

_SHARE = 4
"""A build that took a second is not repeated for four: at most a fifth of one core goes into it."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_LIVE = (
    b'<script src="%slive.js" defer></script>\n'
    b'<noscript><meta http-equiv="refresh" content="30"></noscript>\n</head>'
)
_GUESSES = 32
"""Bytes of chance in the name of the place: more than anybody can try."""

_MADE = re.compile(rb'<time datetime="([^"]*)" data-made="[^"]*">([^<]*)</time>')
"""When a page was made stands in it; that alone is no reason to load it anew."""


@dataclass(frozen=True, slots=True)
class Site:
    """One build: its files by path, and a version that changes when any of them says something else."""

    version: str
    files: Mapping[str, bytes]


@dataclass
class Fresh:
    """The site as it is now: made on demand, never twice at once, and not again for a few seconds."""

    build: Build
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _site: Site | None = None
    _until: float = 0.0

    def site(self) -> Site:
        """The newest site; whoever comes while it is being made waits for it."""
        with self._lock:
            if self._site is None or self.clock() >= self._until:
                began = self.clock()
                self._site = site_of(self.build())
                took = self.clock() - began
                self._until = self.clock() + max(FRESH, took * _SHARE)
            return self._site


def site_of(built: Iterable[tuple[str, bytes]]) -> Site:
    """The files with what keeps them fresh in a browser."""
    digest = hashlib.blake2b(digest_size=12)
    found: dict[str, bytes] = {}
    for path, content in sorted(built):
        digest.update(path.encode() + b"\0" + _timeless(content) + b"\0")
        found[path] = _alive(content, path.count("/")) if path.endswith(".html") else content
    version = digest.hexdigest()
    found["live.js"] = files("gradesync.reporting.page").joinpath("assets").joinpath("live.js").read_bytes()
    found["version.json"] = json.dumps({"version": version}).encode()
    return Site(version, found)


def _timeless(page: bytes) -> bytes:
    """The page without the moment it was made at, wherever that is said."""
    made = _MADE.search(page)
    if made is None:
        return page
    for text in made.groups():
        page = page.replace(text, b"")
    return page


def _alive(page: bytes, deep: int) -> bytes:
    """The page, so many folders deep, with the script that asks for the version; the static one may ask nobody."""
    return page.replace(b"script-src 'self';", b"script-src 'self'; connect-src 'self';", 1).replace(
        b"</head>", _LIVE % (b"../" * deep), 1
    )


def server(fresh: Fresh, port: int) -> Server:
    """A server that is not running yet; port 0 takes a free one. Raises ConfigInvalid when the port is taken."""

    class Handler(_Handler):
        site = fresh

    try:
        return Server((HOST, port), Handler)
    except OSError as problem:
        text = f"nothing can be served on port {port}: {problem.strerror}"
        raise ConfigInvalid(
            text, hint="another program has it; choose one with --port, 0 takes a free one"
        ) from problem


def serve(build: Build, port: int, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. The first build is made before the address is told, so that its problems are told as such."""
    fresh = Fresh(build)
    fresh.site()
    with server(fresh, port) as running:
        announce(running.address)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            # Ctrl-C is how this is meant to end, not an interruption of unfinished work.
            return


class Server(ThreadingHTTPServer):
    """Knows the only place under which it answers."""

    daemon_threads = True
    # Whoever holds the port already must be noticed, not joined.
    allow_reuse_address = True
    allow_reuse_port = False

    def server_bind(self) -> None:
        """Without asking a name server for a name of this machine, which nobody needs and which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]
        self.place = secrets.token_urlsafe(_GUESSES)

    @property
    def address(self) -> str:
        """Where the site is; whoever has this can open it."""
        return f"http://{HOST}:{self.server_port}/{self.place}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is nothing to tell anybody."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD from memory. Every other method is refused by the base class's own 501, with our headers."""

    site: Fresh
    protocol_version = "HTTP/1.1"
    server_version = "gradesync"
    sys_version = ""
    timeout = 15

    def do_GET(self) -> None:
        """A file of the site."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Its headers alone."""
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        if not self._asked_for_us():
            self._plain(
                HTTPStatus.MISDIRECTED_REQUEST, "This address is served to this machine only.", body=body
            )
            return
        path = self._below_place()
        if path is None:
            # Before the site is made: a stranger's guesses are no load.
            self._plain(HTTPStatus.NOT_FOUND, "There is no such page.", body=body)
            return
        if path == "":
            # Without the stroke at its end the site's own links would lead beside it.
            self._moved(f"/{self._server.place}/", body=body)
            return
        path = path[1:]
        try:
            found = self.site.site().files
        except GradesyncError as problem:
            # A page that was open stays as it is: its script hears this answer and says so.
            tell(f"the page cannot be made now: {problem}")
            self._plain(
                HTTPStatus.SERVICE_UNAVAILABLE, "The page cannot be made now; try again soon.", body=body
            )
            return
        name = f"{path}index.html" if path == "" or path.endswith("/") else path
        content = found.get(name)
        if content is None and f"{name}/index.html" in found:
            # Built from a name of the site, never from what was asked for.
            self._moved(f"/{self._server.place}/{name}/", body=body)
        elif content is None:
            self._plain(HTTPStatus.NOT_FOUND, "There is no such page.", body=body)
        else:
            suffix = name[name.rfind(".") :] if "." in name else ""
            self._send(HTTPStatus.OK, content, _TYPES.get(suffix, "application/octet-stream"), body=body)

    @property
    def _server(self) -> Server:
        assert isinstance(self.server, Server)
        return self.server

    def _below_place(self) -> str | None:
        """What was asked for after the site's place, `/` first, without its query; None for everything outside.

        Compared in constant time: how long an answer takes tells nobody how much of a guess was right.
        """
        first, stroke, rest = self.path.partition("?")[0].removeprefix("/").partition("/")
        # The base class reads the line as Latin-1, so that every byte that came is one letter.
        known = compare_digest(first.encode("latin-1"), self._server.place.encode("latin-1"))
        return stroke + rest if known else None

    def _asked_for_us(self) -> bool:
        port = self._server.server_port
        return self.headers.get_all("Host") in ([f"{HOST}:{port}"], [f"localhost:{port}"])

    def _moved(self, location: str, *, body: bool) -> None:
        self._send(HTTPStatus.MOVED_PERMANENTLY, b"", _TYPES[".txt"], location, body=body)

    def _plain(self, status: HTTPStatus, sentence: str, *, body: bool) -> None:
        self._send(status, f"{sentence}\n".encode(), _TYPES[".txt"], body=body)

    def _send(
        self, status: HTTPStatus, content: bytes, type_: str, location: str | None = None, *, body: bool
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(len(content)))
        if location is not None:
            self.send_header("Location", location)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def end_headers(self) -> None:
        """The same protection on every answer, refusals included."""
        for name, value in _HEADERS:
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: addresses asked for are nobody's business, and the terminal is for people."""


__all__ = ["FRESH", "HOST", "Build", "Fresh", "Server", "Site", "serve", "server", "site_of"]
