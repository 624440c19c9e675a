"""What applying a row of any SIS type needs: required fields, dates, sticky fields, and the count of state
changes.

No type's own rules here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from gradesync.sandbox.canvas_csv import Row
from gradesync.sandbox.canvas_records import Login
from gradesync.sandbox.canvas_world import CanvasWorld


class RowError(Exception):
    """The row is not applied; the text goes into the import's warnings."""


class ParseError(RowError):
    """The row is refused for what stands in it; Canvas tells these before the rows it could not resolve."""


class ImportOptions(Protocol):
    """The parameters of an import that change how rows apply."""

    @property
    def import_id(self) -> int:
        """The import that is running; records it touches remember it."""

    @property
    def user_id(self) -> int:
        """Who posted the import."""

    @property
    def override_stickiness(self) -> bool:
        """Overwrite fields that were edited by hand."""

    @property
    def add_stickiness(self) -> bool:
        """Keep, with the override, what this import writes as if it had been edited by hand."""

    @property
    def clear_stickiness(self) -> bool:
        """Forget, with the override, that they were edited by hand."""

    @property
    def claim_logins(self) -> bool:
        """Take over a login that carries another SIS id."""


@dataclass(slots=True)
class Applying:
    """The world being changed, and what the rows have to say beside being applied or not."""

    world: CanvasWorld
    options: ImportOptions
    statistics: dict[str, Counter[str]]
    asides: list[str] = field(default_factory=list)
    _by_integration: dict[str, Login] | None = None

    def note(self, kind: str, change: str) -> None:
        """Counts a state change of a class: created, restored, concluded, deactivated or deleted."""
        self.statistics.setdefault(kind, Counter())[change] += 1

    def required(self, row: Row, column: str, what: str) -> str:
        """The field's text; a RowError when it is blank or absent."""
        value = row.get(column)
        if value is None:
            raise ParseError(f"No {column} given for {what}")
        return value

    def login_by_integration(self, integration_id: str) -> Login | None:
        """The login that carries this integration id; logins do not change while enrollments are applied."""
        if self._by_integration is None:
            logins = self.world.logins.values()
            self._by_integration = {one.integration_id: one for one in logins if one.integration_id}
        return self._by_integration.get(integration_id)

    def date(self, row: Row, column: str, what: str) -> datetime | None:
        """The field as a time, UTC without a zone. A bad one is said, and the row goes on without it."""
        text = row.get(column)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            self.asides.append(f"Bad date format for {what}")
            return None
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    def set(self, record: Any, name: str, value: Any) -> None:
        """Sets a field, unless somebody edited it by hand and the import does not override that."""
        if self.sticks(record, name):
            return
        setattr(record, name, value)
        if not self.options.override_stickiness:
            return
        # Both only count together with the override, and clearing wins.
        if self.options.clear_stickiness:
            record.sticky.discard(name)
        elif self.options.add_stickiness:
            record.sticky.add(name)

    def sticks(self, record: Any, name: str) -> bool:
        """Whether a field was edited by hand and is not to be overridden."""
        return name in record.sticky and not self.options.override_stickiness


_CHANGES = {"completed": "concluded", "inactive": "deactivated", "deleted": "deleted"}


def note_state(state: Applying, kind: str, before: str, after: str) -> None:
    """Counts the change from one state to another, if it is one that imports count."""
    if before == after:
        return
    if before in ("deleted", "completed", "inactive") and after in ("active", "available", "claimed"):
        state.note(kind, "restored")
    elif after in _CHANGES:
        state.note(kind, _CHANGES[after])
