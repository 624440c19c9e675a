"""The domain's line items and results as OneRoster bodies, 1.1 and 1.2, in the words the SIS's profile allows. Pure.

Objects are complete, for strict servers refuse partial ones, and hold nothing the version does not know, for 1.2's
objects are closed (oneroster.md 2, 5.1). What to send is decided elsewhere; here it only gets its shape.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gradesync.connectors.links import segment
from gradesync.connectors.wire import json_object, plain, stamp
from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.profile import V1P1, SisProfile
from gradesync.errors import ConnectionProblem

_FLAG = {True: "true", False: "false"}
"""1.2's booleans are strings; a bare true is refused by strict servers (oneroster.md 2)."""


class Bodies:
    """Bodies for one service. `rostering` and `gradebook` are base addresses, for the references' hrefs; `now` is
    aware. Raises ConnectionProblem GS-422 for what this SIS has no way to say."""

    def __init__(
        self, rostering: str, gradebook: str, profile: SisProfile, now: Callable[[], datetime]
    ) -> None:
        self._roots = {"lineItem": gradebook, "category": gradebook}
        self._rostering = rostering
        self._profile = profile
        self._newer = profile.version != V1P1
        self._omit = profile.omit
        # A line item or a result without its class would be nobody's; only a result can do without.
        self._omit_of_item = tuple(name for name in profile.omit if name != "class")
        self._now = now

    def line_item(self, item: LineItem, *, named: bool = True) -> bytes:
        """`{"lineItem": {...}}` for PUT; without its id unless `named`."""
        return f'{{"lineItem":{self._line_item(item, named=named)}}}'.encode()

    def line_items(self, item: LineItem) -> bytes:
        """`{"lineItems": [{...}]}` for POST; the id only ties the answer to it."""
        return f'{{"lineItems":[{self._line_item(item, named=True)}]}}'.encode()

    def result(self, result: Result, *, named: bool = True) -> bytes:
        """`{"result": {...}}` for PUT; without its id unless `named`."""
        return f'{{"result":{self._result(result, named=named)}}}'.encode()

    def results(self, result: Result) -> bytes:
        """`{"results": [{...}]}` for POST; the id only ties the answer to it."""
        return f'{{"results":[{self._result(result, named=True)}]}}'.encode()

    def _line_item(self, item: LineItem, *, named: bool) -> str:
        school = item.school_id if self._newer or self._profile.school_required else None
        if school is None and self._profile.school_required:
            raise ConnectionProblem(
                "This SIS takes no line item without a school, and the class names none.", code="GS-422"
            )
        fields = self._head(item.id, named=named)
        fields["title"] = item.title
        if item.assign_date is not None:
            fields["assignDate"] = stamp(item.assign_date)
        if item.due_date is not None:
            fields["dueDate"] = stamp(item.due_date)
        fields["class"] = self._ref("class", "classes", item.class_id)
        if item.category_id is not None:
            fields["category"] = self._ref("category", "categories", item.category_id)
        if item.period_id is not None:
            fields["gradingPeriod"] = self._ref("academicSession", "academicSessions", item.period_id)
        if school is not None:
            # 1.1 has no such field, and a strict 1.1 server refuses fields it does not know.
            fields["school"] = self._ref("org", "orgs", school)
        ends = {"resultValueMin": item.minimum, "resultValueMax": item.maximum}
        numbers = {k: plain(v) for k, v in ends.items() if v is not None}
        for name in self._omit_of_item:
            fields.pop(name, None)
            numbers.pop(name, None)
        return json_object(fields, numbers)

    def _result(self, result: Result, *, named: bool) -> str:
        """Never with a comment, since an empty one is refused and ours would overwrite theirs."""
        profile = self._profile
        if result.score is None:
            self._check_sayable(result)
        fields = self._head(result.id, named=named)
        fields["lineItem"] = self._ref("lineItem", "lineItems", result.line_item_id)
        fields["student"] = self._ref("user", "users", result.student_id)
        if self._newer and result.class_id is not None:
            fields["class"] = self._ref("class", "classes", result.class_id)
        fields["scoreStatus"] = result.status
        if result.score_date is not None:
            fields["scoreDate"] = result.score_date.isoformat()
        if profile.can_send_text and result.text is not None:
            fields["textScore"] = result.text
        if profile.sends_late:
            # Said in both directions: leaving it out would not take an old flag away everywhere.
            fields["late"] = _FLAG[result.late]
        if profile.can_flag_missing:
            fields["missing"] = _FLAG[result.missing]
        for name in self._omit:
            fields.pop(name, None)
        return json_object(fields, {} if result.score is None else {"score": plain(result.score)})

    def _check_sayable(self, result: Result) -> None:
        exempt = result.status == "exempt" and self._profile.exempt_needs_score
        if self._profile.score_required or exempt:
            raise ConnectionProblem("This SIS cannot store a result without a score.", code="GS-422")

    def _head(self, sourced_id: str, *, named: bool) -> dict[str, object]:
        head: dict[str, object] = {"sourcedId": sourced_id} if named else {}
        head["status"] = "active"
        head["dateLastModified"] = stamp(self._now())
        return head

    def _ref(self, kind: str, path: str, sourced_id: str) -> dict[str, str]:
        root = self._roots.get(kind, self._rostering)
        return {"href": f"{root}/{path}/{segment(sourced_id)}", "sourcedId": sourced_id, "type": kind}
