#!/usr/bin/env python3
"""What several hosts cost before any storage does: 1,024 ranks on null://, as one process and as two joined by an MPI.
Usage: hosts_null.py PROGRAM [REPEATS]

The cases are interleaved. Both processes of a job are on this machine, so it is the protocol that is measured, not a
network. Prints of every run the time from the start of the command (of its launcher, where it has one) to the first
byte and to its end, and what a barrier of all ranks costs; then the medians, and their ratios to one process.
"""

import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RANKS = 1024
LAUNCHERS = {
    "one process": [],
    "2 processes, Open MPI": ["mpirun.openmpi", "-q", "--oversubscribe", "--bind-to", "none", "-n", "2"],
    "2 processes, MPICH": ["mpirun.mpich", "-n", "2"],
}


def measure(launcher, program, results):
    if launcher and "openmpi" in launcher[0] and os.geteuid() == 0:
        launcher = [launcher[0], "--allow-run-as-root", *launcher[1:]]
    command = [*launcher, program, "whatif", "checkpointing", "run", "file", "--model", "llama3-1t", "--num-processes",
               str(RANKS), "--client-host-memory-in-gb", "16", "--checkpoint-folder", "null://", "--payload", "none",
               "--num-checkpoints-write", "1", "--num-checkpoints-read", "1",
               "--params", "checkpoint.time_between_checkpoints=0", "--results-dir", results, "--systemname", "bench",
               "--quiet", "--json"]
    started_at, started = time.time(), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    wall = time.monotonic() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}\n{done.stderr}")
    clock = json.loads(done.stdout)["time"]
    # The program counts from its own start; what the launcher took before comes on top.
    launched = datetime.datetime.fromisoformat(clock["invocation_start_utc"]).timestamp() - started_at
    return {"first_byte_s": launched + clock["first_byte_s"], "wall_s": wall,
            "barrier_ms": clock["barrier_cost_s"] * 1e3}


def main():
    program, repeats = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    cases = {name: words for name, words in LAUNCHERS.items() if not words or shutil.which(words[0])}
    rows = {name: [] for name in cases}
    with tempfile.TemporaryDirectory() as folder:
        results = os.path.join(folder, "results")
        os.environ["XDG_CONFIG_HOME"] = folder
        subprocess.run([program, "init", "bench", results], check=True, stdout=subprocess.DEVNULL)
        for _ in range(repeats):
            for name, launcher in cases.items():
                rows[name].append(measure(launcher, program, results))
    alone = {key: statistics.median(run[key] for run in rows["one process"]) for key in rows["one process"][0]}
    for name, runs in rows.items():
        print(f"{name}, {RANKS:,} ranks")
        for run in runs:
            print("  " + "  ".join(f"{key} {value:8.3f}" for key, value in run.items()))
        medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print("  median  " + "  ".join(f"{key} {value:.3f} (x {value / alone[key]:.2f})" for key, value in medians.items()))


if __name__ == "__main__":
    main()
