"""Every command as a line of text: its module and what it does in a few words. Data only, so that help is instant."""

from __future__ import annotations

SECTIONS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Begin",
        (
            ("demo", "demo", "See a whole school day of syncs in under two minutes"),
            ("sandbox", "sandbox", "A made-up school on this machine to try everything with"),
            ("init", "init", "Begin a tree, the repository around it, or an account in it"),
            ("doctor", "doctor", "Whether both connections work, and who must do what"),
            ("completion", "completion", "Let Tab complete commands, accounts, schedules, runs and codes"),
        ),
    ),
    (
        "Change what is scheduled",
        (
            ("validate", "validate", "Check every file; needs neither secrets nor a store"),
            ("plan", "plan", "Show what reconcile would change, and change nothing"),
            ("comment", "comment", "A saved plan as the one comment of a pull request, with labels"),
            ("next", "next", "Show when an interval falls"),
            ("schema", "schema", "Print the JSON schema of the files"),
        ),
    ),
    (
        "Run",
        (
            ("reconcile", "reconcile", "Apply the files, then run what is due or asked for"),
            ("worker", "worker", "Carry out the runs that `reconcile --enqueue` has queued"),
            ("run", "run", "Run one schedule now, in your name"),
            ("request", "request", "Ask the next pass to run a schedule"),
            ("approve", "approve", "Let one roster import through that was stopped, and no other"),
            ("adopt", "adopt", "Take over what another tool's sync wrote; no SIS is written to"),
        ),
    ),
    (
        "Stop and go on",
        (
            ("pause", "pause", "Hold a schedule or an account"),
            ("pause-all", "pause_all", "Hold an account, a group, a sync type or everything"),
            ("stop", "stop", "End what runs in an account, on whichever host"),
            ("resume", "resume", "Release holds"),
            ("holds", "holds", "What is held, by whom and until when; breakers; blackouts"),
        ),
    ),
    (
        "See how it goes",
        (
            ("list", "list", "All schedules; with --needs, what waits for whom"),
            ("show", "show", "One schedule, account or run in full"),
            ("upcoming", "upcoming", "What runs in the coming days, and what does not and why"),
            ("history", "history", "What happened, who caused it, and proof that nobody changed it"),
            ("page", "page", "Write all of it as a static site, for staff or for everybody"),
            ("notify", "notify", "Alarms: try the channels, see what stands, send without a pass"),
        ),
    ),
    (
        "Find out why",
        (
            ("explain", "explain", "A GS code in plain words, a grade's life, teachers' worklists"),
            ("compare", "compare", "Both gradebooks beside each other, and why they differ"),
            ("support-bundle", "support_bundle", "What a developer needs of a run, without names and scores"),
        ),
    ),
    (
        "Keep",
        (("store", "store", "Make, inspect and migrate the store"),),
    ),
)

MODULES: dict[str, str] = {name: module for _, rows in SECTIONS for name, module, _ in rows}
"""Command -> module of this package; each offers `command`."""

_OPTIONS = (
    ("-C DIR", "The tree to work in (default: this folder)"),
    ("--as NAME", "Your name, recorded as a claim beside the login"),
    ("--verbose", "Say more on stderr: what happens, as sentences"),
    ("--log-format", "The log on stderr as text or as json"),
    ("--version", "Print the version"),
    ("--help", "Print this, or the help of a command"),
)


def help_text() -> str:
    """What `gradesync --help` prints."""
    lines = [
        "Usage: gradesync [OPTIONS] COMMAND [ARGS]...",
        "",
        "  Grade and roster sync schedules between Canvas and a SIS, as reviewed files.",
        "",
        "  New here? `gradesync demo` shows it all with made-up schools on this machine.",
    ]
    for title, rows in SECTIONS:
        lines += ["", f"{title}:"]
        lines += [f"  {name:<15} {words}" for name, _, words in rows]
    lines += ["", "Options (before the command or after it):"]
    lines += [f"  {name:<15} {words}" for name, words in _OPTIONS]
    lines += [
        "",
        "`gradesync COMMAND --help` explains a command, with examples.",
        "Exit codes: 0 fine, 1 problems, 2 changes wait (plan --detailed-exitcode),",
        "  3 a run needs a person, 4 account busy, 5 safety stop, 6 a saved plan no",
        "  longer fits, 64 usage, 130 interrupted.",
    ]
    return "\n".join(lines)
