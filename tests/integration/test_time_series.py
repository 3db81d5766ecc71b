#!/usr/bin/env python3
"""Counters of the host over a run, and whether they agree with what the run says it moved."""

import datetime
import json
import mmap
import os
import tempfile
import unittest

from program import ProgramTest
from training import TrainingTest

DISK_COUNTERS_THAT_RISE = ("reads_completed", "sectors_read", "writes_completed", "sectors_written", "time_reading_ms")


class Series(ProgramTest):
    def setUp(self):
        super().setUp()
        self.checkpoints = self.folder / "checkpoints"

    def series(self, folder):
        [path] = folder.glob("*_timeseries.json")
        self.assertEqual(f"checkpointing_{folder.name}_timeseries.json", path.name)
        return json.loads(path.read_text())

    def test_samples_are_in_order_and_counters_do_not_fall(self):
        # Two pauses of half a second leave room for five samples at least, however fast the storage is.
        record = self.assert_passed(self.call(*self.run_arguments(
            "file", self.checkpoints, "--verify", "--timeseries-interval", 0.2, "--params",
            "checkpoint.time_between_checkpoints=0.5")))
        series = self.series(self.run_folder())
        [(host, samples)] = series["samples_by_host"].items()
        self.assertEqual([host], series["hosts_collected"])
        self.assertEqual([host], series["hosts_requested"])
        self.assertEqual([host], [check["host"] for check in record["cross_check"]])
        self.assertEqual([host], [each["host"] for each in record["hosts"]])
        self.assertEqual(0.2, series["collection_interval_seconds"])
        self.assertEqual((len(samples), len(samples)), (series["num_samples"], series["samples_taken"]))
        self.assertGreaterEqual(len(samples), 5)
        self.assert_rises(samples)
        self.assertEqual(samples[0]["timestamp"], series["start_time"])
        self.assertEqual(samples[-1]["timestamp"], series["end_time"])
        self.assertLess(series["mean_sample_cpu_us"], 20_000)  # instrumented builds on busy machines, too
        self.assertEqual({"file": f"checkpointing_{self.run_folder().name}_timeseries.json", "num_samples": len(samples),
                          "interval_seconds": 0.2, "hosts_collected": [host]}, record["time_series"])
        metadata = json.loads((self.run_folder() / f"checkpointing_{self.run_folder().name}_metadata.json").read_text())
        self.assertEqual(record["time_series"], metadata["timeseries_data"])

    def assert_rises(self, samples):
        for before, after in zip(samples, samples[1:]):
            self.assertNotIn("errors", after)
            self.assertLess(*(datetime.datetime.fromisoformat(sample["timestamp"]) for sample in (before, after)))
            for name in ("user_s", "system_s", "idle_s"):
                self.assertLessEqual(before["cpu"][name], after["cpu"][name] + 0.02)  # idle is known to waver by a tick
            for name in ("cpu_user_s", "cpu_system_s"):
                self.assertLessEqual(before["process"][name], after["process"][name])
            self.assertLessEqual(before["vmstat"]["pgpgout"], after["vmstat"]["pgpgout"])
            disks = {disk["device_name"]: disk for disk in after["diskstats"]}
            for disk in before["diskstats"]:
                for name in DISK_COUNTERS_THAT_RISE:
                    self.assertLessEqual(disk[name], disks[disk["device_name"]][name], (disk["device_name"], name))
            interfaces = {each["interface_name"]: each for each in after["netdev"]}
            for each in before["netdev"]:
                for name in ("rx_bytes", "tx_bytes"):
                    self.assertLessEqual(each[name], interfaces[each["interface_name"]][name])

    def test_the_device_moved_what_the_record_says(self):
        record = self.assert_passed(self.call(*self.run_arguments("file", self.checkpoints, "--o-direct", "--verify")))
        [check] = record["cross_check"]
        moved = {"read_bytes": record["read"]["bytes"], "written_bytes": record["write"]["bytes"]}
        self.assertEqual(moved, check["claimed"])
        if os.major(os.stat(self.checkpoints).st_dev) == 0:  # an overlay, in some containers
            self.assertEqual("not_checkable", check["result"])
            return
        self.assertIn(check["result"], ("agrees", "more"), check)
        for name, claimed in moved.items():
            self.assertGreaterEqual(check["counted"][name], claimed)  # nothing of it came from, or stayed in, a cache

    def test_reads_out_of_a_cache_are_found_by_the_device(self):
        self.succeeds(*self.run_arguments("file", self.checkpoints, "--seed", 7, write=1, read=0))
        if os.major(os.stat(self.checkpoints).st_dev) == 0:
            self.skipTest("no block device to ask")
        for path in self.checkpoints.rglob("*"):
            if path.is_file() and path.stat().st_size:
                with open(path, "rb") as file:  # the kernel doesn't drop pages that somebody has mapped and touched
                    mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
                self.addCleanup(mapped.close)
                for at in range(0, len(mapped), mmap.PAGESIZE):
                    mapped[at]
        done = self.call(*self.run_arguments("file", self.checkpoints, "--seed", 7, "--verify", "--verbose", write=0, read=1))
        [check] = self.assert_passed(done, 0, 1)["cross_check"]
        self.assertEqual(("less", True), (check["result"], check["warning"]), check)
        self.assertLess(check["counted"]["read_bytes"], check["claimed"]["read_bytes"] // 2)
        self.assertRegex(done.stdout, r"(?m)^Cross-check: .* the rest came from a cache, or from a device that is not counted$")
        self.assertIn("WARNING: cross-check with the kernel's counters", done.stderr)

    def test_memory_is_no_device_and_the_table_says_so(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            done = self.call(*self.run_arguments("file", memory, "--verbose", write=1, read=0))
            record = self.assert_passed(done, 1, 0)
        [check] = record["cross_check"]
        self.assertEqual(("not_checkable", True), (check["result"], check["warning"]))
        self.assertIn("Cross-check: not checkable: tmpfs", done.stdout)
        self.assertRegex(done.stdout, r", IN MEMORY\s+\(tmpfs is memory; ")
        self.assertTrue([text for text in record["warnings"] if "tmpfs" in text], record["warnings"])

    def test_nothing_to_check_without_storage(self):
        record = json.loads(self.succeeds(*self.run_arguments("file", "null://", "--json")).stdout)
        [check] = record["cross_check"]
        self.assertEqual(("nothing_moved", False), (check["result"], check["warning"]))

    def test_a_long_run_is_thinned_and_the_file_says_so(self):
        self.succeeds(*self.run_arguments("file", "null://", "--timeseries-interval", 0.01, "--max-timeseries-samples", 4,
                                          "--params", "checkpoint.time_between_checkpoints=0.3"))
        series = self.series(self.run_folder())
        [samples] = series["samples_by_host"].values()
        self.assertLessEqual(len(samples), 4)
        self.assertGreater(series["samples_taken"], len(samples))
        self.assertGreaterEqual(series["collection_interval_seconds"], 0.08)
        self.assertEqual(0.01, series["requested_interval_seconds"])
        self.assertIn("interval doubled", series["note"])
        self.assert_rises(samples)

    def test_skipped(self):
        record = json.loads(self.succeeds(*self.run_arguments("file", "null://", "--skip-timeseries", "--json")).stdout)
        self.assertEqual({"file": None, "reason": "--skip-timeseries"}, record["time_series"])
        self.assertEqual("not_made", record["cross_check"][0]["result"])
        self.assertEqual([], list(self.run_folder().glob("*_timeseries.json")))

    def test_a_series_that_cannot_be_written_is_a_warning(self):
        running = self.start(*self.run_arguments("file", "null://", "--params", "checkpoint.time_between_checkpoints=1"))
        self.wait_until("the run has begun", lambda: list(self.results.rglob("mlpstorage_record.json")))
        in_the_way = self.run_folder() / f"checkpointing_{self.run_folder().name}_timeseries.json"
        in_the_way.mkdir()
        done = running.wait()
        record = self.assert_passed(done, verified=False)
        self.assertIsNone(record["time_series"]["file"])
        self.assertIn(in_the_way.name, record["time_series"]["reason"])
        self.assertIn("no time series: ", done.stderr)
        self.assertEqual("nothing_moved", record["cross_check"][0]["result"])


class Training(TrainingTest):
    def test_datagen_and_run_have_a_series(self):
        data = self.folder / "data"
        for command in ("datagen", "run"):
            with self.subTest(command):
                done = self.call(*self.training("unet3d", command, "file", data))
                record = self.assert_training_passed(done, "unet3d", command)
                folder = self.training_folder("unet3d", command)
                series = json.loads((folder / f"training_{folder.name}_timeseries.json").read_text())
                self.assertEqual(series["num_samples"], record["time_series"]["num_samples"])
                self.assertGreaterEqual(series["num_samples"], 2)
                claimed = record["cross_check"][0]["claimed"]
                self.assertEqual({"read_bytes": record["reading"]["bytes"] if command == "run" else 0,
                                  "written_bytes": record["bytes_written"] if command == "datagen" else 0}, claimed)
                self.assertGreater(sum(claimed.values()), 0)


if __name__ == "__main__":
    unittest.main()
