#!/usr/bin/env bash
# clang-tidy over src/; every check of .clang-tidy is an error. Usage: tidy.sh [REGEX of paths, default all of src/]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh dev mlpstorage  # generated sources, and the compile commands of single files (other presets compile several as one)
log=build/tidy.log
if ! run-clang-tidy -quiet -p build/dev -j "$(nproc)" -extra-arg=-Wno-unknown-warning-option "${1:-$PWD/src/}" >"$log" 2>&1; then
  grep -vE '^clang-tidy|warnings? (generated|suppressed)|^Suppressed|^Use -header-filter|^$' "$log" >&2
  exit 1
fi
files=$(grep -c '^clang-tidy' "$log" || true)
[ "$files" -gt 0 ] || { echo "clang-tidy: no file matches ${1:-src/}" >&2; exit 1; }
echo "clang-tidy: nothing found in $files files"
