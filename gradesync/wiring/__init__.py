"""The composition root: the only room that names concrete stores and connectors.

It builds what the engine is handed and decides nothing about a plan, a run or a grade. Imports stand inside the
functions that need them, because `list` must cost little more than opening the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradesync.config.settings import Settings
    from gradesync.domain.acting import Identity
    from gradesync.domain.history import ChainFault
    from gradesync.domain.run import Actor
    from gradesync.engine.tools import Tools
    from gradesync.errors import ConnectionProblem
    from gradesync.ports import FileCache, Progress, Secrets, Store
    from gradesync.store.queue import Deliveries
    from gradesync.wiring.authors import Authors
    from gradesync.wiring.commits import Checkout
    from gradesync.wiring.keys import AccountKeys

__all__ = ["App", "OpenMode", "file_cache", "home_of", "open_app"]


class OpenMode(Enum):
    """What becomes of a store that is not there: an error, a new one, or (for a plan) an empty one in RAM.

    CREATE_BY_THE_WAY is CREATE, but EXISTING in a CI job, wherever the store is: a new one on the job's own disk, or in
    its service container, is gone with it, and every pass would be the first one. MIGRATE is EXISTING, and an older
    schema on PostgreSQL is brought up to date.
    """

    EXISTING = "existing"
    CREATE = "create"
    CREATE_BY_THE_WAY = "create by the way"
    EMPTY_IF_MISSING = "empty if missing"
    MIGRATE = "migrate"


_CREATING = (OpenMode.CREATE, OpenMode.CREATE_BY_THE_WAY)


@dataclass
class App:
    """An opened tree: its settings, its store, and (on demand) the engine's tools.

    `new_store` is True when this opening made the store, `missing_store` names the place where none was found and an
    empty one in RAM stands in.
    """

    root: Path
    settings: Settings
    store: Store
    claims: str | None = None
    new_store: bool = False
    missing_store: str | None = None
    progress: Progress | None = field(default=None)

    @cached_property
    def actor(self) -> Actor:
        """Who acts, and how we know."""
        return self.identity.actor(self.settings.people, self.claims)

    @cached_property
    def identity(self) -> Identity:
        """What is proved of whoever acts: this alone decides rights, whatever --as claims."""
        from gradesync.wiring.actor import identity

        return identity()

    def authors(self, checkout: Checkout) -> Authors | None:
        """Who wrote the changes of the tree; None where it is no commit's."""
        if checkout.commit is None:
            return None
        from gradesync.wiring.authors import Authors

        return Authors(
            root=self.root,
            commit=checkout.commit,
            since=self.store.recorded([]).commit,
            people=self.settings.people,
            by_clock=self.identity if self.identity.by_clock else None,
        )

    def verify_history(self) -> Sequence[ChainFault]:
        """Walk every chain of the history; empty when everything fits."""
        from gradesync.store.verify import verify_history

        return verify_history(self.store)

    def deliveries(self) -> Deliveries:
        """The queue as a worker takes from it. Raises StoreUnavailable where the store has none."""
        from gradesync.store.open import open_queue
        from gradesync.wiring.place import store_place

        return open_queue(store_place(self.root, self.settings.store))

    def prepare_queue(self) -> bool:
        """Make the queue's tables, or bring them up to date; False where the store or this installation has none."""
        from importlib.util import find_spec

        if self.store.info().kind != "postgresql" or find_spec("procrastinate") is None:
            return False
        self.deliveries()
        return True

    def tools(self, holder: str | None = None) -> Tools:
        """The ports bundled for the engine; `holder` is what others read instead of the actor's name."""
        from gradesync.engine.tools import Tools
        from gradesync.store.holder import this_holder
        from gradesync.wiring.actor import holder_name
        from gradesync.wiring.clock import awake_or_not
        from gradesync.wiring.on_demand import ConnectionsOnDemand
        from gradesync.wiring.secrets import References

        secrets = References(self.root)
        return Tools(
            store=self.store,
            connections=ConnectionsOnDemand(secrets, self.root, self.settings.private_hosts),
            keys=self._keys(secrets),
            progress=self.progress or Silent(),
            holder=this_holder(holder_name(holder or self.actor.name)),
            actor=self.actor,
            monotonic=awake_or_not,
        )

    def key_trouble(self) -> ConnectionProblem | None:
        """What would keep every run from the ledger's key, by GS-207; None where all is well. No key is made."""
        from gradesync.wiring.secrets import References

        return self._keys(References(self.root)).trouble()

    def _keys(self, secrets: Secrets) -> AccountKeys:
        from gradesync.wiring.keys import AccountKeys

        return AccountKeys(home_of(self.root) / "key", self.settings.keys, secrets, self.store)


class Silent:
    """Progress that nobody watches."""

    def stage(self, schedule: object, stage: str, done: int = 0, total: int | None = None) -> None:
        """Told to nobody."""

    def say(self, schedule: object, sentence: str) -> None:
        """Told to nobody."""

    def ended(self, schedule: object, done: int, total: int | None) -> None:
        """Told to nobody."""


def home_of(root: Path) -> Path:
    """Where a tree keeps what Git must not see: the store, the key, the cache."""
    return root / ".gradesync"


def file_cache(root: Path) -> FileCache:
    """The throw-away cache of files read before."""
    from gradesync.config.cache import FolderCache

    return FolderCache(home_of(root) / "cache")


@contextmanager
def open_app(
    root: Path,
    *,
    mode: OpenMode = OpenMode.EXISTING,
    claims: str | None = None,
    progress: Progress | None = None,
    settings: Settings | None = None,
    to_stop: bool = False,
    to_run: bool = False,
) -> Iterator[App]:
    """Open the tree's store for the time of a command; `to_stop` makes do with settings that have problems elsewhere.

    `to_run` does too, where the ledger's key is said as well: what was recorded before goes on.
    `claims` is the name somebody gave with --as. Raises ConfigInvalid when gradesync.yaml has problems and
    StoreUnavailable when the store cannot be used or is of another lineage than the pinned one.
    """
    if settings is None:
        from gradesync.config.settings import read_settings

        settings = read_settings(root, file_cache(root), to_stop=to_stop, to_run=to_run)
    store, missing = _open(root, settings, mode)
    try:
        info = store.info() if settings.lineage is not None or mode in _CREATING else None
        if missing is None and settings.lineage is not None:
            from gradesync.store.open import check_lineage

            check_lineage(store, settings.lineage)
        yield App(
            root=root,
            settings=settings,
            store=store,
            claims=claims,
            new_store=info is not None and info.created and missing is None,
            missing_store=missing,
            progress=progress,
        )
    finally:
        store.close()


def _open(root: Path, settings: Settings, mode: OpenMode) -> tuple[Store, str | None]:
    """The store, and the place of the one that is missing when an empty one stands in for it."""
    from gradesync.errors import StoreMissing
    from gradesync.store.open import open_store
    from gradesync.wiring.place import ci_job, missing_store, refuse_passing_store, store_place

    place = store_place(root, settings.store)
    # With a pinned lineage a new store is never the one that was meant.
    create = mode in _CREATING and settings.lineage is None
    if create and mode is OpenMode.CREATE_BY_THE_WAY and (job := ci_job()) is not None:
        refuse_passing_store(root, settings.store, job)
        create = False
    try:
        return open_store(place, create=create, migrate=mode is OpenMode.MIGRATE), None
    except StoreMissing as missing:
        if mode is not OpenMode.EMPTY_IF_MISSING or settings.lineage is not None:
            raise missing_store(missing, settings.lineage) from None
        from gradesync.store.memory import MemoryStore

        return MemoryStore(), str(missing)
