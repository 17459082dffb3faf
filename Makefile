# Two commands to start with: `make report` and `make test`.
# PYTHON=python3.12 make test    uses another interpreter (3.11 or newer).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: report test lab lint lock clean help

help:
	@echo "make report   set up, run all reports on the bundled sample, name the page to open"
	@echo "make test     set up, run linters, type checker, import contracts and all tests"
	@echo "make lab      set up, open the notebooks in JupyterLab"
	@echo "make lint     linters, formatter, type checker and import contracts only"

report: $(READY)
	@$(BIN)/pushaway report build

test: $(READY) lint
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n logical --maxprocesses 4 --dist loadfile

lint: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lab: $(READY)
	@$(BIN)/jupyter lab --notebook-dir=notebooks

# Made anew when the lock or the project file changes; reused otherwise.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) (a few minutes, once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)

# Pin the newest versions that fit together, for every Python from 3.11 on.
lock:
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra test --extra odk --extra serve --extra postgres \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade \
	  pyproject.toml --output-file requirements.lock

clean:
	@rm -rf $(VENV) reports/_build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
