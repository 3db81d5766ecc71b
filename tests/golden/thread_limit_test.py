"""A training run on files, which also checks them and evicts their pages on many threads, under every small limit of threads:
it either passes or names the limits, and never aborts. (tests/integration/test_limits.py has the runs without files.)"""

import os
import resource
import subprocess
import unittest

import program
from program import ProgramTest

# Enough files for every thread that asks for them; their pages are evicted before the run.
DATA = "dataset.num_files_train=40 dataset.record_length_bytes=4096 dataset.record_length_bytes_stdev=0"
TRAIN = ("training unet3d run file --num-accelerators 2 --accelerator-type h100 --io-workers 3 --params train.epochs=1 "
         f"reader.batch_size=2 train.computation_time=0.0001 {DATA}")
GENERATE = f"training unet3d datagen file --num-processes 2 --io-workers 3 --params {DATA}"


@unittest.skipIf(os.getuid() != 0, "needs root, to run as a user without other processes")
class ThreadLimit(ProgramTest):
    def setUp(self):
        super().setUp()
        self.expect(["init", "acme", self.path("results")], 0)
        self.user = 100_000 + os.getpid()  # the limit counts all threads of a user
        for folder, _, names in os.walk(self.folder):
            for path in [folder, *(os.path.join(folder, name) for name in names)]:
                os.chown(path, self.user, self.user)

    def run_limited(self, limit, command):
        def become_user():
            resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
            os.setgroups([])
            os.setgid(self.user)
            os.setuid(self.user)

        return subprocess.run([program.BINARY, "whatif", *command.split(), "--results-dir", self.path("results"),
                               "--systemname", "s", "--skip-fs-separation-gate"], cwd=self.path("work"),
                              env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False, preexec_fn=become_user)

    def check(self, command, fewest):
        """Every limit below `fewest` is too low, and named; so is any above it that the run does not pass under."""
        passed = False
        for limit in *range(1, 10), 12, 16, 40:
            with self.subTest(command, limit=limit):
                done = self.run_limited(limit, command)
                if done.returncode == 0:
                    self.assertGreaterEqual(limit, fewest)
                    passed = True
                    continue
                self.assertEqual(6, done.returncode, done.stderr)
                self.assertIn("[E201] ", done.stderr)
                self.assertIn("the system refused to start ", done.stderr)
                self.assertIn(f"(ulimit -u) {limit}", done.stderr)
                self.assertNotIn("defect", done.stderr)
        self.assertTrue(passed, "no limit was high enough: the test tests nothing")

    def test_training(self):
        data = f" --data-dir {self.path('work')}"
        self.assertEqual(0, self.run_limited(1000, GENERATE + data).returncode)
        self.check(TRAIN + data, 4)


if __name__ == "__main__":
    program.main()
