# One word each: make demo | test | lint | docs | gallery | bench | clean
# The first call makes .venv; later calls do not install again until pyproject.toml changes.

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-least lint docs gallery bench clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    a study end to end on made-up drill holes, from tables to targets, into demo/"
	@echo "make test    all tests but the tutorials, and the examples of the docstrings"
	@echo "make lint    ruff and mypy"
	@echo "make docs    pages and API reference, into site/"
	@echo "make gallery the tutorials, and the scripts of the gallery, small settings, into build/gallery/"
	@echo "make bench   every claim about speed and score, small settings"
	@echo "make clean   remove what these commands made, except $(VENV) and runs/"

demo: $(VENV)/.installed-boosting
	$(BIN)/gossan demo --out demo

# Tests share the cores by processes; threads inside each would only get in the way. A process that is
# through takes from the other: neighbours stay together, and so do the fixtures that they share.
test: export OMP_NUM_THREADS ?= 1
test: $(VENV)/.installed-test
	$(RUN) -m pytest -n $(JOBS) --dist worksteal tests src --ignore=tests/docs/test_tutorials.py

# With another Python, into which gossan and old versions of what it needs were installed. What older
# versions warn of is theirs; the slow tests and those of pages are the same there.
test-least: export OMP_NUM_THREADS ?= 1
test-least:
	$(LEAST) -m pytest -n $(JOBS) --dist worksteal -q -W default -m "not slow" --ignore=tests/report \
		--ignore=tests/studies --ignore=tests/nets tests

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-docs
	$(RUN) docs/build.py --out site

# The tutorials as they stand, and the scripts of the gallery in their small form.
# A script whose real data are absent says so and is left out; any other failure stops.
gallery: export OMP_NUM_THREADS ?= 1
gallery: $(VENV)/.installed-test
	$(RUN) -m pytest -n $(JOBS) -q tests/docs/test_tutorials.py
	$(RUN) gallery/_all.py --quick --out build/gallery

bench: $(VENV)/.installed-test
	@set -e; for script in bench/[!_]*.py; do \
		[ -e "$$script" ] || { echo "no benches yet"; break; }; \
		echo "== $$script --quick"; $(RUN) "$$script" --quick; \
	done

clean:
	rm -rf build dist site demo .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp for each extra, so that a demo does not wait for the linters.
$(VENV)/.installed-%: pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	$(RUN) -m pip install --quiet -c constraints.txt -e ".[$*]"
	@touch $@

$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null || { \
		echo "gossan needs Python 3.11 or newer, but there is no $(PYTHON). Install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "gossan needs Python 3.11 or newer, got $$($(PYTHON) --version). Name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
