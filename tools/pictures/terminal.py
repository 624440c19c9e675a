"""A command at a terminal of a fixed width, and what it left on the screen as HTML."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from html import escape

from tools.pictures.scene import Scene, environment

WIDTH = 118
_COLORS = {
    "30": "#6b7686", "31": "#ff8b84", "32": "#7ad598", "33": "#edc65a", "34": "#7db8ff",
    "35": "#d5a6f2", "36": "#6fd3d8", "37": "#e6eaf0",
}  # fmt: skip
_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_OTHER = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]")

STYLE = """
body { margin: 0; padding: 14px; background: #fff; display: inline-block; }
.window { border-radius: 9px; background: #151a21; color: #dfe4ec; overflow: hidden; }
.bar { height: 26px; background: #222a35; display: flex; gap: 7px; align-items: center; padding: 0 11px; }
.bar i { width: 10px; height: 10px; border-radius: 5px; background: #465262; }
pre { margin: 0; padding: 12px 16px 16px; font: 13px/1.45 "DejaVu Sans Mono", "Liberation Mono", monospace; }
.typed { color: #8fd0a5; }
"""


def screen(scene: Scene, *arguments: str, width: int = WIDTH) -> str:
    """What the command shows, escape codes included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, width, 0, 0))
    process = subprocess.Popen(  # noqa: S603 - our own command with our own words
        [sys.executable, "-m", "gradesync", "-C", str(scene.root), *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment(), "TERM": "xterm-256color"},
    )
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        try:
            while block := terminal.read(65536):
                shown += block
        except OSError:
            pass  # how a terminal says that nobody is at its other end any more
    process.wait()
    return shown.decode(errors="replace")


def page(typed: str, shown: str, *, last: int | None = None) -> str:
    """The screen as a document to be photographed; `last` keeps its last lines only."""
    lines = [_overwritten(line) for line in shown.replace("\r\n", "\n").rstrip("\n").split("\n")]
    cut = last is not None and len(lines) > last
    kept = lines[-last:] if last is not None and cut else lines
    text = "\n".join(["…", *kept] if cut else kept)
    body = f'<span class="typed">$ {escape(typed)}</span>\n{_colored(text)}'
    return (
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>"
        f'<div class="window"><div class="bar"><i></i><i></i><i></i></div><pre>{body}</pre></div>'
    )


def _overwritten(line: str) -> str:
    """What is left of a line that was drawn over: progress leaves only its last state."""
    drawn = [part for part in _OTHER.sub("", line).split("\r") if _SGR.sub("", part).strip()]
    return drawn[-1] if drawn else ""


def _colored(text: str) -> str:
    """SGR codes as spans; whatever else a terminal obeys was taken out before."""
    out, open_spans, at = [], 0, 0
    for found in _SGR.finditer(text):
        out.append(escape(text[at : found.start()]))
        at = found.end()
        codes = found[1].split(";") if found[1] else ["0"]
        if "0" in codes:
            out.append("</span>" * open_spans)
            open_spans = 0
        css = _css([code for code in codes if code != "0"])
        if css:
            out.append(f'<span style="{css}">')
            open_spans += 1
    out.append(escape(text[at:]) + "</span>" * open_spans)
    return "".join(out)


def _css(codes: list[str]) -> str:
    parts = [f"color:{_COLORS[code]}" for code in codes if code in _COLORS]
    parts += ["font-weight:700;color:#fff"] if codes == ["1"] else ["font-weight:700"] if "1" in codes else []
    parts += ["opacity:.62"] if "2" in codes else []
    return ";".join(parts)


__all__ = ["WIDTH", "page", "screen"]
