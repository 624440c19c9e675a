"""Where `gradesync` and `python -m gradesync` begin.

`--help` and `--version` are answered from plain text before even click is imported, because they are what people
(and shells) ask most often; everything else goes to `cli.main`.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the process with its exit code (DESIGN.md 4)."""
    try:
        sys.exit(_run(sys.argv[1:]))
    except KeyboardInterrupt:
        # Pressed while modules were still being imported: nothing had begun.
        sys.exit(130)


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        from gradesync import __version__

        print(f"gradesync {__version__}")
        return 0
    if arguments in ([], ["--help"], ["-h"]):
        from gradesync.cli.table import help_text

        print(help_text())
        return 0
    from gradesync.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    main()
