#!/usr/bin/env bash
# The main job on this machine, small: writes two checkpoints of Llama 3 8B shrunk to about 1.1 GB each, reads them back
# and verifies every byte. The data are removed at the end, however it ends; the results stay in build/run/results.
set -euo pipefail
cd "$(dirname "$0")/.."
# The per-user file stays as it is: `init` would make build/run/results the default of later commands.
export XDG_CONFIG_HOME=$PWD/build/run/config
program=build/release/mlpstorage
results=build/run/results
checkpoints=build/run/checkpoints
mkdir -p "$checkpoints"
trap 'rm -rf "$checkpoints"' EXIT

[ -e "$results/mlperf-results.yaml" ] || "$program" init my-organisation "$results" >/dev/null
"$program" whatif checkpointing run file \
  --model llama3-8b --num-processes 8 \
  --size-scale 0.01 --num-checkpoints-write 2 --num-checkpoints-read 2 \
  --params checkpoint.time_between_checkpoints=0 --verify \
  --checkpoint-folder "$checkpoints" \
  --results-dir "$results" --systemname this-machine --skip-fs-separation-gate "$@"
