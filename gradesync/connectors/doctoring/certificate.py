"""When a server's certificate ends: one TLS handshake, in which no byte of ours is sent but the greeting."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime

from gradesync.connectors.errors import DOWN, NAMES, Side
from gradesync.connectors.links import BadAddress, trusted_origin
from gradesync.domain.doctor_facts import Certificate
from gradesync.errors import ConnectionProblem

SECONDS = 15.0


async def certificate_of(url: str, side: Side, context: ssl.SSLContext | None = None) -> Certificate:
    """The certificate of an address's server. Raises ConnectionProblem: GS-205 refused, GS-302 or GS-508 no answer.

    `context` is what is trusted; the system's authorities when left out.
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
            _, writer = await asyncio.open_connection(
                origin.host, origin.port, ssl=trusted, server_hostname=origin.host
            )
    except ssl.SSLCertVerificationError as refused:
        # OpenSSL's own few words ("certificate has expired") name nobody.
        raise ConnectionProblem(
            f"The certificate of {NAMES[side]} is not accepted: {refused.verify_message}.", code="GS-205"
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


def _end(shown: object) -> datetime | None:
    text = shown.get("notAfter") if isinstance(shown, dict) else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if isinstance(text, str) else None
