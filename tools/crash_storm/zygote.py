"""Starts the real command many times a second: everything is imported once, and each command is a fork of this process.

Reads one JSON object per line, `{"args": [...], "said": PATH}`, and answers the new process's id. What a storm needs to
be short (a lease of seconds) and what proves its judge (a guard that lets everything pass) is put in here, outside of
the product.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from dataclasses import replace
from typing import Any

import gradesync.cli.reconcile
import gradesync.cli.run
import gradesync.cli.worker
import gradesync.connectors.canvas
import gradesync.connectors.oneroster
import gradesync.engine.reconcile
import gradesync.store.queue
import gradesync.store.sql
import gradesync.wiring.connections
import gradesync.worker
from gradesync.cli.main import run
from gradesync.engine import runner
from gradesync.engine.lease import LeaseGuard
from gradesync.store.open import open_store
from gradesync.wiring import App
from gradesync.worker import Pace, serve

LEASE = 3.0
GRACE = 0.75
STALLED = 3.0
PACE = Pace(heartbeat=1.0, polling=0.5, upkeep=1.0, reconnect=0.5, errand=0.5)


class Unguarded(LeaseGuard):
    """A guard that never refuses and never finds the lease at its end: what the judge must notice."""

    def check(self) -> None:
        """Everything may be sent."""

    def left(self) -> float:
        """Always a whole lease."""
        return LEASE


def _hasten(*, guard: bool) -> None:
    """Leases and looks of seconds, so that a storm meets as many lost ones in minutes as a year does."""
    tools = App.tools

    def hasty(self: App, *args: Any, **more: Any) -> Any:
        return replace(tools(self, *args, **more), lease_seconds=LEASE)

    App.tools = hasty  # type: ignore[method-assign]  # a storm's own settings
    assert open_store.__kwdefaults__
    assert serve.__kwdefaults__
    open_store.__kwdefaults__["lease_grace"] = GRACE
    serve.__kwdefaults__["pace"] = PACE
    for module in (gradesync.store.queue, gradesync.worker):
        vars(module)["STALLED"] = STALLED
    if not guard:
        # The switch that must make the judge speak.
        vars(runner)["LeaseGuard"] = Unguarded


def main() -> None:
    """Serve until the input ends."""
    _hasten(guard=os.environ.get("STORM_GUARD") != "off")
    # Children are not waited for: the system forgets them by itself, as a service manager would.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _command(order["args"], order["said"])
        print(pid, flush=True)


def _command(args: list[str], said: str) -> None:
    """The child: the command as the shell would have started it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    random.seed()
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    code = 70
    try:
        code = run(args)
        sys.stdout.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
