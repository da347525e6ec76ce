# Everything a person or a machine does with this project. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help

##@ Use

.PHONY: serve
serve: $(VENV)/installed ## Install what is needed and serve the sandbox
	@$(BIN)/tradepost serve

##@ Work on it

.PHONY: test
test: $(VENV)/installed-dev browser ## Run all tests, on all cores
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

.PHONY: browser
browser: ## Install the browser that tests drive, where it is missing
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq chromium chromium-driver; } || true

.PHONY: check
check: $(VENV)/installed-dev ## Check style, types and that generated files are fresh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tools/reference.py --check

.PHONY: accept
accept: $(VENV)/installed-dev ## Rewrite the answers of the contract transcripts with what comes back now
	$(BIN)/python -m tests.contract.accept

.PHONY: reference
reference: $(VENV)/installed-dev ## Generate OpenAPI and the reference pages from the declarations
	$(BIN)/python tools/reference.py

.PHONY: bench
bench: $(VENV)/installed-dev ## Measure against the bare limit in the same run
	@command -v wrk >/dev/null || { apt-get update -qq && apt-get install -y -qq wrk; } || true
	$(BIN)/python -m bench $(BENCH)
	$(BIN)/python -m bench.request_log $(BENCH)

.PHONY: requirements
requirements: $(VENV)/installed-dev ## Pin every dependency anew, by version and hash
	$(BIN)/pip-compile -q --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --all-build-deps --output-file requirements/runtime.txt pyproject.toml
	$(BIN)/pip-compile -q --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --all-build-deps --extra dev --constraint requirements/runtime.txt \
		--output-file requirements/dev.txt pyproject.toml

.PHONY: clean
clean: ## Remove what was installed; data stays
	rm -rf $(VENV)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Pip's own quiet mode still prints warnings and errors, which are worth seeing.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all:

$(VENV)/bin/python:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing ..."
	@$(PIP) -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-dev: requirements/dev.txt $(VENV)/installed
	@$(PIP) -r requirements/dev.txt
	@touch $@
