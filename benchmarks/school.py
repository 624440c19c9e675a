"""A sandbox school in a process of its own, for benchmarks: its latency can be changed, its requests recorded.

Run as `python -m benchmarks.school DISTRICT STUDENTS`; it speaks a line protocol on standard input and output.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gradesync.sandbox.canvas_world import CanvasWorld

COMMANDS = ("latency", "teach", "regrade-last", "peak-day", "record", "dump", "forget", "counts", "quit")


class School:
    """The parent's handle on a school process."""

    def __init__(self, students: int, district: str = "riverside") -> None:
        self.district = district
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.school", district, str(students)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        hello = self._read()
        self.canvas_url = str(hello["canvas"])
        self.sis_url = str(hello["sis"])
        self.classes = int(hello["classes"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def tell(self, command: str, argument: str = "") -> dict[str, Any]:
        """Send one command and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command} {argument}\n")
        self._process.stdin.flush()
        return self._read()

    @property
    def pid(self) -> int:
        """The school's process id."""
        return self._process.pid


def _regrade_last(world: CanvasWorld) -> int:
    """Every teacher changes all scores of the newest assignment: as many changed scores as there are seats."""
    changed = 0
    for assignments in world.assignments_by_course.values():
        newest = max((a for a in assignments if a.post_to_sis), key=lambda a: a.id, default=None)
        for row in world.submissions_by_course.get(newest.course_id, ()) if newest is not None else ():
            if newest is not None and row.assignment_id == newest.id and row.score is not None:
                world.grade(newest.id, row.user_id, row.score + 1)
                changed += 1
    return changed


def _peak_day(world: CanvasWorld, scores: int) -> int:
    """About so many changed scores: a new assignment for every class, graded, and older work graded once more.

    The older scores are spread evenly over the classes, as far as they have any.
    """
    from gradesync.sandbox.teach import teach

    older = [_shown_scores(world, course_id) for course_id in world.courses]
    changed = teach(world, seed=7, style="grade-all")["graded"]
    for rows in zip_longest(*older):
        for row in rows:
            if row is not None and changed < scores:
                world.grade(row.assignment_id, row.user_id, row.score + 0.5)
                changed += 1
    return changed


def _shown_scores(world: CanvasWorld, course_id: int) -> list[Any]:
    """Scores of a course that count and that its students may see."""
    meant = {
        one.id
        for one in world.assignments_by_course[course_id]
        if one.workflow_state == "published" and one.post_to_sis and one.grading_type == "points"
    }
    return [
        row
        for row in world.submissions_by_course[course_id]
        if row.assignment_id in meant
        and row.score is not None
        and row.posted_at is not None
        and row.workflow_state == "graded"
    ]


def _dump(path: Path, seen: list[tuple[str, str, str]]) -> None:
    path.write_text(json.dumps(seen))


def _counts(sandbox: Any) -> dict[str, int]:
    """Requests since the last `forget`: to each side, and those refused for coming too fast."""
    fast = sum(
        number
        for (side, _, _, status), number in sandbox.front.counts.items()
        if status == 429 or (side == "canvas" and status == 403)
    )
    return {"canvas": sandbox.count(side="canvas"), "sis": sandbox.count(side="sis"), "throttled": fast}


async def _serve(district: str, students: int) -> None:
    from aiohttp import web

    from gradesync.sandbox.server import Sandbox
    from gradesync.sandbox.teach import teach

    seen: list[tuple[str, str, str]] = []
    recording = False
    original = web.Application._handle  # noqa: SLF001 - wrapped below

    async def handle(self: web.Application, request: web.Request) -> web.StreamResponse:
        if recording and request.path.startswith(f"/{district}/"):
            asked = request.method == "PUT" or request.path.endswith("/graphql")
            body = (await request.read()).decode("utf-8", "replace") if asked else ""
            seen.append((request.method, request.raw_path, body))
        return await original(self, request)

    # The only place that sees raw requests whole, whatever sub-application serves them.
    web.Application._handle = handle  # type: ignore[method-assign]  # noqa: SLF001 - no public hook sees this much
    sandbox = Sandbox((district,), students=students)
    await sandbox.start()
    school = sandbox.schools[district]

    def say(**facts: object) -> None:
        print(json.dumps(facts), flush=True)

    say(
        canvas=sandbox.canvas_url(district),
        sis=sandbox.sis_url(district),
        classes=len(school.district.classes),
    )
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        command, _, argument = line.strip().partition(" ")
        if command in ("", "quit"):
            return
        if command == "latency":
            sandbox.front.latency_ms = int(argument)
            say(done=True)
        elif command == "teach":
            say(**teach(school.canvas, seed=7, style=argument))
        elif command == "regrade-last":
            say(changed=_regrade_last(school.canvas))
        elif command == "peak-day":
            say(changed=_peak_day(school.canvas, int(argument)))
        elif command == "counts":
            say(**_counts(sandbox))
        elif command == "record":
            seen.clear()
            recording = argument == "on"
            say(done=True)
        elif command == "dump":
            _dump(Path(argument), seen)
            say(requests=len(seen))
        elif command == "forget":
            sandbox.forget_requests()
            say(done=True)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
