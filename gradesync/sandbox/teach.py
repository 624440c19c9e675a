"""Teachers at work on a sandbox Canvas: an ordinary day's changes, or a change of everything for benchmarks.

Deterministic by seed and by the state the world is in. What a single act does is in `teach_acts.py`. No HTTP here.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from gradesync.errors import UsageProblem
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.teach_acts import (
    ACTS,
    active_students,
    change_score,
    new_assignment,
    published_courses,
)

STYLES = ("day", "hard-day", "grade-all", "regrade-all")

#: How often each act happens in a round of a "day", per hundred published courses (at least once each).
_DAY = {
    "graded": 60,
    "changed": 25,
    "excused": 6,
    "posted": 4,
    "hidden": 2,
    "cleared": 4,
    "resubmitted": 8,
    "late_penalties": 5,
    "new_assignments": 6,
    "renamed": 4,
    "moved_due_dates": 3,
}
#: What a "hard-day" does beside a day's acts: everything that a reader of changes alone would miss.
_HARD = {
    "unexcused": 4,
    "missing_zeros": 4,
    "marked_missing": 3,
    "changed_points": 3,
    "deleted_assignments": 2,
    "unpublished": 2,
    "republished": 2,
    "unflagged": 3,
    "reflagged": 3,
    "moved_students": 3,
    "dropped_students": 2,
}


def teach(
    world: CanvasWorld, *, seed: int, rounds: int = 1, style: str = "day", acts: tuple[str, ...] = ()
) -> dict[str, int]:
    """Lets teachers work for some rounds and counts what they did, by kind of act.

    `day`: a realistic handful of changes. `hard-day`: the rare and the awkward ones as well. `grade-all`: one new
    assignment with a score for every active student in every published course. `regrade-all`: every existing score
    changes. With `acts`, names of `teach_acts.ACTS`, a round is each of those once and the style does not matter.
    Raises UsageProblem for other styles and acts.
    """
    styles: dict[str, Callable[[CanvasWorld, random.Random], Counter[str]]] = {
        "day": _day,
        "hard-day": _hard_day,
        "grade-all": _grade_all,
        "regrade-all": _regrade_all,
    }
    if style not in styles:
        raise UsageProblem(f"Teachers know no style {style!r}", hint=f"Use one of: {', '.join(STYLES)}.")
    for act in acts:
        if act not in ACTS:
            raise UsageProblem(f"Teachers know no act {act!r}", hint=f"Use some of: {', '.join(ACTS)}.")
    done: Counter[str] = Counter()
    for number in range(rounds):
        # How much is in the world is part of the seed: a second call does other things than the first.
        draw = f"teach {seed} {number} {len(world.assignments)} {len(world.submissions)}"
        rng = random.Random(draw)  # noqa: S311 - repeatable play, not a secret
        done += _each_once(world, rng, acts) if acts else styles[style](world, rng)
    return dict(done)


def _each_once(world: CanvasWorld, rng: random.Random, acts: tuple[str, ...]) -> Counter[str]:
    """Each act in the first course, in a drawn order, where there is something to do."""
    done: Counter[str] = Counter()
    courses = published_courses(world)
    for name in acts:
        rng.shuffle(courses)
        done[name] += next((changed for course in courses if (changed := ACTS[name](world, course, rng))), 0)
    return +done


def _grade_all(world: CanvasWorld, rng: random.Random) -> Counter[str]:
    done: Counter[str] = Counter()
    for course in published_courses(world):
        # The last group is always named like a category, so nothing is withheld in a benchmark.
        assignment = new_assignment(world, course, world.groups_by_course[course.id][-1])
        done["new_assignments"] += 1
        for user_id in active_students(world, course.id):
            world.grade(assignment.id, user_id, rng.randint(8, 20) / 2)
            done["graded"] += 1
    return done


def _regrade_all(world: CanvasWorld, _rng: random.Random) -> Counter[str]:
    done: Counter[str] = Counter()
    for row in list(world.submissions.values()):
        if row.score is not None and world.assignments[row.assignment_id].workflow_state == "published":
            change_score(world, row)
            done["changed"] += 1
    return done


def _day(world: CanvasWorld, rng: random.Random) -> Counter[str]:
    done: Counter[str] = Counter()
    courses = published_courses(world)
    if not courses:
        return done
    rng.shuffle(courses)
    for name, share in _DAY.items():
        for index in range(max(1, share * len(courses) // 100)):
            course = courses[(index + share) % len(courses)]
            done[name] += ACTS[name](world, course, rng)
    return +done


def _hard_day(world: CanvasWorld, rng: random.Random) -> Counter[str]:
    """A day, and then the rare acts, each where something is found for it."""
    done = _day(world, rng)
    count = len(published_courses(world))
    for name, share in _HARD.items():
        for _ in range(max(1, share * count // 100)):
            done += _each_once(world, rng, (name,))
    return done
