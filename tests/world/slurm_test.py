#!/usr/bin/env python3
"""Runs mpi_probe under srun of a real Slurm of one node: how its processes join, and how the job ends.

Usage: slurm_test.py openmpi|mpich PROBE   exit status 77 if Slurm is not there or this is not root.
"""

import os
import pathlib
import signal
import sys
import time
import unittest

from probe_job import Job

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import slurm  # noqa: E402

FLAVOUR, PROBE = sys.argv[1], os.path.abspath(sys.argv[2])
PLUGINS = os.path.dirname(PROBE)
KIND = {"openmpi": "pmix", "mpich": "pmi2"}[FLAVOUR]  # the srun --mpi= that suits the library
GONE = "host h{0} (process {0}) is gone: no sign of life for 6 s"


class Srun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(slurm.Slurm())

    def start(self, tasks, scenario, *options, kind=KIND):
        return Job(["srun", f"--mpi={kind}", "-n", str(tasks), *options, PROBE, scenario, PLUGINS],
                   env=self.cluster.environment())

    def test_collectives(self):
        for tasks in (2, 3):
            job = self.start(tasks, "collectives")
            self.assertEqual(job.end(), 0, job.errors)
            hosts = {line["process"]: line["host"] for line in job.said if "host" in line}
            self.assertEqual(hosts, {i: f"h{i}" for i in range(tasks)})
            self.assertIn("joined Slurm's srun", "".join(job.errors))
            microseconds = [line["barrier_us"] for line in job.said if "barrier_us" in line]
            print(f"{FLAVOUR}: srun --mpi={KIND}, {tasks} tasks, a barrier takes {microseconds} us")

    def test_one_task_needs_no_library(self):
        job = self.start(1, "collectives")
        self.assertEqual(job.end(), 0, job.errors)

    def test_an_allocation_is_no_launch_and_mpirun_inside_is_the_nearer(self):
        root = ["--allow-run-as-root"] if FLAVOUR == "openmpi" else []
        job = Job(["salloc", "-n", "4", f"mpirun.{FLAVOUR}", *root, "-n", "2", PROBE, "collectives", PLUGINS],
                  env=self.cluster.environment())
        self.assertEqual(job.end(), 0, job.errors)
        self.assertEqual(sum("host" in line for line in job.said), 2)
        self.assertNotIn("joined Slurm's srun", "".join(job.errors))

    def test_tasks_that_cannot_find_each_other_are_an_error(self):
        job = self.start(2, "collectives", kind="none")
        self.assertEqual(job.end(), 6, job.errors)
        self.assertIn("gives them no way to find each other", "".join(job.errors))

    def test_raised_failure_is_seen_by_all(self):
        job = self.start(3, "raise")
        self.assertEqual(job.end(), 3, job.errors)  # the exit code of a full disk, by way of srun
        message = "host h1 (process 1), rank 17: write /x: no space"
        self.assertEqual(job.failures(), {0: message, 2: message})

    def killed(self, victim, how, *options):
        job = self.start(3, f"wait{victim}", *options)
        pids = job.pids(3)
        begin = time.monotonic()
        os.kill(pids[victim], how)
        status = job.end()
        print(f"{FLAVOUR}: srun --mpi={KIND} {' '.join(options)}: task {victim} got {how.name}: status {status} after "
              f"{time.monotonic() - begin:.1f} s")
        self.assertNotEqual(status, 0)
        self.assertLess(time.monotonic() - begin, 30)
        return job

    def test_killed_task_ends_the_job(self):
        for victim in (0, 1):
            job = self.killed(victim, signal.SIGKILL)
            self.assertIn(f"task {victim}: Killed", "".join(job.errors))
            if FLAVOUR == "openmpi":  # Slurm's plug-in for PMIx kills the others at once
                self.assertEqual(job.failures(), {})
            else:
                self.assertEqual(job.failures(), {i: GONE.format(victim) for i in range(3) if i != victim})

    def test_killed_task_ends_the_job_at_once_if_srun_is_told_so(self):
        job = self.killed(1, signal.SIGKILL, "--kill-on-bad-exit=1")
        self.assertIn("task 1: Killed", "".join(job.errors))

    def test_stopped_task_is_named_by_the_others(self):
        job = self.killed(1, signal.SIGSTOP)
        self.assertEqual(job.failures(), {0: GONE.format(1), 2: GONE.format(1)})


if __name__ == "__main__":
    absent = slurm.missing_programs()
    if absent or os.geteuid() != 0:
        print(f"not installed: {', '.join(absent)}" if absent else "a Slurm for tests takes root")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
