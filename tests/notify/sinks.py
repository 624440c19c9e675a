"""Two servers on this machine that take what is sent to them: one HTTP, one SMTP. Real sockets, nothing else."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """What came over HTTP. `status` is answered to the next requests, with `location` for redirects."""

    port: int = 0
    status: int = 200
    location: str | None = None
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)

    def url(self, path: str = "/hook/s3cr3t-path") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def bodies(self) -> list[Any]:
        """The bodies as JSON."""
        return [json.loads(body) for _, _, body in self.requests if body]


@contextmanager
def http_sink() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hook.requests.append((self.command, self.path, body))
            self.send_response(hook.status)
            if hook.location is not None:
                self.send_header("Location", hook.location)
            answer = b"ok"
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _take  # noqa: N815 - the names http.server asks for

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """What came over SMTP: (recipients, mail). Recipients in `refused` are not taken."""

    port: int = 0
    mails: list[tuple[list[str], Message]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def url(self, more: str = "") -> str:
        return f"mailto://127.0.0.1:{self.port}?from=alarms@gradesync.example{more}"

    @property
    def recipients(self) -> list[str]:
        return sorted(address for to, _ in self.mails for address in to)


@contextmanager
def smtp_sink() -> Iterator[Mailbox]:
    box, started = Mailbox(), threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(lambda r, w: _talk(box, r, w), "127.0.0.1", 0)
        box.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await stop.wait()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    started.wait(5)
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        loop.close()


async def _talk(box: Mailbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As much of RFC 5321 as a client needs to hand a mail over."""
    to: list[str] = []
    writer.write(b"220 sink ESMTP\r\n")
    while line := (await reader.readline()).decode().strip():
        verb = line.upper()
        answer = b"250 ok\r\n"
        if verb.startswith("RCPT TO:"):
            address = line.partition("<")[2].partition(">")[0]
            if address in box.refused:
                answer = b"550 no such mailbox\r\n"
            else:
                to.append(address)
        elif verb == "DATA":
            writer.write(b"354 go on\r\n")
            data = b""
            while (part := await reader.readline()) != b".\r\n":
                data += part[1:] if part.startswith(b"..") else part
            box.mails.append((to, message_from_bytes(data, policy=default)))
            to = []
        elif verb == "QUIT":
            writer.write(b"221 bye\r\n")
            break
        writer.write(answer)
        await writer.drain()
    writer.close()
