"""An adoption as a whole: what was found in every class, and whether it was written down. Values only.

What becomes of one record is decided in `domain.adoption`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gradesync.domain.adoption import Adopted, ClassAdoption, Fate
from gradesync.domain.record import LINE_ITEM, RESULT

KINDS = (LINE_ITEM, RESULT)


@dataclass(frozen=True, slots=True)
class TakeOver:
    """All classes of an account that were read.

    `written` tells whether the ledger knows it now, `run_id` under which run. `unread` counts courses and classes that
    could not be read, by word; `codes` why, and what no class stands for.
    """

    schedule: str
    classes: tuple[ClassAdoption, ...]
    written: bool = False
    run_id: str | None = None
    unread: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)

    def counts(self, kind: str) -> Counter[Fate]:
        """Records of a kind by fate."""
        counts: Counter[Fate] = Counter()
        for one in self.classes:
            counts.update(one.counts(kind))
        return counts

    def codes_of(self, fate: Fate) -> Counter[str]:
        """Records of a fate by code."""
        return Counter(one.code for one in self._records(fate) if one.code)

    def open(self) -> tuple[tuple[str, Adopted], ...]:
        """Records a person must settle, with their class: ambiguous ones, and line items of another maximum.

        Results that only wait for their ambiguous line item are not named beside it.
        """
        return tuple(
            (one.class_id, record) for one in self.classes for record in one.records if _is_open(record)
        )

    def _records(self, fate: Fate) -> list[Adopted]:
        return [record for one in self.classes for record in one.records if record.fate is fate]


def _is_open(record: Adopted) -> bool:
    if record.kind == LINE_ITEM:
        return record.fate in (Fate.AMBIGUOUS, Fate.DIFFERS)
    return record.fate is Fate.AMBIGUOUS and record.code != "GS-404"


def history_counts(counts: Mapping[str, Mapping[Fate, int]]) -> dict[str, int]:
    """Counts as the history and a run keep them: `results adopted`, `line items linked` ..."""
    said = {Fate.SAME: "adopted", Fate.DIFFERS: "linked", Fate.AMBIGUOUS: "ambiguous"}
    return {
        f"{'line items' if kind == LINE_ITEM else 'results'} {word}": counts[kind][fate]
        for kind in KINDS
        for fate, word in said.items()
        if counts[kind].get(fate)
    }


__all__ = ["KINDS", "TakeOver", "history_counts"]
