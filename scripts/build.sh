#!/usr/bin/env bash
# Configures and builds a preset; ccache is used if present. Usage: build.sh PRESET [TARGET...]
# Shows one status line on a terminal; all that the compiler says goes to build/PRESET/build.log, and is shown when it fails.
# A fresh build of `mlpstorage` alone is configured without tests and benchmarks, so that it needs nothing for them.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
folder=build/$preset
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true  # so that clones in different folders share their work
fi

options=()
if [ "$*" != mlpstorage ]; then
  options=(-DMLPS_TESTS=ON)
elif [ ! -e "$folder/CMakeCache.txt" ]; then
  options=(-DMLPS_TESTS=OFF)
  echo "compiling mlpstorage, about $(((300 / $(nproc) + 59) / 60)) min on $(nproc) cores (log: $folder/build.log)" >&2
fi
cmake --preset "$preset" --log-level=NOTICE "${options[@]}" >&2

show=(cat)
[ -t 2 ] && show=(awk '/^\[[0-9]+\/[0-9]+\]/ { printf "\r\033[K%.78s", $0; fflush() } END { printf "\r\033[K" }')
if ! cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"} 2>&1 | tee "$folder/build.log" |
  if [ -t 2 ]; then "${show[@]}" >&2; else cat >/dev/null; fi; then
  grep -vE '^\[[0-9]+/[0-9]+\]' "$folder/build.log" >&2
  exit 1
fi
