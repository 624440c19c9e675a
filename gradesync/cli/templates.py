"""What `gradesync init` writes: the texts of a fresh tree. Data only."""

from __future__ import annotations

SCHEMA = "gradesync.schema.json"
SETTINGS_SCHEMA = "gradesync-settings.schema.json"

SETTINGS = f"""\
# yaml-language-server: $schema={SETTINGS_SCHEMA}
#
# What only the owner of this tree decides. Every line is optional. The accounts stand in schedules/, one file each.

# Hosts that keys may be sent to. Without this line only this machine is allowed.
hosts: ["*.instructure.com", genesis.example.org]

# How accounts find their keys: `env` means EXAMPLE_CANVAS_TOKEN, EXAMPLE_SIS_ID and EXAMPLE_SIS_SECRET for the
# account `example`. Keys themselves are never written into these files.
secrets: env

# Where schedules, runs, holds and history are recorded. Left out: .gradesync/store.db beside this file.
# store: "postgresql://gradesync:{{env:GRADESYNC_DB_PASSWORD}}@db.example.org/gradesync"

# In GitLab, Jenkins, Kubernetes: wherever passes run on machines that forget everything, write these two lines, and
# put the store's URL and the ledger's key into these variables.
# store: env:GRADESYNC_STORE
# keys: env:GRADESYNC_KEY
"""

ACCOUNT = f"""\
# yaml-language-server: $schema=../{SCHEMA}
#
# One institution: its Canvas and its SIS. Copy this file under the account's name, fill it in, and ask
# `gradesync validate` and `gradesync plan` what they think of it.
account: example                        # equals the file's name
name: Example Public Schools
time_zone: America/New_York             # what the times below mean

canvas:
  url: https://example.instructure.com
sis:
  profile: genesis                      # a table of defaults; any of them can be overridden here
  url: https://genesis.example.org/genesis

passback:                               # whatever is left out is withheld and reported, never guessed
  excused: withhold                     # or: exempt
  missing: withhold                     # or: zero
  # category_map: {{Labs: Classwork}}     # Canvas group: SIS category

schedules:
  roster-nightly:
    type: roster import                 # SIS to Canvas
    interval: daily at 03:15
    state: paused                       # remove these two lines when the file is filled in
    reason: not filled in yet
  grades:
    type: grade passback                # Canvas to SIS
    interval: every 15 minutes
    first_run: 2026-09-01 07:00         # the clock time that `every` counts from
    state: paused
    reason: not filled in yet
"""

IGNORED = ".gradesync/"
"""What Git must never see: the store, the key, the cache, the sandbox's credentials."""
