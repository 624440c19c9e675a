"""Keyed hashes and minted ids: the same everywhere, and different wherever a mix-up would hurt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.keyed import KeyedHash, minted_line_item_id, minted_result_id
from gradesync.domain.line_item import result_subject

_PARTS = st.lists(st.text(max_size=6), min_size=1, max_size=4)


@given(_PARTS, _PARTS)
def test_no_two_records_run_together(a: list[str], b: list[str]) -> None:
    keyed = KeyedHash(b"key", "riverside")
    assert (keyed(*a) == keyed(*b)) is (a == b)


def test_equal_records_of_two_districts_do_not_look_equal() -> None:
    assert KeyedHash(b"key", "a")("result", "1") != KeyedHash(b"key", "b")("result", "1")
    assert KeyedHash(b"key", "a").key_id == KeyedHash(b"key", "b").key_id
    assert KeyedHash(b"key", "a").key_id != KeyedHash(b"other", "a").key_id


def test_any_number_of_values_hashes_the_same_again() -> None:
    keyed = KeyedHash(b"key", "riverside")
    first = [keyed(str(n)) for n in range(10_050)]
    assert [keyed(str(n)) for n in range(10_050)] == first
    assert len(set(first)) == len(first)


def test_minted_ids_stay_as_they_are_for_ever() -> None:
    # They stand in districts' gradebooks: another rule would make a second column of everything.
    item = minted_line_item_id("root", 7, "class-1")
    assert item == "cff4370a-7031-511f-b875-cfd5e470e625"
    assert minted_result_id(item, "s1") == "81aa3636-e05b-59fe-ad82-2213856d4c3e"
    assert (
        len({item, minted_line_item_id("root", 8, "class-1"), minted_line_item_id("root", 7, "class-2")}) == 3
    )
    assert minted_line_item_id("other", 7, "class-1") != item
    assert minted_result_id(item, "s1") != minted_result_id(item, "s2")


def test_a_hash_shows_nothing_of_what_it_hides() -> None:
    text = KeyedHash(b"key", "riverside")("result", "student-4711")
    assert 20 <= len(text) <= 32
    assert "4711" not in text
    assert result_subject(KeyedHash(b"key", "r"), 1, "c", "s") != result_subject(
        KeyedHash(b"key", "r"), 1, "s", "c"
    )
