"""A plan of a large tree against PyYAML merely parsing its files.

`python -m benchmarks.plan` prints a markdown table. Each measurement is one whole plan (files, store, comparison) in
a fresh process whose imports are warm, because it has planned a tiny tree first; ours and the baseline take turns.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import Meter, Row, middle, table
from benchmarks.tree import plan_of, recorded_tree, write_tree
from gradesync.__main__ import YOUNG_OBJECTS

COMMAND = "python -m benchmarks.plan"
PARSER = "PyYAML's CSafeLoader only parses the files"


def main() -> None:
    """Measure and print; with `--part` measure one part and print its facts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--schedules", type=int, default=10, help="per account")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--part", nargs=3, metavar=("KIND", "WARM", "TREE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(_part(*args.part)))
    else:
        print(table(rows(args.accounts, args.schedules, args.rounds)))


def rows(accounts: int = 1000, schedules: int = 10, rounds: int = 5) -> list[Row]:
    """Nothing changed, a comment in every file, every schedule changed."""
    with tempfile.TemporaryDirectory() as folder:
        warm, tree = Path(folder) / "warm", Path(folder) / "tree"
        for root, many in ((warm, 3), (tree, accounts)):
            recorded_tree(root, many, schedules)
        size = f"{accounts * schedules:,} schedules in {accounts:,} files"

        def commented(number: int) -> None:
            write_tree(tree, accounts, schedules, comment=f"looked at, {number}")

        def changed(number: int) -> None:
            write_tree(tree, accounts, schedules, shift=number + 1)

        return [
            _case(f"plan, nothing changed: {size}", 0.5, warm, tree, rounds, lambda _: None, 0),
            _case("same, a comment added to every file", 1.0, warm, tree, rounds, commented, 0),
            _case(
                "same, every schedule changed", 6.0, warm, tree, rounds, changed, accounts * schedules
            ),
        ]  # fmt: skip


def _case(
    what: str,
    at_most: float,
    warm: Path,
    tree: Path,
    rounds: int,
    before: Callable[[int], None],
    actions: int,
) -> Row:
    """One case; `before` makes the files anew for each round, and the plan must have `actions` actions."""
    ours, theirs = [], []
    for number in range(rounds):
        before(number)
        ours.append(_measured("ours", warm, tree))
        theirs.append(_measured("parse", warm, tree))
        if ours[-1]["actions"] != actions:
            raise SystemExit(f"{what}: {ours[-1]['actions']} actions planned, {actions} expected")
    wall, parse = middle(ours, "wall") * 1000, middle(theirs, "wall") * 1000
    return Row(what, wall, parse, "ms", PARSER, at_most, COMMAND, middle(ours, "memory"))


def _measured(kind: str, warm: Path, tree: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.plan", "--part", kind, str(warm), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def _part(kind: str, warm: str, tree: str) -> dict[str, float]:
    if kind == "ours":
        gc.set_threshold(YOUNG_OBJECTS, 20, 20)  # as the command line does when it starts
    work = _plan if kind == "ours" else _parse
    work(Path(warm))
    with Meter() as meter:
        actions = work(Path(tree))
    return {"actions": actions, **meter.facts}


def _plan(root: Path) -> int:
    plan = plan_of(root)
    return len(plan.actions) + len(plan.withheld)


def _parse(root: Path) -> int:
    import yaml

    files = sorted((root / "schedules").iterdir())
    return len([yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader) for file in files])


if __name__ == "__main__":
    main()
