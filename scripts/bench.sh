#!/usr/bin/env bash
# Runs all benchmarks of the program itself: payload kernels, files of each format, client cost of an S3 PUT against a raw socket
# loop, direct writes and the whole program on files against fio, and the program on null://. Each prints its results beside
# their reference. Takes about ten minutes, and meanwhile 4 GiB of disk in build/bench.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh release
build=build/release
scratch=build/bench
mkdir -p "$scratch"
trap 'rm -rf "$scratch"' EXIT

echo "== payload: fill and verify per core"
"$build/bench/payload_bench"
echo "== formats: fill and verify of files per core"
"$build/bench/formats_bench"
echo "== S3: CPU of a PUT, ours against a raw socket loop"
"$build/bench/s3_session_cost"
for pages in huge small; do
  echo "== direct writes, ours ($pages pages) against fio"
  bench/direct/compare.py --pages "$pages" "$build/bench/direct_write" "$scratch"
done
echo "== the whole program on files, at its defaults, against fio"
bench/files/compare.py "$build/mlpstorage" "$scratch"
echo "== the program on null://"
bench/harness/null_scale.py "$build/mlpstorage"
echo "== two processes joined by MPI, against one, on null://"
bench/harness/hosts_null.py "$build/mlpstorage"

echo "== judging 10,000 run folders"
bench/judging/large_tree.py "$build/mlpstorage" "$scratch"
echo "== the training benchmark on null://"
bench/harness/training_null.py "$build/mlpstorage"
echo "== the training benchmark on files in memory"
bench/harness/training_tmpfs.py "$build/mlpstorage"
