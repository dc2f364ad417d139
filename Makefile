# Two commands do everything on a fresh machine: `make demo` and `make test`.
# They need Python 3.11 or newer, make and a package registry; nothing is installed outside .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help lock demo test lint types wheel check install clean slow
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

install: $(STAMP) ## make .venv with the exact versions of constraints.txt

# uv is the fast way to install a locked set; plain pip is the fall-back.
$(STAMP): constraints.txt pyproject.toml
	@echo "==> making .venv and installing the locked set of packages (about a minute, only this once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.11"; rm -rf .venv; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null || true
	@if [ -x $(BIN)/uv ] && VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r constraints.txt; then :; \
	else echo "==> installing with pip"; $(BIN)/python -m pip install --quiet --require-hashes -r constraints.txt; fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

lock: $(STAMP) ## renew constraints.txt (exact versions with hashes, no registry named)
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev pyproject.toml -o constraints.txt

demo: $(STAMP) ## the main job on the sample data: records -> charts, baseline, comparison, model -> demo/report.html
	@echo "==> running the measurement plan of sample_data/"
	@$(BIN)/perfanalytics demo --folder demo

test: $(STAMP) ## run the tests (the long simulations in their small version)
	@echo "==> running the tests"
	@$(BIN)/python -m pytest -q -m "not slow"

slow: $(STAMP) ## run all tests, the long simulations too
	@$(BIN)/python -m pytest -q

lint: $(STAMP) ## style and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict
	@$(BIN)/mypy

wheel: $(STAMP) ## build the wheel, install it into an empty environment, run the demo from there
	@PYTHON=$(PYTHON) sh scripts/check_wheel

check: test lint types wheel ## all that CI runs

clean: ## remove the environment and what the demo wrote
	@rm -rf .venv demo dist build .mypy_cache .ruff_cache .pytest_cache
