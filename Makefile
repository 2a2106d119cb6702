# Every command of the house. `make run` and `make test` need only Python 3.11+, make and the package registries.
# The interpreter: PYTHON=python3.12 make run.   The port: PORT=8001 make run.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TEST_READY := $(VENV)/.test-ready
# How many test processes: as many as there are processors, two on the smallest machines, four on large ones.
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); \
	if [ "$$n" -gt 4 ]; then echo 4; elif [ "$$n" -lt 2 ]; then echo 2; else echo "$$n"; fi)

.DEFAULT_GOAL := help
.PHONY: help run test prove explore lint format bench lock vendor migration clean

help: ## Show what there is to run
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) ## Start certify with the demo program on http://127.0.0.1:$(PORT)
	@exec $(BIN)/certify serve --demo --port "$(PORT)"

test: $(TEST_READY) ## Run every test, on SQLite and on PostgreSQL
	@CERTIFY_TEST_DATABASE=both $(BIN)/python -m pytest -n $(JOBS) --dist worksteal --durations 15

prove: $(TEST_READY) ## Play 300 days of tablets on bad networks (make test plays 10 of them)
	@CERTIFY_FAULT_RUNS=300 CERTIFY_TEST_DATABASE=both $(BIN)/python -m pytest tests/journeys/test_tablet_faults.py -n $(JOBS) --dist worksteal --durations 12

explore: $(TEST_READY) ## Try new random examples of every property, more of them (make test tries the same ones each time)
	@CERTIFY_TEST_EXPLORE=1 CERTIFY_TEST_DATABASE=both $(BIN)/python -m pytest -m hypothesis -n $(JOBS) --dist worksteal --durations 12

lint: $(TEST_READY) ## Check style, types, import rules and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates

format: $(TEST_READY) ## Put code and templates into the house's form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .
	-$(BIN)/djlint --reformat --quiet templates

bench: $(READY) ## Measure speed and memory (BENCH=--quick for a trial)
	@$(BIN)/python -m bench $(BENCH)

lock: ## Renew the lock files from pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

vendor: ## Renew static/vendor and tests/vendor from package-lock.json (needs npm)
	npm ci --ignore-scripts
	$(BIN)/python scripts/vendor.py

migration: $(READY) ## Write the migration from what the database has to what the models say (MESSAGE="add a table")
	$(BIN)/python scripts/migration.py "$(MESSAGE)"

clean: ## Remove the environment and the caches, never the data in instance/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache node_modules

$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "certify needs Python 3.11 or newer; name it with PYTHON=/path/to/python make run" >&2; exit 1; }
	@echo "Preparing $(VENV) (once; later runs start at once)…"
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || echo "uv is not to be had; going on with pip"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e . \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(TEST_READY): $(READY) requirements-dev.lock scripts/test_tools.py
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock -r requirements-dev.lock \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python scripts/test_tools.py
	@touch $@
