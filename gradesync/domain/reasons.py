"""What a change is called and why it comes, in one sentence each: the words of a plan's actions.

Pure; nothing is decided here beyond the name of a change.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradesync.domain.action import ActionKind, FieldChange


def is_paused(definition: Mapping[str, object]) -> bool:
    """Whether the schedule's definition says `state: paused`."""
    return definition.get("state") == "paused"


def schedule_kind(
    before: Mapping[str, object] | None, after: Mapping[str, object], moved_from: str | None
) -> ActionKind:
    """What a changed schedule's action is called; `before` None: it did not run until now."""
    if before is None:
        return ActionKind.CREATE
    was, now = is_paused(before), is_paused(after)
    if was and not now:
        return ActionKind.RESUME
    if moved_from is not None:
        return ActionKind.MOVE
    if now and not was:
        return ActionKind.PAUSE
    return ActionKind.CHANGE


def begins_to_send(fields: tuple[FieldChange, ...]) -> bool:
    """Whether a schedule that only observed is to send from now on."""
    return any(one.path == "state" and (one.before, one.after) == ('"observe"', '"active"') for one in fields)


def schedule_why(
    kind: ActionKind,
    after: Mapping[str, object],
    file: str,
    moved_from: str | None,
    fields: tuple[FieldChange, ...] = (),
) -> str:
    """Why a schedule's action comes."""
    reason = f": {after['reason']}" if after.get("reason") else ""
    match kind:
        case ActionKind.CREATE if after.get("state") == "paused":
            return f"{_described(after)}; new in {file}, paused{reason}"
        case ActionKind.CREATE:
            return f"{_described(after)}; new in {file}"
        case ActionKind.PAUSE:
            return f"paused in {file}{reason}"
        case ActionKind.RESUME:
            means = "it observes and sends nothing" if after.get("state") == "observe" else "it sends again"
            return f"no longer paused in {file}; {means}, and nothing is caught up"
        case ActionKind.MOVE:
            return f"renamed from {moved_from}; history, holds and ledger stay"
        case _ if begins_to_send(fields):
            return f"no longer observes in {file}; it sends from now on"
        case _:
            return f"changed in {file}"


def _described(after: Mapping[str, object]) -> str:
    """What a new schedule does, since nothing else of it is told: nothing of it differs."""
    zone = f", {after['time_zone']}" if after.get("time_zone") else ""
    sends = _SENDS.get(str(after.get("state")), "")
    return f"{after.get('type')}, {after.get('interval')}{zone}{sends}"


_SENDS = {"observe": "; it observes and sends nothing", "active": "; it sends from its first run on"}


_MEANS = {
    ("passback.missing", '"zero"'): "work marked missing is sent as 0",
    ("passback.missing", '"flag"'): "work marked missing is flagged in the SIS",
    (
        "passback.excused",
        '"exempt"',
    ): "excused work is sent as exempt, which OneRoster 1.1 says as 0 and exempt",
    ("passback.conflict", '"canvas_wins"'): "what was edited by hand in the SIS is overwritten",
    ("passback.deletions", '"blank"'): "results already sent are emptied in the SIS when they go in Canvas",
    ("passback.deletions", '"delete"'): "records already sent are deleted in the SIS when they go in Canvas",
    ("passback.gone_in_sis", '"recreate"'): "records that were removed in the SIS are written again",
    (
        "passback.no_due_date",
        '"last_day_of_period"',
    ): "work without a due date is sent, due on its period's last day",
    ("roster.leavers", '"suspend"'): "people whom the SIS disables are suspended in Canvas",
    ("roster.verify", '"off"'): "no import is read back",
}
"""What those values mean that send, overwrite or take away more than before."""

_ALSO_MEANS = {
    ("passback.missing", '"withhold"'): "work marked missing without a score is not sent, and reported",
    ("passback.excused", '"withhold"'): "excused work is not sent, and reported",
    ("passback.conflict", '"withhold"'): "what was edited by hand in the SIS stays, and is reported",
    ("passback.deletions", '"report"'): "what goes in Canvas stays in the SIS, and is reported",
    (
        "passback.gone_in_sis",
        '"withhold"',
    ): "records that were removed in the SIS stay away, and are reported",
    ("passback.no_due_date", '"withhold"'): "work without a due date is not sent, and reported",
    ("passback.over_max", '"send"'): "scores above the points possible are sent as they are",
    ("passback.over_max", '"withhold"'): "scores above the points possible are not sent, and reported",
    ("passback.letter_grades", '"score"'): "letter-graded work is sent as its points",
    ("passback.letter_grades", '"text"'): "letter-graded work is sent as its letter",
    ("passback.letter_grades", '"withhold"'): "letter-graded work is not sent, and reported",
    ("passback.long_titles", '"withhold"'): "assignments with a title longer than the SIS shows are not sent",
    ("passback.long_titles", '"shorten"'): "titles longer than the SIS shows are cut",
    ("passback.new_assignments", '"at_once"'): "new assignments appear in the SIS before any score",
    (
        "passback.new_assignments",
        '"with_first_score"',
    ): "new assignments appear in the SIS with their first score",
}


def meaning(field: FieldChange) -> str:
    """What the new value of a policy means, where the action's reason does not say it; else empty."""
    if field.path == "passback.default_category":
        if field.after is None:
            return "work whose group matches no category is not sent, and reported"
        return "work whose group matches no category is sent into this one"
    return _ALSO_MEANS.get((field.path, field.after or ""), "")


def bold_meaning(field: FieldChange) -> str:
    """What the new value of a policy sends, overwrites or takes away more than before; empty where it does not."""
    return _MEANS.get((field.path, field.after or ""), "")


def grows_bold(fields: tuple[FieldChange, ...]) -> bool:
    """Whether a policy changes to one that sends, overwrites or takes away more than before."""
    return any((one.path, one.after or "") in _MEANS for one in fields)


_DECIDED_ANEW = ("passback", "roster", "scope", "sis", "canvas")


def account_why(fields: tuple[FieldChange, ...], moved_from: str | None) -> str:
    """What a changed account means for what was decided before."""
    if moved_from is not None:
        return f"renamed from {moved_from}; history, holds, requests, ledger and watermarks stay"
    touched = sorted({f.path.split(".")[0] for f in fields} & set(_DECIDED_ANEW))
    if touched:
        means = "".join(f"; {_MEANS[key]}" for f in fields if (key := (f.path, f.after or "")) in _MEANS)
        anew = "the next grade passback is full and decides every record anew"
        return f"{', '.join(touched)} changed{means}; {anew}"
    if [one.path for one in fields] == ["state"]:
        return "its state; what that means stands with each schedule"
    return "changed; what is sent stays as it was"
