"""Who holds a lease, and whether that process can still be alive.

Only a process of this host can be judged, and only where `/proc` tells the truth about it; everywhere else a lease
ends by its time alone. Nothing here touches a database.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from gradesync.domain.run import Holder

PROC = Path("/proc")


def this_holder(name: str) -> Holder:
    """This process as a holder; `name` is what people read (`host:pid`, a CI job)."""
    pid = os.getpid()
    found = _process(pid)
    return Holder(
        name=name,
        host=socket.gethostname(),
        pid=pid,
        process_start=found[1] if found else "",
        boot_id=_boot_id(),
    )


def is_dead(holder: Holder) -> bool:
    """True only when it is certain: same host, same boot, and the process is gone or is another one by now."""
    if not holder.boot_id or holder.boot_id != _boot_id() or holder.host != socket.gethostname():
        return False
    found = _process(holder.pid)
    if found is None:
        return _is_gone(holder.pid)
    state, start = found
    # A zombie runs no code any more: its parent just has not asked for its exit code yet.
    return state in "ZX" or start != holder.process_start


def is_over(holder: Holder, until: datetime, now: datetime, grace: float) -> bool:
    """Whether a lease has ended: past its time and the grace (seconds), or held by a dead process."""
    return until + timedelta(seconds=grace) < now or is_dead(holder)


@lru_cache(maxsize=1)
def _boot_id() -> str:
    """This boot of this host, and the namespace its process ids count in; empty when it cannot be told.

    Two containers may share host name and boot but not process ids: without the namespace each would call the
    other dead.
    """
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _process(pid: int) -> tuple[str, str] | None:
    """(state letter, start time in clock ticks since boot) of a process; None when `/proc` does not show it."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The second field is the command in parentheses and may itself hold spaces and parentheses (proc(5)).
    fields = stat.rpartition(")")[2].split()
    return fields[0], fields[19]


def _is_gone(pid: int) -> bool:
    """`/proc` may hide other people's processes; a signal 0 that is refused proves that one is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
