# `make demo` and `make test` do all the set-up they need, from a machine with Python 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: demo test lab lint bench docs clean browser

# The environment is made again when what it is made from changes.
$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lineage-explorer needs Python 3.11 or newer; run make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV) || (echo "Python's venv is missing; install it: apt-get install python3-venv" >&2; exit 1)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --editable '.[demo,lab]' --group test
	touch $@

demo: $(VENV)/.ready
	$(BIN)/lineage-explorer demo demo

lab: demo
	$(BIN)/jupyter lab --notebook-dir=. notebooks/01-which-data-trained-this-model.ipynb

browser:
	@command -v chromium >/dev/null || scripts/chromium.sh

lint: $(VENV)/.ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint browser
	$(BIN)/pytest --cov --cov-report=term:skip-covered

clean:
	rm -rf $(VENV) demo build dist
