"""The shape of gradesync.yaml: what only the owner of the tree decides. Only shapes live here, as in `models`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gradesync.config.schema.addresses import Host, PageUrl, SourceUrl
from gradesync.config.schema.fields import (
    Contact,
    May,
    Minutes,
    Name,
    Percent,
    QuietHours,
    Reference,
    SecretsTemplate,
    StoreUrl,
    Text,
    Zone,
)  # fmt: skip
from gradesync.config.schema.models import Blackout, Strict, filled, left_out


class SafetyLimits(Strict):
    """Retires and mass resumes above these limits are withheld until somebody allows them."""

    account_share: Percent = left_out("Share of an account's schedules.")
    account_least: int = left_out("At least this many of an account's schedules.", ge=1)
    all_share: Percent = left_out("Share of all schedules.")
    all_least: int = left_out("At least this many of all schedules.", ge=1)
    results_by_hand: int = left_out("More results than this are not sent by hand without --yes.", ge=1)


class Notice(Strict):
    """One rule: who is told about what, when, and how."""

    name: Name = Field(
        description="Its name, for `notify test --to`; a new name is a new rule.", examples=["ops"]
    )
    channel: Literal["webhook", "email", "slack", "teams", "apprise"] = Field(description="How.")
    url: Reference = Field(description="Where the channel's address is kept; it is a secret.")
    to: list[Contact] = left_out(
        "Of mail only: addresses, keys of `contacts`, or `contacts` for whoever must act (the default).",
        min_length=1,
    )
    on: list[
        Literal[
            "failed",
            "key",
            "expires",
            "hold",
            "breaker",
            "brake",
            "safety stop",
            "problems",
            "waiting",
            "overdue",
            "late",
            "recovered",
        ]
    ] = left_out("About what; all when left out.", min_length=1)
    who: list[Literal["sis_admin", "canvas_admin", "admin", "support", "sis_vendor"]] = left_out(
        "Only what these must act on.", min_length=1
    )
    accounts: list[Text] = left_out("Globs on account names; all when left out.", min_length=1)
    groups: list[Text] = left_out("Only accounts of these groups.", min_length=1)
    type: Literal["roster import", "grade passback"] = left_out("Only this sync type.")
    labels: dict[Name, Text] = left_out("Only accounts with these labels.")
    after: int = left_out("Tell a failure only from so many failed runs in a row on; 1.", ge=1, le=20)
    remind: int = left_out(
        "Days after which what is still wrong is told again; 7, 0 for never.", ge=0, le=366
    )
    digest: Text = left_out(
        "Collect, and tell at these times only.", examples=["daily at 07:30", "weekdays at 07:30"]
    )
    quiet_hours: QuietHours = left_out("Nothing is told in them, and nothing is lost.")
    time_zone: Zone = left_out("Zone of `digest`, `quiet_hours` and the times in messages.")
    urgent_any_time: bool = left_out(
        "Whether dead keys, the brake, safety stops and missing passes are told at any time; true."
    )


class Alarms(Strict):
    """From when on something deserves an alarm."""

    waiting_days: int = left_out("Days that records wait before somebody is told; 7.", ge=1, le=366)
    late_after: Minutes = left_out("Time without a pass; three times the usual one when left out.")


class PageKeys(Strict):
    """What the page is made with, and where it is published."""

    source: SourceUrl = left_out("Where the tree's files can be seen: lines of files become links.")
    address: PageUrl = left_out("Where the page of all accounts is published: alarms end with links to it.")


class Person(Strict):
    """Somebody who acts."""

    name: Text = Field(description="Display name.")
    canvas_admin: Text = left_out("Login or numeric id in Canvas, in quotes.")
    logins: list[Text] = filled(list, description="Logins of this person on machines and in CI.")
    may: May = filled(dict, description="What this person may do, and where; nothing when left out.")


class SettingsFile(Strict):
    """`gradesync.yaml` at the top: what only the owner of the tree decides."""

    store: StoreUrl = left_out("Address of the store; a password only as a reference.")
    lineage: Text = left_out("The store's lineage, pinned: another store is refused.")
    hosts: list[Host] = left_out(
        "Hosts that secrets may be sent to; without it only this machine.", min_length=1
    )
    private_hosts: list[Host] = left_out(
        "Those of them that are in a private network; any other that leads into one is refused.",
        min_length=1,
    )
    safety: SafetyLimits = filled(SafetyLimits, "Limits of the guards.")
    blackouts: list[Blackout] = filled(list, description="Windows for all accounts, in each account's zone.")
    notify: list[Notice] = filled(list, description="Who is told.")
    notify_hosts: list[Host] = left_out(
        "Hosts that alarms may be sent to, besides those of well-known services.", min_length=1
    )
    alarms: Alarms = filled(Alarms, "How long something may last before it deserves an alarm.")
    ping: Reference = left_out("Where the address is kept that is called after each good pass.")
    ping_fail: Reference = left_out("Where the address is kept that is called after a pass that is not.")
    page: PageKeys = filled(PageKeys, "What `gradesync page` is made with, and where it is published.")
    keys: Reference = left_out("Where the key of the ledger's hashes is kept.")
    secrets: SecretsTemplate = left_out("How secrets are found whose reference an account leaves out.")
    people: dict[Name, Person] = filled(dict, description="Who acts.")
