"""Rules of `notify`: what is right, and every mistake told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradesync.config.settings import settings_with_problems
from gradesync.domain.alarm import AlarmKind
from gradesync.wiring.notifying import alarm_settings
from tests.config.trees import GOOD, errors, loaded, tree

FULL = """\
notify:
  - name: ops
    channel: slack
    url: env:OPS_SLACK
  - name: schools
    channel: email
    url: file:/run/secrets/mail
    to: [contacts, ops@agency.example]
    on: [key, expires, waiting, recovered]
    who: [sis_admin]
    accounts: [riv*]
    groups: [north]
    labels: {region: north}
    type: grade passback
    after: 3
    remind: 0
    digest: weekdays at 07:30
    quiet_hours: "21:00-06:30"
    time_zone: America/New_York
    urgent_any_time: false
notify_hosts: [mail.agency.example, "*.hooks.example"]
alarms: {waiting_days: 14, late_after: 2h}
ping: env:PING
ping_fail: env:PING_FAIL
"""


def read(tmp_path: Path, text: str) -> list[tuple[str, int, str]]:
    (tmp_path / "gradesync.yaml").write_text(text)
    found = settings_with_problems(tmp_path)
    return [(one.code, one.place.line, one.message) for one in found.problems]


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    assert read(tmp_path, FULL) == []
    settings = settings_with_problems(tmp_path).settings
    assert (settings.ping, settings.ping_fail) == ("env:PING", "env:PING_FAIL")
    assert settings.notify_hosts == ("mail.agency.example", "*.hooks.example")
    made = alarm_settings(settings)
    assert (made.waiting_days, made.late_after and made.late_after.total_seconds()) == (14, 7200)
    ops, schools = made.rules
    assert (ops.to, ops.kinds, ops.recoveries, ops.after, ops.remind) == (
        (),
        frozenset(AlarmKind),
        True,
        1,
        7,
    )
    assert schools.kinds == {AlarmKind.KEY, AlarmKind.EXPIRES, AlarmKind.WAITING}
    assert (schools.recoveries, schools.after, schools.remind, schools.urgent_any_time) == (True, 3, 0, False)
    assert schools.quiet is not None
    assert schools.to == ("contacts", "ops@agency.example")
    assert set(schools.who) == {"sis_admin"}


def test_mail_without_addresses_goes_to_whoever_must_act(tmp_path: Path) -> None:
    read(tmp_path, "notify: [{name: a, channel: email, url: env:X}]\n")
    [rule] = alarm_settings(settings_with_problems(tmp_path).settings).rules
    assert rule.to == ("contacts",)


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        (
            "name: a, channel: slack, url: 'https://hooks.slack.com/services/T/B/x'",
            "GS-107",
            "never written here",
        ),
        ("name: a, channel: slack", "GS-111", "`url` is missing"),
        ("channel: slack, url: env:X", "GS-111", "`name` is missing"),
        ("name: A b, channel: slack, url: env:X", "GS-110", "name"),
        ("name: a, channel: fax, url: env:X", "GS-110", "`channel` cannot be `fax`"),
        ("name: a, channel: slack, url: env:X, on: [fialed]", "GS-110", "fialed"),
        ("name: a, channel: slack, url: env:X, who: [teacher]", "GS-110", "teacher"),
        ("name: a, channel: slack, url: env:X, to: [a@b.example]", "GS-110", "only mail has addresses"),
        ("name: a, channel: email, url: env:X, to: [sis-admin]", "GS-110", "neither a mail address"),
        (
            "name: a, channel: email, url: env:X, to: ['a@b.example,c@d.example']",
            "GS-110",
            "not one mail address",
        ),
        (
            "name: a, channel: email, url: env:X, to: ['a@b.example?smtp=evil.example']",
            "GS-110",
            "not one mail",
        ),
        ("name: a, channel: slack, url: env:X, digest: daily at 07:30", "GS-111", "needs a `time_zone`"),
        ("name: a, channel: slack, url: env:X, quiet_hours: '21:00-06:00'", "GS-111", "needs a `time_zone`"),
        (
            "name: a, channel: slack, url: env:X, quiet_hours: '21:00-25:00', time_zone: UTC",
            "GS-110",
            "two times",
        ),
        (
            "name: a, channel: slack, url: env:X, quiet_hours: '06:00-06:00', time_zone: UTC",
            "GS-110",
            "two times",
        ),
        ("name: a, channel: slack, url: env:X, digest: daly, time_zone: UTC", "GS-104", ""),
        ("name: a, channel: slack, url: env:X, digest: manual, time_zone: UTC", "GS-104", "fixed times"),
        ("name: a, channel: slack, url: env:X, digest: every 5 minutes, time_zone: UTC", "GS-104", ""),
        ("name: a, channel: slack, url: env:X, after: 0", "GS-110", "less than"),
        ("name: a, channel: slack, url: env:X, remind: soon", "GS-110", "whole number"),
    ],
)
def test_a_mistake_in_a_rule_is_told_at_its_place(tmp_path: Path, rule: str, code: str, words: str) -> None:
    found = read(tmp_path, f"hosts: [x.example]\nnotify:\n  - {{{rule}}}\n")
    assert [(one[0], one[1]) for one in found] == [(code, 3)], found
    assert words in found[0][2]


def test_two_rules_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    one = "{name: a, channel: slack, url: env:X}"
    [(code, line, _)] = read(tmp_path, f"notify:\n  - {one}\n  - {one}\n")
    assert (code, line) == ("GS-110", 3)


@pytest.mark.parametrize(
    "text", ["'a@b.example, c@d.example'", "'<a@b.example>'", '"a@b.example\\nBcc: x@y.example"']
)
def test_a_contact_is_one_plain_address_or_a_word(tmp_path: Path, text: str) -> None:
    found = errors(loaded(tree(tmp_path, {"riverside.yaml": GOOD + f"contacts: {{sis_admin: {text}}}\n"})))
    assert [one.code for one in found] == ["GS-110"]
    assert (
        errors(loaded(tree(tmp_path / "b", {"riverside.yaml": GOOD + "contacts: {support: the desk}\n"})))
        == []
    )


def test_a_slip_elsewhere_leaves_the_rules_and_a_slip_in_them_leaves_none(tmp_path: Path) -> None:
    rule = "notify: [{name: a, channel: slack, url: env:X}]\n"
    read(tmp_path, rule + "safety: {all_share: much}\n")
    assert len(settings_with_problems(tmp_path).settings.notify) == 1
    read(tmp_path, rule + "ping: https://hc.example/x\n")
    assert settings_with_problems(tmp_path).settings.notify == ()


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://pages.example.org/north/sync/", "https://pages.example.org/north/sync"),
        ("https://pages.example.org/sync/index.html", "https://pages.example.org/sync"),
        ("https://pages.example.org:8443", "https://pages.example.org:8443"),
        ("https://pages.example.org/a%20b/~x", "https://pages.example.org/a%20b/~x"),
    ],
)
def test_the_pages_address_is_taken(tmp_path: Path, address: str, kept: str) -> None:
    assert read(tmp_path, f"page: {{address: '{address}'}}\n") == []
    assert settings_with_problems(tmp_path).settings.page["address"] == kept


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("http://pages.example.org", "GS-110", "not an https address"),
        ("pages.example.org", "GS-110", "not an https address"),
        ("https://pages.example.org/x?token=1", "GS-110", "ends before"),
        ("https://u:p@pages.example.org/", "GS-107", "no user or password"),
        ("https://pages.example.org/<!channel>", "GS-110", "break a link"),
        ("https://pages.example.org/x*y", "GS-110", "break a link"),
        ("https://pages.example.org/x/../y", "GS-110", "break a link"),
    ],
)
def test_a_pages_address_that_is_no_plain_link_is_told(
    tmp_path: Path, address: str, code: str, words: str
) -> None:
    [(found, line, message)] = read(tmp_path, f"page: {{address: '{address}'}}\n")
    assert (found, line) == (code, 1)
    assert words in message
