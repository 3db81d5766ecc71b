#!/usr/bin/env python3
"""Runs mpi_probe under the real mpirun of one MPI: what the processes see, and how the job ends.

Usage: mpi_test.py openmpi|mpich PROBE   exit status 77 if that mpirun is not there.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from probe_job import Job

FLAVOUR, PROBE = sys.argv[1], os.path.abspath(sys.argv[2])
MPIRUN = shutil.which(f"mpirun.{FLAVOUR}")
# As launch.cpp has them: one that dies leaves the others alive.
RECOVERY = {"openmpi": ["--mca", "orte_abort_on_non_zero_status", "0"], "mpich": ["-genvnone", "-disable-auto-cleanup"]}[FLAVOUR]
PLUGINS = os.path.dirname(PROBE)


def launcher(processes, options=()):
    command = [MPIRUN, "-n", str(processes)]
    if FLAVOUR == "openmpi":
        command += ["--oversubscribe", "--bind-to", "none"]
        command += ["--allow-run-as-root"] if os.geteuid() == 0 else []
    return command + list(options)


def start(processes, scenario, options=()):
    return Job(launcher(processes, options) + [PROBE, scenario, PLUGINS])


@unittest.skipUnless(MPIRUN, "no such mpirun")
class Mpi(unittest.TestCase):
    def test_collectives(self):
        for processes in (2, 3, 4):
            job = start(processes, "collectives")
            self.assertEqual(job.end(), 0, job.errors)
            hosts = {line["process"]: line["host"] for line in job.said if "host" in line}
            self.assertEqual(hosts, {i: f"h{i}" for i in range(processes)})
            clocks = [line for line in job.said if "clock_ns" in line]
            self.assertTrue(all(abs(line["clock_ns"]) <= line["clock_error_ns"] for line in clocks), clocks)
            microseconds = [line["barrier_us"] for line in job.said if "barrier_us" in line]
            print(f"{FLAVOUR}: {processes} processes, a barrier takes {microseconds} us, "
                  f"clocks within {clocks[0]['clock_error_ns'] / 1000:.1f} us")

    def test_one_process_needs_no_library(self):
        job = start(1, "collectives")
        self.assertEqual(job.end(), 0, job.errors)

    def ends_with(self, status, job, options=()):
        """The launcher returns our exit status. Hydra by itself kills whoever is not out yet when the first has left, and
        then it may return the signal."""
        legal = (status, 9) if FLAVOUR == "mpich" and not options else (status,)
        self.assertIn(job.end(), legal, job.errors)

    def test_raised_failure_is_seen_by_all(self):
        for options in ((), RECOVERY):
            job = start(3, "raise", options)
            self.ends_with(3, job, options)  # the exit code of a full disk
            message = "host h1 (process 1), rank 17: write /x: no space"
            self.assertEqual(job.failures(), {0: message, 2: message})

    def killed(self, victim, options, how=signal.SIGKILL):
        job = start(3, f"wait{victim}", options)
        pids = job.pids(3)
        begin = time.monotonic()
        os.kill(pids[victim], how)
        status = job.end()
        elapsed = time.monotonic() - begin
        if how == signal.SIGSTOP:
            try:
                os.kill(pids[victim], signal.SIGKILL)
            except ProcessLookupError:
                pass
        print(f"{FLAVOUR}: process {victim} got {how.name}, options {list(options)}: status {status} after {elapsed:.1f} s")
        self.assertNotEqual(status, 0)
        self.assertLess(elapsed, 10)
        return job

    def test_killed_process_is_named_by_the_others(self):
        for victim in (0, 1):
            job = self.killed(victim, RECOVERY)
            message = f"host h{victim} (process {victim}) is gone: no sign of life for 6 s"
            expected = {i: message for i in range(3) if i != victim}
            if FLAVOUR == "openmpi":
                self.assertEqual(job.failures(), expected)
            else:  # Hydra now and then kills the others itself although it was told not to, and reports it
                self.assertLessEqual(job.failures().items(), expected.items())
                self.assertIn("Killed (signal 9)", "".join(job.errors + job.other))

    def test_stopped_process_is_named_by_the_others(self):
        job = self.killed(1, RECOVERY, signal.SIGSTOP)
        message = "host h1 (process 1) is gone: no sign of life for 6 s"
        self.assertEqual({i: text for i, text in job.failures().items() if i != 1}, {0: message, 2: message})

    def test_killed_process_ends_a_job_started_by_hand(self):
        for victim in (0, 1):
            self.killed(victim, ())

    def test_versions_differ(self):
        job = start(3, "version")
        self.ends_with(2, job)
        message = "host h1 (process 1) runs probe 2, but host h0 (process 0) runs probe 1"
        self.assertEqual(job.failures(), {i: message for i in range(3)})

    def test_job_without_library_is_an_error(self):
        child = subprocess.run(launcher(2) + [PROBE, "wait", "/nowhere"], capture_output=True, text=True, timeout=60)
        self.assertNotEqual(child.returncode, 0)
        self.assertIn(f"/nowhere/mlps_mpi_{FLAVOUR}.so: not there", child.stdout + child.stderr)


if __name__ == "__main__":
    if not MPIRUN:
        print(f"mpirun.{FLAVOUR} is not there")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
