# Loopscope. The two commands that matter need nothing but Python 3.11 or newer:
#
#   make app    set up, then open the app on the shipped runs and samples
#   make test   set up, then run every test
#
# Further: make lint, make format, make hooks, make setup, make clean;
# make results (docs/results.md from the shipped runs; a few minutes), make samples (data_samples/).
#
#   PORT=8600             port of the app
#   ARGS="..."            more arguments for `drnn app`, or for pytest
#   JOBS=1                processes that run tests; by default one for each processor, 4 at most
#   PYTHON=python3.12     which Python makes the virtual environment
#   PIP_ARGS="..."        more arguments for pip, for example on Linux without a GPU
#                         --extra-index-url https://download.pytorch.org/whl/cpu
#                         which takes the small CPU build of torch

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
PORT ?=
ARGS ?=
PIP_ARGS ?=

BIN := $(VENV)/bin
# Tests run on one thread each, and a file stays in one process, for the sake of what its tests
# share. Those in a browser come after the others, one by one: beside others they are too slow.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1); echo $$((n > 4 ? 4 : n)))
NONE := 5# pytest's answer where ARGS leave no test of a kind
SIDE_BY_SIDE := -n $(JOBS) --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Each step of the set-up leaves a stamp, so that it is not taken again before its input changes.
MADE := $(VENV)/.made
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready

.PHONY: help app test lint format hooks setup setup-dev results samples clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

app: $(RUN_READY)
	@$(BIN)/drnn app $(if $(PORT),--port $(PORT)) $(ARGS)

test: $(DEV_READY)
	@several=0; $(BIN)/python -m pytest --browser without $(SIDE_BY_SIDE) $(ARGS) || several=$$?; \
	  one=0; $(BIN)/python -m pytest --browser only $(ARGS) || one=$$?; \
	  case $$several,$$one in 0,0|0,$(NONE)|$(NONE),0) ;; *) exit 1 ;; esac

lint: $(DEV_READY)
	@$(BIN)/pre-commit run --all-files --show-diff-on-failure

format: $(DEV_READY)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

hooks: $(DEV_READY)
	@$(BIN)/pre-commit install

results: $(RUN_READY)
	@$(BIN)/python -m benchmarks.results

samples: $(RUN_READY)
	@$(BIN)/python -m drnn_core.data.samples

setup: $(RUN_READY)

setup-dev: $(DEV_READY)

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Loopscope needs Python 3.11 or newer; '$(PYTHON)' is not one. Name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "could not make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(RUN_READY): $(MADE) requirements.txt
	@echo "Installing what Loopscope needs into $(VENV) (once; a few minutes)"
	@$(PIP) install --quiet $(PIP_ARGS) -r requirements.txt
	@$(PIP) install --quiet $(PIP_ARGS) --no-deps -e .
	@touch $@

$(DEV_READY): $(RUN_READY) requirements-dev.txt
	@echo "Installing what tests and checks need into $(VENV) (once)"
	@$(PIP) install --quiet $(PIP_ARGS) -r requirements.txt -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
