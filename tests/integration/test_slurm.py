#!/usr/bin/env python3
"""The benchmarks as job steps of a real Slurm of one node: what they do is what one process does."""

import os
import shutil
import unittest

import slurm
from multi_host import checkpoint_figures, datagen_figures, training_figures
from training import TrainingTest


def setUpModule():
    if os.geteuid() != 0 or slurm.missing_programs():
        raise unittest.SkipTest("takes root, and Slurm")


class UnderSlurm(TrainingTest):
    """Two tasks on one node: two processes of one host name."""

    def setUp(self):
        super().setUp()
        self.cluster = self.enterContext(slurm.Slurm())
        self.variables = {"SLURM_CONF": str(self.cluster.conf)}

    def srun(self, kind, *arguments):
        return self.start(*arguments, before=(shutil.which("srun"), f"--mpi={kind}", "-n", "2")).wait()

    def test_checkpointing_by_each_mpi(self):
        self.assert_passed(self.call(*self.run_arguments("file", self.folder / "one", "--verify", "--seed", 7)))
        figures = checkpoint_figures(self.record())
        for kind in ("pmix", "pmi2"):
            with self.subTest(kind):
                where = self.folder / kind
                done = self.srun(kind, *self.run_arguments("file", where, "--verify", "--seed", 7))
                self.assertEqual(figures, checkpoint_figures(self.assert_passed(done)))

    def test_training(self):
        found = []
        for where, call in ((self.folder / "one", self.call), (self.folder / "two", lambda *words: self.srun("pmix", *words))):
            datagen = call(*self.training("retinanet", "datagen", "file", where, accelerators=4))
            run = call(*self.training("retinanet", "run", "file", where, "--verify", accelerators=4))
            found.append((datagen_figures(self.assert_training_passed(datagen, "retinanet", "datagen")),
                          training_figures(self.assert_training_passed(run, "retinanet", "run"))))
        self.assertEqual(*found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
