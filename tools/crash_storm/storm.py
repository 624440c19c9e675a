"""The storm itself: commands are kept running, slots are made due, and blows fall at random. Judging is `judge`'s."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gradesync.sandbox.remote import teach_over_http
from tests.whole.harness import GRADES, ROSTER
from tools.crash_storm.scene import Scene

_JUST_NOW = 0.1
"""Seconds: whoever's last write is no older is in the middle of writing."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Blows:
    """What fell, and what was owed while it fell. `slots` are (account, schedule, instant in microseconds)."""

    kills: int = 0
    freezes: int = 0
    restarts: int = 0
    aimed: int = 0
    seconds: float = 0.0
    slots: set[tuple[str, str, int]] = field(default_factory=set)

    @property
    def total(self) -> int:
        """Kills and freezes."""
        return self.kills + self.freezes


@dataclass
class Storm:
    """One storm over a scene: `blows` kills and freezes, a restart of the database after each `restart_every`."""

    scene: Scene
    seed: int
    blows: int
    restart_every: int = 40
    mean_gap: float = 0.25
    done: Blows = field(default_factory=Blows)
    _frozen: dict[int, float] = field(default_factory=dict)
    _taught: int = 0

    def rage(self) -> Blows:
        """Until every blow has fallen; everything that is frozen is thawed at the end."""
        dice = random.Random(self.seed)  # noqa: S311 - nothing secret
        began = time.monotonic()
        # Nothing can be hit before the first commands work.
        next_blow, next_work = began + 1.0, began
        while self.done.total < self.blows:
            now = time.monotonic()
            self._thaw(now)
            self._staff(dice)
            if now >= next_work:
                self._resume()
                self._owe(dice)
                next_work = now + dice.uniform(0.1, 0.3)
            if now >= next_blow and self._strike(dice, now, patient=now < next_blow + 3):
                next_blow = now + dice.expovariate(1 / self.mean_gap)
            time.sleep(0.02)
        self._thaw(float("inf"))
        self.done.seconds = time.monotonic() - began
        return self.done

    # - the work that is hit -

    def _staff(self, dice: random.Random) -> None:
        """Whoever was killed is replaced, as a service manager would; people and passes come by now and then."""
        scene = self.scene
        scene.living()
        at_work = list(scene.commands.values())
        if scene.server is not None:
            if at_work.count("worker") < 3:
                scene.begin("worker", "--concurrency", "3", "--name", f"w{scene.started}")
            if at_work.count("reconcile") < 1:
                scene.begin("reconcile", "--due", "--enqueue", "--loop", "--every", "1s")
        elif at_work.count("reconcile") < 2:
            scene.begin("reconcile", "--due", "--loop", "--every", "1s")
        if dice.random() < 0.01 and at_work.count("reconcile") < 4:
            scene.begin("reconcile", "--due")
        if dice.random() < 0.01 and at_work.count("run") < 2:
            scene.begin("run", f"{dice.choice(scene.accounts)}/{GRADES}", "--yes")

    def _resume(self) -> None:
        """Somebody closes each breaker: after so many runs in a row that were given up, nothing more would start."""
        if "resume" in self.scene.commands.values():
            return
        for target in open_breakers(self.scene)[:1]:
            self.scene.begin("resume", target)

    def _owe(self, dice: random.Random) -> None:
        """Teachers grade, and a slot comes."""
        account = dice.choice(self.scene.accounts)
        if dice.random() < 0.7:
            self._taught += 1
            teach_over_http(self.scene.sandbox.url, account, seed=self._taught, style="regrade-all")
        schedule = GRADES if dice.random() < 0.8 else ROSTER
        slot = (datetime.now(UTC) - EPOCH).total_seconds() * 1_000_000
        micros = int(slot) - 1000
        came = self.scene.ask(
            "UPDATE schedule SET next_run_at = ? WHERE account = ? AND name = ? AND next_run_at > ? RETURNING name",
            (micros, account, schedule, micros + 60_000_000),
        )
        if came:
            self.done.slots.add((account, schedule, micros))

    # - the blows -

    def _strike(self, dice: random.Random, now: float, *, patient: bool) -> bool:
        """One blow, four of five at a process that is writing; False when it waits for one to write."""
        if self.scene.server is not None and self.done.total // self.restart_every > self.done.restarts:
            self.scene.restart_database()
            self.done.restarts += 1
        targets = [pid for pid in self.scene.living() if pid not in self._frozen]
        at_random = self.done.total % 5 == 4
        aimed = [] if at_random else [pid for pid in self._working() if pid in targets]
        if not targets or (patient and not aimed and not at_random):
            return False
        pid = dice.choice(aimed or targets)
        if dice.random() < 0.5:
            if self.scene.signal(pid, signal.SIGKILL):
                self.done.kills += 1
        elif self.scene.signal(pid, signal.SIGSTOP):
            # Some thaw within their lease, some when another has long gone on.
            self._frozen[pid] = now + dice.choice((dice.uniform(0.1, 2), dice.uniform(6, 10)))
            self.done.freezes += 1
        self.done.aimed += bool(aimed)
        return True

    def _working(self) -> list[int]:
        """Processes in the middle of their writes."""
        rows = self.scene.ask("SELECT pid, account FROM account_lease WHERE run_id IS NOT NULL") or []
        wrote, now = self.scene.writes.last, time.monotonic()
        return [row["pid"] for row in rows if now - wrote.get(row["account"], 0.0) < _JUST_NOW]

    def _thaw(self, now: float) -> None:
        for pid in [pid for pid, until in self._frozen.items() if until <= now]:
            del self._frozen[pid]
            self.scene.signal(pid, signal.SIGCONT)


def open_breakers(scene: Scene) -> list[str]:
    """What `resume` is to be told to close."""
    rows = scene.ask("SELECT account, schedule FROM hold WHERE released_at IS NULL") or []
    return [f"{row['account']}/{row['schedule']}" if row["schedule"] else row["account"] for row in rows]


def calm(scene: Scene, patience: float = 180.0) -> bool:
    """Every command is asked to end, and passes go by until nothing is owed; whether that was reached in time."""
    ends_at = time.monotonic() + patience
    for pid in scene.living():
        scene.signal(pid, signal.SIGTERM)
    while scene.living() and time.monotonic() < ends_at:
        time.sleep(0.05)
    if scene.living():
        return False
    # A breaker that is still open would keep the last passes from bringing both sides together.
    for target in open_breakers(scene):
        scene.tree.run("resume", target)
    while time.monotonic() < ends_at:
        done = scene.tree.run("reconcile", "--due")
        left = scene.ask("SELECT count(*) AS n FROM run WHERE state <> 'ended'")
        if done.code in (0, 3) and left == [{"n": 0}]:
            return True
        time.sleep(0.2)
    return False
