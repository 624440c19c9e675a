"""Which networks a host of the outside may lead into: a name in a reviewed file must not reach our own machines.

A pull request chooses names, and a resolver chooses addresses, so the address is judged at the moment of connecting
(field.md e, "SSRF / URL trust"): a name that is harmless at review may point elsewhere an hour later. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address

_NAT64 = 0x0064_FF9B << 96
_LOW_32 = 0xFFFF_FFFF


def refusal(host: str, address: str, private_hosts: Iterable[str] = ()) -> str | None:
    """Why `host` may not be contacted at `address`, or None when it may.

    Loopback names (`localhost`, 127.0.0.0/8, ::1) lead to this machine and nowhere else. Any other host leads into the
    public network; those matching a glob of `private_hosts`, which only the owner of the tree writes, into a private
    one or this machine too. Link-local addresses, where cloud machines keep their credentials, are never contacted.
    """
    found = _plain(address)
    if found is None or found.is_link_local or found.is_multicast or found.is_unspecified:
        return "leads to an address that no server of a school has"
    if _is_loopback_name(host):
        return None if found.is_loopback else "is a name of this machine, but leads to another"
    if found.is_global or any(fnmatchcase(host.lower(), glob) for glob in private_hosts):
        return None
    return "leads into a private network, which only the owner of these files can allow"


def literal(host: str) -> str | None:
    """The host itself where it is an address; None for a name."""
    return None if _parsed(host) is None else host


def _is_loopback_name(host: str) -> bool:
    found = _parsed(host)
    return host.lower() == "localhost" if found is None else found.is_loopback


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _plain(text: str) -> IPv4Address | IPv6Address | None:
    """The address that is really reached: one written inside an IPv6 address counts as itself."""
    found = _parsed(text)
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and int(found) >> 32 << 32 == _NAT64:
            inner = IPv4Address(int(found) & _LOW_32)
        return found if inner is None else inner
    return found
