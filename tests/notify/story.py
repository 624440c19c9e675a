"""What the stories have in common: a pass over all that is due, and what was told by it."""

from __future__ import annotations

from tests.notify.sinks import Hook
from tests.whole.harness import Done, Tree


def letters(hook: Hook) -> list[tuple[str, str, str | None]]:
    """(news, kind, code) of everything told so far, and forgets it."""
    found = [(one["news"], one["kind"], one["code"]) for body in hook.bodies for one in body["letters"]]
    hook.requests.clear()
    return found


def a_pass(tree: Tree, *more: str) -> Done:
    tree.all_due()
    return tree.run("reconcile", *more)
