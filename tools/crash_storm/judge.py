"""What must be true after a storm, found in the store's own tables, the sandbox's own log and both raw worlds.

The product is asked one thing only: whether its history verifies. A fault is a sentence; none means that all held.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from gradesync.domain.run import Outcome, RunResult, Stage
from tests.whole.harness import Judge
from tools.crash_storm.scene import Scene, Write
from tools.crash_storm.storm import Blows

BUG = re.compile(r"something broke that should not.*(?:\n(?!\w).*|\nhint:.*|\n +.*)*")
"""How the error boundary tells of what no error class of ours foresaw."""


def late_writes(writes: Iterable[Write]) -> list[Write]:
    """Writes that carry an older epoch than one their district has already taken."""
    newest: dict[str, int] = defaultdict(int)
    late = []
    for write in writes:
        if write.epoch < newest[write.district]:
            late.append(write)
        newest[write.district] = max(newest[write.district], write.epoch)
    return late


def judge(scene: Scene, blows: Blows) -> list[str]:
    """Every fault found. The scene must be calm; full passes are made to see where both sides end."""
    faults = [*_runs(scene, blows), *_writes(scene), *_converged(scene), *_history(scene)]
    said = scene.spoken()
    faults += [f"a command met a bug {n} times: {what}" for what, n in Counter(BUG.findall(said)).items()]
    return faults


def _writes(scene: Scene) -> list[str]:
    late, faults = late_writes(scene.writes.seen), []
    if late:
        faults.append(f"{len(late)} writes carried an older epoch after a newer one wrote, such as {late[0]}")
    if scene.writes.unnamed:
        faults.append(f"{scene.writes.unnamed} writes did not say which run they belong to")
    return faults


def _runs(scene: Scene, blows: Blows) -> list[str]:
    runs = _rows(scene, "SELECT * FROM run")
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in _rows(scene, "SELECT * FROM history WHERE run_id IS NOT NULL"):
        told[entry["run_id"]].append(entry)
    faults = [f"run {run['id']} has no end" for run in runs if run["state"] != "ended"]
    slots = Counter((run["account"], run["schedule"], run["slot_at"]) for run in runs if run["slot_at"])
    faults += [f"slot {slot} has {count} runs" for slot, count in slots.items() if count > 1]
    held = set(under_hold(scene, blows))
    faults += [f"slot {slot} was lost" for slot in sorted(blows.slots - held) if not slots[slot]]
    for run in runs:
        ends = [entry for entry in told[run["id"]] if _is_end(entry)]
        if len(ends) > 1:
            faults.append(f"run {run['id']} ended {len(ends)} times: {[end['what'] for end in ends]}")
        if not ends and not _uneventful(run):
            faults.append(f"run {run['id']} ended {run['outcome']} and the history does not say so")
    leases = _rows(scene, "SELECT account FROM account_lease WHERE run_id IS NOT NULL")
    return faults + [f"{row['account']} is still being worked in" for row in leases]


def under_hold(scene: Scene, blows: Blows) -> list[tuple[str, str, int]]:
    """Slots that came while a breaker was open, or was opened before a pass could claim them: nothing is owed then."""
    windows: dict[str, list[tuple[str | None, int, int]]] = defaultdict(list)
    for hold in _rows(scene, "SELECT * FROM hold"):
        until = hold["released_at"] or _FOR_EVER
        windows[hold["account"]].append((hold["schedule"], hold["created_at"] - _CLAIMED_WITHIN, until))
    return [
        (account, schedule, slot)
        for account, schedule, slot in blows.slots
        if any(name in (None, schedule) and begun <= slot <= ended for name, begun, ended in windows[account])
    ]


_CLAIMED_WITHIN = 30_000_000
"""Microseconds in which some pass claims a slot, whatever falls."""

_FOR_EVER = 2**62


def _is_end(entry: dict[str, Any]) -> bool:
    """Whether an entry says that its run is over."""
    if entry["what"] in ("run ended", "run skipped", "slot missed"):
        return True
    return entry["what"] == "run abandoned" and '"queued"' not in str(entry["data"])


def _uneventful(run: dict[str, Any]) -> bool:
    """A slot's run that did nothing: such streaks share one entry, that of the run which ends them."""
    counts = json.loads(run["counts"] or "{}")
    result = RunResult(Outcome(run["outcome"]), Stage.RECORD, counts)
    return run["trigger"] == "slot" and result.did_nothing


def _converged(scene: Scene) -> list[str]:
    """Both sides after one more full pass: the SIS holds what Canvas says, once; and a second one writes nothing."""
    for account in scene.accounts:
        scene.tree.all_due(account, full=True)
    done = scene.tree.run("reconcile", "--due")
    faults = [] if done.code in (0, 3) else [f"the pass after the storm ended with {done.code}: {done.err}"]
    for account in scene.accounts:
        told = Judge(scene.sandbox, account).verdict()
        if told:
            faults.append(f"{account} differs from the oracle: {told[:300]}")
    before = len(scene.writes.seen)
    for account in scene.accounts:
        scene.tree.make_due(f"{account}/grades", full=True)
    scene.tree.run("reconcile", "--due")
    again = len(scene.writes.seen) - before
    return [*faults, f"{again} writes in a pass that had nothing to do"] if again else faults


def _history(scene: Scene) -> list[str]:
    done = scene.tree.run("history", "--verify")
    return [] if done.code == 0 else [f"the history does not verify: {done.said}"]


def _rows(scene: Scene, query: str) -> Sequence[dict[str, Any]]:
    rows = scene.ask(query)
    assert rows is not None, "the database is away after the storm"
    return rows


def figures(scene: Scene, blows: Blows) -> dict[str, int]:
    """What the storm was, in numbers."""
    runs = _rows(scene, "SELECT outcome, attempt FROM run")
    lost = _rows(scene, "SELECT count(*) AS n FROM history WHERE what = 'run abandoned'")
    return {
        "kills": blows.kills,
        "freezes": blows.freezes,
        "of both, in the middle of writing": blows.aimed,
        "database restarts": blows.restarts,
        "processes started": scene.started,
        "slots": len(blows.slots),
        "of them, under an open breaker": len(under_hold(scene, blows)),
        "runs": len(runs),
        "attempts lost": lost[0]["n"],
        "runs given up after three": sum(run["outcome"] == "abandoned" for run in runs),
        "outside writes": len(scene.writes.seen),
        "of an older epoch": len(late_writes(scene.writes.seen)),
        "seconds": round(blows.seconds),
    }
