#!/usr/bin/env bash
# Configures and builds a preset; ccache is used if present. Usage: build.sh PRESET [TARGET...]
# Shows one status line on a terminal, and nothing elsewhere; everything the build prints goes to build/PRESET/build.log, and the
# compiler's words are shown if it fails. If the first target ever built is `mlpstorage` alone, as in `make run`, the build is
# configured without tests and benchmarks, whose packages may be missing.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
folder=build/$preset
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true  # so that clones in different folders share their work
fi

note="compiling $preset; log: $folder/build.log"
options=(-DMLPS_TESTS=ON)
if [ "$*" = mlpstorage ]; then
  options=()
  if [ ! -e "$folder/CMakeCache.txt" ]; then
    options=(-DMLPS_TESTS=OFF)
    processor_minutes=4
    note="compiling mlpstorage, about $(((processor_minutes + $(nproc) - 1) / $(nproc))) min on $(nproc) cores; log: $folder/build.log"
  fi
fi
echo "$note" >&2
mkdir -p "$folder"
cmake --preset "$preset" --log-level=NOTICE "${options[@]}" >"$folder/build.log"

status_line() {  # shows Ninja's last line only
  awk '{ printf "\r\033[K%.78s", $0; fflush() } END { printf "\r\033[K" }' >&2
}
follow=cat
[ -t 2 ] && follow=status_line
if ! cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"} 2>&1 | tee "$folder/build.log" | $follow >/dev/null; then
  grep -vE '^\[[0-9]+/[0-9]+\]' "$folder/build.log" >&2
  exit 1
fi
