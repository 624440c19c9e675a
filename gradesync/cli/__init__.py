"""The command line: one command per file; each parses, wires, calls one engine function, renders and exits.

No decision about a plan, a run or a grade lives here. Nothing is imported at the top that `--help` does not need.
"""
