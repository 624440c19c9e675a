"""An answer as it came: status, headers, bytes. What its JSON means is the connectors' affair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gradesync.connectors import errors
from gradesync.connectors.errors import Side
from gradesync.connectors.retry import http_date
from gradesync.connectors.wire import Malformed, decode


@dataclass(slots=True)
class Reply:
    """A 2xx answer: status, headers (case-insensitive) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    side: Side
    template: str

    def json(self) -> Any:
        """The decoded body, numbers with a point as Decimal. Raises ConnectionProblem when it is not JSON."""
        try:
            return decode(self.body)
        except Malformed:
            raise errors.unclear(
                self.side, self.template, f"it did not answer JSON to {self.template}.", self.status
            ) from None

    def served_at(self) -> datetime | None:
        """The server's clock (Date header) as aware UTC."""
        return http_date(self.headers.get("Date"))
