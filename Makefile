# Two commands do everything: `make report`, then `make test`. `make help` lists the rest.

VENV ?= .venv
STUDY ?= studies/nsw.toml
OUT ?= reports/nsw

# The first Python on the path that is 3.11 or newer; the locks are made for 3.11.
PYTHON ?= $(firstword $(foreach name,python3.11 python3 python3.12 python3.13,\
  $(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))

PY := $(VENV)/bin/python
PIP := $(PY) -m pip install -q --disable-pip-version-check
BENCHMARKS = $(wildcard benchmarks/bench_*.py)

# One thread: matrices here are small, and sums keep one order on every machine.
export OPENBLAS_NUM_THREADS ?= 1
export PYTHONHASHSEED ?= 0

.DELETE_ON_ERROR:
.PHONY: help report test lint validate witness bench browser synthetic locks clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 12

report: $(VENV)/.installed-run  ## run the study and write its report (STUDY=..., OUT=...)
	$(VENV)/bin/prakerja-eval report $(STUDY) --out $(OUT)
	@echo "The report is $(OUT)/report.html"

test: $(VENV)/.installed-dev  ## the tests, without long simulations and the browser
	$(PY) -m pytest -n 2 --dist loadfile -m "not simulation and not browser and not witness" --durations=10

lint: $(VENV)/.installed-dev  ## style, types, layers, budgets, hygiene
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) tools/budgets.py
	$(PY) tools/hygiene.py

validate: $(VENV)/.installed-dev  ## the long simulations; results go to reports/validation
	$(PY) -m tests.simulation.validate
	$(PY) -m tests.simulation.size
	$(PY) -m tests.simulation.calibration
	$(PY) -m tests.simulation.accounts
	$(PY) -m tests.simulation.grid

witness: $(VENV)/.installed-dev  ## long witnesses: R did whole, first draws of the simulations again
	$(PY) -m pytest -n 2 --dist loadfile -m witness

bench: $(VENV)/.installed-dev  ## time and memory, one script after the other
	@test -n "$(BENCHMARKS)" || { echo "make bench: there is no benchmarks/bench_*.py" >&2; exit 1; }
	@for script in $(BENCHMARKS); do echo "== $$script"; $(PY) $$script || exit 1; done

browser: $(VENV)/.installed-dev  ## open the committed report in headless Chromium
	$(PY) -m pytest -m browser

synthetic: $(VENV)/.installed-dev  ## write the small synthetic panels to data/synthetic
	$(PY) tools/make_synthetic.py

# --- environment ----------------------------------------------------------------------------------

# `.gitignore` holds `*`, so that an environment under another name stays out of git too.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "make: Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo '*' > $(VENV)/.gitignore

$(VENV)/.installed-run: locks/run.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r locks/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: locks/dev.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r locks/dev.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# --- upkeep ---------------------------------------------------------------------------------------

COMPILE = uv pip compile -q --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate

locks:  ## make the two locks again from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make locks: uv is needed (python -m pip install uv)" >&2; exit 1; }
	$(COMPILE) --extra build pyproject.toml -o locks/run.txt
	$(COMPILE) --extra dev -c locks/run.txt pyproject.toml -o locks/dev.txt

clean:  ## remove caches and builds; the environment and the reports stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .prakerja-cache
	find src tests tools data benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
