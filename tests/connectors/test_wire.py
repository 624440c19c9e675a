"""Numbers, instants and links survive the wire exactly, or are refused."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.connectors.links import BadAddress, Origin, link_relations, origin_of, query_of_link, segment
from gradesync.connectors.wire import Malformed, day, decode, instant, json_object, number, plain, stamp

SCORES = st.decimals(min_value=-10_000, max_value=1_000_000, allow_nan=False, allow_infinity=False, places=6)


@given(SCORES)
def test_a_score_comes_back_as_it_was_sent(score: Decimal) -> None:
    text = plain(score)
    assert "e" not in text.lower()
    body = json_object({"title": 'a "b" é'}, {"score": text})
    assert number(decode(body.encode())["score"]) == score
    assert json.loads(body)["title"] == 'a "b" é'


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_json_float_is_read_digit_by_digit(value: float) -> None:
    if value == 0 or abs(value) > 1e-15:
        assert number(decode(json.dumps(value).encode())) == Decimal(repr(value))


@pytest.mark.parametrize(
    "value", [True, [], {}, "ten", "", float, Decimal("NaN"), Decimal("1e999999"), 10**30, "NaN"]
)
def test_what_is_no_score_is_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        number(value)


def test_half_a_character_is_still_json() -> None:
    assert json.loads(json_object({"title": "\ud800"}, {}))["title"] == "\ud800"
    assert segment("\ud800") == "%ED%A0%80"


def test_a_missing_score_is_no_zero() -> None:
    assert number(None) is None
    assert number("8.50") == Decimal("8.5")


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_malformed(body: bytes) -> None:
    with suppress(Malformed):
        json.dumps(decode(body), default=str)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware below
def test_instants_are_utc_to_the_millisecond(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    back = instant(stamp(aware))
    assert back is not None
    assert back.tzinfo is UTC
    assert 0 <= (aware - back).total_seconds() < 0.001


def test_instants_in_other_spellings_are_understood() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert instant("2026-11-23T12:00:00Z") == noon
    assert instant("2026-11-23T07:00:00-05:00") == noon
    assert instant("2026-11-23T12:00:00") == noon
    assert instant("") is instant(None) is None
    assert day("2026-11-23T12:00:00.000Z") == date(2026, 11, 23)
    for no_date in (
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T23:59:59Z",
    ):
        assert instant(no_date) is None
    for wrong in ("soon", 5, ["x"]):
        with pytest.raises(Malformed):
            instant(wrong)
        with pytest.raises(Malformed):
            day(wrong)
    assert stamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"


HOME = Origin("https", "sis.example", 443, "/genesis")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/genesis?offset=2",
        "https://sis.example:8443/genesis?offset=2",
        "https://sis.example.evil.example/?offset=2",
        "https://sis.example@evil.example/?offset=2",
        "//evil.example/?offset=2",
        "https://me:pw@sis.example/?offset=2",
        "https://[::1/?offset=2",
    ],
)
@pytest.mark.parametrize("behind_proxy", [True, False])
def test_links_that_lead_elsewhere_are_refused(link: str, behind_proxy: bool) -> None:
    with pytest.raises(BadAddress):
        query_of_link(link, HOME, behind_proxy=behind_proxy)


def test_links_of_our_own_server_give_their_query() -> None:
    for link in (
        "https://sis.example/x?offset=2",
        "https://SIS.example:443/x?offset=2",
        "/x?offset=2",
        "?offset=2",
    ):
        assert query_of_link(link, HOME) == "offset=2"
    with pytest.raises(BadAddress):
        query_of_link("http://sis.example/x?offset=2", HOME)
    assert query_of_link("http://sis.example/x?offset=2", HOME, behind_proxy=True) == "offset=2"


def test_link_headers_are_read_as_relations() -> None:
    header = '<https://x/a?p=1,2>; rel="current",</b>; rel=next, <https://x/c>; title="z"; REL="last first"'
    assert link_relations(header) == {
        "current": "https://x/a?p=1,2",
        "next": "/b",
        "last": "https://x/c",
        "first": "https://x/c",
    }
    assert link_relations("rubbish") == {}


@given(st.text(st.characters(), min_size=1, max_size=30))
def test_an_id_never_leaves_its_segment(value: str) -> None:
    made = segment(value)
    assert not set(made) & set("/?#\\ ")
    assert made.strip(".")


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with suppress(BadAddress):
        found = origin_of(text)
        assert origin_of(found.root) == found
