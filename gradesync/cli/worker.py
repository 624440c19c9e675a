"""`gradesync worker`: takes runs from the queue and carries them out, until it is asked to end."""

from __future__ import annotations

from dataclasses import replace

import click

from gradesync.cli.common import Invocation, new_command, opened, tell
from gradesync.cli.halting import Halt, carry_out_until, heeding_signals
from gradesync.cli.progress import watching

CONCURRENCY = 4


@new_command(
    "worker",
    "gradesync worker\n"
    "gradesync worker --concurrency 8 --name north-1\n"
    "gradesync reconcile --enqueue   # elsewhere, each minute: queues what is due",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 100),
    default=CONCURRENCY,
    show_default=True,
    metavar="N",
    help="How many accounts are worked in at once.",
)
@click.option("--name", metavar="NAME", help="What others read while it works (default: who started it).")
def command(said: Invocation, concurrency: int, name: str | None) -> int:
    """Carry out the runs that `reconcile --enqueue` puts on the queue; needs a store on PostgreSQL.

    Start as many as you like, on as many hosts. A worker goes by the recorded definitions: it needs gradesync.yaml,
    the secrets and the ledger's key, and no account files. One account is worked in by one of them at a time. The
    runs of a worker that is lost are taken over by another at most 105 seconds after its last sign of life. SIGTERM
    and Ctrl-C let each run end at its next class boundary and hand back the rest; again ends at once.
    """
    try:
        from gradesync.worker import serve
    except ModuleNotFoundError:
        from gradesync.errors import StoreUnavailable

        raise StoreUnavailable(
            "Workers need what is not installed here", hint="Install gradesync[cluster]."
        ) from None
    halt = Halt()
    watch = watching()
    with heeding_signals(halt), opened(said, progress=watch) as app:
        tools = replace(app.tools(name), halted=halt.asked)
        if (no_key := app.key_trouble()) is not None:
            # Said before the first run fails by it; the runs themselves are taken as always, and told of.
            tell(f"{no_key.code}: no run can do its work: {no_key}")
            tell(f"hint: {no_key.hint}")
        work = serve(app, tools, concurrency=concurrency, overdue=halt.overdue, say=tell)
        try:
            carry_out_until(work, halt)
        finally:
            watch.clear()
    tell("stopped; what was unfinished was handed back")
    return 0
