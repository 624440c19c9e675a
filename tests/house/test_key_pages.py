"""docs/keys.md says what the schema says: every key, its real default, and an example that is accepted."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel, TypeAdapter

from gradesync.config.marks import load_tree
from gradesync.config.schema import AccountFile, Allowed, SettingsFile, json_schema
from gradesync.domain.account import CanvasConnection, ChangeLimit, PassbackPolicy
from gradesync.domain.safety import Safety
from tools import key_pages

TEXT = key_pages.PAGE.read_text(encoding="utf-8")
ACCOUNT = [key for section in key_pages.sections(json_schema("account")) for key in section.keys]
SETTINGS = [key for section in key_pages.sections(json_schema("settings")) for key in section.keys]
KEYS = [*((AccountFile, key) for key in ACCOUNT), *((SettingsFile, key) for key in SETTINGS)]


def test_the_page_is_what_the_schema_says_today() -> None:
    assert key_pages.page() == TEXT, "a key changed: `python -m tools.key_pages`"


def test_what_is_said_of_keys_is_said_of_keys_that_exist() -> None:
    paths = {key.path for _, key in KEYS}
    assert set(key_pages.EXAMPLES) - paths == set()
    assert set(key_pages.LEFT_OUT) - paths == set()


@pytest.mark.parametrize(("model", "key"), KEYS, ids=lambda one: getattr(one, "path", ""))
def test_every_key_has_a_kind_a_meaning_and_an_example_that_is_accepted(
    model: type[BaseModel], key: key_pages.Key
) -> None:
    assert key_pages.kind(key)
    assert key.about
    shown = key_pages.example(key)
    if shown is None:
        assert key.below is not None, "a key without keys below it needs an example"
        return
    name = key.path.rpartition(".")[2]
    read = load_tree(key_pages.written(name, shown).encode(), "example.yaml")
    assert not read.problems
    kind, metadata = field_of(model, key.path)
    allowed = Allowed(hosts=("*",), schemes=frozenset({"env", "file"}))
    TypeAdapter(Annotated[(kind, *metadata)] if metadata else kind).validate_python(
        read.value[name], strict=True, context=allowed
    )


def field_of(model: type[BaseModel], path: str) -> tuple[Any, list[Any]]:
    """Type and validators of the field at a path, through lists and maps of other mappings."""
    *above, last = path.split(".")
    for name in above:
        kind, _ = _field(model, name)
        model = next(
            one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, BaseModel)
        )
    return _field(model, last)


def _field(model: type[BaseModel], name: str) -> tuple[Any, list[Any]]:
    info = next(info for key, info in model.model_fields.items() if (info.alias or key) == name)
    whole = get_origin(info.annotation) in (list, dict)
    return info.annotation, [] if whole else list(info.metadata)


def test_what_holds_when_a_key_is_left_out_is_what_the_program_does() -> None:
    policy, change, safety = PassbackPolicy(), ChangeLimit(), Safety()
    said = key_pages.LEFT_OUT
    assert said["passback.gone_limit"] == f"`{policy.gone_limit:.0%}`"
    assert said["passback.deletion_limit"] == str(policy.deletion_limit)
    for word in ("enrollments", "users", "sections"):
        assert said[f"roster.change_limit.{word}"] == f"`{getattr(change, word):.0%}`"
    for word in ("account_share", "all_share"):
        assert said[f"safety.{word}"] == f"`{getattr(safety, word):.0%}`"
    for word in ("account_least", "all_least"):
        assert said[f"safety.{word}"] == str(getattr(safety, word))
    canvas = {one.name: one.default for one in CanvasConnection.__dataclass_fields__.values()}
    assert (said["canvas.concurrency"], said["canvas.page_size"]) == (
        str(canvas["concurrency"]),
        str(canvas["page_size"]),
    )


def test_every_table_row_of_the_page_is_a_key() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert len(rows) == len(KEYS)
    assert set(rows) == {key.path.rpartition(".")[2] for _, key in KEYS}
