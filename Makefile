# Every command of the project. Nothing is needed but Python 3.11 or later and make; node and npm for `make audit`.

PYTHON ?= $(shell for each in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# What a run has, and what checks and tests have besides: made again when what is pinned changes.
RUNNING := .venv/installed-for-running
TESTING := .venv/installed-for-testing
# For example: make test TESTS='tests/domain -k lots'
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help run demo test check format bench schema audit clean

help: ## List these commands.
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "make %-8s %s\n", $$1, $$2 }'

run: $(RUNNING) ## Serve, with a PostgreSQL, a Valkey and a demo program of its own. Ctrl-C stops all of it.
	@exec $(BIN)/tessera serve --stop-with-parent

demo: $(RUNNING) ## Record the purchases of 2,357 real customers of a real shop, and tell what came of them.
	@$(BIN)/tessera demo

test: check ## All checks, then all tests, on real servers of their own.
	$(BIN)/pytest -n 2 $(TESTS)

check: $(TESTING) ## Format, lint, layers, types, dependencies, dead code.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy --strict api persistence domain
	$(BIN)/basedpyright domain
	$(BIN)/deptry .
	$(BIN)/vulture --min-confidence 80 api persistence domain tests

format: $(TESTING) ## Format the code and mend what can be mended.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(TESTING) ## Measure, as ratios to references measured in the same run.
	$(BIN)/python -m benchmarks

schema: $(RUNNING) ## Write schema.graphql from the code.
	$(BIN)/tessera schema

audit: $(TESTING) ## The GraphQL-over-HTTP audit of the npm package graphql-http, against a real server.
	$(BIN)/python -m tests.audit.run

clean: ## Remove the environment and all caches; the data in .data stays.
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis reports
	rm -rf tests/audit/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The build of the project itself uses the pinned setuptools of this environment: nothing is fetched for it.
$(RUNNING): requirements.lock requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Tessera needs Python 3.11 or later, and no such python3 is here."; exit 1; }
	@echo "Making .venv from requirements.lock; this happens once."
	@$(PYTHON) -m venv .venv
	@$(PIP) --requirement requirements.lock setuptools --constraint requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(TESTING): $(RUNNING)
	@echo "Adding requirements-dev.lock to .venv; this happens once."
	@$(PIP) --requirement requirements-dev.lock
	@touch $@
