# Every target needs the environment that `make install` builds; `make` alone lists them.
.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
UV_COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: help install test fast lint types imports knowledge format constraints benchmark clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install:  ## build .venv with every pinned package and this checkout, editable
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r constraints-tests.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .

test:  ## run every test and every example of the documents
	$(BIN)/python -m pytest -n auto

fast:  ## run the tests that take seconds
	$(BIN)/python -m pytest -m "not slow"

lint:  ## check style and layout
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types:  ## check types
	$(BIN)/mypy

imports:  ## check the rooms
	$(BIN)/lint-imports

knowledge:  ## check that every number has a unit, a source and a way it was obtained
	$(BIN)/livingdrug check

format:  ## rewrite the layout
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

constraints:  ## resolve the newest versions again, with hashes and without addresses (needs uv)
	mkdir -p build
	echo "hatchling>=1.27" | $(UV_COMPILE) --extra report --extra web pyproject.toml - -o constraints.txt
	printf "hatchling>=1.27\neditables\n" | $(UV_COMPILE) --extra report --extra web --extra sdtm --extra dask --extra sensitivity --extra duckdb --extra learn --extra test --extra lint -c constraints.txt pyproject.toml - -o build/all.txt
	{ echo "-r constraints.txt"; awk 'NR==FNR {if (/==/) pinned[$$1]; next} /==/ {keep = !($$1 in pinned)} keep' \
		constraints.txt build/all.txt; } > constraints-tests.txt

benchmark:  ## time the engine against its peers
	$(BIN)/python benchmarks/engine.py --quick --json

clean:  ## remove what tools left behind
	rm -rf build dist out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
