# make demo: install into .venv and run the whole pipeline on generated actions.
# make test: install into .venv and run every test.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test unit lint types bench clean

demo: $(STAMP)
	$(BIN)/infocpl demo --out runs/demo --overwrite

# Two processes with one thread each: threads of several processes that wait for each other on few
# cores cost more than they bring.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

unit: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "not integration and not fuzz"

lint: $(STAMP)
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/codespell src tests docs benchmarks README.md CHANGELOG.md CONTRIBUTING.md
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python benchmarks/encoder_throughput.py
	$(BIN)/python benchmarks/alignment_step.py
	$(BIN)/python benchmarks/scoring.py
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/measure_quality.py
	$(BIN)/python benchmarks/projection.py
	$(BIN)/python benchmarks/ntu_reader.py
	$(BIN)/python benchmarks/open_collections.py
	$(BIN)/python benchmarks/text_encoding.py
	$(BIN)/python benchmarks/file_readers.py

clean:
	rm -rf $(VENV) runs build dist

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $(STAMP)
