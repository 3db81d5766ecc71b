#!/usr/bin/env bash
# Builds the fuzzers with Clang and runs each with libFuzzer for a while. Usage: fuzz.sh [SECONDS=30] [FUZZER...]
# What libFuzzer adds to the corpus stays in build/fuzz; an input that fails is named, and stays there, too.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
shift || true
scripts/setup.sh long
scripts/build.sh fuzz fuzzers
fuzzers=("$@")
[ $# -gt 0 ] || fuzzers=($(cd tests/fuzz/corpus && ls))
for name in "${fuzzers[@]}"; do
  limit=$seconds
  case $name in result_*) limit=$((2 * seconds)) ;; esac  # what judges others' files must not be led astray by them
  echo "== fuzz: $name, $limit s"
  mkdir -p "build/fuzz/corpus/$name"
  build/fuzz/fuzz/fuzz_"$name" -max_total_time="$limit" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/failed-$name-" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" 2>&1 |
    grep -E 'stat::number_of_executed_units|ERROR|SUMMARY|broken promise|Test unit written' || true
  [ "${PIPESTATUS[0]}" -eq 0 ]
done
