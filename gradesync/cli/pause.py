"""`gradesync pause`: a hold on one schedule or one account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import (
    Invocation,
    carry_out,
    duration,
    format_option,
    moment,
    new_command,
    opened,
    tell,
    type_option,
)
from gradesync.cli.options import REASON, scope_of
from gradesync.cli.render import show
from gradesync.cli.rights import require_scope
from gradesync.cli.scopes import arguments_of, lasting_options
from gradesync.cli.stop import tell_stopped
from gradesync.domain.rights import Right
from gradesync.domain.schedule import SyncType

if TYPE_CHECKING:
    from gradesync.domain.hold import Hold, HoldScope
    from gradesync.wiring import App


@new_command(
    "pause",
    'gradesync pause riverside/grades --reason "SIS upgrade" --for 4h\n'
    'gradesync pause riverside/grades --reason "wrong map" --until-changed --now\n'
    'gradesync pause oak-hill --reason "new year" --until "2027-08-20 06:00"',
)
@click.argument("target", metavar="ACCOUNT[/SCHEDULE]")
@click.option("--reason", type=REASON, required=True, help="Why; everybody who looks is shown it.")
@click.option("--until", metavar="TIME", help="Local time of the account, like `2026-12-24 08:00`.")
@lasting_options
@type_option
@format_option()
def command(
    said: Invocation,
    target: str,
    reason: str,
    until: str | None,
    lasting: str | None,
    until_changed: bool,
    at_once: bool,
    type_: SyncType | None,
    form: str,
) -> int:
    """Hold a schedule or a whole account. Slots that pass are not caught up; running syncs go on, unless --now.

    Without an end it lasts 72 hours and on into the account's working hours (Monday to Friday, 9:00 to 16:00). The
    files are not changed: to pause for good, write `state: paused` there.

    Exit 4: with --now, a run has not ended yet.
    """
    try:
        scope = scope_of(target, type_)
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None
    with opened(said, to_stop=True) as app:
        wish = HoldWish(scope, reason, until, lasting, until_changed=until_changed, at_once=at_once)
        return hold_and_tell(app, wish, form)


@dataclass(frozen=True, slots=True)
class HoldWish:
    """A hold as it was asked for. `at_once` stops what runs under it too."""

    scope: HoldScope
    reason: str
    until: str | None = None
    lasting: str | None = None
    until_changed: bool = False
    at_once: bool = False


def hold_and_tell(app: App, wish: HoldWish, form: str) -> int:
    """Place the hold and say until when, in the zone of its working hours; the command's exit code."""
    from gradesync.engine.control import place_hold, zone_of_scope
    from gradesync.engine.queries import hold_zones

    scope, until, lasting = wish.scope, wish.until, wish.lasting
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
    if wish.at_once:
        require_scope(app, Right.STOP, scope)
    tools = app.tools()
    hold = place_hold(tools, scope, wish.reason, length, until_changed=wish.until_changed)
    if zone is None and until is None:
        zone = zone_of_scope(tools, scope) if length is None else hold_zones(tools.store, [hold])[hold.id]
    _tell_end(app, hold, zone)
    _tell_covered(app, scope)
    if form == "json":
        show(form, "holds", [hold], app.store.now())
    if not wish.at_once:
        return 0
    from gradesync.engine.stopping import stop_covered

    stopped = carry_out(stop_covered(tools, scope, wish.reason))
    return tell_stopped(tools, stopped, "text", quiet=True)


def _tell_end(app: App, hold: Hold, zone: str | None) -> None:
    """Until when nothing starts: under a longer hold that is the longer one's end."""
    from gradesync.domain.hold_rules import outlasting

    scope, now = hold.scope, app.store.now()
    earlier = [one for one in app.store.holds(now) if one.id != hold.id]
    longer = None
    if earlier:
        wanted = None if scope.account is None else [scope.account]
        longer = outlasting(hold, earlier, app.store.recorded(wanted).accounts.values(), now)
    if longer is None:
        tell(f"{scope} is held {_end(hold, zone)}; `gradesync resume {arguments_of(scope)}` ends it earlier")
        return
    tell(
        f"{scope} is held {_end(longer, zone)}, by an earlier hold of {longer.actor.name} ({longer.reason}); the "
        f"new one lasts only {_end(hold, zone)}"
    )
    both = dict.fromkeys(f"`gradesync resume {arguments_of(one.scope)}`" for one in (hold, longer))
    tell(f"to end both earlier: {' and '.join(both)}")


def _tell_covered(app: App, scope: HoldScope) -> None:
    """A slip in a name must not pass for a stop; a schedule's own was looked up already."""
    if scope.schedule is not None:
        return
    from gradesync.domain.hold_rules import covered

    wanted = None if scope.account is None else [scope.account]
    accounts = app.store.recorded(wanted).accounts.values()
    number = sum(len(covered(scope, account)) for account in accounts)
    if number:
        tell(f"covered now: {number:,} schedule{'' if number == 1 else 's'}, and whatever joins later")
    else:
        tell("no schedule is covered now; whatever joins later will be (see `gradesync list` for the names)")


def _zone(app: App, account: str | None) -> str | None:
    recorded = app.store.recorded([account]).accounts.get(account) if account else None
    return str(json.loads(recorded.text)["time_zone"]) if recorded is not None and recorded.text else None


def _end(hold: Hold, zone: str | None) -> str:
    from gradesync.domain.interval import to_local

    assert hold.expires_at is not None  # a person's hold always has an end
    local = to_local(hold.expires_at, zone or "UTC")
    until = f"{local:%a %Y-%m-%d %H:%M} {zone or 'UTC'}"
    if hold.until_changed:
        return f"until its definition changes in the files, at the latest until {until}"
    return f"until {until}"
