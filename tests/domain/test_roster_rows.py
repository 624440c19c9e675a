"""Refused rows: counted, remembered by keyed hashes, and found again in another night's files."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster_csv import HEADERS
from gradesync.domain.roster_rows import Remembered, RowMessage, keys_at, refused, row_key, rows_with

KEYED = KeyedHash(b"k" * 32, "riverside")
IDS = st.text("abc:0", min_size=1, max_size=3)
SEATS = st.lists(
    st.tuples(IDS, IDS, st.sampled_from(["student", "teacher"])), unique=True, min_size=1, max_size=8
).map(lambda seats: [(*seat, "active", "", "") for seat in seats])


@given(seats=SEATS, data=st.data())
def test_exactly_the_rows_that_were_named_are_found_again_in_any_order_and_with_any_status(
    seats: list[tuple[str, ...]], data: st.DataObject
) -> None:
    header = HEADERS["enrollments"]
    numbers = data.draw(st.frozensets(st.integers(2, len(seats) + 1)))
    keys = keys_at(KEYED, "enrollments", header, seats, numbers)
    tomorrow = data.draw(st.permutations([(*seat[:3], "inactive", "", "") for seat in seats]))
    again = {row[:3] for row in rows_with(KEYED, "enrollments", header, tomorrow, keys)}
    assert again == {seats[number - 2][:3] for number in numbers}


@given(
    messages=st.lists(st.tuples(st.sampled_from(["users", ""]), st.none() | st.integers(1, 5)), max_size=8)
)
def test_every_message_is_counted_once_and_named_or_not(messages: list[tuple[str, int | None]]) -> None:
    found = refused([RowMessage(kind, row, "GS-604") for kind, row in messages])
    named = [(kind, row) for kind, row in messages if kind and row is not None and row > 1]
    assert found.total == sum(found.kinds.values()) == len(messages)
    assert found.unplaced == len(messages) - len(named)
    assert sum(len(rows) for rows in found.rows.values()) == len(set(named))


@given(
    keys=st.dictionaries(
        st.sampled_from(["users", "enrollments"]), st.frozensets(st.text("0f", min_size=2), min_size=1)
    ),
    unplaced=st.booleans(),
)
def test_what_is_remembered_comes_back_from_the_store(
    keys: dict[str, frozenset[str]], unplaced: bool
) -> None:
    kept = Remembered(keys, unplaced)
    assert Remembered.of(kept.text()) == kept
    assert Remembered.of(None) == Remembered.of("") == Remembered()


def test_a_person_is_not_to_be_guessed_from_what_is_kept_without_the_key() -> None:
    row = ("s1", "ann", "Ann", "One", "", "active")
    mine = row_key(KEYED, "users", HEADERS["users"], row)
    assert mine != row_key(KeyedHash(b"x" * 32, "riverside"), "users", HEADERS["users"], row)
    assert mine == row_key(KEYED, "users", HEADERS["users"], ("s1", "other", "Name", "Two", "", "suspended"))
    assert "s1" not in mine
