"""The schema that editors use agrees with the loader about good and bad files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gradesync.config.marks import load_tree
from gradesync.config.schema import json_schema, schema_text, write_schema
from gradesync.config.schema.export import Kind
from gradesync.domain.interval import known_zones
from tests.config.documents import BAD_DOCUMENTS, GOOD_DOCUMENTS
from tests.config.trees import errors, loaded, tree

KNOWN = {
    "$ref", "type", "properties", "required", "additionalProperties", "enum", "const", "pattern", "items", "anyOf",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "propertyNames", "description", "examples", "default",
    "$defs", "$schema", "title",
}  # fmt: skip
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
}  # fmt: skip


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """As much of JSON Schema as the file uses; a keyword it does not know is an error of the test."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        named = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        if not fits(value, named, root):
            return False
    if "anyOf" in schema and not any(fits(value, one, root) for one in schema["anyOf"]):
        return False
    if "type" in schema and not isinstance(value, TYPES[schema["type"]]):
        return False
    if schema.get("type") in ("integer", "number") and isinstance(value, bool):
        return False
    return fits_size(value, schema) and fits_inside(value, schema, root)


def fits_size(value: Any, schema: dict[str, Any]) -> bool:
    if ("enum" in schema and value not in schema["enum"]) or ("const" in schema and value != schema["const"]):
        return False
    if isinstance(value, str):
        long = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9)
        return long and re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, (int, float)):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return not isinstance(value, list) or len(value) >= schema.get("minItems", 0)


def fits_inside(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    if isinstance(value, list):
        return all(fits(item, schema.get("items", {}), root) for item in value)
    if not isinstance(value, dict):
        return True
    known = schema.get("properties", {})
    rest = schema.get("additionalProperties", {})
    if any(key not in value for key in schema.get("required", ())):
        return False
    if not all(fits(key, schema.get("propertyNames", {}), root) for key in value):
        return False
    others = [inner for key, inner in value.items() if key not in known]
    if rest is False and others:
        return False
    return all(fits(value[key], one, root) for key, one in known.items() if key in value) and all(
        fits(inner, rest, root) for inner in others if isinstance(rest, dict)
    )


@pytest.mark.parametrize("name", GOOD_DOCUMENTS)
def test_a_good_file_fits_the_schema_and_loads(name: str, tmp_path: Path) -> None:
    text = GOOD_DOCUMENTS[name]
    assert fits(load_tree(text.encode(), "f").value, json_schema(), json_schema())
    assert not errors(loaded(tree(tmp_path, {"riverside.yaml": text})))


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_a_bad_file_is_refused_by_the_schema_and_by_the_loader(name: str, tmp_path: Path) -> None:
    text = BAD_DOCUMENTS[name]
    assert not fits(load_tree(text.encode(), "f").value, json_schema(), json_schema())
    assert errors(loaded(tree(tmp_path, {"riverside.yaml": text})))


def test_the_schema_says_what_an_editor_shows() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["$defs"]["Zone"]["enum"]) == known_zones()
    schedule = schema["$defs"]["ScheduleFile"]
    assert schedule["additionalProperties"] is False
    assert schedule["properties"]["state"]["default"] == "active"
    assert "daily at 02:00" in schedule["properties"]["interval"]["examples"]
    assert all("description" in one or "$ref" in one for one in schedule["properties"].values())
    assert not re.search(r'"title"', schema_text().replace(schema["title"], "").replace('"title":', "", 1))


@pytest.mark.parametrize("kind", ["account", "defaults", "settings"])
def test_every_kind_of_file_has_a_schema(kind: Kind) -> None:
    schema = json_schema(kind)
    assert schema["additionalProperties"] is False
    assert ("required" in schema) == (kind == "account")


@pytest.mark.parametrize("kind", ["account", "defaults", "settings"])
def test_every_key_and_every_block_says_what_it_is(kind: Kind) -> None:
    schema = json_schema(kind)
    silent = [
        (name, key)
        for name, block in (("", schema), *schema["$defs"].items())
        for key, one in {"": block, **block.get("properties", {})}.items()
        if not one.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("kind", "file"), [("account", "gradesync.schema.json"), ("settings", "gradesync-settings.schema.json")]
)
def test_the_schema_at_the_top_of_this_project_is_the_one_that_is_made(kind: Kind, file: str) -> None:
    committed = (Path(__file__).parents[2] / file).read_text(encoding="utf-8")
    assert committed == schema_text(kind), f"run `gradesync schema --kind {kind} --output {file}`"


def test_defaults_may_hold_any_part_of_an_account() -> None:
    schema = json_schema("defaults")
    assert fits({"sis": {"profile": "genesis"}, "passback": {"missing": "zero"}}, schema, schema)
    assert not fits({"sis": {"profil": "genesis"}}, schema, schema)


def test_the_schema_is_written_at_the_top_of_the_tree(tmp_path: Path) -> None:
    path = write_schema(tmp_path)
    assert path == tmp_path / "gradesync.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text()
