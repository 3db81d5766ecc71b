#!/usr/bin/env bash
# Runs every micro benchmark of the release build, one after the other. Usage: bench.sh [benchmark options]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh release
found=0
for program in build/release/bench/*; do
  [ -f "$program" ] && [ -x "$program" ] || continue
  found=1
  echo "== ${program##*/}"
  "$program" "$@"
done
[ "$found" = 1 ] || { echo "bench: no benchmark was built" >&2; exit 1; }
