"""SIS profiles: what each kind of SIS can say and bear, as data.

A profile only supplies defaults; any key can be overridden in YAML under `sis:`. Nothing here decides about a
grade: the decision table asks the profile and stays ignorant of vendors' names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

V1P1, V1P2 = "1.1", "1.2"
PUT, POST, SERVER_IDS = "put", "post", "server_ids"
UTC_DUE, LOCAL_MIDNIGHT = "utc", "local_midnight_utc"

_SCOPE_11 = "https://purl.imsglobal.org/spec/or/v1p1/scope/"
_SCOPE_12 = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
_READING_11 = ("roster.readonly", "roster-core.readonly", "gradebook.readonly")
# Some servers open the flat collections by the core scopes only, others by the wide ones only (oneroster.md 1.2).
_READING_12 = (*_READING_11, "gradebook-core.readonly")
READ_SCOPES_11 = tuple(_SCOPE_11 + name for name in _READING_11)
READ_SCOPES_12 = tuple(_SCOPE_12 + name for name in _READING_12)

OMITTABLE = (
    "status",
    "dateLastModified",
    "assignDate",
    "dueDate",
    "category",
    "gradingPeriod",
    "school",
    "class",
    "resultValueMin",
    "resultValueMax",
    "scoreDate",
    "textScore",
    "late",
    "missing",
)
"""What `omit` may name: fields a body can do without. `class` is left out of results alone."""


@dataclass(frozen=True, slots=True)
class SisProfile:
    """What one kind of SIS needs and allows.

    Paths are appended to the account's `sis.url` unless YAML gives full URLs; `token_path` may hold a query.

    `write_mode`: `put` creates and replaces under our ids; `post` creates by POST and replaces by PUT under the id the
    SIS answered; `server_ids` creates by a PUT without an id and replaces likewise. `omit` names fields left out of
    every body. `headers` are sent with every request; values are literals or references (`env:`, `file:`).

    `score_required`: no result without a number. `exempt_needs_score`: an exempt one neither, so 0 goes along.
    `can_flag_missing`, `sends_late`: results have such flags. `decimals` is how many places of a score the SIS keeps;
    `max_title` is in characters, None when unknown; `due_date_as` is `utc` (the instant) or `local_midnight_utc` (the
    local day at 00:00Z, for a SIS that keeps the date part only). `concurrency` is requests in flight, `timeout` the
    seconds of silence after which an answer is given up.
    """

    name: str
    version: str = V1P1
    token_path: str = "/token"  # noqa: S105 - a path, not a secret
    token_auth: str = "basic"  # noqa: S105 - a way to authenticate, not a secret
    rostering_path: str = "/ims/oneroster/v1p1"
    gradebook_path: str = "/ims/oneroster/v1p1"
    read_scopes: tuple[str, ...] = READ_SCOPES_11
    scope_prefix: str = _SCOPE_11
    write_mode: str = PUT
    concurrency: int = 4
    page_size: int = 1000
    timeout: int = 60
    decimals: int = 2
    max_title: int | None = None
    unique_titles: bool = False
    due_date_as: str = UTC_DUE
    score_required: bool = True
    exempt_needs_score: bool = True
    can_flag_missing: bool = False
    can_send_text: bool = False
    sends_late: bool = False
    school_required: bool = False
    omit: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def write_scopes(self) -> tuple[str, ...]:
        """The scopes of a run that writes: the reading ones, PUT, and POST where records are created by it."""
        names = ("gradebook.createput", "gradebook.createpost")[: 2 if self.write_mode == POST else 1]
        return (*self.read_scopes, *(self.scope_prefix + name for name in names))

    @property
    def delete_scope(self) -> str:
        """The scope to remove records; asked for only by accounts whose policy removes any."""
        return self.scope_prefix + "gradebook.delete"

    @property
    def mints_ids(self) -> bool:
        """Whether the SIS gives new records ids of its own."""
        return self.write_mode in (POST, SERVER_IDS)


_GENERIC_11 = SisProfile(name="oneroster-1.1")
_GENERIC_12 = SisProfile(
    name="oneroster-1.2",
    version=V1P2,
    rostering_path="/ims/oneroster/rostering/v1p2",
    gradebook_path="/ims/oneroster/gradebook/v1p2",
    read_scopes=READ_SCOPES_12,
    scope_prefix=_SCOPE_12,
    score_required=False,
    exempt_needs_score=False,
    can_flag_missing=True,
    can_send_text=True,
    sends_late=True,
    school_required=True,
)

PROFILES: dict[str, SisProfile] = {
    # Genesis speaks OneRoster 1.1 with its token endpoint beside the API (oneroster.md 5.4); its limits are
    # published nowhere, so every one of them can be set in YAML.
    "genesis": replace(_GENERIC_11, name="genesis"),
    "oneroster-1.1": _GENERIC_11,
    "oneroster-1.2": _GENERIC_12,
    # `url` is the district's `https://.../campus`. Names are at most 30 characters long (oneroster.md 3), and names
    # that differ only behind the cut would look the same to a teacher. The token address ends in `?appName=...`, and
    # the gradebook wants the vendor's own key in a header: both differ per district and stand in YAML.
    "infinite-campus": replace(
        _GENERIC_12,
        name="infinite-campus",
        token_path="/oauth2/token",  # noqa: S106 - a path, not a secret
        rostering_path="/api/ims/oneroster/rostering/v1p2",
        gradebook_path="/api/ims/oneroster/gradebook/v1p2",
        max_title=30,
        unique_titles=True,
    ),
}

_DIALECT = (
    "rostering_path",
    "gradebook_path",
    "read_scopes",
    "scope_prefix",
    "score_required",
    "exempt_needs_score",
    "can_flag_missing",
    "can_send_text",
    "sends_late",
    "school_required",
)
"""What changes with the version of OneRoster a SIS speaks."""

OVERRIDABLE = (
    "version",
    "token_path",
    "token_auth",
    "rostering_path",
    "gradebook_path",
    "write_mode",
    "concurrency",
    "page_size",
    "timeout",
    "decimals",
    "max_title",
    "unique_titles",
    "due_date_as",
    "score_required",
    "exempt_needs_score",
    "can_flag_missing",
    "can_send_text",
    "sends_late",
    "school_required",
    "omit",
    "headers",
)
"""Keys of a profile that `sis:` in YAML may override."""


def profile_with(name: str, overrides: Mapping[str, object]) -> SisProfile:
    """The named profile with YAML's overrides applied; KeyError for an unknown name.

    Another `version` brings that version's paths, scopes and abilities along; the vendor's limits stay.
    """
    base = PROFILES[name]
    known = {key: value for key, value in overrides.items() if key in OVERRIDABLE and value is not None}
    if known.get("version", base.version) != base.version:
        other = _GENERIC_12 if known["version"] == V1P2 else _GENERIC_11
        base = replace(base, **{key: getattr(other, key) for key in _DIALECT})
    if isinstance(omit := known.get("omit"), list):
        known["omit"] = tuple(omit)
    if isinstance(headers := known.get("headers"), dict):
        known["headers"] = tuple(headers.items())
    return replace(base, **known)  # type: ignore[arg-type]  # keys are checked against OVERRIDABLE, values by the schema
