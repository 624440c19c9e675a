"""Which keys the workflows of a tree hand to a pass, and which accounts refer to others.

Looks at names alone, as text: no value, and no file outside `.github/workflows`. A workflow that may get keys in
another way (a step of its own, somebody else's action, a machine of one's own) is passed over: a guess would be wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gradesync.config.scan import tree_text
from gradesync.domain.definition import Desired, DesiredAccount
from gradesync.domain.problem import Problem
from gradesync.wiring.secret_facts import references

_FOLDER = ".github/workflows"
_NAME = re.compile(r"env:(\w+)")
_GIVEN = re.compile(r"^ +([A-Za-z_]\w*):[ \t]*\S", re.MULTILINE)
_USED = re.compile(r"^ *(?:- )?uses: *(\S+)", re.MULTILINE)
_OURS = re.compile(
    r"(?:\./|[^@\s]+/)\.github/actions/(?:setup|act|reconcile)(?:@\S+)?|\./\.github/actions/\w+"
)
_OTHERWISE = re.compile(r"^ *(?:- )?run:|self-hosted|toJSON\(secrets\)|secrets: *inherit", re.MULTILINE)
_MOST = 262_144
"""Characters: no workflow is as long, and a longer file is passed over."""


def not_handed_over(root: Path, desired: Desired) -> list[Problem]:
    """A warning (GS-207) for each account with keys that a workflow which passes does not hand over."""
    given = _workflows(root)
    if not given:
        return []
    everywhere = frozenset.intersection(*given.values())
    return [
        problem
        for account in desired.accounts.values()
        if not account.leaving and not everywhere.issuperset(_NAME.findall(account.text))
        for problem in _problems(account, desired, given)
    ]


def _workflows(root: Path) -> Mapping[str, frozenset[str]]:
    """File -> the names it hands over; those alone that pass and can get keys in no other way."""
    found = {}
    for path in sorted((root / _FOLDER).glob("*.y*ml")):
        # A pull request can put anything here; what is no plain file of the tree is never waited for.
        text = tree_text(root, f"{_FOLDER}/{path.name}")
        if text is None or len(text) >= _MOST:
            continue
        used = _USED.findall(text)
        passes = any("/.github/actions/reconcile" in one for one in used)
        known = all(_OURS.fullmatch(one) or one.startswith("actions/checkout@") for one in used)
        if passes and known and not _OTHERWISE.search(text):
            found[path.name] = frozenset(_GIVEN.findall(text))
    return found


def _problems(
    account: DesiredAccount, desired: Desired, given: Mapping[str, frozenset[str]]
) -> Iterator[Problem]:
    """One for all names that are missing in the same files."""
    definition = json.loads(account.text)
    by_files: dict[tuple[str, ...], list[str]] = {}
    for reference in references([definition.get("canvas"), definition.get("sis")]):
        name = reference.removeprefix("env:")
        lacking = tuple(file for file, names in given.items() if name not in names)
        if lacking and name != reference:
            by_files.setdefault(lacking, []).append(name)
    for files, names in by_files.items():
        names = list(dict.fromkeys(names))
        message = (
            f"{', '.join(names)} {'stands' if len(names) == 1 else 'stand'} in no line of "
            f"{_listed(files)} in {_FOLDER}: a pass started there cannot read "
            f"{'it' if len(names) == 1 else 'them'}"
        )
        where = "there" if len(files) == 1 else "in each of them"
        # One line stands for all: an annotation has no room for more, and they differ in the name alone.
        hint = (
            f"under GRADESYNC_KEY {where}, write for each key a line such as `{names[0]}: "
            f"${{{{ secrets.{names[0]} }}}}`, and make these secrets in the environment `gradesync`"
        )
        place = desired.place(account.file, ("canvas",))
        yield Problem("GS-207", message, place, hint, account.key, warning=True)


def _listed(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{', '.join(files[:-1])} and {files[-1]}"
