# make run    serve on http://$(HOST):$(PORT); sets everything up first: with PyTorch if this machine has a GPU of
#             NVIDIA or Apple, else without; TORCH=1 or TORCH=0 decides it
# make wheel  dist/pixelmend-*.whl with the built page in it; needs Node.js
# make torch  add PyTorch, for networks other than Compact and RRDBNet on a machine without such a GPU
# make test   everything that CI checks
# make test-full  the same with long loops: 20 rounds of kills instead of 4
# make drills  the faults that are injected into real processes, alone, with a table of what was lost
# make check  linters, types, layer contract
# make fuzz   give every reader of foreign bytes damaged ones for SECONDS (600); stops at a finding (tests/fuzz)
# make lock   compile requirements/*.in to pinned, hashed *.txt
# make lock-torch BACKEND=cu126  pin the hashes of another flavour of PyTorch
# make bench  speed beside its peers; CASES="png start" selects, QUICK=1 repeats less (benchmarks/)
# make verify-image  build the container image for real, drive it, and list its parts in dist/ (deploy/verify_image.sh)
# make bench-gpu  the same on an NVIDIA GPU; PYTHON=python3 names a Python that has PyTorch
HOST ?= 127.0.0.1
PORT ?= 8000

UV := .venv/bin/uv
# Tests start hundreds of processes. If the environment forbids to keep bytecode, each compiles all that it imports.
PYTEST := env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m pytest
INSTALL := $(UV) pip install --python .venv/bin/python

.PHONY: run torch web wheel usual-page test test-full drills check check-types check-style check-web fuzz lock lock-torch evaluate bench bench-gpu verify-image clean

# The checkout's own .env and config.yaml, if there are any and the environment names no others.
OWN_FILES = $(if $(wildcard .env),PIXELMEND_ENV_FILE=$${PIXELMEND_ENV_FILE-.env}) \
	$(if $(wildcard config.yaml),PIXELMEND_CONFIG=$${PIXELMEND_CONFIG-config.yaml})

# The page of `npm run dev` may ask this service too, unless the environment or a file says which origins may.
USER_FILES = $(or $(PIXELMEND_ENV_FILE),.env) $(or $(PIXELMEND_CONFIG),config.yaml) \
	$(addprefix $(or $(XDG_CONFIG_HOME),$(HOME)/.config)/pixelmend/,pixelmend.env config.yaml)
DEV_ORIGINS = $(if $(shell grep -lisE '^[^#]*cors_origins' $(USER_FILES)),,\
	PIXELMEND_CORS_ORIGINS=$${PIXELMEND_CORS_ORIGINS-http://localhost:5173,http://127.0.0.1:5173})

FLAVOUR := $(shell TORCH=$(TORCH) requirements/flavour.sh)
run: .venv/.$(or $(FLAVOUR),$(error TORCH is neither 1 nor 0)) web
	PIXELMEND_HOST=$(HOST) PIXELMEND_PORT=$(PORT) $(DEV_ORIGINS) $(OWN_FILES) .venv/bin/pixelmend serve

# The web app, if Node is found; a build that is newer than its sources stays, if it does what .env asks for.
web:
	@frontend/scripts/make.sh build

# For `pip install`. The page has to be in it: with CI set, a page that cannot be built is an error.
wheel: $(UV)
	CI=1 frontend/scripts/make.sh build
	rm -f dist/*.whl
	.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

# What every change has to pass, in some minutes. `test-full` has what takes longer: training, parity, quality, the Space,
# nginx, drills with real processes, the whole browser suite.
# Three at a time, since on two cores tests wait for something in a fifth of their time; beside them the linters and the page's
# unit tests. A browser beside them as well was no faster (7:05 minutes against 6:12 and 6:44).
# `make -n test` would run what names MAKE itself.
OTHER_MAKE := $(MAKE)
test:
	@$(MAKE) --no-print-directory --jobs=2 .venv/.dev usual-page
	@tests/side_by_side.sh "$(OTHER_MAKE) --no-print-directory check && frontend/scripts/make.sh units" \
		$(PYTEST) -n 3 --dist worksteal
	frontend/scripts/make.sh browser

test-full: check .venv-reference/.stamp .venv-spaces/.stamp .venv-cluster/.stamp
	$(PYTEST) -n 2 --dist worksteal --full
	frontend/scripts/make.sh units
	frontend/scripts/make.sh browser-full

# What the browser's tests see. It is made while Python's packages are installed.
usual-page:
	@frontend/scripts/make.sh usual

drills: .venv/.dev
	$(PYTEST) -m drill --drills --full

# Two at a time; what each printed comes in one piece.
check: .venv/.dev
	@$(MAKE) --no-print-directory --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) check-types check-style check-web

check-types:
	.venv/bin/mypy

check-style:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports --no-logo

check-web:
	frontend/scripts/make.sh check

SECONDS ?= 600
fuzz: .venv/.dev
	.venv/bin/python -W error -m tests.fuzz --seconds $(SECONDS)

WEIGHTS = backend/pixelmend/models/weights
evaluate: .venv/.dev
	.venv/bin/python -m training.evaluate $(WEIGHTS)/pixelmend-x4.safetensors
	.venv/bin/python -m training.evaluate $(WEIGHTS)/pixelmend-x4-clean.safetensors --noise 10
	.venv/bin/python -m training.evaluate $(WEIGHTS)/pixelmend-x2.safetensors

bench: .venv/.dev .venv-reference/.stamp
	.venv/bin/python -m benchmarks cpu $(CASES) $(if $(QUICK),--quick)

# No environment is made for it: a GPU machine may be out of reach of any index. A PYTHON that was named is
# taken, else the environment that is there.
BENCH_PYTHON = $(or $(PYTHON),$(wildcard .venv/bin/python),python3)
bench-gpu:
	PYTHONPATH="$(CURDIR)/backend:$$PYTHONPATH" "$(BENCH_PYTHON)" -m benchmarks gpu $(CASES) $(if $(QUICK),--quick)

$(UV): requirements/uv.txt
	@python=$$(requirements/python.sh "$(PYTHON)") && set -x && "$$python" -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

STARTED = 'import pixelmend.api.server, pixelmend.worker.process; from importlib.util import find_spec; \
	find_spec("openvino") and __import__("openvino")'

.venv/.base: $(UV) requirements/base.txt pyproject.toml
	$(INSTALL) --require-hashes -r requirements/base.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -c $(STARTED)  # writes bytecode: compiling takes longer than a start
	@touch $@

.venv/.runtime: .venv/.base requirements/runtime.txt
	$(INSTALL) --require-hashes -r requirements/runtime.txt
	@touch $@

torch: .venv/.runtime

.venv/.dev: .venv/.runtime requirements/dev.txt
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

.venv-reference/.stamp: $(UV) requirements/make_reference.sh requirements/reference.txt requirements/reference-sources.txt
	bash requirements/make_reference.sh $(UV) .venv-reference
	@touch $@

verify-image:
	deploy/verify_image.sh

.venv-spaces/.stamp: $(UV) requirements/spaces.txt
	$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-spaces
	$(UV) pip install --python .venv-spaces/bin/python --require-hashes -r requirements/spaces.txt
	@touch $@

# Ray weighs more than all else together, and the service must be the same without it.
.venv-cluster/.stamp: $(UV) requirements/cluster.txt
	$(UV) venv --quiet --allow-existing --python .venv/bin/python .venv-cluster
	$(UV) pip install --python .venv-cluster/bin/python --require-hashes -r requirements/cluster.txt
	echo "$(CURDIR)/backend" > "$$(.venv-cluster/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pixelmend.pth"
	@touch $@

# base, what containers may add to it, the cluster, and uv's setuptools, in the versions that runtime has. One version of
# a package for all versions of Python: what an installation has is what the tests had.
lock: $(UV)
	cd requirements && for group in runtime uv base dev reference spaces cluster s3 otel; do \
	  ../$(UV) pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	    $$(case $$group in uv|base|cluster|s3|otel) echo -c runtime.txt;; esac) \
	    $$(case $$group in base) echo video.in;; cluster) echo base.in video.in;; esac) \
    --no-emit-index-url --no-header $$group.in -o $$group.txt || exit 1; done

# The hashes of another flavour of PyTorch, from the index that has it, for deploy/install_requirements.sh.
lock-torch: $(UV)
	grep -E '^(torch|torchvision)==' requirements/runtime.txt | sed 's/ .*//' | $(UV) pip compile --quiet - \
	  --torch-backend $(BACKEND) --python-version 3.12 --python-platform linux --generate-hashes \
	  --no-emit-index-url --no-header -o requirements/torch-$(BACKEND).txt

clean:
	rm -rf .venv .venv-reference .venv-spaces .venv-cluster build dist *.egg-info
