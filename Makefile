# Everything from a bare checkout: Python 3.11 or later with venv, git and make are enough.
# `.venv` is made on first use; a stamp makes every later call instant until the pinned requirements change.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# How many processes share the tests; `make test JOBS=0` runs them in one. A file stays in one process: some share a
# running school, and its last test counts what the others did to it.
JOBS   ?= auto
# Extra words for pytest: `make test TESTS="tests/domain -k interval"`. A part of the suite is not judged by coverage.
TESTS  ?=
COVERAGE_FLOOR := 90

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: help demo test lint site audit bench clean
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(VENV)/run.stamp  ## a made-up school, its schedules, one pass and what came of it; nothing leaves this machine
	@$(BIN)/gradesync demo

test: $(VENV)/dev.stamp  ## all tests, with branch coverage
	@rm -f .coverage .coverage.*
ifeq ($(strip $(TESTS)),)
	@$(BIN)/coverage run -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=$(COVERAGE_FLOOR)
else
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(TESTS)
endif

lint: $(VENV)/dev.stamp  ## ruff, mypy, and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

site: $(VENV)/dev.stamp  ## the documents as a site, in build/site
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/site
	@echo "build/site/index.html"

audit: $(VENV)/dev.stamp  ## known holes in the pinned packages
	@$(BIN)/python -m tools.audit $(STRICT)

bench: $(VENV)/dev.stamp  ## the measurements of docs/benchmarks.md
	@$(BIN)/python -m benchmarks

clean:  ## remove what make made; stores and schedules stay
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .hypothesis *.egg-info

# --- the environment --------------------------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "gradesync needs Python 3.11 or later; \`$(PYTHON)\` is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	  echo "hint: name another one, for example: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "hint: on Debian and Ubuntu, venv is a package of its own: python3-venv" >&2; rm -rf $(VENV); exit 1; }

# Two sets, so that a first `make demo` fetches only what running needs. Hashes are checked for every file, and
# the package itself is built from the checkout without an isolated (and so unhashed) build environment.
$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	@[ -f $(VENV)/dev.stamp ] && [ $(VENV)/dev.stamp -nt $< ] || { \
	  echo "Installing what gradesync runs on into $(VENV); the first time that takes a minute or two ..."; \
	  $(BIN)/python -m pip install --quiet --require-hashes -r $<; }
	@PYTHONWARNINGS=ignore::UserWarning $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the tests need into $(VENV); the first time that takes a minute or two ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@PYTHONWARNINGS=ignore::UserWarning $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/run.stamp
