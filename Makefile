# make run: install, index corpus/, serve the chat.   make test: install, check and test.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
BROWSERS = chromium-headless-shell chromium chromium-browser google-chrome

.PHONY: run test install browser format clean

run: $(VENV)/.installed
	$(BIN)/jiading-assistant ingest || [ $$? -eq 1 ]  # 1: some files were refused, the rest is indexed
	GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1 $(BIN)/jiading-assistant serve  # large pages, one heap: README, 大索引

test: $(VENV)/.installed-dev browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check assistant eval tests app.py
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile  # a file by one process: its server and browser are started once

install: $(VENV)/.installed

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format assistant eval tests app.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "需要 Python 3.11 或更新版本；请安装后再试，或用 make PYTHON=python3.12 指定"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.installed

# The page's tests need a Chromium; where there is none and it cannot be installed, they are skipped with that reason.
browser:
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && \
		{ apt-get install -y -qq chromium-headless-shell >/dev/null 2>&1 || apt-get install -y -qq chromium >/dev/null; }; \
	fi || echo "没有装上 Chromium，网页测试将跳过"

clean:
	rm -rf $(VENV) index build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
