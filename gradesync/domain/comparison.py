"""What a comparison of both gradebooks says, as values: causes, differences, classes, and who must look.

Only values; they are found in `comparing`. A record is named by Canvas's assignment number and a keyed pseudonym;
values are carried only when asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gradesync.domain.problem import CODES
from gradesync.domain.record import LINE_ITEM, RESULT

GONE = "GS-505"


class Uneven(StrEnum):
    """How Canvas averages in ways that single scores do not tell a SIS."""

    WEIGHTS = "weights"
    DROPS = "drops"


@dataclass(frozen=True, slots=True)
class Weighing:
    """How a Canvas course averages: whether its groups are weighted, and how many of them drop scores."""

    weighted: bool
    dropping: int

    @property
    def uneven(self) -> tuple[Uneven, ...]:
        """What of it a SIS does not learn from single scores."""
        found = ((Uneven.WEIGHTS, self.weighted), (Uneven.DROPS, self.dropping > 0))
        return tuple(one for one, is_so in found if is_so)


class Cause(StrEnum):
    """Why a record differs. The order is the one people are told them in: what they must look at first."""

    HAND_EDIT = "hand edit"
    LOST = "lost"
    REFUSED = "refused"
    OTHERWISE = "stored otherwise"
    NOT_YET = "not yet"
    WITHHELD = "withheld"
    ROUNDING = "rounding"
    ONLY_IN_SIS = "only in the SIS"


@dataclass(frozen=True, slots=True)
class Shown:
    """Values as text, for a person at a terminal who asked for them; a side that holds nothing is empty.

    `canvas` is what Canvas shows, `sends` what would go or has gone of it, `sis` what the SIS holds.
    """

    canvas: str
    sends: str
    sis: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that is not the same on both sides.

    `subject` is its keyed pseudonym, `assignment_id` Canvas's number (None when Canvas knows no such assignment).
    `sends` tells whether the next run writes it. `fields` names what differs of a line item, never a value.
    """

    class_id: str
    kind: str
    assignment_id: int | None
    subject: str
    cause: Cause
    code: str | None = None
    sends: bool = False
    fields: tuple[str, ...] = ()
    shown: Shown | None = None

    @property
    def needs_person(self) -> bool:
        """Whether somebody must look: the next run does not settle it, or its code names who must act."""
        if self.cause is Cause.WITHHELD:
            return self.code is not None and CODES[self.code].needs_person and not self.sends
        if self.cause is Cause.HAND_EDIT or (self.cause is Cause.LOST and self.code == GONE):
            return not self.sends
        if self.cause is Cause.REFUSED:
            return self.code is not None and CODES[self.code].needs_person
        return self.cause in (Cause.LOST, Cause.OTHERWISE)


@dataclass(frozen=True, slots=True)
class ClassComparison:
    """One class. `equal` counts records by kind; `nothing` counts students without a score, where both are silent.

    `course_id` is Canvas's. `averages` is why averages may differ although every score agrees, where Canvas was asked.
    """

    class_id: str
    equal: Mapping[str, int]
    nothing: int
    differences: tuple[Difference, ...]
    course_id: int | None = None
    averages: tuple[Uneven, ...] = ()

    @property
    def scores_agree(self) -> bool:
        """Every score Canvas has stands in the SIS, and the SIS has no other: only averages may still differ."""
        same = self.equal.get(RESULT, 0)
        for one in self.differences:
            if one.kind == RESULT:
                if one.cause is not Cause.ROUNDING:
                    return False
                same += 1
        return same > 0

    @property
    def looks(self) -> int:
        """Records somebody must look at, counted as a run counts them: a line item's only when no score hangs on it."""
        mine = [one for one in self.differences if one.needs_person]
        scores = {one.assignment_id for one in mine if one.kind == RESULT}
        return sum(one.kind == RESULT or one.assignment_id not in scores for one in mine)

    def causes(self, kind: str | None = None) -> Counter[Cause]:
        """Differences by cause, of one kind or of both."""
        return Counter(one.cause for one in self.differences if kind in (None, one.kind))

    def codes(self, cause: Cause) -> Counter[str]:
        """Records of a cause by code, counted as a run counts them: a line item's only when no score hangs on it."""
        mine = [one for one in self.differences if one.cause is cause]
        codes = Counter(one.code for one in mine if one.code and one.kind == RESULT)
        seen = {one.assignment_id for one in self.differences if one.kind == RESULT and one.code}
        columns = (one for one in mine if one.kind == LINE_ITEM and one.assignment_id not in seen)
        codes.update(one.code for one in columns if one.code)
        return codes


@dataclass(frozen=True, slots=True)
class Comparison:
    """All classes of an account that were read.

    `unread` counts courses and classes that could not be read, by word; `codes` why, and what no class stands for
    (a section that is not tied to the SIS: `untied` is where those are in Canvas). `observes` tells that runs of the
    schedule send nothing.
    """

    schedule: str
    classes: tuple[ClassComparison, ...]
    unread: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    observes: bool = False
    untied: tuple[str, ...] = ()

    @property
    def differences(self) -> Iterator[Difference]:
        """Every difference of every class."""
        for one in self.classes:
            yield from one.differences

    @property
    def needs_person(self) -> bool:
        """Whether somebody must look, be it that a part could not be read."""
        return bool(self.unread) or self.looks > 0

    @property
    def looks(self) -> int:
        """How many records somebody must look at, those that no class stands for among them."""
        beside = sum(n for code, n in self.codes.items() if code in CODES and CODES[code].needs_person)
        return beside + sum(one.looks for one in self.classes)

    def equal(self, kind: str) -> int:
        """Records of a kind that are equal."""
        return sum(one.equal.get(kind, 0) for one in self.classes)

    def causes(self, kind: str | None = None) -> Counter[Cause]:
        """Differences of all classes by cause."""
        causes: Counter[Cause] = Counter()
        for one in self.classes:
            causes.update(one.causes(kind))
        return causes

    def codes_of(self, cause: Cause) -> Counter[str]:
        """Records of a cause in all classes by code."""
        codes: Counter[str] = Counter()
        for one in self.classes:
            codes.update(one.codes(cause))
        return codes

    def would_write(self, kind: str) -> int:
        """Records of a kind that the next run would write."""
        return sum(one.sends and one.kind == kind for one in self.differences)

    @property
    def agreeing(self) -> int:
        """Classes in which every score agrees."""
        return sum(one.scores_agree for one in self.classes)

    @property
    def uneven(self) -> tuple[ClassComparison, ...]:
        """Classes in which every score agrees and the averages may differ all the same."""
        return tuple(one for one in self.classes if one.averages)
