"""A name in a reviewed file cannot reach machines inside our own network, whatever a resolver says of it."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.connectors.auth import BearerToken, ClientCredentials
from gradesync.connectors.http import HttpClient
from gradesync.connectors.networks import refusal
from gradesync.connectors.resolving import GuardedResolver
from gradesync.connectors.retry import RetryPolicy
from gradesync.errors import ConnectionProblem
from tests.connectors.hostile import hostile, says

HOST = "canvas.school.example"
INSIDE = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
]
NEVER = [IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10")]
ADDRESSES = {text: st.ip_addresses(v=6 if ":" in text else 4, network=text) for text in INSIDE}


@pytest.mark.parametrize("network", INSIDE)
@given(data=st.data())
def test_no_name_leads_inside(network: str, data: st.DataObject) -> None:
    address = data.draw(ADDRESSES[network])
    assert refusal(HOST, str(address)) is not None


@given(address=st.ip_addresses(v=4))
def test_an_address_wrapped_in_another_counts_as_itself(address: Any) -> None:
    plain = refusal(HOST, str(address))
    assert refusal(HOST, f"::ffff:{address}") == plain
    assert refusal(HOST, f"64:ff9b::{address}") == plain


@pytest.mark.parametrize("address", ["8.8.8.8", "52.95.110.1", "2600:1f18::5"])
def test_the_public_network_is_open(address: str) -> None:
    assert refusal(HOST, address) is None


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.0.9", "fd00::9", "127.0.0.1"])
def test_a_host_the_owner_named_may_stand_inside(address: str) -> None:
    assert refusal(HOST, address, ("*.school.example",)) is None
    assert refusal("school.evil", address, ("*.school.example",)) is not None


@pytest.mark.parametrize("network", NEVER, ids=str)
@given(data=st.data())
def test_where_cloud_machines_keep_credentials_nobody_goes(network: Any, data: st.DataObject) -> None:
    address = data.draw(st.ip_addresses(network=network))
    assert refusal(HOST, str(address), ("*",)) is not None


def test_a_name_of_this_machine_leads_nowhere_else() -> None:
    assert refusal("localhost", "127.0.0.1") is None
    assert refusal("localhost", "8.8.8.8") is not None


def _resolved_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """The system's resolver, lying; the list fills with the names it was asked for."""
    asked: list[str] = []

    def lie(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", lie)
    return asked


def test_a_public_name_that_leads_to_this_machine_reaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver may change its mind between review and run: what counts is where the connection would go."""

    async def run() -> tuple[ConnectionProblem, int, list[str]]:
        async with hostile(says([])) as server:
            port = server.url.rsplit(":", 1)[1].split("/")[0]
            asked = _resolved_to(monkeypatch, "127.0.0.1", "10.0.0.7")
            base = f"https://{HOST}:{port}"
            async with HttpClient(base, side="sis", auth=BearerToken("t"), retries=RetryPolicy()) as client:
                with pytest.raises(ConnectionProblem) as caught:
                    await client.get("/things")
            return caught.value, len(server.seen), asked

    problem, reached, asked = asyncio.run(run())
    assert problem.code == "GS-119"
    assert not problem.retryable
    assert reached == 0
    assert asked == [HOST], "asked once, refused, and not tried again"
    assert HOST not in str(problem)


def test_of_a_names_addresses_only_those_outside_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolved_to(monkeypatch, "10.0.0.7", "93.184.215.14", "169.254.169.254")
    found = asyncio.run(GuardedResolver().resolve(HOST, 443))
    assert [one["host"] for one in found] == ["93.184.215.14"]


@pytest.mark.parametrize("host", ["10.0.0.7", "169.254.169.254", "[fd00::1]", "[::ffff:10.0.0.7]"])
def test_an_address_instead_of_a_name_is_judged_too(host: str) -> None:
    async def run() -> None:
        async with HttpClient(f"https://{host}", side="sis", auth=BearerToken("t")):
            pytest.fail("it was opened")

    with pytest.raises(ConnectionProblem) as caught:
        asyncio.run(run())
    assert caught.value.code == "GS-119"


def test_the_token_address_is_judged_like_the_service() -> None:
    """The secret itself travels there."""

    async def run() -> None:
        async with hostile(says([])) as server:
            auth = ClientCredentials(
                "https://10.0.0.7/token", "id", "secret", ("roster.readonly",), other_host=True
            )
            async with HttpClient(server.url, side="sis", auth=auth) as client:
                await client.get("/things")

    with pytest.raises(ConnectionProblem) as caught:
        asyncio.run(run())
    assert caught.value.code == "GS-119"
