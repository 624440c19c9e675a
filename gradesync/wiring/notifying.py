"""Puts the alarms together: the rules of the settings, the sender with its secrets, and the client for hooks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gradesync.domain.alarm import Where
from gradesync.domain.alarm_rule import AlarmSettings, rules_of

if TYPE_CHECKING:
    from gradesync.config.settings import Settings
    from gradesync.domain.shard import Shard
    from gradesync.ports import Notifier
    from gradesync.wiring import App

_HOST = r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?(?::[0-9]{1,5})?"
_SERVER = re.compile(_HOST)
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_RUN = re.compile(r"[0-9]{1,19}")
_JOB = re.compile(rf"{_HOST}(?:/[A-Za-z0-9_.-]{{1,200}}){{1,30}}")
_UPWARDS = re.compile(r"/\.{1,2}(?:/|\Z)")


def alarm_settings(settings: Settings) -> AlarmSettings:
    """The rules, and from when on something deserves an alarm."""
    late = settings.alarms.get("late_after")
    return AlarmSettings(
        rules=rules_of(settings.notify),
        waiting_days=int(settings.alarms.get("waiting_days", AlarmSettings().waiting_days)),
        late_after=timedelta(minutes=late) if late is not None else None,
    )


def notifier(app: App, shard: Shard | None = None) -> Notifier:
    """What sends the tree's alarms."""
    return notifier_of(app.root, app.settings, shard)


def notifier_of(root: Path, settings: Settings, shard: Shard | None = None) -> Notifier:
    """The same without a store, which it does not need."""
    from gradesync.connectors.hooks import Hooks
    from gradesync.notify.sender import Sender
    from gradesync.wiring.secrets import References

    return Sender(
        References(root),
        Hooks(settings.private_hosts),
        hosts=settings.notify_hosts,
        ping=settings.ping,
        ping_fail=settings.ping_fail,
        where=Where(run=job_address(), page=str(settings.page.get("address") or "")),
        shard=shard.number if shard is not None else 0,
    )


def job_address(environ: Mapping[str, str] | None = None) -> str:
    """The address of the CI job this process runs in, by GitHub Actions or GitLab CI; empty anywhere else.

    An environment can hold anything, so it is believed in the shape of an https address without user, query and
    fragment only: nothing in it can be markup, a mention or a key.
    """
    env = os.environ if environ is None else environ
    address = ""
    if env.get("GITHUB_ACTIONS") == "true":
        server, repository = env.get("GITHUB_SERVER_URL", "").rstrip("/"), env.get("GITHUB_REPOSITORY", "")
        run = env.get("GITHUB_RUN_ID", "")
        if _SERVER.fullmatch(server) and _REPOSITORY.fullmatch(repository) and _RUN.fullmatch(run):
            address = f"{server}/{repository}/actions/runs/{run}"
    elif env.get("GITLAB_CI") == "true":
        job = env.get("CI_JOB_URL", "")
        address = job if _JOB.fullmatch(job) else ""
    # A reader's browser would walk up with it, and arrive elsewhere than the text says.
    return "" if _UPWARDS.search(address) else address
