#!/usr/bin/env bash
# Builds and runs the tests. Usage: test.sh fast|all|long
#   fast  the release build's tests
#   all   unit and fault tests under ASan+UBSan and under TSan, then everything on the release build
#   long  all, and the integration tests and clang-tidy too under ASan+UBSan
# The release build comes last, so that the last lines are the full suite's.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=${1:-all}

run_tests() {  # PRESET [ctest options]
  local preset=$1
  shift
  echo "== tests: $preset"
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "$@"
}

sanitized() {  # PRESET [ctest options]
  scripts/build.sh "$1"
  run_tests "$@"
}

case "$mode" in
  fast) ;;
  all)
    sanitized asan --tests-regex '^(unit|fault)\.' --parallel "$(nproc)"
    sanitized tsan --tests-regex '^(unit|fault)\.' --parallel "$(nproc)"
    ;;
  long)
    scripts/tidy.sh
    sanitized asan
    sanitized tsan --tests-regex '^(unit|fault)\.' --parallel "$(nproc)"
    ;;
  *) echo "usage: $0 fast|all|long" >&2; exit 2 ;;
esac
scripts/build.sh release
run_tests release --parallel "$(nproc)"
