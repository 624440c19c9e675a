"""The record of a SIS import: what was asked and uploaded, and what applying it has done so far.

Below the world, which keeps imports, and below what applies and runs them; nothing here acts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gradesync.sandbox.canvas_csv import Message, Table


@dataclass(slots=True)
class Outcome:
    """What applying has done so far: handled rows per type, state changes per class, messages."""

    counts: Counter[str] = field(default_factory=Counter)
    statistics: dict[str, Counter[str]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)


class StateChange(NamedTuple):
    """What an import did to one record: account, term, course, section, login or enrollment; `before` None: made it."""

    kind: str
    id: int
    before: str | None
    after: str


@dataclass(slots=True, eq=False)
class SisImport:
    """One SIS import: what was asked, what was uploaded, and how it went."""

    id: int
    created_at: datetime
    user_id: int
    data: bytes = b""
    extension: str = "csv"
    file_name: str = "upload.csv"
    import_type: str = "instructure_csv"
    batch_mode: bool | None = None
    batch_mode_term_id: int | None = None
    multi_term_batch_mode: bool | None = None
    batch_mode_enrollment_drop_status: str | None = None
    workflow_state: str = "created"
    progress: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    updated_at: datetime | None = None
    diffing_data_set_identifier: str | None = None
    diffing_remaster: bool = False
    diffing_drop_status: str | None = None
    diffing_user_remove_status: str | None = None
    change_threshold: int | None = None
    diff_row_count_threshold: int | None = None
    override_sis_stickiness: bool | None = None
    add_sis_stickiness: bool | None = None
    clear_sis_stickiness: bool | None = None
    update_sis_id_if_login_claimed: bool = False
    skip_deletes: bool = False
    diffed_against: int | None = None
    diffed: bool = False
    threshold_exceeded: bool | None = None
    empty_diff: bool = False
    size: int = 0
    tables: list[Table] | None = None
    outcome: Outcome = field(default_factory=Outcome)
    supplied: list[str] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    changed: list[StateChange] = field(default_factory=list)
    cleaned_up: list[StateChange] = field(default_factory=list)
