# Summitry: every way of running it. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Where the labelled sets and real streams lie; `make eval` skips with a message where this folder is absent.
SUMMITRY_EVAL ?= ../shared
export SUMMITRY_EVAL
# Python keeps what it compiled, also where the environment says otherwise: compiling each time takes longer than the tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup lock quick lint test test-kafka nightly release chaos soak train eval bench demo run clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(BIN)/python:
	@echo "setup: making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup: Python 3.11 or newer is needed; say which with PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# pip's talk in short: every tenth package, and whatever went wrong.
PROGRESS = /^Collecting/ { if (++n % 10 == 0) print "    " n " found" } \
	/^Installing/ { print "    all found, installing" } /^ERROR|error:/ { print } { fflush() }

# A stamp for each lock file: installing is done once and again only when the lock changes.
$(VENV)/%.stamp: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo "setup: installing the $$(grep -c '==' requirements/$*.txt) packages of requirements/$*.txt"
	@$(BIN)/pip install --progress-bar off --disable-pip-version-check --require-hashes --only-binary :all: \
		-r requirements/$*.txt 2>&1 | awk '$(PROGRESS)'
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/dev.stamp ## Build .venv from the hash-locked requirements

COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

RUN_EXTRAS := --extra embedded --extra email --extra apprise --extra fulltext --extra fast --extra parquet --extra tracing --extra build

lock: | $(VENV)/dev.stamp ## Make the lock files anew from pyproject.toml (UPGRADE=--upgrade for the newest versions)
	$(COMPILE) $(UPGRADE) $(RUN_EXTRAS) --extra dev -o requirements/dev.txt pyproject.toml
	$(COMPILE) --constraint requirements/dev.txt $(RUN_EXTRAS) -o requirements/run.txt pyproject.toml
	$(COMPILE) --constraint requirements/dev.txt --extra train -o requirements/train.txt pyproject.toml
	$(COMPILE) --constraint requirements/dev.txt -o requirements/release.txt requirements/release.in

lint: setup ## Style, types, and data files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Two plain processes: each of two workers of xdist would import and collect all of it, and build its own detector.
# Without two plugins that look at each test for what threads and destructors raised: `make test` has them.
QUICK := $(BIN)/python -m pytest -q -m "not broker and not slow" -p no:unraisableexception -p no:threadexception
HALF := $(addprefix tests/monitor/,detect assemble archive watchlist config language)

quick: setup ## Style, types and the pure tests: the loop while you work
	@$(BIN)/ruff check --quiet . & lint=$$!; $(BIN)/mypy --no-error-summary & types=$$!; \
		half=$$(mktemp); $(QUICK) $(HALF) tests/test_*.py > $$half 2>&1 & tests=$$!; \
		failed=0; $(QUICK) $(addprefix --ignore=,$(HALF)) tests/monitor || failed=1; \
		wait $$tests || failed=1; cat $$half; rm $$half; wait $$lint || failed=1; wait $$types || failed=1; exit $$failed

# Which tests `test` and `test-kafka` run, by their markers; CI runs them in parts.
TESTS ?= not nightly

test: setup ## The whole test suite, on the embedded broker (but for what is nightly)
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "$(TESTS)"

test-kafka: setup ## Everything that touches a broker, on Apache Kafka (needs Java 17 and mvn)
	$(BIN)/python -m pytest -m "broker and ($(TESTS))" --broker kafka

# How long one run's faults last, which run (a random one without SEED), and how many of them.
MINUTES ?= 10
RUNS ?= 1

chaos: setup ## Draw faults from a seed and compare with a model, on Apache Kafka (SEED=7 MINUTES=60 RUNS=1)
	$(BIN)/python -m tests.chaos.driver --minutes $(MINUTES) --runs $(RUNS) $(if $(SEED),--seed $(SEED)) $(CHAOS)

soak: MINUTES = 30
soak: setup ## 50 articles a second on Apache Kafka: memory, handles and lag must stay flat (MINUTES=30)
	$(BIN)/python -m tests.chaos.soak --minutes $(MINUTES)

nightly: setup ## What need not run for each change: deployed commands, faults from a new seed, speed, a release
	@took=(); part() { local start=$$SECONDS; echo "=== $$*"; "$$@"; took+=("$$((SECONDS - start)) s $$*"); }; \
	trap 'echo "=== where the time went, of $$SECONDS s"; printf "%s\n" "$${took[@]}"' EXIT; \
	part $(BIN)/python -m pytest -m "broker and not nightly"; \
	part $(BIN)/python -m pytest -m nightly --broker kafka; \
	part $(BIN)/python -m tests.chaos.driver --minutes $(MINUTES) --runs $(RUNS); \
	part $(BIN)/python -m tests.chaos.soak --minutes 30; \
	part $(BIN)/python -m tests.bench; \
	part $(BIN)/python deploy/release.py

release: setup ## Sdist, wheel and bill of materials in dist/; the wheel runs the demo in a clean environment
	$(BIN)/python deploy/release.py

TRAIN := .venv-train

$(TRAIN)/train.stamp: requirements/train.txt pyproject.toml
	@$(PYTHON) -m venv $(TRAIN)
	@echo "train: installing the packages of requirements/train.txt (about 3 GB: torch brings its graphics libraries)"
	@$(TRAIN)/bin/pip install --progress-bar off --disable-pip-version-check --require-hashes --only-binary :all: \
		-r requirements/train.txt 2>&1 | awk '$(PROGRESS)'
	@touch $@

train: ## Make the learned reader's files again from SUMMITRY_EVAL/gold (needs an hour and two cores)
	@test -f "$(SUMMITRY_EVAL)/gold/train.jsonl" || { echo "train: there are no labelled items; set SUMMITRY_EVAL to a folder with gold/train.jsonl"; exit 2; }
	@$(MAKE) --no-print-directory $(TRAIN)/train.stamp
	@OMP_NUM_THREADS=1 $(TRAIN)/bin/python -m training

eval: setup ## Quality on the labelled sets under SUMMITRY_EVAL
	$(BIN)/python -m tests.quality

bench: setup ## Speed, as ratios within one run
	$(BIN)/python -m tests.bench

demo: $(VENV)/run.stamp ## The whole service on bundled sample feeds: alerts in your terminal in a minute (HOLD=1: then the board)
	@HOLD=$(HOLD) $(BIN)/python -m agents.demo

run: $(VENV)/run.stamp ## The whole service until Ctrl-C; CONFIG=summitry.yaml for your own feeds and receivers
	@$(BIN)/summitry up $(if $(CONFIG),--config $(CONFIG))

clean: ## Remove what was built
	rm -rf $(VENV) $(TRAIN) .build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
