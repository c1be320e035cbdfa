# make demo | test | lint | docs | bench | guests. Each makes its own virtual environment from the lock file first.
# PYTHON=python3.10 does the same with that interpreter (3.10 runs the wasmer engine).

PYTHON ?= python3
TAG := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
ifeq ($(TAG),)
$(error '$(PYTHON)' does not run; set PYTHON to a CPython of 3.10 or newer)
endif
VENV := .venv-$(TAG)
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Where nothing compiled is kept, each of the hundreds of programs that tests start compiles the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint format docs bench guests lock clean

demo: $(READY)
	$(BIN)/wippywasm engines
	$(BIN)/wippywasm -C examples/demo run demo

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mkdocs build

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# docs/ as a site in build/site; a link that leads nowhere is an error.
docs: $(READY)
	$(BIN)/mkdocs build

bench: $(READY)
	$(BIN)/python -m tools.bench $(ARGS)

# Guests of languages whose binaries are not committed (needs node and npm); tests that need them are skipped without.
guests:
	$(PYTHON) -m tools.build_guests --large

# The environment is made without pip and filled from outside, so that a Debian python3 without its venv package does too.
$(READY): requirements.lock pyproject.toml
	rm -rf $(VENV)
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

# Resolve the lock anew (needs uv).
lock:
	uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --quiet --upgrade -o requirements.lock pyproject.toml requirements.in

clean:
	rm -rf .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
