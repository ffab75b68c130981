# Two commands are enough: `make run` and `make test`.
VENV := .venv
PY   := $(VENV)/bin/python
W    := $(VENV)/bin/whetstone
# uv does not read pip's configuration; a mirror set there is honoured through this.
UV = export VIRTUAL_ENV=$(VENV); mirror=$${PIP_INDEX_URL:-$$($(VENV)/bin/pip config get global.index-url 2>/dev/null)}; \
	if [ -n "$$mirror" ]; then export UV_DEFAULT_INDEX="$$mirror"; fi; $(VENV)/bin/uv
HOST ?= 127.0.0.1
PORT ?= 8000
LLM  ?=

.PHONY: setup dev run test demo model check bench eval lock vectors teach clean

setup: $(VENV)/.setup
dev: $(VENV)/.dev

$(VENV)/bin/uv:
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check uv

$(VENV)/.setup: $(VENV)/bin/uv requirements.lock pyproject.toml
	@$(UV) pip install --quiet --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.setup requirements-dev.lock
	@$(UV) pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

run: setup
	$(W) serve --demo --host $(HOST) --port $(PORT) $(if $(LLM),--llm $(LLM))

demo: setup
	$(W) demo

model: setup
	$(W) model pull

test: dev
	$(VENV)/bin/pytest -n 2 --dist loadfile

check: dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: setup
	$(PY) -m evals.bench

eval: setup
	$(W) eval scripts
	$(W) eval understanding
	$(if $(DATA),$(W) eval retrieval --data $(DATA))

lock: $(VENV)/bin/uv
	@$(UV) pip compile -q --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal \
		pyproject.toml --extra dev -o requirements-dev.lock
	@$(UV) pip compile -q --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal \
		pyproject.toml requirements-build.in -c requirements-dev.lock -o requirements.lock

# After the library's texts or the embedding model have changed; a test says when.
vectors: setup
	$(PY) -c "from knowledge.embed import LocalEmbeddings, keep_vectors; from knowledge.index import embedded_texts; \
	from knowledge.shipped import load_library; keep_vectors(embedded_texts(load_library()), LocalEmbeddings())"

# After utterances or examples have changed.
teach: setup
	$(PY) -m evals.teach

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
