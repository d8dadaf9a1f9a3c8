# For a fresh machine with Python 3.11 and make: `make demo`, `make test` and `make docs`.
PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-web docs serve clean

demo: .venv/use.stamp
	$(PY) use.py examples/grace_hopper.jpg examples/eileen_collins.png --out demo
	@echo "The annotated pictures lie in demo/"

test: .venv/dev.stamp
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	$(PY) -m pytest --ignore=tests/browser --numprocesses 2 --dist loadfile

# The page in a real browser: Debian's Chromium, installed where it is missing and apt is there.
test-web: .venv/dev.stamp
	@test -x /usr/bin/chromium || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null) \
		|| (echo "Expected Chromium at /usr/bin/chromium: install the package chromium." && false)
	$(PY) -m pytest tests/browser

# Guides and API reference. Any warning fails, a broken link or anchor among them; nothing is fetched.
docs: .venv/docs.stamp
	rm -rf site
	$(PY) -m sphinx --quiet --fail-on-warning --keep-going --fresh-env --jobs auto --doctree-dir build/doctrees docs site
	@echo "The documentation begins at site/index.html"

serve: .venv/use.stamp
	$(PY) -m beauty_evaluate serve

.venv/use.stamp: requirements-use.txt | .venv/bin/python
	$(PIP) -r requirements-use.txt
	touch $@

.venv/dev.stamp: requirements-use.txt requirements.txt requirements-rivals.txt requirements-dev.txt | .venv/bin/python
	$(PIP) -r requirements-dev.txt
	touch $@ .venv/use.stamp

.venv/docs.stamp: requirements-docs.txt | .venv/bin/python
	$(PIP) -r requirements-docs.txt
	touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Expected Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv demo site
