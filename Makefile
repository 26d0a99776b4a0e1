# Set-up, demonstration and tests. Needs Python 3.11 or newer, make, git and a package manager; the rest is installed here.

PYTHON ?= python3

RUN := .venv/bin/python
VPI := build/vpi/myhdl.vpi

# The stamp's name stands for the requirements and for the folder, since a virtual environment cannot be moved: a change of
# either sets up again, and a checkout that only touches files does not.
KEY := $(shell { pwd -P; cat setup.cfg pyproject.toml constraints.txt; } | cksum | cut -d ' ' -f 1)
STAMP := .venv/installed-$(KEY)

# program:Debian package. cc builds MyHDL's interface to Icarus; verilator lints, simulates; ghdl runs VHDL; yosys, z3 prove.
PROGRAMS := iverilog:iverilog verilator:verilator ghdl:ghdl yosys:yosys z3:z3 cc:build-essential
EXTRAS := dev,plots,cluster,board
DATASET := /usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz

# What the slow tests need beside: the report is opened in a browser.
test-all: PROGRAMS += chromium:chromium chromedriver:chromium-driver

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Each step of the set-up needs the one before; within the tests pytest uses all cores.
.NOTPARALLEL:
.PHONY: help setup demo test test-all lint prove mutate figures docs clean python system

help:  ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

setup: $(STAMP) $(VPI)  ## install all that is needed: system programs, .venv, MyHDL's interface to Icarus
	@echo "Ready: make demo, make test, .venv/bin/duospike --help"

demo: $(STAMP)  ## run two images through the small network in Icarus and compare every spike
	.venv/bin/duospike demo

test: $(STAMP) $(VPI)  ## run the quick tests
	$(RUN) -m pytest -n auto --dist loadgroup -m "not slow"

test-all: $(STAMP) $(VPI) lint  ## run all tests, and the lint; fails if a measured figure in docs/ is old
	$(RUN) -m pytest -n auto --dist loadgroup

lint: $(STAMP)  ## check style and types of the Python code
	$(RUN) -m ruff check .
	$(RUN) -m mypy

prove: $(STAMP)  ## prove the blocks' stream rules, order and memories with yosys-smtbmc
	$(RUN) -m verification.prove

mutate: $(STAMP) $(VPI)  ## plant random faults in netlists of blocks and count those that the tests find
	$(RUN) -m verification.mutate

docs: $(STAMP)  ## build the site of docs/ to build/site; a broken link makes it fail
	$(RUN) -c 'import material' 2>/dev/null || $(RUN) -m pip install -c constraints.txt -e '.[docs]'
	$(RUN) -m mkdocs build --strict

figures: $(STAMP) $(VPI)  ## measure again what is old in docs/, on an idle machine; what takes hours is only named
	$(RUN) -m benchmarks.figures --renew

clean:  ## remove what is built, but not .venv and your runs
	rm -rf build runs/demo *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

python:
	@test -e $(STAMP) || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) is not; name one: make PYTHON=python3.12" >&2; exit 1; }

# Runs each time, which costs milliseconds, and does nothing where all is there: no network, no root.
system: python
	@programs=; packages=; \
	need() { programs="$$programs, $$1"; packages="$$packages $$2"; }; \
	for pair in $(PROGRAMS); do \
		command -v $${pair%%:*} >/dev/null || need $${pair%%:*} $${pair##*:}; \
	done; \
	test -e $(DATASET) || need "Fashion-MNIST ($(DATASET))" dataset-fashion-mnist; \
	test -e $(STAMP) || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || need "Python's venv" $(notdir $(PYTHON))-venv; \
	test -n "$$packages" || exit 0; \
	command -v apt-get >/dev/null || { echo "Install these, then run make again: $${programs#, }" >&2; exit 1; }; \
	root=; how=; \
	if test "$$(id -u)" != 0; then \
		root=sudo; how=", by sudo"; \
		command -v sudo >/dev/null || { echo "As root: apt-get install$$packages; then run make again" >&2; exit 1; }; \
	fi; \
	echo "Installing into this system with apt-get, as root$$how:$$packages"; \
	$$root apt-get update || echo "Going on with the lists of packages from before"; \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$packages

$(STAMP): | system
	@echo "Installing Python packages with pip into $(CURDIR)/.venv, as $$(id -un 2>/dev/null || id -u): duospike[$(EXTRAS)] of setup.cfg"
	$(RUN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(RUN) -m pip install -c constraints.txt -e '.[$(EXTRAS)]'
	rm -f .venv/installed-*
	touch $@

$(VPI): $(STAMP)
	rm -f $@
	$(RUN) -c 'from pathlib import Path; from duospike.cosim.block_simulation.icarus_cosimulation import build_vpi; build_vpi(Path("$(@D)"))'
