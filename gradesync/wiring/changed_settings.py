"""Which keys of gradesync.yaml differ from another commit: the store records accounts, and no settings.

Asks Git and the settings' own reader. What cannot be read counts as unchanged, for nothing rests on it but a label.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

from gradesync.config.scan import SETTINGS
from gradesync.config.settings import Settings, settings_with_problems
from gradesync.wiring.commits import ask_git


def changed_settings(root: Path, base: str) -> tuple[str, ...]:
    """The top-level keys in which the tree at `root` differs from the commit `base`; empty when Git knows none."""
    if ask_git(root, "cat-file", "-e", f"{base}^{{commit}}")[0] != 0:
        return ()
    code, text = ask_git(root, "show", f"{base}:./{SETTINGS}")
    with TemporaryDirectory(prefix="gradesync-") as folder:
        if code == 0:
            (Path(folder) / SETTINGS).write_text(text + "\n", encoding="utf-8", errors="surrogateescape")
        before = settings_with_problems(Path(folder)).settings
    now = settings_with_problems(root).settings
    return tuple(one.name for one in fields(Settings) if getattr(before, one.name) != getattr(now, one.name))
