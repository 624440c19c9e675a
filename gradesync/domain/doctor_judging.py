"""What the facts of an examination mean: the judgement of every check, and the limits it rests on. Pure.

How many days, seconds and per cent are too few stands here and nowhere else. Sentences are for a school's staff.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from gradesync.domain.doctor import (
    CANVAS,
    SIS,
    Check,
    Verdict,
    fine,
    found,
    skipped,
    spare,
)
from gradesync.domain.doctor_facts import (
    Certificate,
    Granted,
    Hello,
    TokenEnd,
)

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL

CERTIFICATE_DAYS = 21
"""Days before a certificate's end from which the host should hear of it; renewed by machine, it never comes here."""
KEY_DAYS = 30
"""Days before a key's end from which somebody should renew it."""
SKEW_SECONDS, SKEW_FAILS = 60, 300
"""Seconds two clocks may differ. Beyond the second, tokens and certificates begin to be refused."""
UP_FRONT = 50.0
"""What Canvas's bucket holds back for each request in flight (canvas.md 1.3)."""
NAMES = {CANVAS: "Canvas", SIS: "the SIS"}


def plural(number: int, word: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def begun(text: str) -> str:
    """The text as it begins a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


# -- connections ---------------------------------------------------------------------------------------------------


def certificate(name: str, side: str, seen: Certificate, now: datetime) -> Check:
    """How long the server's certificate lasts; plain http on this machine has none."""
    if seen.ends is None:
        return fine(
            name, side, "The address is this machine over plain http, where no certificate is needed."
        )
    days = (seen.ends - now).days
    sentence = f"{begun(NAMES[side])}'s certificate is good for {plural(max(days, 0), 'more day')}."
    if days < CERTIFICATE_DAYS:
        return found(name, side, WARN, sentence, "GS-211", counts={"days_left": days})
    return fine(name, side, sentence, {"days_left": days})


def identity(name: str, side: str, actual: str, recorded: str | None) -> Check:
    """Whether this is the institution the account was first connected to."""
    who = NAMES[side]
    if not actual:
        return spare(name, side, "These files name no institution, so there is nothing to compare.")
    if recorded is None:
        return fine(name, side, f"{begun(who)} says which institution it is; the first run will remember it.")
    if actual != recorded:
        return found(
            name,
            side,
            FAIL,
            f"{begun(who)} at this address is another institution than the one recorded for the account.",
            "GS-208",
        )
    return fine(name, side, f"{begun(who)} is the institution recorded for the account.")


def clock(name: str, side: str, hello: Hello) -> Check:
    """How far the two clocks are apart; the Date header has whole seconds, so one second is nothing."""
    if hello.server_clock is None:
        return skipped(name, side, f"{NAMES[side]} sent no time with its answer")
    seconds = round((hello.server_clock - hello.our_clock).total_seconds())
    if abs(seconds) <= SKEW_SECONDS:
        return fine(name, side, f"The clocks agree within {plural(max(1, abs(seconds)), 'second')}.")
    way = "ahead of" if seconds > 0 else "behind"
    sentence = f"{begun(NAMES[side])}'s clock is {plural(abs(seconds), 'second')} {way} this machine's."
    verdict = FAIL if abs(seconds) > SKEW_FAILS else WARN
    return found(name, side, verdict, sentence, "GS-212", counts={"seconds": seconds})


def throttle(hello: Hello, concurrency: int) -> Check:
    """Whether the token's bucket leaves room for as many requests at once as the account asks."""
    name = "canvas-throttle"
    if hello.remaining is None:
        return skipped(name, CANVAS, "Canvas does not say how much the token may still ask")
    room, wanted = int(hello.remaining), int(UP_FRONT * concurrency)
    counts = {"remaining": room, "needed": wanted}
    if room < wanted:
        sentence = (
            f"Canvas leaves this token room for {room} units now, and {plural(concurrency, 'request')} at once "
            f"take {wanted}: something else uses the token, or `concurrency` is too high."
        )
        remedy = "Give gradesync a token of its own, or lower `concurrency` under `canvas`."
        return found(name, CANVAS, WARN, sentence, "GS-301", remedy=remedy, who="Canvas admin", counts=counts)
    return fine(
        name,
        CANVAS,
        f"Canvas's limit leaves {room} units free, and {plural(concurrency, 'request')} at once take {wanted}.",
        counts,
    )


def key_end(name: str, side: str, said: date | None, told: TokenEnd | None, today: date) -> Check:
    """When the key ends: what the account file says, and what Canvas says of its token."""
    ends = told.ends.date() if told is not None and told.ends is not None else None
    if ends is not None and said is not None and ends < said:
        sentence = f"Canvas ends the token on {ends}, and the account file says {said}."
        return found(
            name, side, WARN, sentence, "GS-204", remedy=f"Write `expires: {ends}`, and renew it in time."
        )
    first = ends or said
    if first is None:
        if told is not None and told.told:
            return fine(name, side, "Canvas says that the token has no end.")
        unsaid = (
            f"Neither the account file (`expires` under `{side}`) nor the other side says when the key expires. "
            "Enter it there, and you are warned 30 days before."
        )
        return spare(name, side, unsaid)
    days = (first - today).days
    counts = {"days_left": days}
    if days < 0:
        code = "GS-201" if side == CANVAS else "GS-202"
        return found(name, side, FAIL, f"The key ended on {first}.", code, counts=counts)
    if days <= KEY_DAYS:
        return found(
            name, side, WARN, f"The key ends on {first}, in {plural(days, 'day')}.", "GS-204", counts=counts
        )
    return fine(name, side, f"The key lasts until {first}, {plural(days, 'more day')}.", counts)


# -- rights --------------------------------------------------------------------------------------------------------

READ_COURSES, READ_ROSTER, VIEW_GRADES = "read_course_list", "read_roster", "view_all_grades"
READ_SIS, IMPORT_SIS, ACT_AS = "read_sis", "import_sis", "become_user"
WORDS: Mapping[str, str] = {
    READ_COURSES: "courses: view list",
    READ_ROSTER: "students: view list",
    VIEW_GRADES: "grades: view all",
    READ_SIS: "SIS data: read",
    IMPORT_SIS: "SIS data: import",
    ACT_AS: "users: act as",
}
"""Canvas's names of the permissions, and the words its role page has for them (docs/connecting.md)."""


def needed_permissions(types: Iterable[str]) -> tuple[str, ...]:
    """What the role needs for these sync types."""
    kinds = set(types)
    names = [READ_COURSES, READ_SIS]
    if "grade passback" in kinds:
        names += [READ_ROSTER, VIEW_GRADES]
    if "roster import" in kinds:
        names.append(IMPORT_SIS)
    return tuple(names)


def permissions(answer: Mapping[str, bool] | None, types: Sequence[str]) -> list[Check]:
    """The rights of the token's role, and `act as`, which nothing here needs."""
    name = "canvas-permissions"
    if answer is None:
        return [skipped(name, CANVAS, "this Canvas does not tell a token's rights; what follows tries them")]
    # Who may manage SIS data may read it too (canvas.md 1.1).
    have = {one for one, yes in answer.items() if yes} | ({READ_SIS} if answer.get("manage_sis") else set())
    missing = [one for one in needed_permissions(types) if one not in have]
    needed = len(needed_permissions(types))
    if missing:
        words = ", ".join(WORDS[one] for one in missing)
        sentence = f"The token's role lacks {plural(len(missing), 'right')}: {words}."
        remedy = f"Add to the role in Canvas: {words}."
        counts = {"needed": needed, "missing": len(missing)}
        checks = [found(name, CANVAS, FAIL, sentence, "GS-203", remedy=remedy, counts=counts)]
    else:
        checks = [
            fine(name, CANVAS, f"The token's role has all {needed} rights it needs.", {"needed": needed})
        ]
    if ACT_AS in have:
        sentence = "The token's role may act as other users, which gradesync never does."
        remedy = "Take `users: act as` away from the role in Canvas."
        checks.append(found("canvas-act-as", CANVAS, WARN, sentence, "GS-213", remedy=remedy))
    return checks


def scopes(name: str, use: str, seen: Granted) -> Check:
    """Whether the SIS grants what a use needs. A server that says nothing of scopes grants all (RFC 6749, 5.1)."""
    if seen.granted is None:
        return fine(
            name, SIS, f"The SIS gave a token for {use}; it does not say with which scopes, so with all."
        )
    missing = sorted(_short(one) for one in seen.asked if one not in seen.granted)
    counts = {"asked": len(seen.asked), "missing": len(missing)}
    if missing:
        sentence = f"For {use} the SIS does not grant all scopes: {', '.join(missing)} missing."
        return found(
            name,
            SIS,
            FAIL,
            sentence,
            "GS-203",
            remedy=f"Grant the client {', '.join(missing)}.",
            counts=counts,
        )
    return fine(name, SIS, f"The SIS grants all {len(seen.asked)} scopes for {use}.", counts)


def reading_scopes(seen: Granted) -> Check:
    """The reading scopes: some stand in for others, so what is missing is only worth a look."""
    check = scopes("sis-scopes-read", "reading", seen)
    if check.verdict is not FAIL:
        return check
    remedy = "If a later check fails, grant the client these scopes; some servers need only one of each pair."
    return found(check.name, SIS, WARN, check.sentence, "GS-203", remedy=remedy, counts=check.counts)


def _short(scope: str) -> str:
    return scope.rpartition("/")[2] or scope
