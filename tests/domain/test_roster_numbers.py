"""Sorting in parts is sorting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.roster_numbers import in_order


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_numbers_of_any_size_come_in_order(numbers: list[int]) -> None:
    assert list(in_order(numbers)) == sorted(numbers)
