#!/usr/bin/env bash
# Builds and runs the tests. Usage: test.sh fast|all|long
#   fast  the release build's tests
#   all   unit tests under ASan+UBSan, those of threads under TSan, then everything else on the release build
#   long  clang-tidy, a build without unity files, everything under ASan+UBSan, unit tests under TSan, the fuzzers, a thousand stopped
#         runs, then the release build's tests with those that `all` leaves out
# The release build comes last, so that the last lines are the full suite's: ctest's summary, and the skipped tests before it.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=${1:-all}

run_tests() {  # PRESET [ctest options]
  local preset=$1 at_once=$(nproc)
  shift
  # The release build's tests are mostly runs of the program, which wait for disks, servers and pauses.
  if [ "$preset" = release ]; then at_once=$((at_once + 1)); fi
  echo "== tests: $preset"
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --parallel "$at_once" \
    --output-junit "$PWD/build/$preset/tests.xml" --test-output-size-passed 10000000 "$@"
}

sanitized() {  # PRESET TARGETS [ctest options]
  local preset=$1 target=$2
  shift 2
  scripts/build.sh "$preset" $target
  run_tests "$preset" "$@"
}

release_targets=(all unit_tests)
release_tests=()
reports=(build/release/tests.xml)
case "$mode" in
  fast) ;;
  all)
    sanitized asan unit_tests --tests-regex '^unit\.'
    sanitized tsan thread_tests --label-regex threads
    release_targets=(all)
    release_tests=(--label-exclude '^unit$')
    reports+=(build/asan/tests.xml)
    ;;
  long)
    export MLPS_SWEEPS=1  # tests/integration/sweeps.py
    scripts/build.sh dev mlpstorage header_check  # without unity files, which proves that every file includes what it uses
    scripts/tidy.sh
    sanitized asan "all unit_tests"
    sanitized tsan unit_tests --tests-regex '^unit\.'
    scripts/fuzz.sh 300  # seconds for each
    ;;
  *) echo "usage: $0 fast|all|long" >&2; exit 2 ;;
esac
scripts/build.sh release "${release_targets[@]}"
if [ "$mode" = long ]; then
  echo "== runs that are told to stop at any moment: 1000 of checkpointing, 200 of training"
  MLPSTORAGE=$PWD/build/release/mlpstorage MLPS_TEST_TMP=$PWD/build/release/test-data python3 tests/integration/test_stops.py 1000 200
  echo "== try, stopped 100 times"
  MLPSTORAGE=$PWD/build/release/mlpstorage MLPS_TEST_TMP=$PWD/build/release/test-data python3 tests/integration/test_try.py 100
  echo "== vectors on OpenSearch"
  MLPSTORAGE=$PWD/build/release/mlpstorage MLPS_TEST_TMP=$PWD/build/release/test-data python3 tests/integration/test_opensearch.py
  echo "== packages, archive and image, in a bare Debian"
  python3 tests/integration/test_bare_debian.py
fi
run_tests release "${release_tests[@]}"
tests/skips.py tests/skips.txt "${reports[@]}"
