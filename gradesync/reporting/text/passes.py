"""What a pass did and how runs ended, with who must act on each code met."""

from __future__ import annotations

from collections.abc import Sequence

from gradesync.domain.problem import CODES
from gradesync.domain.report import ClassCounts, PassReport, RunEnd
from gradesync.domain.run import Outcome, Run, RunResult, Stage, Trigger, answers_to
from gradesync.reporting import plan_words, words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import Cell, fields, finished, folded, table
from gradesync.reporting.text.listing import OUTCOME_COLORS
from gradesync.reporting.text.plans import plan_lines
from gradesync.reporting.text.roster_classes import class_change_lines, read_back_lines
from gradesync.reporting.text.rosters import fault_lines, match_lines, school_lines, stop_lines


def pass_report(report: PassReport, *, style: Style) -> str:
    """One pass from its plan to its last run, and a closing sentence."""
    lines: list[str] = []
    if report.new_store:
        note = "The store is new: nothing was recorded before, and nothing is caught up."
        lines += [*folded(note, style, color="yellow"), ""]
    lines += _stale(report, style)
    lines += _refused(report, style)
    if report.plan is not None and report.plan.changes:
        lines += [*plan_lines(report.plan, report.problems, report.at, style), ""]
    else:
        lines += _frozen(report, style)
    for account in report.raced:
        note = f"{clean(account)}: not applied: it changed meanwhile, a run works in it, or another tree was applied."
        lines += [*folded(note, style, color="yellow"), ""]
    if report.ends:
        shared = _shared(report.ends)
        lines.append(style.paint("Runs", "bold"))
        for end in report.ends:
            lines += _end(end, style, "  ", codes=end not in shared)
        lines += [*_by_code(shared, style), ""]
    lines += _left_alone(report, style)
    if report.checkpoint:
        lines.append(f"history checkpoint {clean(report.checkpoint)}")
    return finished([*lines, *folded(closing(report), style)])


_NAMED = 5
"""How many runs are named behind a code; the rest is a number, and `show RUN` has the details."""


def _shared(ends: Sequence[RunEnd]) -> Sequence[RunEnd]:
    """The runs whose codes are told together, because several met the same; none when no two did.

    A run that failed keeps its codes: they are explained beside it.
    """
    sound = [end for end in ends if end.problem is None and end.result is not None and end.result.codes]
    met = [code for end in sound if end.result is not None for code in end.result.codes]
    return sound if len(met) > len(set(met)) else ()


def _by_code(ends: Sequence[RunEnd], style: Style) -> list[str]:
    """Each code once, with the runs that met it, most records first."""
    if not ends:
        return []
    spread: dict[str, dict[str, int]] = {}
    for end in ends:
        for code, count in end.result.codes.items() if end.result is not None else ():
            if count:
                spread.setdefault(code, {})[str(end.run.schedule)] = count
    lines = ["", style.paint("Not sent, and who can change that", "bold")]
    for code, runs in sorted(spread.items()):
        if len(runs) == 1:
            told = list(runs)
        else:
            told = [f"{name} {count:,}" for name, count in sorted(runs.items(), key=lambda one: -one[1])]
        more = [f"{len(told) - _NAMED:,} runs more"] if len(told) > _NAMED else []
        where = ", ".join([*told[:_NAMED], *more])
        lines += _code_line(code, words.code_line(code, sum(runs.values()), where), style, "  ")
    return lines


def _frozen(report: PassReport, style: Style) -> list[str]:
    lines: list[str] = []
    if report.plan is not None:
        for account in report.plan.frozen:
            lines += folded(plan_words.frozen_line(report.plan, account) + ".", style, color="yellow")
    if any(not problem.warning for problem in report.problems):
        lines.append(words.problem_counts(report.problems) + " See `gradesync validate`.")
    return [*lines, ""] if lines else []


def _stale(report: PassReport, style: Style) -> list[str]:
    if not report.stale_commit:
        return []
    return [*folded(f"GS-704 {plan_words.behind_line(report)}", style, color="red"), ""]


def _refused(report: PassReport, style: Style) -> list[str]:
    if not report.stale:
        return []
    lines = folded(f"{plan_words.STALE}:", style, color="red")
    for one in report.stale:
        lines += folded(plan_words.stale_line(one), style, "  ", "    ")
    return [*lines, ""]


def _left_alone(report: PassReport, style: Style) -> list[str]:
    lines: list[str] = []
    for lease in report.busy:
        since = words.utc(lease.since)
        told = f"busy     {clean(lease.account)}: {clean(lease.holder)} works in it since {since}"
        lines += folded(told, style, "", " " * 9)
    for id, blocks in report.blocked.items():
        told = "; ".join(clean(block.sentence) for block in blocks)
        lines += folded(f"blocked  {clean(id)}: {told}", style, "", " " * 9)
    for id, count in report.missed.items():
        told = f"missed   {clean(id)}: {words.plural(count, 'late slot')} joined the latest one"
        lines += folded(told, style, "", " " * 9)
    return [*lines, ""] if lines else []


def closing(report: PassReport) -> str:
    """How the pass went, and what keeps the next ones from their work."""
    return " ".join([_went(report), *_kept_from_work(report)])


def _kept_from_work(report: PassReport) -> list[str]:
    """What a pass with nothing due would hide: it looks like one where all is well."""
    told = []
    if report.no_key is not None:
        told.append(f"GS-207: no run can do its work: {clean(report.no_key)}.")
    if report.resting:
        names = [clean(name) for name in report.resting[:_NAMED]]
        more = [f"{len(report.resting) - _NAMED:,} more"] if len(report.resting) > _NAMED else []
        told.append(f"Stopped by gradesync itself: {', '.join([*names, *more])}; gradesync holds says why.")
    return told


def _went(report: PassReport) -> str:
    parts: list[str] = []
    if report.applied:
        parts.append(f"{words.plural(report.applied, 'change')} applied")
    if report.ends:
        parts.append(_ran(report.ends))
    if report.plan is not None and report.plan.withheld:
        parts.append(f"{len(report.plan.withheld):,} withheld")
    if report.stale:
        parts.append(f"{len(report.stale):,} of the saved plan refused")
    for number, word in ((len(report.busy), "busy account"), (len(report.blocked), "blocked schedule")):
        if number:
            parts.append(words.plural(number, word))
    if report.enqueued is not None and report.enqueued + report.redelivered:
        again = f" ({report.redelivered:,} of earlier passes)" if report.redelivered else ""
        parts.append(f"{words.plural(report.enqueued + report.redelivered, 'run')} given to workers{again}")
    if report.left:
        parts.append(f"{words.plural(report.left, 'run')} left for the next pass")
    start = "Interrupted: " if report.interrupted else ""
    if parts:
        return f"{start}{', '.join(parts)}.{_needing(report.ends)}"
    if report.interrupted:
        return "Interrupted before anything was done."
    if report.stale_commit or report.raced:
        return "Nothing was applied."
    if report.plan is not None and report.plan.frozen:
        return "Nothing to do in the accounts without problems."
    if report.nothing_recorded and report.plan is None:
        return "Nothing to do: no account is recorded yet. A pass without --due records what the files say."
    if report.nothing_recorded:
        return "Nothing to do: no account is recorded yet, and the files describe none."
    return "Nothing to do."


def _ran(ends: Sequence[RunEnd]) -> str:
    outcomes: dict[str, int] = {}
    for end in ends:
        word = end.result.outcome.value if end.result is not None else "handed on"
        outcomes[word] = outcomes.get(word, 0) + 1
    told = ", ".join(f"{number} {word}" for word, number in sorted(outcomes.items()))
    return f"{words.plural(len(ends), 'run')} ({told})"


def _needing(ends: Sequence[RunEnd]) -> str:
    healing = sum(end.heals for end in ends)
    again = "is tried again by itself" if healing == 1 else "are tried again by themselves"
    heals = f" {healing} failed and {again}." if healing else ""
    needing = sum(end.needs_person and not end.heals for end in ends)
    if not needing:
        return f"{heals} Nobody needs to act." if heals else ""
    fresh = sum(end.new_or_worse and not end.heals for end in ends)
    return heals + (
        f" {needing} {'needs' if needing == 1 else 'need'} someone, {fresh or 'none'} of them new or worse."
    )


def run_end(end: RunEnd, *, style: Style) -> str:
    """One run as it ended; a dry run says what would be sent, by class and by code."""
    return finished(_end(end, style, ""))


def _end(end: RunEnd, style: Style, indent: str, *, codes: bool = True) -> list[str]:
    dry, result = words.is_dry(end), end.result
    if result is None:
        head = f"{style.paint(clean(end.run.schedule), 'bold')}  {end.run.type.value}"
        told = clean(end.problem or "the lease was lost; another pass goes on")
        return [f"{indent}{head}  {style.paint('handed on', 'magenta')}: {told}"]
    counts = words.counts_line(result.counts, future=dry) or _uncounted(end, result, dry=dry)
    outcome = "dry run" if dry else result.outcome.value
    color = "cyan" if dry else OUTCOME_COLORS[result.outcome]
    at = f" at {result.stage.value}" if result.outcome in (Outcome.FAILED, Outcome.STOPPED) else ""
    told = f"{clean(end.run.schedule)}  {end.run.type.value}  {outcome}{at}{f': {counts}' if counts else ''}"
    lines = folded(told, style, indent, indent + "    ")
    lines[0] = lines[0].replace(clean(end.run.schedule), style.paint(clean(end.run.schedule), "bold"), 1)
    lines[0] = lines[0].replace(f"  {outcome}", f"  {style.paint(outcome, color)}", 1)
    if codes:
        lines += code_lines(result, style, indent + "  ")
    lines += _untried(end, style, indent + "  ")
    if end.problem:
        lines += folded(clean(end.problem), style, indent + "  ")
    if end.hint:
        lines += folded(f"hint: {clean(end.hint)}", style, indent + "  ", indent + "        ")
    if end.classes:
        lines += ["", *(indent + line for line in class_lines(end.classes, style))]
    stop = stop_lines(result.roster, end.run, style, indent + "  ")
    lines += stop or match_lines(result.roster, style, indent + "  ")
    if end.change is not None and (schools := school_lines(end.change, style)):
        lines += ["", *(indent + line for line in schools)]
    if dry:
        lines += ["", *folded(_of_a_look(end.kept), style, indent)]
    return lines


def _of_a_look(kept: int) -> str:
    if not kept:
        return "Dry run: nothing was sent and nothing was recorded."
    return (
        "Dry run: nothing was sent and no run was recorded. The history says that you had "
        f"{words.plural(kept, 'file')} written."
    )


def _untried(end: RunEnd, style: Style, indent: str) -> list[str]:
    """What waits that a person's run passed over, and how it is tried: they may have come because of just that."""
    if end.run.trigger is Trigger.SLOT or not end.untried:
        return []
    order = sorted(end.untried, key=lambda code: (-end.untried[code], code))
    told = [f"{end.untried[code]:,} {clean(code)} ({CODES[code].title})" for code in order[:_NAMED]]
    more = [f"{len(order) - _NAMED:,} codes more"] if len(order) > _NAMED else []
    sentence = (
        f"waiting, and not tried by this run: {', '.join([*told, *more])}. They are tried when what they wait for "
        f"changes, and by every full run, one a day; now: gradesync run {clean(end.run.schedule)} --full"
    )
    return folded(sentence, style, indent, indent + "  ")


_BEFORE_WRITING = frozenset({Stage.FETCH, Stage.MATCH, Stage.DECIDE})


def _uncounted(end: RunEnd, result: RunResult, *, dry: bool) -> str:
    """What it means that nothing was counted; empty where it means nothing."""
    if dry:
        return "nothing would be sent"
    if result.outcome is Outcome.COMPLETED:
        number = sum(end.untried.values())
        waits = "record waits" if number == 1 else "records wait"
        return f"nothing had changed, and {number:,} {waits}" if number else "nothing had changed"
    return "nothing was sent" if result.stage in _BEFORE_WRITING else ""


def code_lines(result: RunResult, style: Style, indent: str) -> list[str]:
    """For each code met: what it is, how many, who must act, and what to do."""
    lines: list[str] = []
    for code, count in sorted(result.codes.items()):
        if count:
            lines += _code_line(code, words.code_line(code, count), style, indent)
            lines += _answers(result, code, style, indent + " " * 7)
    return lines


def _answers(result: RunResult, code: str, style: Style, indent: str) -> list[str]:
    """The kinds of answers behind a code, by fingerprint; nothing where the code says it all."""
    found = answers_to(result, code)
    if not found:
        return []
    told = ", ".join(f"{clean(one)} x{count:,}" for one, count in found)
    return folded(
        f"{words.plural(len(found), 'kind of answer', 'kinds of answers')} by fingerprint: {told}",
        style,
        indent,
    )


def _code_line(code: str, told: str, style: Style, indent: str) -> list[str]:
    first, *rest = folded(told, style, indent, indent + " " * 7)
    start = len(indent) + len(clean(code))
    return [indent + style.paint(first[len(indent) : start], "yellow") + first[start:], *rest]


_REMOVED = ("blanked", "deleted")
"""Words of results that accounts may choose to take back; their columns stand only where there are any."""


def class_lines(classes: Sequence[ClassCounts], style: Style) -> list[str]:
    """What a dry run would do, class by class."""
    shown = {
        "sent": "WOULD BE SENT",
        "unchanged": "UNCHANGED",
        "withheld": "WITHHELD",
        "line items sent": "LINE ITEMS",
    }
    for word in _REMOVED:
        if any(one.counts.get(word) for one in classes):
            shown[word] = f"WOULD BE {word.upper()}"
    columns = ("CLASS", *shown.values(), "CODES")
    cells = [
        (
            Cell(one.class_id, "bold"),
            *(Cell(f"{one.counts.get(word, 0):,}") for word in shown),
            Cell(words.codes_short(one.codes), "yellow"),
        )
        for one in classes
    ]
    return table(columns, cells, style)


def run(run: Run, classes: Sequence[ClassCounts] = (), *, style: Style, vendor_text: bool = False) -> str:
    """One run as the store keeps it. `vendor_text` adds the other side's own words, for a terminal alone."""
    result = run.result
    pairs = [
        ("schedule", clean(run.schedule)),
        ("type", run.type.value),
        ("trigger", run.trigger.value),
        ("mode", run.mode.value),
        ("class", clean(run.class_filter or "")),
        ("caused by", clean(f"{run.actor.name} ({run.actor.via})")),
        ("reason", clean(run.reason or "")),
        ("state", run.state.value),
        ("slot", words.utc(run.slot_at) if run.slot_at else ""),
        ("late by", words.plural(run.late_by, "second") if run.late_by else ""),
        ("started", words.utc_seconds(run.started_at) if run.started_at else ""),
        ("ended", words.utc_seconds(run.ended_at) if run.ended_at else ""),
        ("attempts", str(run.attempt)),
    ]
    if result is not None:
        pairs.append(("outcome", style.paint(result.outcome.value, OUTCOME_COLORS[result.outcome])))
        pairs.append(("stage", result.stage.value))
        pairs.append(("counts", words.counts_line(result.counts)))
    lines = [style.paint(f"run {clean(run.id)}", "bold"), *fields(pairs, style)]
    if result is not None and result.codes:
        lines += ["", "Codes", *code_lines(result, style, "  ")]
    if result is not None and (
        told := stop_lines(result.roster, run, style, "  ")
        or match_lines(result.roster, style, "")
        or fault_lines(result.roster, style)
    ):
        lines += ["", *told]
    if result is not None and vendor_text:
        lines += ["", *_vendor_lines(result, style)]
    if classes:
        lines += ["", *class_lines(classes, style)]
    if result is not None and (drops := class_change_lines(result.roster, style)):
        lines += ["", *drops]
    if result is not None and (seen := read_back_lines(result.roster, style)):
        lines += ["", *seen]
    return finished(lines)


def _vendor_lines(result: RunResult, style: Style) -> list[str]:
    """What the other side said, word for word but for what would harm a terminal."""
    head = "What the other side said. It may name students: show it to nobody who may not see them."
    lines = folded(head, style, color="yellow")
    for key, text in sorted(result.vendor.items()):
        lines += folded(f"{clean(key)}  {clean(text)}", style, "  ", " " * 10)
    if not result.vendor:
        lines += folded(
            "Nothing is kept: it said nothing, or it was erased by `gradesync store purge`.", style, "  "
        )
    return lines
