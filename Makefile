# Two commands do everything, set-up included:
#   make reproduce   data, networks, ablation, figures, tables, paper/main.pdf
#   make test        notebooks in sync, style, every library notebook without data and with what is there, the experiments at the smoke profile
PYTHON  ?= python3
VENV    ?= .venv
PROFILE ?= cpu
SEED    ?= 0
FACES   ?= 1000000
BIN     := $(VENV)/bin

.PHONY: help setup tools reproduce plan check test test-all soak bench sync sync-check lint docs lock audit sbom clean

help:
	@sed -n 's/^#   //p' Makefile
	@echo 'make plan        what make reproduce would run, with time, memory and data (PROFILE=gpu for the full scale)'
	@echo 'make check       the tables made again and compared with those published, nothing published: fails where a claim is gone (40 minutes on two cores; PROFILE=photo: the photographs, an hour)'
	@echo 'make test-all    the slow tests too: speed and memory bars, the face detector'
	@echo 'make soak        a million inputs over all readers and a hundred faults, counted in docs/reliability.md (about 40 minutes on two cores)'
	@echo 'make bench       speed and memory beside the bars that were set, in docs/benchmarks.md (half an hour on two cores, 11 GB of disk; FACES=100000: less)'
	@echo 'make sync        clean the notebooks and export the package'
	@echo 'make docs        the stored notebooks and the documentation as a site in _docs, without a network'
	@echo 'make lock        lock.txt again: every package that make setup installs, with its hashes (newer versions: UPGRADE=--upgrade)'
	@echo 'make audit       known holes in the locked packages; says so where it cannot ask (ADVISORIES=folder of pypa/advisory-database: without a network)'
	@echo 'make sbom        a list of the locked packages that other programs read (CycloneDX), in _docs/sbom.json'

setup: $(VENV)/.ready

# Compiled once: where Python may not write bytecode, as in many containers, every process would compile torch again, for 7 seconds.
# Nothing is resolved here: lock.txt names each package once, and every archive must have one of its hashes; uv, which installs it, too.
$(VENV)/.ready: pyproject.toml lock.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python %d.%d found, 3.11 or newer expected: make PYTHON=python3.11 …" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	@awk '/^[^ ]/ {take = /^uv==/} take' lock.txt > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement $(VENV)/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps --compile-bytecode --requirement lock.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

# dot draws the architecture, LaTeX makes the PDF. Root gets them through apt; anybody else is told, and goes on without.
tools:
	@missing=''; command -v dot >/dev/null || missing='graphviz'; \
	command -v pdflatex >/dev/null && command -v bibtex >/dev/null && kpsewhich booktabs.sty >/dev/null || missing="$$missing texlive-latex-base texlive-latex-recommended texlive-fonts-recommended"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing$$missing"; (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing) >/dev/null 2>&1 && exit 0; fi; \
	echo "missing: install $$missing (apt-get install $$missing, or conda install graphviz and a TeX distribution). Going on: what needs them is left out."

reproduce: setup tools
	$(BIN)/oaml reproduce --profile $(PROFILE)

plan: setup
	$(BIN)/oaml reproduce --profile $(PROFILE) --dry-run

check: setup
	$(BIN)/oaml check --profile $(PROFILE)

# Once as on a bare machine, with an empty folder for data; then, where there are data, the notebooks that look for them once more.
test: setup tools sync-check lint
	@empty=$$(mktemp -d) && trap 'rm -rf "$$empty"' EXIT && echo 'without data' && OAML_DATA="$$empty" $(BIN)/python -m pytest -n 2 --junitxml runs/tests.xml nbs
	@if data=$$($(BIN)/python -c 'import sys; from oaml.files import data_root; print(data_root()); sys.exit(data_root() is None)'); \
	then echo "with the data in $$data" && $(BIN)/python -m pytest -n 2 --only-data nbs; fi

test-all: setup tools sync-check lint
	OAML_SLOW=1 $(BIN)/python -m pytest nbs

soak: setup
	@$(BIN)/python nbs/tests/fuzzing.py --inputs 1000000 --seed $(SEED) --out paper/results/soak.json; bad=$$?; \
	$(BIN)/python nbs/tests/faults.py --count 100 --seed $(SEED) --out paper/results/faults.json || bad=1; \
	$(BIN)/python nbs/tests/reliability.py && exit $$bad

# A missed bar is a result: the table is made all the same.
bench: setup
	-$(BIN)/oaml bench --faces $(FACES) --out runs/bench
	cp runs/bench/bars.json paper/results/bars.json
	$(BIN)/python nbs/tests/bench_page.py

sync: setup
	$(BIN)/nbdev_clean
	find oaml -name '*.py' -delete && $(BIN)/nbdev_export  # profiles and weights in oaml/ are no export

# Clean and export into a copy; any difference to what is checked in is an error.
sync-check: setup
	@$(BIN)/python nbs/tests/sync_check.py

lint: setup
	$(BIN)/ruff check --quiet oaml nbs
	$(BIN)/ruff format --check --quiet nbs

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python nbs/tests/docs_site.py _docs

lock:
	UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet pyproject.toml --extra dev --group setup --universal --python-version 3.11 \
	  --generate-hashes --no-annotate $(UPGRADE) --output-file lock.txt

audit: setup
	@$(BIN)/python nbs/tests/audit.py lock.txt $(if $(ADVISORIES),--advisories $(ADVISORIES))

sbom: setup
	@mkdir -p _docs && $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --validate -o _docs/sbom.json lock.txt

clean:
	rm -rf $(VENV) runs _docs
