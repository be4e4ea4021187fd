# Every target works on a fresh Debian machine with Python 3.11 and make, and works twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := data/sample
OUT := reports

.PHONY: help report lab test check acceptance clean browser servers

help:
	@echo "make report      install, check and report the sample organisation into $(OUT)/"
	@echo "make lab         JupyterLab on the workbook"
	@echo "make check       lint, types, fast tests (under a minute)"
	@echo "make test        everything, at reduced size (about half an hour)"
	@echo "make acceptance  everything, at full size"

$(VENV)/run: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/test: $(VENV)/run requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

report: $(VENV)/run
	@$(BIN)/aiready check $(SAMPLE) || test $$? -eq 1
	@$(BIN)/aiready report $(SAMPLE) --out $(OUT)

lab: $(VENV)/run
	$(BIN)/aiready lab

# Chromium is what readers open a handout with; fonts so that every script is drawn.
browser:
	@command -v chromium >/dev/null && command -v pdftoppm >/dev/null || { \
	  SUDO=$$(test $$(id -u) -eq 0 || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq chromium poppler-utils fonts-noto-core fonts-noto-cjk; }

# What tests of databases start themselves: a PostgreSQL server, and the Java that Spark runs on.
servers:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && command -v java >/dev/null || { \
	  SUDO=$$(test $$(id -u) -eq 0 || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq postgresql openjdk-17-jre-headless; }

check: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n 2 -m "not slow and not browser and not acceptance"

test: $(VENV)/test browser servers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n 2 --dist loadgroup -m "not acceptance"

acceptance: $(VENV)/test browser servers
	$(BIN)/pytest -m acceptance -s

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
