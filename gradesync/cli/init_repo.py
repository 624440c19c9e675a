"""`gradesync init --repo`: the repository a district or a support team keeps its schedules in.

Writes files and decides nothing about schedules. The workflows are the project's own, byte for byte, except that they
name the actions at a full commit of the project's repository (one pin for the actions and the program they install)
and the branch whose merges take effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from gradesync.cli import templates
from gradesync.cli.common import Invocation, opened, tell
from gradesync.cli.init_branch import branch_of, named_in, with_branch
from gradesync.errors import GradesyncError

WORKFLOWS = ("act", "plan", "reconcile", "reconcile-cron", "validate")

_MERGED = ".github/workflows/reconcile.yml"
"""What a merge starts, and so the one file that names a branch."""
_ACTIONS = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.-]{1,100})@([0-9a-f]{40})")
_OWNER = re.compile(r"@[A-Za-z0-9-]{1,39}(?:/[A-Za-z0-9._-]{1,100})?|[^\s@#]{1,64}@[A-Za-z0-9.-]{1,200}")
_ORIGIN = re.compile(r"(?:https://|ssh://)?(?:[^/@\s]+@)?github\.com[:/]([^/\s]+/[^/\s]+?)(?:\.git)?/?")
_KEYS = ("CANVAS_TOKEN", "SIS_ID", "SIS_SECRET")
_PLACE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}(?:/(?:[a-z0-9][a-z0-9-]{0,62})?)?")
_LINEAGE = re.compile(r"^# lineage:.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Actions:
    """Where the workflows take their actions from: a repository and a commit of it, 40 hexadecimal digits."""

    repository: str
    commit: str
    version: str = ""

    def uses(self, name: str) -> str:
        """The reference of one action, with the version beside it where that is known."""
        comment = f" # {self.version}" if self.version else ""
        return f"{self.repository}/.github/actions/{name}@{self.commit}{comment}"


def read_account_owners(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """`ACCOUNT=OWNER` or `FOLDER/=OWNER`, once for each owner. Raises GradesyncError for anything else."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        place, _, owner = text.partition("=")
        if not _PLACE.fullmatch(place):
            raise GradesyncError(
                f"{text!r} names no account",
                hint="write ACCOUNT=@org/team, or FOLDER/=@org/team for all accounts of a folder",
            )
        found[place] = (*found.get(place, ()), owner)
    return found


def pin_what_answers(said: Invocation) -> None:
    """Where the environment names a store: its lineage. A store that does not answer is no reason to stop."""
    import os

    settings = _reads(said.root / "gradesync.yaml")
    if "GRADESYNC_STORE" not in os.environ or not _LINEAGE.search(settings or ""):
        return
    try:
        with opened(said) as app:
            lineage = app.store.info().lineage
    except GradesyncError as error:
        tell(f"the lineage is not pinned yet: {error}")
        return
    if lineage and pin_lineage(said.root, lineage):
        tell(f"gradesync.yaml: the lineage {lineage} is pinned")


def read_actions(text: str) -> Actions:
    """`OWNER/REPOSITORY@COMMIT`. Raises GradesyncError for a tag or a branch: whoever owns those can move them."""
    match = _ACTIONS.fullmatch(text)
    if match is None:
        raise GradesyncError(
            f"{text!r} names no commit",
            hint="write OWNER/REPOSITORY@ and the 40 digits of the commit, as `git rev-parse HEAD` prints them",
        )
    return Actions(match[1], match[2])


def actions_here() -> Actions | None:
    """This very gradesync, where it runs from a clone whose commit GitHub has; None anywhere else."""
    import gradesync
    from gradesync.wiring.commits import ask_git

    top = Path(gradesync.__file__).parents[1]
    if not (top / ".github" / "actions" / "setup" / "action.yml").exists():
        return None
    origin = _ORIGIN.fullmatch(ask_git(top, "remote", "get-url", "origin")[1].strip())
    code, commit = ask_git(top, "rev-parse", "HEAD")
    pushed = ask_git(top, "branch", "--remotes", "--contains", "HEAD")[1].strip()
    if origin is None or code or not pushed:
        return None
    return Actions(origin[1], commit.strip(), f"gradesync {gradesync.__version__}")


def _how_to_name_it() -> str:
    """What to write after --actions, with the commit of this copy where there is one."""
    import gradesync
    from gradesync.wiring.commits import ask_git

    top = Path(gradesync.__file__).parents[1]
    commit = ""
    if (top / ".github" / "actions" / "setup" / "action.yml").exists():
        code, said = ask_git(top, "rev-parse", "HEAD")
        commit = "" if code else said.strip()
    if not commit:
        return "name it: --actions OWNER/REPOSITORY@COMMIT, with all 40 digits of the commit"
    return (
        "this copy was not cloned from GitHub, or its commit is not there yet; if your repository of gradesync has"
        f" this commit: --actions OWNER/REPOSITORY@{commit}"
    )


def write_repo(
    root: Path,
    *,
    owners: tuple[str, ...],
    support: tuple[str, ...] = (),
    account_owners: Mapping[str, tuple[str, ...]] | None = None,
    actions: Actions | None = None,
) -> list[Path]:
    """Write the repository's files into `root` and return those that were new.

    `owners` (`@org/team`, `@login` or an e-mail address) must agree to workflows, `gradesync.yaml` and whatever is left
    over; `support` to schedules; `account_owners` to single accounts. Nothing is overwritten: files of `.github` that
    say something else stop everything before the first is written (GradesyncError names them all), and files of
    the tree that are there stay as they are. So a second call writes nothing.
    """
    actions = actions or actions_here()
    if actions is None:
        raise GradesyncError(
            "it is not known here which commit of gradesync the workflows should use",
            hint=_how_to_name_it(),
        )
    branch = branch_of(root)
    _check_owners((*owners, *support, *(one for some in (account_owners or {}).values() for one in some)))
    if not owners:
        raise GradesyncError("nobody owns the repository", hint="name a team: --owner @org/team")
    accounts = _accounts(root) or ("example",)
    ours = {
        f".github/workflows/{name}.yml": _workflow(_text(f"{name}.yml"), actions, accounts)
        for name in WORKFLOWS
    }
    ours[_MERGED] = with_branch(ours[_MERGED], branch, _reads(root / _MERGED))
    ours[".github/dependabot.yml"] = _text("dependabot.yml")
    ours[".github/CODEOWNERS"] = _codeowners(owners, support or owners, account_owners or {})
    _refuse_overwriting(root, ours)
    return _write(root, {**ours, **_tree(root)})


def pin_lineage(root: Path, lineage: str) -> bool:
    """Put the store's lineage where `write_repo` left a line for it; False when that line is not there any more."""
    path = root / "gradesync.yaml"
    text = path.read_text(encoding="utf-8")
    pinned, times = _LINEAGE.subn(f"lineage: {lineage}", text, count=1)
    if times:
        path.write_text(pinned, encoding="utf-8")
    return bool(times)


def next_steps(root: Path) -> tuple[str, ...]:
    """What remains to be done by hand, in order, one sentence each."""
    pinned = "\nlineage:" in f"\n{(root / 'gradesync.yaml').read_text(encoding='utf-8')}"
    named = named_in(_reads(root / _MERGED) or "")
    says = f" ({_MERGED} must name it, and names {named})" if named else ""
    lineage = "`gradesync store init` with GRADESYNC_STORE set, and its lineage into gradesync.yaml"
    return (
        *(() if pinned else (lineage,)),
        "the environments gradesync, gradesync-plan and gradesync-act with their secrets",
        f"protection of the default branch{says}: one approval, review of code owners, the check `validate`",
        "the repository variable GRADESYNC_LIVE with the value true, which starts everything",
        "README.md says each of these in full",
    )


def _text(name: str) -> str:
    return (resources.files("gradesync.cli") / "repo" / name).read_text(encoding="utf-8")


def _workflow(text: str, actions: Actions, accounts: tuple[str, ...]) -> str:
    """The project's own workflow as another repository needs it."""
    text = re.sub(
        r"\./\.github/actions/([a-z]+)$", lambda one: actions.uses(one[1]), text, flags=re.MULTILINE
    )
    text = text.replace("(docs/running-in-ci.md)", "(README.md)")
    text = text.replace("(docs/running-in-ci.md names more punctual clocks)", "(others are more punctual)")
    given = re.search(r"(?:^ +RIVERSIDE_\w+: .*\n)+", text, re.MULTILINE)
    if given is None:
        return text
    indent = " " * 10
    names = [f"{account.upper().replace('-', '_')}_{key}" for account in accounts for key in _KEYS]
    lines = "".join(f"{indent}{name}: ${{{{ secrets.{name} }}}}\n" for name in names)
    return text[: given.start()] + lines + text[given.end() :]


def _codeowners(
    owners: tuple[str, ...], support: tuple[str, ...], account_owners: Mapping[str, tuple[str, ...]]
) -> str:
    rows = [("*", owners), ("/schedules/", support)]
    for account, some in sorted(account_owners.items()):
        # A folder of accounts is named with its slash; each file of an account is its own line.
        place = account if account.endswith("/") else f"{account}.yaml"
        rows.append((f"/schedules/{place}", some))
    guarded = [("_defaults.yaml", owners), ("/gradesync.yaml", owners), ("/.github/", owners)]
    width = max(len(place) for place, _ in (*rows, *guarded)) + 2
    lines = [
        "# Who must agree to a change. Of several lines that fit a file, the last one counts.",
        *(f"{place:<{width}}{' '.join(some)}" for place, some in rows),
        "",
        "# What decides over many accounts, over keys or over what GitHub runs.",
        *(f"{place:<{width}}{' '.join(some)}" for place, some in guarded),
    ]
    return "\n".join(lines) + "\n"


def _tree(root: Path) -> dict[str, str]:
    """The files of a tree that are not there yet; an account to copy only where there is no account at all."""
    from gradesync.config.schema.export import schema_text

    texts = {
        "gradesync.yaml": _text("gradesync.yaml"),
        "README.md": _text("README.md"),
        templates.SCHEMA: schema_text("account"),
        templates.SETTINGS_SCHEMA: schema_text("settings"),
    }
    if (root / "gradesync.yml").exists():
        del texts["gradesync.yaml"]
    if not _accounts(root):
        texts["schedules/example.yaml"] = templates.ACCOUNT
    ignored = root / ".gitignore"
    if not ignored.exists():
        texts[".gitignore"] = f"{templates.IGNORED}\n"
    return {name: text for name, text in texts.items() if not (root / name).exists()}


def _accounts(root: Path) -> tuple[str, ...]:
    files = [*root.glob("schedules/**/*.yaml"), *root.glob("schedules/**/*.yml")]
    return tuple(sorted({path.stem for path in files if not path.stem.startswith("_")}))


def _check_owners(owners: tuple[str, ...]) -> None:
    # A line of CODEOWNERS that GitHub cannot read protects nothing, and it says so nowhere near the pull request.
    for one in owners:
        if not _OWNER.fullmatch(one):
            raise GradesyncError(
                f"{one!r} is not an owner", hint="write @org/team, @login or an e-mail address"
            )


def _refuse_overwriting(root: Path, texts: Mapping[str, str]) -> None:
    other = [name for name, text in texts.items() if (root / name).exists() and _reads(root / name) != text]
    if other:
        raise GradesyncError(
            f"{root.resolve()} has these already, and they say something else: {', '.join(sorted(other))}",
            hint="move them away and compare afterwards; nothing was written",
        )


def _reads(path: Path) -> str | None:
    if not path.is_file():
        return None  # a pipe would be waited for
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write(root: Path, texts: Mapping[str, str]) -> list[Path]:
    written = []
    for name, text in texts.items():
        path = root / name
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


__all__ = [
    "Actions",
    "actions_here",
    "next_steps",
    "pin_lineage",
    "pin_what_answers",
    "read_account_owners",
    "read_actions",
    "write_repo",
]
