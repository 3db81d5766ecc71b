#!/usr/bin/env python3
"""Direct file writes, ours against fio: the same bytes, block size and depth, interleaved A B B A.

Both write a new file with O_DIRECT through io_uring, fill every block with fresh data, and fsync inside the timed
interval. CPU seconds are those of the whole process with its kernel workers (wait4), less the process's own start-up,
which is measured with a one-block file before. Prints every point, the median of the pairwise ratios of throughput with
a bootstrap interval, and the median CPU seconds per GB (10^9 bytes) of both. Files are removed.

Our buffers lie in huge pages, as in the program; fio's in small ones, its default (its huge ones need reserved pages).
--pages small takes that difference away.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def size_of(text):
    for unit, factor in UNITS.items():
        if text.endswith(unit):
            return int(text[: -len(unit)]) * factor
    return int(text)


def run(command):
    """Standard output and CPU seconds (user and system, children included) of a command."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, text=True)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)} exited {process.returncode}: {errors}")
        output.seek(0)
        return output.read(), usage.ru_utime + usage.ru_stime


class Ours:
    name = "mlpstorage"

    def __init__(self, options):
        self.options = options

    def write(self, size):
        text, cpu = run([self.options.driver, self.options.folder, str(size), str(size_of(self.options.block)),
                         str(self.options.depth), self.options.pages])
        return json.loads(text)["seconds"], cpu


class Fio:
    name = "fio"

    def __init__(self, options):
        self.options = options
        self.path = os.path.join(options.folder, "fio_write.bin")

    def write(self, size):
        options = self.options
        try:
            text, cpu = run(["fio", "--name=write", f"--filename={self.path}", "--ioengine=io_uring", "--direct=1",
                             "--refill_buffers", "--rw=write", "--end_fsync=1", f"--bs={size_of(options.block)}",
                             f"--iodepth={options.depth}", f"--size={size}", f"--fallocate={options.fallocate}",
                             "--output-format=json"])
        finally:
            if os.path.exists(self.path):
                os.unlink(self.path)
        # fio may put a remark before its JSON.
        job = json.loads(text[text.index("{"):])["jobs"][0]
        assert job["write"]["io_bytes"] == size and job["error"] == 0, job["error"]
        return job["write"]["runtime"] / 1000, cpu


def interval(values, draws=4000):
    """95 % bootstrap interval of the median."""
    generator = random.Random(1)
    medians = sorted(statistics.median(generator.choices(values, k=len(values))) for _ in range(draws))
    return medians[int(draws * 0.025)], medians[int(draws * 0.975)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("driver")
    parser.add_argument("folder")
    parser.add_argument("--size", default="1GiB")
    parser.add_argument("--block", default="1MiB")
    parser.add_argument("--depth", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=8, help="pairs of one run each; rounded up to even")
    parser.add_argument("--pages", default="huge", choices=["huge", "small"], help="of our buffers; fio has small ones")
    parser.add_argument("--fallocate", default="native", choices=["native", "truncate", "none"])
    options = parser.parse_args()
    options.folder = os.path.abspath(options.folder)
    os.makedirs(options.folder, exist_ok=True)
    ours, fio = Ours(options), Fio(options)
    size = size_of(options.size)
    gigabytes = size / 1e9

    start_up = {tool.name: statistics.median(tool.write(size_of(options.block))[1] for _ in range(3))
                for tool in (ours, fio)}
    for tool in (ours, fio):  # settles the disk and the processor's clock
        tool.write(size)
    print(f"{options.size} in blocks of {options.block}, depth {options.depth}, our pages {options.pages}, fio fallocate={options.fallocate}; CPU of "
          + "start-up taken off: " + ", ".join(f"{name} {cpu:.3f} s" for name, cpu in start_up.items()))
    print(f"{'pair':>4} {'tool':<10} {'GB/s':>7} {'CPU s/GB':>9}")
    ratios, cpu_ratios, costs = [], [], {ours.name: [], fio.name: []}
    for pair in range(options.rounds + options.rounds % 2):
        speed, cost = {}, {}
        for tool in (ours, fio) if pair % 2 == 0 else (fio, ours):
            seconds, cpu = tool.write(size)
            speed[tool.name] = gigabytes / seconds
            cost[tool.name] = (cpu - start_up[tool.name]) / gigabytes
            costs[tool.name].append(cost[tool.name])
            print(f"{pair:>4} {tool.name:<10} {speed[tool.name]:>7.3f} {cost[tool.name]:>9.4f}", flush=True)
        ratios.append(speed[ours.name] / speed[fio.name])
        cpu_ratios.append(cost[ours.name] / cost[fio.name])
    low, high = interval(ratios)
    print(f"throughput, ours / fio: median {statistics.median(ratios):.3f} (95 % {low:.3f} to {high:.3f}); goal >= 0.95")
    low, high = interval(cpu_ratios)
    print(f"CPU s/GB: ours {statistics.median(costs[ours.name]):.4f}, fio {statistics.median(costs[fio.name]):.4f}; "
          f"ratio median {statistics.median(cpu_ratios):.3f} (95 % {low:.3f} to {high:.3f}); goal <= 1")


if __name__ == "__main__":
    main()
