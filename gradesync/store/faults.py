"""What a database's refusals mean: the driver's error as a sentence with its place and the next step.

Pure, and the one list of such sentences. A driver's text may carry statements and values; only the first line of a
server's refusal is repeated, without passwords.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gradesync.errors import StoreUnavailable


def _first_line(origin: BaseException | None) -> str:
    return str(origin).strip().partition("\n")[0]


_SQLITE_ERRORS = {
    "SQLITE_NOTADB": ("{place} is not a store", "Point `store` to another path; this file is left alone."),
    "SQLITE_CORRUPT": ("{place} is damaged", "Restore it from a backup; the file is left alone."),
    "SQLITE_FULL": ("The disk is full, {place} cannot grow", "Free some space; nothing was half written."),
    "SQLITE_READONLY": ("{place} cannot be written to", "Give this user the right to write file and folder."),
    "SQLITE_CANTOPEN": ("{place} cannot be opened", "Give this user the right to write file and folder."),
    "SQLITE_PERM": ("{place} cannot be opened", "Give this user the right to write file and folder."),
    "SQLITE_BUSY": ("{place} is kept busy by another process", "Try again; if it stays, look for a stuck process."),
    "SQLITE_LOCKED": ("{place} is kept busy by another process", "Try again."),
    "SQLITE_IOERR": ("{place} cannot be read or written", "Look at the disk; do not keep it on a network disk."),
}  # fmt: skip


def explain_sqlite(origin: BaseException | None, place: str) -> StoreUnavailable | None:
    """The error of SQLite's driver; None when it is a mistake of ours and must show as one."""
    name = str(getattr(origin, "sqlite_errorname", ""))
    for prefix, (sentence, hint) in _SQLITE_ERRORS.items():
        if name.startswith(prefix):
            return StoreUnavailable(sentence.format(place=Path(place)), hint=hint)
    return None


_POSTGRESQL_STATES = {
    "28": "Check the role (user) and its password in the store's URL.",
    "3D": "Create the database first, or correct its name in the store's URL.",
    "53": "The server is out of space, memory or connections.",
    "25006": "The server is read-only; is it a replica?",
    "42501": "This needs rights this user has not: `gradesync store grants` writes them; tables are their owner's.",
    "40": "Another process was in the way; try again.",
    "55P03": "Another process holds a lock; try again.",
    "57014": "The database took longer than 30 s; try again, then look at its load.",
    "25P03": "This process stood still in a transaction; try again.",
    "57": "The server is shutting down or starting; try again.",
    "08": "Is the server running and reachable from here?",
}


_AT_THE_DOOR = (
    (("authentication failed",), _POSTGRESQL_STATES["28"]),
    (('role "', "does not exist"), _POSTGRESQL_STATES["28"]),
    (('role "', "is not permitted to log in"), _POSTGRESQL_STATES["28"]),
    (('database "', "does not exist"), _POSTGRESQL_STATES["3D"]),
    (
        ("no pg_hba.conf entry",),
        "The server takes no such role from this machine: its pg_hba.conf says who may come.",
    ),
)


def explain_postgresql(
    origin: BaseException | None, place: str, secrets: Iterable[str]
) -> StoreUnavailable | None:
    """The same for PostgreSQL's; `secrets` are never repeated."""
    sentence = _first_line(origin)
    for secret in secrets:
        sentence = sentence.replace(secret, "***")
    state = getattr(origin, "sqlstate", None)
    for prefix, hint in _POSTGRESQL_STATES.items():
        if state and state.startswith(prefix):
            return StoreUnavailable(f"The store at {place} refused: {sentence}", hint=hint)
    for words, hint in _AT_THE_DOOR:
        # The server was reached and said no; while connecting the library keeps its code to itself.
        if state is None and all(one in sentence for one in words):
            return StoreUnavailable(f"The store at {place} refused: {sentence}", hint=hint)
    if state is None and "connection option" in sentence:
        # The library refuses to ask anybody; the option's value is not part of what it says.
        return StoreUnavailable(
            f"The store at {place} cannot be asked: {sentence}",
            hint="Options behind the `?` of the store's URL are libpq's, such as sslmode=verify-full; correct it.",
        )
    if state is None and type(origin).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout"):
        return StoreUnavailable(
            f"The store at {place} cannot be reached: {sentence}",
            hint="Is the server running and reachable from here?",
        )
    return None


def gone(place: str) -> StoreUnavailable:
    """The error of a file that is no longer the one this process opened."""
    return StoreUnavailable(
        f"{place} was moved, replaced or deleted while it was in use",
        hint="Nothing more is written to it. Bring it back from where it went, or from a backup; never replace a"
        " store while commands use it.",
    )
