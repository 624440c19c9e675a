"""Who acts, how we know, and under which name a lease is held.

The environment's word is taken as proof, `--as` only as a claim that stands beside it (field.md e). Names come from
outside, so they are cut to printable characters before they reach a history or a terminal.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from typing import Any

from gradesync.domain.run import Actor

_LONGEST = 64


def current_actor(
    people: Mapping[str, Mapping[str, Any]], claims: str | None, environ: Mapping[str, str] | None = None
) -> Actor:
    """The person or scheduler behind this process; a login known to `people` is shown by its display name."""
    env = os.environ if environ is None else environ
    actor = _from_ci(env) or Actor(_os_user(), "OS user")
    name = _display(actor.name, people)
    via = actor.via if name == actor.name else f"{actor.via} {actor.name}"
    if claims:
        via = f"{via}, claims {_printable(claims)}"
    return Actor(name, via)


def _from_ci(env: Mapping[str, str]) -> Actor | None:
    if env.get("GITHUB_ACTIONS") == "true":
        return _ci(env.get("GITHUB_ACTOR"), env.get("GITHUB_EVENT_NAME"), cron="schedule")
    if env.get("GITLAB_CI") == "true":
        return _ci(env.get("GITLAB_USER_LOGIN"), env.get("CI_PIPELINE_SOURCE"), cron="schedule")
    if env.get("CI", "").lower() in ("1", "true"):
        return Actor(_os_user(), "CI")
    return None


def _ci(login: str | None, event: str | None, *, cron: str) -> Actor:
    """The last person who edited the workflow is GitHub's actor of a cron event, but nobody caused that run."""
    if event == cron:
        return Actor("scheduler", "CI cron")
    words = {"workflow_dispatch": "dispatch", "web": "dispatch", "push": "push"}
    kind = words.get(event or "", _printable(event or ""))
    return Actor(_printable(login or "unknown"), f"CI {kind}".strip())


def _os_user() -> str:
    """The login of the process's own user id; environment variables such as USER are anybody's to set."""
    try:
        import pwd

        return _printable(pwd.getpwuid(os.getuid()).pw_name)
    except (ImportError, KeyError, AttributeError):
        pass  # Windows has no pwd, and a container's user may have no name
    try:
        return _printable(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _display(login: str, people: Mapping[str, Mapping[str, Any]]) -> str:
    for person in people.values():
        if login in person.get("logins", ()):
            return _printable(str(person["name"]))
    return login


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:_LONGEST].strip()


def holder_name(actor: Actor) -> str:
    """What others read while this process works: who, where, which process."""
    return f"{actor.name} on {socket.gethostname()} (process {os.getpid()})"
