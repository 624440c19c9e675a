"""How this SIS differs from a well-behaved one, and the named bad manners a sandbox can be started with.

Data and the table of names only: what each setting does stands where it is used (`sis_writes.py`, `sis_bodies.py`,
`sis_app.py`). The measured or documented servers behind the settings are named there.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from gradesync.errors import UsageProblem

WRITE_MODES = ("put", "post", "server-ids")
CREDENTIALS_IN = ("any", "basic", "form")
ERROR_FORMS = ("bare", "wrapped", "flat", "html", "empty")
ROSTER_VIEWS = ("all", "schools", "classes", "members")
TOTALS = ("all", "page", "rest", "more")


_WORDS: Mapping[str, tuple[str, ...]] = {
    "write_mode": WRITE_MODES,
    "error_form": ERROR_FORMS,
    "credentials_in": CREDENTIALS_IN,
    "roster_views": ROSTER_VIEWS,
    "total_says": TOTALS,
}


@dataclass(slots=True)
class SisBehaviour:
    """Ways in which real servers differ; the defaults are a well-behaved one. May change while it runs.

    `write_mode`: `put` takes the client's ids; `post` creates by POST alone, so that PUT of an unknown id is 404;
    `server-ids` stores what is new under an id of its own and answers the object. `update_only` is the PUT half of
    `post`, `own_ids` the id half of `server-ids`. `closed_periods` are sourcedIds of grading periods. `lock_every`
    N locks every Nth line item by its id, `locked_items` names some. `error_form` is one of ERROR_FORMS.
    `gradebook_inactive` is the summer state: every gradebook call answers 403. `empty_kinds` read as empty
    collections, as a broken export would make them. `link_origin` replaces the origin of Link urls, as a proxy may;
    `link_relative` leaves it out. `shifting_pages` repeats a row across pages. `token_uses` is after how many calls
    a token dies, `credentials_in` where its client's id and secret must stand (CREDENTIALS_IN). `needs_header` is
    a name and a value that every call must bring. `soft_deletes` marks what is deleted and goes on listing it.
    `wrong_envelope` names the rows by the last word of the path.

    Of rosters: `roster_views` is what is offered, one of ROSTER_VIEWS: everything; nothing flat but orgs and sessions;
    people and enrollments by class alone; or members of classes without enrollments. `row_cap` is the record behind
    which a flat collection is refused. `no_filter` ignores filters, `no_fields` the choice of fields;
    `fields_refused` and `sort_refused` answer 400 to them. `total_says` is what the total header counts (TOTALS): all
    rows, those of the page, those still to come, or more than there are. `half_pages` leaves out every second page.
    `removing_pages` loses the first row after each first page was read. `repeats_page` serves the first page for ever.
    `hides_deleted` does not show rows marked as to be deleted.
    """

    page_size: int = 100
    page_clamp: int | None = None
    total_header: bool = True
    link_header: bool = True
    send_expires_in: bool = True
    title_limit: int | None = None
    score_decimals: int | None = None
    dates_at_midnight: bool = False
    write_mode: str = "put"
    update_only: bool = False
    own_ids: bool = False
    refuse_duplicates: bool = False
    soft_deletes: bool = False
    forget_writes: bool = False
    accept_later: bool = False
    partial_posts: bool = False
    closed_periods: tuple[str, ...] = ()
    locked_items: tuple[str, ...] = ()
    lock_every: int = 0
    gradebook_inactive: bool = False
    empty_kinds: tuple[str, ...] = ()
    link_origin: str | None = None
    link_relative: bool = False
    shifting_pages: bool = False
    token_uses: int | None = None
    credentials_in: str = "any"
    needs_header: tuple[str, ...] = ()
    wrong_envelope: bool = False
    error_form: str = "bare"
    roster_views: str = "all"
    row_cap: int | None = None
    no_filter: bool = False
    no_fields: bool = False
    fields_refused: bool = False
    sort_refused: bool = False
    total_says: str = "all"
    half_pages: bool = False
    removing_pages: bool = False
    repeats_page: bool = False
    hides_deleted: bool = False

    def is_locked(self, line_item_id: str) -> bool:
        """Whether a line item is locked against changes."""
        if line_item_id in self.locked_items:
            return True
        return bool(self.lock_every) and zlib.crc32(line_item_id.encode()) % self.lock_every == 0

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set some fields by name, lists becoming tuples; raises UsageProblem for what is no setting or value."""
        unknown = changes.keys() - {one.name for one in fields(self)}
        if unknown:
            raise UsageProblem(f"a SIS has no behaviour {min(unknown)!r}")
        for name, known in _WORDS.items():
            if changes.get(name, known[0]) not in known:
                raise UsageProblem(
                    f"unknown {name.replace('_', ' ')} {changes[name]!r}", hint=f"known: {', '.join(known)}"
                )
        for name, value in changes.items():
            setattr(self, name, tuple(value) if isinstance(value, list) else value)


# What each manner changes. A closed period is the one the school is in, which only its world knows.
_MANNERS: Mapping[str, Mapping[str, Any]] = {
    "sis-stores-nothing": {"forget_writes": True},
    "sis-other-id": {"own_ids": True},
    "sis-accepts-202": {"accept_later": True},
    "sis-rounds": {"score_decimals": 0},
    "sis-cuts-titles": {"title_limit": 30},
    "sis-closed-period": {"closed_periods": ()},
    "sis-locked": {"lock_every": 3},
    "sis-html-errors": {"error_form": "html"},
    "sis-wrapped-errors": {"error_form": "wrapped"},
    "sis-flat-errors": {"error_form": "flat"},
    "sis-empty-errors": {"error_form": "empty"},
    "sis-midnight-dates": {"dates_at_midnight": True},
    "sis-refuses-duplicates": {"refuse_duplicates": True},
    "sis-soft-deletes": {"soft_deletes": True},
    "sis-clamps": {"page_clamp": 50, "total_header": False, "link_header": False},
    "sis-duplicates": {"shifting_pages": True},
    "sis-foreign-links": {"link_origin": "http://foreign.example"},
    "sis-relative-links": {"link_relative": True},
    "sis-wrong-envelope": {"wrong_envelope": True},
    "sis-partial-posts": {"partial_posts": True},
    "sis-token-dies": {"token_uses": 40},
    "sis-inactive": {"gradebook_inactive": True},
    "sis-schools-only": {"roster_views": "schools"},
    "sis-classes-only": {"roster_views": "classes"},
    "sis-members-only": {"roster_views": "members"},
    "sis-caps": {"row_cap": 100, "page_clamp": 50},
    "sis-ignores-filters": {"no_filter": True},
    "sis-ignores-fields": {"no_fields": True},
    "sis-refuses-fields": {"fields_refused": True},
    "sis-refuses-sorting": {"sort_refused": True},
    "sis-counts-pages": {"total_says": "page", "link_header": False, "page_clamp": 50},
    "sis-counts-more": {"total_says": "more"},
    "sis-half-pages": {"half_pages": True, "page_clamp": 50},
    "sis-removes-rows": {"removing_pages": True, "page_clamp": 50},
    "sis-repeats-page": {"repeats_page": True, "page_clamp": 50, "total_header": False, "link_header": False},
    "sis-hides-deleted": {"hides_deleted": True},
}
MANNERS = tuple(_MANNERS)


def take_manner(
    behaviour: SisBehaviour, name: str, current_periods: Callable[[], Iterable[str]] = tuple
) -> None:
    """Let a SIS show a manner of MANNERS from now on; `current_periods` gives the periods today lies in."""
    changes = dict(_MANNERS[name])
    if name == "sis-closed-period":
        changes["closed_periods"] = tuple({*behaviour.closed_periods, *current_periods()})
    behaviour.change(changes)


def drop_manners(behaviour: SisBehaviour, names: Iterable[str] = MANNERS) -> None:
    """Put back what the manners change; everything else, the write mode among it, stays."""
    usual = SisBehaviour()
    for name in names:
        for touched in _MANNERS[name]:
            setattr(behaviour, touched, getattr(usual, touched))
