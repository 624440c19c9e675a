"""Reasons of any length, in tables, which others stand beside, and where they are read whole."""

from __future__ import annotations

import re
from dataclasses import replace

from gradesync.domain.history import Fact, HistoryEntry
from gradesync.reporting import structured, text
from tests.reporting import samples as s


def test_a_long_reason_makes_no_table_wider_than_anybody_reads_and_stays_whole_elsewhere() -> None:
    long = replace(s.HOLD, reason="why " * 2500, code="GS-707")
    lines = text.holds((long, s.BREAKER), s.NOW, style=s.PLAIN).splitlines()
    assert max(map(len, lines)) < 300
    assert re.search(r"why why.*\.\.\. \(GS-707\)  h1234567$", lines[1])
    assert ("why " * 2500).strip() in text.account(replace(s.VIEW, holds=(long,)), s.NOW, style=s.PLAIN)
    assert structured.holds((long,), s.NOW)["holds"][0]["reason"] == long.reason
    fact = Fact(
        "hold placed",
        s.DANA,
        "riverside",
        data={"counts": {"sent": 3}, "reason": long.reason, "until": "noon"},
    )
    told = text.history((HistoryEntry("riverside", 7, s.NOW, fact, None, "0", "a" * 64),), style=s.PLAIN)
    assert max(map(len, told.splitlines())) < 350
    assert "3 sent; reason: why why" in told
    assert "...; until: noon" in told
