"""Our own sentences for what pydantic finds, with the key or value each belongs to.

pydantic's texts name Python types and may repeat the input; only its error types and paths are used here.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from gradesync.config.findings import NAME, Finding, Path, Written, is_name
from gradesync.config.schema.fields import LINE, PATH, PATH_AND_QUERY, did_you_mean
from gradesync.config.secrets import looks_secret

_OFF = frozenset({"off", "no", "false", "n", "disabled", "inactive", "stopped", "stop", "pause"})
_ON = frozenset({"on", "yes", "true", "y", "enabled", "run", "running", "start"})
_PLAIN_WORD = re.compile(r"[A-Za-z][A-Za-z _-]{0,30}\Z|[A-Za-z0-9 _.:-]{1,10}\Z")
_NAMES = "names are lower-case letters, digits, `-` and `_`, at most 63"


def quoted(value: Any) -> str:
    """A short harmless value in backticks, or `this value`: what may be a secret is never repeated."""
    if isinstance(value, str) and _PLAIN_WORD.match(value) and not looks_secret(value):
        return f"`{value}`"
    return "this value"


def findings(error: ValidationError, tree: Any, model: type[BaseModel], source: Written) -> list[Finding]:
    """One finding per error; a misspelt key and the missing one it stands for become a single finding."""
    found = [
        _finding(one, tree, model, source) for one in error.errors(include_input=False, include_url=False)
    ]
    return without_misspelt(found)


def meant_keys(found: Sequence[Finding]) -> set[Path]:
    """The keys that misspelt ones probably stand for."""
    return {
        (*finding.path[:-1], match[1])
        for finding in found
        if finding.code == "GS-102" and (match := re.match(r"did you mean `(\w+)`", finding.hint))
    }


def without_misspelt(found: list[Finding]) -> list[Finding]:
    """A key that is only misspelt is not missing as well."""
    meant = meant_keys(found)
    return [f for f in found if not (f.code == "GS-111" and f.path in meant)] if meant else found


def _finding(one: Mapping[str, Any], tree: Any, model: type[BaseModel], source: Written) -> Finding:
    kind, path = str(one["type"]), tuple(part for part in one["loc"] if part != "[key]")
    context = one.get("ctx", {})
    if kind.startswith("GS-"):
        return Finding(kind, path, f"{_subject(path)}: {context['message']}", context["hint"])
    if "[key]" in one["loc"]:
        return Finding("GS-110", path, f"{quoted(path[-1])} cannot be a name", _name_hint(path[-1]), "key")
    if kind == "missing":
        return Finding("GS-111", path, f"`{path[-1]}` is missing", _described(model, path), "inside")
    if kind == "extra_forbidden":
        return _unknown(path, tree, model, source)
    return _wrong(kind, path, context, tree, source)


def _name_hint(value: Any) -> str:
    """What a name is, after the one that was probably meant."""
    meant = str(value).strip().lower().replace(" ", "-")
    if quoted(value) == "this value" or not is_name(meant):
        return _NAMES
    return f"write `{meant}`: {_NAMES}"


def _is_schedule(value: Any) -> bool:
    """A schedule that was indented too far, or not far enough."""
    return isinstance(value, Mapping) and {"type", "interval"} <= set(value)


def _subject(path: Path) -> str:
    names = [str(part) for part in path if isinstance(part, str)]
    return quoted(names[-1]) if names else "the file"


def _unknown(path: Path, tree: Any, model: type[BaseModel], source: Written) -> Finding:
    key = str(path[-1])
    known = keys_at(model, path[:-1])
    hint = did_you_mean(key, tuple(known)) or f"known here: {', '.join(known)}"
    if value_at(tree, path) is None and source.in_braces(path):
        hint = "inside { } a comma ends a value: quote a value that holds a comma, or write `key: value`"
    if _is_schedule(value_at(tree, path)):
        hint = (
            "this looks like a schedule: write it below `schedules:`, indented like the names of the others"
        )
    if key == "<<":
        return Finding(
            "GS-102", path, "`<<` is not taken", "use _defaults.yaml for what accounts share", "key"
        )
    if key in known or quoted(key) != "this value":
        return Finding("GS-102", path, f"unknown key `{key}`", hint, "key")
    odd = not key.isascii()
    message = "unknown key: it has a character that is not a plain letter" if odd else "this key is unknown"
    return Finding("GS-102", path, message, hint, "key")


def _wrong(kind: str, path: Path, context: Mapping[str, Any], tree: Any, source: Written) -> Finding:
    value, subject = value_at(tree, path), _subject(path)
    if kind in ("string_type", "literal_error"):
        special = _not_text(value, path, subject, source)
        if special is not None:
            return special
    if kind == "literal_error":
        words = re.findall(r"'([^']+)'", str(context.get("expected", "")))
        if path[-1] == "state":
            return _state(str(value), path, words)
        one_of = f"one of {', '.join(f'`{word}`' for word in words)}"
        hint = did_you_mean(str(value)[:40], tuple(words))
        hint = f"{hint} {one_of}" if hint else one_of
        return Finding("GS-110", path, f"{subject} cannot be {quoted(value)}", hint)
    message, hint = _SENTENCES.get(kind, ("is not accepted", "compare it with the example in the docs"))
    numbers = {
        name: str(context[name]) for name in ("ge", "le", "min_length", "max_length") if name in context
    }
    if value is None and isinstance(path[-1], int):
        return Finding("GS-110", path, f"an entry of {subject} is empty", "fill it, or remove it")
    if value is None:
        return Finding("GS-110", path, f"{subject} is empty", "fill it, or remove the key", "key")
    if kind == "string_pattern_mismatch" and context.get("pattern") in _FORMS:
        message, hint = _FORMS[context["pattern"]]
        if context["pattern"] == NAME:
            shown = quoted(value)
            return Finding("GS-110", path, f"{subject}: {shown} cannot be a name", _name_hint(value))
    return Finding("GS-110", path, f"{subject} {message.format_map(_Blank(numbers))}", hint)


class _Blank(dict[str, str]):
    """A sentence may name a limit that pydantic did not report."""

    def __missing__(self, key: str) -> str:
        return "the limit"


_FORMS = {
    NAME: ("cannot be a name", _NAMES),
    LINE: ("takes one line of text", "remove line ends and tabs"),
    PATH: ("takes a path", "write it like `/oauth/token`, without `?` and `#`"),
    PATH_AND_QUERY: ("takes a path", "write it like `/oauth/token`, without `#`"),
}
"""What is meant by the patterns that texts have to fit."""

_SENTENCES = {
    "string_type": ("takes one text", "write one value in quotes"),
    "int_type": ("takes a whole number", "write digits, without quotes"),
    "int_from_float": ("takes a whole number", "write it without a decimal point"),
    "bool_type": ("takes true or false", "write `true` or `false` without quotes"),
    "dict_type": ("takes keys with values", "write `key: value` lines below it"),
    "model_type": ("takes keys with values", "write `key: value` lines below it"),
    "list_type": ("takes a list", "write it like [a, b], or begin each entry with `- `"),
    "string_pattern_mismatch": ("has a form that is not accepted", "compare it with the example in the docs"),
    "string_too_short": ("is empty", "fill it, or remove the key"),
    "string_too_long": ("is longer than {max_length} characters", "shorten it"),
    "too_short": ("is an empty list", "fill it, or remove the key"),
    "greater_than_equal": ("is less than {ge}", "write a larger number"),
    "less_than_equal": ("is more than {le}", "write a smaller number"),
    "finite_number": ("takes a finite number", "write digits"),
}


def _not_text(value: Any, path: Path, subject: str, source: Written) -> Finding | None:
    """A plain scalar that YAML reads as something else than text (GS-106), and `state: False`."""
    if path and path[-1] == "state" and isinstance(value, bool):
        return _state(source.raw(path) or str(value), path, ["active", "paused", "observe"])
    if isinstance(value, (bool, int, float)):
        what = "true or false" if isinstance(value, bool) else "a number"
        message = f"{subject} is text, but this is read as {what}"
        return Finding("GS-106", path, message, _as_text(path, source))
    if value is None:
        hint = "fill it, or remove the key; what follows ` #` is a comment, and null is not a text: quote it"
        return Finding("GS-106", path, f"{subject} is empty", hint, "key")
    return None


def _as_text(path: Path, source: Written) -> str:
    """How the value is written as text; digits alone are no interval in quotes either."""
    if path and path[-1] == "interval":
        return "write an interval, such as `every 15 minutes` or `daily at 02:00`"
    raw = source.raw(path) or ""
    shown = raw if raw and quoted(raw) != "this value" else "010"
    return f'write it in quotes: "{shown}"'


def _state(word: str, path: Path, words: list[str]) -> Finding:
    shown, low = quoted(word), word.lower()
    if low in _OFF:
        hint = "write `paused`"
    elif low in _ON:
        hint = "write `active`"
    else:
        hint = did_you_mean(low[:40], tuple(words)) or "write one of the states"
    one_of = ", ".join(f"`{known}`" for known in words)
    return Finding("GS-110", path, f"{shown} is not a state; {hint}", f"states are {one_of}")


def value_at(tree: Any, path: Path) -> Any:
    """The value at a path, or None."""
    for part in path:
        if isinstance(tree, dict) or (isinstance(tree, list) and isinstance(part, int) and part < len(tree)):
            tree = tree.get(part) if isinstance(tree, dict) else tree[int(part)]
        else:
            return None
    return tree


def keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys the format knows below `path`, for did-you-mean."""
    current: Any = model
    for part in path:
        current = _step(current, part)
    return [f.alias or name for name, f in current.model_fields.items()] if _is_model(current) else []


def _described(model: type[BaseModel], path: Path) -> str:
    current: Any = model
    for part in path[:-1]:
        current = _step(current, part)
    if not _is_model(current):
        return ""
    for name, info in current.model_fields.items():
        if path[-1] in (name, info.alias):
            example = f", such as `{info.examples[0]}`" if info.examples else ""
            about = (info.description or "").rstrip(".")
            return f"add `{path[-1]}:` ({about[:1].lower()}{about[1:]}{example})"
    return ""


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _step(kind: Any, part: str | int) -> Any:
    if _is_model(kind):
        named = (f.annotation for name, f in kind.model_fields.items() if part in (f.alias, name))
        return next(named, None)
    arguments = get_args(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return next((a for a in arguments if a is not type(None)), None)
    return arguments[-1] if arguments else None
