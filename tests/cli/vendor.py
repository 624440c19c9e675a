"""A SIS that another tool's sync has filled: its own ids for every record, our titles, days and scores."""

from __future__ import annotations

from gradesync.sandbox.server import Sandbox
from tests.cli.conftest import Tree


def filled_by_another_tool(tree: Tree, sandbox: Sandbox, district: str = "riverside") -> None:
    """Let grades be carried once, then let all of it look like somebody else's work, and forget that it was ours."""
    tree.run("run", f"{district}/grades", "--yes", code=None)
    world = sandbox.schools[district].sis
    items, results = list(world.rows["lineItems"].values()), list(world.rows["results"].values())
    for number, row in enumerate(results):
        item = world.reference("lineItem", f"vendor-item-{row['lineItem']['sourcedId']}")
        world.drop_row("results", row["sourcedId"])
        world.put_row("results", row | {"sourcedId": f"vendor-result-{number}", "lineItem": item})
    for row in items:
        world.drop_row("lineItems", row["sourcedId"])
        world.put_row("lineItems", row | {"sourcedId": f"vendor-item-{row['sourcedId']}"})
    for name in ("store.db", "store.db-wal", "store.db-shm", "key"):
        (tree.root / ".gradesync" / name).unlink(missing_ok=True)
    tree.run("reconcile", "--no-syncs")
    sandbox.forget_requests()
