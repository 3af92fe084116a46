# The commands of daily work. Each is a short script under scripts/, which says
# more. `make run` and `make test` bring what they need by themselves.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build run test bench bench-fleet people traps chaos examples screenshots uploads lighthouse lint fmt clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Bring the tools that are missing (quick when nothing is)
	@scripts/setup.sh

run: setup ## Build and run the studio at http://127.0.0.1:3000
	@scripts/build.sh
	@scripts/run.sh

test: setup ## Run all tests
	@scripts/test.sh

chaos: setup ## Run the chaos trials, about a quarter of an hour (docs/chaos.md)
	@scripts/chaos.sh

bench: setup ## Measure the engine with the built-in model
	@scripts/bench.sh

bench-fleet: setup ## Measure the dispatcher
	@scripts/bench-fleet.sh

people: setup ## Simulate people and bots against the limits, about six minutes (docs/limits.md)
	@scripts/people.sh

traps: setup ## Put known traps back and see the tests fail, about a quarter of an hour
	@scripts/traps.sh

examples: setup ## Draw the page's example pictures with the built-in model
	@scripts/build.sh native
	@source scripts/env.sh && "$$CARGO_TARGET_DIR/release/mindseye-worker" examples

screenshots: setup ## Take pictures of every page and state, to look at
	@scripts/build.sh
	@scripts/screenshots.sh

uploads: setup ## Send bombs, broken files and large photos to a studio and measure its answers
	@scripts/build.sh
	@scripts/uploads.sh

lighthouse: setup ## Measure the first page as a slow phone sees it
	@scripts/build.sh
	@scripts/lighthouse.sh

build: setup ## Build everything without running it
	@scripts/build.sh

lint: setup ## Check form, lints, scripts and licences
	@scripts/lint.sh

fmt: ## Put the code into form
	@source scripts/env.sh && cargo fmt --all

clean: ## Remove what was built (tools and the studio's data stay)
	@source scripts/env.sh && cargo clean && rm -rf "$$LEPTOS_SITE_ROOT" end2end/test-results end2end/playwright-report
