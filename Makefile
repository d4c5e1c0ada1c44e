# Every command of the project. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Two jobs keep two cores busy. Tests wait for chains, pages and timeouts a third of their time:
# three workers do.
JOBS ?= 2
WORKERS ?= 3
# Makes targets that do not need one another.
SIDE_BY_SIDE = $(MAKE) --no-print-directory $(if $(findstring --jobserver,$(MAKEFLAGS)),,--jobs=$(JOBS))

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[36m%-15s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- set-up

.PHONY: setup
setup: ## Install everything the project needs, hash-pinned
	+@$(SIDE_BY_SIDE) installed

.PHONY: installed
installed: .venv/.ready node_modules/.ready
	@:

.venv/.ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; PYTHON=/path/to/python3 chooses one." >&2; exit 1; }
	@echo "→ Python packages (hash-pinned) into .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv \
		|| { echo "python3-venv is missing: install it (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/.ready: package.json package-lock.json
	@command -v npm >/dev/null \
		|| { echo "Node.js 20 or newer with npm is needed (contract tools, frontends)." >&2; exit 1; }
	@echo "→ Node packages (integrity-checked) into node_modules"
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: chromium
chromium:
	@ops/ensure_chromium.sh

.PHONY: lock
lock: .venv/.ready ## Recompile the hash-pinned requirement files from pyproject.toml
	@ops/lock.sh $(ARGS)

# ---------------------------------------------------------------- run

.PHONY: demo
demo: setup ## Run the whole system on this machine (ARGS="--once" drives one redemption)
	@node frontends/build.mjs --demo >.local/frontends.log 2>&1 || { cat .local/frontends.log >&2; exit 1; }
	@exec $(BIN)/python -m ops.stack demo $(ARGS)

.PHONY: run
run: setup ## Run the same stack from .env against any chain
	@node frontends/build.mjs >.local/frontends.log 2>&1 || { cat .local/frontends.log >&2; exit 1; }
	@exec $(BIN)/python -m ops.stack run $(ARGS)

demo run: | .local
.local:
	@mkdir -p $@

# ---------------------------------------------------------------- check and test

# The longest first, so that none is left to run alone.
CHECKS := types abi unit openapi layers lint

.PHONY: check
check: setup ## Lint, types, layers, committed artefacts, unit tests: under a minute
	+@$(SIDE_BY_SIDE) --output-sync=target $(CHECKS)

.PHONY: lint
lint: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@npm run --silent lint:web

.PHONY: types
types: setup
	@$(BIN)/mypy --no-error-summary
	@cd contracts && ../$(BIN)/mypy --no-error-summary --config-file ../pyproject.toml --cache-dir ../.mypy_cache *.py mutation proofs/*.py
	@npm run --silent types:web

.PHONY: layers
layers: setup
	@$(BIN)/lint-imports --no-logo

.PHONY: abi
abi: setup
	@$(BIN)/python contracts/build.py --check

.PHONY: openapi
openapi: setup
	@$(BIN)/python -m chalicelib.api.openapi --check
	@node frontends/openapi/generate.mjs --check
	@node frontends/tests/run.mjs api.test.ts --test-reporter=dot

.PHONY: unit
unit: setup
	@$(BIN)/python -m pytest -q -m "not slow" tests/unit

.PHONY: contracts
contracts: setup abi ## Contract: unit, fuzz and invariant tests, gas, size, artefact, report, docs
	@contracts/test.sh
	@$(BIN)/python contracts/mutate.py --check-report
	@$(BIN)/python contracts/gas_table.py --check

.PHONY: contracts-full
contracts-full: contracts ## Contract: symbolic proofs, static analysis, coverage, mutation as well
	@contracts/proofs.sh all
	@contracts/proofs.sh faults
	@$(BIN)/python contracts/mutate.py
	@$(BIN)/python contracts/mutate.py --planted

.PHONY: web
web: setup
	@npm run --silent test:web

.PHONY: test
test: setup chromium ## check and contracts, then stores, API, chain, command line, browser
	+@$(SIDE_BY_SIDE) --output-sync=target contracts $(CHECKS) web
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not slow" --ignore=tests/unit

.PHONY: test-full
test-full: test contracts-full ## test, contracts-full, and the long state machines
	@$(BIN)/python -m pytest -q -n $(JOBS) -m slow --timeout 1800

# Worlds are numbered; the same number is the same world.
SEEDS ?= 1000
FIRST ?= 0
SEED ?=
.PHONY: sim
sim: setup ## Live through SEEDS=1000 simulated worlds from FIRST=0 on, or replay one: SEED=123
	@$(BIN)/python -m tests.sim.run --seeds $(SEEDS) --first $(FIRST) $(if $(SEED),--seed $(SEED)) $(ARGS)

# ---------------------------------------------------------------- measure and show

.PHONY: bench
bench: setup ## Print requests/s and latencies of the API on SQLite and DynamoDB
	@$(BIN)/python -m bench.api_load $(ARGS)

.PHONY: bench-listener
bench-listener: setup ## Print the listener's speed, memory, calls; the fault table; latencies
	@$(BIN)/python -m bench.listener $(ARGS)
	@$(BIN)/python -m bench.faults
	@$(BIN)/python -m bench.latency

.PHONY: bench-scan
bench-scan: setup chromium ## Print times from a QR code in view to the answer, and what the decoder reads
	@$(BIN)/python -m bench.scan $(ARGS)
	@$(BIN)/python -m bench.scan_decode

.PHONY: write-units
write-units: setup ## Print what a redemption costs on DynamoDB, item by item
	@$(BIN)/python -m bench.write_units

.PHONY: screens
screens: setup chromium ## Take a picture of every state (ARGS="--app portal --only ready"), with an index
	@$(BIN)/python -m tests.e2e.screens $(ARGS)

.PHONY: lighthouse
lighthouse: setup chromium ## Print Lighthouse's scores and times of portal and console behind nginx
	@$(BIN)/python -m bench.lighthouse $(ARGS)

.PHONY: package
package: setup ## Build the API's deployment package
	@$(BIN)/python -m infra.package $(ARGS)

.PHONY: clean
clean: ## Remove local state and what was built (not .venv and node_modules)
	@rm -rf .local frontends/dist contracts/out contracts/cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
