"""Channels over real sockets on this machine: what arrives, what is refused, and that no address is ever told."""

from __future__ import annotations

import logging
import smtplib
from dataclasses import replace

import pytest

from gradesync.connectors.hooks import Hooks
from gradesync.domain.alarm import Message, Where
from gradesync.domain.alarm_trouble import Trouble, read_trouble
from gradesync.errors import ConnectionProblem, NotSent
from gradesync.notify.sender import Sender
from tests.notify.samples import T0, failed, key_cause, message, raised, rule
from tests.notify.sinks import Hook, Mailbox, http_sink

NEWS = message(raised(key_cause()), raised(failed(run="c0ffee")))
SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS = (
    "https://prod-1.westus.logic.azure.com:443/workflows/643e69f83c8944/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=KODuebWbDGYFr0z0eu"
)


class Kept:
    """Secrets of one value."""

    def __init__(self, value: str) -> None:
        self.kept = value

    def value(self, reference: str, account: str, name: str) -> str:
        if not self.kept:
            raise ConnectionProblem(f"{name}: nothing is found at {reference}", code="GS-207", hint="set it")
        return self.kept


def send(channel: str, address: str, news: Message = NEWS, hosts: tuple[str, ...] = ()) -> None:
    Sender(Kept(address), Hooks(), hosts=hosts).send(rule(channel=channel), news)


def test_a_webhook_gets_facts_for_programs_and_a_text_for_chats(hook: Hook) -> None:
    send("webhook", hook.url())
    [body] = hook.bodies
    assert (body["kind"], body["version"], body["test"]) == ("alarms", 1, False)
    assert "riverside: Canvas refuses our key (GS-201)" in body["text"]
    first = body["letters"][0]
    assert {key: first[key] for key in ("news", "kind", "account", "code", "who", "urgent", "since")} == {
        "news": "raised",
        "kind": "key",
        "account": "riverside",
        "code": "GS-201",
        "who": "Canvas admin",
        "urgent": True,
        "since": "2027-03-01T12:00:00Z",
    }
    assert first["command"] == "gradesync show riverside"


def test_a_mail_goes_to_each_address_alone_as_plain_text(box: Mailbox) -> None:
    send("email", box.url(), replace(NEWS, to=("sis@x.example", "lms@y.example")))
    assert box.recipients == ["lms@y.example", "sis@x.example"]
    for to, mail in box.mails:
        assert len(to) == 1
        assert mail["to"] == to[0]
        assert mail["subject"] == "gradesync: 2 new"
        assert mail["from"] == "alarms@gradesync.example"
        assert mail.get_content_type() == "text/plain"
        assert "Canvas refuses our key (GS-201)" in mail.get_content()  # type: ignore[attr-defined]  # an EmailMessage


def test_a_mail_that_a_mailbox_refuses_was_not_sent(box: Mailbox) -> None:
    box.refused.add("sis@x.example")
    with pytest.raises(NotSent, match="the mail server refused a recipient") as refused:
        send("email", box.url(), replace(NEWS, to=("sis@x.example",)))
    assert "sis@x.example" not in f"{refused.value} {refused.value.hint}"


def test_slack_gets_its_own_kind_of_message(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.slack import NotifySlack

    # Its host is a constant of the library; here it is this machine.
    monkeypatch.setattr(NotifySlack, "webhook_url", hook.url("/services"))
    send("slack", SLACK)
    [(method, path, _)] = hook.requests
    assert (method, path) == ("POST", "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    [attachment] = hook.bodies[0]["attachments"]
    assert attachment["title"] == "gradesync: 2 new"
    assert "GS-201" in attachment["text"]
    assert hook.bodies[0]["mrkdwn"] is False


def test_a_teams_address_is_understood_and_goes_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    posted: list[tuple[str, object, dict[str, object]]] = []

    class Answer:
        status_code = 202
        content = b""

    def post(url: str, data: object, **more: object) -> Answer:
        posted.append((url, data, more))
        return Answer()

    # Teams speaks https only, and a certificate for its host is nobody's here: the last step is looked at instead.
    monkeypatch.setattr("apprise.plugins.workflows.requests.post", post)
    monkeypatch.setattr(Hooks, "judge", lambda _, host, port: asked.append((host, port)))
    send("teams", TEAMS + "&verify=no&redirect=yes&rto=9999")
    [(url, data, more)] = posted
    assert url.startswith("https://prod-1.westus.logic.azure.com:443/workflows/643e69f83c8944/")
    assert "GS-201" in str(data)
    assert (more["verify"], more["allow_redirects"], more["timeout"]) == (True, False, (10.0, 20.0))
    assert asked == [("prod-1.westus.logic.azure.com", 443)]


def test_another_chat_on_an_own_server(hook: Hook) -> None:
    send("apprise", f"mmost://127.0.0.1:{hook.port}/s3cr3t-token")
    assert "GS-201" in hook.bodies[0]["text"]


BAD = [
    ("webhook", "http://hooks.example/x", (), "not an https address"),
    ("webhook", "https://user:pw@hooks.slack.com/x", (), "not an https address"),
    ("webhook", "https://evil.example/s3cr3t", (), "not allowed"),
    ("webhook", "https://10.0.0.7/s3cr3t", ("10.0.0.7",), "private network"),
    ("webhook", "https://169.254.169.254/s3cr3t", ("*.254",), "no server of a school"),
    ("webhook", "https://[::ffff:127.0.0.1]/s3cr3t", ("::ffff:127.0.0.1",), "private network"),
    ("webhook", "http://127.evil.example/s3cr3t", (), "not an https address"),
    ("webhook", "https://127.0.0.1.evil.example/s3cr3t", (), "not allowed"),
    ("apprise", "json://127.evil.example/s3cr3t", (), "not allowed"),
    ("webhook", r"https://evil.example\.webhook.office.com/s3cr3t", (), "not an https address"),
    ("webhook", "s3cr3t", (), "not an https address"),
    ("apprise", "json://10.0.0.7/s3cr3t", ("10.0.0.7",), "not encrypted"),
    ("apprise", "jsons://10.0.0.7/s3cr3t", ("10.0.0.7",), "private network"),
    ("apprise", "jsons://evil.example/s3cr3t", (), "not allowed"),
    ("email", "mailtos://u:s3cr3t@evil.example?from=a@evil.example", (), "not allowed"),
    ("email", "mailto://u:s3cr3t@smtp.gmail.com?from=a@b.example", (), "not encrypted"),
    (
        "email",
        "mailtos://u:s3cr3t@x.example?smtp=evil.example&from=a@x.example",
        ("x.example",),
        "not allowed",
    ),
    ("slack", "mmost://127.0.0.1:1/s3cr3t", (), "not one of `channel: slack`"),
    ("teams", SLACK, (), "not one of `channel: teams`"),
    ("apprise", "s3cr3t", (), "none of a service"),
    *(
        ("apprise", f"{scheme}://s3cr3t", (), "none of a service")
        for scheme in (
            "file",
            "exec",
            "script",
            "python",
            "dbus",
            "glib",
            "syslog",
            "windows",
            "macosx",
            "gnome",
        )
    ),
    ("email", "mailtos://u:s3cr3t@smtp.gmail.com?from=a@gmail.com&wkd=yes", (), "option `wkd`"),
    ("teams", TEAMS + "&T%65mplate=file:///etc/evil", (), "option `template`"),
    ("teams", TEAMS + "&a=1;template=file:///etc/evil", (), "option `template`"),
    ("teams", TEAMS + "&a=1&%20template=file:///etc/evil", (), "option `template`"),
    ("email", "mailtos://u:s3cr3t%3Fx@smtp.gmail.com?wkd=yes", (), "option `wkd`"),
    ("apprise", "twilio://s3cr3t:x@+15551235555", (), "none of a service"),
]


@pytest.mark.parametrize(("channel", "address", "hosts", "why"), BAD)
def test_an_address_that_may_not_be_is_refused_and_never_told(
    channel: str, address: str, hosts: tuple[str, ...], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(NotSent, match=why) as refused:
        send(channel, address, hosts=hosts)
    said = f"{refused.value} {refused.value.hint} {caplog.text}"
    assert "s3cr3t" not in said
    assert "evil" not in said


def test_an_own_mail_server_in_a_private_network_needs_the_owners_word() -> None:
    address = "mailtos://u:s3cr3t@10.0.0.7?from=a@b.example"
    with pytest.raises(NotSent, match="private network"):
        send("email", address, hosts=("10.0.0.7",))
    Hooks(("10.0.0.7",)).judge("10.0.0.7", 587)


@pytest.mark.parametrize("channel", ["webhook", "apprise", "slack"])
@pytest.mark.parametrize(("status", "words"), [(404, "404"), (500, "500"), (302, "302")])
def test_a_channel_that_refuses_says_so_without_its_address(
    channel: str,
    status: int,
    words: str,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", hook.url("/services"))
    address = {
        "webhook": hook.url(),
        "apprise": f"json://127.0.0.1:{hook.port}/s3cr3t-path?redirect=yes",
        "slack": f"{SLACK}?redirect=yes",
    }[channel]
    hook.status, hook.location = status, hook.url("/elsewhere")
    with caplog.at_level(logging.DEBUG), pytest.raises(NotSent, match=words) as refused:
        send(channel, address)
    assert [path for _, path, _ in hook.requests if path == "/elsewhere"] == []
    said = f"{refused.value} {refused.value.hint} {caplog.text}"
    assert not any(secret in said for secret in ("s3cr3t", "TIiajkdnlazkcOXrIdevi7FQ", str(hook.port)))


def test_a_channel_nobody_answers_at() -> None:
    with http_sink() as gone:
        address = gone.url()
    for channel, there in (
        ("webhook", address),
        ("apprise", address.replace("http:", "json:")),
        ("email", f"mailto://127.0.0.1:{gone.port}?from=a@b.example"),
    ):
        with pytest.raises(NotSent, match="nothing listens at its host and port") as refused:
            send(channel, there)
        assert str(gone.port) not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("webhook", "https://s3cr3t.invalid/x"),
        ("apprise", "jsons://s3cr3t.invalid/x"),
        ("email", "mailtos://u:s3cr3t@s3cr3t.invalid?from=a@b.example"),
    ],
)
def test_a_host_whose_name_leads_nowhere_is_told_apart(
    channel: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known: s3cr3t.invalid")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSent, match="its host's name leads nowhere") as refused:
        send(channel, address, hosts=("s3cr3t.invalid",))
    assert "s3cr3t" not in f"{refused.value} {refused.value.hint}"


def test_a_mail_server_that_knows_no_login_says_so(box: Mailbox) -> None:
    with pytest.raises(NotSent, match="the mail server does not take the user and password"):
        send("email", box.url().replace("mailto://", "mailto://u:s3cr3t@"))


@pytest.mark.parametrize(
    ("trouble", "text"),
    [
        (Trouble.LOGIN, str(smtplib.SMTPAuthenticationError(535, b"5.7.8 Bad login of a@b.example"))),
        (Trouble.RECIPIENT, str(smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"no such user")}))),
        (Trouble.SENDER, str(smtplib.SMTPSenderRefused(553, b"not yours", "a@b.example"))),
        (Trouble.CLOSED, str(ConnectionRefusedError(111, "Connection refused"))),
        (Trouble.SILENT, str(TimeoutError("timed out"))),
        (
            Trouble.CERTIFICATE,
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: expired (_ssl.c:1)",
        ),
        (Trouble.TLS, "STARTTLS extension not supported by server."),
        (Trouble.TLS, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"),
        (Trouble.NAME, "HTTPSConnectionPool(host='x'): ... NameResolutionError(\"Failed to resolve 'x'\")"),
        (None, "something new about a@b.example"),
    ],
)
def test_what_a_library_says_becomes_one_of_a_few_sentences(trouble: Trouble | None, text: str) -> None:
    assert read_trouble(text) is trouble


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "`channel`"),
        (403, "refuses"),
        (404, "does not know"),
        (429, "later"),
        (503, "in trouble"),
        (302, "redirects"),
    ],
)
def test_each_refusing_answer_says_what_to_do(status: int, words: str, hook: Hook) -> None:
    hook.status = status
    for channel, address in (("webhook", hook.url()), ("apprise", f"json://127.0.0.1:{hook.port}/s3cr3t")):
        with pytest.raises(NotSent, match=str(status)) as refused:
            send(channel, address)
        assert words in str(refused.value.hint)


def test_a_service_that_breaks_in_the_library_tells_no_address(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from apprise.plugins.slack import NotifySlack

    def broken(*_: object, **__: object) -> bool:
        raise AttributeError(SLACK)

    monkeypatch.setattr(NotifySlack, "send", broken)
    with pytest.raises(NotSent, match="did not take"):
        send("slack", SLACK)
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in "".join(capfd.readouterr())


def test_a_name_that_is_this_machine_by_a_resolver_only_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    # What a name server of an attacker would answer.
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", 443))])
    with pytest.raises(NotSent, match="private network"):
        Hooks().judge("hooks.slack.com", 443)


def test_a_secret_that_is_not_there_is_told_by_its_reference() -> None:
    with pytest.raises(NotSent, match="nothing is found at env:HOOK"):
        send("webhook", "")


def test_without_the_library_a_plain_webhook_still_works(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "apprise", None)
    send("webhook", hook.url())
    assert len(hook.requests) == 1
    with pytest.raises(NotSent, match="not installed here") as refused:
        send("slack", SLACK)
    assert "gradesync[notify]" in str(refused.value.hint)


def test_the_ping_is_a_get_after_a_good_pass_and_another_after_a_bad_one(hook: Hook) -> None:
    def ping(address: str | None, fail: str | None, *, good: bool) -> None:
        sender = Sender(Kept(hook.url()), Hooks(), ping=address, ping_fail=fail)
        sender.ping(good=good)

    ping("env:PING", None, good=True)
    ping("env:PING", None, good=False)
    ping(None, None, good=True)
    assert [(method, path) for method, path, _ in hook.requests] == [("GET", "/hook/s3cr3t-path")]
    ping(None, "env:FAIL", good=False)
    assert len(hook.requests) == 2


def test_each_shard_pings_an_address_of_its_own_where_the_address_has_a_place_for_it(hook: Hook) -> None:
    for shard, address in ((2, "/ping-{shard}/fail"), (0, "/ping-{shard}"), (3, "/ping")):
        kept = Kept(hook.url(address))
        Sender(kept, Hooks(), ping="env:PING", shard=shard).ping(good=True)
    assert [path for _, path, _ in hook.requests] == ["/ping-2/fail", "/ping-all", "/ping"]
    # What stands for the shard is no way to another host.
    with pytest.raises(NotSent, match="not allowed"):
        Sender(Kept("https://{shard}.evil.example/x"), Hooks(), ping="env:PING", shard=2).ping(good=True)


def test_a_ping_goes_only_where_alarms_may() -> None:
    with pytest.raises(NotSent, match="not allowed"):
        Sender(Kept("https://evil.example/x"), Hooks(), ping="env:PING").ping(good=True)


def test_a_test_message_says_that_nothing_is_the_matter(hook: Hook) -> None:
    send("webhook", hook.url(), Message(T0, (), test=True))
    assert hook.bodies[0]["test"] is True
    assert "nothing is the matter" in hook.bodies[0]["text"]


def test_a_webhook_gets_the_addresses_to_look_at(hook: Hook) -> None:
    where = Where("https://ci.example/job/1", "https://pages.example.org/sync")
    Sender(Kept(hook.url()), Hooks(), where=where).send(rule(), NEWS)
    Sender(Kept(hook.url()), Hooks(), where=where).send(
        rule(), message(raised(failed("oak")), raised(failed()))
    )
    send("webhook", hook.url())
    one, two, none = hook.bodies
    mine = "https://pages.example.org/sync/accounts/riverside/index.html"
    assert (one["run_url"], one["page_url"]) == ("https://ci.example/job/1", mine)
    assert one["text"].endswith(f"Page: {mine}\nCI job: https://ci.example/job/1")
    assert two["page_url"] == "https://pages.example.org/sync"
    assert {each["account"]: each["page_url"] for each in two["letters"]}["riverside"] == mine
    assert (none["run_url"], none["page_url"], none["letters"][0]["page_url"]) == (None, None, None)
