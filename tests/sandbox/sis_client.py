"""A OneRoster client of nothing but the standard library, so that the server is judged by plain HTTP."""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

PREFIX = "https://purl.imsglobal.org/spec/or/v1p1/scope/"
PREFIX_V1P2 = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
ROSTERING_V1P2 = "/ims/oneroster/rostering/v1p2"
GRADEBOOK_V1P2 = "/ims/oneroster/gradebook/v1p2"
_GRADEBOOK_WORDS = ("categories", "lineItems", "results", "scoreScales", "assessmentResults")
ALL_SCOPES = "roster-core.readonly roster.readonly gradebook.readonly gradebook.createput gradebook.delete"
ALL_SCOPES_V1P2 = f"{ALL_SCOPES} gradebook.createpost"


@dataclass(frozen=True)
class Answer:
    """Status, headers and decoded body of one call."""

    status: int
    headers: dict[str, str]
    body: Any


def call(
    url: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One HTTP request over a new connection; raises what http.client raises when the connection is cut."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        raw = response.read()
        kind = response.headers.get_content_type()
        decoded = json.loads(raw) if raw and kind == "application/json" else raw.decode()
        return Answer(response.status, dict(response.headers.items()), decoded)
    finally:
        connection.close()


def token(
    root: str,
    client_id: str,
    secret: str,
    scopes: str = ALL_SCOPES,
    *,
    basic: bool = True,
    prefix: str = PREFIX,
) -> Answer:
    """Ask for a token, with the credentials in a Basic header or in the form."""
    form = {"grant_type": "client_credentials", "scope": " ".join(prefix + name for name in scopes.split())}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if basic:
        headers["Authorization"] = "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()
    else:
        form |= {"client_id": client_id, "client_secret": secret}
    return call(f"{root}/token", "POST", urlencode(form).encode(), headers)


class Client:
    """A client with a token; `root` is the SIS address."""

    prefix = PREFIX

    def __init__(self, root: str, key: str, scopes: str = ALL_SCOPES) -> None:
        self.root = root
        self.api = f"{root}/ims/oneroster/v1p1"
        answer = token(root, f"sandbox-id-{key}", f"sandbox-secret-{key}", scopes, prefix=self.prefix)
        assert answer.status == 200
        self.headers = {"Authorization": f"Bearer {answer.body['access_token']}"}

    def get(self, *path: str, **query: str | int) -> Answer:
        """GET; every part of the path is percent-encoded on its own."""
        return call(self._url(path, query), headers=self.headers)

    def put(self, *path: str, body: Any) -> Answer:
        """PUT a JSON body."""
        return call(self._url(path, {}), "PUT", json.dumps(body).encode(), self.headers)

    def post(self, *path: str, body: Any) -> Answer:
        """POST a JSON body."""
        return call(self._url(path, {}), "POST", json.dumps(body).encode(), self.headers)

    def delete(self, *path: str) -> Answer:
        """DELETE."""
        return call(self._url(path, {}), "DELETE", headers=self.headers)

    def _url(self, path: tuple[str, ...], query: dict[str, str | int]) -> str:
        url = f"{self._base(path)}/{'/'.join(quote(part, safe='') for part in path)}"
        return f"{url}?{urlencode(query, quote_via=quote)}" if query else url

    def _base(self, _path: tuple[str, ...]) -> str:
        return self.api


class ClientV1P2(Client):
    """The same for OneRoster 1.2, whose two services have an address each."""

    prefix = PREFIX_V1P2

    def __init__(self, root: str, key: str, scopes: str = ALL_SCOPES_V1P2) -> None:
        super().__init__(root, key, scopes)

    def _base(self, path: tuple[str, ...]) -> str:
        gradebook = {path[0], path[-1]}.intersection(_GRADEBOOK_WORDS)
        service = GRADEBOOK_V1P2 if gradebook else ROSTERING_V1P2
        return self.root + service
