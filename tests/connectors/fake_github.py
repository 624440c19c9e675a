"""A small GitHub over real HTTP: one repository with pull requests, comments in pages, labels, and tokens that may or
may not write. It refuses what GitHub refuses. No test may live here.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LONGEST = 65_536
REPOSITORY = "district/sync"
JOB = {"id": 41898282, "login": "github-actions[bot]", "type": "Bot"}
ANA = {"id": 7, "login": "aortiz", "type": "User"}

_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET", r"/user", "who"),
    ("GET", r"/repos/district/sync/pulls/(\d+)", "pull"),
    ("GET", r"/repos/district/sync/issues/(\d+)/comments", "list_comments"),
    ("POST", r"/repos/district/sync/issues/(\d+)/comments", "post_comment"),
    ("PATCH", r"/repos/district/sync/issues/comments/(\d+)", "patch_comment"),
    ("DELETE", r"/repos/district/sync/issues/comments/(\d+)", "delete_comment"),
    ("GET", r"/repos/district/sync/issues/(\d+)/labels", "list_labels"),
    ("POST", r"/repos/district/sync/issues/(\d+)/labels", "add_labels"),
    ("DELETE", r"/repos/district/sync/issues/(\d+)/labels/([^/]+)", "delete_label"),
    ("POST", r"/repos/district/sync/labels", "make_label"),
)
_FORBIDDEN = (403, {"message": "Resource not accessible by integration"})


@dataclass
class FakeGitHub:
    """What GitHub keeps. `tokens` say who writes with them, `readers` are those of them that may only read.

    `before` is asked at each request, with method and path; an answer of its own (status, body) goes out instead.
    """

    heads: dict[int, str] = field(default_factory=lambda: {212: "a" * 40})
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    labels: dict[int, list[str]] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=lambda: {"job": JOB, "ana": ANA, "fork": JOB})
    readers: set[str] = field(default_factory=lambda: {"fork"})
    before: Callable[[str, str], tuple[int, Any] | None] = lambda _method, _path: None
    seen: list[tuple[str, str]] = field(default_factory=list)
    page: int = 100
    url: str = ""
    _next: int = 100
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def written(self) -> list[tuple[str, str]]:
        """The requests that change something."""
        return [(method, path) for method, path in self.seen if method != "GET"]

    def comment(self, body: str, user: dict[str, Any] = JOB, number: int = 212) -> int:
        """Somebody comments."""
        with self._lock:
            self._next += 1
            url = f"https://github.example/{REPOSITORY}/pull/{number}#c{self._next}"
            self.comments[self._next] = {
                "id": self._next,
                "body": body,
                "user": user,
                "number": number,
                "html_url": url,
            }
            return self._next

    def bodies(self) -> list[str]:
        """Every comment's text, oldest first."""
        return [self.comments[id]["body"] for id in sorted(self.comments)]

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], token: str, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        """One request: status, body, headers."""
        with self._lock:
            self.seen.append((method, path))
        if (said := self.before(method, path)) is not None:
            return (*said, {})
        with self._lock:
            if token not in self.tokens:
                return 401, {"message": "Bad credentials"}, {}
            if method != "GET" and token in self.readers:
                return (*_FORBIDDEN, {})
            for verb, pattern, name in _ROUTES:
                found = re.fullmatch(pattern, path)
                if verb == method and found:
                    return self._reply(name, [unquote(one) for one in found.groups()], query, token, body)
        return 404, {"message": "Not Found"}, {}

    def _reply(
        self, name: str, ids: list[str], query: dict[str, list[str]], token: str, body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if name in ("list_comments", "list_labels"):
            number = int(ids[0])
            rows: list[Any] = [one for _, one in sorted(self.comments.items()) if one["number"] == number]
            if name == "list_labels":
                rows = [{"name": label} for label in self.labels.get(number, [])]
            return self._paged(rows, query)
        status, answer = getattr(self, f"_{name}")(ids, token, body)
        return status, answer, {}

    def _paged(self, rows: list[Any], query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        size = min(self.page, int(query.get("per_page", ["30"])[0]))
        page = int(query.get("page", ["1"])[0])
        some = rows[(page - 1) * size : page * size]
        if page * size >= len(rows):
            return 200, some, {}
        # As GitHub does: by the repository's number, which is another path than was asked for.
        more = f"{self.url}/repositories/1/issues/1/comments?per_page={size}&page={page + 1}"
        return 200, some, {"Link": f'<{more}>; rel="next"'}

    def _who(self, _ids: list[str], token: str, _body: Any) -> tuple[int, Any]:
        user = self.tokens[token]
        return (200, user) if user["type"] == "User" else _FORBIDDEN

    def _pull(self, ids: list[str], _token: str, _body: Any) -> tuple[int, Any]:
        head = self.heads.get(int(ids[0]))
        return (200, {"number": int(ids[0]), "head": {"sha": head}}) if head else (404, {})

    def _post_comment(self, ids: list[str], token: str, body: Any) -> tuple[int, Any]:
        if len(body["body"]) > LONGEST:
            return 422, {"message": "Validation Failed"}
        return 201, self.comments[self.comment(body["body"], self.tokens[token], int(ids[0]))]

    def _patch_comment(self, ids: list[str], token: str, body: Any) -> tuple[int, Any]:
        one = self.comments.get(int(ids[0]))
        if one is None:
            return 404, {}
        if len(body["body"]) > LONGEST:
            return 422, {"message": "Validation Failed"}
        one["body"] = body["body"]
        return 200, one

    def _delete_comment(self, ids: list[str], _token: str, _body: Any) -> tuple[int, Any]:
        return (204, None) if self.comments.pop(int(ids[0]), None) else (404, {})

    def _make_label(self, _ids: list[str], _token: str, body: Any) -> tuple[int, Any]:
        if body["name"] in self.known:
            return 422, {"message": "already_exists"}
        self.known[body["name"]] = body["color"]
        return 201, body

    def _add_labels(self, ids: list[str], _token: str, body: Any) -> tuple[int, Any]:
        mine = self.labels.setdefault(int(ids[0]), [])
        mine += [label for label in body["labels"] if label not in mine]
        return 200, [{"name": label} for label in mine]

    def _delete_label(self, ids: list[str], _token: str, _body: Any) -> tuple[int, Any]:
        mine = self.labels.get(int(ids[0]), [])
        if ids[1] not in mine:
            return 404, {}
        mine.remove(ids[1])
        return 200, []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    github: FakeGitHub

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        parts = urlsplit(self.path)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        status, answer, headers = self.github.answer(
            self.command, parts.path, parse_qs(parts.query), token, json.loads(sent) if sent else None
        )
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - names the server looks for

    def log_message(self, format: str, *args: object) -> None:
        """A test's output is no access log."""


@contextmanager
def github() -> Iterator[FakeGitHub]:
    """A GitHub of one repository with pull request 212, for the time of a `with`."""
    fake = FakeGitHub()
    handler = type("Handler", (_Handler,), {"github": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
