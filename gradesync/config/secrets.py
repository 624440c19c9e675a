"""Finds keys and tokens that were pasted into files, without ever repeating one.

A false alarm costs a minute, a missed key costs a school its gradebook; still, ids of schools and classes are left
to the narrow patterns, because a SIS may mint them from any alphabet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gradesync.config.findings import Finding, Path
from gradesync.domain.problem import Place, Problem

_KNOWN = re.compile(
    r"\d{1,6}~[A-Za-z0-9]{8,}"  # Canvas access tokens
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}"  # JSON web tokens
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|xox[abeprs]-[A-Za-z0-9-]{10,}"
    r"|AKIA[0-9A-Z]{12,}|-----BEGIN|(?:[Bb]earer|BEARER)\s+(?=\S*\d)[A-Za-z0-9._~+/-]{16,}"
)
_LONG = re.compile(r"[A-Za-z0-9_+/=-]{32,}")
_HINTS = ("~", "eyJ", "gh", "xox", "AKIA", "-----BEGIN", "earer", "EARER")
"""Parts of which every text that `_KNOWN` finds holds one; looking for these is quicker."""
_SHORTEST_KNOWN, _SHORTEST_LONG = 10, 32
"""Characters of the shortest text in which `_KNOWN` and `_LONG` can find anything."""
_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[A-Za-z]{2,}")
_PASTED = "this looks like a key or token"
_ROTATE = (
    "write a reference such as env:NAME; and let whoever made the key replace it now (rotate it): "
    "Git keeps what was pushed"
)


def may_hold(text: str, long_texts: Sequence[str]) -> bool:
    """A quick look at a whole file and its long texts: False means that `findings` would find nothing."""
    return "@" in text or any(hint in text for hint in _HINTS) or any(map(_LONG.search, long_texts))


def looks_secret(text: str, *, narrow: bool = False) -> bool:
    """Whether a text holds something like a key. `narrow` knows only patterns that nothing else has."""
    if len(text) < _SHORTEST_KNOWN:
        return False
    if _KNOWN.search(text):
        return True
    return (
        not narrow and len(text) >= _SHORTEST_LONG and any(_mixed(match[0]) for match in _LONG.finditer(text))
    )


def may_look_random(path: Path) -> bool:
    """Whether what stands here may look like a key and is none: ids of schools, and a server's public key."""
    return path[:1] == ("scope",) or path == ("sis", "roster", "sftp", "host_key")


def _mixed(word: str) -> bool:
    """Random text mixes cases and digits; ids in hexadecimal and names of files do not."""
    return (
        any(c.isdigit() for c in word) and any(c.islower() for c in word) and any(c.isupper() for c in word)
    )


def findings(tree: Any) -> list[Finding]:
    """GS-107 for every pasted key, and a warning for e-mail addresses where people write freely."""
    found: list[Finding] = []
    texts: list[tuple[Path, str, bool]] = []
    _gather(tree, (), texts)
    for path, text, on_key in texts:
        if not on_key and text.startswith(("env:", "file:")):
            continue
        if looks_secret(text, narrow=may_look_random(path)):
            found.append(Finding("GS-107", path, _PASTED, _ROTATE, "key" if on_key else "value"))
        elif not on_key and _free_text(path) and _MAIL.search(text):
            message = "an e-mail address is personal data, and this text is shown in reports"
            found.append(
                Finding("GS-110", path, message, "write a login, a numeric id or a role", warning=True)
            )
    return found


def outside_values(text: str, file: str) -> list[Problem]:
    """A key of a known kind anywhere in a file, also in a comment or in a file that cannot be read."""
    match = _KNOWN.search(text) if any(hint in text for hint in _HINTS) else None
    if match is None:
        return []
    before = text[: match.start()]
    place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return [Problem("GS-107", _PASTED, place, _ROTATE, width=len(match[0]))]


def with_outside(problems: list[Problem], text: bytes, file: str) -> list[Problem]:
    """The problems of a file, and a key anywhere in it unless one was found already."""
    if any(problem.code == "GS-107" for problem in problems):
        return problems
    return [*problems, *outside_values(text.decode("utf-8", "replace"), file)]


def _free_text(path: Path) -> bool:
    return path[-1:] in (("posted_by",), ("reason",)) or path[:1] == ("labels",)


def _gather(value: Any, path: Path, texts: list[tuple[Path, str, bool]]) -> None:
    """Every key and every text with its path. The reader has limited the depth, so recursion is safe."""
    if isinstance(value, str):
        texts.append((path, value, False))
    elif isinstance(value, dict):
        for key, inner in value.items():
            below = (*path, key)
            texts.append((below, str(key), True))
            _gather(inner, below, texts)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _gather(inner, (*path, index), texts)


def covering(secret: list[Finding], others: list[Finding]) -> list[Finding]:
    """All findings, without those about a place where a key was pasted: one message there is enough."""
    covered = {(finding.path, finding.on == "key") for finding in secret if not finding.warning}
    rest = [f for f in others if (f.path, f.on == "key") not in covered]
    return [*secret, *rest]
