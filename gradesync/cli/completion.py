"""`gradesync completion`: the script that lets a shell complete commands, options and names.

What it then offers is `naming`'s and the commands' own.
"""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete

from gradesync.cli.common import Invocation, new_command, tell
from gradesync.cli.completion_shells import SHELLS

VARIABLE = "_GRADESYNC_COMPLETE"
"""Says that a shell asks, and which one."""

_PLACES = {
    "bash": "~/.local/share/bash-completion/completions/gradesync   (or: source it in ~/.bashrc)",
    "zsh": "a file _gradesync in a folder of $fpath   (or: source it in ~/.zshrc after compinit)",
    "fish": "~/.config/fish/completions/gradesync.fish",
}


@new_command(
    "completion",
    "gradesync completion bash \\\n"
    "  > ~/.local/share/bash-completion/completions/gradesync\n"
    'gradesync completion zsh > "${fpath[1]}/_gradesync"\n'
    "gradesync completion fish > ~/.config/fish/completions/gradesync.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(_said: Invocation, shell: str) -> None:
    """Print the script that completes commands, options, accounts, schedules, runs and codes with Tab.

    Names come from the store of the tree you stand in. Open a new shell after putting the script in its place.
    """
    from gradesync.cli.main import group

    # Not the class's own: for bash that one starts a bash to ask for its version.
    click.echo(ShellComplete.source(SHELLS[shell](group, {}, "gradesync", VARIABLE)))
    tell(f"put it into {_PLACES[shell]}")


__all__ = ["VARIABLE", "command"]
