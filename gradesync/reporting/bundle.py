"""The support bundle as files of text, and those files as one zip. What leaves a district is decided here.

Only what stands in this module's shapes gets in: nothing is copied whole out of a run. A word of the other side gets in
only if it is one of a fixed list.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from typing import Any

from gradesync.domain.problem import CODES
from gradesync.domain.run import Run, answers_to, statuses_to
from gradesync.domain.support import Support
from gradesync.reporting.clean import clean
from gradesync.reporting.shapes import instant

README = """\
A support bundle of gradesync

Run {run} of {schedule}, made {at}.

It is for whoever is asked why this run ended as it did. It was made from the store of the tree alone; neither Canvas
nor the SIS was asked. Everything in it stands in two files of text: this one and bundle.json.

What is in it
- versions of gradesync, of Python, of the system and of the libraries
- the run: type, trigger, mode, times, outcome, stage, seconds per stage, counts, codes
- for refusals of the other side: their HTTP status, and where no code stands for them their fingerprints; which words
  of a fixed list they held
- a roster's numbers, summed over all schools
- the last three runs of the schedule that completed before it, and the outcomes of the newest twenty
- digests of the recorded settings, the SIS profile, the interval, and policies that are a choice of few words
- the hosts of both sides, without paths and queries
- holds and blackouts in force, without their reasons and names; what waits, by code

What is not in it
- names, logins and e-mail addresses of anybody, students or staff
- ids of people, classes, courses, schools, assignments; titles; scores; comments
- keys, tokens, and where they come from; addresses beyond the host
- the other side's own words, reasons that people wrote, names of blackouts

Look before you send it: `gradesync support-bundle {run} --show` prints both files as they are.
"""


def files(support: Support) -> dict[str, str]:
    """File name -> text: exactly what is in the zip."""
    readme = README.format(
        run=clean(support.run.id), schedule=clean(support.run.schedule), at=instant(support.at)
    )
    return {
        "README.txt": readme,
        "bundle.json": json.dumps(shape(support), indent=2, ensure_ascii=True) + "\n",
    }


def packed(found: Mapping[str, str]) -> bytes:
    """The files as a zip; equal files make an equal zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text in found.items():
            entry = zipfile.ZipInfo(f"gradesync-support/{name}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            pack.writestr(entry, text.encode())
    return out.getvalue()


def shape(support: Support) -> dict[str, Any]:
    """The bundle as JSON values; documented in docs/support-bundle.md."""
    return {
        "version": 1,
        "kind": "support bundle",
        "at": instant(support.at),
        "versions": _texts(support.versions),
        "store": _texts(support.store),
        "settings": {"digests": _texts(support.digests), **_texts(support.settings)},
        "hosts": _texts(support.hosts),
        "run": _run(support.run, whole=True),
        "last_good_runs": [_run(one, whole=True) for one in support.good],
        "newest_runs": [_run(one, whole=False) for one in support.around],
        "waiting": [
            {"code": code, "count": count, "since": instant(support.waiting_since.get(code))}
            for code, count in sorted(support.waiting.items())
        ],
        "holds": [
            {
                "kind": hold.kind.value,
                "covers": _covers(hold.scope.schedule, hold.scope.account),
                "since": instant(hold.created_at),
                "until": instant(hold.expires_at),
                "code": hold.code,
            }
            for hold in support.holds
        ],
        "blackouts": [
            {
                "phase": phase,
                "from": one.start.isoformat(),
                "until": one.until.isoformat(),
                "time_zone": clean(one.time_zone),
            }
            for one, phase in support.blackouts
        ],
    }


def _covers(schedule: str | None, account: str | None) -> str:
    return "schedule" if schedule else "account" if account else "several accounts"


def _texts(values: Mapping[str, str]) -> dict[str, str]:
    return {key: clean(value) for key, value in values.items()}


def _run(run: Run, *, whole: bool) -> dict[str, Any]:
    result = run.result
    told: dict[str, Any] = {
        "id": clean(run.id),
        "schedule": clean(run.schedule),
        "type": run.type.value,
        "trigger": run.trigger.value,
        "mode": run.mode.value,
        "state": run.state.value,
        "started_at": instant(run.started_at),
        "ended_at": instant(run.ended_at),
        "outcome": None if result is None else result.outcome.value,
        "stage": None if result is None else result.stage.value,
        "codes": {} if result is None else dict(sorted(result.codes.items())),
    }
    if not whole:
        return told
    return told | {
        "slot_at": instant(run.slot_at),
        "late_by_seconds": run.late_by,
        "attempt": run.attempt,
        "epoch": run.epoch,
        "one_class_only": run.class_filter is not None,
        "by": clean(run.actor.via),
        "counts": {} if result is None else {clean(word): n for word, n in sorted(result.counts.items())},
        "seconds": {} if result is None else dict(result.seconds),
        "answers": _answers(run),
        "roster": _roster(run),
    }


def _answers(run: Run) -> list[dict[str, Any]]:
    """By code: who must act, HTTP statuses and fingerprints, and the words of the list that the answers kept held."""
    result = run.result
    if result is None:
        return []
    kept: dict[str, list[str]] = {}
    for key, text in result.vendor.items():
        if words := known_words(text):
            kept.setdefault(key.partition(" ")[0], []).append(words)
    codes = sorted({*kept, *(key.partition(" ")[0] for key in result.answers)})
    return [
        {
            "code": code,
            "who": CODES[code].who if code in CODES else None,
            "statuses": dict(statuses_to(result, code)),
            "fingerprints": dict(answers_to(result, code)),
            "words": kept.get(code, []),
        }
        for code in codes
    ]


def _roster(run: Run) -> dict[str, Any] | None:
    """Sums over all schools by kind of record: a school's id is nobody's business here, and a small one tells who."""
    change = run.result.roster if run.result is not None else None
    if change is None:
        return None
    sums: dict[str, dict[str, int]] = {}
    for one in (*change.schools, *change.besides):
        of_kind = sums.setdefault(one.kind, dict.fromkeys(_NUMBERS, 0))
        for name in _NUMBERS:
            of_kind[name] += int(getattr(one, name))
    return {
        "codes": list(change.codes),
        "against": clean(change.against),
        "approved": change.approved,
        "stopped": change.stopped,
        "kinds": sums,
    }


_NUMBERS = ("before", "after", "created", "changed", "ended", "removed", "moved", "renumbered", "untaught")

_QUOTED = re.compile(
    r"\"[^\"]*\"|'[^']*'|`[^`]*`|\u201c[^\u201d]*\u201d|\([^)]*\)|\[[^\]]*\]|\{[^}]*\}|<[^>]*>"
)
_WORD = re.compile(r"[^\W_]+")
_REFUSALS = (
    "access accepted after allowed already and are assigned assignment authorized bad before cannot "
    "categories category class closed code column conflict could date dates denied disabled does due "
    "duplicate empty enabled enrolled error exceeds exist exists expired failed field for forbidden "
    "format found grade gradebook grading greater has have inactive invalid is item items key less limit "
    "line locked long match matches maximum missing more must name not null number numeric of only open "
    "outside over period points possible range rate read record rejected request required resource result "
    "results scale scope score section server status student submission teacher term than that the this "
    "timed title token too unable unauthorized unavailable unexpected unknown unsupported user valid "
    "value was window with wrong zero "
)
_LIST = frozenset(_REFUSALS.split())
"""Words a refusal is made of. A name of a person or a title could be any other word, so no other gets in."""


def known_words(text: str) -> str:
    """The words of the list in the order said, `_` for each stretch of anything else; empty where none is known.

    Quoted parts go first, and a word with a capital never counts, except at the beginning.
    """
    told: list[str] = []
    for place, word in enumerate(_WORD.findall(_QUOTED.sub(" 0 ", text))):
        plain = word.lower()
        known = plain in _LIST and (word.islower() or (not place and word.istitle()))
        if known:
            told.append(plain)
        elif not told or told[-1] != "_":
            told.append("_")
    return " ".join(told) if any(word != "_" for word in told) else ""


__all__ = ["files", "known_words", "packed", "shape"]
