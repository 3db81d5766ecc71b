#!/usr/bin/env python3
"""Two builds of the program side by side: what their I/O engines cost, in runs that alternate.

Usage: compare.py OLD NEW [--rounds N] [--folder FOLDER] [--case TEXT ...]

Cases: checkpoints on null:// (many small objects; few large ones without payload) and on files in FOLDER (default
/dev/shm), training on null:// and on files, and the generation of a data set. Every round runs OLD and NEW once per
case, each first in every other round. Prints for each case the medians of both, and the medians over rounds of the
ratios NEW / OLD: of throughput (more is better) and of processor time (less is better).
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile


def checkpointing(where, scale, writes, reads, *more):
    return ("whatif", "checkpointing", "run", "file", "--model", "llama3-8b", "--num-processes", "8",
            "--client-host-memory-in-gb", "16", "--checkpoint-folder", where, "--size-scale", str(scale),
            "--num-checkpoints-write", str(writes), "--num-checkpoints-read", str(reads), "--allow-invalid-params", *more,
            "--params", "checkpoint.time_between_checkpoints=0")


def training(what, where, files, length, *params):
    base = ("whatif", "training", "cosmoflow", what, "file", "--data-dir", where)
    if what == "run":
        base += ("--accelerator-type", "h100", "--num-accelerators", "2", "--client-host-memory-in-gb", "0.001")
    else:
        base += ("--num-processes", "2")
    return (*base, "--allow-invalid-params", "--params", f"dataset.num_files_train={files}",
            f"dataset.record_length_bytes={length}", "dataset.record_length_bytes_stdev=0", *params)


class Cases:
    def __init__(self, folder):
        self.data, self.generated, self.saved = (os.path.join(folder, name) for name in ("data", "generated", "saved"))
        # 32 samples are read ahead: the default of 8 would measure how threads are woken, 10 us apart.
        read = ("train.epochs=1", "reader.batch_size=4", "train.computation_time=0.00001", "reader.read_threads=4",
                "reader.prefetch_size=8")
        self.commands = {
            "checkpoints, null://, small objects": checkpointing("null://", 0.000001, 2000, 2000),
            "checkpoints, null://, large objects": checkpointing("null://", 1, 40, 40, "--payload", "none"),
            "checkpoints, null://, payload": checkpointing("null://", 0.02, 2, 2, "--verify"),
            "checkpoints, files": checkpointing(self.saved, 0.01, 2, 2),
            "training, null://": training("run", "null://", 2_000_000, 2048, *read),
            "training, small files": training("run", self.data, 40_000, 4096, *read),
            "data set, files": training("datagen", self.generated, 3000, 262144),
        }

    def clean(self):
        for path in (self.generated, self.saved):
            shutil.rmtree(path, ignore_errors=True)


def work_of(record):
    """Bytes, or for training samples, moved by a run, and the seconds that it took for them."""
    if "bytes_written" in record:
        return record["bytes_written"], record["seconds"]
    if "reading" in record:
        ranks = [rank for epoch in record["epochs"] for block in epoch["blocks"] for rank in block["ranks"]]
        return record["reading"]["extents"], max(rank["end_ns"] - rank["start_ns"] for rank in ranks) * 1e-9
    phases = [record[name] for name in ("write", "read") if record[name]]
    return sum(phase["bytes"] for phase in phases), sum(event["slowest_ns"] for event in record["events"]) * 1e-9


class Program:
    def __init__(self, path, folder):
        self.path = os.path.abspath(path)
        self.results = tempfile.mkdtemp(dir=folder)
        self.environment = dict(os.environ, HOME=self.results, XDG_CONFIG_HOME=self.results)
        subprocess.run([self.path, "init", "bench", self.results], check=True, stdout=subprocess.DEVNULL,
                       env=self.environment)

    def run(self, command):
        split = command.index("--params")
        words = [self.path, *command[:split], "--results-dir", self.results, "--systemname", "bench", "--quiet", "--json",
                 "--skip-fs-separation-gate", *command[split:]]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(words, stdout=out, stderr=err, env=self.environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            if process.returncode != 0:
                sys.exit(f"{' '.join(words)} ended with status {process.returncode}\n{err.read().decode()}")
            work, seconds = work_of(json.load(out))
        return {"throughput": work / max(seconds, 1e-9), "cpu_s": usage.ru_utime + usage.ru_stime}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", default="/dev/shm")
    parser.add_argument("--case", nargs="*", default=[""], help="only cases whose name contains one of these")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="mlpstorage-bench-", dir=options.folder)
    try:
        programs = {"old": Program(options.old, folder), "new": Program(options.new, folder)}
        cases = Cases(folder)
        chosen = {name: command for name, command in cases.commands.items() if any(text in name for text in options.case)}
        if "training, small files" in chosen:
            programs["old"].run(training("datagen", cases.data, 40_000, 4096))
        for name, command in chosen.items():
            runs = {"old": [], "new": []}
            for number in range(options.rounds):
                for which in ("old", "new") if number % 2 == 0 else ("new", "old"):
                    cases.clean()
                    runs[which].append(programs[which].run(command))
            print(name)
            for key in ("throughput", "cpu_s"):
                old, new = ([run[key] for run in runs[which]] for which in ("old", "new"))
                ratio = statistics.median(b / a for a, b in zip(old, new))
                print(f"  {key:10}  old {statistics.median(old):16,.3f}  new {statistics.median(new):16,.3f}  "
                      f"ratio {ratio:.3f}", flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
