"""The parser's events: the one place that imports yaml, with the limits every reading keeps."""

from __future__ import annotations

from typing import Any

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs hide the re-export
except ImportError:  # PyYAML was built without libyaml: same events, some twenty times slower
    CParser = None  # type: ignore[assignment,misc]  # the name is tested before use

__all__ = [
    "MAX_DEPTH",
    "MAX_NODES",
    "AliasEvent",
    "DocumentStartEvent",
    "MappingEndEvent",
    "MappingStartEvent",
    "MarkedYAMLError",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "YAMLError",
    "parser",
    "width",
]

MAX_DEPTH = 20
MAX_NODES = 20_000


class _PurePython(Reader, Scanner, Parser):
    """The same events without libyaml."""

    def __init__(self, text: bytes) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


def parser(text: bytes) -> Any:
    return _PurePython(text) if CParser is None else CParser(text)


def width(event: Any) -> int:
    """How many characters of its first line an event covers."""
    start, end = event.start_mark, event.end_mark
    return max(end.column - start.column, 1) if start.line == end.line else 1
