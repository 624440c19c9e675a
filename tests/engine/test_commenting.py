"""Two jobs at one pull request, at any pace: one comment is left, and a newer plan is not lost to an older one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.plan_labels import POLICY, SCHEDULE
from gradesync.domain.sticky import OwnComment, Stamp, Verdict, key_of
from gradesync.engine.commenting import Commented, keep_comment, keep_labels

AT = datetime(2026, 11, 23, 20, tzinfo=UTC)
OLD = Stamp(key_of("district/sync", "", None), "a" * 40, 17, 1, AT)
NEW = replace(OLD, run=18, at=AT + timedelta(minutes=1))


@dataclass
class Paper:
    """A pull request in memory. Every request lets others go first, as a network does."""

    texts: dict[int, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    sha: str = "a" * 40
    asked: list[str] = field(default_factory=list)

    async def _turn(self, what: str) -> None:
        await asyncio.sleep(0)
        self.asked.append(what)

    async def head(self) -> str | None:
        await self._turn("head")
        return self.sha

    async def comments(self) -> Sequence[OwnComment]:
        await self._turn("comments")
        return [OwnComment(id, text) for id, text in sorted(self.texts.items())]

    async def post(self, body: str) -> OwnComment:
        await self._turn("post")
        id = max(self.texts, default=0) + 1
        self.texts[id] = body
        return OwnComment(id, body)

    async def edit(self, comment: OwnComment, body: str) -> OwnComment:
        await self._turn("edit")
        if comment.id in self.texts:
            self.texts[comment.id] = body
        return OwnComment(comment.id, body)

    async def remove(self, comment: OwnComment) -> None:
        await self._turn("remove")
        self.texts.pop(comment.id, None)

    async def labels(self) -> Sequence[str]:
        await self._turn("labels")
        return list(self.tags)

    async def add_labels(self, labels: Collection[str], looks: Mapping[str, tuple[str, str]]) -> None:
        await self._turn("add")
        self.tags += labels

    async def remove_label(self, label: str) -> None:
        await self._turn("remove label")
        self.tags.remove(label)


def interleaved(jobs: Sequence[Coroutine[Any, Any, Commented]], order: Sequence[int]) -> list[Commented]:
    """Carry the jobs out step by step in the order drawn; each step is one request."""
    left: dict[int, Coroutine[Any, Any, Commented]] = dict(enumerate(jobs))
    done: dict[int, Commented] = {}
    turns = list(order)
    while left:
        n = turns.pop(0) if turns else min(left)
        if n not in left:
            continue
        try:
            left[n].send(None)
        except StopIteration as end:
            done[n] = end.value
            del left[n]
    return [done[n] for n in range(len(jobs))]


def body_of(stamp: Stamp) -> str:
    return f"{stamp.marker}\nplan of run {stamp.run}"


ORDERS = st.lists(st.integers(0, 1), max_size=16)


@given(ORDERS)
def test_two_jobs_that_both_post_leave_one_comment_with_the_newer_plan(order: list[int]) -> None:
    paper = Paper()
    interleaved([keep_comment(paper, body_of(one), one, quiet=False) for one in (OLD, NEW)], order)
    assert list(paper.texts.values()) == [body_of(NEW)]


@given(ORDERS, st.integers(0, 3))
def test_three_jobs_leave_one_comment_too(order: list[int], start: int) -> None:
    paper = Paper()
    third = replace(OLD, run=16, at=AT - timedelta(minutes=1))
    jobs = [keep_comment(paper, body_of(one), one, quiet=False) for one in (OLD, NEW, third)]
    interleaved(jobs, [(n + start) % 3 for n in order])
    assert len(paper.texts) == 1


def alone(paper: Paper, stamp: Stamp, *, quiet: bool = False, body: str | None = None) -> Commented:
    return asyncio.run(keep_comment(paper, body or body_of(stamp), stamp, quiet=quiet))


def test_a_second_run_edits() -> None:
    paper = Paper()
    assert alone(paper, OLD).verdict is Verdict.POST
    assert alone(paper, NEW).verdict is Verdict.EDIT
    assert paper.texts == {1: body_of(NEW)}


def test_an_older_run_that_comes_late_changes_nothing() -> None:
    paper = Paper({1: body_of(NEW)})
    assert alone(paper, OLD).verdict is Verdict.OLDER
    assert paper.texts == {1: body_of(NEW)}


def test_a_run_of_a_commit_that_is_not_the_head_any_more_changes_nothing() -> None:
    paper = Paper({1: body_of(OLD)}, sha="b" * 40)
    assert alone(paper, NEW).verdict is Verdict.BEHIND
    assert paper.texts == {1: body_of(OLD)}


def test_nothing_to_say_posts_nothing_and_takes_back_what_was_said() -> None:
    paper = Paper()
    assert alone(paper, OLD, quiet=True).verdict is Verdict.NOTHING
    assert paper.texts == {}
    alone(paper, OLD)
    alone(paper, NEW, quiet=True, body=f"{NEW.marker}\nnothing to do")
    assert paper.texts == {1: f"{NEW.marker}\nnothing to do"}


def test_doubles_of_an_earlier_accident_are_taken_away() -> None:
    paper = Paper({1: body_of(OLD), 2: body_of(OLD), 3: "another comment of the same token"})
    assert alone(paper, NEW).doubles == 1
    assert paper.texts == {1: body_of(NEW), 3: "another comment of the same token"}


def test_the_same_plan_again_writes_nothing() -> None:
    paper = Paper({1: body_of(OLD)})
    alone(paper, OLD)
    assert paper.asked == ["comments", "head"]


def test_labels_are_set_to_what_the_plan_touches() -> None:
    paper = Paper(tags=["bug", POLICY])
    asyncio.run(keep_labels(paper, [SCHEDULE]))
    assert paper.tags == ["bug", SCHEDULE]
