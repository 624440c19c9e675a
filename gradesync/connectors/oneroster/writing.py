"""The SIS's gradebook, written to: PUT under our ids, POST, or PUT without an id, as the profile says.

Where the SIS mints ids, sending twice makes two records: after a lost answer the collection is read before anything is
sent again, and what it says is the answer. Nothing here decides what to send; bodies are `bodies`', yeses `answers`'.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from gradesync.connectors.errors import TOO_FAST, refused_with_yes
from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster.answers import answered
from gradesync.connectors.oneroster.bodies import Bodies
from gradesync.connectors.oneroster.reading import OneRosterReader
from gradesync.connectors.reply import Reply
from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.profile import POST, SisProfile
from gradesync.errors import ConnectionProblem

_CLASSES = 64
"""Classes whose line items are remembered at once; only those being written matter."""
_SHORTEST_CUT = 8
"""Characters of the shortest title that may be ours, cut."""

Look = Callable[[], Awaitable[str | None]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class OneRosterConnector(OneRosterReader):
    """The SIS with methods that write. Every call answers the id under which the SIS holds the record.

    A record that is `new` is created in the profile's way; any other is replaced by PUT under its id.
    """

    def __init__(
        self,
        rostering: HttpClient,
        profile: SisProfile,
        *,
        gradebook: HttpClient | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        super().__init__(rostering, profile, gradebook=gradebook)
        self._bodies = Bodies(rostering.root, self._gradebook.root, profile, now)
        self._mode = profile.write_mode
        self._mints = profile.mints_ids
        # Line items seen in a class before we created any there, and those we created: what is in neither is a lost
        # answer's.
        self._seen: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._created: set[str] = set()

    async def read_line_items(self, class_id: str) -> Sequence[LineItem]:
        """The class's line items."""
        items = await super().read_line_items(class_id)
        if self._mints:
            self._seen[class_id] = frozenset(item.id for item in items)
            self._seen.move_to_end(class_id)
            if len(self._seen) > _CLASSES:
                self._seen.popitem(last=False)
        return items

    async def put_line_item(self, item: LineItem, *, new: bool = True) -> str:
        """Create or replace the whole line item. Raises GS-422 for one this SIS has no way to say."""
        if not (new and self._mints):
            body = self._bodies.line_item(item)
            return await self._replace("/lineItems/{}", "lineItem", item.id, body, new=new)
        if self._mode == POST:
            template, path, body = "/classes/{}/lineItems", item.class_id, self._bodies.line_items(item)
        else:
            template, path, body = "/lineItems/{}", item.id, self._bodies.line_item(item, named=False)
        found = await self._create(
            template, path, "lineItem", item.id, body, lambda: self._look_for_item(item)
        )
        self._created.add(found)
        return found

    async def put_result(self, result: Result, *, new: bool = True) -> str:
        """Create or replace the whole result. Raises GS-422 for a result this SIS's profile cannot say."""
        if not (new and self._mints):
            body = self._bodies.result(result)
            return await self._replace("/results/{}", "result", result.id, body, new=new)
        if self._mode == POST:
            template, path, body = "/lineItems/{}/results", result.line_item_id, self._bodies.results(result)
        else:
            template, path, body = "/results/{}", result.id, self._bodies.result(result, named=False)
        return await self._create(
            template, path, "result", result.id, body, lambda: self._look_for_result(result)
        )

    async def _replace(self, template: str, kind: str, record_id: str, body: bytes, *, new: bool) -> str:
        try:
            reply = await self._gradebook.put(template, record_id, body=body)
        except ConnectionProblem as problem:
            if new and problem.status == 404 and problem.hint is None:
                problem.hint = (
                    "if the SIS knows what the record refers to, it creates by another `sis.write_mode`"
                )
            raise
        _check(reply, "PUT")
        # A server that minted an id of its own though ours was there: its word counts.
        return answered(reply.body, kind, record_id).id or record_id

    async def _create(
        self, template: str, path: str, kind: str, supplied: str, body: bytes, look: Look
    ) -> str:
        """Send once; when the answer is lost or names no id, the collection says what came of it."""
        method = "POST" if self._mode == POST else "PUT"
        try:
            if method == "POST":
                reply = await self._gradebook.post(template, path, body=body)
            else:
                reply = await self._gradebook.put(template, path, body=body, mints=True)
        except ConnectionProblem as problem:
            if not _may_have_arrived(problem):
                raise
            found = await _or_none(look)
            if found is None:
                raise
            return found
        _check(reply, method)
        said = answered(reply.body, kind, supplied)
        found = said.id or await look()
        if found is not None:
            return found
        if said.pairs:
            raise ConnectionProblem("The SIS left the record out of its answer.", code="GS-506")
        raise ConnectionProblem("The SIS said yes, but does not hold the record.", code="GS-509")

    async def _look_for_item(self, item: LineItem) -> str | None:
        known = self._seen.get(item.class_id, frozenset()) | self._created
        held = await self._views.line_items(item.class_id)
        fits = [one.id for one in held if one.id not in known and _may_be(one, item)]
        # Of two that look the same nobody can say which is ours; the next run's matching tells the teacher.
        return fits[0] if len(fits) == 1 else None

    async def _look_for_result(self, result: Result) -> str | None:
        if result.class_id is None:
            return None
        held = await self._views.column(result.class_id, result.line_item_id)
        fits = [one.id for one in held if _cell(one) == _cell(result)]
        return fits[-1] if fits else None

    # -- removing ------------------------------------------------------------------------------------------------

    async def delete_result(self, result_id: str) -> None:
        """Remove a result; 404 means it is gone already (oneroster.md 2.4)."""
        await self._delete("/results/{}", result_id)

    async def delete_line_item(self, line_item_id: str) -> None:
        """Remove a line item; 404 means it is gone already (oneroster.md 2.4)."""
        await self._delete("/lineItems/{}", line_item_id)

    async def _delete(self, template: str, record_id: str) -> None:
        try:
            _check(await self._gradebook.delete(template, record_id), "DELETE")
        except ConnectionProblem as problem:
            if problem.status in (405, 501):
                # That records cannot be removed is no reason to end a run that can write them.
                raise ConnectionProblem(
                    "The SIS does not remove records.",
                    code="GS-506",
                    status=problem.status,
                    hint="choose `deletions: report` or `blank`, or have the SIS allow DELETE",
                    vendor_text=problem.vendor_text,
                ) from None
            if problem.status != 404:
                raise


def _check(reply: Reply, method: str) -> None:
    refusal = refused_with_yes(method, reply.template, reply.status, reply.body)
    if refusal is not None:
        raise refusal


def _may_have_arrived(problem: ConnectionProblem) -> bool:
    """Whether the SIS may have stored what it gave no good answer to; one that asks to slow down has not."""
    if problem.code == TOO_FAST["sis"]:
        return False
    return problem.retryable or (
        problem.code == "GS-599" and (problem.status is None or problem.status < 300)
    )


async def _or_none(look: Look) -> str | None:
    try:
        return await look()
    except ConnectionProblem:
        # It was the lost answer that ended this write; that the SIS cannot be asked either is the same trouble.
        return None


def _may_be(held: LineItem, sent: LineItem) -> bool:
    title = held.title.strip()
    same = title == sent.title.strip() or (len(title) >= _SHORTEST_CUT and sent.title.startswith(title))
    if held.due_date is None or sent.due_date is None:
        return same
    return same and held.due_date.date() == sent.due_date.date()


def _cell(result: Result) -> tuple[str, str]:
    return result.line_item_id, result.student_id
