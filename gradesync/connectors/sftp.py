"""Picking up the newest export of a SIS from an SFTP server, into a private folder that is gone with the run.

The server must show the host key the account names before it is shown a password or a key; nothing of this machine's
own SSH set-up (agent, keys, known hosts) is used. Sizes and times are bounded, and the file is looked at again after it
was read. The only room that knows asyncssh.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path, PurePosixPath

import asyncssh

from gradesync.connectors.roster_pickup import (
    LARGEST,
    LOOK_AGAIN,
    LOOKS,
    RESTED,
    Picked,
    Sleep,
    missing,
    restless,
    too_large,
    too_old,
)
from gradesync.domain.roster_files import RosterFiles, SftpPlace
from gradesync.errors import ConnectionProblem

# The library tells hosts and users at every step; what matters is told by ConnectionProblem.
logging.getLogger("asyncssh").setLevel(logging.CRITICAL)

CONNECT_SECONDS = 30
TOTAL_SECONDS = 1800.0
"""How long looking and fetching may take together: a server that drips must not hold the account's lease for ever."""
_MOST_ENTRIES = 10_000
_BLOCK = 1 << 20

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}\Z")
KEY_LINE = re.compile(r"(?:\S+ )?((?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*)(?: .*)?\Z")


@dataclass(frozen=True, slots=True)
class Login:
    """Secrets of the SFTP user, as values: a password, or a private key (with its passphrase)."""

    password: str | None = None
    private_key: str | None = None
    passphrase: str | None = None


@dataclass(frozen=True, slots=True)
class _Remote:
    """A file on the server as it was seen: `path`, bytes, seconds since the epoch."""

    path: str
    size: int
    changed: float


class SftpPickup:
    """Pickup from an SFTP server; `folder` is private to the run and takes what is fetched."""

    def __init__(
        self,
        place: SftpPlace,
        login: Login,
        files: RosterFiles,
        folder: Path,
        *,
        now: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
        largest: int = LARGEST,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._place, self._login, self._files, self._folder = place, login, files, folder
        self._now, self._sleep, self._largest, self._total = now, sleep, largest, total_seconds
        self._picked: Picked | None = None

    async def fetch(self) -> Picked:
        """See Pickup. Raises ConnectionProblem: GS-209 another server, GS-210 login refused, GS-203 not allowed,
        GS-508 no answer, GS-611 nothing new there, GS-612 still being written.
        """
        if self._picked is None:
            try:
                async with asyncio.timeout(self._total):
                    async with self._connected() as sftp:
                        self._picked = await self._fetched(sftp)
            except TimeoutError:
                raise _down(f"did not deliver within {self._total / 60:.0f} minutes") from None
        return self._picked

    async def look(self) -> float:
        """How many hours old the newest export on the server is. Nothing is fetched; raises as `fetch` does."""
        async with asyncio.timeout(CONNECT_SECONDS * 2), self._connected() as sftp:
            newest = await _newest(sftp, self._files.path)
        if not newest:
            raise missing()
        hours = (self._now() - _changed(newest)) / 3600
        if hours * 60 > self._files.max_age:
            raise too_old(hours, self._files.max_age)
        return hours

    async def unchanged(self) -> None:
        """What was fetched is ours alone, and was compared with the server's when it had come."""

    async def _fetched(self, sftp: asyncssh.SFTPClient) -> Picked:
        newest = await self._rested(sftp, self._files.path)
        base = None if self._files.base is None else await self._rested(sftp, self._files.base)
        if newest is None:
            raise missing()
        if base is not None and _changed(base) >= _changed(newest):
            # Changes from before a whole export are in it already.
            newest, base = base, None
        hours = (self._now() - _changed(newest)) / 3600
        if hours * 60 > self._files.max_age:
            raise too_old(hours, self._files.max_age)
        return Picked(
            await self._brought(sftp, newest, "newest"),
            None if base is None else await self._brought(sftp, base, "base"),
        )

    async def _rested(self, sftp: asyncssh.SFTPClient, pattern: str) -> tuple[_Remote, ...] | None:
        """The newest export of a pattern, once it has come to rest; None when nothing fits."""
        for _ in range(LOOKS):
            found = await _newest(sftp, pattern)
            if not found:
                return None
            if sum(one.size for one in found) > self._largest:
                raise too_large()
            if self._now() - _changed(found) < RESTED:
                await self._sleep(LOOK_AGAIN)
                if await _newest(sftp, pattern) != found:
                    continue
            return found
        raise restless()

    async def _brought(self, sftp: asyncssh.SFTPClient, remote: Sequence[_Remote], name: str) -> Path:
        """Fetch an export: a zip as a file, loose CSV files into a folder."""
        if len(remote) == 1 and not remote[0].path.endswith(".csv"):
            target = self._folder / f"{name}.zip"
            await _fetch(sftp, remote[0], target)
            return target
        folder = self._folder / name
        folder.mkdir(mode=0o700)
        for one in remote:
            await _fetch(sftp, one, folder / PurePosixPath(one.path).name)
        return folder

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncssh.SFTPClient]:
        try:
            options = self._options()
            where = (self._place.host, self._place.port)
            async with (
                asyncssh.connect(*where, options=options) as connection,
                connection.start_sftp_client() as sftp,
            ):
                yield sftp
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            # The second one: the server has no key of the kind that is pinned.
            raise ConnectionProblem(
                "The SFTP server shows another host key than the account names; nothing was sent to it.",
                code="GS-209",
                hint="ask whoever runs the server for its key, by another way, and compare `sis.roster.sftp.host_key`",
            ) from None
        except asyncssh.PermissionDenied:
            raise ConnectionProblem(
                "The SFTP server refuses the user, password or key.",
                code="GS-210",
                hint="renew what `sis.roster.sftp` refers to",
            ) from None
        except asyncssh.SFTPPermissionDenied:
            raise ConnectionProblem(
                "The SFTP user may not read the roster files.",
                code="GS-203",
                hint="let the user read the folder in `sis.roster.path`",
            ) from None
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            # It was listed a moment ago: somebody tidies up, or replaces it by a newer one.
            raise restless() from None
        except asyncssh.SFTPError:
            raise _down("could not hand out the roster files") from None
        except (asyncssh.Error, OSError):
            raise _down("does not answer") from None

    def _options(self) -> asyncssh.SSHClientConnectionOptions:
        login = self._login
        keys: list[asyncssh.SSHKey] = []
        if login.private_key is not None:
            try:
                keys = [asyncssh.import_private_key(login.private_key, login.passphrase)]
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
                raise ConnectionProblem(
                    "The private key for the SFTP server cannot be used, or its passphrase is wrong.",
                    code="GS-207",
                    hint="look at what `sis.roster.sftp.private_key` and `passphrase` refer to",
                ) from None
        pinned = self._place.host_key
        line = KEY_LINE.match(pinned)
        # A server has a key of each kind and shows one: with the whole line the right kind is asked for.
        kinds = {"server_host_key_algs": _algorithms(line[1].split()[0])} if line else {}
        return asyncssh.SSHClientConnectionOptions(
            client_factory=lambda: _Pinned(pinned),
            username=self._place.user,
            password=login.password,
            client_keys=keys or None,
            preferred_auth="publickey" if keys else "password,keyboard-interactive",
            known_hosts=([], [], []),
            config=None,
            agent_path=None,
            gss_host=None,
            x509_trusted_certs=None,
            connect_timeout=CONNECT_SECONDS,
            login_timeout=CONNECT_SECONDS,
            keepalive_interval=30,
            **kinds,
        )


class _Pinned(asyncssh.SSHClient):
    """Takes the one host key that the account names, and no other."""

    def __init__(self, pinned: str) -> None:
        self._pinned = pinned

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002 - the library's signature
        addr: str,  # noqa: ARG002 - the library's signature
        port: int,  # noqa: ARG002 - the library's signature
        key: asyncssh.SSHKey,
    ) -> bool:
        """Whether the server's key is the pinned one."""
        line = KEY_LINE.match(self._pinned)
        if line is None:
            return hmac.compare_digest(key.get_fingerprint(), self._pinned)
        try:
            known = asyncssh.import_public_key(line[1])
        except asyncssh.KeyImportError:
            return False
        return hmac.compare_digest(key.public_data, known.public_data)


def _algorithms(kind: str) -> list[str]:
    """The signatures that go with a kind of key; RSA keys sign with SHA-2 only."""
    return ["rsa-sha2-256", "rsa-sha2-512"] if kind == "ssh-rsa" else [kind]


def _down(what: str) -> ConnectionProblem:
    return ConnectionProblem(
        f"The SFTP server {what}.", code="GS-508", hint="the next run tries again", retryable=True
    )


def _changed(export: Sequence[_Remote]) -> float:
    return max(one.changed for one in export)


async def _newest(sftp: asyncssh.SFTPClient, pattern: str) -> tuple[_Remote, ...] | None:
    """The newest export: one zip, or the CSV files of a folder. None when there is none."""
    if has_magic(pattern):
        path = PurePosixPath(pattern)
        if has_magic(str(path.parent)):
            raise missing("A pattern on an SFTP server may stand in the last part of the path only")
        entries = [one for one in await _listed(sftp, str(path.parent)) if fnmatchcase(_name(one), path.name)]
        zips = [one for one in entries if not one.path.endswith(".csv")]
        if zips or not entries:
            return (max(zips, key=_age),) if zips else None
        return tuple(sorted(entries, key=_name))
    try:
        about = await sftp.stat(pattern)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return None
    if about.type != asyncssh.FILEXFER_TYPE_DIRECTORY:
        return (_Remote(pattern, about.size or 0, float(about.mtime or 0)),)
    entries = await _listed(sftp, pattern)
    loose = tuple(sorted((one for one in entries if one.path.endswith(".csv")), key=_name))
    zips = [one for one in entries if one.path.endswith(".zip")]
    return loose or ((max(zips, key=_age),) if zips else None)


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "replace")


def _name(one: _Remote) -> str:
    return PurePosixPath(one.path).name


def _age(one: _Remote) -> tuple[float, str]:
    return one.changed, _name(one)


async def _listed(sftp: asyncssh.SFTPClient, folder: str) -> list[_Remote]:
    """The plain files of a folder; a server that names no end of them is not listened to."""
    found: list[_Remote] = []
    try:
        async for entry in sftp.scandir(folder):
            about = entry.attrs
            if about.type == asyncssh.FILEXFER_TYPE_REGULAR:
                path = f"{folder.rstrip('/')}/{_text(entry.filename)}"
                found.append(_Remote(path, about.size or 0, float(about.mtime or 0)))
            if len(found) > _MOST_ENTRIES:
                raise missing(f"The folder on the SFTP server holds more than {_MOST_ENTRIES} files")
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return []
    return found


async def _fetch(sftp: asyncssh.SFTPClient, remote: _Remote, target: Path) -> None:
    """Fetch one file, no more bytes than it was seen to have, and look at it once more."""
    got = 0

    def counted(_source: bytes, _target: bytes, done: int, _total: int) -> None:
        nonlocal got
        got = done
        if done > remote.size:
            raise restless()

    await sftp.get(remote.path, str(target), progress_handler=counted, block_size=_BLOCK // 4)
    about = await sftp.stat(remote.path)
    if (about.size or 0, float(about.mtime or 0)) != (remote.size, remote.changed):
        raise restless()
    if await asyncio.to_thread(_size_of, target) != remote.size:
        raise restless()


def _size_of(target: Path) -> int:
    """Bytes of the fetched file, which from here on is this user's alone."""
    target.chmod(0o600)
    return target.stat().st_size
