# `make run` and `make test` need Python 3.11 or later, and nothing else prepared.

PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
MANAGE := DEBUG=1 $(BIN)/python manage.py
# Django as the tests see it: deaf to the environment and to .env.
DJANGO := DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django
# Settings of production, for what Django says of them; nothing is reached under these addresses.
PRODUCTION := env DEBUG=0 SECRET_KEY=0123456789-of-a-key-that-is-only-there-to-be-looked-at \
	ALLOWED_HOSTS=shop.example OPENAI_API_KEY=none REDIS_URL=redis://127.0.0.1:1/0
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Real workers that are killed: minutes, so apart from the other tests.
FAULTS := tests/faults/test_faults.py tests/faults/test_mutants.py
# Which tests stay together: tests/conftest.py. A machine that stands still for a while fails a test
# that waits: it is run once more, and the summary says so. What is really broken fails twice.
AT_ONCE := --numprocesses auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder --reruns 1

.PHONY: help install run test faults chaos check fix cover
.DEFAULT_GOAL := help

help:     ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  \1\t/'

install: $(VENV)/.dev ## everything a developer needs, in .venv

run: $(VENV)/.runtime ## the shop's assistant on http://127.0.0.1:8000 (PORT=8001 for another)
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) make_demo
	@$(MANAGE) serve --host 127.0.0.1 --port $(PORT)

test:     ## Python and JavaScript tests; installs what they need where it can
	@.ci/prepare
	$(BIN)/python -m pytest $(AT_ONCE) $(addprefix --ignore=,$(FAULTS))
	@.ci/test-js

faults:   ## workers killed and frozen, Redis taken away, planted bugs caught: four minutes
	@.ci/prepare
	$(BIN)/python -m pytest $(FAULTS)

chaos:    ## faults drawn at random, for 300 s (CHAOS_S=60 SEED=12 for others)
	@.ci/prepare
	$(BIN)/python -m tests.faults.chaos --seconds $(or $(CHAOS_S),300) $(if $(SEED),--seed $(SEED))

check: $(VENV)/.dev ## style, types, layers, migrations, security
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-logo
	$(DJANGO) makemigrations --check --dry-run
	$(DJANGO) check
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive .
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

fix: $(VENV)/.dev ## what can be put right by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cover:    ## branch coverage, and the lines missed
	@.ci/prepare
	$(BIN)/python -m pytest --cov

# Installed again only when the lists of requirements change.
$(VENV)/.runtime: requirements.txt | $(BIN)/python
	@echo "Installing requirements.txt in $(VENV)…"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing requirements-dev.txt in $(VENV)…"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

$(BIN)/python:
	@.ci/make-venv $(VENV)
