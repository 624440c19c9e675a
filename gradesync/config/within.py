"""Whether a file is one of the tree: Git carries links, and a link out of the tree would be quoted to its author.

Only paths are judged here; nothing is read.
"""

from __future__ import annotations

import os
from pathlib import Path

_NOT_WRITTEN_BY_PEOPLE = frozenset({".git", ".gradesync"})
"""Folders inside a tree that hold tokens, keys and the store."""


def real_path(root: str, path: str) -> tuple[str, str | None]:
    """The real path, and what is wrong with it, as a message; None for a file of the tree.

    The root may itself be reached through links, so both are followed to their ends.
    """
    real, top = os.path.realpath(path), os.path.realpath(root)
    if not Path(real).is_relative_to(top):
        return real, "this is a link to outside of the tree"
    # A file system may not tell capitals apart.
    parts = {part.casefold() for part in Path(real).relative_to(top).parts}
    for folder in sorted(_NOT_WRITTEN_BY_PEOPLE & parts):
        return real, f"this is a link into {folder}"
    return real, None
