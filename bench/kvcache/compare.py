#!/usr/bin/env python3
"""kvcache runs against fio with the same block sizes, depth, file sizes and mix: bytes moved per second of processor time.

Usage: compare.py MLPSTORAGE FOLDER [--rounds N] [--seconds S] [--users N]

compat: a file per entry, buffered, synced after it was written; its pages dropped before it is read. fio: psync, fsync after
each file, invalidate before each file is read. direct: O_DIRECT through io_uring on both sides. In every round the program and
fio take turns, in alternating order. fio writes as many files of the mean size of an entry as there are threads, twice, and reads
them twice; the processor time of both is weighted by the bytes that the program read and wrote in that round. fio fills its
buffers anew for each write (refill_buffers), as the program does. Prints each round, then medians, with the load of the machine.
Takes about 2 GB of FOLDER, removed at the end.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

GIB = 2**30


def run(words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))[:300]} ended with {done.returncode}\n{done.stderr[-600:]}")
    return done.stdout


class Program:
    def __init__(self, path, folder, options):
        self.path, self.folder, self.options = os.path.abspath(path), folder, options
        self.environment = dict(os.environ, HOME=str(folder))
        run([self.path, "init", "bench", folder / "results"], env=self.environment)

    def move(self, way):
        """GiB moved per second of processor time, and the record."""
        text = run([self.path, "whatif", "kvcache", "run", "--cache-dir", self.folder / "cache", "--results-dir",
                    self.folder / "results", "--systemname", "bench", "--skip-fs-separation-gate", "--quiet", "--json",
                    "--model", "tiny-1b", "--option", 1, "--trials", 1, "--num-users", self.options.users, "--duration",
                    self.options.seconds, "--storage-capacity-gb", 1, "--max-concurrent-allocs", 4, "--arrival", "closed",
                    "--kv-io", way], env=self.environment)
        record = json.loads(text)
        client, moved = record["client"], record["operations"]["storage"]["bytes"]
        return moved / GIB / (client["cpu_user_s"] + client["cpu_system_s"]), record


class Fio:
    def __init__(self, folder):
        self.folder = folder / "fio"

    def cpu_s_per_gib(self, verb, way, plan, size):
        words = ["fio", "--output-format=json", "--thread", "--group_reporting", f"--directory={self.folder}", "--name=entries",
                 f"--rw={verb}", f"--bs={plan['part_bytes']}", f"--numjobs={plan['workers']}", f"--filesize={size}",
                 f"--size={2 * size}", "--nrfiles=2", "--openfiles=1", "--file_service_type=sequential", "--loops=2",
                 "--refill_buffers=1", "--fallocate=none", "--invalidate=1"]
        if way == "compat":
            words += ["--ioengine=psync", *(["--fsync_on_close=1"] if verb == "write" else [])]
        else:
            words += ["--ioengine=io_uring", f"--iodepth={plan['depth']}", "--direct=1"]
        text = run(words)
        [job] = json.loads(text[text.index("{"):])["jobs"]
        cpu = (job["usr_cpu"] + job["sys_cpu"]) / 100 * job["job_runtime"] / 1000
        return cpu / (job[verb]["io_bytes"] / GIB)

    def move(self, way, record):
        """The same for the mix of a record."""
        [trial] = record["trials"]
        tier = trial["tiers"]["storage"]
        read, written = (sum(tier[name].values()) for name in ("read_bytes", "written_bytes"))
        entries = trial["reads"] + trial["writes"]
        plan = record["plan"]["options"][0]["io"]
        part = plan["part_bytes"]
        size = max(1, min((read + written) // max(entries, 1), 128 << 20) // part) * part
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        costs = {verb: self.cpu_s_per_gib(verb, way, plan, size) for verb in ("write", "read")}
        shutil.rmtree(self.folder)
        return (read + written) / (costs["read"] * read + costs["write"] * written)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--users", type=int, default=8)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mlpstorage-bench-", dir=options.folder))
    try:
        program, fio = Program(options.program, folder, options), Fio(folder)
        print("GiB per second of processor time: ours, fio, ratio; load of the machine")
        for way in ("compat", "direct"):
            rounds, (_, last) = [], program.move(way)  # the first is not counted, and tells fio's first turn the mix
            for number in range(options.rounds):
                if number % 2 == 0:
                    ours, last = program.move(way)
                    theirs = fio.move(way, last)
                else:
                    theirs = fio.move(way, last)
                    ours, last = program.move(way)
                rounds.append((ours, theirs))
                print(f"{way:8} {ours:6.2f} {theirs:6.2f} {ours / theirs:6.2f}   load {os.getloadavg()[0]:.1f}", flush=True)
            ratios = [ours / theirs for ours, theirs in rounds]
            print(f"{way:8} {statistics.median(o for o, _ in rounds):6.2f} {statistics.median(t for _, t in rounds):6.2f} "
                  f"{statistics.median(ratios):6.2f}   median of {options.rounds} rounds", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
