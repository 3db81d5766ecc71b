#!/usr/bin/env python3
"""What the machine refuses (threads, open files, memory, space for results) ends a run with an error that names it, the exit status
of that error, and no half-written file."""

import json
import os
import shutil
import unittest

from program import ORGANISATION, SYSTEM, ProgramTest

AS_ROOT = unittest.skipUnless(os.geteuid() == 0, "becoming another user and mounting a file system need root")
USER = 200_000 + os.getpid()  # the limit counts all threads of a user, so this one has no other


class LimitTest(ProgramTest):
    def arguments(self, benchmark, results=None):
        common = ("--results-dir", results or self.results, "--systemname", SYSTEM, "--skip-fs-separation-gate", "--quiet")
        return {
            "checkpointing": ("whatif", "checkpointing", "run", "file", "--model", "llama3-8b", "--num-processes", 8, "--size-scale",
                              0.0001, "--num-checkpoints-write", 1, "--num-checkpoints-read", 1, "--checkpoint-folder",
                              self.folder / "checkpoints", *common, "--params", "checkpoint.time_between_checkpoints=0"),
            "datagen": ("whatif", "training", "cosmoflow", "datagen", "file", "--data-dir", self.folder / "data", "--num-processes", 3,
                        *common, "--params", "dataset.num_files_train=3", "dataset.record_length_bytes=4096"),
            "training": ("whatif", "training", "unet3d", "run", "file", "--accelerator-type", "b200", "--data-dir", "null://",
                         "--num-accelerators", 2, *common, "--params", "dataset.num_files_train=56", "train.epochs=1",
                         "train.computation_time=0.0001"),
        }[benchmark]

    def limited(self, limit, benchmark, *more, become=()):
        """Runs under a limit of prlimit. Returns whether it was an error, which then must be one of the program's own."""
        done = self.start(*self.arguments(benchmark), *more, before=("prlimit", limit, *become)).wait()
        self.assertIn(done.status, (0, 6), done)
        if done.status == 0:
            return False
        self.assertRegex(done.stderr, r"\[E\d{3}\] ", done)
        self.assertNotIn("unexpected", done.stderr, done)  # what main() says of an exception that nobody expected
        self.assertNotIn("terminate called", done.stderr, done)
        self.assert_nothing_is_half_written(self.results, passed=False)
        return done

    def assert_nothing_is_half_written(self, results, passed):
        for path in results.rglob("*"):
            self.assertFalse(path.name.startswith(".") and path.is_file(), f"{path} was left behind")
            if path.suffix == ".json":
                json.loads(path.read_text())
            self.assertTrue(passed or path.name != "summary.json", f"{path} of a run that failed")


class Limits(LimitTest):
    def test_open_files(self):
        for benchmark in ("checkpointing", "training", "datagen"):
            refused = 0
            for files in (4, 5, 6, 8, 10, 12, 16, 256):
                with self.subTest(benchmark=benchmark, files=files):
                    done = self.limited(f"--nofile={files}", benchmark)
                    refused += bool(done)
                    if done:
                        self.assertIn("ulimit -n", done.stderr, done)
                    shutil.rmtree(self.results / "whatif", ignore_errors=True)
            self.assertGreater(refused, 0, f"{benchmark}: no limit was low enough")
            self.assertFalse(done, f"{benchmark}: 256 files are enough")

    def test_a_stack_that_is_too_small(self):
        for kib in (16, 64, 256, 1023):
            with self.subTest(kib=kib):
                done = self.limited(f"--stack={kib * 1024}", "checkpointing")
                self.assertTrue(done, "it passed")
                self.assertIn("ulimit -s", done.stderr, done)
        for benchmark in ("checkpointing", "training", "datagen"):
            self.assertFalse(self.limited(f"--stack={1024 * 1024}", benchmark), "1 MiB is enough")

    @AS_ROOT
    def test_threads(self):
        become = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
        for path in (self.folder, self.results, *self.results.rglob("*")):
            os.chown(path, USER, USER)
        for benchmark in ("checkpointing", "training", "datagen"):
            refused = 0
            for threads in (1, 2, 3, 4, 5, 6, 8, 10, 12, 64):
                with self.subTest(benchmark=benchmark, threads=threads):
                    done = self.limited(f"--nproc={threads}", benchmark, become=become)
                    refused += bool(done)
                    if done:
                        self.assertRegex(done.stderr, r"\[E201\] .*the system refused to start ", done)
                        self.assertIn(f"(ulimit -u) {threads}", done.stderr, done)
                    shutil.rmtree(self.results / "whatif", ignore_errors=True)
            self.assertGreater(refused, 0, f"{benchmark}: no limit was low enough")
            self.assertFalse(done, f"{benchmark}: 64 threads are enough")

    def test_memory(self):
        if "ASAN_OPTIONS" in os.environ:
            self.skipTest("a sanitizer needs terabytes of addresses")
        done = self.limited(f"--as={400 << 20}", "checkpointing", "--io-workers", 64)
        self.assertTrue(done)
        self.assertRegex(done.stderr, "ulimit|--io-memory", done)

    @AS_ROOT
    def test_space_for_results(self):
        """A tmpfs in a mount namespace of the run alone; what is on it is copied out before it goes."""
        small, copy = self.folder / "small", self.folder / "copy"
        small.mkdir()
        script = (f'mount -t tmpfs -o size="$1"k tmpfs "{small}" && shift && "$0" init {ORGANISATION} "{small}" && "$0" "$@"; '
                  f'status=$?; cp -r "{small}" "{copy}"; exit $status')
        for benchmark in ("checkpointing", "training"):
            for kib in (4, 64, 1024, 16384, 32768):
                with self.subTest(benchmark=benchmark, kib=kib):
                    shutil.rmtree(copy, ignore_errors=True)
                    done = self.start(kib, *self.arguments(benchmark, small),
                                      before=("unshare", "--mount", "sh", "-c", script)).wait()
                    self.assertIn(done.status, (0, 3), done)
                    if done.status:
                        self.assertIn("[E403]", done.stderr, done)
                    self.assert_nothing_is_half_written(copy / "whatif", done.status == 0)
                    self.assertEqual(0 if kib == 32768 else 3, done.status, done)  # 16 MiB are asked for


if __name__ == "__main__":
    unittest.main(verbosity=2)
