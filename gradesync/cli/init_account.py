"""`gradesync init ACCOUNT`: a few questions, one new file, and what comes next. Nothing is ever overwritten."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, tell
from gradesync.errors import GradesyncError

if TYPE_CHECKING:
    from gradesync.cli.account_text import NewAccount
    from gradesync.config.settings import Settings
    from gradesync.domain.definition import Desired
    from gradesync.domain.problem import Problem
    from gradesync.domain.vendor_table import VendorTable

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_URL = re.compile(r"https://[^\s/@?#]+(/[^\s?#]*)?|http://(127\.0\.0\.1|localhost)(:\d+)?(/[^\s?#]*)?")
_KEYS = ("canvas_token", "sis_id", "sis_secret")
_LARGEST_PASTE = 2_000_000


@dataclass(frozen=True, slots=True)
class AccountWish:
    """What the command line said; None where it said nothing."""

    account: str
    group: str | None = None
    name: str | None = None
    zone: str | None = None
    canvas: str | None = None
    sis: str | None = None
    profile: str | None = None
    from_table: str | None = None
    yes: bool = False

    @property
    def asked(self) -> bool:
        """Whether anything was said that only an account has."""
        said = (self.group, self.name, self.zone, self.canvas, self.sis, self.profile, self.from_table)
        return self.yes or any(one is not None for one in said)


def begin_account(said: Invocation, wish: AccountWish) -> int:
    """Write schedules/[GROUP/]ACCOUNT.yaml and check it; 1 with problems, 3 when rows of a table were left out."""
    from gradesync.cli.account_text import account_text
    from gradesync.config.settings import read_settings

    path = _place(said.root, wish)
    settings = read_settings(said.root)
    table = None
    if wish.from_table is not None:
        table = _table(wish.from_table, None if wish.zone is None else _zone(wish.zone))
    text = account_text(_answers(wish, settings, table))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise _taken(path) from None
    shown = path.relative_to(said.root).as_posix()
    tell(f"{shown} written; the account begins in `state: observe` and sends nothing")
    left = _told_table(table)
    problems = _checked(said, shown, wish.account)
    hosts = _unknown_hosts(text, settings) if any(one.code == "GS-108" for one in problems) else ()
    line = text.splitlines().index("state: observe") + 1
    _told_next(said.root, wish.account, settings, hosts, f"{shown}, line {line}")
    if any(not problem.warning for problem in problems):
        return 1
    return 3 if left else 0


def _place(root: Path, wish: AccountWish) -> Path:
    """Where the file goes. Raises for a name that is none, and for an account that has a file already."""
    from gradesync.cli.common import require_tree

    require_tree(root)
    for what, name in (("an account", wish.account), ("a group", wish.group)):
        if name is not None and not NAME.fullmatch(name):
            raise click.UsageError(f"{what} is named in small letters, digits and hyphens")
    folder = root / "schedules"
    there = [*folder.glob(f"{wish.account}.y*ml"), *folder.glob(f"*/{wish.account}.y*ml")]
    if there:
        raise _taken(there[0])
    return (folder if wish.group is None else folder / wish.group) / f"{wish.account}.yaml"


def _taken(path: Path) -> GradesyncError:
    return GradesyncError(
        f"{path} is there already; nothing was written", hint="edit it, or choose another name"
    )


def _table(source: str, zone: str | None) -> VendorTable:
    """The pasted table, from a file or from standard input."""
    from gradesync.domain.documents import in_docs
    from gradesync.domain.vendor_table import NoTable, TableTooLarge, read_table

    if source == "-":
        if sys.stdin.isatty():
            tell("paste the table, then press Ctrl-D on a line of its own")
        raw = sys.stdin.buffer.read(_LARGEST_PASTE)
    else:
        with Path(source).open("rb") as file:
            raw = file.read(_LARGEST_PASTE)
    try:
        table = read_table(_decoded(raw), zone)
    except (NoTable, TableTooLarge) as problem:
        hint = f"copy the whole table with its row of titles; {in_docs('starting-an-account')} shows how"
        raise GradesyncError(str(problem), hint=hint) from None
    if not table.rows:
        raise GradesyncError("the table has no row below its titles", hint="copy the whole table")
    return table


def _decoded(raw: bytes) -> str:
    """Text as browsers and spreadsheets save it."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _answers(wish: AccountWish, settings: Settings, table: VendorTable | None) -> NewAccount:
    """Everything the file needs: from the command line, else asked for, else what is usual."""
    from datetime import UTC, datetime, timedelta

    from gradesync.cli.account_text import NewAccount
    from gradesync.domain.profile import PROFILES

    ask = _Questions(wish, may_ask=not wish.yes and wish.from_table != "-" and sys.stdin.isatty())
    name = ask.text(
        "--name", wish.name, "Name of the district", _named, wish.account.replace("-", " ").title()
    )
    zone = ask.text("--zone", wish.zone, "Time zone", _zone, table.time_zone if table else None)
    canvas = ask.text("--canvas", wish.canvas, "Address of Canvas (https://...)", _canvas)
    known = ", ".join(sorted(PROFILES))
    profile = ask.text("--profile", wish.profile, f"Kind of SIS ({known})", _profile)
    sis = ask.text("--sis", wish.sis, "Address of the SIS (https://...)", _url)
    ask.refuse_gaps()
    references = {}
    if settings.secrets is None:
        start = wish.account.upper().replace("-", "_")
        references = {key: f"env:{start}_{key.upper()}" for key in _KEYS}
    return NewAccount(
        key=wish.account,
        name=name,
        time_zone=zone,
        canvas=canvas.rstrip("/"),
        profile=profile,
        sis=sis.rstrip("/"),
        tomorrow=f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}",
        group=wish.group,
        references=references,
        table=table,
    )


class _Questions:
    """Takes each answer from its option, else from a person; what neither gives is told all at once."""

    def __init__(self, wish: AccountWish, *, may_ask: bool) -> None:
        self._account = wish.account
        self._may_ask = may_ask
        self._gaps: list[str] = []

    def text(
        self,
        option: str,
        given: str | None,
        question: str,
        check: Callable[[str], str],
        usual: str | None = None,
    ) -> str:
        """One checked answer. A wrong option is a usage error; a wrong answer is asked for again."""
        if given is not None:
            return check(given)
        if self._may_ask:
            answer: str = click.prompt(question, default=usual, value_proc=check, err=True)
            return answer
        if usual is None:
            self._gaps.append(option)
        return usual or ""

    def refuse_gaps(self) -> None:
        """Raises a usage error that names every option that is missing."""
        if self._gaps:
            raise click.UsageError(
                f"{self._account} needs {', '.join(self._gaps)}; at a terminal, they are asked for one by one"
            )


def _named(text: str) -> str:
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise click.UsageError("a name is one line of at most 200 characters")
    return text.strip()


def _zone(text: str) -> str:
    from gradesync.domain.vendor_words import NotRead, time_zone

    try:
        return time_zone(text)
    except NotRead:
        from gradesync.domain.interval import IntervalError, zone

        try:
            return zone(text).key
        except IntervalError as problem:
            raise click.UsageError("; ".join(part for part in problem.said if part)) from None


def _url(text: str) -> str:
    if not _URL.fullmatch(text.strip()):
        raise click.UsageError("an address begins with https://, names a host, and has no ? in it")
    return text.strip()


def _canvas(text: str) -> str:
    from gradesync.config.schema.addresses import canvas_behind

    # What a browser shows has a page's path behind it, often with a `?`, so this comes first.
    if (meant := canvas_behind(text)) is not None:
        raise click.UsageError(f"this is the address of a page in Canvas; Canvas itself is {meant}")
    return _url(text)


def _profile(text: str) -> str:
    from gradesync.domain.profile import PROFILES

    if text.strip() not in PROFILES:
        raise click.UsageError(f"the kinds of SIS are {', '.join(sorted(PROFILES))}")
    return text.strip()


def _told_table(table: VendorTable | None) -> int:
    """Say what of a table was taken over and what not; the number of rows that were left out."""
    if table is None:
        return 0
    left = [one for one in table.schedules if not one.usable]
    tell(f"{len(table.schedules) - len(left)} of {table.rows} rows of the table were taken over")
    for doubt in table.doubts:
        tell(f"  {doubt}")
    if left:
        tell("what could not be read for certain is in the file as comments: finish these lines by hand")
    return len(left)


def _checked(said: Invocation, file: str, account: str) -> tuple[Problem, ...]:
    """What the loader says of the new file, shown as `validate` would; and which schedules it did not write itself."""
    from gradesync.cli.common import load_tree
    from gradesync.cli.render import show
    from gradesync.cli.validate import sources

    loaded = load_tree(said)
    _tell_inherited(loaded.desired, file, account)
    problems = tuple(one for one in loaded.problems if one.place.file == file)
    if problems:
        show("text", "problems", problems, sources(said.root))
    return problems


def _tell_inherited(desired: Desired, file: str, account: str) -> None:
    """Schedules of _defaults.yaml run beside those of the table: two imports of one roster at the same hour."""
    found = desired.accounts.get(account)
    for name in sorted(found.schedules) if found is not None else ():
        place = desired.place(file, ("schedules", name))
        if place.file != file:
            tell(
                f"besides, it inherits the schedule {name} from {place.file}:{place.line}; where the file has its own "
                f"for that, give it the name {name}, or take the inherited one out"
            )


def _unknown_hosts(text: str, settings: Settings) -> tuple[str, ...]:
    """The hosts of the file just written that `hosts` does not allow, each once: what the owner has to add."""
    from urllib.parse import urlsplit

    from gradesync.config.schema.addresses import host_allowed

    found = (urlsplit(url).hostname for url in re.findall(r"^  url: (\S+)$", text, re.MULTILINE))
    # No list and an empty one allow the same, as where the file is checked.
    allowed = settings.hosts or None
    return tuple(dict.fromkeys(host for host in found if host and not host_allowed(host, allowed)))


def _told_next(root: Path, account: str, settings: Settings, hosts: tuple[str, ...], state: str) -> None:
    """The next steps, in their order; `state` is the place of the account's own."""
    start = account.upper().replace("-", "_")
    places = [settings.reference(account, key) or f"env:{start}_{key.upper()}" for key in _KEYS]
    steps = [f"put the keys where they are looked for: {', '.join(places)}"]
    names = [place.removeprefix("env:") for place in places if place.startswith("env:")]
    if names and (root / ".github" / "workflows" / "reconcile.yml").exists():
        # A job is given only what its workflow names: without these lines every run would end with GS-207.
        lines = "".join(f"\n       {name}: ${{{{ secrets.{name} }}}}" for name in names)
        steps.append(
            "as secrets of the environment `gradesync`, and as lines under GRADESYNC_KEY in"
            f" .github/workflows/reconcile.yml, reconcile-cron.yml and act.yml:{lines}"
        )
    if hosts:
        steps.append(f"have the owner add to `hosts` in gradesync.yaml: {', '.join(hosts)}")
    live = f"write `state: active` in place of `state: observe` ({state})"
    steps += [
        f"`gradesync doctor {account}` says whether both sides answer, and who must do what",
        "`gradesync plan` shows what a merge would change; `gradesync reconcile` applies it",
        f"after some days, `gradesync compare {account}/SCHEDULE`; when that is right, {live}",
    ]
    tell("next:")
    for number, step in enumerate(steps, 1):
        tell(f"  {number}. {step}")
