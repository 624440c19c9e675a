"""`gradesync pause`: a hold on one schedule or one account."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import (
    Invocation,
    duration,
    format_option,
    moment,
    new_command,
    opened,
    tell,
    type_option,
)
from gradesync.cli.options import scope_of
from gradesync.cli.render import show
from gradesync.cli.rights import require_scope
from gradesync.domain.rights import Right
from gradesync.domain.schedule import SyncType

if TYPE_CHECKING:
    from gradesync.domain.hold import Hold, HoldScope
    from gradesync.wiring import App


@new_command(
    "pause",
    'gradesync pause riverside/grades --reason "SIS upgrade" --for 4h\n'
    'gradesync pause oak-hill --reason "new school year" --until "2027-08-20 06:00"',
)
@click.argument("target", metavar="ACCOUNT[/SCHEDULE]")
@click.option("--reason", required=True, help="Why; everybody who looks is shown it.")
@click.option("--until", metavar="TIME", help="Local time of the account, like `2026-12-24 08:00`.")
@click.option("--for", "lasting", metavar="LENGTH", help="Like 30m, 4h, 2d (default 3d, at most 30d).")
@type_option
@format_option()
def command(
    said: Invocation,
    target: str,
    reason: str,
    until: str | None,
    lasting: str | None,
    type_: SyncType | None,
    form: str,
) -> None:
    """Hold a schedule or a whole account. Running syncs go on; slots that pass are not caught up.

    The files are not changed: to pause for good, write `state: paused` there.
    """
    try:
        scope = scope_of(target, type_)
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None
    with opened(said) as app:
        hold_and_tell(app, scope, reason, until, lasting, form)


def hold_and_tell(
    app: App, scope: HoldScope, reason: str, until: str | None, lasting: str | None, form: str
) -> None:
    """Place the hold and say until when, in the account's zone when there is one."""
    from gradesync.engine.control import place_hold

    if until is not None and lasting is not None:
        raise click.UsageError("say --until or --for, not both")
    zone = _zone(app, scope.account)
    length: timedelta | None = None
    if until is not None:
        length = moment(until, zone) - app.store.now()
        if length <= timedelta(0):
            raise click.UsageError("--until lies in the past")
    elif lasting is not None:
        length = duration(lasting)
    require_scope(app, Right.PAUSE, scope)
    hold = place_hold(app.tools(), scope, reason, length)
    tell(f"{scope} is held until {_end(hold, zone)}; `gradesync resume` ends it earlier")
    if form == "json":
        show(form, "holds", [hold], app.store.now())


def _zone(app: App, account: str | None) -> str | None:
    recorded = app.store.recorded([account]).accounts.get(account) if account else None
    return str(json.loads(recorded.text)["time_zone"]) if recorded is not None and recorded.text else None


def _end(hold: Hold, zone: str | None) -> str:
    if hold.expires_at is None:
        return "somebody resumes it"
    if zone is None:
        return f"{hold.expires_at:%Y-%m-%d %H:%M} UTC"
    from gradesync.domain.interval import to_local

    return f"{to_local(hold.expires_at, zone):%Y-%m-%d %H:%M} {zone}"
