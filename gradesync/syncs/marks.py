"""Names of watermarks: what one run remembers and another goes by.

Only names. `ROSTER_SENT` is the one both syncs know; the others are the roster import's own.
"""

from __future__ import annotations

ROSTER_SENT = "roster:arrived"
"""Changes whenever people or classes may have arrived in Canvas: grade passback then looks again at what waits."""

DIGEST = "roster:sent"
"""Digest of the files of the last roster import that counts."""

REMASTER = "roster:remaster"
""" "1" while Canvas may differ from the files last sent, so that the next run applies all rows."""

REMASTERED = "roster:remastered"
"""The day all rows were last applied (ISO)."""

PENDING = "roster:pending"
"""JSON: an import that was being sent and whose end nobody has seen (`syncs.roster_resuming`); empty when none."""

REFUSED = "roster:refused"
"""Rows Canvas would not take, by keyed hashes (`domain.roster_rows.Remembered`)."""

FILES = "roster:files"
"""JSON: the digest of each file last sent, by name; tells a dry run which files differ."""

IMPORTS = "roster:imports"
"""JSON: Canvas's numbers of the last imports of the whole roster; whoever takes one back there is noticed by them."""

SIZE = "roster:size"
"""Bytes of the files Canvas compares the next upload with."""

BEYOND = "roster:beyond"
"""Classes, as a JSON list of pseudonyms, in which Canvas holds seats that the SIS does not have; `all` before they were
looked at, empty when there are none."""

OBSERVERS = "roster:observers"
"""Digest and bytes of the observers' file that was last sent by itself."""
