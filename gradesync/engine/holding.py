"""Holds that end by themselves: those whose time is over, and those whose definitions have changed.

Done by every pass, from what is recorded, so that a pass that dies leaves nothing behind that the next does not see.
A hold that a person placed is never touched otherwise.
"""

from __future__ import annotations

from gradesync.domain.history import Fact
from gradesync.domain.hold import Hold
from gradesync.domain.hold_rules import mark_of
from gradesync.domain.run import SCHEDULER, Actor
from gradesync.engine.tools import Tools
from gradesync.events import tell


def end_holds(tools: Tools) -> tuple[Hold, ...]:
    """Tell each expiry once, and end what stood until its definition changed; answers the latter."""
    now = tools.store.now()
    for hold in tools.store.expired_holds(now):
        assert hold.expires_at is not None  # nothing else expires
        tools.store.release_holds([hold.id], hold.expires_at, [_fact("hold expired", hold)])
        tell(
            "hold.expired",
            "a hold's time was over",
            account=hold.scope.account,
            schedule=hold.scope.schedule,
        )
    waiting = [hold for hold in tools.store.holds(now) if hold.until_changed]
    if not waiting:
        return ()
    accounts = tools.store.recorded({str(hold.scope.account) for hold in waiting}).accounts
    ended = []
    for hold in waiting:
        account = accounts.get(str(hold.scope.account))
        mark = None if account is None else mark_of(hold.scope, account)
        # What was removed from the files has not changed: its hold waits for it to come back.
        if mark is not None and mark != hold.mark:
            tools.store.release_holds(
                [hold.id],
                now,
                [_fact("hold released", hold, "its definition changed", _changed_by(tools, hold))],
            )
            ended.append(hold)
            tell(
                "hold.released",
                "a hold ended, its definition changed",
                account=hold.scope.account,
                schedule=hold.scope.schedule,
            )
    return tuple(ended)


def _changed_by(tools: Tools, hold: Hold) -> Actor:
    """Who changed what the hold waited for, as the change's own entry says, whichever pass comes to end the hold."""
    for entry in tools.store.history(hold.scope.account, limit=LOOKBACK):
        fact = entry.fact
        applied = fact.what.startswith(("account ", "schedule ")) and "fields" in fact.data
        covered = fact.schedule in (None, hold.scope.schedule or fact.schedule)
        if applied and covered and entry.at >= hold.created_at:
            return fact.actor
    return tools.actor


LOOKBACK = 100
"""Entries among which the change is looked for; the pass that applied it mostly ends the hold too."""


def _fact(what: str, hold: Hold, why: str | None = None, actor: Actor = SCHEDULER) -> Fact:
    data: dict[str, object] = {
        "scope": str(hold.scope),
        "reason": hold.reason,
        "kind": hold.kind.value,
        "held by": f"{hold.actor.name} ({hold.actor.via})",
    }
    if why is not None:
        data["why"] = why
    return Fact(what, actor, hold.scope.account, hold.scope.schedule, data=data)
