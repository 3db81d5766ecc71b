#!/usr/bin/env python3
"""What surrounds a run: a clock that somebody sets, a quota, a file system that a program serves, and one in memory."""

import datetime
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

from program import SYSTEM
from training import TrainingTest

MIB = 1 << 20
CLOCK = "300:-7200,700:86400,1100:-600"  # back by two hours, ahead by a day, back by ten minutes


class Surroundings(TrainingTest):
    def checkpoints(self, where, *more, write=2, read=1, scale=0.0002):
        words = list(self.run_arguments("file", where, *more, write=write, read=read))
        words[words.index("--size-scale") + 1] = scale
        return words

    def mounted(self, *command):
        """Mounts what is to be `command`'s last word."""
        pathlib.Path(command[-1]).mkdir(parents=True, exist_ok=True)
        if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("this user can't mount: " + " ".join(command[:3]))
        self.addCleanup(subprocess.run, ["umount", "-l", command[-1]], stderr=subprocess.DEVNULL, check=False)


class Clock(Surroundings):
    def setUp(self):
        super().setUp()
        library = pathlib.Path(self.program).parent / "tests/libset_clock.so"
        self.variables = {"LD_PRELOAD": str(library), "SET_CLOCK": CLOCK,
                          "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def test_the_clock_of_these_tests_is_set_in_a_run(self):
        script = "import time; t = time.time(); time.sleep(0.5); print(round((time.time() - t) / 100))"
        done = subprocess.run(["python3", "-c", script], env=self.environment(), stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual("-72", done.stdout.strip())

    def assert_times(self, record, took):
        """No duration is one of the wall clock, and what came later has the later stamp."""
        stamps = []

        def look(value, name):
            if isinstance(value, dict):
                for key, inner in value.items():
                    look(inner, key)
            elif isinstance(value, list):
                for inner in value:
                    look(inner, name)
            elif name.endswith(("_s", "_ns")) and not name.endswith("per_s") and isinstance(value, (int, float)):
                seconds = value / 1e9 if name.endswith("_ns") else value
                self.assertTrue(0 <= seconds <= took * 64, (name, value))  # of at most 64 threads together
            elif name.endswith("_utc") and value:
                stamps.append(datetime.datetime.fromisoformat(value))

        look({key: value for key, value in record.items() if key != "configuration"}, "")
        self.assertGreater(len(stamps), 3)
        self.assertLess((max(stamps) - min(stamps)).total_seconds(), took + 1)
        times = record["time"]
        order = [times[key] for key in ("invocation_start_utc", "run_start_utc", "run_end_utc", "invocation_end_utc")]
        self.assertEqual(sorted(order), order)
        self.assertGreater(times["run_s"], 1.2, "the clock was set three times in it")

    def timed(self, *words):
        before = time.monotonic()
        done = self.succeeds(*words)
        lines = re.findall(r"(?m)^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\|", done.stderr)
        self.assertEqual(sorted(lines), lines)
        return done, time.monotonic() - before

    def test_checkpoints(self):
        words = self.checkpoints(self.folder / "stored", write=4)
        words[words.index("checkpoint.time_between_checkpoints=0")] = "checkpoint.time_between_checkpoints=0.5"
        _, took = self.timed(*words)
        self.assert_times(self.record(), took)

    def test_training(self):
        data = self.folder / "data"
        self.timed(*self.training("retinanet", "datagen", "file", data))
        _, took = self.timed(*self.training("retinanet", "run", "file", data, params=["train.computation_time=0.06"]))
        record = self.training_record("retinanet", "run")
        self.assert_times(record, took)
        self.assertLess(len(record["per_second"]["intervals"]), took + 2)


class Quota(Surroundings):
    def test_what_a_user_may_not_write_is_told_as_what_it_is(self):
        image, there = self.folder / "image", self.folder / "there"
        with open(image, "wb") as file:
            file.truncate(300 * MIB)
        if not shutil.which("mkfs.btrfs") or subprocess.run(
                ["mkfs.btrfs", "-q", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("no btrfs can be made")
        self.mounted("mount", "-o", "loop", str(image), str(there))
        for words in (("quota", "enable"), ("qgroup", "limit", "20M")):
            subprocess.run(["btrfs", *words, there], check=True, stdout=subprocess.DEVNULL)
        for flags in ((), ("--o-direct",)):
            with self.subTest(flags):
                done = self.fails(3, "E403", *self.checkpoints(there / "stored", *flags, write=1, read=0, scale=0.0005))
                self.assertRegex(done.stderr, r"\[E403\] \w+ .*/there/stored/.*: Disk quota exceeded")
                self.assertRegex(done.stderr, r"Suggestion: free space, .* or quota on this file system")
                self.assertEqual("failed", self.record()["verdict"])
                shutil.rmtree(there / "stored")


@unittest.skipUnless(shutil.which("bindfs"), "no bindfs")
class ServedByAProgram(Surroundings):
    def setUp(self):
        super().setUp()
        self.shown = self.folder / "shown"
        (self.folder / "source").mkdir()
        self.mounted("bindfs", str(self.folder / "source"), str(self.shown))
        (self.server,) = (int(pid.name) for pid in pathlib.Path("/proc").glob("[0-9]*")
                          if str(self.shown).encode() in self.words_of(pid) and b"bindfs" in self.words_of(pid)[0])
        self.addCleanup(self.tell, signal.SIGKILL)

    @staticmethod
    def words_of(pid):
        try:
            return (pid / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return [b""]

    def tell(self, number):
        try:
            os.kill(self.server, number)
        except ProcessLookupError:
            pass

    def test_checkpoints_and_data_are_moved_as_elsewhere(self):
        for flags in ((), ("--o-direct",)):
            self.succeeds(*self.checkpoints(self.shown / "stored", *flags, "--verify"))
            record = self.record()
            self.assertEqual(("passed", []), (record["verdict"], record["reasons"]))
            self.assertEqual(record["read"]["bytes"], record["read"]["bytes_verified"])
            data = self.shown / ("data" + "".join(flags))
            self.succeeds(*self.training("unet3d", "datagen", "file", data, *flags))
            done = self.call(*self.training("unet3d", "run", "file", data, "--verify", *flags))
            record = self.assert_training_passed(done, "unet3d", "run")
            self.assertEqual(record["reading"]["bytes"], record["reading"]["bytes_verified"])

    def started(self):
        running = self.start(*self.checkpoints(self.shown / "stored", write=500, read=0, scale=0.0001))
        while not list(self.folder.glob("source/stored/llama3-8b/*step2*")):
            self.assertFalse(running.ended(), "it ended before")
            time.sleep(0.01)
        return running

    def test_a_server_that_ends_is_an_error(self):
        running = self.started()
        self.tell(signal.SIGKILL)
        done = running.wait()
        self.assertEqual(6, done.status, done)
        self.assertRegex(done.stderr, r"\[E608\] .*: (Transport endpoint is not connected|Software caused connection abort)")
        self.assertIn("has ended: mount it again", done.stderr)
        self.assertEqual("failed", self.record()["verdict"])

    def test_a_run_whose_server_stands_still_stops_in_order_when_it_goes_on(self):
        running = self.started()
        self.tell(signal.SIGSTOP)
        time.sleep(0.2)
        self.assertFalse(running.ended())
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.tell(signal.SIGCONT)
        done = running.wait()
        self.assertEqual(8, done.status, done)
        self.assertEqual("interrupted", self.record()["verdict"])
        whole = {path: path.stat().st_size for path in self.folder.glob("source/stored/llama3-8b/*step1/*")}
        for path in self.folder.glob("source/stored/llama3-8b/*/*.pt"):
            self.assertEqual(whole[path.parent.parent / "global_epoch1_step1" / path.name], path.stat().st_size, path)


class NothingThatContradicts(Surroundings):
    def test_of_a_file_system_in_memory_it_says_that_nothing_was_evicted(self):
        self.mounted("mount", "-t", "tmpfs", "none", str(self.folder / "memory"))
        data = self.folder / "memory/data"
        self.succeeds(*self.training("unet3d", "datagen", "file", data))
        done = self.call(*self.training("unet3d", "run", "file", data))
        record = self.assert_training_passed(done, "unet3d", "run")
        for epoch in record["epochs"]:
            self.assertEqual(1, epoch["cache"]["cached_share"])
            self.assertIn("nothing was evicted: this file system keeps its pages in memory", epoch["cache"]["action"])
        said = done.stdout + done.stderr
        self.assertIn("100 % cached before reading", said)
        self.assertNotRegex(said, r"dropped|0\.0 % cached|came from a cache")
        self.assertIn("not checkable: tmpfs", said)

    def test_of_bytes_on_a_device_it_says_that_none_were_cached(self):
        data = self.folder / "data"
        self.succeeds(*self.training("unet3d", "datagen", "file", data))
        done = self.call(*self.training("unet3d", "run", "file", data))
        record = self.assert_training_passed(done, "unet3d", "run")
        if any(epoch["cache"]["cached_share"] is None for epoch in record["epochs"]):
            self.skipTest("the file system doesn't tell what the page cache has")
        said = done.stdout + done.stderr
        for epoch in record["epochs"]:
            kept = "keeps its pages in memory" in epoch["cache"]["action"]
            self.assertEqual(kept, epoch["cache"]["cached_share"] > 0.5, epoch["cache"])
        self.assertEqual(kept, "100 % cached before reading" in said, said)


class Dlrm(Surroundings):
    def test_every_column_is_read_as_the_original_reads_it(self):
        shape = ["dataset.num_files_train=4", "dataset.num_samples_per_file=4096", "dataset.parquet.row_group_size=1024"]
        data = self.folder / "data"
        base = ("file", "--data-dir", data, "--results-dir", self.results, "--systemname", SYSTEM, "--skip-fs-separation-gate")
        self.succeeds("whatif", "training", "dlrm", "datagen", *base, "--num-processes", 2, "--params", *shape)
        done = self.call("whatif", "training", "dlrm", "run", *base, "--num-accelerators", 2, "--accelerator-type", "b200",
                         "--client-host-memory-in-gb", 0.001, "--params", *shape, "reader.batch_size=512", "train.epochs=2")
        record = self.assert_training_passed(done, "dlrm", "run")
        stored = sum(path.stat().st_size for path in data.rglob("*.parquet"))
        read = record["reading"]["bytes"] / 2
        self.assertTrue(0.98 * stored < read <= stored, (read, stored))
        self.assertAlmostEqual(1, read * 2 / record["reading"]["nominal_bytes"], delta=0.1)
        self.assertNotIn(" of 200 columns", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
