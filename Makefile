# Endu: what there is to do. `make` alone lists it.
PORT ?= 8400
DATA ?= ./endu-data
PYTHON ?= python3

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes
LOCK := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command "make lock" pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help run test test-long check bench lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

run: .venv/run.stamp .venv/package.stamp ## start Endu on 127.0.0.1 (PORT=8400 DATA=./endu-data)
	@exec $(BIN)/endu up --data "$(DATA)" --port "$(PORT)"

# Two at a time, each file's tests in one process: more than one server is up at a time anyway.
test: .venv/test.stamp .venv/package.stamp ## run every test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-long: .venv/test.stamp .venv/package.stamp ## the same, twenty times as many random logs (hours)
	ENDU_LONG=20 $(BIN)/python -m pytest

check: .venv/test.stamp .venv/package.stamp ## style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/test.stamp .venv/package.stamp ## measure, each figure beside its control
	$(BIN)/python -m benchmarks

lock: ## write both lock files again from pyproject.toml (needs uv)
	$(LOCK) -o requirements.lock
	$(LOCK) --extra dev -o requirements-dev.lock

# Each stamp is younger than what was installed from, so that nothing is installed twice.
.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Endu needs Python 3.11 or newer, and \`$(PYTHON)\` is not;" \
		     "install one and say: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { \
		echo "This Python cannot make a .venv; on Debian: apt install python3-venv" >&2; \
		rm -rf .venv; exit 1; }
	@touch $@

.venv/run.stamp: requirements.lock | .venv/made.stamp
	@echo "Installing what Endu needs into .venv (once; a few hundred MB to fetch) …"
	@$(PIP) -r requirements.lock
	@touch $@

.venv/test.stamp: requirements-dev.lock | .venv/made.stamp
	@echo "Installing what Endu and its tests need into .venv (once) …"
	@$(PIP) -r requirements-dev.lock
	@touch $@

.venv/package.stamp: pyproject.toml | .venv/made.stamp
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --editable .
	@touch $@
