"""Where the store is: the default under the tree, a path, or a URL whose password is only a reference.

A resolved password lives in the answer alone; nothing here prints, and no error repeats it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

from gradesync.errors import ConnectionProblem, StoreMissing, StoreUnavailable
from gradesync.wiring.secrets import References

_INSIDE = re.compile(r"\{((?:env|file):[^{}\s]+)\}")
_SQLITE = "sqlite:///"
_CI = ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD", "BUILDKITE", "CIRCLECI", "CI")
"""What the services set in their jobs, any of them."""


def ci_job() -> str | None:
    """The variable that says this is a CI job, whose disk may be gone with it; None elsewhere."""
    return next((name for name in _CI if os.environ.get(name, "").lower() not in ("", "0", "false")), None)


def refuse_passing_store(root: Path, setting: str | None, job: str) -> None:
    """Raises StoreUnavailable where nothing says where the store is and there is none yet: the two lines to write."""
    if setting is not None or (root / ".gradesync" / "store.db").exists():
        return
    raise StoreUnavailable(
        f"this is a CI job ({job} is set), and gradesync.yaml does not say where the store is: a new one here would "
        "be gone with the job, and every pass would begin anew",
        hint="write `store: env:GRADESYNC_STORE` and `keys: env:GRADESYNC_KEY` in gradesync.yaml; "
        "or, where this disk stays, make the store on purpose: `gradesync store init`",
    )


def missing_store(missing: StoreMissing, lineage: str | None) -> StoreMissing:
    """The error of a store that is missing, with the way out that works here: not every pass makes one."""
    if lineage is not None:
        return StoreMissing(
            f"{missing}, and gradesync.yaml pins its lineage ({lineage}), so no new one is made",
            hint="look at `store` in gradesync.yaml; a lost one comes back from a backup or with "
            "`gradesync store import`; to begin anew on purpose, delete the line `lineage`, then "
            "`gradesync store init`",
        )
    job = ci_job()
    if job is None:
        return missing
    return StoreMissing(
        f"{missing}, and in a CI job ({job} is set) no pass makes one: it could be gone with the job, and every "
        "pass would begin anew",
        hint="make it once, on purpose, with `gradesync store init` (on PostgreSQL as the owner of its tables), "
        "and pin the `lineage` it prints; if there should be one, look at `store` in gradesync.yaml",
    )


def store_place(root: Path, setting: str | None) -> str:
    """What `store.open_store` takes. Relative paths count from the tree.

    Raises StoreUnavailable naming a reference that cannot be resolved, never a value; and where GRADESYNC_STORE is
    set, no setting reads it, and there is no store here yet.
    """
    if setting is None:
        usual = root / ".gradesync" / "store.db"
        if os.environ.get("GRADESYNC_STORE") and not usual.exists():
            # Whoever sets the variable means a database; a new file in a job's container would be gone with it, and
            # every pass would be the first one.
            raise StoreUnavailable(
                "GRADESYNC_STORE is set, but gradesync.yaml does not say that the store is found there",
                hint="write `store: env:GRADESYNC_STORE` in gradesync.yaml; or unset the variable",
            )
        return str(usual)
    references = References(root)
    try:
        if re.match(r"(env|file):", setting):
            setting = references.value(setting, "", "store")
        # A password may hold any character, and a URL may not.
        url = _INSIDE.sub(lambda found: quote(references.value(found[1], "", "store"), safe=""), setting)
    except ConnectionProblem as problem:
        raise StoreUnavailable(f"the store's address: {problem}", hint=problem.hint) from None
    if url.startswith(_SQLITE):
        return str(root / url.removeprefix(_SQLITE))
    return url
