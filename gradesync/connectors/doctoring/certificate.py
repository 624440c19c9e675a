"""When a server's certificate ends: one TLS handshake, in which no byte of ours is sent but the greeting."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime

from gradesync.connectors.errors import DOWN, NAMES, Side
from gradesync.connectors.links import BadAddress, Origin, trusted_origin
from gradesync.connectors.networks import refusal
from gradesync.domain.doctor_facts import Certificate
from gradesync.errors import ConnectionProblem

SECONDS = 15.0


async def certificate_of(
    url: str, side: Side, private_hosts: tuple[str, ...] = (), context: ssl.SSLContext | None = None
) -> Certificate:
    """The certificate of an address's server. Raises ConnectionProblem: GS-205 refused, GS-302 or GS-508 no answer.

    `private_hosts` as for `HttpClient` (GS-119); `context` is what is trusted, the system's authorities if left out.
    """
    try:
        origin = trusted_origin(url)
    except BadAddress as problem:
        raise ConnectionProblem(f"{NAMES[side]} cannot be contacted: {problem}.", code="GS-108") from None
    if origin.scheme == "http":
        return Certificate(origin.host, None)
    trusted = context if context is not None else ssl.create_default_context()
    try:
        async with asyncio.timeout(SECONDS):
            address = await _address(origin, side, private_hosts)
            _, writer = await asyncio.open_connection(
                address, origin.port, ssl=trusted, server_hostname=origin.host
            )
    except ssl.SSLCertVerificationError as refused:
        # OpenSSL's own few words ("certificate has expired") name nobody.
        raise ConnectionProblem(
            f"{NAMES[side]} shows a certificate that is not accepted: {refused.verify_message}.",
            code="GS-205",
        ) from None
    except ssl.SSLError:
        raise ConnectionProblem(f"The secure connection to {NAMES[side]} failed.", code="GS-205") from None
    except (TimeoutError, OSError):
        raise ConnectionProblem(
            f"{NAMES[side]} could not be reached.", code=DOWN[side], retryable=True
        ) from None
    try:
        return Certificate(origin.host, _end(writer.get_extra_info("peercert")))
    finally:
        writer.close()


async def _address(origin: Origin, side: Side, private_hosts: tuple[str, ...]) -> str:
    """Where the host's name leads, unless that is no place to go to."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        if (why := refusal(origin.host, address, private_hosts)) is not None:
            raise ConnectionProblem(f"The address of {NAMES[side]} {why}.", code="GS-119")
    return addresses[0]


def _end(shown: object) -> datetime | None:
    text = shown.get("notAfter") if isinstance(shown, dict) else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if isinstance(text, str) else None
