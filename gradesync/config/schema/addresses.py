"""The addresses the files hold, and what they are checked for before any secret goes to one.

https except on this machine, hosts on the owner's list, nothing secret inside. Nothing is resolved or connected to.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import PlainValidator, ValidationInfo

from gradesync.config.schema.fields import Allowed, in_schema, refuse, text_in

_HOST = re.compile(
    r"(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\Z|[0-9a-f:]+\Z"
)
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}\Z")
_PLAIN = re.compile(r"https://[A-Za-z0-9.:-]+(?:/(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*)*")
_PAGES = (
    "about", "accounts", "api", "appointment_groups", "assignments", "calendar", "calendar2", "conversations",
    "courses", "dashboard", "error_reports", "files", "grades", "graphql", "groups", "login", "logout", "oauth2",
    "plugins", "profile", "search", "sections", "sis_imports", "users",
)  # fmt: skip
"""How the paths of Canvas's own pages begin (its routes; `login` is where an address copied too early ends)."""
_KEY_LINE = re.compile(r"(?:\S+ )?(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*(?: .*)?\Z")


def _url(value: Any, info: ValidationInfo) -> str:
    return _address(value, info, with_query=False)


def _canvas_url(value: Any, info: ValidationInfo) -> str:
    if isinstance(value, str) and (meant := canvas_behind(value)) is not None:
        message = "this is the address of a page in Canvas, and the address of Canvas itself is meant"
        raise refuse("GS-108", message, f"write `{meant}`")
    return _address(value, info, with_query=False)


def canvas_behind(text: str) -> str | None:
    """The address of the Canvas behind that of one of its pages, as copied from a browser; None for any other.

    Only paths that begin as Canvas's own pages do are judged: Canvas itself may be behind a path.
    """
    parts = split_url(text.strip())
    if parts is None or parts.scheme not in ("https", "http") or "@" in parts.netloc:
        return None
    first = parts.path.lstrip("/").partition("/")[0].partition(";")[0].casefold()
    return f"{parts.scheme}://{parts.netloc}" if first in _PAGES else None


def _token_url(value: Any, info: ValidationInfo) -> str:
    # Some servers tell their clients apart by a name in the token address's query; a secret has no place there.
    query = value.partition("?")[2].lower() if isinstance(value, str) else ""
    if any(word in query for word in ("secret", "password")):
        raise refuse("GS-107", "an address carries no secret", "use `client_secret`; rotate a real one now")
    return _address(value, info, with_query=True)


def _address(value: Any, info: ValidationInfo, *, with_query: bool) -> str:
    text = text_in(value).strip()
    parts = split_url(text)
    if parts is None or parts.scheme not in ("https", "http"):
        raise refuse(
            "GS-108", "this is not an https address", "write it like `https://riverside.instructure.com`"
        )
    if parts.username is not None or parts.password is not None:
        raise refuse(
            "GS-107", "an address carries no user or password", "use references; rotate a real password now"
        )
    if (parts.query and not with_query) or parts.fragment:
        raise refuse("GS-108", "an address ends before `?` and `#`", "remove what follows")
    host = parts.hostname or ""
    if parts.scheme == "http" and not is_loopback(host):
        raise refuse("GS-108", "http is only taken on this machine", "write https")
    if isinstance(info.context, Allowed) and not host_allowed(host, info.context.hosts):
        hint = f"have the owner of gradesync.yaml add it there: `hosts: [{host}]`"
        if info.context.hosts is None:
            hint = f"without `hosts` only this machine is allowed; {hint}"
        raise refuse("GS-108", "this host is not on the list of allowed hosts", hint)
    return text.rstrip("/")


def _source_url(value: Any) -> str:
    return _shown_url(value, "https://git.example.org/org/repo/blob/main")


def _shown_url(value: Any, example: str) -> str:
    # Only shown as a link: nothing of ours is sent there, so the owner's list of hosts does not matter.
    text = text_in(value).strip()
    parts = split_url(text)
    if parts is None or parts.scheme != "https":
        raise refuse("GS-110", "this is not an https address", f"write it like `{example}`")
    if parts.username is not None or parts.password is not None:
        raise refuse(
            "GS-107", "an address carries no user or password", "remove it; rotate a real password now"
        )
    if parts.query or parts.fragment:
        raise refuse("GS-110", "an address ends before `?` and `#`", "remove what follows")
    return text.rstrip("/")


def _page_url(value: Any) -> str:
    # It ends alarms in chats and mails as a link, so nothing in it may be markup there, or lead elsewhere.
    text = _shown_url(value, "https://pages.example.org/gradesync")
    if not _PLAIN.fullmatch(text) or {".", ".."} & set(text.split("/")):
        hint = "percent-encode anything but letters, digits and `._~-` in its path"
        raise refuse("GS-110", "this address holds characters that would break a link", hint)
    return text.removesuffix("/index.html")


def split_url(text: str) -> SplitResult | None:
    """The parts of an address, or None when it has no usable host."""
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    host = parts.hostname or ""
    return parts if usable and re.fullmatch(r"[A-Za-z0-9.:-]+", host) and not re.search(r"\s", text) else None


def is_loopback(host: str) -> bool:
    """Whether the name is this machine by definition, without asking a resolver."""
    return host in ("localhost", "::1") or re.fullmatch(r"127\.\d+\.\d+\.\d+", host) is not None


def host_allowed(host: str, hosts: tuple[str, ...] | None) -> bool:
    """Whether account files may send secrets to `host`; without a list only to this machine."""
    return is_loopback(host) if hosts is None else any(fnmatchcase(host.lower(), glob) for glob in hosts)


def _host(value: Any) -> str:
    host = text_in(value).lower()
    if not _HOST.match(host):
        hint = 'write it like `riverside.instructure.com` or `"*.instructure.com"`, without https://'
        raise refuse("GS-110", "this is not a host name, or its `*` is not at the beginning", hint)
    return host


def _server(value: Any, info: ValidationInfo) -> str:
    """One host that is given a secret, so it must be on the owner's list like every address."""
    host = text_in(value).lower()
    if not _HOST.match(host) or host.startswith("*"):
        raise refuse(
            "GS-110", "this is not a host name", "write it like `sftp.riverside.example`, nothing else"
        )
    if isinstance(info.context, Allowed) and not host_allowed(host, info.context.hosts):
        raise refuse(
            "GS-108",
            "this host is not on the list of allowed hosts",
            f"have the owner of gradesync.yaml add it there: `hosts: [{host}]`",
        )
    return host


def _host_key(value: Any) -> str:
    text = text_in(value).strip()
    if not _FINGERPRINT.match(text) and not _KEY_LINE.match(text):
        hint = "write the fingerprint, `SHA256:...`, or the server's line of a known_hosts file"
        raise refuse("GS-110", "this is not a host key", hint)
    return text


Url = Annotated[
    str,
    PlainValidator(_url),
    in_schema("string", pattern=r"^https?://[^\s?#@]+$", examples=["https://riverside.instructure.com"]),
]
CanvasUrl = Annotated[
    str,
    PlainValidator(_canvas_url),
    in_schema(
        "string",
        pattern=rf"^https?://[^\s?#@/]+(/(?!({'|'.join(_PAGES)})(/|$))[^\s?#@]*)?$",
        examples=["https://riverside.instructure.com"],
    ),
]
TokenUrl = Annotated[
    str,
    PlainValidator(_token_url),
    in_schema("string", pattern=r"^https?://[^\s#@]+$", examples=["https://sis.example/oauth2/token"]),
]
SourceUrl = Annotated[
    str,
    PlainValidator(_source_url),
    in_schema(
        "string", pattern=r"^https://[^\s?#@]+$", examples=["https://git.example.org/org/repo/blob/main"]
    ),
]
PageUrl = Annotated[
    str,
    PlainValidator(_page_url),
    in_schema(
        "string",
        pattern=r"^https://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~%-]*)*$",
        examples=["https://pages.example.org/gradesync"],
    ),
]
Host = Annotated[str, PlainValidator(_host), in_schema("string", examples=["*.instructure.com"])]
Server = Annotated[str, PlainValidator(_server), in_schema("string", examples=["sftp.riverside.example"])]
HostKey = Annotated[
    str,
    PlainValidator(_host_key),
    in_schema("string", examples=["SHA256:" + 43 * "x"]),
]
