# Everything a newcomer or a maintainer types. All of it works on a fresh Debian 12 with make, git and python3-venv.
VENV   ?= .venv
PYTHON ?= python3
BIN    := $(VENV)/bin
PROTOS := $(sort $(notdir $(wildcard proto/mpcd/v1/*.proto)))

.PHONY: help demo test check bench lock proto clean
help:
	@echo "make demo    set up and run a sealed-bid auction between real daemons on this machine"
	@echo "make test    set up and run all tests"
	@echo "make check   format, lint, types, import contracts, tests"
	@echo "make bench   benchmarks beside MPyC"
	@echo "make proto   regenerate mpcd/_pb from proto/ (a test compares it with what is committed)"
	@echo "make lock    renew the lock files"

demo: $(VENV)/.run
	@$(BIN)/mpcd demo auction

test: $(VENV)/.dev
	@deploy/need systemd-analyze:systemd docker-compose:docker-compose ip:iproute2 strace:strace
	@$(BIN)/python -m pytest -n 2 -m "not e2e"
	@$(BIN)/python -m pytest -m e2e  # real daemons with real deadlines: one cluster at a time

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.run

# What is installed is what the lock files name, hash by hash; the package itself is installed editable.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mpcd needs Python 3.11 or newer"; exit 3; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || deploy/need :python3-venv
	@$(PYTHON) -m venv $(VENV)

PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing mpcd into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "installing the developers' tools ..."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

COMPILE = $(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11
lock: $(VENV)/.dev
	$(COMPILE) --extra build -o requirements.lock pyproject.toml
	$(COMPILE) --extra build --extra dev --extra bench -c requirements.lock -o requirements-dev.lock pyproject.toml

proto: $(VENV)/.dev
	$(BIN)/python -m grpc_tools.protoc -Impcd/_pb/v1=proto/mpcd/v1 --python_out=. --pyi_out=. \
		--grpc_python_out=. $(addprefix mpcd/_pb/v1/,$(PROTOS))

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
