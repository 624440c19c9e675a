"""OneRoster 1.1 and 1.2 over REST: the SIS's roster out, its gradebook out and in."""

from __future__ import annotations

from gradesync.connectors.oneroster.reading import OneRosterReader
from gradesync.connectors.oneroster.writing import OneRosterConnector

__all__ = ["OneRosterConnector", "OneRosterReader"]
