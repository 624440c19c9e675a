"""Alarms for programs: the keys of `notify list` and `notify test`. An address of a channel stands nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gradesync.domain.alarm import AlarmLine
from gradesync.domain.alarm_rule import AlarmRule
from gradesync.reporting.clean import clean
from gradesync.reporting.shapes import Shape, instant


def alarms_keys(
    lines: Sequence[AlarmLine],
    rules: Sequence[str],
    last_pass: datetime | None,
    no_pass_since: datetime | None,
) -> Shape:
    """What stands, by rule."""
    return {
        "rules": list(rules),
        "last_pass": instant(last_pass),
        "no_pass_since": instant(no_pass_since),
        "alarms": [
            {
                "rule": one.rule,
                "state": one.state,
                "over": one.over,
                "kind": one.cause.kind.value,
                "account": one.cause.account or None,
                "subject": one.cause.subject or None,
                "code": one.cause.code,
                "who": one.cause.who,
                "count": one.cause.count,
                "urgent": one.cause.urgent,
                "since": instant(one.cause.since),
                "until": instant(one.cause.until),
                "told_at": instant(one.told_at),
                "attempts": one.attempts,
                "sentence": clean(one.sentence),
            }
            for one in lines
        ],
    }


def channel_shapes(answers: Sequence[tuple[AlarmRule, str | None, str | None]]) -> list[Shape]:
    """Each channel that was tried."""
    return [
        {
            "rule": rule.name,
            "channel": rule.channel,
            "kept_at": clean(rule.url),
            "sent": problem is None,
            "problem": None if problem is None else clean(problem),
            "hint": None if hint is None else clean(hint),
        }
        for rule, problem, hint in answers
    ]
