# All commands for contributors. They need make and Python 3.11 or newer, and nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
LOCKS = requirements
PACKAGES = shared packages/langchain_openrouter_rerank packages/llamaindex_openrouter_rerank
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate $(UPGRADE) $(foreach name,openrouter-rerank \
	langchain-openrouter-rerank llamaindex-openrouter-rerank,--no-emit-package $(name))

# The many processes of the tests compile what they import once, and not each again.
unexport PYTHONDONTWRITEBYTECODE

# All tests run in several processes. Each process imports everything, so a few tests are faster in one.
PARALLEL = --numprocesses=auto --dist=worksteal

# The own tests of the pure modules, which are listed in pyproject.toml (`tool.coverage.report.include`).
PURE_TESTS = tests/core tests/wire tests/call tests/transport/test_http11.py \
	tests/transport/test_tunnel.py tests/transport/test_no_proxy.py \
	tests/score_cache/test_*scores.py tests/score_cache/test_recent_names.py \
	tests/reranker/test_passages.py tests/reranker/test_placement.py \
	tests/reranker/test_refused_documents.py \
	tests/reranker/test_situations.py tests/langchain/test_argument_errors.py \
	tests/langchain/test_convert*.py tests/langchain/test_json_list.py \
	tests/llamaindex/test_convert*.py tests/docs/test_models.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: | announce-demo $(VENV)/installed-demo ## Rerank real passages in both frameworks; QUESTION="..." sets the question
	@$(BIN)/openrouter-rerank demo $${QUESTION:+"$$QUESTION"}

.PHONY: announce-demo
announce-demo:
	@test -e $(VENV)/installed-demo || echo "Installing into $(VENV), which takes about a minute"

.PHONY: test
test: $(VENV)/installed-test ## Run the tests; TESTS="tests/wire -k response" runs some
	$(BIN)/python -m pytest $(or $(TESTS),$(PARALLEL))

.PHONY: sdks
sdks: .venv-sdk-0/ready .venv-sdk-1/ready .venv-migrate/ready ## Install the packages of others that some tests need

.PHONY: check
check: lint types coverage licences wheels docs ## Check style, types, coverage, lock files, licences, wheels and the site

.PHONY: coverage
coverage: $(VENV)/installed-check ## Check that the pure modules' own tests reach every branch
	$(BIN)/coverage run -m pytest -qq --hypothesis-profile=coverage $(PURE_TESTS)
	$(BIN)/coverage report

.PHONY: mutants
mutants: $(VENV)/installed-check ## Change the pure modules; fail if their own tests notice less than 95 %
	$(BIN)/python -m tests.mutation $(if $(MODULES),--modules $(MODULES)) --every $(or $(EVERY),1) --tests $(PURE_TESTS)

.PHONY: lint
lint: $(VENV)/installed-check ## Check style, and that lock files contain no addresses
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	! grep -nE '(https?|file)://' requirements/*.txt benchmarks/requirements/*.txt

.PHONY: types
types: $(VENV)/installed-check ## Check types with mypy and basedpyright, which find different errors
	$(BIN)/mypy
	$(BIN)/basedpyright

.PHONY: wheels
wheels: $(VENV)/installed-check ## Build the wheels in dist/ and test them in empty environments
	$(BIN)/python -m pytest -m wheels tests/packaging

.PHONY: licences
licences: $(VENV)/installed-check ## List the licences of what users install; fail if one is unknown
	$(BIN)/python -m tests.packaging.licences

.PHONY: sbom
sbom: wheels $(VENV)/installed-release ## Write the bill of materials of what users install to build/
	$(BIN)/python -m venv --clear --without-pip build/runtime
	$(PIP) --python build/runtime install -qq --no-deps --require-hashes --requirement requirements/runtime.txt
	$(PIP) --python build/runtime install -qq --no-deps --no-index --find-links dist \
		openrouter-rerank langchain-openrouter-rerank llamaindex-openrouter-rerank
	$(BIN)/cyclonedx-py environment --output-reproducible --output-file build/sbom.cdx.json build/runtime
	$(BIN)/python -m pytest -m sbom tests/packaging

.PHONY: audit
audit: $(VENV)/installed-release ## Search what users install for known vulnerabilities
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement requirements/runtime.txt

.PHONY: retry-curve
retry-curve: $(VENV)/installed-test ## Simulate the retry budget for docs/explain/reliability.md
	$(BIN)/python -m benchmarks.retry_budget

BENCH = $(patsubst %,build/benchmarks/%/ready,clients transports adapters sdks)

.PHONY: bench
bench: $(BENCH) ## Compare our packages with peers in the main cases, for docs/explain/benchmarks.md
	build/benchmarks/clients/bin/python -m benchmarks

.PHONY: bench-full
bench-full: $(BENCH) ## Measure every client in every case, and plot how they scale
	build/benchmarks/clients/bin/python -m benchmarks --full

# At full size, a test may take longer than those of `make test`, which end when they seem to hang.
.PHONY: promises
promises: $(VENV)/installed-test ## Test the promises at full size, in some minutes
	FULL=1 $(BIN)/python -m pytest -o faulthandler_timeout=1200 \
		tests/promises tests/both_frameworks/test_same_promises.py \
		tests/evaluation/asking/test_kills.py tests/evaluation/analysis/test_chance.py

.PHONY: fuzz
fuzz: $(VENV)/installed-test ## Decode a million damaged responses; N=... sets the number
	$(BIN)/python -m tests.soak.fuzz --responses $(or $(N),1000000)

.PHONY: soak
soak: $(VENV)/installed-test ## Use all clients for an hour, with faults; MINUTES=... sets the time
	$(BIN)/python -W error -m tests.soak.soak --minutes $(or $(MINUTES),60)

.PHONY: test-lowest
test-lowest: sdks ## Run the tests with the lowest versions that the packages allow
	$(MAKE) VENV=.venv-lowest .venv-lowest/installed-lowest
	.venv-lowest/bin/python -m pytest

.PHONY: fix
fix: $(VENV)/installed-check ## Fix style where a tool can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: lock
lock: $(VENV)/installed-check ## Update all lock files after a change of dependencies
	$(COMPILE) --group check --output-file requirements/check.txt
	$(COMPILE) --group test --constraints requirements/check.txt --output-file requirements/test.txt
	$(COMPILE) --group demo --constraints requirements/check.txt --output-file requirements/demo.txt
	$(COMPILE) --group release --constraints requirements/check.txt --output-file requirements/release.txt
	$(COMPILE) --group runtime --constraints requirements/check.txt --output-file requirements/runtime.txt
	echo 'openrouter<1' | $(COMPILE) - --output-file requirements/sdk-0.txt
	echo 'openrouter>=1' | $(COMPILE) - --output-file requirements/sdk-1.txt
	$(COMPILE) --group migrate --output-file requirements/migrate.txt
	$(COMPILE) --group lowest --resolution lowest-direct --output-file requirements/lowest.txt
	$(COMPILE) --group bench-clients --constraints requirements/check.txt --output-file benchmarks/requirements/clients.txt
	$(COMPILE) --group bench-transports --constraints requirements/check.txt --output-file benchmarks/requirements/transports.txt
	$(COMPILE) --group bench-adapters --output-file benchmarks/requirements/adapters.txt
	$(COMPILE) --group bench-sdks --output-file benchmarks/requirements/sdks.txt

.PHONY: upgrade
upgrade: ## Update all lock files to the newest versions
	$(MAKE) lock UPGRADE=--upgrade

.PHONY: docs
docs: $(VENV)/installed-check ## Build the documentation site in build/site, and test it in a browser
	$(BIN)/zensical build --clean --strict
	rm -rf build/site-before && cp -r build/site build/site-before
	$(BIN)/zensical build --clean --strict
	diff --recursive build/site-before build/site
	$(BIN)/python -m pytest -m site tests/docs/site

.PHONY: docs-full
docs-full: ## Build and test the site at every width and in both colour schemes
	FULL=1 $(MAKE) docs

.PHONY: docs-links
docs-links: $(VENV)/installed-check ## Open the links to other sites, which needs the Internet
	$(BIN)/python -m scripts.check_links

.PHONY: docs-serve
docs-serve: $(VENV)/installed-check ## Show the documentation site on this machine while you edit it
	$(BIN)/zensical serve

.PHONY: generate
generate: $(VENV)/installed-check ## Write the generated pages, and the descriptions of keywords
	$(BIN)/python -m scripts.generate
	$(BIN)/ruff format -q

.PHONY: compare-models
compare-models: $(VENV)/installed-demo ## Compare the built-in models with OpenRouter's list; fail if they differ
	$(BIN)/python -m scripts.compare_models

.PHONY: clean
clean: ## Remove environments, caches and builds
	rm -rf .venv* dist build .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer \
	is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

# Lock files are complete, so pip resolves nothing. Most installed modules are never imported, so none
# is compiled before its first import. The locked hatchling builds our packages.
$(VENV)/installed-%: $(LOCKS)/%.txt $(PACKAGES:=/pyproject.toml) | $(BIN)/python
	$(PIP) install -qq --no-deps --no-compile --require-hashes --requirement $<
	$(PIP) install -qq --no-deps --no-build-isolation $(PACKAGES:%=--editable ./%)
	@touch $@

# Not in the environment of the tests: langchain-openrouter excludes new versions of the SDK, and the
# packages that docs/migrate is about need 120 others.
.venv-sdk-0/ready .venv-sdk-1/ready .venv-migrate/ready: .venv-%/ready: requirements/%.txt | $(BIN)/python
	$(BIN)/python -m venv --clear .venv-$*
	$(PIP) --python .venv-$* install -qq --no-deps --require-hashes --requirement $<
	@touch $@

# Four environments, because the requirements of the peers exclude each other.
build/benchmarks/clients/ready build/benchmarks/transports/ready: build/benchmarks/%/ready: \
		benchmarks/requirements/%.txt $(PACKAGES:=/pyproject.toml)
	$(MAKE) VENV=build/benchmarks/$* LOCKS=benchmarks/requirements build/benchmarks/$*/installed-$*
	@touch $@

build/benchmarks/adapters/ready build/benchmarks/sdks/ready: build/benchmarks/%/ready: \
		benchmarks/requirements/%.txt | $(BIN)/python
	$(BIN)/python -m venv --clear build/benchmarks/$*
	$(PIP) --python build/benchmarks/$* install -qq --no-deps --require-hashes --requirement $<
	@touch $@
