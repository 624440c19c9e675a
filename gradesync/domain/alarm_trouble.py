"""Why a channel did not take a message, in words that hold nothing of its address or of what it answered.

Pure, and shared by the two that send: whoever keeps the channels must tell a wrong name from a wrong key, and no text
of a library or a server can be shown, since it may hold the address.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Trouble(StrEnum):
    """What went wrong on the way to a channel; the value ends a sentence about it."""

    NAME = "could not be reached: its host's name leads nowhere"
    CLOSED = "could not be reached: nothing listens at its host and port"
    CERTIFICATE = "could not be reached: its certificate is not valid"
    TLS = "could not be reached: it does not speak TLS at its port"
    SILENT = "did not answer in time"
    AWAY = "could not be reached"
    LOGIN = "does not take the user and password"
    SENDER = "does not take the sender's address"
    RECIPIENT = "refused a recipient"


HINTS = {
    Trouble.NAME: "check the host in the address that is kept, letter by letter",
    Trouble.CLOSED: "check host and port in the address that is kept, and whether the service runs",
    Trouble.CERTIFICATE: "have whoever runs it renew the certificate; it is always checked",
    Trouble.TLS: "check the port in the address that is kept",
    Trouble.SILENT: "check whether this machine may reach the service (firewall), and try again",
    Trouble.AWAY: "check whether this machine may reach the service (network, firewall)",
    Trouble.LOGIN: "check both in the address that is kept (`@`, `/` and `:` as %40, %2F, %3A); "
    "large providers want a password made for programs",
    Trouble.SENDER: "write `from=` in the address that is kept: one that this user may send as",
    Trouble.RECIPIENT: "check the addresses in `to` and `contacts`, and whether this user may write to them",
}

_SIGNS = (
    (Trouble.LOGIN, r"^\(53[0458],|authentication|smtp auth"),
    (Trouble.RECIPIENT, r"^\{.*: \([45]\d\d,"),
    (Trouble.SENDER, r"^\([45]\d\d, b?['\"].*['\"], ['\"]"),
    (Trouble.CERTIFICATE, r"certificate"),
    (Trouble.NAME, r"name or service not known|name resolution|nameresolutionerror|nodename nor|getaddrinfo"),
    (Trouble.CLOSED, r"connection refused"),
    (Trouble.SILENT, r"timed out|timeout"),
    (Trouble.TLS, r"ssl|tls"),
)


def read_trouble(text: str) -> Trouble | None:
    """What an error of a library means, by its text; None where it is none of what is known."""
    lower = text.lower()
    return next((trouble for trouble, sign in _SIGNS if re.search(sign, lower)), None)


def hint_of_status(status: int) -> str:
    """What to do after a refusing answer over HTTP."""
    if 300 <= status < 400:
        return "redirects are not followed: write the address that is meant"
    if status in (404, 410):
        return "the service does not know this address: make a new one there and keep it under the same name"
    if status in (401, 403):
        return "the service refuses this address or its key: make a new one there and keep it under the same name"
    if status == 429:
        return "the service takes no more messages for now: try again later"
    if status >= 500:
        return "the service itself is in trouble: try again later"
    return "the service does not take this kind of message: is it the right `channel` for this address?"
