"""Probes whose subject the sandbox cannot play: certificates, and hints of tokens."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gradesync.connectors.auth import BearerToken, ClientCredentials
from gradesync.connectors.doctoring import certificate
from gradesync.connectors.doctoring.canvas import CanvasProbe, _begins, smallest_question
from gradesync.connectors.doctoring.certificate import certificate_of
from gradesync.connectors.doctoring.sis import Doorway, SisProbe
from gradesync.connectors.http import HttpClient
from gradesync.connectors.retry import RetryPolicy
from gradesync.connectors.sftp import Login, SftpPickup
from gradesync.domain.account import Scope
from gradesync.domain.doctor_facts import Certificate, GraphQl
from gradesync.domain.profile import PROFILES
from gradesync.domain.roster_files import ONEROSTER_CSV, RosterFiles, SftpPlace
from gradesync.errors import ConnectionProblem
from tests.connectors.hostile import Answer, hostile, says
from tests.connectors.test_sftp import LINE, OTHER_KEY, PASSWORD, Server, put, served

NOW = datetime.now(UTC).replace(microsecond=0)


def _issued(folder: Path, ends: datetime, names: Sequence[x509.GeneralName]) -> Path:
    """A certificate of its own authority with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "school.test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(min(NOW, ends) - timedelta(days=400))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _seen(pem: Path, *, trusted: bool = True) -> tuple[Certificate | ConnectionProblem, bytes]:
    """What the probe says of a server with this certificate, and what the server got of us behind the handshake."""
    got = bytearray()

    async def body() -> Certificate | ConnectionProblem:
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(pem)
        closed = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.extend(await reader.read())
            writer.close()
            closed.set()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=served)
        context = ssl.create_default_context(cafile=str(pem) if trusted else None)
        port = server.sockets[0].getsockname()[1]
        async with server:
            try:
                found = await certificate_of(f"https://127.0.0.1:{port}/x", "sis", (), context)
            except ConnectionProblem as problem:
                return problem
            await asyncio.wait_for(closed.wait(), 5)
            return found

    return asyncio.run(body()), bytes(got)


HERE = [x509.IPAddress(ip_address("127.0.0.1"))]


def test_the_end_of_a_certificate_is_read_and_nothing_is_sent(tmp_path: Path) -> None:
    ends = NOW + timedelta(days=12)
    found, got = _seen(_issued(tmp_path, ends, HERE))
    assert found == Certificate("127.0.0.1", ends)
    assert got == b""


@pytest.mark.parametrize("fault", ["ended", "another host", "not trusted"])
def test_a_certificate_that_a_run_would_refuse_is_refused_here(tmp_path: Path, fault: str) -> None:
    ends = NOW + timedelta(days=-2 if fault == "ended" else 90)
    names: list[x509.GeneralName] = [x509.DNSName("other.test")] if fault == "another host" else list(HERE)
    found, _ = _seen(_issued(tmp_path, ends, names), trusted=fault != "not trusted")
    assert isinstance(found, ConnectionProblem)
    assert found.code == "GS-205"
    if fault == "ended":
        assert "expired" in str(found)


def test_nobody_answering_and_plain_http_elsewhere_are_told_apart() -> None:
    async def code(url: str) -> str:
        with pytest.raises(ConnectionProblem) as caught:
            await certificate_of(url, "canvas")
        return caught.value.code

    assert asyncio.run(code("https://127.0.0.1:9/")) == "GS-302"
    assert asyncio.run(code("http://school.test/")) == "GS-108"
    assert asyncio.run(code("https://10.1.2.3/")) == "GS-119"
    assert certificate.SECONDS < 30


def test_a_file_server_is_looked_at_without_fetching_anything(tmp_path: Path) -> None:
    out = tmp_path / "served" / "out"
    out.mkdir(parents=True)
    put(out / "new.zip", b"new", minutes=30)
    opened: list[Path] = []

    async def look(max_age: int, host_key: str = LINE) -> float:
        async with served(Server(tmp_path / "served", on_open=opened.append)) as there:
            place = SftpPlace("127.0.0.1", "gradesync", host_key, there.port)
            files = RosterFiles(ONEROSTER_CSV, "/out/*.zip", None, max_age)
            return await SftpPickup(place, Login(password=PASSWORD), files, tmp_path).look()

    assert round(asyncio.run(look(60)), 1) == 0.5
    for code, max_age, key in (
        ("GS-611", 20, LINE),
        ("GS-209", 60, OTHER_KEY.export_public_key().decode().strip()),
    ):
        with pytest.raises(ConnectionProblem) as caught:
            asyncio.run(look(max_age, key))
        assert caught.value.code == code
    assert opened == []


@pytest.mark.parametrize(
    ("hint", "same"),
    [("1234~", True), ("1234~AbCd...", True), ("9999~", False), ("", False), ("1", True)],
)
def test_a_token_is_known_by_how_canvas_shortens_it(hint: str, same: bool) -> None:
    assert _begins("1234~", hint) is same


ODD: list[Any] = [
    {},
    [],
    [[]],
    [{}],
    "x",
    None,
    7,
    {"id": {}},
    {"id": "1"},
    {"id": True, "uuid": 5},
    [{"id": 1, "name": None, "course_id": [], "token_hint": 4, "expires_at": {}}],
    [{"id": 1, "name": "g", "assignment_group_id": [1], "post_to_sis": "yes", "user": [], "login_id": {}}],
    [{"id": 1, "course_id": 1, "sis_section_id": 5, "sis_user_id": [], "enrollment_term_id": {}}],
    {"enrollment_terms": [{"name": 3, "start_at": "never", "end_at": 5}]},
    {"enrollment_terms": {"a": 1}},
    {"classes": [{"sourcedId": 5}], "orgs": [{"sourcedId": "a"}]},
    {
        "classes": [{"sourcedId": "c", "school": [], "terms": 3}],
        "categories": [{"sourcedId": "c", "title": []}],
    },
    {"academicSessions": [{"sourcedId": "s", "startDate": 5, "endDate": "x", "type": {}, "title": []}]},
    {"users": [{"sourcedId": {}}], "categories": [[]]},
]


@pytest.mark.parametrize("body", ODD, ids=repr)
def test_an_answer_that_makes_no_sense_is_a_problem_and_never_a_crash(body: Any) -> None:
    async def ask() -> None:
        async with hostile(says(body)) as server:
            client = HttpClient(
                server.url, side="canvas", auth=BearerToken("t"), retries=RetryPolicy(tries=1)
            )
            sis = HttpClient(server.url, side="sis", auth=BearerToken("t"), retries=RetryPolicy(tries=1))
            async with client, sis:
                canvas = CanvasProbe(client, Scope(), "America/New_York", "1234~")
                key = ClientCredentials(f"{server.url}/token", "i", "s")
                probe = SisProbe(sis, sis, PROFILES["genesis"], Doorway(sis, key, ("a",)), None)
                for question in (
                    canvas.hello, canvas.whose, canvas.token_end, canvas.includes, canvas.terms,
                    lambda: canvas.permissions(["read_sis"]), lambda: canvas.admin("jo"), lambda: canvas.admin("7"),
                    lambda: canvas.sections(3), lambda: canvas.students(1), lambda: canvas.groups(1),
                    lambda: canvas.account_calls(["terms"]), lambda: canvas.course_calls(1), canvas.graphql,
                    probe.hello, probe.page, probe.terms, probe.class_ids, probe.roster_answers,
                    lambda: probe.members("c"), lambda: probe.categories(["c"]), lambda: probe.gradebook_answers("c"),
                ):  # fmt: skip
                    with suppress(ConnectionProblem):
                        await question()

    asyncio.run(ask())


QUERY = "query($term: ID!) { term(id: $term) { coursesConnection(first: 1) { nodes { _id } } } }"
TERMS = says({"enrollment_terms": [{"id": 12, "name": "2026-2027"}]})


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (says({"data": {"term": {"coursesConnection": {"nodes": []}}}}), GraphQl.ANSWERS),
        (says({"data": {"term": None}}), GraphQl.NOTHING),
        (says({"errors": [{"message": "not today"}]}), GraphQl.UNCLEAR),
        (says({"errors": [{"message": "no such address"}]}, status=404), GraphQl.MISSING),
        (says({"errors": []}, status=502), GraphQl.SILENT),
        (says({"errors": [{"message": "user not authorized"}]}, status=403), GraphQl.REFUSED),
    ],
)
def test_the_one_post_to_canvas_is_a_query_that_can_only_read(answer: Answer, meaning: GraphQl) -> None:
    async def ask() -> None:
        async with hostile(TERMS, answer) as server:
            client = HttpClient(server.url, side="canvas", auth=BearerToken("t"))
            async with client:
                assert await CanvasProbe(client, Scope(), "America/New_York", "1234~").graphql() is meaning
        told = [(one.method, one.path, one.body) for one in server.seen]
        body = json.dumps({"query": QUERY, "variables": {"term": "12"}}).encode()
        assert told == [("GET", "/api/v1/accounts/self/terms", b""), ("POST", "/api/graphql", body)]
        assert body == smallest_question(12)

    asyncio.run(ask())
