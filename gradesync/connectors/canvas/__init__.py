"""Canvas over its REST API: courses and grades out, SIS imports in."""

from __future__ import annotations

from gradesync.connectors.canvas.connector import CanvasConnector, CanvasReader

__all__ = ["CanvasConnector", "CanvasReader"]
