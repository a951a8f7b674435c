# Tasks of the project; CONTRIBUTING.md says what each is for. `make demo` and `make test` work in a fresh clone.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: help demo test lint types ui reliability
.NOTPARALLEL:

help:
	@echo "make demo    install vitpanel into .venv, precompute the embedded study, serve it"
	@echo "make test    install what the tests need into .venv, run lint, types and all tests"
	@echo "make lint    ruff, formatter, import-linter, codespell"
	@echo "make types   basedpyright"
	@echo "make ui      the tests that drive a browser"
	@echo "make reliability    the tests of kills, full disks, damage and attacks"

demo: .venv/compute.stamp
	$(BIN)/vitpanel demo

# Two workers, each with whole files: what a file computes for its tests is computed once.
test: lint types .venv/browser.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/test.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/codespell $$(git ls-files)

types: .venv/test.stamp
	$(BIN)/basedpyright --pythonpath $(BIN)/python

ui: .venv/browser.stamp
	$(BIN)/python -m pytest -m ui

reliability: .venv/test.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile -m reliability

# A stamp is older than pyproject.toml when the dependencies may have changed; pip then installs the difference.
.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/compute.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --editable ".[compute]"
	touch $@

.venv/test.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --editable ".[compute,test]"
	touch $@ .venv/compute.stamp

.venv/browser.stamp: .venv/test.stamp tests/ensure_browser.py
	$(BIN)/python tests/ensure_browser.py
	touch $@
