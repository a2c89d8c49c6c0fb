# From nothing but Python >= 3.11 and make to a running system. `make` alone lists the targets.
# PYTHON=/path/to/python3 chooses the interpreter; ARGS="…" goes to the command that a target calls.
# Written for GNU make 3.81 too, which is what macOS ships.

SHELL := /bin/sh
READY := .venv/ready
RUN := .venv/bin/python

# An environment that was moved or copied along with its folder has wrong paths inside: make it anew.
ifneq ($(wildcard $(READY)),)
ifneq ($(shell cat $(READY)),$(CURDIR))
$(shell rm -f $(READY))
endif
endif

.DEFAULT_GOAL := help
.PHONY: help demo test up lint bench mutants faults containers clean

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

demo: $(READY) ## the main job from end to end, checked, in under a minute
	@.venv/bin/relance demo $(ARGS)

up: $(READY) ## the whole system left running; Ctrl-C stops it and keeps the data
	@.venv/bin/relance up $(ARGS)

test: $(READY) ## every test, on real Kafka and PostgreSQL
	@$(RUN) -m pytest $(ARGS)

lint: $(READY) ## style, types, and who may import whom
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@.venv/bin/lint-imports

bench: $(READY) ## what it does a second and what that costs; ARGS="--quick", ARGS="--only relay"
	@$(RUN) -m benchmarks $(ARGS)

mutants: $(READY) ## break each rule and word of the rulebooks: does a scenario notice?
	@.venv/bin/relance mutants $(ARGS)

faults: $(READY) ## what faults do: kills, freezes, outages, full disks; a table
	@$(RUN) -m pytest -m long -q
	@$(RUN) -m tests.faults.run $(ARGS)

containers: $(READY) ## docker compose from the build to a message on the page; needs Docker
	@$(RUN) -m pytest tests/containers -m containers $(ARGS)

clean: ## stop what this checkout left running, forget its data and caches
	@if [ -x $(RUN) ]; then $(RUN) -m relance.stack.clean; fi
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	@find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

$(READY): pyproject.toml uv.lock deploy/bootstrap.sh
	@sh deploy/bootstrap.sh "$(PYTHON)"
