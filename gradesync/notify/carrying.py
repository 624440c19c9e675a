"""Hands a message to apprise: one service at a time, silenced, with a time limit, and nowhere it may not go.

The library is imported inside the function, because few commands send anything. Its log would hold addresses, and they
are secrets: it is kept quiet, and of what it would say only an HTTP status is taken.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from gradesync.domain.alarm import Message, News
from gradesync.domain.alarm_trouble import HINTS, Trouble, hint_of_status, read_trouble
from gradesync.domain.documents import in_docs
from gradesync.errors import NotSent
from gradesync.notify import targets, words

CONNECT, READ, WHOLE = 10.0, 20.0, 60.0
"""Seconds for a connection, for a silence, and for a whole message."""

_FORMS = {
    "slack": "https://hooks.slack.com/services/ and three parts",
    "teams": "https://, a host of logic.azure.com or powerplatform.com, and all that follows `?`",
    "email": "mailtos://user:password@mail.example:587?from=alarms@mail.example",
}

_EXAMPLES = f"{in_docs('alarms')} has examples"

_STATUS = re.compile(r"error[ =:]+(\d{3})\b")
_WHY = "Socket Exception:"
"""Before the text of an error, in the library's log for developers."""

_QUIET = ("apprise", "urllib3", "requests")

_ITS_ERRORS = (
    *(OSError, ValueError, TypeError, LookupError, RuntimeError, AttributeError),
    *(ArithmeticError, AssertionError, ImportError, EOFError),
)

Judge = Callable[[str, int], None]
"""Raises NotSent for a host that leads into a network it may not."""


def carry(channel: str, url: str, message: Message, hosts: Iterable[str], judge: Judge) -> None:
    """Send the message to the one service the address names. Raises NotSent, whose text holds no address."""
    apprise = _library(channel)
    scheme = url.partition(":")[0].lower()
    if scheme not in targets.SCHEMES:
        raise _no_address(channel)
    targets.check_options(url)
    with _silent() as said:
        service = _service(apprise, channel, url)
        _check(channel, service, hosts, judge)
        if message.to:
            service.targets = [(False, address) for address in message.to]
        sent = _within(WHOLE, lambda: _sent(apprise, service, message))
    if not sent:
        raise _refused(channel, said)


def _library(channel: str) -> Any:
    try:
        import apprise
    except ModuleNotFoundError:
        raise NotSent(
            f"`channel: {channel}` needs what is not installed here",
            hint="install gradesync[notify]; `channel: webhook` does without",
        ) from None
    return apprise


def _service(apprise: Any, channel: str, url: str) -> Any:
    asset = apprise.AppriseAsset(
        app_id="gradesync",
        app_desc="gradesync",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        http_redirects=False,
        secure_logging=True,
        plugin_paths=[],
    )
    with warnings.catch_warnings():
        # It loads all its services now, and some of what they need is deprecated in Python.
        warnings.simplefilter("ignore")
        made = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if made is None:
        raise _no_address(channel)
    return made


def _no_address(channel: str) -> NotSent:
    # A cut-off secret, or the secret of something else, is the usual slip, so its form is shown.
    what = "of a service that is used" if channel == "apprise" else f"of `channel: {channel}`"
    form = _FORMS.get(channel, _EXAMPLES)
    return NotSent(
        f"the address that is kept is none {what}", hint=f"write it as the service gives it: {form}"
    )


def _check(channel: str, service: Any, hosts: Iterable[str], judge: Judge) -> None:
    """Raises NotSent unless the service is one of the channel's, encrypted, and at an allowed host."""
    name = type(service).__name__
    if name not in targets.EXPECTED.get(channel, tuple(targets.SERVICES)) or name not in targets.SERVICES:
        raise NotSent(
            f"the address is not one of `channel: {channel}`",
            hint=f"write it as the service gives it: {_FORMS.get(channel, _EXAMPLES)}",
        )
    attribute = targets.SERVICES[name]
    host = str(getattr(service, attribute) or "") if attribute is not None else ""
    if attribute is not None:
        targets.check_host(host, hosts)
        encrypted = name in targets.ALWAYS_TLS or bool(service.secure)
        if name == "NotifyEmail":
            encrypted = str(service.secure_mode) != "insecure"
        if not encrypted and not targets.is_loopback(host):
            raise NotSent("the address is not encrypted", hint="write mailtos:// (or jsons:// ...)")
        judge(host, int(service.port or 443))
    # An address may carry options; these three are not its to choose.
    service.verify_certificate = True
    service.redirects = False
    service.socket_connect_timeout, service.socket_read_timeout = CONNECT, READ


def _sent(apprise: Any, service: Any, message: Message) -> bool:
    fresh = message.test or any(one.news in (News.RAISED, News.STILL) for one in message.letters)
    kind = apprise.NotifyType.INFO if message.test else apprise.NotifyType.WARNING
    service.notify_format = apprise.NotifyFormat.TEXT
    service.overflow_mode = apprise.OverflowMode.SPLIT
    return bool(
        service.notify(
            title=words.subject(message),
            body=words.body(message),
            notify_type=kind if fresh else apprise.NotifyType.SUCCESS,
            body_format=apprise.NotifyFormat.TEXT,
        )
    )


def _within(seconds: float, call: Callable[[], bool]) -> bool:
    """Carry out a call of the library that may hang on a server which sends a byte now and then."""
    answers: list[bool] = []

    def body() -> None:
        try:
            answers.append(call())
        except _ITS_ERRORS:
            # What they say may hold the address, and a thread's end would print it.
            answers.append(False)

    thread = threading.Thread(target=body, daemon=True, name="alarm")
    thread.start()
    thread.join(seconds)
    if not answers:
        raise NotSent(f"the channel {Trouble.SILENT}", hint=HINTS[Trouble.SILENT])
    return answers[0]


@contextmanager
def _silent() -> Iterator[list[str]]:
    """The libraries' logs go nowhere but into a list, of which only `_refused` reads."""
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    keep = Keep(logging.DEBUG)
    before = [(logger := logging.getLogger(name), logger.propagate, logger.level) for name in _QUIET]
    for logger, _, _ in before:
        logger.propagate = False
        logger.setLevel(logging.DEBUG if logger.name == "apprise" else logging.WARNING)
        logger.addHandler(keep)
    try:
        yield said
    finally:
        for logger, propagate, level in before:
            logger.removeHandler(keep)
            logger.propagate = propagate
            logger.setLevel(level)


def _refused(channel: str, said: Iterable[str]) -> NotSent:
    """Why, by what the library logged: of that only a status and one of our own words is taken."""
    status = next((int(match[1]) for line in said if (match := _STATUS.search(line))), None)
    if status is not None:
        return NotSent(
            f"the channel did not take the message (it answered {status})", hint=hint_of_status(status)
        )
    told = (line.partition(_WHY)[2].strip() for line in said if _WHY in line)
    why = next((found for text in told if (found := read_trouble(text)) is not None), None)
    what = "the mail server" if channel == "email" else "the channel"
    if why is not None:
        return NotSent(f"{what} {why}", hint=HINTS[why])
    hint = "check the mail server, the user and password in the address, and the recipients"
    if channel != "email":
        hint = "check the address and whether this machine may reach the service"
    return NotSent(f"{what} did not take the message", hint=hint)


__all__ = ["carry"]
