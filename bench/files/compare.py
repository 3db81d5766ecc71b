#!/usr/bin/env python3
"""The whole program at its defaults against fio, on files: throughput, and processor time per GiB.

Usage: compare.py MLPSTORAGE FOLDER [--rounds N] [--medians] [--loop] [--case TEXT ...]

Cases: 8 checkpoint files (1 GiB), 8 samples of 140 MB, 1,000 samples of 0.3 MB; each written and read, buffered and with
O_DIRECT. fio moves the same number of files of the same size, with 1, 4 and 8 jobs, with psync and blocks of 1 MiB or
io_uring, depth 8 and O_DIRECT, makes its files while it writes, syncs them, reads samples in a random order, and begins
to read with an empty page cache, as the program does.
In every round the program and the three fio runs take turns. Prints for each case the best throughput of all rounds and the
least processor time (of fio: of the number of jobs with the best throughput), the ratios ours / fio, and the load of the
machine. The best, not the middle: on a virtual machine the same read of the same program costs 0.16 or 1.2 s/GiB, whether the
page cache gets memory that the hypervisor has at hand or not. --loop does all on ext4 on a loop device in FOLDER with
read_ahead_kb 128 (as root). Takes less than 3 GB of FOLDER, all removed at the end. Needs a machine with nothing else to do.
"""

import argparse
import json
import mmap
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

GIB = 2**30
MADV_POPULATE_WRITE = 23
MODES = {"buffered": ("--ioengine=psync",), "direct": ("--ioengine=io_uring", "--iodepth=8", "--direct=1")}
JOBS = (1, 4, 8)


def run(words, **more):
    """Standard output, and the processor time of the process and its children."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(words, stdout=out, stderr=err, **more)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, words))[:400]} ended with status {process.returncode}\n{err.read().decode()[:400]}")
        return out.read().decode(), usage.ru_utime + usage.ru_stime


def forget(folder):
    """Nothing of the folder's files stays in the page cache, and memory for them was used a moment ago: a virtual machine gives
    what is free for some seconds back to its host, and whoever takes it next pays for that."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size > 0:
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
    with mmap.mmap(-1, 3 * GIB // 2) as memory:
        memory.madvise(MADV_POPULATE_WRITE)


def fresh(folder):
    """An empty folder. The files of the old one are emptied, and removed at the end of all: ext4 looks at each inode that was
    given up in the last minute before it takes another one, so that creating files after removing as many costs a multiple."""
    if folder.exists():
        for path in folder.rglob("*"):
            if path.is_file():
                os.truncate(path, 0)
        folder.rename(tempfile.mkdtemp(prefix="emptied-", dir=folder.parent))
    folder.mkdir()


class Program:
    def __init__(self, path, folder):
        self.path, self.folder, self.results = os.path.abspath(path), folder / "ours", folder / "results"
        self.environment = dict(os.environ, HOME=str(folder), XDG_CONFIG_HOME=str(folder))
        run([self.path, "init", "bench", self.results], env=self.environment)

    def call(self, benchmark, words, params, mode):
        words = [self.path, "whatif", *benchmark, "file", *words, "--results-dir", self.results, "--systemname", "bench",
                 "--quiet", "--json", "--skip-fs-separation-gate", "--allow-invalid-params",
                 *(["--o-direct"] if mode == "direct" else []), "--params", *params]
        text, cpu = run(words, env=self.environment)
        return json.loads(text), cpu

    def checkpoint(self, verb, mode):
        counts = ("1", "0") if verb == "write" else ("0", "1")
        record, cpu = self.call(("checkpointing", "run"), (
            "--model", "llama3-8b", "--num-processes", "8", "--client-host-memory-in-gb", "16", "--size-scale", "0.0095",
            "--num-checkpoints-write", counts[0], "--num-checkpoints-read", counts[1], "--checkpoint-folder", self.folder),
            ("checkpoint.time_between_checkpoints=0",), mode)
        return record[verb]["bytes"], sum(event["slowest_ns"] for event in record["events"]) * 1e-9, cpu

    def samples(self, verb, mode, files, size):
        count = f"dataset.num_files_train={files}"
        length = (f"dataset.record_length_bytes={size}", "dataset.record_length_bytes_stdev=0")
        if verb == "write":
            record, cpu = self.call(("training", "unet3d", "datagen"), ("--num-processes", "2", "--data-dir", self.folder),
                                    (count, *length), mode)
            return record["bytes_written"], record["seconds"], cpu
        record, cpu = self.call(("training", "unet3d", "run"), (
            "--accelerator-type", "h100", "--num-accelerators", "2", "--client-host-memory-in-gb", "0.001", "--data-dir",
            self.folder), (count, *length, "train.epochs=1", "reader.batch_size=1", "train.computation_time=0.00001"), mode)
        ranks = [rank for epoch in record["epochs"] for block in epoch["blocks"] for rank in block["ranks"]]
        seconds = (max(rank["end_ns"] for rank in ranks) - min(rank["start_ns"] for rank in ranks)) * 1e-9
        return record["reading"]["bytes"], seconds, cpu

    def move(self, case, verb, mode):
        if verb == "write":
            fresh(self.folder)
        forget(self.folder.parent)
        files, size = case
        moved, seconds, cpu = self.checkpoint(verb, mode) if size == GIB // 8 else self.samples(verb, mode, files, size)
        return moved / GIB / seconds, cpu / (moved / GIB)


class Fio:
    def __init__(self, folder):
        self.folder = folder / "fio"

    def move(self, case, verb, mode, jobs):
        files, size = case
        if verb == "write":
            fresh(self.folder)
        forget(self.folder.parent)
        words = ["fio", "--output-format=json", "--group_reporting", "--thread", f"--directory={self.folder}",
                 "--create_on_open=1", "--fallocate=none"]
        order = list(range(files))
        if verb == "read" and size < GIB // 8:
            random.Random(files).shuffle(order)  # as samples are read
        for job in range(min(jobs, files)):
            mine = order[job::jobs]
            words += [f"--name=job{job}", f"--rw={verb}", f"--bs={min(size, 2**20)}", *MODES[mode], f"--filesize={size}",
                      f"--size={size * len(mine)}", "--file_service_type=sequential", "--end_fsync=1", "--openfiles=64",
                      "--filename=" + ":".join(map(str, mine))]  # at most 4 KiB
        text, cpu = run(words)
        total = json.loads(text[text.index("{"):])["jobs"][0][verb]
        return total["io_bytes"] / GIB / (total["runtime"] / 1000), cpu / (total["io_bytes"] / GIB)


def summed_up(runs, medians):
    """Throughput and processor time of several rounds: the best, or their medians."""
    rates, times = zip(*runs)
    return (statistics.median(rates), statistics.median(times)) if medians else (max(rates), min(times))


def whole_blocks(size):
    return size // 4096 * 4096  # as O_DIRECT wants it of fio


CASES = {"checkpoints": (8, GIB // 8), "samples of 140 MB": (8, whole_blocks(140_000_000)),
         "samples of 0.3 MB": (1000, whole_blocks(300_000))}


def compare(program, folder, options, place):
    ours, fio = Program(program, folder), Fio(folder)
    for name, case in CASES.items():
        for mode in MODES:
            for verb in ("write", "read"):
                title = f"{place}, {name}, {verb}, {mode}"
                if not any(text in title for text in options.case):
                    if verb == "write" and any(text in title.replace("write", "read") for text in options.case):
                        ours.move(case, verb, mode)
                        fio.move(case, verb, mode, 4)
                    continue
                measured = {key: [] for key in ("ours", *JOBS)}
                for number in range(options.rounds):
                    order = list(measured) if number % 2 == 0 else list(measured)[::-1]
                    for key in order:
                        measured[key].append(ours.move(case, verb, mode) if key == "ours"
                                             else fio.move(case, verb, mode, key))
                middle = {key: summed_up(runs, options.medians) for key, runs in measured.items()}
                best = max(JOBS, key=lambda jobs: middle[jobs][0])
                (rate, cpu), (fio_rate, fio_cpu) = middle["ours"], middle[best]
                print(f"{title:52} {rate:6.2f} {fio_rate:6.2f} ({best} jobs) {rate / fio_rate:6.2f}   "
                      f"{cpu:6.3f} {fio_cpu:6.3f} {cpu / fio_cpu:6.2f}   {os.getloadavg()[0]:5.1f}", flush=True)


def on_loop_device(folder, work):
    image, mount = folder / "image", folder / "mount"
    with open(image, "wb") as file:
        file.truncate(int(2.6 * GIB))
    run(["mkfs.ext4", "-q", "-F", image])
    mount.mkdir()
    device = run(["losetup", "--find", "--show", image])[0].strip()
    try:
        pathlib.Path("/sys/block", pathlib.Path(device).name, "queue/read_ahead_kb").write_text("128")
        run(["mount", device, mount])
        try:
            work(mount)
        finally:
            run(["umount", mount])
    finally:
        run(["losetup", "--detach", device])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loop", action="store_true")
    parser.add_argument("--medians", action="store_true", help="of the rounds, where memory is always at hand")
    parser.add_argument("--case", nargs="*", default=[""], help="only cases whose title contains one of these")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mlpstorage-bench-", dir=options.folder))
    try:
        print("GiB/s: ours, fio, ratio; CPU s/GiB: ours, fio, ratio; load of a minute", flush=True)
        if options.loop:
            on_loop_device(folder, lambda mount: compare(options.program, mount, options, "loop"))
        else:
            compare(options.program, folder, options, "disk")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
