#!/usr/bin/env bash
# Configures and builds a preset; ccache is used if present. Usage: build.sh PRESET [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true  # so that clones in different folders share their work
fi
cmake --preset "$preset" --log-level=NOTICE
cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"}
