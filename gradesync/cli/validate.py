"""`gradesync validate`: every problem of every file at once. Touches neither secrets, nor a store, nor the network."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, format_option, load_tree, new_command, tell, tick_option
from gradesync.cli.github_job import add_outputs, add_summary, changed_files, this_job
from gradesync.cli.options import changed_option
from gradesync.cli.render import show

if TYPE_CHECKING:
    from gradesync.config.loader import Loaded


def sources(root: Path) -> Callable[[str], str | None]:
    """Finds a file's text for the line a problem stands on; None when it cannot be read, or is not of the tree."""
    from gradesync.config.scan import tree_text

    return partial(tree_text, root)


@new_command(
    "validate", "gradesync validate\ngradesync validate --format github    # annotations in a pull request"
)
@format_option("markdown", "github")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@tick_option
@changed_option
def command(said: Invocation, form: str, strict: bool, tick: int | None, changed: Path | None) -> int:
    """Check every file of the tree and print all problems, each with its place and its remedy."""
    loaded = _with_keys_not_given(said.root, load_tree(said, tick=tick))
    job = this_job()
    links = job.links(said.root, None)
    if form == "github":
        files = changed_files(job, said.root, changed)
        show(form, "problems", loaded.problems, changed=files, links=links)
    elif form == "markdown":
        show(form, "problems", loaded.problems, links=links)
    else:
        show(form, "problems", loaded.problems, sources(said.root))

    def summary(room: int) -> str:
        from gradesync.reporting import markdown

        table = markdown.problems(loaded.problems, links=links, room=room - 100)
        return f"### gradesync validate\n\n{table}"

    add_summary(summary, form)
    add_outputs({"problems": sum(not problem.warning for problem in loaded.problems)})
    if form == "text" and not loaded.problems:
        accounts = loaded.desired.accounts.values()
        schedules = sum(len(account.schedules) for account in accounts)
        tell(f"{_number(len(accounts), 'account')} with {_number(schedules, 'schedule')} read")
    return int(any(strict or not problem.warning for problem in loaded.problems))


def _with_keys_not_given(root: Path, loaded: Loaded) -> Loaded:
    """Also what only the workflows beside the files tell: a key that a pass is never given."""
    if not (root / ".github" / "workflows").is_dir():
        return loaded
    from dataclasses import replace

    from gradesync.wiring.handed_over import not_handed_over

    more = not_handed_over(root, loaded.desired)
    problems = sorted(
        (*loaded.problems, *more), key=lambda one: (one.place.file, one.place.line, one.place.column)
    )
    return replace(loaded, problems=tuple(problems))


def _number(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
