"""manifest.csv: which version an export has, and of each file whether it is whole, a list of changes, or not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gradesync.connectors.oneroster_csv.layouts import ABSENT, BULK, DELTA, V1P1, V1P2
from gradesync.connectors.roster_faults import Faults
from gradesync.connectors.roster_package import Package
from gradesync.connectors.roster_table import Table

MANIFEST = "manifest.csv"
_HEADER = ("propertyName", "value")
_MODES = (ABSENT, BULK, DELTA)


@dataclass(frozen=True, slots=True)
class Manifest:
    """`version` is `1.1` or `1.2`; `modes` are by file name without its ending."""

    version: str
    modes: Mapping[str, str]

    def mode(self, file: str) -> str:
        """`absent`, `bulk` or `delta`; what is not named is absent."""
        return self.modes.get(file, ABSENT)


def read_manifest(package: Package, faults: Faults) -> Manifest | None:
    """The manifest, or None with faults when it cannot be relied on."""
    if MANIFEST not in package.names:
        if not faults.total:
            faults.add("the file is missing, so nothing says what the others are", file=MANIFEST)
        return None
    before = faults.total
    found = _properties(Table(package, MANIFEST, faults))
    if faults.total > before:
        return None
    if found.get("manifest.version") != "1.0":
        faults.add("manifest.version is not 1.0", file=MANIFEST)
    version = found.get("oneroster.version", "")
    if version not in (V1P1, V1P2):
        faults.add("oneroster.version is neither 1.1 nor 1.2", file=MANIFEST)
    modes = {name[5:]: value for name, value in found.items() if name.startswith("file.")}
    _contradictions(package, modes, faults)
    for name in sorted(_FILES.get(version, frozenset()) - modes.keys()):
        if f"{name}.csv" not in package.names:
            faults.add("the manifest does not say whether there is such a file", file=f"{name}.csv")
    return Manifest(version, modes) if faults.total == before else None


def _properties(table: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    header = table.header()
    if header is None:
        return found
    if header != _HEADER:
        table.fault("the header is not propertyName,value", 1)
        return found
    with table.reading() as reader:
        next(reader)
        for row in reader:
            if not row:
                continue
            if len(row) != len(_HEADER):
                table.fault("the row is not a name and a value", reader.line_num)
            elif row[0] in found:
                table.fault("an earlier row names the same property", reader.line_num, _HEADER[0])
            else:
                found[row[0].strip()] = row[1].strip()
    return found


def _contradictions(package: Package, modes: Mapping[str, str], faults: Faults) -> None:
    """What the manifest says and the export does not hold, or the reverse.

    Names of files are told only where they are words of the standard: any other could be anything.
    """
    for name, mode in modes.items():
        there = f"{name}.csv" in package.names
        shown = f"{name}.csv" if name in STANDARD_FILES else ""
        if mode not in _MODES:
            faults.add("the manifest says neither absent, bulk nor delta of it", file=shown)
        elif there and mode == ABSENT:
            faults.add("the manifest calls the file absent, and it is there", file=shown)
        elif not there and mode != ABSENT:
            faults.add("the manifest names the file, and it is not there", file=shown)
    for name in sorted(package.names - {MANIFEST}):
        stem = name.removesuffix(".csv")
        if stem not in modes:
            shown = name if stem in STANDARD_FILES else ""
            faults.add("the file is there, and the manifest does not name it", file=shown)


_FILES_11 = frozenset(
    (
        *("academicSessions", "orgs", "courses", "classes", "users", "enrollments", "demographics"),
        *("categories", "lineItems", "results", "resources", "classResources", "courseResources"),
    )
)
_FILES_12 = _FILES_11 | frozenset(
    (
        *("roles", "userProfiles", "userResources", "scoreScales", "lineItemScoreScales"),
        *("resultScoreScales", "lineItemLearningObjectiveIds", "resultLearningObjectiveIds"),
    )
)
_FILES = {V1P1: _FILES_11, V1P2: _FILES_12}
"""What a manifest has to speak of, by version."""

STANDARD_FILES = _FILES_12
"""The files both versions know."""
