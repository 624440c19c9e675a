"""Fetching exports from an SFTP server, against the library's own server on this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from gradesync.connectors.roster_pickup import Picked
from gradesync.connectors.sftp import Login, SftpPickup
from gradesync.domain.roster_files import ONEROSTER_CSV, RosterFiles, SftpPlace
from gradesync.errors import ConnectionProblem

SERVER_KEY = asyncssh.generate_private_key("ssh-ed25519")
OTHER_KEY = asyncssh.generate_private_key("ssh-ed25519")
RSA_KEY = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
USER_KEY = asyncssh.generate_private_key("ssh-ed25519")
LINE = SERVER_KEY.export_public_key().decode().strip()
PASSWORD = "correct horse"


@dataclass
class Server:
    """What the SFTP server has and how it behaves; `shown` are the passwords it was shown."""

    folder: Path
    keys: tuple[asyncssh.SSHKey, ...] = (SERVER_KEY,)
    port: int = 0
    shown: list[str] = field(default_factory=list)
    on_open: Callable[[Path], None] | None = None


class _Door(asyncssh.SSHServer):
    def __init__(self, server: Server) -> None:
        self._server = server

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._server.shown.append(password)
        return (username, password) == ("gradesync", PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key.public_data == USER_KEY.public_data


class _Files(asyncssh.SFTPServer):
    def __init__(self, channel: Any, server: Server) -> None:
        super().__init__(channel, chroot=os.fsencode(server.folder))
        self._server = server

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if self._server.on_open is not None:
            self._server.on_open(self._server.folder / path.decode().lstrip("/"))
        return super().open(path, pflags, attrs)


@asynccontextmanager
async def served(server: Server) -> AsyncIterator[Server]:
    listening = await asyncssh.create_server(
        lambda: _Door(server),
        "127.0.0.1",
        0,
        server_host_keys=list(server.keys),
        sftp_factory=lambda channel: _Files(channel, server),
    )
    async with listening:
        yield replace(server, port=listening.get_port())


async def no_rest(_seconds: float) -> None:
    """Time does not pass."""


def fetch(
    server: Server,
    into: Path,
    *,
    path: str = "/out/*.zip",
    host_key: str = LINE,
    login: Login = Login(password=PASSWORD),  # noqa: B008 - frozen
    base: str | None = None,
    max_age: int = 60,
    now: float | None = None,
    **more: Any,
) -> tuple[Picked, Server]:
    async def run() -> tuple[Picked, Server]:
        async with served(server) as there:
            files = RosterFiles(ONEROSTER_CSV, path, base, max_age)
            place = SftpPlace("127.0.0.1", "gradesync", host_key, there.port)
            clock = {} if now is None else {"now": lambda: now}
            pickup = SftpPickup(place, login, files, into, **{"sleep": no_rest, **clock, **more})
            picked = await pickup.fetch()
            assert await pickup.fetch() == picked
            await pickup.unchanged()
            return picked, there

    return asyncio.run(run())


def refused(server: Server, into: Path, **more: Any) -> ConnectionProblem:
    with pytest.raises(ConnectionProblem) as caught:
        fetch(server, into, **more)
    return caught.value


@pytest.fixture
def server(tmp_path: Path) -> Server:
    out = tmp_path / "served" / "out"
    out.mkdir(parents=True)
    put(out / "old.zip", b"old", minutes=50)
    put(out / "new.zip", b"new" * 1000, minutes=10)
    put(out / "notes.txt", b"x", minutes=5)
    return Server(tmp_path / "served")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def put(path: Path, content: bytes, *, minutes: float) -> None:
    path.write_bytes(content)
    at = path.stat().st_mtime - 60 * minutes
    os.utime(path, (at, at))


def test_the_newest_that_fits_is_fetched_and_readable_by_this_user_alone(server: Server, into: Path) -> None:
    picked, _ = fetch(server, into)
    assert picked.newest.read_bytes() == b"new" * 1000
    assert picked.newest.stat().st_mode & 0o777 == 0o600
    assert picked.base is None


def test_a_folder_of_loose_files_is_fetched_as_one_export(server: Server, into: Path) -> None:
    for name in ("users.csv", "manifest.csv"):
        put(server.folder / "out" / name, name.encode(), minutes=3)
    picked, _ = fetch(server, into, path="/out")
    assert sorted(one.name for one in picked.newest.iterdir()) == ["manifest.csv", "users.csv"]


def test_a_file_by_its_name_and_the_base_that_changes_count_from(server: Server, into: Path) -> None:
    picked, _ = fetch(server, into, path="/out/new.zip", base="/out/old*.zip")
    assert picked.base is not None
    assert (picked.newest.read_bytes()[:3], picked.base.read_bytes()) == (b"new", b"old")
    again, _ = fetch(server, into, path="/out/old.zip", base="/out/new.zip")
    assert (again.newest.read_bytes()[:3], again.base) == (b"new", None), "changes older than their base"


@pytest.mark.parametrize(
    "pinned",
    [LINE, f"sftp.example {LINE} made for us", SERVER_KEY.get_fingerprint()],
    ids=["key", "known_hosts line", "fingerprint"],
)
def test_the_pinned_host_key_opens_in_every_way_of_writing_it(
    server: Server, into: Path, pinned: str
) -> None:
    assert fetch(server, into, host_key=pinned)[0].newest.exists()


def test_of_a_server_with_several_keys_the_kind_of_the_pinned_line_is_asked_for(
    server: Server, into: Path
) -> None:
    server.keys = (SERVER_KEY, RSA_KEY)
    assert fetch(server, into, host_key=RSA_KEY.export_public_key().decode().strip())[0].newest.exists()


@pytest.mark.parametrize(
    "pinned",
    [OTHER_KEY.export_public_key().decode().strip(), OTHER_KEY.get_fingerprint()],
    ids=["known_hosts line", "fingerprint"],
)
def test_another_server_is_refused_before_it_is_shown_the_password(
    server: Server, into: Path, pinned: str
) -> None:
    problem = refused(server, into, host_key=pinned)
    assert problem.code == "GS-209"
    assert not problem.retryable
    assert server.shown == []


def test_a_server_without_a_key_of_the_pinned_kind_is_another_server(server: Server, into: Path) -> None:
    server.keys = (RSA_KEY,)
    assert refused(server, into).code == "GS-209"
    assert server.shown == []


def test_a_password_the_server_refuses_is_told_without_the_password(server: Server, into: Path) -> None:
    problem = refused(server, into, login=Login(password="battery staple"))
    assert problem.code == "GS-210"
    assert "battery" not in f"{problem} {problem.hint}"


def test_a_private_key_opens_and_shows_no_password(server: Server, into: Path) -> None:
    key = USER_KEY.export_private_key(passphrase="p", rounds=50).decode()
    _, there = fetch(server, into, login=Login(private_key=key, passphrase="p"))
    assert there.shown == []
    assert refused(server, into, login=Login(private_key=key, passphrase="q")).code == "GS-207"
    assert refused(server, into, login=Login(private_key="no key at all")).code == "GS-207"
    other = OTHER_KEY.export_private_key().decode()
    assert refused(server, into, login=Login(private_key=other)).code == "GS-210"


def test_nothing_there_and_a_file_too_old_are_told_apart(server: Server, into: Path) -> None:
    assert "No roster file" in str(refused(server, into, path="/out/*.tar"))
    assert "No roster file" in str(refused(server, into, path="/elsewhere/*.zip"))
    assert refused(server, into, path="/elsewhere/x.zip").code == "GS-611"
    late = (server.folder / "out" / "new.zip").stat().st_mtime + 61 * 60
    problem = refused(server, into, now=late)
    assert (problem.code, str(problem)) == (
        "GS-611",
        "The newest roster file is 1 hours old; at most 1 are allowed.",
    )


def test_a_file_that_grows_between_two_looks_is_left_to_rest(server: Server, into: Path) -> None:
    growing = server.folder / "out" / "growing.zip"
    growing.write_bytes(b"a")
    looks = 0

    async def meanwhile(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks < 4:
            growing.write_bytes(b"a" * (looks + 1))

    picked, _ = fetch(server, into, sleep=meanwhile)
    assert picked.newest.read_bytes() == b"aaaa"

    async def for_ever(_seconds: float) -> None:
        growing.write_bytes(growing.read_bytes() + b"a")

    problem = refused(server, into, sleep=for_ever)
    assert (problem.code, problem.retryable) == ("GS-612", True)


@pytest.mark.parametrize("act", ["grow", "cut", "vanish", "replace"])
def test_a_file_that_changes_while_it_is_fetched_is_not_taken(server: Server, into: Path, act: str) -> None:
    def meddle(path: Path) -> None:
        if act == "vanish":
            path.unlink()
        elif act == "replace":
            path.write_bytes(b"wen" * 1000)
        else:
            path.write_bytes(b"new" * (2000 if act == "grow" else 500))

    server.on_open = meddle
    assert refused(server, into).code == "GS-612"


def test_a_file_larger_than_any_roster_is_not_fetched(server: Server, into: Path) -> None:
    assert refused(server, into, largest=2999).code == "GS-610"
    assert list(into.iterdir()) == []


def test_a_server_that_is_not_there_or_never_ends_is_tried_again_later(server: Server, into: Path) -> None:
    async def nobody() -> None:
        place = SftpPlace("127.0.0.1", "gradesync", LINE, 1)
        await SftpPickup(place, Login(password="x"), RosterFiles(ONEROSTER_CSV, "/x"), into).fetch()

    with pytest.raises(ConnectionProblem) as caught:
        asyncio.run(nobody())
    assert (caught.value.code, caught.value.retryable) == ("GS-508", True)

    async def hang(_seconds: float) -> None:
        await asyncio.sleep(3600)

    (server.folder / "out" / "fresh.zip").write_bytes(b"x")
    assert refused(server, into, sleep=hang, total_seconds=0.5).code == "GS-508"
