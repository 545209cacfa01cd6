# `make help` says what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The locks are made for Python 3.11 and hold for later ones, so 3.11 is asked for first. The
# system's own comes before all: distributions compile by a profile, pyenv as a rule does not,
# and its Python takes a third more time for the same.
PYTHON3 ?= $(shell for candidate in /usr/bin/python3.11 python3.11 python3 python3.12 python3.13 python3.14; do \
	"$$candidate" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v "$$candidate" && break; done)

LOCKS := requirements/uv.txt requirements/build.txt requirements/service.txt requirements/dev.txt
INSTALL_PROJECT := -m pip --disable-pip-version-check install --quiet --no-index --no-deps --no-build-isolation

.PHONY: help
help: ## Say what can be made (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: python
python:
	@if [ -z "$(PYTHON3)" ]; then \
		echo "Python 3.11 or later with its module venv (Debian: the package python3-venv) is needed, and none was found; say where it is: make PYTHON3=/path/to/python3" >&2; \
		exit 1; \
	fi
	@"$(PYTHON3)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or later is needed; %s is %d.%d." % (sys.executable, *sys.version_info[:2]))'

.PHONY: venv
venv: .venv/.up-to-date ## Everything for development, in .venv

.venv/.up-to-date: pyproject.toml $(LOCKS) tools/make-venv | python
	@tools/make-venv "$(PYTHON3)" .venv requirements/dev.txt
	@.venv/bin/python $(INSTALL_PROJECT) --editable .
	@touch $@

COMPILE := .venv/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-header --no-emit-index-url $(if $(UPGRADE),--upgrade)

# Each lock is the ground of the next, so that a test never sees another version than the service.
.PHONY: lock
lock: ## Renew requirements/*.txt after a change (UPGRADE=1: take the newest versions)
	@[ -x .venv/bin/uv ] || $(MAKE) venv
	@$(COMPILE) requirements/uv.in --output-file requirements/uv.txt
	@$(COMPILE) requirements/build.in --output-file requirements/build.txt
	@$(COMPILE) pyproject.toml --extra all --output-file requirements/service.txt
	@$(COMPILE) pyproject.toml requirements/build.in requirements/dev.in --extra all \
		--constraints requirements/build.txt --constraints requirements/service.txt \
		--output-file requirements/dev.txt
	@$(COMPILE) requirements/audit.in --output-file requirements/audit.txt
	@$(COMPILE) requirements/fuzz.in --output-file requirements/fuzz.txt
	@! grep --line-number --extended-regexp '://|^-|file:| /' requirements/*.txt \
		|| { echo "A lock names a registry or a path of this machine." >&2; exit 1; }
	@$(MAKE) sbom

.PHONY: sbom
sbom: .venv-audit/.up-to-date ## Renew the list of what the service is made of, after a new lock or version
	@.venv-audit/bin/python tools/audit/sbom.py

.PHONY: demo
demo: .venv-demo/.up-to-date ## Start the service on SQLite with play money (PROVIDER=stripe|paypal|square)
	@.venv-demo/bin/order-core demo $(if $(PROVIDER),--provider "$(PROVIDER)")

# Only what the service needs, so that the first look is a short wait.
.venv-demo/.up-to-date: pyproject.toml $(LOCKS) tools/make-venv | python
	@tools/make-venv "$(PYTHON3)" .venv-demo requirements/build.txt requirements/service.txt
	@.venv-demo/bin/python $(INSTALL_PROJECT) --editable .
	@touch $@

.PHONY: lint
lint: venv ## Rules, layout, imports and types
	@.venv/bin/python tools/run_checks.py lint types

.PHONY: format
format: venv ## Let ruff mend what it can
	@.venv/bin/ruff check --quiet --fix-only
	@.venv/bin/ruff format

.PHONY: unit
unit: venv ## The fast tests, on the code as it lies here
	@.venv/bin/python tools/run_checks.py unit

.PHONY: test
test: .venv-wheel/.up-to-date ## All that CI runs: lint, tests on the installed wheel, explorer, mutants, chaos
	@CHAOS_SEED=7 .venv-wheel/bin/python tools/run_checks.py \
		lint wheel tests explore-quick mutants-after-tests types+chaos+chaos-sqlite

.PHONY: coverage
coverage: venv ## How much of the code the tests run in their own process
	@.venv/bin/python tools/run_checks.py coverage

.PHONY: explore
explore: venv ## Every order of turns, with every combination of two faults (minutes)
	@.venv/bin/python tools/run_checks.py explore

.PHONY: explore-deep
explore-deep: venv ## The same with three faults (an hour and more)
	@.venv/bin/python tools/run_checks.py explore-deep

.PHONY: mutants
mutants: venv ## Plant one bug after the other, and see that each is found
	@.venv/bin/python tools/run_checks.py mutants

.PHONY: audit
audit: venv .venv-audit/.up-to-date ## Known vulnerabilities, licences, forgotten secrets (asks PyPI)
	@.venv/bin/python tools/run_checks.py audit

.venv-audit/.up-to-date: requirements/audit.txt requirements/uv.txt tools/make-venv | python
	@tools/make-venv "$(PYTHON3)" .venv-audit requirements/audit.txt
	@touch $@

.PHONY: attack
attack: venv ## Hostile connections at the size of real attacks, and the timing of signatures
	@.venv/bin/python tools/run_checks.py attack

.PHONY: fuzz
fuzz: .venv-fuzz/.up-to-date ## Let a fuzzer look for bytes that break a reader (SECONDS=30 for each)
	@PYTHONPATH=$(CURDIR) .venv-fuzz/bin/python tools/fuzz/run.py \
		--seconds "$(if $(filter command line,$(origin SECONDS)),$(SECONDS),30)"

.venv-fuzz/.up-to-date: $(LOCKS) requirements/fuzz.txt tools/make-venv | python
	@tools/make-venv "$(PYTHON3)" .venv-fuzz requirements/dev.txt requirements/fuzz.txt
	@touch $@

# Bash counts in a SECONDS of its own, so the choice gets another name on its way.
.PHONY: chaos
chaos: venv ## Break things under load, compare the books (SECONDS=60 SEED=7 DATABASE=postgresql)
	@CHAOS_SECONDS="$(SECONDS)" CHAOS_SEED="$(SEED)" CHAOS_DATABASE="$(DATABASE)" \
		.venv/bin/python tools/run_checks.py chaos

.PHONY: bench
bench: venv ## Measure the service beside two references (ROUNDS=5 SECONDS=4; a quiet machine, please)
	@.venv/bin/python -m benchmarks --keep --rounds "$(or $(ROUNDS),5)" \
		--seconds "$(if $(filter command line,$(origin SECONDS)),$(SECONDS),4)"

.PHONY: bench-growth
bench-growth: venv ## Whether anything takes longer among more orders (up to a million)
	@.venv/bin/python -m benchmarks.growth
	@.venv/bin/python -m benchmarks.growth_of_writes

.PHONY: bench-cores
bench-cores: venv ## What a second worker process gives (needs four cores, else says that it is skipped)
	@.venv/bin/python -m benchmarks.cores

.PHONY: bench-sqlite
bench-sqlite: venv ## Creates a second on SQLite, and whether its file is ever locked
	@.venv/bin/python -m benchmarks.sqlite

.PHONY: bench-soak
bench-soak: venv ## Whether memory grows over a million requests (ten minutes and more)
	@.venv/bin/python -m benchmarks.soak

# The code gets in as a wheel and never as a link to src: a file that the wheel lacks is lacking.
.venv-wheel/.up-to-date: pyproject.toml $(LOCKS) tools/make-venv | python
	@tools/make-venv "$(PYTHON3)" .venv-wheel requirements/dev.txt
	@touch $@

.PHONY: clean
clean: ## Remove what was made
	rm -rf .venv .venv-audit .venv-demo .venv-fuzz .venv-wheel build dist .coverage .mypy_cache .pytest_cache .ruff_cache \
		.hypothesis .import_linter_cache
