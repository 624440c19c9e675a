"""Keeps one comment and our labels on a pull request, whatever other jobs do at the same time.

What a comment says is made elsewhere; which of two plans may stand there is `domain.sticky`'s decision. Nothing here
knows GitHub.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gradesync.domain.plan_labels import LABELS, LabelChanges, label_changes
from gradesync.domain.sticky import OwnComment, Stamp, Verdict, ours, stamp_of, verdict
from gradesync.ports import PullRequest


@dataclass(frozen=True, slots=True)
class Commented:
    """What became of the comment: `verdict`, the comment as it stands now, and doubles that were taken away."""

    verdict: Verdict
    comment: OwnComment | None = None
    doubles: int = 0


async def keep_comment(pull: PullRequest, body: str, stamp: Stamp, *, quiet: bool) -> Commented:
    """Post the comment, or edit the one that stands there, so that exactly one is left.

    Two jobs that begin together may both post; both look again, the first comment stays, and of the two plans the
    newer one stands in it. Raises ConnectionProblem.
    """
    standing, doubles = ours(await pull.comments(), stamp.key)
    # The head is asked for last: the nearer to the writing, the less can happen between.
    decided = verdict(stamp, _stamp(standing), await pull.head(), quiet=quiet)
    if decided is Verdict.POST:
        return await _settled(pull, await pull.post(body), stamp, body, decided)
    if decided is not Verdict.EDIT or standing is None:
        return Commented(decided, standing)
    if standing.body == body and not doubles:
        return Commented(decided, standing)
    return await _settled(pull, await pull.edit(standing, body), stamp, body, decided)


async def _settled(
    pull: PullRequest, written: OwnComment, stamp: Stamp, body: str, decided: Verdict
) -> Commented:
    """Look again after writing: of several comments the first one stays, and the newest plan stands in it."""
    first, doubles = ours(await pull.comments(), stamp.key)
    if first is None:
        return Commented(decided, written)
    plans = [(found, one.body) for one in (first, *doubles) if (found := _stamp(one)) is not None]
    newest, text = max([*plans, (stamp, body)], key=lambda one: one[0].order)
    if newest != _stamp(first):
        first = await pull.edit(first, text)
    for one in doubles:
        await pull.remove(one)
    return Commented(decided, first, len(doubles))


def _stamp(comment: OwnComment | None) -> Stamp | None:
    return None if comment is None else stamp_of(comment.body)


async def keep_labels(pull: PullRequest, wanted: Collection[str]) -> LabelChanges:
    """Set our labels to exactly the wanted ones; all others stay as they are. Raises ConnectionProblem."""
    changes = label_changes(await pull.labels(), wanted)
    for label in changes.remove:
        await pull.remove_label(label)
    if changes.add:
        await pull.add_labels(changes.add, LABELS)
    return changes


__all__ = ["Commented", "keep_comment", "keep_labels"]
