"""gradesync: grade and roster sync schedules between Canvas and a SIS, kept as reviewed configuration.

Nothing is imported here on purpose: `gradesync --version` and `--help` must stay as quick as a bare
interpreter allows, so every room is imported by the command that needs it.
"""

__version__ = "0.1.0"
