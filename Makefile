# One-word commands; CI calls the same ones.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test lint types unit bench fuzz oracle clean
.DEFAULT_GOAL := demo

demo: $(READY)  ## run the whole flow on a small lake
	@$(BIN)/daap-local demo

test: $(READY) lint types unit  ## lint, types and every test

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/pytest -n auto

bench: $(READY)
	$(BIN)/pip install --quiet --editable '.[bench]'
	$(BIN)/python -m bench.flow
	$(BIN)/python -m bench.ingest
	$(BIN)/python -m bench.api
	$(BIN)/python -m bench.athena

fuzz: $(READY)  ## the API, with many more requests than in the tests
	DAAP_FUZZ_EXAMPLES=$(or $(EXAMPLES),500) $(BIN)/pytest tests/api/test_fuzz.py

oracle: $(READY)  ## ask a real Trino again what daap's Athena is held to (needs a JDK of 24 or newer)
	$(BIN)/python -m fixtures.trino.record --java $(or $(JAVA_HOME),$(error name a JDK with JAVA_HOME))
	$(BIN)/python -m fixtures.trino.report

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "daap needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
