"""The file format: pydantic models, our wording of their findings, and the schema for editors.

The only place of the configuration that imports pydantic. No files are read here.
"""

from __future__ import annotations

from gradesync.config.schema.export import json_schema, schema_text, write_schema
from gradesync.config.schema.fields import Allowed
from gradesync.config.schema.models import AccountFile
from gradesync.config.schema.owner import SettingsFile
from gradesync.config.schema.parts import sound_account, sound_settings
from gradesync.config.schema.validate import validated_account, validated_settings
from gradesync.config.schema.wording import meant_keys, without_misspelt

__all__ = [
    "AccountFile",
    "Allowed",
    "SettingsFile",
    "json_schema",
    "meant_keys",
    "schema_text",
    "sound_account",
    "sound_settings",
    "validated_account",
    "validated_settings",
    "without_misspelt",
    "write_schema",
]
