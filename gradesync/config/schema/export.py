"""The file format as JSON Schema (Draft 2020-12), for editors: completion, hover texts, red lines while typing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from gradesync.config.findings import NAME
from gradesync.config.schema.fields import zone_schema
from gradesync.config.schema.models import AccountFile
from gradesync.config.schema.owner import SettingsFile

Kind = Literal["account", "defaults", "settings"]


def json_schema(kind: Kind = "account") -> dict[str, Any]:
    """The schema of account files, of `_defaults.yaml` (nothing required) or of gradesync.yaml."""
    model = SettingsFile if kind == "settings" else AccountFile
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.setdefault("$defs", {})
    definitions["Zone"] = dict(zone_schema())
    definitions["Name"] = {
        "type": "string",
        "pattern": NAME,
        "description": "Lower-case letters, digits, `-` and `_`, at most 63.",
    }
    cleaned: dict[str, Any] = _clean(schema, drop_required=kind == "defaults")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"gradesync {kind} file",
        **cleaned,
    }


def schema_text(kind: Kind = "account") -> str:
    """The text of the committed schema file."""
    return json.dumps(json_schema(kind), indent=1, sort_keys=False) + "\n"


def write_schema(root: Path) -> Path:
    """Write `gradesync.schema.json` at the top of a tree; account files name it in their first line."""
    path = root / "gradesync.schema.json"
    path.write_text(schema_text(), encoding="utf-8")
    return path


def _clean(node: Any, *, drop_required: bool, names: bool = False) -> Any:
    """Drop generated titles and null defaults, and let zones and names point at one definition each."""
    if isinstance(node, list):
        return [_clean(item, drop_required=drop_required) for item in node]
    if not isinstance(node, dict):
        return node
    if not names:
        if node.get("$zone"):
            return {
                "$ref": "#/$defs/Zone",
                **{k: v for k, v in node.items() if k in ("description", "examples")},
            }
        for pattern, inner in node.get("patternProperties", {}).items():
            # Properties that fit no pattern would be let through; a key must be a name instead.
            names_of_keys = (
                {"$ref": "#/$defs/Name"} if pattern == NAME else {"type": "string", "pattern": pattern}
            )
            node = {key: value for key, value in node.items() if key != "patternProperties"}
            node |= {"propertyNames": names_of_keys, "additionalProperties": inner}
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if not names and (
            key == "title" or (key == "default" and value is None) or (key == "required" and drop_required)
        ):
            continue
        kept[key] = _clean(
            value, drop_required=drop_required, names=not names and key in ("properties", "$defs")
        )
    return kept
