"""Parts of the accounts: every account is in exactly one of them, on every machine and for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.shard import Shard


@given(st.text(min_size=1), st.integers(1, 50))
def test_the_parts_cover_every_account_once(account: str, count: int) -> None:
    assert sum(Shard(number, count).holds(account) for number in range(1, count + 1)) == 1


def test_an_account_stays_in_its_part() -> None:
    # Written down: another hash in a later version would let two parts run one account, or none.
    found = [
        next(n for n in range(1, 5) if Shard(n, 4).holds(key))
        for key in ("riverside", "oak-hill", "lakeside")
    ]
    assert found == [4, 4, 3]


def test_the_parts_are_about_equal() -> None:
    sizes = [sum(Shard(number, 4).holds(f"district-{key}") for key in range(2000)) for number in range(1, 5)]
    assert min(sizes) > 400


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/2/3"])
def test_what_is_no_part_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"part"):
        Shard.parse(text)


def test_a_part_is_read() -> None:
    assert Shard.parse("2/4") == Shard(2, 4)
