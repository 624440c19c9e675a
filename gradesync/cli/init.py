"""`gradesync init`: the first files of a tree, a repository around it, or a new account in it."""

from __future__ import annotations

from pathlib import Path

import click

from gradesync.cli import templates
from gradesync.cli.common import Invocation, new_command, opened, tell
from gradesync.cli.init_account import NAME, AccountWish, begin_account
from gradesync.errors import GradesyncError


@new_command(
    "init",
    "gradesync init\n"
    "gradesync init ../district-schedules --store\n"
    "gradesync init ../district-schedules --repo --owner @district/lms\n"
    "gradesync init riverside   # in a tree: asks, and writes its file\n"
    "gradesync init riverside --from-table pasted.txt --canvas https://... \\\n"
    "  --profile genesis --sis https://...",
)
@click.argument("target", required=False, metavar="[FOLDER|ACCOUNT]")
@click.option("--store", is_flag=True, help="Make the store too.")
@click.option("--repo", is_flag=True, help="Write the workflows and owners of a GitHub repository too.")
@click.option("--owner", "owners", multiple=True, metavar="@TEAM", help="Who must agree to all of it.")
@click.option("--support", multiple=True, metavar="@TEAM", help="Who must agree to schedules, if others do.")
@click.option(
    "--account-owner",
    "account_owners",
    multiple=True,
    metavar="ACCOUNT=@TEAM",
    help="Who must agree to one account, or to a folder of them (north/=@district/north).",
)
@click.option("--actions", metavar="OWNER/REPO@COMMIT", help="Where the workflows take gradesync from.")
@click.option("--group", metavar="GROUP", help="Of an account: the folder for its file.")
@click.option("--name", metavar="TEXT", help="Of an account: the district's name.")
@click.option("--zone", metavar="ZONE", help="Of an account: its time zone, such as America/New_York.")
@click.option("--canvas", metavar="URL", help="Of an account: the address of its Canvas.")
@click.option("--sis", metavar="URL", help="Of an account: the address of its SIS.")
@click.option("--profile", metavar="NAME", help="Of an account: the kind of SIS, such as genesis.")
@click.option(
    "--from-table",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE|-",
    help="Of an account: take over the vendor's table of schedules, pasted as text, HTML or CSV.",
)
@click.option("--yes", is_flag=True, help="Of an account: ask nothing.")
def command(
    said: Invocation,
    target: str | None,
    store: bool,
    repo: bool,
    owners: tuple[str, ...],
    support: tuple[str, ...],
    account_owners: tuple[str, ...],
    actions: str | None,
    **account: str | bool | None,
) -> int:
    """Begin a tree (FOLDER; this one when left out) or, inside a tree, an account. Nothing is overwritten.

    A tree gets gradesync.yaml, an example account (paused) and the schemas for editors; with --repo also the workflows
    and CODEOWNERS. An account gets its file, in `state: observe`, which is checked at once.
    """
    wish = AccountWish(target or "", **account)  # type: ignore[arg-type]  # click gives each option its type
    if wish.asked or (target is not None and _names_an_account(said.root, target)):
        if target is None or store or repo or owners or support or account_owners or actions:
            raise click.UsageError("an account is named and begun alone: `gradesync init ACCOUNT`")
        return begin_account(said, wish)
    if (owners or support or account_owners or actions) and not repo:
        raise click.UsageError("--owner, --support, --account-owner and --actions belong to --repo")
    if target is not None:
        said.root = said.root / target
        said.root.mkdir(parents=True, exist_ok=True)
    if repo:
        _repository(said.root, owners, support, account_owners, actions)
    else:
        _tree(said.root)
    if store:
        _store(said, pin=repo)
    if repo:
        from gradesync.cli.init_repo import next_steps, pin_what_answers

        if not store:
            pin_what_answers(said)

        tell("next:")
        for number, step in enumerate(next_steps(said.root), 1):
            tell(f"  {number}. {step}")
    else:
        tell("next: `gradesync init ACCOUNT`, or fill in schedules/example.yaml; then `gradesync validate`")
    return 0


def _names_an_account(root: Path, target: str) -> bool:
    """A plain name inside a tree is an account's; a path, or a name outside any tree, is a folder's."""
    inside = any((root / name).exists() for name in ("schedules", "gradesync.yaml", "gradesync.yml"))
    return inside and NAME.fullmatch(target) is not None and not (root / target).exists()


def _repository(
    root: Path,
    owners: tuple[str, ...],
    support: tuple[str, ...],
    account_owners: tuple[str, ...],
    actions: str | None,
) -> None:
    from gradesync.cli.init_repo import read_account_owners, read_actions, write_repo

    written = write_repo(
        root,
        owners=owners,
        support=support,
        account_owners=read_account_owners(account_owners),
        actions=None if actions is None else read_actions(actions),
    )
    for path in written:
        tell(f"{path.relative_to(root) if path.is_relative_to(root) else path} written")
    if not written:
        tell("everything is there already")


def _tree(root: Path) -> None:
    from gradesync.config.schema.export import schema_text

    texts = {
        "gradesync.yaml": templates.SETTINGS,
        "schedules/example.yaml": templates.ACCOUNT,
        templates.SCHEMA: schema_text("account"),
        templates.SETTINGS_SCHEMA: schema_text("settings"),
    }
    _refuse_overwriting(root)
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        tell(f"{name} written")
    if _ignore(root / ".gitignore"):
        tell(f"{templates.IGNORED} added to .gitignore")


def _store(said: Invocation, *, pin: bool) -> None:
    from gradesync.wiring import OpenMode

    with opened(said, OpenMode.CREATE) as app:
        info = app.store.info()
    tell(f"{info.place} made; its lineage is {info.lineage}")
    if pin:
        from gradesync.cli.init_repo import pin_lineage

        if pin_lineage(said.root, info.lineage):
            tell("the lineage is in gradesync.yaml now: another store is refused")


def _refuse_overwriting(root: Path) -> None:
    found = [
        name
        for name in (
            "gradesync.yaml",
            "gradesync.yml",
            "schedules",
            templates.SCHEMA,
            templates.SETTINGS_SCHEMA,
        )
        if (root / name).exists()
    ]
    if found:
        raise GradesyncError(
            f"{root.resolve()} is a tree already: it holds {found[0]}",
            hint="name another one: `gradesync init FOLDER`; or an account: `gradesync init ACCOUNT`",
        )


def _ignore(path: Path) -> bool:
    """Add our line unless it stands there; True when it was added."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if templates.IGNORED in text.splitlines():
        return False
    gap = "" if not text or text.endswith("\n") else "\n"
    path.write_text(f"{text}{gap}{templates.IGNORED}\n", encoding="utf-8")
    return True
