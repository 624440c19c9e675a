"""The page's own sentences: what a state means, who must act, and what to do next.

Whatever people or other systems wrote passes `clean` here; the templates escape it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from gradesync.domain.due import Block
from gradesync.domain.hold import Hold, HoldKind
from gradesync.domain.needs import FROZEN
from gradesync.domain.page_overview import PageAccount
from gradesync.domain.page_standing import Word
from gradesync.domain.problem import CODES, Code
from gradesync.domain.report import ScheduleRow
from gradesync.domain.schedule import SyncType
from gradesync.reporting import words
from gradesync.reporting.clean import clean, cut

SLUGS = {
    Word.FAILING: "failing",
    Word.LATE: "late",
    Word.WAITING: "waiting",
    Word.HELD: "held",
    Word.PAUSED: "paused",
    Word.NEW: "new",
    Word.OK: "ok",
}
"""The class, and the picture, of a word."""

SCHEDULE_WORDS = {
    "active": ("ok", "active"),
    "observe": ("late", "observe"),
    "paused": ("paused", "paused"),
    "held": ("held", "held"),
    "breaker open": ("failing", "breaker open"),
    "blackout": ("held", "blackout"),
}

TYPE_SLUGS = {SyncType.ROSTER_IMPORT: "roster", SyncType.GRADE_PASSBACK: "grades"}


class Stamps:
    """Instants as (machine's text, people's text), to the minute; the same few thousand come again and again."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: dict[tuple[int, int, int, str], tuple[str, str]] = {}

    def __call__(self, instant: datetime | None, zone: str) -> tuple[str, str]:
        """Both empty for None."""
        if instant is None:
            return "", ""
        key = (instant.toordinal(), instant.hour, instant.minute, zone)
        found = self._known.get(key)
        if found is None:
            iso = f"{instant:%Y-%m-%dT%H:%M}Z"
            found = self._known[key] = (iso, words.clock(instant, zone, self._now))
        return found


def mark_of(outcome: str) -> str:
    """The class of an outcome; `abandoned` looks like a failure, which it is."""
    return "failed" if outcome == "abandoned" else outcome


@lru_cache(maxsize=512)
def code_text(code: str) -> tuple[str, str]:
    """(title, who must act and how) of a code; of an unknown one its name says all."""
    entry = CODES.get(code)
    return ("", "") if entry is None else (entry.title, to_do(entry))


def to_do(entry: Code) -> str:
    """Who must act, and how; commands in plain quotation marks: a browser shows backticks as they are."""
    return re.sub("`([^`]*)`", "\u201c\\1\u201d", words.to_do(entry))


def how_long(standing_since: datetime | None, now: datetime) -> str:
    """`for 3 days`; empty when it is not known."""
    return "" if standing_since is None else words.how_long(standing_since, now)


_WHO = {"support": "Support", "district": "District", "teacher": "Teachers"}


def who_text(account: PageAccount) -> str:
    """Who must act on an account, comma by comma so that a filter can take it apart."""
    word, who = account.standing.word, account.standing.who
    if word is Word.LATE:
        # Whatever waits besides, nobody but support can start the job that starts runs.
        who = tuple(sorted({*who, "support"}))
    if who:
        return ", ".join(_WHO.get(one, "District") for one in who)
    return "Support" if word in (Word.FAILING, Word.LATE, Word.HELD) else "Nobody"


def next_step(account: PageAccount, now: datetime) -> str:
    """The exact next step, for staff."""
    word, key = account.standing.word, account.key
    if not account.schedules:
        return "It has no schedules: add one to its file."
    if word is Word.HELD:
        return _held_step(account, now)
    if word is Word.LATE:
        return "A run is due and nothing has started it: look at the job that starts gradesync reconcile."
    if word is Word.PAUSED:
        reasons = [clean(one.row.schedule.reason) for one in account.schedules if one.row.schedule.reason]
        told = f" ({reasons[0]})" if reasons else ""
        return f"Paused in its file{told}: nothing runs until the file says otherwise."
    if word is Word.NEW:
        return "Nothing has run yet. The first run starts by itself when it is due."
    if account.standing.causes and word in (Word.FAILING, Word.WAITING):
        code = account.standing.causes[0][0]
        title, todo = code_text(code)
        return f"{title}. {todo}" if title else f"See gradesync explain {clean(code)}."
    if word is Word.FAILING:
        return f"The last run failed: gradesync list {key} shows which, gradesync show RUN says more."
    return "Nothing to do." if word is Word.OK else f"gradesync list {key} says what waits."


def _held_step(account: PageAccount, now: datetime) -> str:
    people = [hold for hold in account.holds if hold.kind is not HoldKind.BREAKER]
    if people:
        hold = people[0]
        why = cut(clean(hold.reason), LONG)
        return f"Held by {clean(hold.actor.name)}, {until_text(hold, account.time_zone, now)}: {why}"
    for one in account.schedules:
        for block in one.row.blocks:
            if block.kind == "blackout":
                return f"Nothing starts now: {clean(block.sentence)}."
    return f"gradesync show {account.key} says what holds it, since {words.utc(now)}."


MANY, LONG = 10, 600
"""So many stops of one schedule are told one by one, each in so many characters; `gradesync show` has them whole."""


def sentences(blocks: Sequence[Block]) -> list[str]:
    """What stops a schedule, sentence by sentence, so many and so long as a line of a page can bear."""
    told = [cut(clean(block.sentence), LONG) for block in blocks[:MANY]]
    rest = len(blocks) - len(told)
    return [*told, f"and {words.plural(rest, 'stop')} more"] if rest else told


def until_text(hold: Hold, zone: str, now: datetime) -> str:
    """When a hold in force ends, on the account's clock."""
    if hold.expires_at is None:
        return "until a run works, or resumed" if hold.kind is HoldKind.BREAKER else "until resumed"
    if hold.until_changed:
        return f"until changed in the files, at the latest {words.clock(hold.expires_at, zone, now)}"
    return f"until {words.clock(hold.expires_at, zone, now)}"


def schedule_state(row: ScheduleRow) -> tuple[str, str]:
    """(class, what is shown) of one schedule: every stop by name, else what its file declares."""
    found = words.state_words(row)
    slug, _ = SCHEDULE_WORDS.get(found[0], ("paused", ""))
    return slug, ", ".join(found)


def needs_text(needs: Iterable[str]) -> str:
    """As `list --needs` words it."""
    return ", ".join(needs)


PUBLIC_SENTENCES = {
    Word.OK: "Everything runs as planned.",
    Word.WAITING: "The sync runs. Some records wait for somebody to correct them.",
    Word.LATE: "A run is late. It is made up for by itself as soon as the next one starts.",
    Word.HELD: "The sync was stopped on purpose for now. What is owed follows when it goes on.",
    Word.PAUSED: "The sync is switched off for now.",
    Word.NEW: "The sync is set up. It has not run yet.",
    Word.FAILING: "The last run did not work. What is owed follows with the next run that does.",
}
"""What a state means to somebody who cannot do anything about it."""

_PUBLIC_WHO = {"teacher": "teachers", "district": "the district", "support": "the support team"}


def public_sentence(account: PageAccount) -> str:
    """Plain words, without a code, a name or a number."""
    word = account.standing.word
    if word is Word.WAITING and [code for code, _ in account.standing.causes] == [FROZEN]:
        return "The sync runs. A change of its settings waits for somebody to correct it."
    who = [text for key, text in _PUBLIC_WHO.items() if key in account.standing.who]
    if word not in (Word.WAITING, Word.FAILING) or not who:
        return PUBLIC_SENTENCES[word]
    last = f"{', '.join(who[:-1])} and {who[-1]}" if len(who) > 1 else who[0]
    return f"{PUBLIC_SENTENCES[word]} It is up to {last} to act."
