"""Titles where a SIS shows only so many characters: the only ones of their kind, and they stay."""

from __future__ import annotations

from hypothesis import given as over
from hypothesis import strategies as st

from gradesync.domain.titles import cut_with_number, doubles, folded, titles_for

LONG = "Reading response to the chapter of the week"


def test_a_title_that_fits_stays_as_the_teacher_wrote_it() -> None:
    assert titles_for({1: "Essay", 2: "Essay"}, {}, 30) == {1: "Essay", 2: "Essay"}


def test_a_long_title_is_cut_and_a_second_one_carries_its_number() -> None:
    titles = titles_for({7: LONG, 46: LONG + " again"}, {}, 30)
    assert titles == {7: "Reading response to the chapte", 46: "Reading response to the ch ~1a"}
    assert all(len(title) <= 30 for title in titles.values())


def test_who_is_in_the_sis_already_keeps_the_title_whoever_comes_later() -> None:
    plain = LONG[:30]
    assert titles_for({9: LONG}, {}, 30) == {9: plain}
    # An older assignment is flagged later: the number goes to the newcomer, not to the column that is there.
    later = titles_for({3: LONG, 9: LONG}, {9: plain}, 30)
    assert later[9] == plain
    assert later[3] != plain
    # And who has a number keeps it when the other one goes.
    assert titles_for({3: LONG}, {3: later[3]}, 30) == {3: later[3]}


def test_a_short_title_that_equals_a_cut_one_is_the_teachers_and_stays() -> None:
    titles = titles_for({1: LONG, 2: LONG[:30].upper()}, {1: LONG[:30]}, 30)
    assert titles[2] == LONG[:30].upper()
    assert titles[1].endswith(" ~1")


def test_where_not_even_the_number_fits_the_second_one_has_no_title() -> None:
    assert cut_with_number("abcdefgh", 4, 10**9) is None
    assert set(titles_for({10**9: "abcdefgh", 10**9 + 1: "abcdefgh"}, {}, 4)) == {10**9}
    assert titles_for({0: "abcdefgh", 1: "abcdefgh"}, {}, 6) == {0: "abcdef", 1: "abc ~1"}
    assert cut_with_number("abcdefgh", 6, 0) == "abc ~0"


_TITLES = st.dictionaries(
    st.integers(1, 2000),
    st.text("ab ", min_size=1, max_size=40).map(lambda text: " ".join(text.split())).filter(bool),
    max_size=8,
)


@over(_TITLES, _TITLES, st.integers(8, 20))
def test_cut_titles_fit_are_unique_and_do_not_move_when_others_come(
    first: dict[int, str], more: dict[int, str], most: int
) -> None:
    before = titles_for(first, {}, most)
    both = {**more, **first}
    after = titles_for(both, before, most)
    long = {id for id, title in both.items() if len(title) > most}
    assert all(len(title) <= most for title in after.values())
    assert all(after[id] == title for id, title in both.items() if id not in long)
    shown = [folded(title) for title in after.values()]
    assert all(shown.count(folded(after[id])) == 1 for id in long & after.keys())
    short = {folded(title) for id, title in both.items() if id not in long}
    for id in long & before.keys():
        if folded(before[id]) not in short:
            assert after[id] == before[id]
    # Deciding again changes nothing.
    assert titles_for(both, after, most) == after


def test_equal_titles_wait_where_a_class_may_have_each_once() -> None:
    titles = {1: "Quiz", 2: "quiz", 3: "Essay"}
    assert doubles(titles, {}) == {1, 2}
    assert doubles(titles, {2: "Quiz", 3: "Essay"}) == {1}
    assert doubles(titles, {1: "Quiz", 2: "Quiz"}) == {1, 2}
