"""What is right in a tree that is not right as a whole, so that one mistake never hides another.

Judging stays with the models: every value goes through its own field's validator again, alone. No findings are made
here, and nothing here decides what an account does; a tree with problems is applied by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from gradesync.config.findings import Finding, Path
from gradesync.config.schema.fields import Allowed
from gradesync.config.schema.models import AccountFile
from gradesync.config.schema.owner import SettingsFile
from gradesync.config.schema.wording import meant_keys


def sound_account(tree: Any, findings: Sequence[Finding], allowed: Allowed) -> dict[str, Any]:
    """The right parts of an account's merged tree, with defaults, in the shape `validated_account` gives.

    Whatever a finding blames is left out; in a list it leaves None behind, so that the others keep their index.
    """
    return _sound_file(AccountFile, tree, findings, allowed)


def sound_settings(tree: Any, findings: Sequence[Finding]) -> dict[str, Any]:
    """The right parts of the tree of gradesync.yaml, as `sound_account` does it."""
    return _sound_file(SettingsFile, tree, findings, None)


def _sound_file(
    model: type[BaseModel], tree: Any, findings: Sequence[Finding], allowed: Allowed | None
) -> dict[str, Any]:
    blamed = _Blamed({finding.path for finding in findings if finding.on == "value"}, meant_keys(findings))
    return _sound_model(model, tree, (), blamed, allowed) or {}


@dataclass(frozen=True, slots=True)
class _Blamed:
    """Values that are wrong, and keys that were probably meant: those have no default."""

    values: set[Path]
    meant: set[Path]


def _sound(kind: Any, value: Any, path: Path, blamed: _Blamed, allowed: Allowed | None) -> Any:
    """The value as its validator gives it, or None."""
    if value is None or path in blamed.values:
        return None
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _sound_model(kind, value, path, blamed, allowed)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is list and isinstance(value, list):
        return [_sound(arguments[0], one, (*path, at), blamed, allowed) for at, one in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        inner = {key: _sound(arguments[1], one, (*path, key), blamed, allowed) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one is not None}
    try:
        return _adapter(kind).validate_python(value, strict=True, context=allowed)
    except ValidationError:
        return None


def _sound_model(
    model: type[BaseModel], value: Any, path: Path, blamed: _Blamed, allowed: Allowed | None
) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    result: dict[str, Any] = {}
    for key, (info, kind) in _fields(model).items():
        here = (*path, key)
        if key in value:
            one = _sound(kind, value[key], here, blamed, allowed)
        else:
            one = None if here in blamed.meant or info.is_required() else _default(info)
        if one is not None:
            result[key] = one
    return result


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True, validated_data={})
    return value.model_dump(by_alias=True, exclude_none=True) if isinstance(value, BaseModel) else value


@lru_cache
def _fields(model: type[BaseModel]) -> Mapping[str, tuple[FieldInfo, Any]]:
    """By the key people write: the field, and its kind with the validators that pydantic keeps beside it."""
    return {info.alias or name: (info, _kind(info)) for name, info in model.model_fields.items()}


def _kind(info: FieldInfo) -> Any:
    if not info.metadata or get_origin(info.annotation) in (list, dict):
        return info.annotation
    return Annotated[(info.annotation, *info.metadata)]


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
