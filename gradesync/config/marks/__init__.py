"""YAML as plain values with YAML 1.2 scalars, and where each value stands. The only package that imports yaml.

PyYAML's own loaders follow YAML 1.1 (`14:30` becomes 870, `010` becomes 8, `off` becomes False), keep the last of two
equal keys, follow aliases, recurse on nesting and print source lines in their errors; so this works on its parser's
events alone.
"""

from __future__ import annotations

from gradesync.config.findings import Path
from gradesync.config.marks.places import Places, Spot, compose_places
from gradesync.config.marks.reading import LONG, LoadedFile, load_tree

__all__ = ["LONG", "LoadedFile", "Path", "Places", "Spot", "compose_places", "load_tree"]
