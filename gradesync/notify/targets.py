"""Where an alarm may go: which services, which hosts, and never unencrypted but on this machine.

A channel's address is a secret that the owner keeps, so no pull request sees or chooses it; what a pull request can
choose is which secret is read. So an address has to be of a known service, or its host on the owner's list. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import unquote, urlsplit

from gradesync.errors import NotSent

WELL_KNOWN = (
    "hooks.slack.com",
    "hooks.slack-gov.com",
    "*.webhook.office.com",
    "*.logic.azure.com",
    "*.environment.api.powerplatform.com",
    "discord.com",
    "chat.googleapis.com",
    "hc-ping.com",
    "smtp.office365.com",
    "smtp.gmail.com",
    "smtp-relay.gmail.com",
    "smtp.sendgrid.net",
    "smtp.mailgun.org",
    "smtp.postmarkapp.com",
)
"""Hosts of services that many districts use; any other stands in `notify_hosts`."""

SERVICES: dict[str, str | None] = {
    "NotifySlack": None,
    "NotifyDiscord": None,
    "NotifyGoogleChat": None,
    "NotifyTelegram": None,
    "NotifyPagerDuty": None,
    "NotifyOpsgenie": None,
    "NotifyWebexTeams": None,
    "NotifyPushover": None,
    "NotifyZulip": None,
    "NotifyWorkflows": "host",
    "NotifyEmail": "smtp_host",
    "NotifyJSON": "host",
    "NotifyMattermost": "host",
    "NotifyRocketChat": "host",
    "NotifyNtfy": "host",
    "NotifyGotify": "host",
}
"""Services of the library that are used, and the attribute that names their host (None: one the service itself knows).

Everything else it can do stays closed: it can also write files, run programs and speak to the desktop.
"""

SCHEMES = frozenset(
    {
        *(
            "https",
            "slack",
            "discord",
            "gchat",
            "tgram",
            "pagerduty",
            "opsgenie",
            "webex",
            "wxteams",
            "pover",
        ),
        *(
            "zulip",
            "workflow",
            "workflows",
            "mailto",
            "mailtos",
            "json",
            "jsons",
            "mmost",
            "mmosts",
            "rocket",
        ),
        *("rockets", "ntfy", "ntfys", "gotify", "gotifys"),
    }
)

CLOSED_OPTIONS = frozenset({"template", "wkd", "pgp", "pgpkey", "pgpprv", "attach"})
"""Options of an address that would read a file, or ask servers of recipients, whom files of a pull request name."""

ALWAYS_TLS = frozenset({"NotifyWorkflows"})

_LOOPBACK = re.compile(r"127(\.\d{1,3}){3}")

EXPECTED = {"slack": ("NotifySlack",), "teams": ("NotifyWorkflows",), "email": ("NotifyEmail",)}
"""Channel -> services its address may lead to; `apprise` takes any of `SERVICES`."""


def is_loopback(host: str) -> bool:
    """Whether the name is this machine by definition: no name that merely begins like its address."""
    return host in ("localhost", "::1") or _LOOPBACK.fullmatch(host) is not None


def check_host(host: str, hosts: Iterable[str]) -> None:
    """Raises NotSent for a host that nobody has allowed; its name is not repeated, since it may be part of a key."""
    name = host.lower().strip("[]")
    if not (is_loopback(name) or any(fnmatchcase(name, glob) for glob in (*WELL_KNOWN, *hosts))):
        raise NotSent(
            "the channel's host is not allowed",
            hint="have the owner add it to `notify_hosts` in gradesync.yaml",
        )


def check_options(url: str) -> None:
    """Raises NotSent for an address with an option that is not taken."""
    # The library takes `;` for `&`, drops blanks, and a password may hold a question mark: so every part is looked at.
    for part in re.split(r"[?&;]", unquote(url).lower())[1:]:
        name = part.partition("=")[0].strip()
        if name in CLOSED_OPTIONS:
            raise NotSent(f"the address carries the option `{name}`, which is not taken", hint="remove it")


def check_hook(url: str, hosts: Iterable[str]) -> str:
    """A plain https address (or http on this machine) at an allowed host. Raises NotSent, naming none of it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        good = parts.port != 0 and not any(c.isspace() or ord(c) < 32 or c == "\\" for c in url)
    except ValueError:
        host, good, parts = "", False, urlsplit("")
    plain = parts.scheme == "http" and is_loopback(host)
    if not good or not host or not (parts.scheme == "https" or plain) or parts.username is not None:
        raise NotSent(
            "the address that is kept is not an https address",
            hint="write the whole address as the service gives it, beginning with https://, without user and password",
        )
    check_host(host, hosts)
    return url
