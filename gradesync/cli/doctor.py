"""`gradesync doctor`: look at an account's two connections, or at the secrets of all accounts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from gradesync.cli.common import Invocation, carry_out, format_option, new_command, opened, tell

if TYPE_CHECKING:
    from gradesync.config.loader import Loaded
    from gradesync.domain.definition import DesiredAccount
    from gradesync.domain.doctor import Check, Examination
    from gradesync.domain.doctor_secrets import SecretsReport


@new_command(
    "doctor",
    "gradesync doctor riverside\n"
    "gradesync doctor riverside --names  # also what matches nothing, by title\n"
    "gradesync doctor riverside --format markdown > ticket.md\n"
    "gradesync doctor --secrets          # every account, without asking anybody",
)
@click.argument("account", required=False)
@click.option("--secrets", is_flag=True, help="Look at the secrets of every account; reaches nobody.")
@click.option(
    "--names", is_flag=True, help="Show titles and sections that match nothing; only on a terminal."
)
@format_option("markdown")
def command(said: Invocation, account: str | None, secrets: bool, names: bool, form: str) -> int:
    """Say whether an account's connections work, and who must do what where they do not.

    Reaches Canvas and the SIS with the account's keys and only reads. Works from the files, before anything was
    recorded. Ends with 1 when a check failed, with 3 when a person should look at something.
    """
    if secrets == (account is not None):
        raise click.UsageError("name an account, or ask for --secrets of all of them")
    if names and (form != "text" or not sys.stdout.isatty()):
        raise click.UsageError("--names is for a terminal: titles must not end up in a file or a log")
    loaded = _files(said)
    if account is None:
        report = _secrets(said, loaded)
        _show(form, "secrets", report)
        return report.exit_code
    told = _examined(said, loaded, account)
    _show(form, "examination", told, **({"names": True} if names else {}))
    return told.exit_code


def _files(said: Invocation) -> Loaded:
    """The tree without its cache: an examination leaves nothing behind."""
    from datetime import UTC, datetime

    from gradesync.cli.common import require_tree
    from gradesync.config.loader import load

    require_tree(said.root)
    return load(said.root, now=datetime.now(UTC))


def _account(loaded: Loaded, name: str) -> DesiredAccount:
    """The account as its file says. Raises NotFound, and ConfigInvalid for a file with problems."""
    from gradesync.cli.options import accounts_of
    from gradesync.errors import ConfigInvalid

    accounts_of(loaded, [name])
    if name not in loaded.desired.accounts:
        raise ConfigInvalid(
            f"the file of {name} has problems, so there is nothing sound to examine",
            hint="`gradesync validate` names them",
        )
    return loaded.desired.accounts[name]


def _examined(said: Invocation, loaded: Loaded, name: str) -> Examination:
    import json
    from datetime import UTC, datetime

    from gradesync.domain.account import Account
    from gradesync.engine.doctor import examine
    from gradesync.engine.doctor_sides import Patient
    from gradesync.wiring.examining import Examiner, expiries
    from gradesync.wiring.secrets import References

    desired = _account(loaded, name)
    definition = json.loads(desired.text)
    schedules = {key: json.loads(one.text) for key, one in desired.schedules.items()}
    account = Account.from_definitions(name, definition, schedules)
    canvas, sis, store = _recorded(said, loaded, name)
    patient = Patient(account, *expiries(definition), canvas, sis)

    def now() -> datetime:
        return datetime.now(UTC)

    if sys.stderr.isatty():
        tell(f"asking Canvas and the SIS of {name}; nothing is written")
    allowed = loaded.settings.private_hosts
    tools = Examiner(account, References(said.root), said.root, now, allowed)
    return carry_out(examine(patient, tools, now, [store]))


def _recorded(said: Invocation, loaded: Loaded, name: str) -> tuple[str | None, str | None, Check]:
    """The identities recorded for both sides, and a check of the store; a new tree has none yet."""
    from gradesync.domain.doctor import HERE, Verdict, fine, found, spare
    from gradesync.errors import StoreUnavailable
    from gradesync.syncs.identity import CANVAS_IDENTITY, SIS_IDENTITY
    from gradesync.wiring import OpenMode

    try:
        with opened(said, OpenMode.EMPTY_IF_MISSING, settings=loaded.settings) as app:
            records = app.store.read_records(name)
            known = records.watermark(CANVAS_IDENTITY), records.watermark(SIS_IDENTITY)
            missing = app.missing_store is not None
    except StoreUnavailable as problem:
        remedy = f"{problem.hint[:1].upper()}{problem.hint[1:]}." if problem.hint else ""
        return None, None, found("store", HERE, Verdict.FAIL, f"{problem}.", problem.code, remedy=remedy)
    if missing:
        return (
            None,
            None,
            spare("store", HERE, "There is no store yet, so nothing is recorded of this account."),
        )
    return *known, fine("store", HERE, "The store can be read.")


def _secrets(said: Invocation, loaded: Loaded) -> SecretsReport:
    import json
    from datetime import UTC, datetime

    from gradesync.domain.doctor_secrets import judge_secrets
    from gradesync.wiring.secret_facts import secret_facts, settings_facts

    accounts = loaded.desired.accounts
    facts = [
        fact
        for key, account in sorted(accounts.items())
        for fact in secret_facts(key, json.loads(account.text), said.root)
    ]
    facts += settings_facts(loaded.settings, said.root)
    return judge_secrets(facts, datetime.now(UTC).date(), len(accounts), loaded.desired.frozen)


def _show(form: str, what: str, told: Any, **named: Any) -> None:
    """Render in the format's own module and print."""
    from importlib import import_module

    from gradesync.cli.render import json_out, style

    modules = {"text": "text.examinations", "json": "doctor_shapes", "markdown": "doctor_markdown"}
    function = getattr(import_module(f"gradesync.reporting.{modules[form]}"), what)
    if form == "json":
        json_out(function(told))
        return
    if form == "text":
        named["style"] = style()
    click.echo(function(told, **named).rstrip("\n"), color=named["style"].color if form == "text" else None)
