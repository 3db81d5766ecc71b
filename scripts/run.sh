#!/usr/bin/env bash
# Runs the main jobs at a small size: writes two checkpoints of Llama 3 8B, shrunk to about 1.1 GB each, reads them back and verifies
# every byte; then generates 2,048 RetinaNet images (0.66 GB) and reads them as one B200 would in training. Always removes the data
# at the end; the results stay in build/run/results.
set -euo pipefail
cd "$(dirname "$0")/.."
# Leaves the per-user file alone, in which `init` would make build/run/results the default of later commands.
export XDG_CONFIG_HOME=$PWD/build/run/config
program=build/release/mlpstorage
results=build/run/results
checkpoints=build/run/checkpoints
data=build/run/data
mkdir -p "$checkpoints"
trap 'rm -rf "$checkpoints" "$data"' EXIT

[ -e "$results/mlperf-results.yaml" ] || "$program" init my-organisation "$results" >/dev/null
"$program" whatif checkpointing run file \
  --model llama3-8b --num-processes 8 \
  --size-scale 0.01 --num-checkpoints-write 2 --num-checkpoints-read 2 \
  --params checkpoint.time_between_checkpoints=0 --verify \
  --checkpoint-folder "$checkpoints" \
  --results-dir "$results" --systemname this-machine --skip-fs-separation-gate
rm -rf "$checkpoints"

training=(--data-dir "$data" --results-dir "$results" --systemname this-machine --skip-fs-separation-gate --quiet
  --params dataset.num_files_train=2048)
"$program" whatif training retinanet datagen file --num-processes 1 "${training[@]}"
"$program" whatif training retinanet run file --accelerator-type b200 --num-accelerators 1 "${training[@]}" \
  train.epochs=2 --verify
