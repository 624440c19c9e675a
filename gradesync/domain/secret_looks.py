"""Whether a key, a text or an address looks as if it held a secret; screens show nothing that does.

One judgement for everything that repeats what people wrote into their files: in doubt it is not shown, because its
place is enough to find it. Findings about pasted keys are made elsewhere, by narrower patterns.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache

_PARTS = (
    "token",
    "secret",
    "passw",
    "passphrase",
    "pwd",
    "client_id",
    "clientid",
    "credential",
    "auth",
)
_WORDS = frozenset({
    "pw", "pass", "key", "keys", "apikey", "sig", "sign", "signature", "cred", "creds",
    "bearer", "jwt", "hmac", "sas", "pin", "otp", "salt", "cookie", "session",
})  # fmt: skip
_ENDINGS = ("pw", "apikey")
_MISSPELT = (
    "token",
    "secret",
    "password",
    "client_id",
    "client_secret",
    "api_key",
    "access_key",
    "private_key",
    "credentials",
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_KEY = re.compile(r"([A-Za-z_][\w.-]*)[\"']?\s*[:=]")
# Tokens of Canvas, JSON web tokens, and any long word that mixes letters and digits as random text does.
_VALUE = re.compile(
    r"\d~\w{6,}|eyJ\w{6,}|-----BEGIN|(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4})"
    r"|(?=[A-Za-z0-9+=]*\d)(?=[A-Za-z0-9+=]*[A-Za-z])[A-Za-z0-9+=]{20,}"
    r"|(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{20,}"
)
# A user, a query or a fragment, also percent-encoded, mistyped (`&` for `?`) or in an address without a scheme.
_LADEN = re.compile(
    r"://[^\s\"']*[?#;&]|://.*@|[?&;][\w.-]+=|(?i:://\S*%(?:40|3f|23))|(?i:ur[li][\"']?\s*[:=].*[?@&])"
)
_ADDRESS = re.compile(r"([A-Za-z][\w+.-]*://)([^\s/?#;&@]*@)?([^\s?#;&@]*)([?#;&]\S*)?")
_ORIGIN = re.compile(r"[A-Za-z][\w+.-]*://[^\s/]*")


@lru_cache(maxsize=1024)
def key_looks_secret(key: str) -> bool:
    """Whether what stands under such a key is likely a secret: `pw`, `apiKey`, `client-secret`, also misspelt."""
    name = key.lower().replace("-", "_")
    if any(part in name for part in _PARTS):
        return True
    words = [word.lower() for word in _WORD.findall(key)] + re.findall("[a-z]+", name)
    if any(word in _WORDS or word.endswith(_ENDINGS) for word in words):
        return True
    return bool(difflib.get_close_matches(name, _MISSPELT, n=1, cutoff=0.78))


def keys_in(text: str) -> list[str]:
    """Every word before a `:` or `=`."""
    return [match[1] for match in _KEY.finditer(text)]


def value_looks_secret(text: str) -> bool:
    """Whether a part of the text looks random, as keys do."""
    return _VALUE.search(text) is not None


def laden_address(text: str) -> bool:
    """Whether the text holds an address with a user, a query or a fragment."""
    return _LADEN.search(text) is not None


def bare_addresses(text: str) -> str | None:
    """The text with every address cut down to scheme, host and path; None when it is not plain what to cut."""
    if not laden_address(text):
        return text
    # A blank may stand inside a password or a query, and then what follows it would stay.
    if re.search(r"\s", text.strip()):
        return None
    match = _ADDRESS.fullmatch(text.strip())
    if match is None or "@" in (match[4] or "") or "%" in match[3]:
        return None
    return match[1] + match[3]


def text_looks_secret(text: str) -> bool:
    """Whether a single value, whose addresses are bare, holds a key or `name=value` of one."""
    return value_looks_secret(text) or any(map(key_looks_secret, keys_in(_ORIGIN.sub("", text))))
