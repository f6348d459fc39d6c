# make demo     50 simulated wells on a live board; Ctrl-C ends it
# make test     all tests; real Kafka and DynamoDB Local are used when Java 17 and Maven are there
# make chaos    disturbs real processes in every way, many times each; ARGS="--seed 7" for other moments
# make soak     5,000 readings/s for ARGS="--minutes 10", and the memory's slope
# make check    style, types, import rules
# make bench    every figure that is promised, seen and to reach, in one table; ARGS="--quick" for a short form
# make bench-dashboard  how late labels are seen in 20 browsers, and what the dashboard takes for it (needs Chromium)
# make plots    draws how speed grows with the fleet, and where the worker's time goes, into docs/plots
# make audit    known vulnerabilities of locked dependencies, from OSV's database
# make lock     write the lock files anew (needs uv; ARGS=--upgrade for newer versions)
# make clean    remove what these made
#
# Needs Python 3.11 or newer and make. ARGS are passed on: make demo ARGS="--once --input DIRECTORY --report report.json"

PYTHON ?= python3
ARGS ?=
# Half of a test run is waiting for programs that start and sessions that end: two processes share the tests.
AT_ONCE ?= --numprocesses 2 --dist worksteal
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
# Compiled steps are kept here, so that only the first start has to wait for them.
export NUMBA_CACHE_DIR ?= $(CURDIR)/$(VENV)/numba-cache

.DEFAULT_GOAL := help
.PHONY: help demo test chaos soak check audit bench bench-dashboard plots lock clean environment dev-environment

help:
	@sed -n '/^# make /s/^# //p' Makefile

# An environment for development holds all that the demo needs, so either will do.
environment:
	@$(PYTHON) tools/environment.py $(VENV) requirements.lock requirements-dev.lock

dev-environment:
	@$(PYTHON) tools/environment.py $(VENV) requirements-dev.lock

demo: environment
	@exec $(BIN)/wellsentry demo $(ARGS)

test: dev-environment
	@exec $(BIN)/python -m pytest $(AT_ONCE) $(ARGS)

chaos: dev-environment
	@exec $(BIN)/python -m pytest $(AT_ONCE) tests/chaos tests/end_to_end/test_worker.py tests/end_to_end/test_secured_kafka.py tests/end_to_end/test_rights.py --all-kills $(ARGS)

soak: dev-environment
	@exec $(BIN)/python -m tests.chaos.soak $(ARGS)

check: dev-environment
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

audit:
	@$(PYTHON) tools/dependency_audit.py

bench: environment $(PEERS)/.made-from
	@exec $(BIN)/python -m bench.table $(ARGS)

bench-dashboard: dev-environment
	@exec $(BIN)/python -m bench.dashboard $(ARGS)

plots: dev-environment
	@$(BIN)/python -m bench.curves --plot docs/plots/curves.svg
	@exec $(BIN)/python -m bench.flame

$(PEERS)/.made-from: requirements-peers.lock
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $<
	@touch $@

# The development lock is held to the runtime one's versions.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(ARGS)
lock:
	$(COMPILE) pyproject.toml --group build --output-file requirements.lock
	$(COMPILE) pyproject.toml --group build --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --group build --group lambda --constraint requirements.lock --output-file requirements-lambda.lock
	$(COMPILE) --group peers --output-file requirements-peers.lock

clean:
	rm -rf $(VENV) $(PEERS) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
