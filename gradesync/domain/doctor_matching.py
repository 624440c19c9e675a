"""Whether what the two sides hold fits together: terms, ids, categories, the people schedules act for. Pure.

What their keys and servers say stands in `doctor_judging`. Counts alone reach a sentence; titles stand in `names`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from gradesync.domain.account import PassbackPolicy, Scope
from gradesync.domain.doctor import BOTH, CANVAS, SIS, Check, Verdict, fine, found, skipped, spare
from gradesync.domain.doctor_facts import Admin, GraphQl, Groups, Page, Section, SectionSample, Students, Term
from gradesync.domain.doctor_judging import NAMES, begun, plural
from gradesync.domain.gradebook import Category
from gradesync.domain.line_item import category_for
from gradesync.domain.problem import CODES

WARN, FAIL = Verdict.WARN, Verdict.FAIL

WHICH = "the same command with `--names` shows which, at a terminal"
"""Ends a remedy for things that have titles or places: a list for a ticket names none."""
TERM_DAYS = 14
"""Days before a term's end from which somebody should know of it."""

# -- terms ---------------------------------------------------------------------------------------------------------


def terms(name: str, side: str, seen: Sequence[Term], scope: Scope, today: date) -> Check:
    """Whether the terms the account is about are there, and do not end behind everybody's back."""
    who = begun(NAMES[side])
    counts = {"terms": len(seen)}
    if not isinstance(scope.terms, str) and side == SIS:
        titles = {one.title.casefold() for one in seen}
        lost = [title for title in scope.terms if title.casefold() not in titles]
        if lost:
            sentence = (
                f"Of {plural(len(scope.terms), 'title')} in `scope.terms`, {len(lost)} "
                f"{'is' if len(lost) == 1 else 'are'} no term of the SIS."
            )
            remedy = f"Write the titles as the SIS shows them, or `terms: current` ({WHICH})."
            return found(
                name, side, FAIL, sentence, "GS-627", remedy=remedy, who="support", counts=counts, names=lost
            )
    running = [one for one in seen if _runs(one, today)]
    if not running:
        sentence = f"{who} has {plural(len(seen), 'term')}, and none running today."
        return found(name, side, WARN, sentence, "GS-627", who=_keeper(side), counts=counts)
    # A year goes on when its last term does: what ends last is what counts.
    last = max((one.end for one in running if one.end is not None), default=None)
    if last is not None and (last - today).days <= TERM_DAYS:
        days = (last - today).days
        sentence = f"{who}'s running term ends in {plural(days, 'day')}; after it, classes need the next one."
        return found(
            name, side, WARN, sentence, "GS-627", who=_keeper(side), counts={**counts, "days_left": days}
        )
    return fine(
        name, side, f"{who} has {plural(len(seen), 'term')}, {len(running)} of them running today.", counts
    )


def _runs(term: Term, today: date) -> bool:
    # Canvas's default term has no dates at all: it says nothing about today.
    if term.start is None and term.end is None:
        return False
    return (term.start is None or term.start <= today) and (term.end is None or today < term.end)


def _keeper(side: str) -> str:
    return "Canvas admin" if side == CANVAS else "SIS admin"


# -- ids -----------------------------------------------------------------------------------------------------------


def class_ids(sample: SectionSample, classes: Iterable[str]) -> Check:
    """Which share of Canvas's sections are tied to a class that the SIS shows."""
    name = "ids-classes"
    total = len(sample.sections)
    if not total:
        return found(
            name, BOTH, WARN, "Canvas shows no section of a course in scope.", "GS-414", who="support",
            remedy="Import the roster first, or look at `scope` in the account file.",
        )  # fmt: skip
    known = set(classes)
    tied = [one for one in sample.sections if one.class_id is not None]
    met = [one for one in tied if one.class_id in known]
    counts = {"sections": total, "tied": len(tied), "known": len(met), "courses": sample.courses}
    looked = f"Of {plural(total, 'section')} in {plural(sample.courses, 'course')}"
    sentence = f"{looked}, {len(met)} are tied to a class the SIS shows"
    if len(met) == total:
        return fine(name, BOTH, f"{looked}, all are tied to a class the SIS shows.", counts)
    untied, unknown = total - len(tied), len(tied) - len(met)
    sentence += f"; {untied} without a SIS id, {unknown} with one the SIS does not know."
    if not met:
        remedy = "Check that both addresses are of the same district, and that SIS ids are the SIS's own ids."
        return found(name, BOTH, FAIL, sentence, "GS-512", remedy=remedy, who="support", counts=counts)
    code = "GS-512" if unknown > untied else "GS-414"
    remedy = f"{CODES[code].remedy.removesuffix('.')} ({WHICH})."
    places = [where(one) for one in sample.sections if one.class_id is None or one.class_id not in known]
    return found(name, BOTH, WARN, sentence, code, remedy=remedy, counts=counts, names=places[:_MOST_NAMES])


def where(one: Section) -> str:
    """A section's place in Canvas, as it stands in the address of its page: nothing that a person was given."""
    return f"courses/{one.course_id}/sections/{one.section_id}"


def student_ids(pairs: Sequence[tuple[Students, frozenset[str]]], places: Sequence[str] = ()) -> Check:
    """Which share of Canvas's students in some classes are students of that class in the SIS. Pairs by class.

    `places` are the sections (`where`) in the order of the pairs.
    """
    name = "ids-students"
    total = sum(len(canvas.sis_ids) + canvas.without for canvas, _ in pairs)
    if not total:
        return spare(name, BOTH, "No student sits in the sections that were looked at.")
    without = sum(canvas.without for canvas, _ in pairs)
    met = sum(len(canvas.sis_ids & sis) for canvas, sis in pairs)
    strangers = total - without - met
    counts = {"students": total, "known": met, "without_id": without, "not_in_class": strangers}
    head = f"Of {plural(total, 'student')} in {len(pairs)} class{'' if len(pairs) == 1 else 'es'}"
    if met == total:
        return fine(name, BOTH, f"{head}, all are in that class in the SIS.", counts)
    sentence = (
        f"{head}, {met} are in that class in the SIS; {without} without a SIS id, {strangers} not in it."
    )
    if not met:
        remedy = "Look at which id Canvas holds (`roster.people`): it must be the SIS's own id of the person."
        return found(name, BOTH, FAIL, sentence, "GS-417", remedy=remedy, who="support", counts=counts)
    code = "GS-417" if without > strangers else "GS-503"
    lost = [
        place
        for place, (canvas, sis) in zip(places, pairs, strict=False)
        if canvas.without or canvas.sis_ids - sis
    ]
    remedy = f"{CODES[code].remedy.removesuffix('.')} ({WHICH.replace('which', 'in which sections')})."
    return found(name, BOTH, WARN, sentence, code, remedy=remedy, counts=counts, names=lost)


# -- categories ----------------------------------------------------------------------------------------------------

_MOST_NAMES = 10


def categories(seen: Sequence[tuple[str, Groups, Sequence[Category]]], policy: PassbackPolicy) -> Check:
    """Assignment groups against the SIS's categories, by the rule of a real run. (class id, groups, categories)."""
    name = "categories"
    if not seen:
        return spare(name, BOTH, "No class was there to compare groups and categories of.")
    groups = matched = marked = 0
    lost: dict[str, int] = {}
    codes: dict[str, int] = {"GS-405": 0, "GS-406": 0}
    classes: set[str] = set()
    for class_id, book, known in seen:
        for title, waiting in book.marked.items():
            groups += 1
            answer = category_for(title, class_id, known, policy)
            if isinstance(answer, Category):
                matched += 1
                continue
            codes[answer] += 1
            marked += waiting
            classes.add(class_id)
            lost[title] = lost.get(title, 0) + 1
    counts = {
        "classes": len(seen), "groups": groups, "matched": matched, "unmatched": codes["GS-405"],
        "ambiguous": codes["GS-406"], "classes_affected": len(classes), "assignments_affected": marked,
    }  # fmt: skip
    head = f"In {len(seen)} class{'' if len(seen) == 1 else 'es'} with {plural(groups, 'assignment group')}"
    if matched == groups:
        return fine(name, BOTH, f"{head}, every group has its category in the SIS.", counts)
    sentence = (
        f"{head}, {plural(groups - matched, 'group')} of {len(classes)} class{'' if len(classes) == 1 else 'es'} "
        f"without a category of its own in the SIS; {plural(marked, 'assignment')} there "
        f"{'is' if marked == 1 else 'are'} marked for the SIS, whose grades are not sent."
    )
    code = "GS-406" if codes["GS-406"] > codes["GS-405"] else "GS-405"
    names = sorted(lost, key=lambda title: (-lost[title], title))[:_MOST_NAMES]
    remedy = (
        "Write each under `passback.category_map` with the SIS's category (`Canvas group: SIS category`), or rename "
        f"it in Canvas ({WHICH})."
    )
    return found(name, BOTH, WARN, sentence, code, remedy=remedy, who="support", counts=counts, names=names)


# -- people and service --------------------------------------------------------------------------------------------


def posted_by(schedule: str, seen: Admin) -> Check:
    """Whether the person a schedule acts for is an active Canvas admin. It never stops a run."""
    name = f"posted-by-{schedule}"
    if not seen.known:
        return found(
            name, CANVAS, WARN, f"Canvas knows nobody of the name in `posted_by` of {schedule}.", "GS-109",
            remedy=f"Write the login of an active Canvas admin as `posted_by` of {schedule}.", who="support",
        )  # fmt: skip
    if not seen.admin:
        return found(
            name,
            CANVAS,
            WARN,
            f"The user in `posted_by` of {schedule} is no admin of this account.",
            "GS-109",
        )
    if not seen.active:
        return found(name, CANVAS, WARN, f"The admin in `posted_by` of {schedule} is not active.", "GS-109")
    return fine(name, CANVAS, f"The user in `posted_by` of {schedule} is an active admin.")


def paging(seen: Page) -> Check:
    """Whether the SIS gives as many rows at once as the profile asks for."""
    name = "sis-paging"
    counts = {"asked": seen.asked, "came": seen.came, **({} if seen.total is None else {"total": seen.total})}
    more = seen.total is not None and seen.total > seen.came
    if more and seen.came < seen.asked:
        sentence = f"The SIS gives {seen.came} rows at once, not {seen.asked}; `page_size: {seen.came}` would say so."
        return fine(name, SIS, sentence, counts)
    unsaid = " It does not say how many rows there are, so every list is read to its empty end." * (
        seen.total is None
    )
    return fine(name, SIS, f"The SIS takes a page of {seen.asked} rows.{unsaid}", counts)


def graphql(seen: GraphQl | None) -> Check:
    """Whether a passback may ask what changed, many courses at once. Without, it goes by REST: never a failure."""
    name = "canvas-graphql"
    if seen is None:
        return skipped(name, CANVAS, "there is no term to ask it about, or the token may not list terms")
    if seen is GraphQl.ANSWERS:
        sentence = "Canvas's GraphQL answers, so a grade passback learns of changes many courses at once."
        return fine(name, CANVAS, sentence, {"offered": 1})
    sentence = (
        f"{_WITHOUT[seen]}. Grade passback works without: it asks course by course, so runs take longer, and what is "
        "not a new or changed score (a grade taken back, work hidden later) arrives with the nightly full run."
    )
    return fine(name, CANVAS, sentence, {"offered": 0})


_WITHOUT = {
    GraphQl.MISSING: "This Canvas has no GraphQL",
    GraphQl.REFUSED: "Canvas does not let this token use GraphQL; a plain token of the service user may",
    GraphQl.NOTHING: "Canvas's GraphQL shows this token nothing, as with a developer key that has scopes; "
    "a plain token of the service user sees it",
    GraphQl.SILENT: "Canvas's GraphQL did not answer just now",
    GraphQl.UNCLEAR: "Canvas's GraphQL gave no answer that is understood",
}


def includes(kept: bool | None) -> Check:
    """Whether Canvas leaves out parts that were asked for, as it does for scoped keys (canvas.md 1.1)."""
    name = "canvas-includes"
    if kept is None:
        return skipped(name, CANVAS, "there is no course to see it by")
    if kept:
        return fine(name, CANVAS, "Canvas sends the parts of answers that are asked for.")
    sentence = (
        "Canvas leaves out parts that were asked for: the developer key has scopes and no include parameters."
    )
    remedy = "Turn on `Allow Include Parameters` for the developer key, or use a token of the service user."
    return found(name, CANVAS, FAIL, sentence, "GS-203", remedy=remedy)
