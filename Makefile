# Two commands for a newcomer: `make run` and `make test`. Each installs what is missing, builds, and goes.
.DEFAULT_GOAL := help
.PHONY: help run build test test-fast test-long bench format check-format tidy clean setup setup-test

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

run: build ## two small checkpoints and a small training data set, written, read and verified here
	@scripts/run.sh

build: setup ## build/release/mlpstorage
	@scripts/build.sh release mlpstorage

test: setup setup-test ## every test: release build, and unit tests under ASan+UBSan and TSan
	@scripts/test.sh all

test-fast: setup setup-test ## every test on the release build only
	@scripts/test.sh fast

test-long: setup setup-test ## test, and clang-tidy and the integration tests under ASan+UBSan
	@scripts/test.sh long

bench: setup setup-test ## the micro benchmarks and side-by-side comparisons
	@scripts/bench.sh

format: setup-test ## clang-format every C++ file in place
	@scripts/format.sh

check-format: setup-test ## fail if a C++ file is not formatted
	@scripts/format.sh --check

tidy: setup setup-test ## clang-tidy over src/, every finding an error
	@scripts/tidy.sh

clean: ## remove build/
	rm -rf build

setup:
	@scripts/setup.sh build

setup-test:
	@scripts/setup.sh test
