"""`gradesync holds`: what is held, what the breaker stops, and the blackouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, duration, format_option, new_command, opened
from gradesync.cli.render import show

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from gradesync.domain.hold import Hold


@new_command(
    "holds",
    "gradesync holds\n"
    "gradesync holds --older-than 7d --exit-code   # in CI: somebody forgot one\n"
    "gradesync holds --past --format json",
)
@format_option()
@click.option("--past", is_flag=True, help="Also holds that ended, and blackouts that are over.")
@click.option("--older-than", metavar="LENGTH", help="Only holds placed longer ago, like 7d; no blackouts.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when a hold is shown.")
def command(said: Invocation, form: str, past: bool, older_than: str | None, exit_code: bool) -> int:
    """Show what is held, by whom, why and until when, which breakers are open, and the blackouts."""
    from gradesync.engine.queries import blackout_rows, hold_zones

    least = None if older_than is None else duration(older_than)
    with opened(said, to_stop=True) as app:
        now = app.store.now()
        found = [hold for hold in app.store.holds(now, include_past=past) if _is_older(hold, least, now)]
        blackouts = blackout_rows(app.store, past=past) if least is None else ()
        # For machines an instant is an instant; people are told on a clock they know.
        clocks = {"zones": hold_zones(app.store, found)} if form == "text" else {}
        show(form, "holds", found, now, blackouts, **clocks)
    return 1 if exit_code and found else 0


def _is_older(hold: Hold, least: timedelta | None, now: datetime) -> bool:
    return least is None or now - hold.created_at > least
