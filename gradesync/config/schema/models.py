"""The shape of account files and of gradesync.yaml: every key, its default, and the sentence an editor shows.

Only shapes live here. What concerns two keys at once is in `checks`, what concerns two files in `loader`.
Every policy's default is the safe one (DESIGN.md 3) and equals that of the domain's own types.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gradesync.config.schema.addresses import Host, HostKey, Server, TokenUrl, Url
from gradesync.config.schema.fields import (
    BodyField,
    Day,
    May,
    Minutes,
    Moment,
    Name,
    Percent,
    Profile,
    Prose,
    Reference,
    Schools,
    SecretsTemplate,
    StoreUrl,
    Terms,
    Text,
    TokenPath,
    UrlPath,
    Zone,
)  # fmt: skip


def _left_out(description: str, **more: Any) -> Any:
    """A key that may be left out but not left empty: `key:` alone is more often a slip than a wish."""
    return Field(default=None, description=description, **more)


def _filled(kind: type[Any], description: str, **more: Any) -> Any:
    """A key that is empty when left out. A factory, because pydantic copies a default deeply for every file."""
    extra: dict[str, Any] = {"default": [] if kind is list else {}}
    return Field(default_factory=kind, description=description, json_schema_extra=extra, **more)


class Strict(BaseModel):
    """Unknown keys and lax conversions are refused; values never appear in an error's text."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        frozen=True,
        allow_inf_nan=False,
        regex_engine="rust-regex",
    )


class Canvas(Strict):
    """The institution's Canvas."""

    url: Url = Field(description="Address of the Canvas root account.")
    token: Reference = _left_out(
        "Where the access token is kept: env:NAME or file:PATH, never the token itself."
    )
    expires: Day = _left_out("When the token ends; an alarm comes before.")
    concurrency: int = _left_out("Requests in flight.", ge=1, le=20)
    page_size: int = _left_out("Records per page.", ge=10, le=100)


class Sftp(Strict):
    """The SFTP server on which the SIS leaves its roster files."""

    host: Server = Field(description="Name of the server; it stands under `hosts` of gradesync.yaml.")
    port: int = _left_out("Its port; 22 when left out.", ge=1, le=65535)
    user: Text = Field(description="Who logs in.")
    host_key: HostKey = Field(
        description="The server's key: its SHA256 fingerprint, or its known_hosts line."
    )
    password: Reference = _left_out("Where the password is kept; instead of a private key.")
    private_key: Reference = _left_out("Where the private key is kept, in OpenSSH or PEM form.")
    passphrase: Reference = _left_out("Where the private key's passphrase is kept.")


class RosterSource(Strict):
    """Roster files the SIS exports, instead of its REST service; grades still go to the service."""

    format: Literal["oneroster csv", "canvas csv"] = Field(description="Of which kind the files are.")
    path: Text = Field(
        description="A zip, a folder, or a pattern of which the newest counts.",
        examples=["exports/riverside/oneroster-*.zip"],
    )
    base: Text = _left_out("The bulk export that changes (delta) count from; a path or pattern like `path`.")
    max_age: Minutes = _left_out("An export older than this is not used; 72h when left out.")
    sftp: Sftp = _left_out("The server on which `path` lies; this machine when left out.")


class Sis(Strict):
    """The institution's SIS. Every key but the first five and `roster` overrides the profile."""

    profile: Profile = Field(description="Which kind of SIS this is: a table of defaults.")
    url: Url = _left_out("Address of the SIS; only a roster read from files can do without.")
    roster: RosterSource = _left_out("Roster files instead of the rostering service.")
    client_id: Reference = _left_out("Where the client id is kept.")
    client_secret: Reference = _left_out("Where the client secret is kept.")
    expires: Day = _left_out("When the credential ends; an alarm comes before.")
    version: Literal["1.1", "1.2"] = _left_out(
        "Version of OneRoster, in quotes; brings its paths, scopes and abilities along."
    )
    token_url: TokenUrl = _left_out("Full address of the token endpoint.")
    rostering_url: Url = _left_out("Full base address of the rostering service.")
    gradebook_url: Url = _left_out("Full base address of the gradebook service.")
    token_path: TokenPath = _left_out("Path of the token endpoint below `url`.")
    token_auth: Literal["basic", "form"] = _left_out(
        "How the key is shown to the token endpoint: as a header first, or in the form."
    )
    rostering_path: UrlPath = _left_out("Path of the rostering service below `url`.")
    gradebook_path: UrlPath = _left_out("Path of the gradebook service below `url`.")
    scopes: list[Text] = _left_out("Scopes to ask for, instead of the profile's.", min_length=1)
    write_mode: Literal["put", "post", "server_ids"] = _left_out(
        "How records are created: PUT under our id, POST, or PUT without an id."
    )
    concurrency: int = _left_out("Requests in flight.", ge=1, le=50)
    page_size: int = _left_out("Records per page.", ge=1, le=10000)
    timeout: int = _left_out("Seconds of silence after which an answer is given up.", ge=5, le=240)
    decimals: int = _left_out("Decimal places of a score the SIS keeps.", ge=0, le=6)
    max_title: int = _left_out("Longest title of an assignment, in characters.", ge=8, le=1000)
    unique_titles: bool = _left_out("Whether titles must differ within a class.")
    due_date_as: Literal["utc", "local_midnight_utc"] = _left_out(
        "A due date as its instant, or as the local day for a SIS that keeps dates only."
    )
    score_required: bool = _left_out("Whether every result must have a number.")
    exempt_needs_score: bool = _left_out("Whether an exempt result must have a number, which is then 0.")
    can_flag_missing: bool = _left_out("Whether a result can be flagged missing.")
    can_send_text: bool = _left_out("Whether a result can hold a letter.")
    sends_late: bool = _left_out("Whether results are flagged late.")
    school_required: bool = _left_out("Whether a line item must name its school.")
    omit: list[BodyField] = _left_out("Fields left out of every body.", min_length=1)
    headers: dict[Text, Text] = _left_out(
        "Headers sent with every request; a secret value as env:NAME or file:PATH.",
        examples=[{"X-Vendor-Authorization": "env:SIS_VENDOR_KEY"}],
    )


class Classes(Strict):
    """Globs on class codes."""

    include: list[Text] = _filled(list, description="Only classes whose code matches one of these.")
    exclude: list[Text] = _filled(list, description="Not classes whose code matches one of these.")


class Scope(Strict):
    """What both syncs look at; what is outside is neither sent nor counted as gone."""

    terms: Terms = Field(default="current", description="`current`, `all`, or titles.")
    schools: Schools = Field(default="all", description="`all`, or ids of schools in quotes.")
    classes: Classes = _filled(Classes, description="Classes by code.")


class Contacts(Strict):
    """Who is told, by who must act."""

    sis_admin: Text = _left_out("Runs the SIS.")
    canvas_admin: Text = _left_out("Runs Canvas.")
    admin: Text = _left_out("Owns keys and addresses.")
    support: Text = _left_out("Keeps these files.")
    sis_vendor: Text = _left_out("Supports the SIS.")


class Passback(Strict):
    """Cases the standard leaves open. Every default is the safe one."""

    excused: Literal["withhold", "exempt"] = Field(
        default="withhold", description="An excused student. OneRoster 1.1 can only say 0 and exempt."
    )
    missing: Literal["withhold", "zero", "flag"] = Field(
        default="withhold", description="Work marked missing without a score."
    )
    no_due_date: Literal["withhold", "last_day_of_period"] = Field(
        default="withhold", description="An assignment without a due date."
    )
    category_map: dict[Text, Text] = _filled(
        dict, description="Canvas group name to SIS category title.", examples=[{"Homework": "HW"}]
    )
    default_category: Text = _left_out("Category of groups that match none; without it they are withheld.")
    conflict: Literal["withhold", "canvas_wins"] = Field(
        default="withhold", description="The SIS was edited by hand since we wrote."
    )
    gone_in_sis: Literal["withhold", "relink", "recreate"] = Field(
        default="withhold", description="A record we wrote that is gone in the SIS."
    )
    gone_limit: Percent = _left_out(
        "Share of a class's known records that are recreated at once; never more than 25."
    )
    deletions: Literal["report", "blank", "delete"] = Field(
        default="report",
        description="A score or an assignment that is gone in Canvas after it was sent; full runs only.",
    )
    deletion_limit: int = _left_out("Records that a run may blank or delete.", ge=0, le=100_000)
    long_titles: Literal["withhold", "shorten"] = Field(
        default="withhold", description="A title longer than the SIS shows."
    )
    over_max: Literal["send", "withhold"] = Field(
        default="send", description="A score above the points possible."
    )
    letter_grades: Literal["score", "text", "withhold"] = Field(
        default="score", description="Letter-graded work."
    )
    new_assignments: Literal["with_first_score", "at_once"] = Field(
        default="with_first_score", description="When a new assignment appears in the SIS."
    )


class Limits(Strict):
    """Removals and moves per school that a roster may bring without approval."""

    enrollments: Percent = _left_out("Share of enrollments.")
    users: Percent = _left_out("Share of users.")
    sections: Percent = _left_out("Share of sections.")


class Expected(Strict):
    """A time in which a larger change is expected."""

    name: Text = Field(description="What is expected.")
    start: Day = Field(alias="from", description="First day.")
    until: Day = Field(description="Last day.")
    change_limit: Limits = Field(description="Limits in force in that time.")


class Roster(Strict):
    """How the roster is carried over."""

    change_limit: Limits = _filled(Limits, description="At least 20 records are always allowed.")
    expect: list[Expected] = _filled(list, description="Times of larger changes, such as a new school year.")
    courses: Literal["per_class", "per_course"] = Field(
        default="per_class", description="One Canvas course per class, or per course, school and term."
    )
    terms: Literal["own", "school_year"] = Field(
        default="own", description="A course's Canvas term: its class's own, or the school year."
    )
    accounts: Literal["schools", "tree", "none"] = Field(
        default="schools", description="Sub-accounts: one per school, the SIS's tree of orgs, or none."
    )
    names: Literal["legal", "preferred"] = Field(
        default="legal", description="Which names people have in Canvas."
    )
    logins: Literal["username", "email", "identifier", "id"] = Field(
        default="username", description="The field of the SIS that people log in with."
    )
    emails: Literal["from_sis", "never"] = Field(
        default="from_sis", description="Whether e-mail addresses are sent."
    )
    guardians: Literal["leave_out", "observers"] = Field(
        default="leave_out", description="Whether guardians come to Canvas as observers of their students."
    )
    leavers: Literal["suspend", "keep"] = Field(
        default="suspend", description="What becomes of people whom the SIS disables."
    )
    ended: Literal["inactive", "completed"] = Field(
        default="inactive", description="An enrollment that ended before its term did."
    )
    people: Literal["sis_id", "integration_id"] = Field(
        default="sis_id", description="Which id of a Canvas user holds the SIS's own id."
    )
    cross_list: dict[Text, list[Text]] = _filled(
        dict,
        description="Classes taught together: Canvas course id to ids of classes.",
        examples=[{"BIO-TOGETHER": ["4711", "4712"]}],
    )
    verify: Literal["sample", "full", "off"] = Field(
        default="sample", description="How much of an import is read back from Canvas: some classes, or all."
    )
    remaster_days: int = Field(
        default=7,
        ge=0,
        le=366,
        description="Days after which all rows are applied again, over what was changed in Canvas; 0 for never.",
    )


class Blackout(Strict):
    """A planned window in which nothing starts."""

    name: Text = Field(description="Why.")
    start: Moment = Field(alias="from", description="Local date and time.")
    until: Moment = Field(description="Local date and time, exclusive.")
    schedules: list[Name] = _left_out("Only these schedules; all when left out.", min_length=1)
    time_zone: Zone = _left_out("Zone of the two times; the account's when left out.")


class ScheduleFile(Strict):
    """One standing order."""

    type: Literal["roster import", "grade passback"] = Field(description="SIS to Canvas, or Canvas to SIS.")
    interval: Text = Field(
        description="How often.",
        examples=["daily at 02:00", "every 15 minutes", "weekdays at 06:00", "cron 0 2 * * 1-5", "manual"],
    )
    time_zone: Zone = _left_out("Zone of the interval; the account's when left out.")
    first_run: Text = _left_out(
        "Local date and time: anchor of `every ...`, else earliest run.", examples=["2026-09-01 02:00"]
    )
    posted_by: Text = _left_out(
        "The Canvas admin it acts for: login or numeric id, in quotes.", examples=["sis-admin", "4711"]
    )
    state: Literal["active", "paused", "observe"] = Field(
        default="active", description="`observe` shows what would be written and sends nothing."
    )
    reason: Prose = _left_out("Why it is not active.")
    protect: bool = _left_out("Never retired, not even by consent: merge `protect: false` first.")
    start_within: Minutes = _left_out("A slot later than this is not run.")
    spread: Minutes = _left_out(
        "Starts a fixed number of minutes later, up to this, different for each schedule."
    )


class AccountFile(Strict):
    """One institution: `schedules/<account>.yaml` or `schedules/<group>/<account>.yaml`."""

    account: Name = Field(description="Equals the file's name without its ending.", examples=["riverside"])
    name: Text = _left_out("Display name.")
    time_zone: Zone = Field(description="Default of its schedules.", examples=["America/New_York"])
    canvas: Canvas = Field(description="The institution's Canvas: address and where its token is kept.")
    sis: Sis = Field(description="The institution's SIS: profile, address and where its keys are kept.")
    scope: Scope = _filled(Scope, "What both syncs look at.")
    labels: dict[Name, Text] = _filled(dict, "For filters.", examples=[{"region": "north"}])
    contacts: Contacts = _filled(Contacts, "Addresses of who is told, by who must act.")
    passback: Passback = _filled(Passback, "Rules of grade passbacks.")
    roster: Roster = _filled(Roster, "Rules of roster imports.")
    blackouts: list[Blackout] = _filled(list, description="Planned windows in which nothing starts.")
    schedules: dict[Name, ScheduleFile] = _filled(dict, description="The account's schedules by name.")
    moved: dict[Name, Name] = _filled(
        dict, description="Old name to new name of a schedule; keeps history, holds and ledger."
    )
    moved_from: Name = _left_out("The account's old name; keeps everything on a rename.")
    shared: bool = Field(
        default=False, description="Another account uses the same Canvas, SIS or secret, and says so too."
    )
    state: Literal["active", "paused", "observe", "leaving"] = Field(
        default="active", description="Of all its schedules; `leaving` retires them."
    )
    reason: Prose = _left_out("Why it is not active.")
    protect: bool = _left_out("Default of its schedules: they are never retired while it stands.")


class SafetyLimits(Strict):
    """Retires and mass resumes above these limits are withheld until somebody allows them."""

    account_share: Percent = _left_out("Share of an account's schedules.")
    account_least: int = _left_out("At least this many of an account's schedules.", ge=1)
    all_share: Percent = _left_out("Share of all schedules.")
    all_least: int = _left_out("At least this many of all schedules.", ge=1)
    results_by_hand: int = _left_out("More results than this are not sent by hand without --yes.", ge=1)


class Notice(Strict):
    """One rule: who is told about what, and how."""

    name: Text = _left_out("What this rule is for.")
    channel: Literal["webhook", "email", "slack", "teams"] = Field(description="How.")
    url: Reference = _left_out("Where the channel's address is kept; it is a secret.")
    to: list[Text] = _left_out("Addresses, or keys of `contacts`.", min_length=1)
    on: list[Literal["failed", "warning", "stopped", "recovered", "safety stop", "expires", "problems"]] = (
        _left_out("About what; all when left out.", min_length=1)
    )
    accounts: list[Text] = _left_out("Globs on account names; all when left out.", min_length=1)
    type: Literal["roster import", "grade passback"] = _left_out("Only this sync type.")
    labels: dict[Name, Text] = _left_out("Only accounts with these labels.")


class Person(Strict):
    """Somebody who acts."""

    name: Text = Field(description="Display name.")
    canvas_admin: Text = _left_out("Login or numeric id in Canvas, in quotes.")
    logins: list[Text] = _filled(list, description="Logins of this person on machines and in CI.")
    may: May = _filled(dict, description="What this person may do, and where; nothing when left out.")


class SettingsFile(Strict):
    """`gradesync.yaml` at the top: what only the owner of the tree decides."""

    store: StoreUrl = _left_out("Address of the store; a password only as a reference.")
    lineage: Text = _left_out("The store's lineage, pinned: another store is refused.")
    hosts: list[Host] = _left_out(
        "Hosts that secrets may be sent to; without it only this machine.", min_length=1
    )
    private_hosts: list[Host] = _left_out(
        "Those of them that stand in a private network; any other that leads into one is refused.",
        min_length=1,
    )
    safety: SafetyLimits = _filled(SafetyLimits, "Limits of the guards.")
    blackouts: list[Blackout] = _filled(list, description="Windows for all accounts, in each account's zone.")
    notify: list[Notice] = _filled(list, description="Who is told.")
    keys: Reference = _left_out("Where the key of the ledger's hashes is kept.")
    secrets: SecretsTemplate = _left_out("How secrets are found whose reference an account leaves out.")
    people: dict[Name, Person] = _filled(dict, description="Who acts.")
