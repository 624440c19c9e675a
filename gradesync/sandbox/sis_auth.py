"""OAuth 2 client credentials of the OneRoster side: tokens, their scopes, their end.

Scopes are those of OneRoster 1.1 and 1.2; each version opens with its own alone. No HTTP here: the app hands in
header and form values and gets an answer.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gradesync.sandbox.sis_errors import SisError

V1P1_SCOPES = "https://purl.imsglobal.org/spec/or/v1p1/scope/"
V1P2_SCOPES = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
# What a scope lets its holder do, without the prefix of a version.
ROSTER_CORE = "roster-core.readonly"
ROSTER = "roster.readonly"
DEMOGRAPHICS = "roster-demographics.readonly"
GRADEBOOK_CORE = "gradebook-core.readonly"
GRADEBOOK_READ = "gradebook.readonly"
GRADEBOOK_PUT = "gradebook.createput"
GRADEBOOK_POST = "gradebook.createpost"
GRADEBOOK_DELETE = "gradebook.delete"
GRADEBOOK_SCOPES = frozenset(
    (GRADEBOOK_CORE, GRADEBOOK_READ, GRADEBOOK_PUT, GRADEBOOK_POST, GRADEBOOK_DELETE)
)
ROSTER_SCOPES = frozenset((ROSTER_CORE, ROSTER, DEMOGRAPHICS))
_ONLY_V1P2 = frozenset((GRADEBOOK_CORE, GRADEBOOK_POST))
_EVERYWHERE = (GRADEBOOK_SCOPES - _ONLY_V1P2) | ROSTER_SCOPES | {"resource.readonly"}
KNOWN_SCOPES = frozenset(
    (
        *(V1P1_SCOPES + name for name in _EVERYWHERE),
        *(V1P2_SCOPES + name for name in _EVERYWHERE | _ONLY_V1P2),
    )
)


class TokenError(Exception):
    """An OAuth 2 error answer of the token endpoint (RFC 6749, 5.2)."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


@dataclass(frozen=True, slots=True)
class Token:
    """An access token with what it may do and when it ends."""

    value: str
    scopes: frozenset[str]
    expires: datetime


@dataclass(slots=True)
class TokenDesk:
    """Issues and checks tokens for one client; earlier tokens stay valid until they end or are revoked.

    `allowed` are the scopes the client was given; others that are asked for are left out of a token.
    """

    client_id: str
    client_secret: str
    now: Callable[[], datetime]
    lifetime: timedelta = timedelta(hours=1)
    allowed: frozenset[str] = KNOWN_SCOPES
    tokens: dict[str, Token] = field(default_factory=dict)
    issued: int = 0
    used: dict[str, int] = field(default_factory=dict)

    def issue(self, authorization: str | None, form: Mapping[str, str]) -> Token:
        """A token for `grant_type=client_credentials`; credentials come by Basic header or in the form."""
        client = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
        id_fits = hmac.compare_digest(client[0].encode(), self.client_id.encode())
        if not (hmac.compare_digest(client[1].encode(), self.client_secret.encode()) and id_fits):
            raise TokenError(401, "invalid_client")
        if form.get("grant_type") != "client_credentials":
            raise TokenError(400, "unsupported_grant_type")
        scopes = frozenset(form.get("scope", "").split()) & self.allowed
        if not scopes:
            raise TokenError(400, "invalid_scope")
        self.issued += 1
        token = Token(f"sandbox-token-{self.issued}-{self.client_id}", scopes, self.now() + self.lifetime)
        self.tokens[token.value] = token
        return token

    def revoke_all(self) -> None:
        """Every token issued so far ends now; a client must fetch a new one."""
        self.tokens.clear()
        self.used.clear()

    def check(self, authorization: str | None, *any_of: str, uses: int | None = None) -> None:
        """Raise 401 without a living token, 403 when it has none of the scopes (whole URIs).

        `uses` lets a token die of work: after so many calls it is not known any more.
        """
        scheme, _, value = (authorization or "").partition(" ")
        token = self.tokens.get(value.strip()) if scheme.lower() == "bearer" else None
        if token is None or token.expires <= self.now():
            raise SisError(401, "unauthorisedrequest", "the access token is missing or has ended")
        if uses is not None:
            self.used[token.value] = self.used.get(token.value, 0) + 1
            if self.used[token.value] >= uses:
                del self.tokens[token.value]
        if token.scopes.isdisjoint(any_of):
            raise SisError(403, "forbidden", "the access token lacks the scope for this")


def _basic(authorization: str | None) -> tuple[str, str] | None:
    """The id and secret of a Basic header, or None when there is no such header."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenError(401, "invalid_client") from None
    return client_id, secret
