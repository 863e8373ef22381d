# One-word commands; CI calls the same ones.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
EMULATOR := .venv-ministack/.ready
LOCALSTACK := .venv-localstack/.ready
LINTERS := .venv-lint/.ready
MODELS := .venv-openmetadata/.ready
CLIENT_OPTIONS := -o addopts= -o filterwarnings=default --confcutdir=. -p no:cacheprovider

.PHONY: demo cloud-up test lint types unit slow e2e e2e-localstack bench fuzz template athena-clients localstack oracle clean
.DEFAULT_GOAL := demo

demo: $(READY)  ## run the whole flow on a small lake
	@$(BIN)/daap-local demo

cloud-up: $(READY) $(EMULATOR)  ## the deployed lake on this machine until Ctrl-C: ministack, Athena, the API
	@exec $(BIN)/python -m daap_local.cloud up $(OPTIONS)

test: $(READY) lint template types unit  ## lint, types and every test

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

template: $(LINTERS)  ## what cfn-lint, checkov, hadolint and the Compose schema say of cloud/ and docker-compose.yml
	.venv-lint/bin/cfn-lint --config-file cloud/.cfnlintrc.yaml
	.venv-lint/bin/checkov --config-file cloud/.checkov.yaml
	.venv-lint/bin/hadolint cloud/Dockerfile local/Dockerfile
	.venv-lint/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

types: $(READY)
	$(BIN)/mypy

unit: $(READY) $(EMULATOR) $(MODELS)
	$(BIN)/pytest -n auto

slow: $(READY) $(EMULATOR)  ## the tests that `make test` leaves out, since they take minutes
	$(BIN)/pytest -m slow

e2e: $(READY) $(EMULATOR)  ## the deployed lake on ministack from end to end, with more uploads at once than in the tests
	DAAP_E2E_UPLOADS=$(or $(UPLOADS),200) $(BIN)/pytest tests/e2e/test_cloud_flow.py

# LocalStack's functions need Docker, so they run as processes beside it.
e2e-localstack: $(READY) $(LOCALSTACK)  ## the same on LocalStack
	DAAP_EMULATOR=localstack DAAP_E2E_UPLOADS=$(or $(UPLOADS),200) $(BIN)/pytest tests/e2e/test_cloud_flow.py

bench: $(READY) $(EMULATOR)
	$(BIN)/pip install --quiet --editable '.[bench]'
	$(BIN)/python -m bench.flow
	$(BIN)/python -m bench.ingest
	$(BIN)/python -m bench.api
	$(BIN)/python -m bench.athena
	$(BIN)/python -m bench.cold
	$(BIN)/python -m bench.cost

fuzz: $(READY)  ## the API, with many more requests than in the tests
	DAAP_FUZZ_EXAMPLES=$(or $(EXAMPLES),500) $(BIN)/pytest tests/api/test_fuzz.py

# Each client pins versions of its own, so they live apart from the project, and dbt apart from the others.
athena-clients: $(READY)  ## awswrangler, PyAthena and dbt-athena against daap's Athena
	$(PYTHON) -m venv .venv-clients && .venv-clients/bin/pip install --quiet -r tests/athena_clients/requirements.txt
	$(PYTHON) -m venv .venv-dbt && .venv-dbt/bin/pip install --quiet -r tests/athena_clients/requirements-dbt.txt
	cd tests/athena_clients && DAAP_LOCAL=../../$(BIN)/daap-local ../../.venv-clients/bin/pytest $(CLIENT_OPTIONS) \
		check_awswrangler.py check_pyathena.py
	cd tests/athena_clients && DAAP_LOCAL=../../$(BIN)/daap-local ../../.venv-dbt/bin/pytest $(CLIENT_OPTIONS) check_dbt.py

oracle: $(READY)  ## ask a real Trino again what daap's Athena is held to (needs a JDK of 24 or newer: JAVA=DIR)
	$(BIN)/python -m fixtures.trino.record $(if $(JAVA),--java $(JAVA))
	$(BIN)/python -m fixtures.trino.report

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "daap needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# The emulator of AWS pins versions of its own; it runs the Lambdas too, so daap is installed beside it.
$(EMULATOR): pyproject.toml tests/emulators/ministack.txt
	$(PYTHON) -m venv .venv-ministack
	.venv-ministack/bin/pip install --quiet --disable-pip-version-check -r tests/emulators/ministack.txt --editable '.[cloud]'
	@touch $@

# OpenMetadata's own models of requests; of what else their package needs, nothing is installed.
$(MODELS): tests/emulators/openmetadata.txt
	$(PYTHON) -m venv .venv-openmetadata
	.venv-openmetadata/bin/pip install --quiet --disable-pip-version-check --no-deps --no-compile -r $<
	@touch $@

$(LINTERS): tests/emulators/lint.txt
	$(PYTHON) -m venv .venv-lint
	.venv-lint/bin/pip install --quiet --disable-pip-version-check -r tests/emulators/lint.txt
	@touch $@

# The second opinion on S3. Its Lambdas need Docker, so that nothing of daap runs inside.
localstack: $(LOCALSTACK)  ## make the second emulator's environment, and hold the S3 store and presigner to it
	DAAP_EMULATOR=localstack $(BIN)/pytest tests/contract/test_objects.py tests/contract/test_presigner.py -k "s3 and not dictionary"

$(LOCALSTACK): tests/emulators/localstack.txt
	$(PYTHON) -m venv .venv-localstack
	.venv-localstack/bin/pip install --quiet --disable-pip-version-check -r tests/emulators/localstack.txt
	@touch $@

clean:
	rm -rf $(VENV) .venv-ministack .venv-localstack .venv-lint .venv-openmetadata .venv-clients .venv-dbt .pytest_cache .mypy_cache .ruff_cache .hypothesis
