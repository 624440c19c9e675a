"""`gradesync next`: when an interval falls, to try it before it is written into a file."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from gradesync.cli.common import Invocation, format_option, moment, new_command, tick_option
from gradesync.cli.render import show


@new_command(
    "next",
    'gradesync next "weekdays at 06:00" --time-zone America/New_York\n'
    'gradesync next "every 90 minutes" --time-zone America/Denver \\\n'
    '  --first-run "2026-09-01 07:00" --count 10',
)
@click.argument("interval")
@click.option("--time-zone", required=True, metavar="ZONE", help="Like America/New_York.")
@click.option("--first-run", metavar="TIME", help="Local time, like `2026-09-01 02:00`.")
@click.option("--after", metavar="TIME", help="Begin here instead of now; local unless it carries an offset.")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True)
@tick_option
@format_option()
def command(
    _said: Invocation,
    interval: str,
    time_zone: str,
    first_run: str | None,
    after: str | None,
    count: int,
    tick: int | None,
    form: str,
) -> None:
    """Show the next slots of an interval, in its own zone and in UTC, and what may surprise about it."""
    from gradesync.domain.interval import parse_interval, warnings

    parsed = parse_interval(interval, time_zone, first_run)
    now = datetime.now(UTC)
    at = now if after is None else moment(after, time_zone)
    slots: list[datetime] = []
    for _ in range(count):
        slot = parsed.next_slot(at)
        if slot is None:
            break
        slots.append(slot)
        at = slot
    show(form, "next_runs", parsed, slots, warnings(parsed, now, tick))
