"""Reads one account file under its defaults: bytes in, an entry out. No folder is looked at here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradesync.config import secrets
from gradesync.config.checks import Intervals
from gradesync.config.claims import Claims, claims_of
from gradesync.config.comments import bare_hash, code_lines
from gradesync.config.definitions import Origin, desired_account, part_findings, secret_findings
from gradesync.config.entry import CONTEXT, TREE, Entry, Made, Row, moved_row, row_of
from gradesync.config.findings import Finding, Path
from gradesync.config.marks import LoadedFile, load_tree
from gradesync.config.merge import filled, merged, placeholder_findings
from gradesync.config.overruled import overruled_findings
from gradesync.config.scan import Found
from gradesync.config.schema import Allowed, meant_keys, sound_account, validated_account, without_misspelt
from gradesync.config.settings import Settings
from gradesync.config.sources import Sources
from gradesync.domain.definition import DesiredAccount
from gradesync.domain.problem import Place, Problem

_WATCHED = frozenset({"interval"})
_NAMED = frozenset({"schedules"})


@dataclass(frozen=True, slots=True)
class Defaults:
    """The defaults of one folder, nearest first: (file, bytes, tree), also of a file with problems.

    `usable` is False when one has problems, `whole` when one could not be read at all.
    """

    layers: Sequence[tuple[str, bytes, Any]] = ()
    usable: bool = True
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Reader:
    """What all account files of one load share. `sound` is False when the settings cannot be relied on."""

    settings: Settings
    sound: bool
    intervals: Intervals

    @property
    def allowed(self) -> Allowed:
        """Settings with problems judge by what is right in them and blame nothing by the rest."""
        if not self.sound and self.settings.secrets is None:
            return Allowed(self.settings.hosts or ("*",), None)
        scheme = (self.settings.secrets or "env:").partition(":")[0]
        return Allowed(self.settings.hosts or (None if self.sound else ("*",)), frozenset({scheme}))


def tree_hash(value: Any) -> str:
    """Of the values in a file: comments and the style of quotes do not count."""
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=16).hexdigest()


def read_account(
    found: Found, content: str, context: str, defaults: Defaults, reader: Reader, before: Row | None
) -> Row:
    """Parse, and judge unless `before` was made from the same values in the same context."""
    assert found.text is not None
    loaded = load_tree(found.text, found.file, _WATCHED, _NAMED)
    bare = None if loaded.problems or loaded.spans_lines else bare_hash(found.text)
    lines = code_lines(found.text) if bare is not None else ()
    made = Made(context, content, tree_hash(loaded.value), bare, lines)
    if (
        before is not None
        and not loaded.problems
        and before[CONTEXT] == context
        and before[TREE] == made.tree
    ):
        moved = moved_row(before, made, loaded.watched)
        if moved is not None and not _pasted_anywhere(found):
            return moved
    entry, paths = _judged(found, loaded, defaults, reader)
    return row_of(made, found.key, entry, paths)


def _judged(
    found: Found, loaded: LoadedFile, defaults: Defaults, reader: Reader
) -> tuple[Entry, list[Path | None]]:
    assert found.text is not None
    problems: list[Problem] = [replace(p, account=found.key) for p in loaded.problems]
    paths: list[Path | None] = [None] * len(problems)
    if loaded.value is None:
        if not problems:
            place = Place(found.file)
            problems.append(Problem("GS-101", "the file is empty", place, "fill it, or remove it", found.key))
        problems += _pasted_anywhere(found)
        paths = [None] * len(problems)
        return Entry(None, problems, Claims(found.file, [], False), ()), paths
    value = loaded.value
    for _, _, layer in defaults.layers if isinstance(value, dict) else ():
        value = merged(filled(layer, found.key), value)
    files = [(found.file, found.text), *((file, text) for file, text, _ in defaults.layers)]
    sources = Sources(files, found.key, loaded.watched)
    account, findings = _definition(found, loaded, value, defaults, reader, sources)
    if not any(finding.code == "GS-107" for finding in findings):
        pasted = _pasted_anywhere(found)
        problems += pasted
        paths += [None] * len(pasted)
    for finding in findings:
        problems.append(sources.problem(finding))
        # Only a warning about a value can be placed anew; anything else must be judged again.
        paths.append(finding.path if finding.warning and finding.on == "value" else None)
    problems, paths = _without_echoes(problems, paths)
    if not (reader.sound and defaults.usable and all(p.warning for p in problems)):
        account = None
    claims = Claims(found.file, claims_of(value), isinstance(value, dict) and value.get("shared") is True)
    names = (value.get("account"), value.get("moved_from")) if isinstance(value, dict) else ()
    described = tuple(name for name in names if isinstance(name, str))
    return Entry(account, problems, claims, described), paths


def _without_echoes(
    problems: list[Problem], paths: list[Path | None]
) -> tuple[list[Problem], list[Path | None]]:
    """Without warnings about the very character that a problem is about too."""
    blamed = {(p.place.line, p.place.column) for p in problems if not p.warning}
    kept = [
        (problem, path)
        for problem, path in zip(problems, paths, strict=True)
        if not (
            problem.warning
            and problem.code == "GS-110"
            and (problem.place.line, problem.place.column) in blamed
        )
    ]
    return [problem for problem, _ in kept], [path for _, path in kept]


def _pasted_anywhere(found: Found) -> list[Problem]:
    text = (found.text or b"").decode("utf-8", "replace")
    return [replace(p, account=found.key) for p in secrets.outside_values(text, found.file)]


def _definition(
    found: Found, loaded: LoadedFile, value: Any, defaults: Defaults, reader: Reader, sources: Sources
) -> tuple[DesiredAccount | None, list[Finding]]:
    assert found.text is not None
    pasted: list[Finding] = []
    if secrets.may_hold(found.text.decode("utf-8", "replace"), loaded.long_texts):
        pasted = secrets.findings(loaded.value)
    tree, findings = validated_account(value, reader.allowed, sources, partial=not defaults.whole)
    account: DesiredAccount | None = None
    if tree is not None:
        origin = Origin(found.file, found.key, found.group)
        account, findings = desired_account(tree, origin, reader.settings, reader.intervals)
        if not (reader.sound and defaults.whole):
            findings = [f for f in findings if f.code != "GS-111"]
    elif isinstance(value, dict):
        findings += _further(value, findings, found.key, reader, whole=defaults.whole)
        if reader.sound and defaults.whole:
            findings = without_misspelt(findings + secret_findings(value, found.key, reader.settings))
    findings += overruled_findings(value)
    return account, secrets.covering(pasted, findings) if pasted else findings


def _further(
    value: dict[str, Any], findings: list[Finding], stem: str | None, reader: Reader, *, whole: bool
) -> list[Finding]:
    """What is wrong besides the findings about shapes, so that all problems of a file come at once."""
    part = sound_account(value, findings, reader.allowed)
    return part_findings(part, value, stem, meant_keys(findings), whole=whole)


def read_defaults(found: Found, reader: Reader) -> tuple[Any, list[Problem]]:
    """The tree of a `_defaults.yaml` (None when it cannot be read at all) and its problems."""
    if found.text is None:
        return None, []
    loaded = load_tree(found.text, found.file, named=_NAMED)
    problems = list(loaded.problems)
    if loaded.value is None:
        empty = Problem("GS-101", "the file is empty", Place(found.file), "fill it, or remove it")
        return None, secrets.with_outside(problems or [empty], found.text, found.file)
    sources = Sources([(found.file, found.text)])
    value = filled(loaded.value, "account")
    _, findings = validated_account(value, reader.allowed, sources, partial=True)
    if isinstance(value, dict):
        findings += _further(value, findings, None, reader, whole=False)
    findings += placeholder_findings(loaded.value)
    findings = secrets.covering(secrets.findings(loaded.value), findings)
    problems += [sources.problem(finding) for finding in findings]
    problems = secrets.with_outside(problems, found.text, found.file)
    return (loaded.value if isinstance(loaded.value, dict) else None), problems
