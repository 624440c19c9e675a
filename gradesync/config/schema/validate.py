"""Trees of values through the models: plain mappings with every default out, or findings. Never both halves wrong.

The mappings use the files' own key names and leave out what is None.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from gradesync.config.findings import Finding, Written
from gradesync.config.schema.fields import Allowed
from gradesync.config.schema.models import AccountFile
from gradesync.config.schema.owner import SettingsFile
from gradesync.config.schema.wording import findings


def validated_account(
    tree: Any, allowed: Allowed, source: Written, *, partial: bool = False
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """An account's merged tree. `partial` judges a piece (`_defaults.yaml`), in which nothing can be missing."""
    value, found = _validated(AccountFile, tree, allowed, source)
    return value, [f for f in found if not (partial and f.code == "GS-111")]


def validated_settings(tree: Any, source: Written) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The tree of gradesync.yaml."""
    return _validated(SettingsFile, tree, None, source)


def _validated(
    model: type[BaseModel], tree: Any, allowed: Allowed | None, source: Written
) -> tuple[dict[str, Any] | None, list[Finding]]:
    if not isinstance(tree, dict):
        what = "the file holds keys with values, and nothing else at its top"
        return None, [Finding("GS-110", (), what, "write `key: value` lines")]
    try:
        value = model.model_validate(tree, context=allowed)
    except ValidationError as error:
        return None, findings(error, tree, model, source)
    return value.model_dump(by_alias=True, exclude_none=True), []
