"""`gradesync history`: what happened, newest first; the proof that nothing of it was changed; exports and erasing."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened
from gradesync.cli.options import REASON, nearest
from gradesync.cli.render import json_out, show
from gradesync.cli.rights import require
from gradesync.domain.rights import Right
from gradesync.errors import HistoryTampered, NotFound, UsageProblem

if TYPE_CHECKING:
    from gradesync.wiring import App

THE_STORE = "\0store"
"""What --verify says when no file is named."""


@new_command(
    "history",
    "gradesync history riverside --last 20\n"
    "gradesync history riverside/grades\n"
    "gradesync history --verify\n"
    "gradesync history --export history.jsonl\n"
    "gradesync history --verify history.jsonl --witness 3f2b9c1e0a7d4c58\n"
    'gradesync history --purge --before 2025-07-01 --yes --reason "two years"',
)
@click.argument("target", required=False, metavar="[ACCOUNT|ACCOUNT/SCHEDULE]")
@format_option()
@click.option(
    "--last", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many entries."
)
@click.option(
    "--verify",
    is_flag=False,
    flag_value=THE_STORE,
    metavar="[FILE]",
    help="Check every chain instead of showing it: of the store, or of an exported file, which needs no store.",
)
@click.option(
    "--witness",
    metavar="HASH",
    help="With --verify FILE: a checkpoint a pass printed, at least its first 8 digits; the file must hold it.",
)
@click.option(
    "--export", metavar="FILE", help="Write the history as JSON lines with its proof; `-` is a pipe."
)
@click.option("--purge", is_flag=True, help="Show how much erasable text is old; erases it with --yes.")
@click.option("--before", metavar="DATE", help="With --purge: what is older than this day (UTC) goes.")
@click.option("--yes", is_flag=True, help="With --purge: erase it.")
@click.option("--reason", type=REASON, help="With --purge --yes: why; kept in the history.")
def command(
    said: Invocation,
    target: str | None,
    form: str,
    last: int,
    verify: str | None,
    witness: str | None,
    export: str | None,
    purge: bool,
    before: str | None,
    yes: bool,
    reason: str | None,
) -> None:
    """Show when, what, who, how it was triggered, how it ended and what it counted.

    The times of one account are on its own clock, those of all in UTC.

    Entries are never changed or removed. --purge erases what is kept beside them: other systems' words, erasable
    details, events of single records. Their hashes stay, so the history still verifies.
    """
    _check_options(verify, witness, export, purge=purge, before=before, yes=yes, reason=reason)
    if verify is not None and verify != THE_STORE:
        from gradesync.cli.history_file import verify_file

        verify_file(verify, witness, form)
        return
    account, _, schedule = (target or "").partition("/")
    if schedule and (export or purge):
        raise click.UsageError("--export and --purge take an account, or nothing for all")
    with opened(said) as app:
        if verify is not None:
            _verify(app, form)
        elif export is not None:
            from gradesync.cli.history_file import export_history

            export_history(app, account or None, export)
        elif purge:
            _purge(app, account or None, _day(str(before)), form, reason if yes else None)
        else:
            _show(app, account, schedule, last, form)


def _show(app: App, account: str, schedule: str, last: int, form: str) -> None:
    entries = app.store.history(account or None, schedule or None, last)
    if account and not entries:
        known = app.store.recorded().accounts
        target = f"{account}/{schedule}" if schedule else account
        raise NotFound(f"nothing is recorded of {target}", hint=nearest(account, known))
    # For machines an instant is an instant; whoever asks of one account reads the account's clock.
    clock = {"zone": _zone(app, account)} if form == "text" and account else {}
    show(form, "history", entries, **clock)


def _zone(app: App, account: str) -> str | None:
    """The account's time zone; None where nothing is recorded of it any more."""
    import json

    recorded = app.store.recorded([account]).accounts.get(account)
    return str(json.loads(recorded.text)["time_zone"]) if recorded is not None and recorded.text else None


def _check_options(
    verify: str | None,
    witness: str | None,
    export: str | None,
    *,
    purge: bool,
    before: str | None,
    yes: bool,
    reason: str | None,
) -> None:
    """Raises a usage error for options that do not go together."""
    if (verify is not None) + (export is not None) + purge > 1:
        raise click.UsageError("one at a time: --verify, --export or --purge")
    if export == "-" and sys.stdout.isatty():
        # The file's form escapes less than a screen needs, and nothing may be changed in it: its hashes cover it.
        raise click.UsageError(
            "--export - is for a pipe: the file holds texts as people wrote them, which a terminal may obey; name a "
            "file, as in --export history.jsonl, or pipe it into a program"
        )
    if witness is not None:
        if verify in (None, THE_STORE):
            raise click.UsageError("--witness goes with --verify FILE")
        if not re.fullmatch(r"[0-9a-f]{8,64}", witness):
            raise click.UsageError("--witness takes 8 to 64 hexadecimal digits, as a pass printed them")
    if purge and before is None:
        raise click.UsageError("--purge needs --before DATE")
    if not purge and (before is not None or yes or reason is not None):
        raise click.UsageError("--before, --yes and --reason go with --purge")
    if purge and yes and not (reason and reason.strip()):
        raise click.UsageError("erasing needs --reason: it is kept in the history")


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageProblem(f"`{text}` is not a date; write it like 2025-07-01") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _purge(app: App, account: str | None, before: datetime, form: str, reason: str | None) -> None:
    """Show what would go; erase it when there is a reason."""
    if before > app.store.now():
        raise UsageProblem("--before lies in the future")
    if account is not None and account not in app.store.recorded([account]).accounts:
        raise NotFound(f"no account {account} is recorded", hint="`gradesync list` shows every name")
    found = dict(app.store.erasable(before, account))
    if reason is not None:
        from gradesync.domain.history import Fact

        require(app, Right.PURGE, account)
        data = {"before": before.date().isoformat(), "reason": reason.strip(), "erased": found}
        app.store.purge(before, [Fact("purged", app.actor, account, data=data)], account)
    if form == "json":
        keys = {word.replace(" ", "_"): count for word, count in found.items()}
        json_out(
            {
                "version": 1,
                "kind": "purge",
                "before": before.date().isoformat(),
                "account": account,
                "erased": reason is not None,
                **keys,
            }
        )
        return
    told = ", ".join(f"{count:,} {word}" for word, count in found.items())
    if reason is not None:
        click.echo(f"Erased: {told} from before {before:%Y-%m-%d}. The entries and their hashes stay.")
    else:
        click.echo(
            f"Older than {before:%Y-%m-%d}: {told}. Nothing was erased; --yes --reason '...' erases it."
        )


def _verify(app: App, form: str) -> None:
    faults = app.verify_history()
    chains = app.store.chains()
    if form == "json":
        json_out(
            {
                "version": 1,
                "kind": "history verification",
                "chains": len(chains),
                "faults": [{"chain": f.chain, "entry": f.seq, "what": f.what} for f in faults],
            }
        )
    if faults:
        told = "; ".join(f"{f.chain}, entry {f.seq}: {f.what}" for f in faults)
        raise HistoryTampered(
            f"the history does not verify: {told}",
            hint="compare with the checkpoint hashes in your CI logs and with the last backup",
        )
    if form == "text":
        click.echo(f"The history verifies: {len(chains)} chains, nothing changed and nothing missing.")
