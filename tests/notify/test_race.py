"""Two processes on one store, at one moment: one message. On SQLite and on a real PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from dataclasses import replace

from gradesync.domain.action import ActionKind
from gradesync.domain.run import Outcome, RunResult, Stage
from tests.notify.sinks import http_sink
from tests.store.conftest import (  # noqa: F401 - fixtures of the store's tests, used by name
    Place,
    clock,
    place,
    postgresql_server,
    sqlite_template,
)
from tests.store.samples import action, apply, claim, queue

TELLER = """
import sys
from gradesync.connectors.hooks import Hooks
from gradesync.domain.alarm_rule import AlarmRule, AlarmSettings
from gradesync.engine.alarms import after_pass
from gradesync.notify.sender import Sender
from gradesync.store.open import open_store

class Kept:
    def value(self, reference, account, name):
        return sys.argv[2]

store = open_store(sys.argv[1], create=False)
settings = AlarmSettings((AlarmRule("ops", "webhook", "env:HOOK"),))
print("ready", flush=True)
sys.stdin.readline()
told = after_pass(store, Sender(Kept(), Hooks()), settings, None)
print(told.letters, told.messages, flush=True)
"""


def test_passes_beside_each_other_send_one_message(place: Place) -> None:  # noqa: F811 - the fixture above
    with closing(place.open(None)) as store:
        texts: dict[str, object] = {
            "account": "riverside",
            "canvas": {"url": "https://c.example"},
            "sis": {"url": "https://s.example"},
        }
        assert apply(
            store,
            "riverside",
            action(ActionKind.CHANGE_ACCOUNT, "riverside", values=texts),
            action(ActionKind.CREATE, "riverside", "grades"),
        )
        dead = RunResult(Outcome.FAILED, Stage.FETCH, {}, {"GS-201": 1})
        store.finish(claim(store, replace(queue(store), reason=None)), dead, [])
    with http_sink() as hook:
        started = [
            subprocess.Popen(
                [sys.executable, "-c", TELLER, place.url, hook.url()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = sorted(process.communicate(timeout=60)[0].strip() for process in started)
        assert said == ["0 0", "1 1"]
        assert len(hook.requests) == 1
    with closing(place.open(None)) as store:
        [row] = store.alarms()
        assert (row.told_at is not None, row.news_at, row.claimed_until) == (True, None, None)
