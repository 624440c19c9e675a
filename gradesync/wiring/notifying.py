"""Puts the alarms together: the rules of the settings, the sender with its secrets, and the client for hooks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gradesync.domain.alarm_rule import AlarmSettings, rules_of

if TYPE_CHECKING:
    from gradesync.config.settings import Settings
    from gradesync.ports import Notifier
    from gradesync.wiring import App


def alarm_settings(settings: Settings) -> AlarmSettings:
    """The rules, and from when on something deserves an alarm."""
    late = settings.alarms.get("late_after")
    return AlarmSettings(
        rules=rules_of(settings.notify),
        waiting_days=int(settings.alarms.get("waiting_days", AlarmSettings().waiting_days)),
        late_after=timedelta(minutes=late) if late is not None else None,
    )


def notifier(app: App) -> Notifier:
    """What sends the tree's alarms."""
    from gradesync.connectors.hooks import Hooks
    from gradesync.notify.sender import Sender
    from gradesync.wiring.secrets import References

    return Sender(
        References(app.root),
        Hooks(app.settings.private_hosts),
        hosts=app.settings.notify_hosts,
        ping=app.settings.ping,
        ping_fail=app.settings.ping_fail,
    )
