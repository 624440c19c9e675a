"""SIS profiles: what each kind of SIS can say and bear, as data.

A profile only supplies defaults; any key can be overridden in YAML under `sis:`. Nothing here decides about a
grade: the decision table asks the profile and stays ignorant of vendors' names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_SCOPE_11 = "https://purl.imsglobal.org/spec/or/v1p1/scope/"
READ_SCOPES_11 = tuple(
    _SCOPE_11 + name for name in ("roster.readonly", "roster-core.readonly", "gradebook.readonly")
)
WRITE_SCOPES_11 = (*READ_SCOPES_11, _SCOPE_11 + "gradebook.createput")


@dataclass(frozen=True, slots=True)
class SisProfile:
    """What one kind of SIS needs and allows.

    Paths are appended to the account's `sis.url` unless YAML gives full URLs. `decimals` is how many places of a
    score the SIS keeps; `max_title` is in characters, None when unknown; `concurrency` is requests in flight.
    """

    name: str
    version: str = "1.1"
    token_path: str = "/token"  # noqa: S105 - a path, not a secret
    rostering_path: str = "/ims/oneroster/v1p1"
    gradebook_path: str = "/ims/oneroster/v1p1"
    read_scopes: tuple[str, ...] = READ_SCOPES_11
    write_scopes: tuple[str, ...] = WRITE_SCOPES_11
    write_mode: str = "put"
    concurrency: int = 4
    page_size: int = 1000
    decimals: int = 2
    max_title: int | None = None
    unique_titles: bool = False
    score_required: bool = True
    can_flag_missing: bool = False
    can_send_text: bool = False
    headers: tuple[tuple[str, str], ...] = ()


PROFILES: dict[str, SisProfile] = {
    # Genesis speaks OneRoster 1.1 with its token endpoint beside the API (oneroster.md 5.4); its limits are
    # published nowhere, so every one of them can be set in YAML.
    "genesis": SisProfile(name="genesis"),
    "oneroster-1.1": SisProfile(name="oneroster-1.1"),
}

OVERRIDABLE = (
    "token_path",
    "rostering_path",
    "gradebook_path",
    "write_mode",
    "concurrency",
    "page_size",
    "decimals",
    "max_title",
    "unique_titles",
)
"""Keys of a profile that `sis:` in YAML may override."""


def profile_with(name: str, overrides: dict[str, object]) -> SisProfile:
    """The named profile with YAML's overrides applied; KeyError for an unknown name."""
    base = PROFILES[name]
    known = {key: value for key, value in overrides.items() if key in OVERRIDABLE and value is not None}
    return replace(base, **known)  # type: ignore[arg-type]  # keys are checked against OVERRIDABLE, values by the schema
