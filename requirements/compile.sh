#!/usr/bin/env bash
# Renews the hash-pinned requirements from pyproject.toml. Needs uv, which is not one of our dependencies:
#   python3 -m pip install uv && requirements/compile.sh            keep what still fits, add what is new
#   requirements/compile.sh --upgrade                               take the newest of everything
# The files hold names, versions, markers and hashes, and no addresses: every site installs from its own index.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=${UV:-uv}
common=(--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links
        --annotation-style line --custom-compile-command requirements/compile.sh --quiet)

# run.txt: what a district's CI and a worker's host install. PostgreSQL's driver and the queue are in it, because a
# team's store needs them, and what carries alarms.
"$uv" pip compile "${common[@]}" "$@" --extra postgres --extra cluster --extra notify \
    --output-file requirements/run.txt pyproject.toml requirements/build.in >/dev/null

# dev.txt: the same, plus tests, lint and benchmarks; `-c` keeps both on the same versions.
"$uv" pip compile "${common[@]}" "$@" --extra postgres --extra cluster --extra notify --extra test --extra lint --extra bench --extra docs \
    --constraint requirements/run.txt \
    --output-file requirements/dev.txt pyproject.toml requirements/build.in >/dev/null
