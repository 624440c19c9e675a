"""Addresses: where a client may go, and what of a next-link is believed.

A next-link is a sentence of the other side, so only its query is taken and only from our own origin
(field.md e: a followed foreign link was measured to carry the bearer token along). Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_ENTRY = re.compile(r"<([^<>]*)>([^<]*)")
_PLAIN = re.compile(r"[A-Za-z0-9_~-]+").fullmatch
_REL = re.compile(r';\s*rel\s*=\s*"?([^";,]*)', re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


class BadAddress(ValueError):
    """An address we may not use. The text says why and never repeats the address."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port, normalised, and the path under which a service lives (no slash at its end)."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def loopback(self) -> bool:
        """Whether the host is this machine, where plain http is allowed."""
        return self.host in ("localhost", "::1") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", self.host))

    @property
    def root(self) -> str:
        """The address as text, path included."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def origin_of(url: str) -> Origin:
    """Take an address apart. Raises BadAddress unless it is http or https, with a host and no user in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadAddress("the address cannot be understood") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadAddress("the address must begin with https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("the address must not hold a user name or password")
    path = parts.path.rstrip("/")
    return Origin(parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port, path)


def trusted_origin(url: str) -> Origin:
    """An address a secret may be sent to: https, or http on loopback. Raises BadAddress."""
    found = origin_of(url)
    if found.scheme != "https" and not found.loopback:
        raise BadAddress("the address must begin with https://")
    return found


def link_relations(header: str) -> dict[str, str]:
    """A Link header (RFC 8288) as relation -> address."""
    found: dict[str, str] = {}
    for address, attributes in _ENTRY.findall(header):
        match = _REL.search(attributes)
        for relation in match[1].lower().split() if match else ():
            found.setdefault(relation, address)
    return found


def query_of_link(link: str, home: Origin, *, behind_proxy: bool = False) -> str:
    """The query of a next-link of `home`. Raises BadAddress when the link leads elsewhere.

    With `behind_proxy` another scheme with its usual port is taken for the same host: a server behind a TLS proxy
    writes http links to itself. Use it only where nothing but paging parameters is kept.
    """
    if not link.startswith(("http://", "https://", "//")):
        return urlsplit(link).query
    if link.startswith("//"):
        link = f"{home.scheme}:{link}"
    there = origin_of(link)
    same = (there.scheme, there.host, there.port) == (home.scheme, home.host, home.port)
    proxied = behind_proxy and there.host == home.host and there.port == _PORTS[there.scheme]
    if not same and not (proxied and home.port == _PORTS[home.scheme]):
        raise BadAddress("the next page is said to be on another server")
    return urlsplit(link).query


def segment(value: str | int) -> str:
    """One id as one path segment, percent-encoded once; dots alone would climb the path, so they are encoded."""
    if type(value) is int:
        return str(value)
    text = str(value)
    if _PLAIN(text):
        return text  # nearly every id there is; quoting costs ten times as much
    # JSON may hold half a character; it must travel as it came, not end the run.
    encoded = quote(text, safe="", errors="surrogatepass")
    return encoded.replace(".", "%2E") if not encoded.strip(".") else encoded
