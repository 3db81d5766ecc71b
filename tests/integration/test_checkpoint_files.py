#!/usr/bin/env python3
"""Checkpointing on files: the real binary, real file systems, and what happens when they fail."""

import json
import os
import signal
import subprocess
import unittest

from program import PROCESSES, ProgramTest, flip_bit

ONE_MIB = 1 << 20


class FileTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.checkpoints = self.folder / "checkpoints"

    def stored(self):
        return {path.relative_to(self.checkpoints).as_posix(): path.stat().st_size
                for path in self.checkpoints.rglob("*") if path.is_file()}


class Files(FileTest):
    def test_what_is_written_is_what_was_planned_and_every_byte_reads_back(self):
        done = self.call(*self.run_arguments("file", self.checkpoints, "--verify"))
        record = self.assert_passed(done)
        self.assertEqual(self.planned(), self.stored())
        self.assertLess(done.peak_rss_bytes, 512 * ONE_MIB)
        self.assertLess(record["read"]["metrics"]["cached_share"], 0.5)  # what was written was evicted before reading

    def test_json_is_the_record_and_nothing_else(self):
        done = self.call(*self.run_arguments("file", self.checkpoints, "--verify", "--json", write=1, read=1))
        self.assert_passed(done, 1, 1)
        self.assertEqual(self.record(), json.loads(done.stdout))

    def test_direct_by_flag_and_by_scheme(self):
        for name, where, flags in (("flag", self.checkpoints, ("--o-direct",)),
                                   ("scheme", f"direct://{self.checkpoints}", ())):
            with self.subTest(name):
                done = self.call(*self.run_arguments("file", where, "--verify", *flags, write=1, read=1))
                record = self.assert_passed(done, 1, 1)
                self.assertEqual(0, record["read"]["metrics"]["cached_share"])
                self.assertEqual(self.planned(1), self.stored())

    def test_written_by_one_invocation_and_read_by_the_next(self):
        self.assert_passed(self.call(*self.run_arguments("file", self.checkpoints, "--seed", 7, read=0)), 2, 0)
        self.assert_passed(self.call(*self.run_arguments("file", self.checkpoints, "--seed", 7, "--verify", write=0)), 0, 2)
        # The seed is found out when it isn't given.
        self.assert_passed(self.call(*self.run_arguments("file", self.checkpoints, "--verify", write=0)), 0, 2)
        self.assertEqual(3, len(self.run_folders()))

    def test_dry_run_prints_the_plan_and_touches_nothing(self):
        done = self.succeeds(*self.run_arguments("file", self.checkpoints, "--dry-run", "--json"))
        self.assertEqual(PROCESSES, len(json.loads(done.stdout)["ranks"]))
        self.assertFalse(self.checkpoints.exists())
        self.assertEqual([], self.run_folders())

    def test_null_storage_at_full_size_stays_small(self):
        done = self.succeeds("whatif", "checkpointing", "run", "file", "--model", "llama3-1t", "--num-processes", 1024,
                             "--client-host-memory-in-gb", 16, "--checkpoint-folder", "null://", "--payload", "none",
                             "--num-checkpoints-write", 1, "--num-checkpoints-read", 1, "--params",
                             "checkpoint.time_between_checkpoints=0", "--results-dir", self.results, "--systemname",
                             "test-machine", "--json")
        record = json.loads(done.stdout)
        self.assertEqual("passed", record["verdict"])
        self.assertEqual((16_564_174_094_592,) * 2, (record["write"]["bytes"], record["read"]["bytes"]))
        self.assertLess(done.peak_rss_bytes, 1024 * ONE_MIB)


class WrongFiles(FileTest):
    """Reads of checkpoints that are not what was written."""

    def setUp(self):
        super().setUp()
        self.succeeds(*self.run_arguments("file", self.checkpoints, "--seed", 7, write=1, read=0))
        self.victim = sorted(self.planned(1))[-1]
        self.path = self.checkpoints / self.victim

    def read_fails(self, status, code, *flags):
        done = self.fails(status, code, *self.run_arguments("file", self.checkpoints, "--seed", 7, *flags, write=0, read=1))
        self.assertIn(os.path.basename(self.victim), done.stderr)
        self.assert_not_passed("failed")

    def test_a_flipped_bit_is_found(self):
        flip_bit(self.path, self.path.stat().st_size // 2 + 1)
        self.read_fails(6, "E606", "--verify")

    def test_a_flipped_last_bit_is_found_past_the_page_cache(self):
        flip_bit(self.path, self.path.stat().st_size - 1)
        self.read_fails(6, "E606", "--verify", "--o-direct")

    def test_a_missing_file_is_named_before_reading(self):
        self.path.unlink()
        self.read_fails(3, "E603")

    def test_a_short_file_is_named_before_reading(self):
        os.truncate(self.path, self.path.stat().st_size - 1)
        self.read_fails(6, "E606")


class Failures(FileTest):
    def test_wrong_arguments_do_nothing(self):
        for wrong in (("--no-such-flag",), ("--size-scale", "0"), ("--num-processes", "7"), ("--params", "nonsense")):
            with self.subTest(wrong):
                done = self.call(*self.run_arguments("file", self.checkpoints, *wrong))
                self.assertEqual(2, done.status, done)
                self.assertFalse(self.checkpoints.exists())
                self.assertEqual([], self.run_folders())

    def submitted(self, *more, results=None):
        """A run by the rules, which is far too large for this machine."""
        return ("open", "checkpointing", "run", "file", "--model", "llama3-8b", "--num-processes", 8, "--client-host-memory-in-gb",
                16, "--checkpoint-folder", self.checkpoints, "--results-dir", results or self.results, "--systemname", "s", *more)

    def test_results_directory_that_was_not_initialised(self):
        done = self.fails(2, "E101", *self.submitted(results=self.folder))
        self.assertIn("run: mlpstorage init", done.stderr)
        done = self.fails(2, "E102", *self.run_arguments("file", self.checkpoints, "--results-dir", self.folder))
        self.assertIn("is not empty", done.stderr)

    def test_results_and_checkpoints_on_one_file_system_need_the_flag_but_in_whatif(self):
        self.fails(3, "E404", *self.submitted())
        self.assertEqual([], self.run_folders())
        words = [word for word in self.run_arguments("file", self.checkpoints, write=1, read=0)
                 if word != "--skip-fs-separation-gate"]
        done = self.succeeds(*words)
        self.assertIn("WARNING: data and results share a file system; allowed by whatif", done.stderr)

    def test_a_killed_run_leaves_a_record_that_says_incomplete(self):
        running = self.start(*self.run_arguments("file", self.checkpoints, "--params",
                                                 "checkpoint.time_between_checkpoints=30"))
        done = self.interrupt(running, lambda: list(self.results.rglob("mlpstorage_record.json")), signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, done.status)
        self.assert_not_passed("incomplete")

    def test_control_c_ends_the_run_with_its_verdict(self):
        for which in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(which.name):
                before = len(self.run_folders())
                running = self.start(*self.run_arguments("file", self.checkpoints, "--params",
                                                         "checkpoint.time_between_checkpoints=30"))
                done = self.interrupt(running, lambda: len(self.run_folders()) > before and
                                      list(self.run_folder().glob("mlpstorage_record.json")), which)
                self.assertEqual(8, done.status, done)
                self.assertIn("[E203]", done.stderr)
                self.assert_not_passed("interrupted")


@unittest.skipUnless(os.geteuid() == 0, "mounting a file system of limited size needs root")
class FullDisk(FileTest):
    """A tmpfs in a mount namespace of the run alone, so that nothing is left mounted."""

    def start_on_tmpfs(self, mib, *arguments):
        self.checkpoints.mkdir()
        script = f'mount -t tmpfs -o size={mib}m tmpfs "{self.checkpoints}" && exec "$@"'
        return self.start(*arguments, before=("unshare", "--mount", "sh", "-c", script, "sh"))

    def test_too_small_from_the_start(self):
        done = self.start_on_tmpfs(64, *self.run_arguments("file", self.checkpoints)).wait()
        self.assertEqual(3, done.status, done)
        self.assertIn("[E403]", done.stderr)
        self.assertEqual([], self.run_folders())

    def test_filled_by_another_while_it_runs(self):
        running = self.start_on_tmpfs(300, *self.run_arguments(
            "file", self.checkpoints, "--params", "checkpoint.time_between_checkpoints=2", write=1, read=0))
        # The run folder appears after the gates have passed, and a pause comes before the first byte.
        self.wait_until("the run folder", lambda: running.ended() or self.run_folders())
        self.assertFalse(running.ended(), "it ended before the file system was filled")
        inside = f"/proc/{running.process.pid}/root{self.checkpoints}"
        subprocess.run(["fallocate", "-l", "200M", f"{inside}/of-another"], check=True)
        done = running.wait()
        self.assertEqual(3, done.status, done)
        self.assertIn("[E403]", done.stderr)
        self.assertEqual("E403", self.assert_not_passed("failed")["error"]["code"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
