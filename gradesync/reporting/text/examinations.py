"""What `doctor` prints: what somebody must do, by who must do it, and then every check that was made.

Titles are shown only when the command says that a person at a terminal asked for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradesync.domain.doctor import (
    BOTH,
    CANVAS,
    HERE,
    SIDES,
    SIS,
    Check,
    Examination,
    Verdict,
    by_who,
    lines_of,
)
from gradesync.domain.doctor_secrets import SecretFinding, SecretsReport
from gradesync.domain.problem import CODES
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import finished, folded

TITLES = {
    HERE: "This installation",
    CANVAS: "Canvas",
    SIS: "The SIS",
    BOTH: "Canvas and the SIS beside each other",
}
"""The headings of the sides, for every format."""
_MARKS = {Verdict.OK: "ok", Verdict.WARN: "look", Verdict.FAIL: "fail", Verdict.SKIPPED: "-"}
_COLORS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red", Verdict.SKIPPED: "dim"}
_MOST = 40


def summary(told: Examination) -> str:
    """One sentence: how it stands."""
    failed, warned = told.count(Verdict.FAIL), told.count(Verdict.WARN)
    parts = [f"{told.count(Verdict.OK)} of {words.plural(len(told.checks), 'check')} are fine"]
    parts += [f"{failed} failed"] * bool(failed) + [f"{warned} to look at"] * bool(warned)
    parts += [f"{told.count(Verdict.SKIPPED)} not made"] * bool(told.count(Verdict.SKIPPED))
    return ", ".join(parts)


def heading(who: str) -> str:
    """For whom a list of things to do is."""
    if who == "us":
        return "For the makers of gradesync"
    return "Nobody need act" if who == "nobody" else f"For {who if who == 'support' else f'the {who}'}"


def examination(told: Examination, *, style: Style, names: bool = False) -> str:
    """The whole examination."""
    lines = [f"{style.paint(clean(told.account), 'bold')}, examined {words.utc(told.at)}: {summary(told)}"]
    for who, checks in by_who(told.checks):
        lines += ["", style.paint(heading(who), "bold")]
        for check in checks:
            lines += _to_do(check, style, names=names)
    for side in SIDES:
        made = [check for check in told.checks if check.side == side]
        if made:
            lines += [
                "",
                style.paint(TITLES[side], "bold"),
                *(line for one in lines_of(made) for line in _line(one, style)),
            ]
    return finished(lines)


def _to_do(check: Check, style: Style, *, names: bool) -> list[str]:
    head = f"  {_MARKS[check.verdict]:<4}  {check.code}  "
    lines = folded(clean(check.sentence), style, head, " " * len(head))
    lines += folded(clean(check.remedy), style, " " * len(head) + "do: ", " " * (len(head) + 4))
    if names and check.names:
        shown = ", ".join(f"`{clean(name)}`" for name in check.names)
        lines += folded(shown, style, " " * len(head) + "names: ", " " * (len(head) + 7))
    lines[0] = lines[0].replace(
        _MARKS[check.verdict], style.paint(_MARKS[check.verdict], _COLORS[check.verdict]), 1
    )
    return lines


def _line(line: tuple[Verdict, str], style: Style) -> list[str]:
    verdict, sentence = line
    mark = f"  {_MARKS[verdict]:<4}  "
    lines = folded(clean(sentence), style, mark, " " * len(mark))
    lines[0] = lines[0].replace(_MARKS[verdict], style.paint(_MARKS[verdict], _COLORS[verdict]), 1)
    return lines


def secrets(told: SecretsReport, *, style: Style) -> str:
    """Every secret of every account: counts first, then the worst."""
    lines = [secrets_summary(told)]
    if told.unread:
        lines.append(
            f"{words.plural(len(told.unread), 'account')} not looked at, because their files have problems: "
            "`gradesync validate`"
        )
    for code, number in told.by_code:
        lines.append(f"  {code}  {number:>4}  {CODES[code].title}")
    shown: Sequence[SecretFinding] = told.findings[:_MOST]
    for one in shown:
        mark = style.paint(_MARKS[one.verdict], _COLORS[one.verdict])
        lines += ["", f"{mark:<4}  {style.paint(clean(one.account), 'bold')}: {clean(one.name)}"]
        head = f"      {one.code}  "
        lines += folded(clean(one.sentence), style, head, " " * len(head))
        lines += folded(clean(one.remedy), style, " " * len(head) + "do: ", " " * (len(head) + 4))
    if len(told.findings) > len(shown):
        lines.append(f"\n... and {len(told.findings) - len(shown)} more; `--format json` has all of them")
    return finished(lines)


def secrets_summary(told: SecretsReport) -> str:
    """One sentence: how the secrets stand."""
    head = f"{words.plural(told.secrets, 'secret')} of {words.plural(told.accounts, 'account')} looked at, none shown"
    if not told.findings:
        return f"{head}: all are there and look right"
    return f"{head}: {told.count(Verdict.FAIL)} wrong, {told.count(Verdict.WARN)} to look at"
