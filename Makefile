# `make` alone prints what can be made. Nothing is needed but Python 3.11 or later, make and a network to PyPI.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
ARTEFACTS := artefacts

# A stamp is named by what it was made from: the same requirements are never installed twice, changed ones always are.
content_of = $(shell cat $(1) 2>/dev/null | cksum | tr ' ' '-')
RUNTIME := $(VENV)/.runtime-$(call content_of,requirements.txt setup.cfg pyproject.toml)
DEV := $(VENV)/.dev-$(call content_of,requirements.txt requirements-dev.txt setup.cfg pyproject.toml)

PIP := $(PY) -m pip --disable-pip-version-check --no-input --quiet --quiet
# Output of jobs running side by side comes in one piece each, where make can do that.
SIDE_BY_SIDE := $(MAKE) -j4 -k $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
STATIC := check-format check-lint check-types
# `check` needs no server: contract tests that start a simulated platform, or processes, belong to `make test`.
SERVED := $(addprefix tests/contract/test_,bank_core.py lijiayuan_client.py pingan_calls.py soap_client.py town_check.py \
  town_new.py wuhe_client.py)
QUICK_CONTRACTS := $(filter-out $(SERVED),$(sort $(wildcard tests/contract/test_*.py)))
# Everything in two halves of about the same length, for two cores; each has its own PostgreSQL and its own processes.
FIRST_HALF := tests/browser tests/contract tests/house tests/integration tests/unit $(sort $(wildcard tests/flows/test_[a-l]*.py))
SECOND_HALF := $(sort $(wildcard tests/flows/test_[m-z]*.py))

.PHONY: help
help: ## Print this list.
	@echo 'The gateway. Usage: make TARGET'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' Makefile
	@echo
	@echo 'First time: make demo (two minutes, ends by itself) or make run (keeps serving). See README.md.'

.PHONY: run
run: $(RUNTIME) ## Serve everything on this machine: database, web over TLS, jobs, simulators, a seeded year. Ctrl-C stops it.
	@$(BIN)/gateway run

.PHONY: demo
demo: $(RUNTIME) ## Walk the whole path on a small town, explain what happened, and end.
	@$(BIN)/gateway demo

.PHONY: check
check: $(DEV) ## Format, lint, types, import contracts, house rules, unit and contract tests. No server, under a minute.
	@$(SIDE_BY_SIDE) $(STATIC) check-units check-rest
	@echo 'check: clean'

.PHONY: test
test: $(DEV) ## Everything: check, then integration, flows and browser tests on real processes. Under 20 minutes.
	@mkdir -p $(ARTEFACTS)
	@$(SIDE_BY_SIDE) $(STATIC)
	@$(MAKE) -j2 -k $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) test-first test-second

.PHONY: test-first test-second
test-first: $(DEV)
	@$(PY) -m pytest $(FIRST_HALF) -m 'not soak' --junitxml=$(ARTEFACTS)/junit-first.xml --durations=15
test-second: $(DEV)
	@$(PY) -m pytest $(SECOND_HALF) -m 'not soak' --junitxml=$(ARTEFACTS)/junit-second.xml --durations=15

.PHONY: bench
bench: $(DEV) ## Measure every bar beside its floor and write bench/report.json.
	@$(PY) -m bench

.PHONY: soak
soak: $(DEV) ## The long versions: kill -9 storms, and schemathesis for five minutes. About twenty minutes.
	@mkdir -p $(ARTEFACTS)
	@$(PY) -m pytest tests -m soak --timeout=1800 --junitxml=$(ARTEFACTS)/junit-soak.xml

.PHONY: lock
lock: $(DEV) ## Pin every dependency with hashes from requirements.in and requirements-dev.in.
	@$(call compile,requirements.in,requirements.txt)
	@$(call compile,requirements-dev.in,requirements-dev.txt)

.PHONY: snapshot
snapshot: $(DEV) ## Write gateway/db/schema.sql from the migrations, with a scratch server.
	@$(PY) -m gateway.db.snapshot

.PHONY: verifier-wheel
verifier-wheel: $(DEV) ## Build dist/gateway_verifier-*.whl: what towns, auditors and residents check with. Needs Python alone.
	@$(PY) -m gateway.verifier.wheel dist

.PHONY: format
format: $(DEV) ## Put every Python file into the house's format and mend what ruff can mend.
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: coverage-table
coverage-table: $(DEV) ## Run every town through every scenario of the kit and write docs/coverage.md from the results.
	@$(PY) -m tests.coverage_table

.PHONY: screenshots
screenshots: $(DEV) ## Take pictures of the pages with Chromium into artefacts/screenshots.
	@$(PY) -m tests.browser.screenshots

.PHONY: clean
clean: ## Remove what was built, the virtual environment too. Stored points and keys in .run stay.
	@rm -rf $(VENV) $(ARTEFACTS) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -not -path './.run/*' -prune -exec rm -rf {} +

# What `check` is made of.
.PHONY: check-format check-lint check-types check-units check-rest
check-format: $(DEV)
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; echo 'make format mends this'; exit 1; }
check-lint: $(DEV)
	@$(BIN)/ruff check --quiet .
check-types: $(DEV)
	@$(BIN)/mypy --no-error-summary
# Import contracts are among the house rules (tests/house/test_contracts.py).
check-units: $(DEV)
	@GATEWAY_TEST_QUICK=1 $(PY) -m pytest -q tests/unit -m 'not soak'
check-rest: $(DEV)
	@$(PY) -m pytest -q tests/house $(QUICK_CONTRACTS) -m 'not soak' -k 'not their_platform_is_called'

# The virtual environment, made by the first Python that is new enough.
$(PY):
	@for python in python3.13 python3.12 python3.11 python3 python; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "making $(VENV) with $$($$python --version)"; \
	    $$python -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); echo "$$python cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; \
	  fi; \
	done; \
	echo 'No Python 3.11 or later was found (looked for python3.13, python3.12, python3.11, python3). Install one and try again.' >&2; exit 1

$(RUNTIME): | $(PY)
	@echo 'installing what the gateway runs on (once)'
	@$(PIP) install --require-hashes -r requirements.txt
	@PYTHONWARNINGS=ignore $(PIP) install --no-deps --no-build-isolation --no-index \
	  --config-settings editable_mode=compat -e .  # it warns that it installs in place: it should
	@rm -f $(VENV)/.runtime-* && touch $@

$(DEV): | $(RUNTIME)
	@echo 'installing what testing needs (once)'
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@rm -f $(VENV)/.dev-* && touch $@

# The command in the header is ours, so that no machine's registry or path gets into the file.
define compile
CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file=$(2) $(1)
endef
