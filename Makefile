# Every target works on a fresh Debian machine with Python 3.11 and make, and works twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := data/sample
OUT := reports

COVERED := 95  # per cent of lines, two below what was measured; `make coverage` fails below it

.PHONY: help report lab check lint test test-browser coverage acceptance clean browser postgres java

help:
	@echo "make report        install, check and report the sample organisation into $(OUT)/"
	@echo "make lab           JupyterLab on the workbook"
	@echo "make check         lint, types, imports, quick tests (under a minute)"
	@echo "make test          lint and every test that needs Python alone (under ten minutes on two cores)"
	@echo "make test-browser  tests in Chromium, in a JupyterLab, on PostgreSQL; installs them (under ten minutes)"
	@echo "make coverage      the same as make test, with the share of lines that it runs (a third longer)"
	@echo "make acceptance    full sizes, 200 kills, Spark, ten times as many generated cases (an hour)"

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

# Tests start a PostgreSQL server of their own, and Spark, which runs on Java.
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
	  SUDO=$$(test $$(id -u) -eq 0 || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq postgresql; }

java:
	@command -v java >/dev/null || { \
	  SUDO=$$(test $$(id -u) -eq 0 || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq openjdk-17-jre-headless; }

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

PYTEST := $(BIN)/pytest -n 2 --dist loadgroup
PYTHON_ALONE := not browser and not server and not acceptance

# What takes less than a tenth of a second, with a fifth of the generated cases.
check: lint
	$(PYTEST) -m "$(PYTHON_ALONE) and not slow" --hypothesis-profile=quick

test: lint
	$(PYTEST) -m "$(PYTHON_ALONE)" --durations=10

test-browser: $(VENV)/test browser postgres
	$(PYTEST) -m "(browser or server) and not acceptance" --durations=10

# Lines run in processes of their own are not counted.
coverage: lint
	$(PYTEST) -m "$(PYTHON_ALONE)" --durations=10 --cov=aiready --cov-report=term:skip-covered --cov-fail-under=$(COVERED)

acceptance: $(VENV)/test browser postgres java
	$(BIN)/pytest -m acceptance -s
	$(PYTEST) -m "generated and not acceptance" --hypothesis-profile=large

clean:
	rm -rf $(VENV) build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
