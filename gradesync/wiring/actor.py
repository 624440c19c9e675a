"""Who acts, as far as this process's surroundings prove it, and under which name a lease is held.

The environment's word is taken as proof, `--as` only as a claim that stands beside it (field.md e). Whoever sets CI's
variables by hand is still given away: the machine's own login, which no variable decides, is recorded with them.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradesync.domain.acting import SCHEDULER_NAME, Identity, printable_login
from gradesync.domain.run import Actor

STARTED_BY = "GRADESYNC_STARTED_BY"
"""Set to `cron` where a clock starts gradesync and nothing shows it (a container). It only takes rights away."""

_CRONS = frozenset({"cron", "crond", "fcron", "anacron", "cronie"})
_URL = re.compile(r"https?://[^\s,]{1,300}\Z")


def current_actor(
    people: Mapping[str, Mapping[str, Any]], claims: str | None, environ: Mapping[str, str] | None = None
) -> Actor:
    """The person or scheduler behind this process; a login known to `people` is shown by its display name."""
    return identity(environ).actor(people, claims)


def identity(environ: Mapping[str, str] | None = None, by_cron: Callable[[], bool] | None = None) -> Identity:
    """What can be proved of who started this process: CI's word, the clock's, or the machine's login."""
    env = os.environ if environ is None else environ
    me = os_user()
    found = _github(env) or _gitlab(env) or _other_ci(env, me) or _clock(env, me, by_cron or child_of_cron)
    if found is None:
        return Identity(me, "os", "OS user")
    return found if found.login == me else replace(found, os_user=me)


def _github(env: Mapping[str, str]) -> Identity | None:
    """GitHub Actions. A re-run is caused by whoever pressed the button, not by whom the first attempt was for."""
    if env.get("GITHUB_ACTIONS") != "true":
        return None
    again = env.get("GITHUB_RUN_ATTEMPT", "1") not in ("", "1")
    login = env.get("GITHUB_TRIGGERING_ACTOR") or env.get("GITHUB_ACTOR")
    event = env.get("GITHUB_EVENT_NAME", "")
    place = [env.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    url = _url("{}/{}/actions/runs/{}".format(*place)) if all(place) else None
    return _ci("github", login, "re-run" if again else event, url)


def _gitlab(env: Mapping[str, str]) -> Identity | None:
    """GitLab CI. The login of a manual job is that of whoever started the job, in a scheduled pipeline too."""
    if env.get("GITLAB_CI") != "true":
        return None
    by_hand = env.get("CI_JOB_MANUAL") == "true"
    event = "web" if by_hand else env.get("CI_PIPELINE_SOURCE", "")
    url = _url(env.get("CI_JOB_URL") or env.get("CI_PIPELINE_URL") or "")
    return _ci("gitlab", env.get("GITLAB_USER_LOGIN"), event, url)


_EVENTS = {"workflow_dispatch": "dispatch", "repository_dispatch": "dispatch", "web": "dispatch"}


def _ci(realm: str, login: str | None, event: str, url: str | None) -> Identity:
    """The last person who edited a workflow is GitHub's actor of a cron event, but nobody caused that run."""
    if event == "schedule":
        return Identity(SCHEDULER_NAME, realm, "CI cron", url, by_clock=True)
    kind = _EVENTS.get(event, re.sub(r"[^a-z_-]", "", event.lower())[:40])
    return Identity(printable_login(login or ""), realm, f"CI {kind or 'job'}", url)


def _other_ci(env: Mapping[str, str], me: str) -> Identity | None:
    """Another CI proves nobody: its login is the machine's."""
    if env.get("CI", "").lower() not in ("1", "true"):
        return None
    return Identity(me, "ci", "CI job", _url(env.get("BUILD_URL") or env.get("RUN_URL") or ""))


def _url(text: str) -> str | None:
    return text if _URL.match(text) else None


def _clock(env: Mapping[str, str], me: str, by_cron: Callable[[], bool]) -> Identity | None:
    """A system's own clock: said so, the main process of a systemd service, or a child of a cron."""
    if env.get(STARTED_BY) == "cron":
        how = "system clock"
    elif env.get("SYSTEMD_EXEC_PID") in (str(os.getpid()), str(os.getppid())):
        how = "system service"
    elif by_cron():
        how = "system cron"
    else:
        return None
    return Identity(SCHEDULER_NAME, "os", how, os_user=me, by_clock=True)


def child_of_cron() -> bool:
    """Whether one of the nearest ancestors is a cron; False where that cannot be seen."""
    process = "self"
    for _ in range(6):
        try:
            # The name stands in brackets and may hold anything, a bracket too; the parent follows the last one.
            name, _, rest = Path(f"/proc/{process}/stat").read_text().partition(" (")[2].rpartition(") ")
            process = rest.split()[1]
        except (OSError, IndexError, ValueError):
            return False
        if name.lower() in _CRONS:
            return True
    return False


def os_user() -> str:
    """The login of the process's own user id; environment variables such as USER are anybody's to set."""
    try:
        import pwd

        return printable_login(pwd.getpwuid(os.getuid()).pw_name)
    except (ImportError, KeyError, AttributeError):
        pass  # Windows has no pwd, and a container's user may have no name
    try:
        return printable_login(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def holder_name(who: str) -> str:
    """What others read while this process works: who, where, which process."""
    return f"{who} on {socket.gethostname()} (process {os.getpid()})"
