#!/usr/bin/env python3
"""Runs that are told to stop at any moment, or that change their pace, always end.

Usage: test_stops.py [CHECKPOINT_RUNS [TRAINING_RUNS]]   (20 and 6; `make test-long` asks for 1000 and 200)
"""

import os
import random
import signal
import sys
import time
import unittest

from program import ProgramTest

RUNS = {"checkpointing": 20, "training": 6}
PATIENCE_S = 30  # a run that was told to stop ends in milliseconds


class StopTest(ProgramTest):
    def ends(self, running, what):
        deadline = time.monotonic() + PATIENCE_S
        while not running.ended():
            self.assertLess(time.monotonic(), deadline, f"hangs: {what}")
            time.sleep(0.002)
        return running.wait()

    def test_a_signal_at_any_moment_of_many_tiny_checkpoints(self):
        random.seed(1)
        for number in range(RUNS["checkpointing"]):
            after = random.uniform(0.2, 0.7)
            running = self.start("whatif", "checkpointing", "run", "file", "--model", "llama3-8b", "--num-processes", 8,
                                 "--size-scale", 0.000001, "--num-checkpoints-write", 20000, "--num-checkpoints-read", 0,
                                 "--checkpoint-folder", "null://", "--io-workers", 64, "--results-dir", self.results,
                                 # Run folders of one system are named by the second, and these runs are shorter.
                                 "--systemname", f"s{number}", "--quiet",
                                 "--params", "checkpoint.time_between_checkpoints=0")
            time.sleep(after)
            os.kill(running.process.pid, signal.SIGTERM)
            done = self.ends(running, f"run {number}, SIGTERM {after:.3f} s after its start")
            # 8: interrupted; -15: so early that nothing listened for signals yet; 0: it was through before.
            self.assertIn(done.status, (0, 8, -signal.SIGTERM), done)

    def test_slow_reads_followed_by_fast_ones(self):
        params = ("dataset.num_files_train=2000", "dataset.record_length_bytes=4096",
                  "dataset.record_length_bytes_stdev=0")
        common = ("--data-dir", self.folder / "data", "--results-dir", self.results, "--systemname", "s", "--quiet",
                  "--skip-fs-separation-gate")
        self.succeeds("whatif", "training", "cosmoflow", "datagen", "file", "--num-processes", 1, *common, "--params",
                      *params)
        slow = ",".join(f"slow=3:read_part@{number}" for number in range(1, 101))
        for number in range(RUNS["training"]):
            running = self.start("whatif", "training", "cosmoflow", "run", "file", "--num-accelerators", 1,
                                 "--accelerator-type", "h100", *common, "--inject-fault", slow, "--params", *params,
                                 "train.epochs=1", "reader.batch_size=1", "train.computation_time=0.0002",
                                 "reader.read_threads=1", "reader.prefetch_size=0")
            done = self.ends(running, f"run {number}")
            self.assertEqual(0, done.status, done)

    def test_a_rank_without_objects(self):
        done = self.ends(self.start(
            "whatif", "checkpointing", "run", "file", "--model", "llama3-8b", "--num-processes", 8, "--size-scale",
            0.0001, "--num-checkpoints-write", 2, "--num-checkpoints-read", 0, "--checkpoint-folder", "null://x",
            "--results-dir", self.results, "--systemname", "s", "--quiet", "--params",
            "model.parallelism.zero_stage=0", "checkpoint.time_between_checkpoints=0"), "ranks 1 to 7 store nothing")
        self.assertEqual(0, done.status, done)


if __name__ == "__main__":
    for name, count in zip(RUNS, sys.argv[1:3]):
        RUNS[name] = int(count)
    unittest.main(argv=sys.argv[:1], verbosity=2)
