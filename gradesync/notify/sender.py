"""`ports.Notifier`: finds a rule's address at the last moment and sends through the channel it names.

A plain webhook goes through the house's own client; everything else through apprise. No error names an address.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from gradesync.domain.alarm import Letter, Message, Where
from gradesync.domain.alarm_rule import AlarmRule
from gradesync.errors import ConnectionProblem, NotSent
from gradesync.notify import targets, words
from gradesync.ports import Secrets

SHARD, ALL_SHARDS = "{shard}", "all"
"""In a watcher's address, and what stands for it in a pass that is not limited to a shard: each shard can be missed."""


class Web(Protocol):
    """The house's own client, as a channel needs it. Every call raises NotSent, without the address."""

    def post(self, url: str, body: bytes) -> None:
        """POST a JSON body; anything but a 2xx answer is no answer."""
        ...

    def get(self, url: str) -> None:
        """GET."""
        ...

    def judge(self, host: str, port: int) -> None:
        """Raises NotSent for a host that leads into a network it may not."""
        ...


class Sender:
    """Sends; `hosts` are the owner's `notify_hosts`, `ping` and `ping_fail` references to addresses (or None).

    Every message ends with `where`. `shard` is the number of the part of all accounts that this pass is about, 0 for a
    pass over all: `{shard}` in a watcher's address becomes it.
    """

    def __init__(
        self,
        secrets: Secrets,
        web: Web,
        *,
        hosts: tuple[str, ...] = (),
        ping: str | None = None,
        ping_fail: str | None = None,
        where: Where | None = None,
        shard: int = 0,
    ) -> None:
        self._secrets = secrets
        self._web = web
        self._hosts = hosts
        self._ping, self._ping_fail = ping, ping_fail
        self._where = where or Where()
        self._shard = str(shard) if shard else ALL_SHARDS

    def send(self, rule: AlarmRule, message: Message) -> None:
        """Hand the message to the rule's channel. Raises NotSent."""
        url = self._address(rule.url, f"notify rule {rule.name}")
        message = replace(message, where=self._where)
        if rule.channel == "webhook":
            self._web.post(targets.check_hook(url, self._hosts), json.dumps(shape(message)).encode())
            return
        from gradesync.notify.carrying import carry  # few commands send anything

        carry(rule.channel, url, message, self._hosts, self._web.judge)

    def ping(self, *, good: bool) -> None:
        """Call the watcher's address; nothing where none is named. Raises NotSent."""
        reference = self._ping if good else self._ping_fail
        if reference is not None:
            address = self._address(reference, "ping").replace(SHARD, self._shard)
            self._web.get(targets.check_hook(address, self._hosts))

    def _address(self, reference: str, whose: str) -> str:
        try:
            return self._secrets.value(reference, "", whose)
        except ConnectionProblem as problem:
            raise NotSent(str(problem), hint=problem.hint) from None


def shape(message: Message) -> dict[str, Any]:
    """A webhook's body. `text` alone is what chats with a plain hook read; programs read `letters`."""
    return {
        "kind": "alarms",
        "version": 1,
        "test": message.test,
        "at": _instant(message.at),
        "text": f"{words.subject(message)}\n{words.body(message)}",
        "run_url": message.where.run or None,
        "page_url": words.page_url(message) or None,
        "letters": [_letter(one, message.where) for one in message.letters],
    }


def _letter(one: Letter, where: Where) -> dict[str, Any]:
    cause = one.cause
    return {
        "news": one.news.value,
        "kind": cause.kind.value,
        "account": cause.account or None,
        "subject": cause.subject or None,
        "code": cause.code,
        "who": cause.who,
        "count": cause.count,
        "urgent": cause.urgent,
        "since": _instant(cause.since),
        "until": _instant(cause.until),
        "ended_at": _instant(one.ended_at),
        "run": cause.run,
        "sentence": words.sentence_of(cause),
        "to_do": words.to_do(cause),
        "command": words.command_of(cause),
        "page_url": words.page_of(where, cause.account) or None,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
