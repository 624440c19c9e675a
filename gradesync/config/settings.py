"""The owner's settings as a plain value, so that most commands need neither yaml nor pydantic to know their store.

yaml and pydantic are imported only when gradesync.yaml is not in the cache.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradesync.config.fingerprint import code_version
from gradesync.config.records import problem_from, problem_row
from gradesync.config.scan import SETTINGS, Found, read_settings_file
from gradesync.domain.problem import Place, Problem
from gradesync.errors import ConfigInvalid

if TYPE_CHECKING:
    from gradesync.config.findings import Finding
    from gradesync.ports import (
        FileCache,
    )  # its room imports croniter, which a look at the settings can do without

_CACHED = "settings"


@dataclass(frozen=True, slots=True)
class Settings:
    """gradesync.yaml. Everything is optional.

    `hosts` None means that only loopback is allowed; those of `private_hosts` may lead into a private network.
    `safety` holds the keys of `domain.plan.Safety` that were written (shares as 0..1). `blackouts`, `notify` and
    `people` are mappings as in the file. `secrets` is a template with `{account}`, `{name}` or their capitals; `keys`
    and `store` may be references.
    """

    store: str | None = None
    lineage: str | None = None
    hosts: tuple[str, ...] | None = None
    private_hosts: tuple[str, ...] = ()
    safety: Mapping[str, float] = field(default_factory=dict)
    blackouts: tuple[Mapping[str, Any], ...] = ()
    notify: tuple[Mapping[str, Any], ...] = ()
    notify_hosts: tuple[str, ...] = ()
    alarms: Mapping[str, Any] = field(default_factory=dict)
    ping: str | None = None
    ping_fail: str | None = None
    page: Mapping[str, Any] = field(default_factory=dict)
    keys: str | None = None
    secrets: str | None = None
    people: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def reference(self, account: str, name: str) -> str | None:
        """The reference of a secret that an account file leaves out; None without a template.

        `name` is canvas_token, sis_id or sis_secret. `{ACCOUNT}` and `{NAME}` are fit for environment variables.
        """
        if self.secrets is None:
            return None
        values = {"{account}": account, "{name}": name}
        values |= {"{ACCOUNT}": account.upper().replace("-", "_"), "{NAME}": name.upper()}
        text = self.secrets
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        return text


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What reading gave: `usable` is False when the file has problems and nothing may be built on it.

    `reachable` tells that all the same the store and who may act are said without a doubt: enough for a stop. With
    `runnable` the ledger's key is too: enough to go on with what was recorded before.
    """

    settings: Settings
    problems: tuple[Problem, ...]
    usable: bool
    digest: str
    reachable: bool = False
    runnable: bool = False


def read_settings(
    root: Path, cache: FileCache | None = None, *, to_stop: bool = False, to_run: bool = False
) -> Settings:
    """The settings alone. Raises ConfigInvalid naming the first problem's place.

    `to_stop` makes do with a file that says which store is meant and who may act: what only subtracts must work
    whatever else is wrong in it. `to_run` does too where the ledger's key is said: a typo must not stop grades.
    """
    read = settings_with_problems(root, cache)
    if not (read.usable or (to_stop and read.reachable) or (to_run and read.runnable)):
        first = next(p for p in read.problems if not p.warning)
        more = f" (and {len(read.problems) - 1} more)" if len(read.problems) > 1 else ""
        raise ConfigInvalid(f"{first.place}: {first.code} {first.message}{more}", hint=first.hint or None)
    return read.settings


def settings_with_problems(root: Path, cache: FileCache | None = None) -> ReadSettings:
    """The settings and every problem of gradesync.yaml; never raises."""
    problems: list[Problem] = []
    found = read_settings_file(root, problems)
    if found is None or found.text is None:
        digest = "none" if found is None else "unreadable"
        return ReadSettings(Settings(), tuple(problems), not problems, digest, not problems, not problems)
    digest = hashlib.sha256(code_version().encode() + found.text).hexdigest()
    kept = (cache.get(_CACHED) or {}).get(SETTINGS) if cache is not None else None
    row = json.loads(kept) if kept is not None else None
    if row is None or row["digest"] != digest:
        value, sound, own = _parsed(found)
        row = {
            "digest": digest,
            "value": value,
            "sound": sound,
            "reachable": "people" in value,
            "runnable": value.get("runs", False),
            "problems": [problem_row(p, SETTINGS) for p in own],
        }
        if cache is not None:
            cache.put(_CACHED, {SETTINGS: json.dumps(row)})
    problems += [problem_from(one, SETTINGS) for one in row["problems"]]
    usable = row["sound"] and all(p.warning for p in problems)
    settings = _settings(row["value"])
    reachable, runnable = usable or row["reachable"], usable or row["runnable"]
    return ReadSettings(settings, tuple(problems), usable, digest, reachable, runnable)


def settings_digest(read: ReadSettings) -> str:
    """What of the settings account files are judged by: a changed notify rule leaves their results alone."""
    s = asdict(read.settings)
    judged = [read.usable, s["hosts"], s["blackouts"], s["secrets"]]
    return hashlib.sha256(json.dumps(judged, sort_keys=True).encode()).hexdigest()


def _settings(value: Mapping[str, Any]) -> Settings:
    """From the canonical mapping, or back from the cache."""
    hosts = value.get("hosts")
    return Settings(
        store=value.get("store"),
        lineage=value.get("lineage"),
        hosts=None if hosts is None else tuple(hosts),
        private_hosts=tuple(value.get("private_hosts", ())),
        safety=value.get("safety", {}),
        blackouts=tuple(value.get("blackouts", ())),
        notify=tuple(value.get("notify", ())),
        notify_hosts=tuple(value.get("notify_hosts", ())),
        alarms=value.get("alarms", {}),
        ping=value.get("ping"),
        ping_fail=value.get("ping_fail"),
        page=value.get("page", {}),
        keys=value.get("keys"),
        secrets=value.get("secrets"),
        people=value.get("people", {}),
    )


def _parsed(found: Found) -> tuple[dict[str, Any], bool, list[Problem]]:
    """The mapping, whether it is the whole file without problems, and the problems.

    Of a file with problems only what account files are judged by is kept, and only if it is right.
    """
    from gradesync.config import (
        secrets,
    )  # these and what they import cost 150 ms, and only a changed file needs them
    from gradesync.config.checks import blackout_findings
    from gradesync.config.marks import load_tree
    from gradesync.config.notify_checks import notify_findings
    from gradesync.config.schema import sound_settings, validated_settings
    from gradesync.config.sources import Sources

    assert found.text is not None
    loaded = load_tree(found.text, found.file)
    problems = list(loaded.problems)
    if loaded.value is None:
        if not problems:
            problems.append(
                Problem("GS-101", "the file is empty", Place(found.file), "fill it, or remove it")
            )
        return {}, False, secrets.with_outside(problems, found.text, found.file)
    source = Sources([(found.file, found.text)])
    value, findings = validated_settings(loaded.value, source)
    part = value if value is not None else sound_settings(loaded.value, findings)
    findings += blackout_findings(part.get("blackouts", ()), None)
    findings += notify_findings(part.get("notify", ()))
    findings = secrets.covering(secrets.findings(loaded.value), findings)
    problems += [source.problem(finding) for finding in findings]
    problems = secrets.with_outside(problems, found.text, found.file)
    if value is not None and all(p.warning for p in problems):
        return value, True, problems
    hosts = part.get("hosts")
    reached = _reached(part, findings)
    private = part.get("private_hosts") or []
    kept = {
        "hosts": None if hosts is None or None in hosts else hosts,
        "secrets": part.get("secrets"),
        "private_hosts": [] if None in private else private,
    }
    blamed = {finding.path[0] for finding in findings if finding.path and not finding.warning}
    heard = bool(reached) and not blamed & set(_TO_TELL)
    # A message without its links is better than none, so `page` silences nothing.
    told = [*_TO_TELL, *(["page"] if "page" not in blamed else [])]
    telling = {key: part[key] for key in told if part.get(key) is not None} if heard else {}
    return {**kept, **telling, **reached}, False, problems


_TO_TELL = ("notify", "notify_hosts", "alarms", "ping", "ping_fail")
"""What alarms need, kept as a whole or not at all: a slip elsewhere in the file must not silence them."""

_TO_STOP = ("store", "lineage", "people")


def _reached(part: Mapping[str, Any], findings: Sequence[Finding]) -> dict[str, Any]:
    """What a stop needs, with `people` in any case, and whether it is enough for runs; empty when it is wrong, or
    when a key may be misspelt.
    """
    if any(not f.warning and (len(f.path) <= 1 or f.path[0] in _TO_STOP) for f in findings):
        return {}
    wrong_key = any(not f.warning and f.path[0] == "keys" for f in findings)
    keys = {} if wrong_key or part.get("keys") is None else {"keys": part["keys"]}
    said = {key: part[key] for key in _TO_STOP if part.get(key) is not None}
    return {"people": {}, "runs": not wrong_key, **said, **keys}
