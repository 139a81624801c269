# Three commands do everything on a machine with Python >= 3.11 and make: `make demo`, `make reproduce`, `make test`.
# The environment is made once, in .venv, and again only when the lock changes.

PYTHON ?= python3
VENV := .venv
ACTIVATE := . $(VENV)/bin/activate &&
PIP := $(VENV)/bin/pip
COMMAND := $(VENV)/commands/snakemake  # this project's own, first on an activated environment's PATH
ENVIRONMENT := $(VENV)/requirements.lock $(VENV)/pyproject.toml $(COMMAND)  # copies of what it was made from, and that

.PHONY: help demo reproduce verdict kept-report kept-runs report test test-slurm test-kills test-install check format docs bench push pull store compare watch lock environment

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##/\1:/p' $(MAKEFILE_LIST) | column -t -s :

reproduce: $(ENVIRONMENT)  ## from the downloads to paper/paper.pdf
	$(ACTIVATE) snakemake --cores all --resources gpu=1 all

demo: $(ENVIRONMENT)  ## a first look in a minute or two: a small competition, a figure and a page
	$(ACTIVATE) snakemake --cores 2 demo

verdict: $(ENVIRONMENT)  ## the runs that the claims ask for at our settings (10 or 20 seeds, 5 on images), then the report: an hour or more
	$(ACTIVATE) snakemake --cores all --resources gpu=1 verdict && snakemake --cores all --resources gpu=1 all

kept-runs: $(ENVIRONMENT)  ## adds runs, finished or not, to the tables in paper/verdict: make kept-runs RUNS="results/experiments/*-paper*/seed-*"
	$(ACTIVATE) competitive-mixtures keep-runs $(RUNS)

kept-report: $(ENVIRONMENT)  ## verdicts, figures, PDF and the numbers of the documents from the tables in paper/verdict
	$(ACTIVATE) competitive-mixtures rebuild-report

report: $(ENVIRONMENT)  ## report.html: figures, tables and verdicts to click through
	$(ACTIVATE) snakemake --report report.html

test: $(ENVIRONMENT)  ## all tests but the one that needs a Slurm cluster
	$(ACTIVATE) pytest -n auto --dist loadfile  # what a file's tests share is made once

test-slurm: $(ENVIRONMENT)  ## the tiny pipeline on a Slurm cluster of one node (root, Debian)
	$(ACTIVATE) RUN_SLURM_TESTS=1 pytest -m slurm

test-kills: $(ENVIRONMENT)  ## 50 kills at random moments of a tiny pipeline
	$(ACTIVATE) KILLS=50 pytest -n 0 tests/workflow/test_kills.py

test-install: $(ENVIRONMENT)  ## the wheel in a new environment, as pip installs it: 6 GB of disk for a moment
	$(ACTIVATE) RUN_INSTALL_TESTS=1 pytest -n 0 -m install tests/packaging

check: $(ENVIRONMENT)  ## lint, docstrings, format, types
	$(ACTIVATE) ruff check . && ruff format --check .
	$(ACTIVATE) snakefmt --check Snakefile workflow
	$(ACTIVATE) mypy

format: $(ENVIRONMENT)  ## formats all code in place
	$(ACTIVATE) ruff check --fix . && ruff format . && snakefmt Snakefile workflow

docs: $(ENVIRONMENT)  ## the documentation as a site, from site/index.html on; needs no network
	rm -rf site
	$(ACTIVATE) sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -d build/doctrees docs site

bench: $(ENVIRONMENT)  ## side-by-side timings into results/bench.csv, see docs/benchmarks.md
	$(ACTIVATE) OMP_NUM_THREADS=1 python benchmarks

push: $(ENVIRONMENT) store  ## stores data and results in the DVC remote (docs/storage.md); commit dvc.lock afterwards
	$(ACTIVATE) snakemake configure && dvc repro && dvc push

pull: $(ENVIRONMENT) store  ## fetches data and results from the DVC remote; nothing has to run after it
	@test -f dvc.lock || { echo "error: dvc.lock is missing, which names what is stored: 'make push' writes it where the" \
	    "results are; commit it there" >&2; exit 1; }
	@$(ACTIVATE) ! dvc status --cloud results/plan.json | grep -q "missing:" || { echo "error: the store" \
	    "$$(dvc remote list | tr '[:space:]' ' ')has nothing of what this commit's dvc.lock names: run 'make push' where" \
	    "the results are, or name the store that they were pushed to" >&2; exit 1; }
	$(ACTIVATE) dvc pull && (dvc status -q || (dvc status; exit 1)) && \
	    snakemake --touch --forceall --quiet all -- all

store: $(ENVIRONMENT)
	@$(ACTIVATE) test -n "$$(dvc remote list)" || { echo "error: no store of results is named, and none is published:" \
	    "make your own results with 'make reproduce', or name a store (a folder, s3://..., ssh://...):" \
	    "dvc remote add --default store <where>" >&2; exit 1; }

compare: $(ENVIRONMENT)  ## what changed since the last commit: numbers, scores, curves and figures
	$(ACTIVATE) dvc params diff && dvc metrics diff && dvc plots diff

environment: $(ENVIRONMENT)  ## only the environment

watch: $(ENVIRONMENT)  ## a running pipeline: experiment, seed, round, churn, objective, time left
	$(ACTIVATE) python -m competitive_mixtures.pipeline.watch

lock:  ## resolves the dependencies anew, by the environment's uv or another one
	PATH="$(VENV)/bin:$$PATH" uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate --output-file requirements.lock pyproject.toml

# uv takes a quarter of pip's time. It reads nothing of pip's configuration: the index that pip would take is passed on, and
# where that has more to say of the way to it, or uv fails, pip installs.
INSTALL_BY_UV = pip=$$($(PIP) config list) && \
	! echo "$$pip" | grep -Eq '\.(no-index|proxy|trusted-host|client-cert)=' && \
	awk '/^[^ ]/ { is_uv = /^uv==/ } is_uv' requirements.lock > $(VENV)/uv.lock && \
	$(PIP) install --quiet --no-compile --require-hashes -r $(VENV)/uv.lock && \
	UV_DEFAULT_INDEX=$$(echo "$$pip" | sed -n "$(INDEX)" | sort | head -n 1 | cut -c 3-) \
	    $(VENV)/bin/uv pip install --quiet --require-hashes --system-certs --cache-dir $(VENV)/uv-cache \
	    --python $(VENV)/bin/python -r requirements.lock && \
	rm -rf $(VENV)/uv-cache
INDEX = s/^:env:\.index-url='\(.*\)'$$/1 \1/p; s/^install\.index-url='\(.*\)'$$/2 \1/p; s/^global\.index-url='\(.*\)'$$/3 \1/p
INSTALL_BY_PIP = { echo "note: pip installs the environment, which takes a few minutes; uv cannot here" >&2; \
	rm -rf $(VENV)/uv-cache; $(PIP) install --quiet --no-compile --require-hashes -r requirements.lock; }

$(VENV)/requirements.lock: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed; name one: make PYTHON=python3.12 ...")'
	cmp -s $< $@ || ($(PYTHON) -m venv --clear $(VENV) && ($(INSTALL_BY_UV) || $(INSTALL_BY_PIP)))
	cp $< $@

$(VENV)/pyproject.toml: pyproject.toml $(VENV)/requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	$(VENV)/bin/python -m competitive_mixtures.launch.byte_code  # pip's own, of all files, takes 3 times as long
	cp $< $@

# a reinstalled Snakemake leaves its command in bin, younger than ours
$(COMMAND): src/competitive_mixtures/launch/activation.py $(VENV)/pyproject.toml $(wildcard $(VENV)/bin/snakemake)
	$(VENV)/bin/python -m competitive_mixtures.launch.activation
