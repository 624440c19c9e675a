"""`gradesync list`: every schedule in a line, worst first. Reads the store only and imports as little as it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened, tell, type_option
from gradesync.cli.render import show
from gradesync.domain.schedule import SyncType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradesync.domain.hold import Hold
    from gradesync.domain.report import ScheduleRow
    from gradesync.engine.queries import ListFilter
    from gradesync.wiring import App


@new_command(
    "list",
    "gradesync list\n"
    "gradesync list riverside\n"
    "gradesync list --needs support    # the daily view, what is new first\n"
    "gradesync list --needs district --all\n"
    "gradesync list --code GS-405      # every schedule that waits because of it\n"
    "gradesync list --type grade-passback --label region=north",
)
@click.argument("account", required=False)
@format_option()
@type_option
@click.option("--group", metavar="GROUP", help="Only accounts of this folder under schedules/.")
@click.option("--label", metavar="KEY=VALUE", help="Only accounts with this label.")
@click.option(
    "--needs",
    type=click.Choice(["support", "district", "teacher"]),
    help="What waits for these people, by cause over all accounts.",
)
@click.option("--code", metavar="CODE", help="Only schedules for which somebody must act on this code.")
@click.option("--all", "every", is_flag=True, help="With --needs: every cause, not only the first ones.")
def command(
    said: Invocation,
    account: str | None,
    form: str,
    type_: SyncType | None,
    group: str | None,
    label: str | None,
    needs: str | None,
    code: str | None,
    every: bool,
) -> None:
    """Show type, interval, first and next run, time zone, posted by, state, last run and outcome.

    With --needs, what waits for those people instead: each cause once, with its accounts, since when, and what to do.
    """
    from gradesync.engine.queries import ListFilter, schedule_rows

    key, equals, value = (label or "").partition("=")
    if label is not None and not equals:
        raise click.UsageError("--label is written like region=north")
    if every and needs is None:
        raise click.UsageError("--all belongs to --needs; schedules are always listed whole")
    wanted = ListFilter(
        account, type_, group, (key, value) if label is not None else None, needs, _code(code)
    )
    with opened(said) as app:
        _say_gap(app)
        _say_unrecorded(app, wanted)
        if needs is not None and (form == "json" or code is None):
            _needs(app, wanted, form, every=every)
            return
        rows = schedule_rows(app.store, wanted, attempts=True)
        asked = {"chosen_by": _chosen_by(wanted)} if form == "text" and not rows else {}
        if asked and not schedule_rows(app.store, ListFilter()):
            asked = {}
        now = app.store.now()
        holds = _holds_over(rows, app.store.holds(now)) if wanted != ListFilter() else app.store.holds(now)
        show(form, "rows", rows, now, holds=holds, **asked)


def _holds_over(rows: Sequence[ScheduleRow], holds: Sequence[Hold]) -> list[Hold]:
    """Those over at least one of the schedules that are listed: others would be taken for theirs."""
    return [
        hold
        for hold in holds
        if any(hold.scope.covers(row.schedule.id, row.schedule.type, row.group) for row in rows)
    ]


def _say_gap(app: App) -> None:
    """Passes that no longer come are nobody's run, so no row would tell of them."""
    from datetime import timedelta

    from gradesync.engine.missing import no_pass_since

    late = app.settings.alarms.get("late_after")
    since = no_pass_since(app.store, timedelta(minutes=late) if late is not None else None)
    if since is not None:
        tell(f"no pass since {since:%Y-%m-%d %H:%M} UTC: nothing is synced until one comes")


_NAMED = 5


def _say_unrecorded(app: App, wanted: ListFilter) -> None:
    """An account whose very first file has problems has no row that could tell of it."""
    if wanted not in (type(wanted)(), type(wanted)(needs="support")):
        return
    from gradesync.domain.unrecorded import noted_files
    from gradesync.reporting.clean import clean

    files = noted_files(app.store.frozen())
    for one in files[:_NAMED]:
        tell(
            f"{clean(one.file)} has problems since {one.since:%Y-%m-%d %H:%M} UTC, so its account is not recorded and "
            "nothing of it runs (GS-713); support must act: `gradesync validate` names every line and the way out"
        )
    if len(files) > _NAMED:
        tell(f"and {len(files) - _NAMED:,} more such files: see `gradesync validate`")


def _needs(app: App, wanted: ListFilter, form: str, *, every: bool) -> None:
    from gradesync.engine.needing import needing
    from gradesync.engine.queries import ListFilter, schedule_rows

    rows, causes = needing(app.store, wanted)
    now = app.store.now()
    if form == "json":
        show(form, "rows", rows, now, holds=_holds_over(rows, app.store.holds(now)), causes=causes)
    elif not rows and not schedule_rows(app.store, ListFilter()):
        show(form, "rows", (), now)
    else:
        show(form, "causes", causes, now, needs=wanted.needs, every=every, asked=_asked(wanted))


def _code(text: str | None) -> str | None:
    """`405` and `gs-405` mean GS-405. Raises a usage error for a code that does not exist."""
    if text is None:
        return None
    from gradesync.domain.problem import CODES

    code = text.upper() if text.upper().startswith("GS-") else f"GS-{text}"
    if code not in CODES:
        raise click.UsageError(f"there is no code {text}; codes look like GS-405")
    return code


def _asked(wanted: ListFilter) -> str:
    """What else was asked for, as options again."""
    parts = [wanted.account or ""]
    parts += [f"--type {wanted.type.value.replace(' ', '-')}" if wanted.type is not None else ""]
    parts += [f"--group {wanted.group}" if wanted.group is not None else ""]
    parts += ["--label {}={}".format(*wanted.label) if wanted.label is not None else ""]
    return "".join(f" {part}" for part in parts if part)


def _chosen_by(wanted: ListFilter) -> str:
    """What was asked for, in words; empty when everything was."""
    return "" if wanted == type(wanted)() else "fits what was asked for"
