"""PostgreSQL's roles: one that only reads, one that runs passes and cannot touch tables or history, and the owner."""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from gradesync.cli.main import group
from gradesync.domain.run import Run
from gradesync.errors import StoreUnavailable
from gradesync.ports import RunQuery, SlotClaim
from gradesync.store import roles, schema
from gradesync.store.open import open_queue, open_store
from gradesync.store.tables import metadata
from gradesync.store.transfer import check
from gradesync.store.verify import verify_history
from tests.store.conftest import _execute
from tests.store.samples import DONE, T0, claim, entry, fact, new_run, queue, school

_numbers = itertools.count(1)
WORD = "a-word-of-these-tests"


@dataclass(frozen=True)
class Roles:
    """One store and its URL for each of the three roles."""

    owner: str
    run: str
    read: str
    names: tuple[str, str]


def as_role(url: str, role: str) -> str:
    made = make_url(url).set(username=role, password=WORD)
    return made.render_as_string(hide_password=False)


@pytest.fixture
def three(postgresql_server: str) -> Iterator[Roles]:
    number = next(_numbers)
    owner, run, read, base = (f"{part}{number}" for part in ("own-er", "run", "Read", "roles"))
    for role in (owner, run, read):
        _execute(postgresql_server, f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{WORD}'")
    _execute(postgresql_server, f'CREATE DATABASE {base} OWNER "{owner}"')
    url = postgresql_server.replace("/postgres?", f"/{base}?")
    _execute(url, f'ALTER SCHEMA public OWNER TO "{owner}"')
    owned = as_role(url, owner)
    open_store(owned, create=True).close()
    _execute(owned, roles.grants(read=read, run=run))
    yield Roles(owned, as_role(url, run), as_role(url, read), (read, run))
    _execute(postgresql_server, f"DROP DATABASE {base} WITH (FORCE)")
    for role in (owner, run, read):
        _execute(postgresql_server, f'DROP ROLE "{role}"')


def test_the_running_role_does_all_the_work_of_a_run_and_the_reading_one_sees_it(three: Roles) -> None:
    with closing(open_store(three.run, create=True)) as store:
        assert not store.info().created
        school(store, "riverside", next_run=T0)
        store.append([fact(detail="somebody's words")])
        claimed = claim(store, queue(store))
        records = store.records(claimed)
        records.intend([entry("s1", intent="h")])
        records.checkpoint("c1", ledger=[entry("s1", sent="h")], waiting=[], complete=True)
        store.finish(claimed, DONE, [fact("run ended")])
        assert store.checkpoint()
        assert store.purge(store.now(), [fact("purged")]) >= 1
    with closing(open_store(three.read, create=False)) as seen:
        assert list(seen.recorded().accounts) == ["riverside"]
        assert len(seen.runs(RunQuery())) == 1
        assert [one.subject for one in seen.ledger_entries("riverside", ["s1"])] == ["s1"]
        assert verify_history(seen) == []
        with pytest.raises(StoreUnavailable, match="permission denied") as caught:
            seen.append([fact()])
        assert "store grants" in str(caught.value.hint)


FORBIDDEN = (
    "UPDATE history SET what = 'nothing'",
    "DELETE FROM history",
    "TRUNCATE history",
    "ALTER TABLE history DISABLE TRIGGER ALL",
    "DROP TRIGGER history_no_change ON history",
    "SET session_replication_role = replica",
    "UPDATE history_detail SET detail = 'other words'",
    "UPDATE gradesync_schema SET version_num = '0001'",
    "CREATE TABLE mine (a int)",
    "DROP TABLE ledger",
    "TRUNCATE ledger",
)


def test_the_running_role_can_change_neither_the_history_nor_a_table(three: Roles) -> None:
    with closing(open_store(three.run, create=False)) as store:
        store.append([fact(detail="words")])
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                _execute(three.run, statement)
        assert verify_history(store) == []


def test_the_owner_is_stopped_by_the_triggers(three: Roles) -> None:
    with closing(open_store(three.owner, create=False)) as store:
        store.append([fact()])
    for statement in ("UPDATE history SET what = 'x'", "DELETE FROM history", "TRUNCATE history"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            _execute(three.owner, statement)


def test_granting_again_changes_nothing_and_takes_back_what_was_too_much(three: Roles) -> None:
    read, run = three.names
    _execute(three.owner, f'GRANT ALL ON history TO "{run}"')
    for _ in range(2):
        _execute(three.owner, roles.grants(read=read, run=run))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _execute(three.run, "DELETE FROM history")


def test_every_table_has_its_rights_named(three: Roles) -> None:
    text = roles.grants(read="r", run="w")
    assert all(f'"{name}" TO "r"' in text for name in (*metadata.tables, schema.VERSION_TABLE))
    assert metadata.tables.keys() >= roles.APPEND_ONLY | roles.ERASABLE


@pytest.mark.parametrize("name", ["", 'a"b', "a'b", "x" * 64, "a$$b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        roles.grants(read=name, run="w")


def test_only_the_owner_who_says_so_migrates_and_everybody_is_told(three: Roles) -> None:
    _execute(three.owner, f"UPDATE {schema.VERSION_TABLE} SET version_num = '0003'")
    for url in (three.owner, three.run, three.read):
        with pytest.raises(StoreUnavailable, match="schema 0003, older than") as caught:
            open_store(url, create=False)
        assert "--backed-up" in str(caught.value.hint)
    with pytest.raises(StoreUnavailable, match=r"must be owner|permission denied"):
        open_store(three.run, create=False, migrate=True)
    _execute(three.owner, f"UPDATE {schema.VERSION_TABLE} SET version_num = '{schema.REVISION}'")


ACCOUNT = """\
account: riverside
name: Riverside
time_zone: America/New_York
canvas: {url: "http://127.0.0.1:9/canvas", token: env:TOKEN}
sis: {profile: genesis, url: "http://127.0.0.1:9/genesis", client_id: env:ID, client_secret: env:SECRET}
schedules:
  grades: {type: grade passback, interval: daily at 04:00, first_run: 2026-09-01 04:00, posted_by: sis-admin}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules" / "riverside.yaml").write_text(ACCOUNT)
    (tmp_path / "gradesync.yaml").write_text("store: env:STORE\nkeys: env:KEY\n")
    return tmp_path


def gradesync(tree: Path, store: str, command: str) -> Result:
    environment = {"STORE": store, "KEY": "k" * 40}
    return CliRunner().invoke(group, ["-C", str(tree), *shlex.split(command)], env=environment)


def test_the_commands_work_with_the_role_they_need_and_no_more(three: Roles, tree: Path) -> None:
    refused = gradesync(tree, three.read, "reconcile --no-syncs")
    assert refused.exit_code == 1
    assert "store grants" in refused.stderr
    done = gradesync(tree, three.run, "reconcile --no-syncs")
    assert done.exit_code == 0, done.stderr
    held = gradesync(tree, three.run, "pause riverside/grades --reason 'looked odd'")
    assert held.exit_code == 0, held.stderr
    for command in (
        "plan",
        "list",
        "show riverside",
        "show riverside/grades",
        "history --last 5",
        "history --verify",
        "holds",
        "store info",
    ):
        seen = gradesync(tree, three.read, command)
        assert seen.exit_code == 0, (command, seen.stderr)


def test_the_running_role_puts_runs_on_the_queue_that_the_owner_made(three: Roles) -> None:
    open_queue(three.owner)
    read, run = three.names
    _execute(three.owner, roles.grants(read=read, run=run))
    open_queue(three.run)
    with closing(open_store(three.run, create=False)) as store:
        school(store, "riverside", next_run=T0 - timedelta(days=300))
        [due] = store.due_rows(store.now())
        slot = replace(queued_slot(), created_at=store.now())
        claims = [SlotClaim(due.schedule, due.next_run_at, None, slot)]
        assert store.claim_slots(claims, enqueue=True) == [slot]
        assert store.redeliver() == 0
        _execute(three.owner, "DELETE FROM procrastinate_jobs")
        assert store.redeliver() == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _execute(three.read, "DELETE FROM procrastinate_jobs")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _execute(three.run, "DROP TABLE procrastinate_jobs")


def test_a_queue_that_only_the_owner_can_make_is_told_with_who_makes_it(three: Roles, tree: Path) -> None:
    refused = gradesync(tree, three.run, "reconcile --enqueue")
    assert refused.exit_code == 1
    assert "GS-705" in refused.stderr
    assert "store migrate --backed-up" in refused.stderr
    assert "--backed-up" in gradesync(tree, three.owner, "store migrate").stderr
    made = gradesync(tree, three.owner, "store migrate --backed-up")
    assert "the queue for workers is prepared" in made.stderr
    read, run = three.names
    _execute(three.owner, roles.grants(read=read, run=run))
    done = gradesync(tree, three.run, "reconcile --enqueue")
    assert done.exit_code == 0, done.stderr


def queued_slot() -> Run:
    return new_run(slot=T0.isoformat())


def test_a_role_that_reads_exports_what_the_owner_sees(three: Roles, tree: Path) -> None:
    assert gradesync(tree, three.run, "reconcile --no-syncs").exit_code == 0
    file = tree / "copy.jsonl"
    done = gradesync(tree, three.read, f"store export {file} --format json")
    assert done.exit_code == 0, done.stderr
    with file.open("rb") as lines:
        assert check(lines).digest == json.loads(done.stdout)["digest"]
