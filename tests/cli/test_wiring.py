"""Secrets, keys, the store's place and the actor: what is taken as proof, what is refused, what is never said."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gradesync.config.settings import Settings
from gradesync.engine.lease import LeaseGuard
from gradesync.errors import ConnectionProblem, LeaseLost, StoreMissing, StoreUnavailable
from gradesync.ports import Store
from gradesync.store.memory import MemoryStore
from gradesync.store.open import open_store
from gradesync.wiring import OpenMode, open_app
from gradesync.wiring.actor import current_actor, os_user
from gradesync.wiring.connections import refuse_write
from gradesync.wiring.keys import AccountKeys
from gradesync.wiring.place import store_place
from gradesync.wiring.secrets import References

JOB = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD", "BUILDKITE", "CIRCLECI")


def test_references_are_read_from_environment_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", " value \n")
    (tmp_path / "token").write_text("other\n")
    secrets = References(tmp_path)
    assert secrets.value("env:A_TOKEN", "riverside", "token") == "value"
    assert secrets.value("file:token", "riverside", "token") == "other"


@pytest.mark.parametrize("reference", ["env:NOT_SET_ANYWHERE", "file:missing", "file:.", "vault:x"])
def test_a_reference_that_leads_nowhere_is_named(tmp_path: Path, reference: str) -> None:
    with pytest.raises(ConnectionProblem, match=reference) as caught:
        References(tmp_path).value(reference, "riverside", "Canvas token")
    assert caught.value.code == "GS-207"


def test_the_password_of_the_store_is_put_in_and_made_fit_for_a_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "p@ss/word")
    url = store_place(tmp_path, "postgresql://gradesync:{env:DB_PASSWORD}@db.example/gradesync")
    assert url == "postgresql://gradesync:p%40ss%2Fword@db.example/gradesync"
    with pytest.raises(StoreUnavailable, match="env:OTHER"):
        store_place(tmp_path, "postgresql://gradesync:{env:OTHER}@db.example/gradesync")


def test_the_stores_path_counts_from_the_tree(tmp_path: Path) -> None:
    assert store_place(tmp_path, None) == str(tmp_path / ".gradesync" / "store.db")
    assert store_place(tmp_path, "sqlite:///data/store.db") == str(tmp_path / "data" / "store.db")
    assert store_place(tmp_path, "sqlite:////var/lib/store.db") == "/var/lib/store.db"


def test_no_new_file_becomes_the_store_where_the_environment_names_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADESYNC_STORE", "postgresql://gradesync@db.example/gradesync")
    with pytest.raises(StoreUnavailable, match="GRADESYNC_STORE is set") as caught:
        store_place(tmp_path, None)
    assert "store: env:GRADESYNC_STORE" in (caught.value.hint or "")
    assert store_place(tmp_path, "sqlite:///data/store.db") == str(tmp_path / "data" / "store.db")
    (tmp_path / ".gradesync").mkdir()
    (tmp_path / ".gradesync" / "store.db").touch()
    assert store_place(tmp_path, None) == str(tmp_path / ".gradesync" / "store.db")


@pytest.mark.parametrize("name", ["CI", "GITHUB_ACTIONS", "GITLAB_CI"])
def test_a_pass_in_a_ci_job_makes_no_store_that_is_gone_with_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "true")
    with (
        pytest.raises(StoreUnavailable, match="gone with the job") as caught,
        open_app(tmp_path, mode=OpenMode.CREATE_BY_THE_WAY),
    ):
        pass
    assert "`store: env:GRADESYNC_STORE`" in (caught.value.hint or "")
    assert not (tmp_path / ".gradesync" / "store.db").exists()
    # On purpose it is made, and then passes work with it.
    with open_app(tmp_path, mode=OpenMode.CREATE) as app:
        assert app.new_store
    with open_app(tmp_path, mode=OpenMode.CREATE_BY_THE_WAY) as app:
        assert not app.new_store


def test_nor_does_it_where_the_tree_says_where_the_store_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    said = Settings(store="sqlite:///data/store.db")
    with (
        pytest.raises(StoreMissing, match=r"in a CI job \(CI is set\) no pass makes one") as caught,
        open_app(tmp_path, mode=OpenMode.CREATE_BY_THE_WAY, settings=said),
    ):
        pass
    assert "`gradesync store init`" in (caught.value.hint or "")
    assert "first `gradesync reconcile`" not in (caught.value.hint or "")
    assert not (tmp_path / "data").exists()
    with open_app(tmp_path, mode=OpenMode.CREATE, settings=said) as app:
        assert app.new_store
    with open_app(tmp_path, mode=OpenMode.CREATE_BY_THE_WAY, settings=said) as app:
        assert not app.new_store


def test_an_empty_database_of_a_ci_job_is_no_store_that_a_pass_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Here a file, as a service container's database would be: it is there, and nothing is in it.
    (tmp_path / "empty.db").touch()
    said = Settings(store="sqlite:///empty.db")
    monkeypatch.setenv("CI", "true")
    with (
        pytest.raises(StoreMissing, match="no pass makes one"),
        open_app(tmp_path, mode=OpenMode.CREATE_BY_THE_WAY, settings=said),
    ):
        pass
    # A person's pass makes it.
    for name in JOB:
        monkeypatch.delenv(name, raising=False)
    with open_app(tmp_path, mode=OpenMode.CREATE_BY_THE_WAY, settings=said) as app:
        assert app.new_store


@pytest.mark.parametrize("mode", [OpenMode.EXISTING, OpenMode.CREATE, OpenMode.CREATE_BY_THE_WAY])
def test_a_missing_store_whose_lineage_is_pinned_is_not_promised_by_any_pass(
    tmp_path: Path, mode: OpenMode
) -> None:
    with (
        pytest.raises(StoreMissing, match=r"pins its lineage \(0c9f3f1e\), so no new one is made") as caught,
        open_app(tmp_path, mode=mode, settings=Settings(lineage="0c9f3f1e")),
    ):
        pass
    assert "first `gradesync reconcile`" not in (caught.value.hint or "")
    assert "`gradesync store import`" in (caught.value.hint or "")


def test_a_store_others_may_use_wants_a_key_they_share(tmp_path: Path) -> None:
    keys = AccountKeys(tmp_path / "key", None, References(tmp_path), MemoryStore())
    with pytest.raises(ConnectionProblem, match="no key they share") as caught:
        keys.keyed("riverside")
    assert caught.value.code == "GS-207"
    assert not (tmp_path / "key").exists()


def test_a_key_by_reference_gives_the_same_hashes_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "k" * 64)
    (tmp_path / "key").write_text("k" * 64 + "\n")
    by_name = AccountKeys(tmp_path / "none", "env:A_KEY", References(tmp_path), MemoryStore())
    by_file = AccountKeys(tmp_path / "key", None, References(tmp_path), MemoryStore())
    assert by_name.keyed("riverside")("x") == by_file.keyed("riverside")("x")
    assert by_name.keyed("riverside")("x") != by_name.keyed("oak-hill")("x")


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Store]:
    """A store for one machine."""
    with closing(open_store(tmp_path / "store.db", create=True)) as store:
        yield store


def test_two_passes_that_make_the_key_at_once_use_the_same_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_disk: Store
) -> None:
    file, store = tmp_path / "home" / "key", on_disk
    first, second = (AccountKeys(file, None, References(tmp_path), store) for _ in range(2))
    really_open = os.open
    other: list[str] = []

    def overtaken(path: Any, flags: int, mode: int = 0o777) -> int:
        handle = really_open(path, flags, mode)
        if not other:
            other.append("")
            other[0] = second.keyed("riverside")("x")
        return handle

    monkeypatch.setattr("gradesync.wiring.keys.os.open", overtaken)
    assert first.keyed("riverside")("x") == other[0]
    assert [path.name for path in file.parent.iterdir()] == ["key"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_that_cannot_be_kept_is_told_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_disk: Store
) -> None:
    def read_only(path: Any, flags: int, mode: int = 0o777) -> int:
        raise OSError(errno.EROFS, "read-only file system")

    keys = AccountKeys(tmp_path / "home" / "key", None, References(tmp_path), on_disk)
    monkeypatch.setattr("gradesync.wiring.keys.os.open", read_only)
    with pytest.raises(ConnectionProblem) as caught:
        keys.keyed("riverside")
    assert caught.value.code == "GS-207"


def test_a_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "password")
    keys = AccountKeys(tmp_path / "key", "env:A_KEY", References(tmp_path), MemoryStore())
    with pytest.raises(ConnectionProblem, match="8 characters") as caught:
        keys.keyed("riverside")
    assert caught.value.hint == "make one with `openssl rand -hex 32`"


def test_where_the_ledger_has_a_key_no_new_one_is_advised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    store.set_key_id("the old key's")
    monkeypatch.setenv("A_KEY", "password")
    keys = AccountKeys(tmp_path / "key", "env:A_KEY", References(tmp_path), store)
    with pytest.raises(ConnectionProblem) as caught:
        keys.keyed("riverside")
    assert "openssl" not in (caught.value.hint or "")
    assert "put back the whole key" in (caught.value.hint or "")


def test_what_would_keep_runs_from_the_key_is_known_before_one_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_disk: Store
) -> None:
    def trouble(reference: str | None = "env:A_KEY") -> str | None:
        keys = AccountKeys(tmp_path / "home" / "key", reference, References(tmp_path), on_disk)
        found = keys.trouble()
        return None if found is None else f"{found.code} {found}"

    monkeypatch.delenv("A_KEY", raising=False)
    assert "nothing is found at env:A_KEY" in (trouble() or "")
    monkeypatch.setenv("A_KEY", "short")
    assert "5 characters" in (trouble() or "")
    monkeypatch.setenv("A_KEY", "k" * 64)
    assert trouble() is None
    # Without `keys` the first run makes one; looking does not.
    assert trouble(None) is None
    assert not (tmp_path / "home").exists()
    on_disk.set_key_id("the old key's")
    assert "made with another key" in (trouble() or "")
    assert "is gone" in (trouble(None) or "")


PEOPLE = {"ana": {"name": "Ana Ortiz", "logins": ["aortiz"]}}


@pytest.mark.parametrize(
    ("environment", "name", "via"),
    [
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "aortiz", "GITHUB_EVENT_NAME": "workflow_dispatch"},
            "Ana Ortiz",
            f"CI dispatch aortiz, OS user {os_user()}",
        ),
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "aortiz", "GITHUB_EVENT_NAME": "schedule"},
            "scheduler",
            f"CI cron, OS user {os_user()}",
        ),
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ben", "GITHUB_EVENT_NAME": "push"},
            "ben",
            f"CI push, OS user {os_user()}",
        ),
        (
            {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ben", "CI_PIPELINE_SOURCE": "schedule"},
            "scheduler",
            f"CI cron, OS user {os_user()}",
        ),
    ],
)
def test_in_ci_the_environment_says_who_acts(environment: dict[str, str], name: str, via: str) -> None:
    actor = current_actor(PEOPLE, None, environment)
    assert (actor.name, actor.via) == (name, via)


def test_a_claimed_name_stands_beside_the_login_and_never_in_its_place() -> None:
    plain = current_actor({}, None, {})
    claimed = current_actor({}, "Ana\x1b[31m Ortiz", {"USER": "somebody-else"})
    assert claimed.name == plain.name
    assert claimed.name != "somebody-else"
    assert claimed.via == "OS user, claims Ana[31m Ortiz"


def test_a_reading_connection_refuses_to_write() -> None:
    with pytest.raises(Exception, match="may only read"):
        refuse_write()


def test_a_lease_runs_out_while_the_machine_sleeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(time, "CLOCK_BOOTTIME"):
        pytest.skip("only Linux has a clock of its own for that")
    with open_app(tmp_path, mode=OpenMode.CREATE) as app:
        tools = app.tools()
    guard = LeaseGuard(tools.lease_seconds, tools.monotonic)
    guard.extend_from(tools.monotonic())
    guard.check()
    really = time.clock_gettime
    asleep = {time.CLOCK_BOOTTIME: 120.0}
    monkeypatch.setattr("time.clock_gettime", lambda clock: really(clock) + asleep.get(clock, 0.0))
    with pytest.raises(LeaseLost):
        guard.check()


def test_settings_are_optional() -> None:
    assert Settings().store is None
