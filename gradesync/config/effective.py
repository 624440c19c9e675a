"""Every value that is in force for an account, with the file and line that says so (`show ACCOUNT --effective`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from gradesync.config.marks import load_tree
from gradesync.config.merge import filled, leaves, merged
from gradesync.config.scan import Found, Scan, scan
from gradesync.config.schema import Allowed, validated_account
from gradesync.config.settings import Settings, settings_with_problems
from gradesync.config.showing import dotted, shown
from gradesync.config.sources import Sources
from gradesync.domain.problem import Place
from gradesync.domain.profile import OVERRIDABLE, PROFILES
from gradesync.errors import ConfigInvalid, NotFound

BUILT_IN = Place("default", 0, 0)
"""The place of a value that nobody wrote: gradesync's own default."""

Effective = tuple[str, Any, Place]


def effective(root: Path, account: str) -> list[Effective]:
    """(dotted key, value, place) for every value of the account, in the order of the keys.

    Secrets are references, so nothing here is secret; a value that looks pasted, or whose key is unknown and may be
    a secret's, is shown as `(hidden)`, and addresses without user, query and fragment. A value of the SIS profile
    has the place `profile NAME`, a default of gradesync `default`, both on line 0. Raises NotFound, and
    ConfigInvalid for a file that cannot be read at all.
    """
    found = scan(root)
    file = next((f for f in found.accounts if f.key == account), None)
    if file is None:
        raise NotFound(f"no file of the tree describes the account {account}", hint="see `gradesync list`")
    value, sources = _merged(file, found)
    settings = settings_with_problems(root).settings
    scheme = (settings.secrets or "env").partition(":")[0]
    written = {dotted(path): (shown(path, leaf, scheme), sources.place(path)) for path, leaf in leaves(value)}
    rows: dict[str, tuple[Any, Place]] = {}
    if not value:
        raise ConfigInvalid(
            f"{sources.place(())}: the file says nothing", hint="`gradesync validate` names what it needs"
        )
    for path, leaf in leaves(_complete(value, sources)):
        rows[dotted(path)] = (shown(path, leaf, scheme), BUILT_IN)
    rows |= _from_settings(settings, account, value)
    rows |= _from_profile(value)
    rows |= written
    return [(key, leaf, place) for key, (leaf, place) in sorted(rows.items())]


def _merged(file: Found, found: Scan) -> tuple[Any, Sources]:
    files: list[tuple[str, bytes]] = []
    value: Any = None
    layers = [file, *(found.defaults.get(key) for key in dict.fromkeys((file.group, None)))]
    for layer in layers:
        if layer is None:
            continue
        loaded = load_tree(layer.text or b"", layer.file)
        if not isinstance(loaded.value, dict):
            first = loaded.problems[0] if loaded.problems else None
            place = first.place if first else Place(layer.file)
            raise ConfigInvalid(f"{place}: {first.message if first else 'the file cannot be used'}")
        tree = loaded.value if layer is file else filled(loaded.value, file.key)
        value = tree if value is None else merged(tree, value)
        files.append((layer.file, layer.text or b""))
    return value, Sources(files, file.key)


def _complete(value: Any, sources: Sources) -> Any:
    """With defaults filled in, as far as the file is right."""
    complete, _ = validated_account(value, Allowed(("*",)), sources)
    return complete if complete is not None else {}


def _from_settings(settings: Settings, account: str, value: Any) -> dict[str, tuple[Any, Place]]:
    rows: dict[str, tuple[Any, Place]] = {}
    where = replace(BUILT_IN, file="gradesync.yaml")
    for side, key, name in (
        ("canvas", "token", "canvas_token"),
        ("sis", "client_id", "sis_id"),
        ("sis", "client_secret", "sis_secret"),
    ):
        reference = settings.reference(account, name)
        if reference is not None and isinstance(value.get(side), dict) and key not in value[side]:
            rows[f"{side}.{key}"] = (reference, where)
    return rows


def _from_profile(value: Any) -> dict[str, tuple[Any, Place]]:
    sis = value.get("sis")
    profile = PROFILES.get(str(sis.get("profile"))) if isinstance(sis, dict) else None
    if profile is None:
        return {}
    where = replace(BUILT_IN, file=f"profile {profile.name}")
    return {
        f"sis.{key}": (getattr(profile, key), where)
        for key in OVERRIDABLE
        if getattr(profile, key) not in (None, ())
    }
