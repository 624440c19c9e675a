"""An exported history proves itself: any change in it is noticed, and a hash kept elsewhere stands for all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.history import Fact, HistoryEntry
from gradesync.domain.history_file import file_lines, verify_lines
from gradesync.domain.run import Actor
from gradesync.store.memory import MemoryStore

T0 = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
ALEX = Actor("alex", "OS user")


class Told:
    """A store in which things happen and checkpoints are made."""

    def __init__(self) -> None:
        self.now = T0
        self.store = MemoryStore(clock=lambda: self.now)
        self.printed: list[str] = []

    def happen(self, account: str | None, what: str, **data: Any) -> None:
        self.now += timedelta(seconds=1)
        self.store.append([Fact(what, ALEX, account, data=data, detail="Zoë Müller said no")])

    def look(self) -> None:
        self.printed.append(self.store.checkpoint())

    def lines(self, account: str | None = None) -> list[str]:
        heads = self.store.chains()
        names = sorted(heads, key=lambda one: (one != "-", one)) if account is None else [account]
        chains: Iterable[tuple[str, str, Iterable[HistoryEntry]]] = [
            (one, heads[one], self.store.chain(one)) for one in names
        ]
        return list(file_lines(chains, lineage="l", made_at=T0, whole=account is None))


def told() -> Told:
    one = Told()
    one.happen("riverside", "schedule created", fields=["interval"], share=0.1)
    one.happen("oak-hill", "schedule created")
    one.look()
    one.happen(None, "purged", erased={"details": 3})
    one.happen("riverside", "hold placed", reason='SIS upgrade \u2028 "quoted" \\ \x7f \x01 ü 😀')
    one.look()
    one.happen("oak-hill", "hold placed", reason="after the last checkpoint")
    return one


def test_an_export_verifies_and_names_its_last_checkpoint() -> None:
    one = told()
    proof = verify_lines(one.lines())
    assert (proof.faults, proof.entries, proof.chains, proof.whole) == ((), 7, 3, True)
    assert proof.checkpoint == one.printed[-1]
    assert "Zo" not in "".join(one.lines())


def test_each_printed_checkpoint_is_a_witness() -> None:
    one = told()
    for printed in one.printed:
        assert verify_lines(one.lines(), printed[:16]).witness is True
    strange = verify_lines(one.lines(), "0" * 16)
    assert strange.witness is False
    assert "no checkpoint" in strange.faults[0].what


def test_one_account_alone_verifies_too() -> None:
    proof = verify_lines(told().lines("riverside"))
    assert (proof.faults, proof.chains, proof.whole, proof.checkpoint) == ((), 1, False, None)


def test_what_is_appended_while_it_is_written_is_left_out() -> None:
    one = told()
    heads = one.store.chains()
    one.happen("riverside", "later")
    chains = [(name, heads[name], one.store.chain(name)) for name in ("-", "oak-hill", "riverside")]
    proof = verify_lines(file_lines(chains, lineage="l", made_at=T0, whole=True))
    assert (proof.faults, proof.entries) == ((), 7)


LINES = told().lines()


@given(st.integers(0, len(LINES) - 1), st.data())
def test_no_character_of_any_line_can_be_changed_unnoticed(number: int, data: st.DataObject) -> None:
    line = LINES[number]
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.sampled_from('0123456789abcxyz "{}:,\\').filter(lambda c: c != line[at]))
    changed = [*LINES]
    changed[number] = line[:at] + other + line[at + 1 :]
    proof = verify_lines(changed)
    # The first line says where the file comes from; it is the one thing no hash covers.
    if number > 0:
        assert proof.faults


@given(st.integers(1, len(LINES) - 1), st.integers(1, len(LINES) - 1))
def test_no_line_can_be_left_out_doubled_or_moved(number: int, to: int) -> None:
    without = [line for at, line in enumerate(LINES) if at != number]
    assert verify_lines(without).faults
    assert verify_lines([*LINES[:number], LINES[number], *LINES[number:]]).faults
    if to != number:
        without.insert(to, LINES[number])
        assert verify_lines(without).faults


@given(st.lists(st.text(max_size=40) | st.sampled_from(LINES), max_size=6))
def test_any_file_is_judged_and_nothing_breaks(lines: list[str]) -> None:
    assert verify_lines(lines).faults or lines == []
    assert verify_lines([]).faults


def test_a_file_made_anew_fits_itself_but_no_printed_hash() -> None:
    one, other = told(), Told()
    for account, what in (("riverside", "nothing happened"), ("oak-hill", "schedule created")):
        other.happen(account, what)
    other.look()
    assert verify_lines(other.lines()).faults == ()
    assert verify_lines(other.lines(), one.printed[0]).faults


def test_a_chain_made_anew_after_a_checkpoint_is_noticed_by_it() -> None:
    """Somebody who makes the hashes of a whole chain again, and even the last line, meets the checkpoint."""
    forged, previous, count = [], "0" * 64, 0
    heads = json.loads(LINES[-1])["heads"]
    for line in LINES[1:-1]:
        values = json.loads(line)
        if values["chain"] == "riverside":
            values["actor"] = "somebody else"
            values["previous"] = previous
            del values["hash"]
            body = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            values["hash"] = previous = hashlib.sha256(body.encode()).hexdigest()
            count += 1
            line = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        forged.append(line)
    heads["riverside"] = {"seq": count, "hash": previous}
    end = json.dumps(
        {**json.loads(LINES[-1]), "heads": heads}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    proof = verify_lines([LINES[0], *forged, end])
    assert [fault.what for fault in proof.faults] == [
        f"the entries are not the ones the checkpoint of {proof.checkpoint_at} saw"
    ]
