"""OneRoster's CSV files, 1.1 and 1.2, as source of rosters."""

from __future__ import annotations

from gradesync.connectors.oneroster_csv.reading import OneRosterCsvSource

__all__ = ["OneRosterCsvSource"]
