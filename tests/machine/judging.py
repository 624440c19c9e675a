"""What must be true after every pass, whatever teachers, people at the SIS, networks and servers have done.

The oracle says what should be there; the product is asked only which records wait, and under which code. An
assignment is known again by the first word of its title, never by an id, because ids are the product's own choice.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from gradesync.domain.line_item import item_subject, result_subject
from tests.machine.town import Town
from tests.whole.oracle import Row, Wanted, cell_of, column_of, wanted_now

Place = tuple[str, int]
Cell = tuple[str, int, str]
_TOKEN = re.compile(r"A(\d+)\b")


@dataclass(frozen=True, slots=True)
class Gradebook:
    """The raw SIS at one moment: columns by class and assignment, cells by line item and student, all by id."""

    columns: dict[Place, list[Row]]
    cells: dict[tuple[str, str], list[Row]]
    items: dict[str, Row]
    results: dict[str, Row]

    @classmethod
    def of(cls, raw: Row) -> Gradebook:
        """Read a raw world; what is deleted softly is not there."""
        book = cls({}, {}, {}, {})
        for item in raw["lineItems"]:
            if item["status"] == "active":
                book.items[item["sourcedId"]] = _facts(item)
                if assignment := assignment_of(item):
                    book.columns.setdefault((item["class"]["sourcedId"], assignment), []).append(item)
        for result in raw["results"]:
            if result["status"] == "active":
                book.results[result["sourcedId"]] = _facts(result)
                key = (result["lineItem"]["sourcedId"], result["student"]["sourcedId"])
                book.cells.setdefault(key, []).append(result)
        return book

    def cell_at(self, result: Row) -> Cell | None:
        """Class, assignment and student of a result; None in a column of somebody else."""
        item = self.items[result["lineItem"]["sourcedId"]]
        assignment = assignment_of(item)
        return (
            (item["class"]["sourcedId"], assignment, result["student"]["sourcedId"]) if assignment else None
        )


def assignment_of(item: Row) -> int | None:
    """The assignment a line item stands for, by the first word of its title."""
    found = _TOKEN.match(item["title"])
    return int(found.group(1)) if found else None


def _facts(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "dateLastModified"}


class Watcher:
    """Follows one town. `exempt_score` is the number that goes with an excused grade, "-" for none."""

    def __init__(self, town: Town, *, exempt_score: str = "0", overwrites: bool = False) -> None:
        self._town = town
        self._exempt_score = exempt_score
        self._overwrites = overwrites
        self.ours: set[Cell] = set()
        self.our_columns: dict[Place, set[str]] = {}
        self.settled: set[Cell] = set()
        self.settled_columns: set[Place] = set()
        self.gone: set[Cell] = set()
        self.gone_columns: set[Place] = set()
        self.by_hand: dict[str, Row] = {}

    def book(self) -> Gradebook:
        """The SIS as it stands."""
        return Gradebook.of(self._town.sis.raw())

    def wanted(self) -> dict[Place, Wanted]:
        """What the oracle says."""
        canvas, sis = self._town.canvas.raw(), self._town.sis.raw()
        return wanted_now(canvas, sis, exempt_score=self._exempt_score)

    # - what people did at the SIS -

    def was_removed(self, result: Row, book: Gradebook) -> None:
        """Somebody deletes this result by hand."""
        cell = book.cell_at(result)
        self.by_hand.pop(result["sourcedId"], None)
        if cell in self.settled and cell is not None:
            self.gone.add(cell)

    def column_was_removed(self, item: Row, book: Gradebook) -> None:
        """Somebody deletes this line item by hand."""
        place = (item["class"]["sourcedId"], assignment_of(item) or 0)
        for result in book.results.values():
            if result["lineItem"]["sourcedId"] == item["sourcedId"]:
                self.was_removed(result, book)
        if place in self.settled_columns:
            self.gone_columns.add(place)

    def was_typed(self, result_id: str) -> None:
        """Somebody changes or enters this result by hand, to a score that Canvas has nowhere."""
        typed = self._town.sis.rows["results"][result_id]
        self.by_hand[result_id] = _facts(typed)
        self.gone.discard(self.book().cell_at(typed) or ("", 0, ""))

    # - what a pass may have done -

    def check_writes(self, before: Gradebook) -> None:
        """Every record a pass changed says what Canvas says; nothing is doubled, revived or taken from a person."""
        after, wanted = self.book(), self.wanted()
        for id, result in after.results.items():
            if before.results.get(id) != result:
                cell = after.cell_at(result)
                assert cell is not None, "a result in somebody else's column was written"
                place = wanted.get(cell[:2])
                assert place is not None, f"{cell} was written though nothing may go into this column"
                assert place.cells.get(cell[2]) == cell_of(result), f"{cell} was written with another score"
                self.ours.add(cell)
                self._is_ours(cell[:2], result["lineItem"]["sourcedId"])
        for id, item in after.items.items():
            if before.items.get(id) != item:
                self._check_column(item, wanted)
        self._check_removals(before, after, wanted)
        self._check_doubles(before, after)
        self._check_people(after)

    def _check_removals(self, before: Gradebook, after: Gradebook, wanted: dict[Place, Wanted]) -> None:
        """Nothing goes unless the account wants it so, and then only what is ours and in Canvas no more."""
        lost = [before.results[id] for id in before.results.keys() - after.results.keys()]
        lost_items = [before.items[id] for id in before.items.keys() - after.items.keys()]
        assert self._overwrites or not (lost or lost_items), "a record was deleted"
        for result in lost:
            cell = before.cell_at(result)
            assert cell is not None, "a result in somebody else's column was deleted"
            assert cell in self.ours, "a result of somebody else was deleted"
            wish = wanted.get(cell[:2])
            assert wish is None or cell[2] not in wish.cells, f"{cell} is wanted, and was deleted"
            assert self.by_hand.get(result["sourcedId"]) != result, "a score typed by hand was deleted"
        for item in lost_items:
            place = (item["class"]["sourcedId"], assignment_of(item) or 0)
            assert item["sourcedId"] in self.our_columns.get(place, ()), (
                "somebody else's line item was deleted"
            )
            assert place not in wanted, f"{place} is wanted, and its line item was deleted"

    def _check_column(self, item: Row, wanted: dict[Place, Wanted]) -> None:
        assignment = assignment_of(item)
        assert assignment is not None, "somebody else's line item was written"
        place = (item["class"]["sourcedId"], assignment)
        assert place in wanted, f"{place}: a line item was written for what may not go out"
        assert column_of(item) == wanted[place].column, f"{place}: a line item was written wrongly"
        self._is_ours(place, item["sourcedId"])

    def _is_ours(self, place: Place, item_id: str) -> None:
        self.our_columns.setdefault(place, set()).add(item_id)

    def _check_doubles(self, before: Gradebook, after: Gradebook) -> None:
        for place, ids in self.our_columns.items():
            assert len(ids & after.items.keys()) <= 1, f"{place} has two line items of ours"
        for cell, results in after.cells.items():
            assert len(results) <= max(1, len(before.cells.get(cell, ()))), f"{cell} has two results"

    def _check_people(self, after: Gradebook) -> None:
        """What a person decided in the SIS stands until a person decides otherwise."""
        if self._overwrites:
            return
        for id, typed in self.by_hand.items():
            assert after.results.get(id) == typed, "a score typed by hand was overwritten"
        back = self.gone_columns & after.columns.keys()
        assert not back, f"line items deleted by hand came back: {back}"
        there = {after.cell_at(result) for result in after.results.values()}
        assert not self.gone & there, f"results deleted by hand came back: {self.gone & there}"

    # - what must be told -

    def settle(self) -> None:
        """A calm pass has ended: what is there and right has certainly been read back."""
        book = self.book()
        for place, wish in self.wanted().items():
            for item in self._columns_at(book, place, wish):
                if column_of(item) == wish.column:
                    self.settled_columns.add(place)
                for student, value in wish.cells.items():
                    if [cell_of(r) for r in book.cells.get((item["sourcedId"], student), ())] == [value]:
                        self.settled.add((*place, student))

    def untold(self, only: set[tuple[int, str]] | None = None) -> list[str]:
        """Differences between the SIS and the oracle that no waiting record accounts for.

        `only` narrows them to scores of (assignment, student).
        """
        book, wanted, told = self.book(), self.wanted(), self._told()
        found: list[str] = []
        for (class_id, assignment), wish in wanted.items():
            items = self._columns_at(book, (class_id, assignment), wish)
            for student, value in wish.cells.items():
                if only is not None and (assignment, student) not in only:
                    continue
                there = [cell_of(r) for i in items for r in book.cells.get((i["sourcedId"], student), ())]
                if there != [value] and not told[self._subject(class_id, assignment, student)]:
                    found.append(f"{class_id} A{assignment} {student}: {value} wanted, {there} there")
            column = self._item_subject(class_id, assignment)
            if only is None and items and [column_of(i) for i in items] != [wish.column] and not told[column]:
                found.append(f"{class_id} A{assignment}: {wish.column} wanted")
        return found + (self._untold_leftovers(book, wanted, told) if only is None else [])

    def _untold_leftovers(
        self, book: Gradebook, wanted: dict[Place, Wanted], told: Counter[str]
    ) -> list[str]:
        """Scores that we brought, that Canvas does not ask for any more, and that nobody was told of."""
        found = []
        there = {book.cell_at(result) for result in book.results.values()}
        for class_id, assignment, student in sorted(self.ours & there):
            wish = wanted.get((class_id, assignment))
            if wish is not None and student in wish.cells:
                continue
            subjects = (
                self._subject(class_id, assignment, student),
                self._item_subject(class_id, assignment),
            )
            if not any(told[subject] for subject in subjects):
                found.append(f"{class_id} A{assignment} {student}: left in the SIS, and not told")
        return found

    def needlessly_told(self) -> list[str]:
        """Scores that are right in the SIS and still wait under some code of their own.

        Only where a result is its score and status: the oracle does not know the flags of OneRoster 1.2.
        """
        if self._exempt_score == "-":
            return []
        book, told, found = self.book(), self._told(), []
        for (class_id, assignment), wish in self.wanted().items():
            if told[self._item_subject(class_id, assignment)]:
                continue
            for item in self._columns_at(book, (class_id, assignment), wish):
                for student, value in wish.cells.items():
                    there = [cell_of(r) for r in book.cells.get((item["sourcedId"], student), ())]
                    if there == [value] and told[self._subject(class_id, assignment, student)]:
                        found.append(f"{class_id} A{assignment} {student}: right, and said to wait")
        return found

    def _columns_at(self, book: Gradebook, place: Place, wish: Wanted) -> list[Row]:
        """Our line item of the assignment; as long as we have none, one that says just what ours would say."""
        there = book.columns.get(place, [])
        ours = [item for item in there if item["sourcedId"] in self.our_columns.get(place, ())]
        return ours or [item for item in there if column_of(item) == wish.column][:1]

    def _told(self) -> Counter[str]:
        return Counter(row.record.subject for row in self._town.waiting())

    def _subject(self, class_id: str, assignment: int, student: str) -> str:
        return result_subject(self._town.keyed, assignment, class_id, student)

    def _item_subject(self, class_id: str, assignment: int) -> str:
        return item_subject(self._town.keyed, assignment, class_id)


def rows_of(raw: dict[str, Any], kind: str) -> list[Row]:
    """Active rows of a kind in an order of their own."""
    return sorted(
        (row for row in raw[kind] if row["status"] == "active"), key=lambda row: str(row["sourcedId"])
    )
