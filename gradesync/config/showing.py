"""How a value of an account file is shown to people: a secret never, an address only as far as it holds none.

Nothing is decided here about whether a value is right; wrong files are shown too, and hold the likeliest secrets.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from gradesync.config.findings import Path
from gradesync.config.schema import AccountFile
from gradesync.config.secrets import looks_secret, may_look_random
from gradesync.domain.secret_looks import (
    bare_addresses,
    key_looks_secret,
    laden_address,
    text_looks_secret,
)

HIDDEN = "(hidden)"

_SFTP = ("sis", "roster", "sftp")
_SECRET = (
    *(("canvas", "token"), ("sis", "client_id"), ("sis", "client_secret"), ("sis", "headers")),
    *((*_SFTP, key) for key in ("password", "private_key", "passphrase")),
)
_SIDES = ("canvas", "sis", "oauth")
_TITLED = (("passback", "category_map"), ("roster", "cross_list"))
"""Maps whose keys are titles and ids of the district, in which a word such as `key` means nothing."""
_LONGEST = 1_200
"""Characters of the longest text that is looked through; people write none longer, and looking would take minutes."""
_NAME = re.compile(r"env:[A-Za-z_]\w*|file:[^\s?#@]+")


def dotted(path: Path) -> str:
    """The path as people read it; a key that was pasted where a name belongs stays hidden."""
    return ".".join(HIDDEN if _pasted(part, path) else str(part) for part in path)


def shown(path: Path, value: Any, scheme: str) -> Any:
    """The value, or `(hidden)`. `scheme` is that of the owner's references to secrets."""
    if value is None or value in ({}, []):
        return value
    known = _known(path)
    if not known and path[0] in _SIDES:
        return HIDDEN
    if isinstance(value, str) and _is_reference(value, scheme):
        return value
    if any(path[: len(secret)] == secret for secret in _SECRET):
        return HIDDEN
    named = not known or path[0] == "labels"
    if named and any(key_looks_secret(part) for part in path if isinstance(part, str)):
        return HIDDEN
    if isinstance(value, list):
        return [_text(path, one) if isinstance(one, str) else one for one in value]
    return _text(path, value) if isinstance(value, str) else value


def _text(path: Path, text: str) -> str:
    random = may_look_random(path)
    if len(text) > _LONGEST or looks_secret(text, narrow=random):
        return HIDDEN
    bare = bare_addresses(text)
    titled = random or path[:2] in _TITLED
    if bare is None or (not titled and text_looks_secret(bare)):
        return HIDDEN
    if str(path[-1]).endswith(("url", "_path")) and ("@" in bare or "?" in bare or laden_address(bare)):
        return HIDDEN
    return bare


def _is_reference(text: str, scheme: str) -> bool:
    if len(text) > _LONGEST:
        return False
    own = scheme not in ("env", "file") and text.startswith(f"{scheme}:") and not laden_address(text)
    return (own or _NAME.fullmatch(text) is not None) and not looks_secret(text, narrow=True)


def _pasted(part: str | int, path: Path) -> bool:
    if isinstance(part, int) or path[:2] in _TITLED:
        return False
    return len(part) > _LONGEST or looks_secret(part) or laden_address(part) or "=" in part


def _known(path: Path) -> bool:
    """Whether the schema has a single value, or a list or map of such, at the path."""
    kind: Any = AccountFile
    for part in path:
        kind = _below(kind, part)
        if kind is None:
            return False
    return not hasattr(kind, "model_fields")


def _below(kind: Any, part: str | int) -> Any:
    if hasattr(kind, "model_fields"):
        return _keys(kind).get(str(part))
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict:
        return _plain(arguments[1])
    return _plain(arguments[0]) if origin is list and isinstance(part, int) else None


@lru_cache
def _keys(model: Any) -> dict[str, Any]:
    """By the key people write, the kind of what stands there."""
    return {info.alias or name: _plain(info.annotation) for name, info in model.model_fields.items()}


def _plain(kind: Any) -> Any:
    """The kind without what is said about it, and without `or None`."""
    if hasattr(kind, "__metadata__"):
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        inner = [one for one in get_args(kind) if one is not type(None)]
        return _plain(inner[0])
    return kind
