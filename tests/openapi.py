"""Judges JSON bodies by the official OpenAPI files of OneRoster 1.2, which are not part of this project.

`GRADESYNC_ONEROSTER_SPECS` names a folder with the two files as 1EdTech publishes them; without it the tests
that ask are skipped, and say so. Only the keywords those files use are understood; any other one is an error
here, so that a newer file cannot pass unjudged. No test may live here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

VARIABLE = "GRADESYNC_ONEROSTER_SPECS"
_FILES = {
    "gradebook": "onerosterv1p2gradebookservice_openapi3_v1p0.json",
    "rostering": "onerosterv1p2rostersservice_openapi3_v1p0.json",
}
_WORDLESS = frozenset(("description", "default"))
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}
_REFERENCE = "#/components/schemas/"
# The binding wants UTC, said as Z; a fraction of a second is optional.
_MOMENT = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")


@dataclass(frozen=True, slots=True)
class Spec:
    """One service's official file; paths are below the service's base, such as `/results/{sourcedId}`."""

    paths: Mapping[str, Any]
    schemas: Mapping[str, Any]

    def operations(self) -> Iterator[tuple[str, str]]:
        """Every (method, path template) of the file, methods in capitals."""
        for path, operations in self.paths.items():
            for method in operations:
                if method in ("get", "put", "post", "delete"):
                    yield method.upper(), path

    def problems(
        self, method: str, path_template: str, body: Any, where: str = "request", status: int = 201
    ) -> list[str]:
        """What is wrong with a decoded body, one sentence each; [] when it is valid.

        `path_template` may be a template or a path with percent-encoded ids. `where` is request or response;
        `status` matters to responses: one the operation does not name is judged by its default. None stands for
        no body. Raises KeyError for an operation the file does not have.
        """
        operation = self._operation(method, path_template)
        if where == "request":
            described = operation.get("requestBody", {})
        else:
            responses = operation["responses"]
            described = responses.get(str(status), responses["default"])
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return [] if body is None else ["the body: none is described"]
        if body is None:
            return ["the body: missing"]
        return list(self._judge(schema, body, "the body"))

    def judge(self, schema_name: str, value: Any) -> list[str]:
        """What is wrong with a value by a schema's name, such as `ResultDType`."""
        return list(self._judge({"$ref": _REFERENCE + schema_name}, value, schema_name))

    def _operation(self, method: str, path: str) -> Any:
        asked = path.strip("/").split("/")
        fitting = [
            (sum(part.startswith("{") for part in known.strip("/").split("/")), known)
            for known in self.paths
            if method.lower() in self.paths[known] and _fits(known.strip("/").split("/"), asked)
        ]
        if not fitting:
            raise KeyError(f"{method} {path}")
        return self.paths[min(fitting)[1]][method.lower()]

    def _judge(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        for keyword, rule in schema.items():
            if keyword == "$ref":
                yield from self._judge(self.schemas[rule.removeprefix(_REFERENCE)], value, place)
            elif keyword == "anyOf":
                if not any(not list(self._judge(one, value, place)) for one in rule):
                    yield f"{place}: fits none of the allowed forms"
            elif keyword in _KEYWORDS:
                yield from _KEYWORDS[keyword](self, schema, value, place)
            elif keyword not in _WORDLESS and not keyword.startswith("x-"):
                raise AssertionError(f"the judge does not know the keyword {keyword}")

    def _type(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        wanted = schema["type"]
        # In Python a boolean is a number; in JSON it is not.
        if not isinstance(value, _TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean"):
            yield f"{place}: is no {wanted}"

    def _properties(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, rule in schema["properties"].items():
                if name in value:
                    yield from self._judge(rule, value[name], f"{place}.{name}")

    def _required(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (f"{place}.{name}: missing" for name in schema["required"] if name not in value)

    def _additional(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if isinstance(value, dict) and schema["additionalProperties"] is False:
            yield from (f"{place}.{name}: not allowed" for name in value.keys() - schema["properties"].keys())

    def _items(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._judge(schema["items"], item, f"{place}[{number}]")

    def _least(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if isinstance(value, list) and len(value) < schema["minItems"]:
            yield f"{place}: has too few items"

    def _enum(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if value not in schema["enum"]:
            yield f"{place}: is none of the allowed values"

    def _pattern(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if isinstance(value, str) and not re.search(schema["pattern"], value):
            yield f"{place}: does not match the pattern"

    def _format(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        if isinstance(value, str) and not _has_format(schema["format"], value):
            yield f"{place}: is no {schema['format']}"


_KEYWORDS = {
    "type": Spec._type,
    "properties": Spec._properties,
    "required": Spec._required,
    "additionalProperties": Spec._additional,
    "items": Spec._items,
    "minItems": Spec._least,
    "enum": Spec._enum,
    "pattern": Spec._pattern,
    "format": Spec._format,
}


def load(service: str) -> Spec:
    """The official file of `gradebook` or `rostering`; skips the calling test when there is none to read."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(
            f"{VARIABLE} is not set: bodies were not judged by the official OneRoster 1.2 OpenAPI files"
        )
    return _read(Path(folder) / _FILES[service])


@cache
def _read(path: Path) -> Spec:
    found = json.loads(path.read_text("utf-8"))
    return Spec(found["paths"], found["components"]["schemas"])


def _fits(known: list[str], asked: list[str]) -> bool:
    return len(known) == len(asked) and all(
        ours.startswith("{") or ours == theirs for ours, theirs in zip(known, asked, strict=True)
    )


def _has_format(name: str, value: str) -> bool:
    try:
        if name == "date-time":
            return bool(_MOMENT.match(value) and datetime.fromisoformat(value))
        if name == "date":
            return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
    if name == "uri":
        return bool(urlsplit(value).scheme)
    return True
