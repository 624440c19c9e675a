"""One district of the sandbox: its facts, its Canvas and its SIS, and its credentials on disk.

The only place that knows both sides; no HTTP here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gradesync.sandbox.canvas_seed import fill_canvas
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.district import District
from gradesync.sandbox.generate import generate
from gradesync.sandbox.sis_world import SisWorld, utc_now


@dataclass(frozen=True, slots=True)
class SandboxSchool:
    """A district and the two worlds that hold it, each with its credentials."""

    district: District
    canvas: CanvasWorld
    sis: SisWorld


def open_school(
    key: str, *, students: int, seed: int, populated: bool, today: date, sis_base: str
) -> SandboxSchool:
    """Make a district and fill both worlds; `populated` gives Canvas what an import some days ago brought."""
    district = generate(key, students=students, seed=seed, today=today)
    canvas = fill_canvas(district, seed=seed, populated=populated, now=utc_now)
    return SandboxSchool(district, canvas, SisWorld(district, base=sis_base))


def write_secrets(folder: Path, schools: Iterable[SandboxSchool]) -> None:
    """Write the credentials to `<folder>/<district>/canvas_token`, `sis_id` and `sis_secret` (mode 0600)."""
    for school in schools:
        own = folder / school.district.key
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(own / "canvas_token", school.canvas.token)
        _write_private(own / "sis_id", school.sis.client_id)
        _write_private(own / "sis_secret", school.sis.client_secret)


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        # A file left from before keeps its old mode through O_CREAT.
        os.fchmod(file.fileno(), 0o600)
        file.write(f"{text}\n")
