"""OneRoster 1.1 over REST: the SIS's roster out, its gradebook out and in."""

from __future__ import annotations

from gradesync.connectors.oneroster.connector import OneRosterConnector, OneRosterReader

__all__ = ["OneRosterConnector", "OneRosterReader"]
