"""`doctor` for a ticket or a step summary: what to do first, then every check. Everything is escaped, see `clean`."""

from __future__ import annotations

from gradesync.domain.doctor import SIDES, Check, Examination, Verdict, by_who, lines_of
from gradesync.domain.doctor_secrets import SecretsReport
from gradesync.reporting import words
from gradesync.reporting.clean import markdown
from gradesync.reporting.text.examinations import TITLES, heading, secrets_summary, summary

_SIGNS = {Verdict.OK: "fine", Verdict.WARN: "look", Verdict.FAIL: "**failed**", Verdict.SKIPPED: "not made"}
_MOST_ROWS = 200


def examination(told: Examination) -> str:
    """The whole examination."""
    lines = [f"**{markdown(told.account)}**, {words.utc(told.at)}: {summary(told)}"]
    for who, checks in by_who(told.checks):
        lines += ["", f"### {heading(who)}", ""]
        lines += [_item(check) for check in checks]
    for side in SIDES:
        made = [check for check in told.checks if check.side == side]
        if made:
            lines += ["", f"<details><summary>{TITLES[side]}</summary>", "", "| | Check |", "|---|---|"]
            lines += [f"| {_SIGNS[verdict]} | {markdown(told)} |" for verdict, told in lines_of(made)]
            lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _item(check: Check) -> str:
    sign = f"{_SIGNS[check.verdict]}, " if check.verdict is Verdict.FAIL else ""
    return f"- {sign}{markdown(check.code or '')}: {markdown(check.sentence)} {markdown(check.remedy)}"


def secrets(told: SecretsReport) -> str:
    """Every finding about every secret, the worst first."""
    lines = [f"**{secrets_summary(told)}**"]
    if told.unread:
        lines += [
            "",
            f"{words.plural(len(told.unread), 'account')} not looked at: their files have problems.",
        ]
    if told.findings:
        lines += ["", "| Account | Secret | Code | What | Do |", "|---|---|---|---|---|"]
        lines += [
            f"| {markdown(one.account)} | {markdown(one.name)} | {one.code} | {markdown(one.sentence)} "
            f"| {markdown(one.remedy)} |"
            for one in told.findings[:_MOST_ROWS]
        ]
    if len(told.findings) > _MOST_ROWS:
        lines.append(f"\n... and {len(told.findings) - _MOST_ROWS} more")
    return "\n".join(lines) + "\n"
