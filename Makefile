# `make run` and `make test` require Python 3.11 or later and no other preparation.

PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
MANAGE := DEBUG=1 $(BIN)/python manage.py
# Django with the settings of the tests, which ignore the environment and .env.
DJANGO := DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django
# Settings of production for Django's deployment checks; no service is needed at these addresses.
PRODUCTION := env DEBUG=0 SECRET_KEY=0123456789-of-a-key-that-is-only-there-to-be-looked-at \
	ALLOWED_HOSTS=shop.example OPENAI_API_KEY=none REDIS_URL=redis://127.0.0.1:1/0
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

SERVE := serve --host 127.0.0.1 --port $(PORT)
# Address of the site for links in e-mails.
SITE := $(if $(filter-out 8000,$(PORT)),SITE_URL=http://127.0.0.1:$(PORT) )
# Code and templates that a running worker has loaded; static files are served without a restart.
WATCHED := chat server meuble_project devtools templates manage.py

define PREPARE
@$(MANAGE) migrate --verbosity 0
@$(MANAGE) make_demo
endef

# Tests that kill real workers take minutes, so they are separate from the other tests.
FAULTS := tests/faults/test_faults.py tests/faults/test_mutants.py
# tests/conftest.py groups tests that must share a process, and says which failed tests run once more.
AT_ONCE := --numprocesses auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder
# One part of the tests: make test T=tests/shop/tickets
T :=

# A process that may not write bytecode compiles the project again, which takes 3 s of a processor.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install run dev test faults chaos check fix cover
.DEFAULT_GOAL := help

help:     ## list of the targets
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  \1\t/'

install: $(VENV)/.dev ## install all development packages in .venv

run: $(VENV)/.runtime ## serve the assistant on http://127.0.0.1:8000 (PORT=8001 for another port)
	$(PREPARE)
	@$(SITE)$(MANAGE) $(SERVE)

dev: $(VENV)/.dev ## like run, restarted when code, templates or .env change; serves changed styles and scripts
	$(PREPARE)
	@$(SITE)DEBUG=1 $(BIN)/watchfiles --verbosity warning --ignore-paths chat/static \
		'$(BIN)/python manage.py $(SERVE)' $(WATCHED) $(wildcard .env)

test:     ## run Python and JavaScript tests (T=tests/shop/tickets for a part); installs missing programs where possible
	@.ci/prepare
ifeq ($(T),)
	$(BIN)/python -m pytest $(AT_ONCE) $(addprefix --ignore=,$(FAULTS))
	@.ci/test-js
else ifneq ($(filter tests/js%,$(T)),)
	@.ci/test-js $(filter %.js,$(T))
else
	$(BIN)/python -m pytest $(if $(filter %.py,$(firstword $(subst ::, ,$(T)))),,$(AT_ONCE)) $(T)
endif

faults:   ## test with killed and frozen workers, a stopped Redis and planted bugs: five minutes
	@.ci/prepare
	$(BIN)/python -m pytest $(FAULTS)

chaos:    ## test with random faults for 300 s (CHAOS_S=60 SEED=12 for other values)
	@.ci/prepare
	$(BIN)/python -m tests.faults.chaos --seconds $(or $(CHAOS_S),300) $(if $(SEED),--seed $(SEED))

check: $(VENV)/.dev ## check style, types, layers, migrations, security
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-logo
	$(DJANGO) makemigrations --check --dry-run
	$(DJANGO) check
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive .
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

fix: $(VENV)/.dev ## fix style and formatting automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cover:    ## measure branch coverage and list the lines without coverage
	@.ci/prepare
	$(BIN)/python -m pytest --cov

# Packages are installed again only when a lock file changes; .ci/lock writes the lock files.
$(VENV)/.runtime: requirements.lock | $(BIN)/python
	@echo "Installing requirements.lock in $(VENV)…"
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(BIN)/python
	@echo "Installing requirements-dev.lock in $(VENV)…"
	@$(PIP) -r requirements-dev.lock
	@touch $@ $(VENV)/.runtime

$(BIN)/python:
	@.ci/make-venv $(VENV)
