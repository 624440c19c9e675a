"""`python -m tools.key_pages` writes docs/keys.md from the schema of the files: key, type, default, meaning, example.

What the schema cannot say stands in two tables here: what holds when a key without a default is left out, and an
example where none follows from the key's kind. The tests try every example on the schema and miss none of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradesync.config.schema import json_schema

PAGE = Path(__file__).parents[1] / "docs" / "keys.md"
MADE = "<!-- Made by `python -m tools.key_pages` from the schema; do not edit. -->"

LEFT_OUT = {
    "name": "the account's key",
    "canvas.token": "found by `secrets`",
    "canvas.concurrency": "5",
    "canvas.page_size": "100",
    "sis": "what the profile says",
    "sis.url": "needed, unless only a roster is read, from files",
    "sis.client_id": "found by `secrets`",
    "sis.client_secret": "found by `secrets`",
    "sis.expires": "none",
    "sis.roster": "the rostering service is read",
    "sis.roster.base": "changes are refused",
    "sis.roster.max_age": "`72h`",
    "sis.roster.sftp": "this machine",
    "sis.roster.sftp.port": "22",
    "sis.roster.sftp.password": "a private key is used",
    "sis.roster.sftp.private_key": "a password is used",
    "passback.default_category": "withheld",
    "passback.gone_limit": "`10%`",
    "passback.deletion_limit": "50",
    "roster.change_limit.enrollments": "`10%`",
    "roster.change_limit.users": "`5%`",
    "roster.change_limit.sections": "`10%`",
    "roster.expect.change_limit.enrollments": "the limit of every day",
    "roster.expect.change_limit.users": "the limit of every day",
    "roster.expect.change_limit.sections": "the limit of every day",
    "protect": "`false`",
    "blackouts.schedules": "all",
    "blackouts.time_zone": "the account's",
    "schedules.time_zone": "the account's",
    "schedules.start_within": "run however late",
    "schedules.protect": "the account's",
    "store": "`.gradesync/store.db`",
    "lineage": "any store",
    "hosts": "this machine only",
    "private_hosts": "none",
    "keys": "a file made on first use, `.gradesync/key`",
    "secrets": "each account names its own",
    "safety.account_share": "`30%`",
    "safety.account_least": "2",
    "safety.all_share": "`10%`",
    "safety.all_least": "10",
    "safety.results_by_hand": "1000",
    "notify.on": "all",
    "notify.accounts": "all",
    "notify.type": "both",
    "notify.labels": "all",
    "notify.who": "all",
    "notify.groups": "all",
    "notify.to": "whoever must act",
    "notify.after": "1",
    "notify.remind": "7",
    "notify.digest": "at once",
    "notify.time_zone": "UTC",
    "notify.urgent_any_time": "`true`",
    "notify_hosts": "those of well-known services",
    "alarms.waiting_days": "7",
    "alarms.late_after": "three times the usual time",
}
"""What holds when a key without a default in the schema is left out. Without an
entry it is `none`; `sis` stands for all keys of that mapping."""

EXAMPLES: dict[str, Any] = {
    "name": "Riverside Public Schools",
    "canvas.url": "https://riverside.instructure.com",
    "canvas.expires": "2027-08-01",
    "sis.url": "https://genesis.riverside.example/genesis",
    "sis.client_id": "env:RIVERSIDE_SIS_ID",
    "sis.client_secret": "env:RIVERSIDE_SIS_SECRET",
    "sis.version": "1.2",
    "sis.token_url": "https://genesis.riverside.example/oauth/token",
    "sis.rostering_url": "https://genesis.riverside.example/ims/oneroster/v1p1",
    "sis.gradebook_url": "https://genesis.riverside.example/ims/oneroster/v1p1",
    "sis.token_path": "/oauth/token",
    "sis.rostering_path": "/ims/oneroster/v1p1",
    "sis.gradebook_path": "/ims/oneroster/v1p1",
    "sis.timeout": 60,
    "sis.decimals": 2,
    "sis.max_title": 60,
    "sis.scopes": ["https://purl.imsglobal.org/spec/or/v1p1/scope/roster.readonly"],
    "sis.roster.base": "exports/riverside/bulk-*.zip",
    "sis.roster.max_age": "36h",
    "sis.roster.sftp.host": "files.riverside.example",
    "sis.roster.sftp.port": 2222,
    "sis.roster.sftp.user": "gradesync",
    "sis.roster.sftp.password": "env:RIVERSIDE_SFTP_PASSWORD",
    "sis.roster.sftp.private_key": "file:/run/gradesync/riverside/sftp_key",
    "sis.roster.sftp.passphrase": "env:RIVERSIDE_SFTP_PASSPHRASE",
    "scope.schools": ["0123", "0124"],
    "scope.classes.include": ["MATH-*"],
    "scope.classes.exclude": ["HR-*"],
    "contacts.sis_admin": "sis@riverside.example",
    "contacts.canvas_admin": "lms@riverside.example",
    "contacts.admin": "it@riverside.example",
    "contacts.support": "support@region.example",
    "contacts.sis_vendor": "help@sis-vendor.example",
    "passback.default_category": "Classwork",
    "passback.deletion_limit": 50,
    "roster.expect.name": "New year",
    "roster.expect.from": "2027-08-20",
    "roster.expect.until": "2027-09-10",
    "roster.remaster_days": 7,
    "blackouts.name": "Summer roll-over",
    "blackouts.from": "2027-06-25 18:00",
    "blackouts.until": "2027-07-06 06:00",
    "blackouts.schedules": ["roster-nightly"],
    "moved": {"grades-hourly": "grades"},
    "moved_from": "riverside-old",
    "reason": "SIS upgrade, ticket 4711",
    "schedules.reason": "SIS upgrade, ticket 4711",
    "lineage": "3f2a9c1e",
    "private_hosts": ["sis.district.example"],
    "keys": "env:GRADESYNC_KEY",
    "page.source": "https://github.com/OWNER/REPO/blob/main",
    "page.address": "https://pages.example.org/gradesync",
    "notify.name": "night-watch",
    "notify.url": "env:ALARM_ADDRESS",
    "notify.to": ["support"],
    "notify.accounts": ["oak-*"],
    "notify.labels": {"region": "north"},
    "people.name": "Ana Ortiz",
    "people.canvas_admin": "aortiz",
    "people.logins": ["aortiz"],
    "people.may": ["run", "pause", "resume"],
}
"""Examples by path, where neither the schema has one nor the key's kind gives one."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key people can write: its path, its part of the schema, and whether it must be there."""

    path: str
    node: dict[str, Any]
    needed: bool
    below: str | None
    """The name of the part below it in `$defs`, for a key that holds other keys."""
    about: str
    """The sentence an editor shows; of a mapping without one, what the mapping itself says."""


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of the files: where it stands, what it is, and its keys."""

    path: str
    about: str
    keys: tuple[Key, ...]


def sections(schema: dict[str, Any]) -> Iterator[Section]:
    """The file itself, then every mapping in it, each right after the one that holds it."""
    yield from _walk(schema, schema, "")


def _walk(schema: dict[str, Any], part: dict[str, Any], path: str) -> Iterator[Section]:
    needed = part.get("required", ())
    keys = tuple(
        Key(
            f"{path}.{name}" if path else name,
            node,
            name in needed,
            _below(schema, node),
            _about(schema, node),
        )
        for name, node in part.get("properties", {}).items()
    )
    yield Section(path, part.get("description", ""), keys)
    for key in keys:
        if key.below is not None:
            yield from _walk(schema, schema["$defs"][key.below], key.path)


def _about(schema: dict[str, Any], node: dict[str, Any]) -> str:
    below = _below(schema, node)
    said: str = node.get("description") or (schema["$defs"][below].get("description", "") if below else "")
    return " ".join(said.split())


def _below(schema: dict[str, Any], node: dict[str, Any]) -> str | None:
    places = (node, node.get("items"), node.get("additionalProperties"))
    for place in places:
        if isinstance(place, dict) and "$ref" in place:
            name: str = place["$ref"].rpartition("/")[2]
            if "properties" in schema["$defs"][name]:
                return name
    return None


def kind(key: Key) -> str:
    """What may stand there, in a few words."""
    node = key.node
    if key.below is not None:
        if "items" in node:
            return "a list, each with the keys below"
        return "by name, each with the keys below" if "additionalProperties" in node else "the keys below"
    if key.path.endswith("may"):
        return "a list of rights, or right to places"
    return _kind(node)


def _kind(node: dict[str, Any]) -> str:
    if "$ref" in node:
        return {"Zone": "a time zone", "Name": "a name"}[node["$ref"].rpartition("/")[2]]
    if "anyOf" in node:
        return ", or ".join(_kind(one) for one in node["anyOf"])
    if "enum" in node:
        return ", ".join(f"`{word}`" for word in node["enum"])
    what = node.get("type")
    if what == "array":
        return f"a list: {_kind(node['items'])}"
    if what == "object":
        return f"a map to {_kind(node['additionalProperties']).replace(': ', ' of ')}"
    if what == "integer":
        low, high = node.get("minimum"), node.get("maximum")
        return "a whole number" + (
            f", {low} to {high}" if high is not None else f", at least {low}" if low else ""
        )
    if what == "boolean":
        return "`true`, `false`"
    return _text(node.get("pattern", ""))


def _text(pattern: str) -> str:
    for start, words in (
        (r"^\d{1,3}(", "a share"),
        (r"^\d{1,5} ?", "minutes or hours"),
        (r"^\d{4}-\d{2}-\d{2}$", "a day"),
        (r"^\d{4}-\d{2}-\d{2}(", "local date and time"),
        ("^[a-z][a-z0-9+-]*:", "a reference: `env:NAME`, `file:PATH`"),
        ("^[a-z0-9][a-z0-9_-]", "a name"),
        ("^/", "a path"),
    ):
        if pattern.startswith(start):
            return words
    return "text"


def left_out(key: Key) -> str:
    """What holds when the key is not there."""
    if key.needed:
        return "**needed**"
    if key.path in LEFT_OUT:
        return LEFT_OUT[key.path]
    if key.below is not None:
        return "none" if {"items", "additionalProperties"} & key.node.keys() else "the defaults below"
    default = key.node.get("default")
    if default not in (None, {}, []):
        return f"`{_value(default)}`"
    above = key.path.rpartition(".")[0]
    return LEFT_OUT["sis"] if above == "sis" else "none"


def example(key: Key) -> Any:
    """A value that may stand there; None for a key whose example is its own section."""
    if key.path in EXAMPLES:
        return EXAMPLES[key.path]
    if key.below is not None:
        return None
    node = key.node
    if "examples" in node:
        return node["examples"][0]
    if "items" in node:
        inner = node["items"]
        return [(inner.get("enum") or inner.get("examples") or ["riverside"])[0]]
    if "anyOf" in node:
        return node["anyOf"][0]["enum"][0]
    if "enum" in node:
        return node["enum"][min(1, len(node["enum"]) - 1)]
    if node.get("type") == "boolean":
        return True
    if "$ref" in node:
        return "America/New_York"
    return node.get("maximum") or node.get("minimum")


def written(name: str, value: Any) -> str:
    """A key with its value on one line of YAML."""
    return f"{name}: {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_value(v)}" for k, v in value.items()) + "}"
    text = str(value)
    looks_like_a_number = isinstance(value, str) and text.replace(".", "", 1).isdigit()
    return json.dumps(text) if looks_like_a_number or text[:1] in "*{[&!" else text


def page() -> str:
    """The text of docs/keys.md."""
    parts = ["# Keys", MADE, _INTRODUCTION]
    for title, about, schema in (
        ("The account's file", _ACCOUNT, json_schema("account")),
        ("gradesync.yaml", _SETTINGS, json_schema("settings")),
    ):
        parts += [f"## {title}", about]
        for section in sections(schema):
            if section.path:
                within = "" if schema["title"].startswith("gradesync account") else " of gradesync.yaml"
                parts += [f"### {section.path}{within}", " ".join(section.about.split())]
            parts.append(_table(section))
        if title.startswith("The account"):
            parts += ["## _defaults.yaml", _DEFAULTS]
    return "\n\n".join(parts) + "\n"


def _table(section: Section) -> str:
    rows = ["| key | what it says | value | when left out | example |", "| --- | --- | --- | --- | --- |"]
    for key in section.keys:
        name = key.path.rpartition(".")[2]
        shown = example(key)
        cells = (
            f"`{name}`",
            key.about,
            kind(key),
            left_out(key),
            "below" if shown is None else f"`{written(name, shown)}`",
        )
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


_INTRODUCTION = """\
Every key of the files people write. [The schedules file](schedules-file.md) tells how they work together, with a whole
file to begin from; here each stands once, as the schema knows it. `gradesync validate` names
every slip with its place."""
_ACCOUNT = "`schedules/<account>.yaml`, or `schedules/<group>/<account>.yaml`: one institution."
_DEFAULTS = """\
`schedules/_defaults.yaml` and `schedules/<group>/_defaults.yaml` may hold any key of an account's file, and none is
needed. `{account}` in a value stands for the account's name. Maps merge, lists replace, and what the account's own
file says wins.
`gradesync show ACCOUNT --effective` gives every value in force with its file and line."""
_SETTINGS = "At the top of the tree, and optional: what only its owner decides."


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
