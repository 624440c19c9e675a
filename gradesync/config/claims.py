"""What an account claims for itself (its name, addresses, secrets), so that no two accounts claim the same thing.

Copy and paste is how one district's grades would reach another, so this works even on files with other problems.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from gradesync.config.findings import Finding, Path

_CLAIMED: tuple[tuple[str, Path], ...] = (
    ("account name", ("account",)),
    ("former name", ("moved_from",)),
    ("Canvas address", ("canvas", "url")),
    ("SIS address", ("sis", "url")),
    ("secret", ("canvas", "token")),
    ("secret", ("sis", "client_id")),
    ("secret", ("sis", "client_secret")),
    ("secret", ("sis", "roster", "sftp", "password")),
    ("secret", ("sis", "roster", "sftp", "private_key")),
)


@dataclass(frozen=True, slots=True)
class Claims:
    """One file's claims: (kind, value, path) each. `shared` says that the account knows it is not alone."""

    file: str
    claims: Sequence[Sequence[Any]]
    shared: bool


def claims_of(tree: Any) -> list[tuple[str, str, Path]]:
    """Read from an unchecked tree; whatever is not text claims nothing."""
    found: list[tuple[str, str, Path]] = []
    for kind, path in _CLAIMED:
        value = tree
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            found.append((kind, _normal_url(value) if path[-1] == "url" else value, path))
    return found + _roster_files(tree)


def _roster_files(tree: Any) -> list[tuple[str, str, Path]]:
    """The place of the roster files: one server may serve many accounts, one path on it only one."""
    sis = tree.get("sis") if isinstance(tree, dict) else None
    files = sis.get("roster") if isinstance(sis, dict) else None
    where = files.get("path") if isinstance(files, dict) else None
    if not isinstance(files, dict) or not isinstance(where, str) or not where:
        return []
    sftp = files.get("sftp")
    server = [str(sftp.get(key, "")) for key in ("host", "port", "user")] if isinstance(sftp, dict) else []
    return [("roster files", " ".join([*server, where]), ("sis", "roster", "path"))]


def conflicts(files: Sequence[Claims]) -> Mapping[str, list[tuple[Finding, str, Path]]]:
    """file -> findings, each with the other file and path. Names are never shared."""
    first: dict[tuple[str, str], int] = {}
    suspects: set[tuple[str, str]] = set()
    for index, one in enumerate(files):
        for kind, value, _ in one.claims:
            if first.setdefault((kind, value), index) != index:
                suspects.add((kind, value))
    found: dict[str, list[tuple[Finding, str, Path]]] = defaultdict(list)
    for suspect in sorted(suspects):
        for finding, index, other, path in _conflict(suspect, files):
            found[files[index].file].append((finding, files[other].file, path))
    for finding, index, other, path in _not_moved(files):
        found[files[index].file].append((finding, files[other].file, path))
    return found


def _not_moved(files: Sequence[Claims]) -> Iterator[tuple[Finding, int, int, Path]]:
    """An account that says it was another one, which still has a file of its own."""
    formers = [
        (index, value, tuple(path))
        for index, one in enumerate(files)
        for kind, value, path in one.claims
        if kind == "former name"
    ]
    if not formers:
        return
    names = {
        value: (index, tuple(path))
        for index, one in enumerate(files)
        for kind, value, path in one.claims
        if kind == "account name"
    }
    for index, value, path in formers:
        other, other_path = names.get(value, (index, path))
        if other != index:
            message = f"`{value}` is still an account of this tree, so it has not moved:"
            hint = "remove one of the two; once the account has moved, this line may go"
            yield Finding("GS-110", path, message, hint), index, other, other_path


def _conflict(claim: tuple[str, str], files: Sequence[Claims]) -> Iterator[tuple[Finding, int, int, Path]]:
    """One claim of several files: a finding for each, pointing at another."""
    kind = claim[0]
    claimants = [
        (index, tuple(path))
        for index, one in enumerate(files)
        for its_kind, value, path in one.claims
        if (its_kind, value) == claim
    ]
    if kind not in ("account name", "former name") and all(files[index].shared for index, _ in claimants):
        return
    for index, path in claimants:
        other, other_path = next((i, p) for i, p in claimants if i != index)
        whose = "" if kind == "account name" else f" `{PurePosixPath(files[other].file).stem}` in"
        message = f"the same {kind} is claimed by{whose}"
        yield Finding("GS-112", path, message, _hint(kind)), index, other, other_path


def _hint(kind: str) -> str:
    if kind == "account name":
        return "names are unique in the whole tree: rename one of the two, or remove the copy"
    if kind == "former name":
        return "only one account can have had it: remove one of the two"
    return (
        "if it is meant, write `shared: true` in the files of both accounts; else one was copied: correct it"
    )


def _normal_url(text: str) -> str:
    """Two spellings of one address must meet: case of the host, a default port, a slash at the end."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return text
    if port == {"https": 443, "http": 80}.get(parts.scheme):
        port = None
    return f"{parts.scheme}://{host.rstrip('.')}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
