# `make` alone lists what there is to do. Each target sets up what it needs first.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell command -v $(name) >/dev/null 2>&1 && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))) python3)
CONFIG ?= config/lab.yaml
ENVIRONMENT ?=
CONTEXT = --context config=$(CONFIG) $(if $(ENVIRONMENT),--context environment=$(ENVIRONMENT))

BIN := $(CURDIR)/.venv/bin
CDK := $(CURDIR)/node_modules/.bin/cdk
export PATH := $(BIN):$(PATH)
# Another environment that happens to be active is none of ours.
# Bytecode is kept: reading the sources of moto and the CDK anew takes longer than most commands.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup lab test clients fuzz lint format synth review deploy destroy schema reference bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

setup: ## install what the project needs into .venv and node_modules (done by itself where it is due)
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "set-up: no Python found; install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) .ci/set_up.py

lab: setup ## run the whole patching lab on a local AWS: no account, nothing left running
	@patchops lab workshop

test: setup ## run all tests
	@python -m tests.lab.aws.clients.install aws-cli custodian
	@pytest

clients: setup ## install the clients that the local AWS is tested with, also Prowler, which takes 1.5 GB
	@python -m tests.lab.aws.clients.install

fuzz: setup ## break 2,000 policies (NUMBER) and deploy what gets through; send 5,000 requests to the local AWS
	@python -m tests.fuzz.deploy $(or $(NUMBER),2000) $(if $(SEED),--seed $(SEED))
	@python -m tests.fuzz.requests $(or $(NUMBER),5000) $(if $(SEED),--seed $(SEED))

lint: setup ## check style and types
	@ruff format --check --quiet . || { echo "lint: not formatted; run: make format" >&2; exit 1; }
	@ruff check --quiet .
	@mypy .

format: setup ## format the code
	@ruff format .

synth: setup ## synthesize CONFIG to cdk.out, with cdk-nag and template validation as errors
	@$(CDK) synth --quiet $(CONTEXT)

deploy: setup ## deploy CONFIG to the account and Region of your credentials
	@$(CDK) deploy '**' $(CONTEXT)

destroy: setup ## destroy what deploy made; asks first, and empties the output bucket if it is not kept
	@patchops before-destroy $(CONFIG) $(if $(ENVIRONMENT),--environment $(ENVIRONMENT)) $(if $(YES),--yes)
	@CDK_VALIDATION=false $(CDK) destroy '**' --force $(CONTEXT)

review: setup ## write build/review.html of CONFIG, and what changes AGAINST a commit or cloud assembly
	@patchops review --config $(CONFIG) $(if $(ENVIRONMENT),--environment $(ENVIRONMENT)) $(if $(AGAINST),--against $(AGAINST)) $(if $(NODES),--nodes $(NODES)) --html build/review.html

schema: setup ## write config/policy.schema.json, docs/review.schema.json and docs/output/ anew from their models
	@python -m patching.policy_schema > config/policy.schema.json
	@python -m review.schema > docs/review.schema.json
	@python -m cli.schemas

reference: setup ## write docs/policy.md anew from the policy's models and docs/example/policy.yaml
	@python -m patching.policy_reference > docs/policy.md

bench: setup ## measure synthesis, how patchops reads a fleet of 50,000 nodes, and months of fleets in the lab
	@python bench/synth.py
	@python bench/operate.py
	@python bench/month.py

lock: setup ## write requirements*.txt and package-lock.json anew from pyproject.toml and package.json
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group pyproject.toml:dev pyproject.toml -c requirements.txt -o requirements-dev.txt
	@for client in aws-cli custodian prowler; do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group pyproject.toml:client-$$client -o tests/lab/aws/clients/pins/$$client.txt; done
	@npm install --package-lock-only --no-fund --no-audit

clean: ## remove everything that was made, the set-up too
	@[ ! -x "$(BIN)/patchops" ] || "$(BIN)/patchops" lab down 2>/dev/null || true
	@rm -rf .venv node_modules build cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
