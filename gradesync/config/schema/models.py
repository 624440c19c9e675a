"""The shape of account files: every key, its default, and the sentence an editor shows.

Only shapes live here. What concerns two keys at once is in `checks`, what concerns two files in `loader`.
Every policy's default is the safe one (DESIGN.md 3) and equals that of the domain's own types.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gradesync.config.schema.addresses import CanvasUrl, HostKey, Server, TokenUrl, Url
from gradesync.config.schema.fields import (
    BodyField,
    Contact,
    Day,
    Minutes,
    Moment,
    Name,
    Percent,
    Profile,
    Prose,
    Reference,
    Schools,
    Terms,
    Text,
    TokenPath,
    UrlPath,
    Zone,
)  # fmt: skip


def left_out(description: str, **more: Any) -> Any:
    """A key that may be left out but not left empty: `key:` alone is more often a slip than a wish."""
    return Field(default=None, description=description, **more)


def filled(kind: type[Any], description: str, **more: Any) -> Any:
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

    url: CanvasUrl = Field(description="Address of the Canvas root account, without the path of a page.")
    token: Reference = left_out(
        "Where the access token is kept: env:NAME or file:PATH, never the token itself."
    )
    expires: Day = left_out("When the token ends; an alarm comes before.")
    concurrency: int = left_out("Requests in flight.", ge=1, le=20)
    page_size: int = left_out("Records per page.", ge=10, le=100)


class Sftp(Strict):
    """The SFTP server on which the SIS leaves its roster files."""

    host: Server = Field(description="Name of the server; `hosts` in gradesync.yaml must list it.")
    port: int = left_out("Its port; 22 when left out.", ge=1, le=65535)
    user: Text = Field(description="Who logs in.")
    host_key: HostKey = Field(
        description="The server's key: its SHA256 fingerprint, or its known_hosts line."
    )
    password: Reference = left_out("Where the password is kept; instead of a private key.")
    private_key: Reference = left_out("Where the private key is kept, in OpenSSH or PEM form.")
    passphrase: Reference = left_out("Where the private key's passphrase is kept.")


class RosterSource(Strict):
    """Roster files the SIS exports, instead of its REST service; grades still go to the service."""

    format: Literal["oneroster csv", "canvas csv"] = Field(description="Of which kind the files are.")
    path: Text = Field(
        description="A zip, a folder, or a pattern of which the newest counts.",
        examples=["exports/riverside/oneroster-*.zip"],
    )
    base: Text = left_out("The bulk export that changes (delta) count from; a path or pattern like `path`.")
    max_age: Minutes = left_out("An export older than this is not used; 72h when left out.")
    sftp: Sftp = left_out("The server on which `path` lies; this machine when left out.")


class Sis(Strict):
    """The institution's SIS. Every key but the first five and `roster` overrides the profile."""

    profile: Profile = Field(description="Which kind of SIS this is: a table of defaults.")
    url: Url = left_out("Address of the SIS; only a roster read from files can do without.")
    roster: RosterSource = left_out("Roster files instead of the rostering service.")
    client_id: Reference = left_out("Where the client id is kept.")
    client_secret: Reference = left_out("Where the client secret is kept.")
    expires: Day = left_out("When the credential ends; an alarm comes before.")
    version: Literal["1.1", "1.2"] = left_out(
        "Version of OneRoster, in quotes; brings its paths, scopes and abilities along."
    )
    token_url: TokenUrl = left_out("Full address of the token endpoint.")
    rostering_url: Url = left_out("Full base address of the rostering service.")
    gradebook_url: Url = left_out("Full base address of the gradebook service.")
    token_path: TokenPath = left_out("Path of the token endpoint below `url`.")
    token_auth: Literal["basic", "form"] = left_out(
        "How the key is shown to the token endpoint: as a header first, or in the form."
    )
    rostering_path: UrlPath = left_out("Path of the rostering service below `url`.")
    gradebook_path: UrlPath = left_out("Path of the gradebook service below `url`.")
    scopes: list[Text] = left_out("Scopes to ask for, instead of the profile's.", min_length=1)
    write_mode: Literal["put", "post", "server_ids"] = left_out(
        "How records are created: PUT under our id, POST, or PUT without an id."
    )
    concurrency: int = left_out("Requests in flight.", ge=1, le=50)
    page_size: int = left_out("Records per page.", ge=1, le=10000)
    timeout: int = left_out("Seconds of silence after which an answer is given up.", ge=5, le=240)
    decimals: int = left_out("Decimal places of a score the SIS keeps.", ge=0, le=6)
    max_title: int = left_out("Longest title of an assignment, in characters.", ge=8, le=1000)
    unique_titles: bool = left_out("Whether titles must differ within a class.")
    due_date_as: Literal["utc", "local_midnight_utc"] = left_out(
        "A due date as its instant, or as the local day for a SIS that keeps dates only."
    )
    score_required: bool = left_out("Whether every result must have a number.")
    exempt_needs_score: bool = left_out("Whether an exempt result must have a number, which is then 0.")
    can_flag_missing: bool = left_out("Whether a result can be flagged missing.")
    can_send_text: bool = left_out("Whether a result can hold a letter.")
    sends_late: bool = left_out("Whether results are flagged late.")
    school_required: bool = left_out("Whether a line item must name its school.")
    omit: list[BodyField] = left_out("Fields left out of every body.", min_length=1)
    headers: dict[Text, Text] = left_out(
        "Headers sent with every request; a secret value as env:NAME or file:PATH.",
        examples=[{"X-Vendor-Authorization": "env:SIS_VENDOR_KEY"}],
    )


class Classes(Strict):
    """Globs on class codes."""

    include: list[Text] = filled(list, description="Only classes whose code matches one of these.")
    exclude: list[Text] = filled(list, description="Not classes whose code matches one of these.")


class Scope(Strict):
    """What both syncs look at; what is outside is neither sent nor counted as gone."""

    terms: Terms = Field(default="current", description="`current`, `all`, or titles.")
    schools: Schools = Field(default="all", description="`all`, or ids of schools in quotes.")
    classes: Classes = filled(Classes, description="Classes by code.")


class Contacts(Strict):
    """Who is told, by who must act: a mail address, or a word for people to read."""

    sis_admin: Contact = left_out("Runs the SIS.")
    canvas_admin: Contact = left_out("Runs Canvas.")
    admin: Contact = left_out("Owns keys and addresses.")
    support: Contact = left_out("Keeps these files.")
    sis_vendor: Contact = left_out("Supports the SIS.")


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
    category_map: dict[Text, Text] = filled(
        dict, description="Canvas group name to SIS category title.", examples=[{"Homework": "HW"}]
    )
    default_category: Text = left_out("Category of groups that match none; without it they are withheld.")
    conflict: Literal["withhold", "canvas_wins"] = Field(
        default="withhold", description="The SIS was edited by hand since we wrote."
    )
    gone_in_sis: Literal["withhold", "relink", "recreate"] = Field(
        default="withhold", description="A record we wrote that is gone in the SIS."
    )
    gone_limit: Percent = left_out(
        "Share of a class's known records that are recreated at once; never more than 25."
    )
    deletions: Literal["report", "blank", "delete"] = Field(
        default="report",
        description="A score or an assignment that is gone in Canvas after it was sent; full runs only.",
    )
    deletion_limit: int = left_out("Records that a run may blank or delete.", ge=0, le=100_000)
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

    enrollments: Percent = left_out("Share of enrollments.")
    users: Percent = left_out("Share of users.")
    sections: Percent = left_out("Share of sections.")


class Expected(Strict):
    """A time in which a larger change is expected."""

    name: Text = Field(description="What is expected.")
    start: Day = Field(alias="from", description="First day.")
    until: Day = Field(description="Last day.")
    change_limit: Limits = Field(description="Limits in force in that time.")


class Roster(Strict):
    """How the roster is carried over."""

    change_limit: Limits = filled(Limits, description="At least 20 records are always allowed.")
    expect: list[Expected] = filled(list, description="Times of larger changes, such as a new school year.")
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
    cross_list: dict[Text, list[Text]] = filled(
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
    schedules: list[Name] = left_out("Only these schedules; all when left out.", min_length=1)
    time_zone: Zone = left_out("Zone of the two times; the account's when left out.")


class ScheduleFile(Strict):
    """One standing order."""

    type: Literal["roster import", "grade passback"] = Field(description="SIS to Canvas, or Canvas to SIS.")
    interval: Text = Field(
        description="How often.",
        examples=["daily at 02:00", "every 15 minutes", "weekdays at 06:00", "cron 0 2 * * 1-5", "manual"],
    )
    time_zone: Zone = left_out("Zone of the interval; the account's when left out.")
    first_run: Text = left_out(
        "Local date and time: anchor of `every ...`, else earliest run.", examples=["2026-09-01 02:00"]
    )
    posted_by: Text = left_out(
        "The Canvas admin it acts for: login or numeric id, in quotes.", examples=["sis-admin", "4711"]
    )
    state: Literal["active", "paused", "observe"] = Field(
        default="active", description="`observe` shows what would be written and sends nothing."
    )
    reason: Prose = left_out("Why it is not active.")
    protect: bool = left_out("Never retired, not even by consent: merge `protect: false` first.")
    start_within: Minutes = left_out("A slot later than this is not run.")
    spread: Minutes = left_out(
        "Starts a fixed number of minutes later, up to this, different for each schedule."
    )


class AccountFile(Strict):
    """One institution: `schedules/<account>.yaml` or `schedules/<group>/<account>.yaml`."""

    account: Name = Field(description="Equals the file's name without its ending.", examples=["riverside"])
    name: Text = left_out("Display name.")
    time_zone: Zone = Field(description="Default of its schedules.", examples=["America/New_York"])
    canvas: Canvas = Field(description="The institution's Canvas: address and where its token is kept.")
    sis: Sis = Field(description="The institution's SIS: profile, address and where its keys are kept.")
    scope: Scope = filled(Scope, "What both syncs look at.")
    labels: dict[Name, Text] = filled(dict, "For filters.", examples=[{"region": "north"}])
    contacts: Contacts = filled(Contacts, "Addresses of who is told, by who must act.")
    passback: Passback = filled(Passback, "Rules of grade passbacks.")
    roster: Roster = filled(Roster, "Rules of roster imports.")
    blackouts: list[Blackout] = filled(list, description="Planned windows in which nothing starts.")
    schedules: dict[Name, ScheduleFile] = filled(dict, description="The account's schedules by name.")
    moved: dict[Name, Name] = filled(
        dict, description="Old name to new name of a schedule; keeps history, holds and ledger."
    )
    moved_from: Name = left_out("The account's old name; keeps everything on a rename.")
    shared: bool = Field(
        default=False, description="Another account uses the same Canvas, SIS or secret, and says so too."
    )
    state: Literal["active", "paused", "observe", "leaving"] = Field(
        default="active", description="Of all its schedules; `leaving` retires them."
    )
    reason: Prose = left_out("Why it is not active.")
    protect: bool = left_out("Default of its schedules: they are never retired while it is true.")
