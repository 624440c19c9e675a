"""The one comment is known again by its marker, and no older plan ever stands where a newer one stood."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.sticky import OwnComment, Stamp, Verdict, key_of, ours, stamp_of, verdict

AT = datetime(2026, 11, 23, 20, tzinfo=UTC)
HEAD = "a" * 40
STAMP = Stamp(key_of("district/sync", "", None), HEAD, 17, 1, AT)
MOMENTS = st.integers(0, 10**8).map(lambda seconds: AT + timedelta(seconds=seconds))
STAMPS = st.builds(
    Stamp,
    key=st.just(STAMP.key),
    head=st.sampled_from([HEAD, "b" * 40, "c" * 64, None]),
    run=st.integers(0, 10**12),
    attempt=st.integers(0, 99),
    at=MOMENTS,
)


@given(STAMPS, st.text())
def test_a_marker_is_read_back_whatever_follows_it(stamp: Stamp, rest: str) -> None:
    assert stamp_of(f"{stamp.marker}\n{rest}") == stamp
    assert stamp_of(f"{stamp.marker}\r\n{rest}") == stamp
    assert stamp.marker.count("--") == 2, "nothing in it may end the comment it hides in"


@given(st.text(), st.text(min_size=1))
def test_a_marker_that_somebody_quotes_is_none(before: str, after: str) -> None:
    assert stamp_of(f"> {STAMP.marker}") is None
    assert stamp_of(f"x{before}{STAMP.marker}") is None
    assert stamp_of(f"\n{STAMP.marker}") is None


def test_a_marker_of_no_date_is_none() -> None:
    assert stamp_of(STAMP.marker.replace("20261123", "20269923")) is None


def test_another_tree_or_other_accounts_have_a_comment_of_their_own() -> None:
    keys = [
        key_of(*about)
        for about in (
            ("district/sync", "", None),
            ("district/sync", "north", None),
            ("district/other", "", None),
            ("district/sync", "", ["riverside"]),
            ("district/sync", "", []),
            ("district/sync", "", ["riverside", "elm"]),
        )
    ]
    assert len(set(keys)) == len(keys)
    assert key_of("District/Sync", "", ["b", "a"]) == key_of("district/sync", "", ["a", "b", "a"])


def test_a_first_plan_posts_and_a_quiet_one_only_edits() -> None:
    assert verdict(STAMP, None, HEAD, quiet=False) is Verdict.POST
    assert verdict(STAMP, None, HEAD, quiet=True) is Verdict.NOTHING
    later = replace(STAMP, at=AT + timedelta(minutes=1))
    assert verdict(later, STAMP, HEAD, quiet=True) is Verdict.EDIT


def test_a_job_whose_commit_is_not_the_head_any_more_is_silent() -> None:
    assert verdict(STAMP, None, "b" * 40, quiet=False) is Verdict.BEHIND
    assert verdict(STAMP, replace(STAMP, head="b" * 40), "b" * 40, quiet=False) is Verdict.BEHIND


def test_the_plan_of_the_head_wins_over_one_of_another_commit_even_when_that_was_made_later() -> None:
    other = replace(STAMP, head="b" * 40, at=AT + timedelta(hours=1), run=99)
    assert verdict(STAMP, other, HEAD, quiet=False) is Verdict.EDIT
    assert verdict(replace(STAMP, head=None), other, HEAD, quiet=False) is Verdict.OLDER


@given(st.permutations(range(6)), st.lists(MOMENTS, min_size=6, max_size=6))
def test_whatever_order_jobs_of_one_commit_come_in_the_newest_plan_stands_at_the_end(
    order: list[int], moments: list[datetime]
) -> None:
    stamps = [replace(STAMP, at=moments[n], run=n) for n in range(6)]
    standing: Stamp | None = None
    for n in order:
        if verdict(stamps[n], standing, HEAD, quiet=False) in (Verdict.POST, Verdict.EDIT):
            standing = stamps[n]
    assert standing == max(stamps, key=lambda stamp: stamp.order)


def test_of_several_comments_the_first_one_made_is_kept() -> None:
    mine = [OwnComment(n, f"{STAMP.marker}\n{n}") for n in (7, 3, 5)]
    others = [OwnComment(1, "no marker"), OwnComment(2, replace(STAMP, key="0" * 16).marker)]
    kept, doubles = ours([*mine, *others], STAMP.key)
    assert kept is not None
    assert (kept.id, [one.id for one in doubles]) == (3, [5, 7])
    assert ours(others, STAMP.key) == (None, ())
