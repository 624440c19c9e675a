"""What bash, zsh and fish ask and take, where click's own words for it do not hold in the real shells.

Two things are mended: `--needs=d`, which bash hands over in three words and the others in one, and what fish shows of a
description. What is offered stays `naming`'s and the commands' own.
"""

from __future__ import annotations

from typing import Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)


class Bash(BashComplete):
    """Bash splits at `=`, so an option's value comes behind a word of its own, which no command knows."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before, without an option's `=`, and the one that is being typed."""
        args, incomplete = super().get_completion_args()
        kept = [
            word
            for before, word in zip(["", *args], args, strict=False)
            if not (word == "=" and before.startswith("--"))
        ]
        return kept, incomplete


class Zsh(ZshComplete):
    """Zsh replaces the whole word, `--needs=` with it; files it looks for itself, behind what is set aside first."""

    source_template = ZshComplete.source_template.replace(
        "_path_files", "compset -P '--*='\n            _path_files"
    )

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """What could stand for the whole word."""
        return _whole(super().get_completions(args, incomplete), incomplete)


_FISH_PATHS = """\
set -l option (string match -r -- '^--[^=]*=' (commandline -t));
            for found in (__fish_complete_{} $metadata[2]);
                echo "$option$found";
            end"""
"""Fish's own paths for what stands behind `=`, each with the option before it."""


class Fish(FishComplete):
    """Fish shows only what begins like the whole word; click's script cuts a description at its first comma."""

    source_template = (
        FishComplete.source_template.replace(
            'string split "," $completion', 'string split --max 1 "," $completion'
        )
        .replace("__fish_complete_directories $metadata[2]", _FISH_PATHS.format("directories"))
        .replace("__fish_complete_path $metadata[2]", _FISH_PATHS.format("path"))
    )

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """What could stand for the whole word."""
        return _whole(super().get_completions(args, incomplete), incomplete)


def _whole(found: list[CompletionItem[Any]], incomplete: str) -> list[CompletionItem[Any]]:
    """With the option and its `=` before each value. Files and folders the shell looks for itself, by its own rules."""
    option, equals, _ = incomplete.partition("=")
    if not equals or not option.startswith("--"):
        return found
    return [
        CompletionItem(f"{option}={one.value}", one.type, one.help) if one.type == "plain" else one
        for one in found
    ]


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register() -> None:
    """Let click answer these shells so."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)


__all__ = ["SHELLS", "register"]
