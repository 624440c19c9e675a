"""JSON shapes of `doctor`. No title and no secret has a place in them: this output ends up in logs."""

from __future__ import annotations

from gradesync.domain.doctor import Check, Examination, Verdict
from gradesync.domain.doctor_secrets import SecretsReport
from gradesync.reporting.shapes import Shape, instant

VERSION = 1


def examination(told: Examination) -> Shape:
    """One account's checks, in the order they were made."""
    return {
        "version": VERSION,
        "kind": "examination",
        "account": told.account,
        "at": instant(told.at),
        "exit_code": told.exit_code,
        "totals": {verdict.value: told.count(verdict) for verdict in Verdict},
        "checks": [_check(check) for check in told.checks],
    }


def _check(check: Check) -> Shape:
    return {
        "name": check.name,
        "side": check.side,
        "status": check.verdict.value,
        "sentence": check.sentence,
        "code": check.code,
        "remedy": check.remedy or None,
        "who": check.who or None,
        "counts": dict(check.counts),
    }


def secrets(told: SecretsReport) -> Shape:
    """Every finding about every secret; references, never values."""
    return {
        "version": VERSION,
        "kind": "secrets",
        "accounts": told.accounts,
        "secrets": told.secrets,
        "exit_code": told.exit_code,
        "not_looked_at": list(told.unread),
        "by_code": dict(told.by_code),
        "findings": [
            {
                "account": one.account,
                "secret": one.name,
                "status": one.verdict.value,
                "code": one.code,
                "sentence": one.sentence,
                "remedy": one.remedy,
                "who": one.who,
            }
            for one in told.findings
        ],
    }
