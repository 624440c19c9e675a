"""The options that say which commit a tree is of, where no Git can: shared by `plan` and `reconcile`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def checkout_options(function: F) -> F:
    """`--commit ID` and `--ancestors FILE`."""
    ancestors = click.option(
        "--ancestors",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Commits the tree follows, as `git rev-list HEAD` writes them; for a tree without Git.",
    )
    commit = click.option(
        "--commit", metavar="ID", help="The commit the tree is of, by what CI says; for a tree without Git."
    )
    return commit(ancestors(function))
