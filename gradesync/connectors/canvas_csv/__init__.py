"""Canvas's own SIS CSV files, as some SISes export them, as source of rosters."""

from __future__ import annotations

from gradesync.connectors.canvas_csv.reading import CanvasCsvSource

__all__ = ["CanvasCsvSource"]
