#!/usr/bin/env python3
"""What the program itself costs: runs on null:// with nothing behind it. Usage: null_scale.py PROGRAM [REPEATS]

Two cases, interleaved: the largest plan of the rules (llama3-1t, 1,024 ranks, one checkpoint written and read, no
payload) and a small one (llama3-8b, 8 ranks). Prints every run's wall time, peak memory, time to the first byte and
CPU time, then the medians.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

CASES = {"llama3-1t, 1,024 ranks": ("llama3-1t", 1024), "llama3-8b, 8 ranks": ("llama3-8b", 8)}


def measure(program, results, model, processes):
    command = [program, "whatif", "checkpointing", "run", "file", "--model", model, "--num-processes", str(processes),
               "--client-host-memory-in-gb", "16", "--checkpoint-folder", "null://", "--payload", "none",
               "--num-checkpoints-write", "1", "--num-checkpoints-read", "1",
               "--params", "checkpoint.time_between_checkpoints=0", "--results-dir", results, "--systemname", "bench",
               "--quiet", "--json"]
    started = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        if status != 0:
            sys.exit(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}")
        out.seek(0)
        record = json.load(out)
    return {"wall_s": wall, "peak_mib": usage.ru_maxrss / 1024, "first_byte_s": record["time"]["first_byte_s"],
            "cpu_s": usage.ru_utime + usage.ru_stime}


def main():
    program, repeats = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    rows = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as folder:
        results = os.path.join(folder, "results")
        environment_home = os.environ.copy()
        environment_home["HOME"] = environment_home["XDG_CONFIG_HOME"] = folder
        subprocess.run([program, "init", "bench", results], check=True, stdout=subprocess.DEVNULL, env=environment_home)
        for _ in range(repeats):
            for name, (model, processes) in CASES.items():
                rows[name].append(measure(program, results, model, processes))
    for name, runs in rows.items():
        print(name)
        for run in runs:
            print("  " + "  ".join(f"{key} {value:8.3f}" for key, value in run.items()))
        print("  median  " + "  ".join(f"{key} {statistics.median(run[key] for run in runs):.3f}" for key in runs[0]))


if __name__ == "__main__":
    main()
