# Two commands for a newcomer: `make run` and `make test`. Each installs the packages it needs, builds and runs.
.DEFAULT_GOAL := help
.PHONY: help run build install package archive test test-fast test-long bench slowest format check-format tidy clean setup-run setup-build setup-static setup-test

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

run: setup-run ## two small checkpoints and a small training data set, written, read and verified here
	@scripts/build.sh release mlpstorage
	@scripts/run.sh

build: setup-build ## build/release/mlpstorage, and the plug-ins for MPI
	@scripts/build.sh release mlpstorage

install: setup-build ## the program, its manual page and completions into PREFIX (/usr/local), below DESTDIR if that is set
	@scripts/build.sh release mlpstorage
	@cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

package: setup-build ## Debian packages in build/packages: mlpstorage, and the plug-ins for MPI
	@scripts/build.sh release mlpstorage
	@cd build/release && cpack -G DEB

archive: setup-static ## build/packages/mlpstorage-VERSION-linux-ARCHITECTURE.tar.gz, which needs nothing but libc
	@scripts/archive.sh

test: setup-build setup-test ## every test: release build, and unit tests under ASan+UBSan and TSan
	@scripts/test.sh all

test-fast: setup-build setup-test ## every test on the release build only
	@scripts/test.sh fast

test-long: setup-build setup-test ## test, and clang-tidy and the integration tests under ASan+UBSan
	@scripts/test.sh long

bench: setup-build setup-test ## the micro benchmarks and side-by-side comparisons
	@scripts/bench.sh

slowest: ## the ten objects that took longest to compile, of every build under build/
	@scripts/slowest.sh

format: setup-test ## clang-format every C++ file in place
	@scripts/format.sh

check-format: setup-test ## fail if a C++ file is not formatted
	@scripts/format.sh --check

tidy: setup-build setup-test ## clang-tidy over src/, every finding an error
	@scripts/tidy.sh

clean: ## remove build/
	rm -rf build

setup-run setup-build setup-static setup-test:
	@scripts/setup.sh $(@:setup-%=%)
