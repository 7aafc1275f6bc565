# Two commands do everything on a machine with Rust and a CPython 3.11, 3.12 or 3.13:
#
#   make demo     build castiron into .venv, run programs plain and compiled side by side
#   make test     formatters, linters, Rust tests, pytest on each CPython, differential cases, demo, benchmark smoke
#
# make test-all adds the acceptance scripts and the long runs; make bench times everything.

VENV := .venv
PYTHON ?= $(shell python3 tools/interpreters.py --first)
SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find src pydecorators -name '*.rs' -o -name '*.py' -o -name '*.pyi')

.PHONY: demo test test-all bench clean

demo: $(VENV)/built
	$(VENV)/bin/python benches/run.py --demo

test: $(VENV)/tools
	$(VENV)/bin/nox --sessions interpreters lint rust foreign wheel tests pure demo smoke

test-all: test
	$(VENV)/bin/nox --sessions acceptance

bench: $(VENV)/built
	$(VENV)/bin/python benches/run.py --rivals
	$(VENV)/bin/python benches/bench_enforce.py
	cargo bench --bench compile

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/tools: $(VENV)/python
	$(VENV)/bin/pip install --quiet 'nox>=2026.10' 'maturin>=1.16,<2'
	touch $@

$(VENV)/built: $(VENV)/tools $(SOURCES)
	rm -rf $(VENV)/wheel
	$(VENV)/bin/maturin build --release --interpreter $(VENV)/bin/python --out $(VENV)/wheel
	$(VENV)/bin/pip install --quiet --force-reinstall --no-deps $(VENV)/wheel/*.whl
	touch $@

clean:
	rm -rf $(VENV) .nox .bench target
