# `make demo` and `make test` do all the set-up they need, from a machine with Python 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
BIN := $(VENV)/bin
NPM := PATH="$(abspath $(BIN)):$$PATH" npm --prefix extension
VIEW := lineage_explorer/static/view.js
LAB := $(VENV)/share/jupyter/labextensions/lineage-explorer
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: demo lab test lint campaign mutation bench docs pictures system clean

# The environment is made again when what it is made from changes.
$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lineage-explorer needs Python 3.11 or newer; run make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV) || (echo "Python's venv is missing; install it: apt-get install python3-venv" >&2; exit 1)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	@if [ -L $(LAB) ]; then rm $(LAB); fi  # else pip would remove the files of the old install through the link
	$(BIN)/pip install --quiet --editable '.[demo,lab]' --group test
	touch $@

# The install built the view once; this builds it again when its sources change. It also copied the JupyterLab
# extension into the environment: a link in its place shows what was built last.
$(VIEW): $(VENV)/.ready $(wildcard extension/src/* extension/src/*/* extension/schema/* extension/style/* extension/*.json extension/*js)
	$(NPM) install --silent
	$(NPM) run --silent build
	rm -rf $(LAB) && ln -s $(abspath lineage_explorer/labextension) $(LAB)
	touch $@

demo: $(VIEW)
	$(BIN)/lineage-explorer demo demo

lab: $(VIEW)
	test -f demo/report.html || $(BIN)/lineage-explorer demo demo
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --notebook-dir=. notebooks/01-which-data-trained-this-model.ipynb

system:
	@scripts/system.sh

lint: $(VIEW)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run --silent lint

# A file of tests stays in one process, for what it sets up once. Two processes: half of the time goes by waiting for servers and
# kernels. A browser needs both cores for itself.
test: lint system
	$(NPM) test --silent
	$(BIN)/pytest -m "not browser" -n $(WORKERS) --dist loadfile --cov --cov-report= --cov-fail-under=0
	$(BIN)/pytest -m browser --cov --cov-append --cov-report=term:skip-covered

# Everything that "make test" tries a sample of, in full: 200 kills, thousands of flipped bytes, every value changed.
campaign: $(VIEW) system
	LINEAGE_CAMPAIGN=1 $(BIN)/pytest tests/test_store_faults.py tests/test_verification.py tests/test_two_times.py tests/policy/test_oracle.py tests/test_estates.py
	LINEAGE_CAMPAIGN=1 $(BIN)/pytest tests/test_version_history.py tests/test_servings.py tests/test_impact.py tests/test_rollbacks.py tests/test_explorations.py

# Whether any test notices when one small thing in the policies or the trace is changed; about twenty minutes on two cores.
mutation: $(VENV)/.ready
	$(BIN)/pip install --quiet --group mutation
	$(BIN)/python tests/mutation/run.py --out tests/mutation

bench: $(VIEW) system
	$(BIN)/pip install --quiet --group bench
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/.ready
	$(BIN)/python scripts/reference.py

# The pictures of the README, as the demo looks today.
pictures: $(VIEW) system
	LINEAGE_EXPLORER_PICTURES=$(abspath docs/images) $(BIN)/pytest tests/browser/test_pictures.py

clean:
	rm -rf $(VENV) demo build dist lineage_explorer/static lineage_explorer/labextension extension/node_modules
