"""Where `gradesync` and `python -m gradesync` begin.

`--help` and `--version` are answered from plain text before even click is imported, because they are what people
(and shells) ask most often; everything else goes to `cli.main`.
"""

from __future__ import annotations

import gc
import os
import sys

YOUNG_OBJECTS = 50_000
"""New objects before Python looks for cycles among them; its own 700 means a hundred searches while starting."""


BROKEN_PIPE = 141
"""As a shell tells of a program that SIGPIPE ended; `cli.boundary` answers the same for everything else."""


def main() -> None:
    """Run the command line and end the process with its exit code (DESIGN.md 4)."""
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    if sys.stdout is None:
        _stand_in_for_stdout()
    try:
        sys.exit(_run(sys.argv[1:]))
    except KeyboardInterrupt:
        # Pressed while modules were still being imported: nothing had begun.
        sys.exit(130)
    except BrokenPipeError:
        # `gradesync --help | head`: enough was read. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except OSError as problem:
        # `gradesync --help > /dev/full`; every other command has answered before it comes here.
        from gradesync.cli.boundary import unwritten

        sys.exit(unwritten(problem))
    finally:
        # Everything that must be closed has been. Without this Python searches all modules for cycles on its way
        # out, a quarter of the time of a short command, only to give back what the process's end gives back anyway.
        gc.freeze()


def _stand_in_for_stdout() -> None:
    """Started with stdout closed: whatever is printed fails as a write to a closed file does.

    Without this the next file to be opened, the store, would get the number of stdout, and what a library prints.
    """
    nowhere = os.open(os.devnull, os.O_RDONLY)
    if nowhere != 1:
        os.dup2(nowhere, 1)
        os.close(nowhere)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process


def _run(arguments: list[str]) -> int:
    if "_GRADESYNC_COMPLETE" in os.environ:
        # A shell asks what could come next; it gives no arguments, and help is no answer.
        from gradesync.cli.main import run

        return run(arguments)
    if arguments in (["--version"], ["-V"]):
        from gradesync import __version__

        print(f"gradesync {__version__}", flush=True)
        return 0
    if arguments in ([], ["--help"], ["-h"]):
        from gradesync.cli.table import help_text

        print(help_text(), flush=True)
        return 0
    from gradesync.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    main()
