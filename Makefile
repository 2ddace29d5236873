# Needs only make and Python 3.11, 3.12 or 3.13. Everything else is set up in .venv, from the lock under deploy/.
# All paths are relative, so a checkout in a folder with spaces in its name works.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

# A Python that cannot make a virtual environment (Debian without python3-venv, a pyenv shim of another version) is passed over.
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if $$p -c '$(SUITABLE)' >/dev/null 2>&1; then echo $$p; break; fi; done)

# Settings of the caller's shell that would send packages elsewhere or load foreign ones.
unexport PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIREMENT

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

# A moved checkout leaves full paths of the old place in .venv: then it is made anew.
MOVED := $(shell if [ -e .venv/.place ] && [ "$$(cat .venv/.place)" != "$$(pwd -P)" ]; then echo moved; fi)
# A Python that was upgraded away leaves a dead link.
BROKEN := $(shell if [ -e .venv ] && ! $(BIN)/python -c '' >/dev/null 2>&1; then echo broken; fi)
AGAIN := $(if $(MOVED)$(BROKEN),again)

.PHONY: help demo test test-long bench bench-mapping serve lint clean lock again

help: ## this list
	@echo 'The off-site care clearing hub. Targets:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/.main ## set up, start everything, play a day and a month close, print addresses and logins
	@$(BIN)/hub demo $(ARGS)

serve: .venv/.main ## web, worker and beat with embedded PostgreSQL and Valkey
	@$(BIN)/hub serve $(ARGS)

test: .venv/.test ## set up and run the suite (ARGS='-k money' narrows it)
	@$(BIN)/python -m pytest $(ARGS)

test-long: .venv/.test ## the tests that take minutes: crashes, soak, a million random bills
	@$(BIN)/python -m pytest -m long $(ARGS)

bench: .venv/.test ## measure the hot paths against the targets
	@$(BIN)/python -m tests.bench $(ARGS)

bench-mapping: .venv/.test ## how well codes are suggested, on ../shared/data (ARGS='services' narrows it)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench.mapping $(ARGS)

lint: .venv/.test ## ruff check, ruff format --check, mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean: ## remove .venv and the caches; data under .hub stays
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- setting up

.venv/.main: deploy/requirements.txt pyproject.toml $(AGAIN)
	@$(call set_up,deploy/requirements.txt)
	@touch .venv/.main

.venv/.test: deploy/requirements-test.txt pyproject.toml $(AGAIN)
	@$(call set_up,deploy/requirements-test.txt)
	@touch .venv/.main .venv/.test

again: ;

# One dot a package, errors as they come; pip's own exit status arrives through the closing line.
define set_up
	set -eu; \
	mkdir -p .venv 2>/dev/null && touch .venv/.try 2>/dev/null || { \
		echo "make: cannot write .venv in $$(pwd): copy the checkout to a folder of your own and run make there." >&2; exit 1; }; \
	rm -f .venv/.try; \
	if [ -n "$(AGAIN)" ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		[ -n "$(PYTHON)" ] || { \
			echo "make: no suitable Python. Install Python 3.11, 3.12 or 3.13 with its venv module" >&2; \
			echo "      (Debian: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }; \
		"$(PYTHON)" -c '$(SUITABLE)' 2>/dev/null || { \
			echo "make: $(PYTHON) is not Python 3.11, 3.12 or 3.13 with its venv module" >&2; exit 1; }; \
		echo "Making .venv with $$("$(PYTHON)" --version)"; \
		"$(PYTHON)" -m venv --clear .venv || { \
			echo "make: .venv could not be made in $$(pwd): is the disk full, or the folder another user's?" >&2; exit 1; }; \
	fi; \
	printf 'Installing %s (a minute the first time) ' "$(1)"; \
	{ $(PIP) install --require-hashes --prefer-binary -r $(1) && echo ALL_INSTALLED; } 2>&1 | awk ' \
		/^Collecting / { printf "."; fflush() } \
		/^Installing collected/ { printf " unpacking "; fflush() } \
		/^(ERROR|error)/ && !failed { print ""; failed = 1 } failed { print } \
		/^ALL_INSTALLED/ { good = 1 } \
		END { print good ? "done" : "failed"; exit !good }' || { \
		echo "make: the packages could not be installed: is a package index reachable from here?" >&2; exit 1; }; \
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .; \
	pwd -P > .venv/.place
endef

# For maintainers: make the lock from pyproject.toml. Needs `uv`; everything else here needs only pip.
UV ?= uv
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate $(UPGRADE) pyproject.toml deploy/build.in
lock:
	@$(COMPILE) --extra test --output-file deploy/requirements-test.txt
	@$(COMPILE) --constraint deploy/requirements-test.txt --output-file deploy/requirements.txt
