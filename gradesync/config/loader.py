"""From the tree of files to desired definitions, with every problem of every file at once.

A file with problems freezes its account and nothing else. Nothing is raised for what people wrote; what was read
before and has not changed is taken from the cache. One rule must never break: when in doubt an account is frozen,
not absent, because an absent account is retired.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gradesync.config.claims import conflicts
from gradesync.config.comments import bare_hash, code_lines
from gradesync.config.entry import BARE, CONTENT, CONTEXT, Entry, Row, entry_from, recommented_row
from gradesync.config.findings import Finding
from gradesync.config.findings import Path as KeyPath
from gradesync.config.fingerprint import code_version
from gradesync.config.records import problem_from, problem_row
from gradesync.config.rights_checks import rights_problems
from gradesync.config.scan import MAX_BYTES, Found, Scan, scan
from gradesync.config.secrets import outside_values
from gradesync.config.settings import ReadSettings, Settings, settings_digest, settings_with_problems
from gradesync.domain.definition import WRITTEN_AS, Desired, DesiredAccount
from gradesync.domain.problem import Place, Problem
from gradesync.ports import FileCache

_CACHED = "accounts"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The whole tree. Problems are sorted by place; warnings are among them and freeze nothing.

    `known` is False when the problems of gradesync.yaml leave open which store and key were meant.
    """

    desired: Desired
    problems: tuple[Problem, ...]
    settings: Settings
    known: bool = True


def load(
    root: Path,
    *,
    now: datetime,
    cache: FileCache | None = None,
    commit: str | None = None,
    tick_minutes: int | None = None,
) -> Loaded:
    """Read the tree at `root`. `now` (aware) starts the weeks searched for clock changes; never raises for files.

    `tick_minutes` is how often reconcile is started, if known; `commit` is passed on.
    """
    read = settings_with_problems(root, cache)
    found = scan(root)
    loading = _Load(read, found, now.astimezone(UTC), tick_minutes, cache)
    with _collector_resting():
        loading.read_all()
        desired, problems = loading.result(commit)
    if read.usable and (strange := rights_problems(root, read.settings.people, found)):
        problems = _sorted([*problems, *strange])
    return Loaded(desired, problems, read.settings, read.runnable)


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Loading makes many small lasting values and no cycles; looking for some again and again doubles its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(slots=True)
class _Load:
    """One load under way: what was found, then what each file gave."""

    read: ReadSettings
    found: Scan
    now: datetime
    tick_minutes: int | None
    cache: FileCache | None
    entries: list[tuple[Found, Entry]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _made_reader: Any = None
    _defaults: dict[str | None, Any] = field(default_factory=dict)

    def read_all(self) -> None:
        rows = dict((self.cache.get(_CACHED) if self.cache is not None else None) or {})
        kept: dict[str, str] = {}
        changed = False
        contexts = {group: self._context(group) for group in {f.group for f in self.found.accounts}}
        for file in self.found.accounts:
            if file.text is None:
                continue
            kept_text = rows.get(file.file)
            row: Row | None = None if kept_text is None else json.loads(kept_text)
            new = self._row(file, row, contexts[file.group])
            if new is not row or kept_text is None:
                kept_text, changed = json.dumps(new, separators=(",", ":")), True
            kept[file.file] = kept_text
            self.entries.append((file, entry_from(file.file, new)))
        for group in self.found.defaults:
            self._default_problems(group, rows, kept)
        changed = (
            changed
            or kept.keys() != rows.keys()
            or any(kept[layer.file] != rows[layer.file] for layer in self.found.defaults.values())
        )
        if self.cache is not None and changed:
            self.cache.put(_CACHED, kept)

    def _row(self, file: Found, row: Row | None, context: str) -> Row:
        """The file's row: as kept, with comments moved, or read anew."""
        assert file.text is not None
        content = hashlib.sha256(file.text).hexdigest()
        if row is not None and row[CONTEXT] == context:
            if row[CONTENT] == content:
                return row
            if row[BARE] is not None and len(file.text) <= MAX_BYTES and row[BARE] == bare_hash(file.text):
                moved = recommented_row(row, content, code_lines(file.text))
                # The one thing a comment can do wrong: hold a key.
                if moved is not None and not outside_values(file.text.decode("ascii"), file.file):
                    return moved
        return self._read(file, content, context, row)

    def _context(self, group: str | None) -> str:
        """Everything but the file itself that its result depends on."""
        parts = [self._base_context(), group or ""]
        for key in (group, None):
            layer = self.found.defaults.get(key)
            parts.append("-" if layer is None else hashlib.sha256(layer.text or b"\0").hexdigest())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _base_context(self) -> str:
        from gradesync.domain.interval import tzdata_version

        day = self.now.date().isoformat()  # warnings look some weeks ahead, and may be as old as the day
        return "\n".join(
            (code_version(), tzdata_version(), day, str(self.tick_minutes), settings_digest(self.read))
        )

    def _reader(self) -> Any:
        """yaml and pydantic are imported when the first file really has to be read."""
        if self._made_reader is None:
            from gradesync.config.account_file import Reader
            from gradesync.config.checks import Intervals

            intervals = Intervals(self.now, self.tick_minutes)
            self._made_reader = Reader(self.read.settings, self.read.usable, intervals)
        return self._made_reader

    def _read(self, file: Found, content: str, context: str, before: Row | None) -> Row:
        from gradesync.config.account_file import Defaults, read_account

        layers: list[tuple[str, bytes, Any]] = []
        usable = whole = True
        for key in dict.fromkeys((file.group, None)):
            layer = self.found.defaults.get(key)
            if layer is None:
                continue
            tree, problems = self._default(key)
            whole = whole and tree is not None
            usable = usable and whole and all(p.warning for p in problems)
            if tree is not None:
                layers.append((layer.file, layer.text or b"", tree))
        return read_account(file, content, context, Defaults(layers, usable, whole), self._reader(), before)

    def _default(self, group: str | None) -> tuple[Any, list[Problem]]:
        from gradesync.config.account_file import read_defaults

        if group not in self._defaults:
            self._defaults[group] = read_defaults(self.found.defaults[group], self._reader())
        answer: tuple[Any, list[Problem]] = self._defaults[group]
        return answer

    def _default_problems(self, group: str | None, rows: Mapping[str, str], kept: dict[str, str]) -> None:
        layer = self.found.defaults[group]
        name = hashlib.sha256(self._base_context().encode() + (layer.text or b"\0")).hexdigest()
        row = json.loads(rows[layer.file]) if layer.file in rows else None
        if row is None or row[0] != name:
            row = [name, [problem_row(problem, layer.file) for problem in self._default(group)[1]]]
        kept[layer.file] = json.dumps(row)
        self.problems += [problem_from(one, layer.file) for one in row[1]]

    def result(self, commit: str | None) -> tuple[Desired, tuple[Problem, ...]]:
        """Put the pieces together: across files, then frozen, then sorted."""
        lines = _Lines(self.found)
        clashes = conflicts([entry.claims for _, entry in self.entries])
        problems = [*self.read.problems, *self.found.problems, *self.problems]
        accounts: dict[str, DesiredAccount] = {}
        frozen = {file.key for file in self.found.accounts if file.text is None}
        for file, entry in self.entries:
            problems += entry.problems
            clash = clashes.get(file.file, ())
            problems += [lines.clash(one, file) for one in clash]
            if entry.account is None or clash:
                frozen |= {file.key, *entry.described}
            else:
                accounts[file.key] = entry.account
        for key in frozen & accounts.keys():
            del accounts[key]
        desired = Desired(accounts, frozenset(frozen), len(self.found.accounts), commit, lines.place)
        return desired, _sorted(problems)


class _Lines:
    """Where things are written, composed only for files that somebody asks about."""

    def __init__(self, found: Scan) -> None:
        self._found = {file.file: file for file in found.accounts}
        self._defaults = found.defaults
        self._sources: dict[str, Any] = {}

    def place(self, file: str, path: tuple[str, ...]) -> Place:
        """`domain.definition.PlaceFinder`: the key's place, in the account's file or in the defaults it comes from."""
        source = self._source(file)
        if source is None:
            return Place(file)
        written = tuple(WRITTEN_AS.get(part, part) for part in path)
        place: Place = source.place(written, on="key")
        return place

    def clash(self, one: tuple[Finding, str, KeyPath], file: Found) -> Problem:
        """A finding about two files, naming both places."""
        finding, other_file, other_path = one
        other = self._source(other_file)
        where = other.place(other_path) if other is not None else Place(other_file)
        source = self._source(file.file)
        placed: Problem = source.problem(replace(finding, message=f"{finding.message} {where}"))
        return placed

    def _source(self, file: str) -> Any:
        found = self._found.get(file)
        if found is None or found.text is None:
            return None
        if file not in self._sources:
            from gradesync.config.sources import (
                Sources,
            )  # imports yaml, and most loads ask for no line at all

            layers = (self._defaults.get(key) for key in dict.fromkeys((found.group, None)))
            below = [(layer.file, layer.text) for layer in layers if layer is not None and layer.text]
            self._sources[file] = Sources([(file, found.text), *below], found.key)
        return self._sources[file]


def _sorted(problems: list[Problem]) -> tuple[Problem, ...]:
    """By place, each once: a bad default is found again under every account."""
    seen: dict[tuple[str, int, int, str, str], Problem] = {}
    for p in problems:
        seen.setdefault((p.place.file, p.place.line, p.place.column, p.code, p.message), p)
    return tuple([seen[key] for key in sorted(seen)])
