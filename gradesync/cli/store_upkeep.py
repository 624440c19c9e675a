"""`gradesync store` for what grows and what leaks: pruning past terms, changing the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, duration, format_option, new_command, opened, tell
from gradesync.cli.options import REASON
from gradesync.cli.render import json_out
from gradesync.cli.rights import require
from gradesync.domain.rights import Right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradesync.domain.class_terms import PastTerm


@new_command("prune", "gradesync store prune\ngradesync store prune --ended 26w --delete")
@click.option("--account", metavar="ACCOUNT", help="Only this account.")
@click.option(
    "--ended",
    default="180d",
    show_default=True,
    metavar="TIME",
    help="Terms that ended longer ago than this: 90d, 26w. Never less than 30 days.",
)
@click.option("--delete", is_flag=True, help="Really forget them; without it, only show what would go.")
@format_option()
def prune(said: Invocation, account: str | None, ended: str, form: str, *, delete: bool) -> None:
    """Show (or forget) what the ledger remembers of classes whose term is over.

    Which term a class belongs to is learnt by full runs of grade passback; classes of nobody-knows-when stay. History
    and runs stay too. Should such a class come into scope again, its next run compares it with the SIS as on first
    contact: nothing is sent twice, but a grade edited by hand in the meantime, or one whose assignment was deleted,
    is no longer noticed as such.
    """
    from gradesync.domain.class_terms import SETTLED
    from gradesync.domain.history import Fact

    age = duration(ended)
    if age < SETTLED:
        raise click.UsageError(f"--ended takes {SETTLED.days} days or more: late grades come that long")
    with opened(said) as app:
        if account is not None and account not in app.store.recorded([account]).accounts:
            raise click.UsageError(f"no account {account} is recorded")
        if delete:
            require(app, Right.PURGE, account)
        terms = app.store.past_terms(app.store.now() - age, account)
        removed = 0
        for term in terms if delete else ():
            data = {"term": term.term_id, "ended": term.ended_at.date().isoformat(), "classes": term.classes}
            fact = Fact("ledger pruned", app.actor, term.account, data={**data, "rows": term.rows})
            removed += app.store.prune(term, [fact])
    _show_terms(form, terms, removed if delete else None)


def _show_terms(form: str, terms: Sequence[PastTerm], removed: int | None) -> None:
    if form == "json":
        shapes = [
            {
                "account": term.account,
                "term": term.term_id,
                "ended": term.ended_at.date().isoformat(),
                "classes": term.classes,
                "rows": term.rows,
            }
            for term in terms
        ]
        json_out({"version": 1, "kind": "past terms", "terms": shapes, "removed": removed})
        return
    for term in terms:
        click.echo(
            f"{term.account}: term {term.term_id}, ended {term.ended_at:%Y-%m-%d}: "
            f"{term.classes:,} classes, {term.rows:,} rows"
        )
    if not terms:
        tell("nothing is remembered of terms that ended so long ago")
    elif removed is None:
        tell("nothing was changed; --delete forgets these rows")
    else:
        tell(f"{removed:,} rows forgotten; the history says so")


@new_command("rekey", 'gradesync store rekey\ngradesync store rekey --forget --reason "the key was in a log"')
@click.option("--forget", is_flag=True, help="Really change the key; without it, only say what that means.")
@click.option("--reason", type=REASON, help="Why; kept in the history.")
def rekey(said: Invocation, reason: str | None, *, forget: bool) -> None:
    """Change the key of the ledger's hashes: it leaked, or it is lost.

    With `keys` in gradesync.yaml put the new key there first; without it a new key file is made. Hashes cannot be
    translated, so the ledger, waiting rows, events of single records and the last roster reads are forgotten, and the
    next run of each schedule compares everything anew. Where Canvas and SIS agree, nothing is sent and all is known
    again. Where they differ then, the grade waits as GS-412, for nobody knows any more who wrote it: let a pass end
    well right before, and none runs meanwhile.
    """
    if forget and not reason:
        raise click.UsageError("--forget needs a --reason")
    with opened(said) as app:
        if not forget:
            counts = app.store.info(counted=True).counts
            tell(
                f"{counts['ledger']:,} rows of the ledger and {counts['waiting']:,} waiting rows would be forgotten"
            )
            tell("nothing was changed; --forget --reason REASON does it")
            return
        require(app, Right.STORE)
        from gradesync.wiring.rekey import rekey as changed

        key_id = changed(app, str(reason))
    tell(f"the key is {key_id} now; the next run of each schedule compares everything anew")
