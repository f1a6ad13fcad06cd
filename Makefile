# `make demo` and `make test` are all a newcomer needs; each sets itself up.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 3000
# the one package that is published as source only (pure Python, needed by extruct)
SOURCE_ONLY := jstyleson

.DEFAULT_GOAL := help
.PHONY: help demo test test-postgres lint format bench bench-rival quality fuzz fuzz-guided faults simulate coverage messages setup setup-dev browser-test browser requirements sbom audit golden clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.installed  ## create .venv from the hashed requirements.txt
setup-dev: .venv/.installed-dev

demo: setup  ## the whole product on this machine, no account: prints one address
	@$(BIN)/python -m bot demo --port $(PORT)

test: setup-dev  ## every test but the browser's
	$(BIN)/python -m pytest -m "not browser" -n auto --maxprocesses 4 --dist worksteal

test-postgres: setup-dev  ## the same tests on a real Postgres, which they start themselves
	TEST_DATABASE=postgres $(BIN)/python -m pytest -m "not browser" -n auto --maxprocesses 4 --dist worksteal

browser-test: setup-dev browser  ## the page in a real Chromium
	$(BIN)/python -m pytest -m browser tests/browser -n auto --maxprocesses 2 --dist load

lint: setup-dev  ## ruff and strict mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev  ## CPU and memory, as ratios measured side by side
	$(BIN)/python -m tests.bench

bench-rival: setup-dev .venv-rival/.installed  ## beside clip-retrieval, which gets an environment of its own (5 GB)
	$(BIN)/python -m tests.bench.rival

quality: setup-dev  ## how good the answers are: figures, and the misses as pictures
	$(BIN)/python -m tests.quality

fuzz: setup-dev  ## the API under twenty thousand random requests and forms and ten thousand damaged pictures
	FUZZ_EXAMPLES=1500 FUZZ_PICTURES=10000 $(BIN)/python -m pytest tests/insights/test_fuzz.py -n auto --maxprocesses 4 --dist worksteal

fuzz-guided: setup-dev  ## the parsers of what strangers send, by a fuzzer that watches the branches taken (Linux)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet atheris
	$(BIN)/python -m tests.guided

faults: setup-dev  ## ten minutes of kill -9 and refusals under load: nothing lost, nothing doubled
	$(BIN)/python -m tests.faults

simulate: setup-dev  ## how many cores and how much memory, from 1 to 1,000 workspaces and to a billion pictures
	$(BIN)/python -m tests.simulate

COVERED := bot/fetch.py,bot/slack/web.py,bot/slack/mrkdwn.py,bot/slack/values.py,bot/vault.py,bot/pixels.py,bot/child.py
coverage: setup-dev  ## every branch of what stands between us and strangers
	$(BIN)/python -m coverage run --branch --include=$(COVERED) --data-file=.venv/coverage -m pytest tests/test_fetch.py tests/slack \
		tests/test_vault.py tests/test_pixels.py tests/test_images.py tests/insights/test_importing.py tests/scenarios/test_installing.py
	$(BIN)/python -m coverage report --data-file=.venv/coverage --show-missing --fail-under=100

golden: setup-dev  ## write the cards' golden files again; look at the diff
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/slack

messages: setup-dev  ## bring the texts of the code into the translations; fill in what is empty
	$(BIN)/pybabel -q extract -k tr -k trn:1,2 -k marked --no-location --no-wrap -o $(BIN)/messages.pot bot
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --no-wrap -i $(BIN)/messages.pot -d bot/locale

requirements: setup-dev  ## compile the pinned files again
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra otel --extra s3 --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --output-file requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --output-file requirements-dev.txt

sbom: setup-dev  ## what a release is made of, as CycloneDX: dist/sbom.json
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --output-file dist/sbom.json

audit: setup  ## known vulnerabilities in what is pinned; asks the public database of advisories
	@$(PYTHON) -m venv .venv-audit && .venv-audit/bin/python -m pip install --disable-pip-version-check --quiet pip-audit
	.venv-audit/bin/pip-audit --require-hashes --disable-pip --requirement requirements.txt

browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || \
		{ echo "Installing Chromium (Debian)…"; apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
		{ echo "The browser test needs Chromium: install the package 'chromium' and run it again." >&2; exit 1; }

clean:
	rm -rf .venv .venv-rival .venv-audit build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Image Insights needs Python 3.11 or newer. Try: make PYTHON=python3.12 demo" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv" >&2; rm -rf .venv; exit 1; }

# pip says "Collecting" once a package; the last line of its output tells what went wrong
define install
	@rm -f .venv/failed
	@{ $(BIN)/python -m pip install --disable-pip-version-check --require-hashes --only-binary :all: --no-binary $(SOURCE_ONLY) -r $(1) 2>&1 || touch .venv/failed; } \
		| awk '/^Collecting/ { printf "\r  package %d", ++n; fflush() } /^Installing/ { printf "\r  unpacking   "; fflush() } \
			/^ERROR/ { print "\n" $$0 } END { printf "\r             \r" }'
	@test ! -e .venv/failed
	@touch $@
endef

.venv/.installed: requirements.txt | .venv/bin/python
	@echo "Setting up (once, about half a minute)…"
	$(call install,requirements.txt)

.venv-rival/.installed: tests/bench/rival.txt
	@echo "Setting up the rival (once, some minutes)…"
	@$(PYTHON) -m venv .venv-rival
	@.venv-rival/bin/python -m pip install --disable-pip-version-check --quiet -r $<
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed | .venv/bin/python
	@echo "Setting up the tools for tests (once)…"
	$(call install,requirements-dev.txt)
