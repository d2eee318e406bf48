# Targets are thin: the logic is in tests/tools/ and has tests of its own. `make help` lists them.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
VENV := .cache/venv
PY := $(VENV)/bin/python
GATES := $(PY) -m tools.gates
PLAYBOOK := $(VENV)/bin/ansible-playbook
LAB := $(PY) -m wstlab
export PYTHONPATH := $(CURDIR)/tests:$(CURDIR)/tests/lab
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo lab-up lab-down lab-status test test-quick unit pages report-time fuzz golden torture bench unit-windows lint audit sanity docs-lint docs build integration molecule matrix clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Everything that the other targets need (idempotent, quick when nothing changed)
	@$(PYTHON) tests/tools/setup_env.py

demo: setup ## Bring up the lab, seed it, run one backup over WinRM (again: a second backup)
	@$(PY) -m tools.demo

lab-up: setup ## Bring up the lab host and its database server
	@$(LAB) up

lab-down: setup ## Stop everything that the lab started
	@$(LAB) down

lab-status: setup ## Say what of the lab runs
	@$(LAB) status

test: setup ## Everything that CI runs, with a summary at the end
	@$(GATES) --all

test-quick: setup ## An answer within three minutes: ruff, mypy, layers, credentials, unit tests but the slow ones
	@$(GATES) --quick

unit: setup ## Unit tests (ARGS= narrows them)
	@$(PY) -m pytest $(or $(ARGS),tests/unit)

pages: setup ## Every page that we make, in all its states, into .cache/pages, to look at them (the gate pages proves them)
	@$(PY) -m tools.pages

report-time: setup ## How long the task compliance_report takes for 100 hosts with a year of runs
	@$(PY) -m tools.report_time

SECONDS ?= 300
fuzz: setup ## Mutated archives against the verification (SECONDS=, SEED= of an earlier run)
	@$(PY) -m tools.proof fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

N ?= 1000
golden: setup ## A golden artifact of the manifest's schema, when that gets a new version
	@PYTHONPATH=.cache/collections:tests $(PY) -m tools.golden

torture: setup ## Random faults over whole runs on a real server, and what must hold after each (N=, SEED= of an earlier run; EVERY=kill-all: that one everywhere)
	@$(PY) -m tools.torture $(if $(EVERY),--every $(EVERY),-n $(N)) $(if $(SEED),--seed $(SEED))

bench: setup ## Archive, verification and mirror beside zip, 7z and others: docs/benchmarks.md (QUICK=1: minutes, no page)
	@$(PY) -m tools.bench $(if $(QUICK),--quick,--write)

unit-windows: setup ## The unit tests of module_utils again, under the lab's Windows Python
	@$(GATES) unit-windows

lint: setup ## ruff, mypy, bandit, ansible-lint, layers, credentials
	@$(GATES) ruff mypy bandit ansible-lint layers credentials

audit: setup ## Known vulnerabilities of what is pinned and required (asks a database on the internet; not part of make test)
	@$(PY) -m tools.audit

sanity: setup ## ansible-test sanity on a copy of what is shipped
	@$(GATES) sanity

docs: setup ## Write the generated pages anew
	@$(PY) -m tools.generated --write

docs-lint: setup ## Documentation of the plugins, and generated pages are up to date
	@$(GATES) docs-lint docs-generated

build: setup ## Build the collection, install the result and list what it offers
	@$(GATES) build

integration: setup ## Playbooks against the lab, the world read back
	@$(GATES) integration-windows integration-network integration-posix

molecule: setup ## The molecule scenario
	@$(GATES) molecule

matrix: setup ## One backup under every ansible-core that this machine can run
	@$(GATES) core-matrix

clean: ## Stop the lab and remove everything made here but the downloads
	@if [ -x $(PY) ] && [ -d tests/lab/wstlab ]; then $(LAB) down; fi
	@find .cache -mindepth 1 -maxdepth 1 ! -name downloads -exec rm -rf {} +
	@rm -rf .lab .ansible .ruff_cache .hypothesis
