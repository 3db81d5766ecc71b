#!/usr/bin/env bash
# clang-format over every tracked C++ file. Usage: format.sh [--check]
set -euo pipefail
cd "$(dirname "$0")/.."
options=(-i)
[ "${1:-}" = --check ] && options=(--dry-run -Werror)
git ls-files -z '*.cpp' '*.hpp' | xargs -0 -r -P "$(nproc)" -n 16 clang-format "${options[@]}"
