"""The log on stderr: records of `gradesync.events` as sentences, or as one JSON object a line.

The one place that attaches handlers. What libraries log is never shown in their words: those may carry addresses with
queries, or what students wrote.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from gradesync.cli import stderr
from gradesync.reporting.clean import clean, guarded

_state = {"json": False, "verbose": False}


def as_json() -> bool:
    """Whether every line on stderr is to be a JSON object."""
    return _state["json"]


def configure(*, verbose: bool = False, form: str | None = None) -> None:
    """Attach the log to stderr; may be called again when more is known. `form` is `text` or `json`.

    Without either only what should not happen is shown.
    """
    _state["json"] |= form == "json"
    _state["verbose"] |= verbose or form is not None
    ours, all_ = logging.getLogger("gradesync"), logging.getLogger()
    ours.handlers = [_Ours()]
    ours.propagate = False
    # Not DEBUG: that level may carry exceptions' texts, and those may carry what students wrote.
    ours.setLevel(logging.INFO if _state["verbose"] else logging.WARNING)
    if not any(isinstance(handler, _Theirs) for handler in all_.handlers):
        all_.addHandler(_Theirs())


def reset() -> None:
    """Forget what was asked for, for whoever runs several commands in one process."""
    _state.update(json=False, verbose=False)


def record_line(level: str, action: str, sentence: str, **facts: object) -> str:
    """One record as a line of JSON: `at`, `level`, `action`, `sentence`, and what else is known."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    plain = {key: clean(fact) if isinstance(fact, str) else fact for key, fact in facts.items()}
    record = {"at": at, "level": level, "action": action, "sentence": clean(sentence), **plain}
    return guarded(json.dumps(record, ensure_ascii=True))


class _Ours(logging.Handler):
    """Records of this project."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line. An exception that came along is not shown: its text is not ours."""
        action = str(getattr(record, "action", "log"))
        where: Mapping[str, str] = getattr(record, "where", {})
        sentence, level = clean(record.getMessage()), record.levelname.lower()
        if as_json():
            facts: Mapping[str, object] = getattr(record, "facts", {})
            known = {key: value for key, value in facts.items() if value is not None}
            _write(record_line(level, action, sentence, **where, **known))
            return
        at = datetime.fromtimestamp(record.created, UTC)
        of = "/".join(where[key] for key in ("account", "schedule") if key in where)
        mark = "" if record.levelno <= logging.INFO else f"{level}: "
        _write(guarded(f"{at:%H:%M:%S}Z {mark}{f'{clean(of)}: ' if of else ''}{sentence} ({action})"))


class _Theirs(logging.Handler):
    """Records of libraries: who and how grave, and only for somebody who asked."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """One line without the library's own words."""
        if not _state["verbose"]:
            return
        level, name = record.levelname.lower(), clean(record.name)
        told = f"{name} logged something ({level}); its words are not shown, they may hold data"
        if as_json():
            _write(record_line(level, "library", told, library=name))
        else:
            _write(guarded(f"{datetime.fromtimestamp(record.created, UTC):%H:%M:%S}Z {told} (library)"))


def _write(line: str) -> None:
    # Closed under us at the end of the process: nobody is left to read.
    with suppress(ValueError):
        stderr.raw(line)


__all__ = ["as_json", "configure", "record_line", "reset"]
