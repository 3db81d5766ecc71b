#!/usr/bin/env python3
"""Runs on two hosts that go wrong: killed processes, a cut cable, and what is refused before anything starts.

An injected hang keeps the job at a known place: mid-write, mid-read, or half of it at a barrier.
"""

import unittest

import fake_gcs
import hosts
import rgw
from multi_host import BUCKET, MultiHostTest, need_hosts
from program import SYSTEM
from sweeps import sweep

# Ranks 0 to 3 are alpha's, 4 to 7 beta's. The second checkpoint's part of a rank never gets written.
HANGS_ON_ALPHA = ("--inject-fault", "hang:write_part:step2/zero_pp_rank_1_mp_rank_0_optim@2")
HANGS_ON_BETA = ("--inject-fault", "hang:write_part:step2/zero_pp_rank_5_mp_rank_0_optim@2")
READ_HANGS_ON_BETA = ("--inject-fault", "hang:read_part:step2/zero_pp_rank_5_mp_rank_0_optim@2")
PARTS = ("--io-part-size", "8MiB")


def setUpModule():
    need_hosts()


class Lost(MultiHostTest):
    """A host is gone in the middle of a run on a shared folder."""

    def start_run(self, *more, protocol="file", where=None):
        return self.start_on_alpha(*self.run_arguments(protocol, where or self.where, *PARTS, *more, *self.on_hosts()))

    def assert_named(self, done, name, process):
        self.assertIn(f"host {name} (process {process}) is gone", done.stderr, done)
        self.assert_no_claim()

    def test_killed_while_it_writes(self):
        running = self.start_run(*HANGS_ON_BETA)
        self.wait_until_stuck(running)
        done = self.kill(running, "beta")
        self.assert_named(done, "beta", 1)
        record = self.assert_not_passed("failed")
        self.assertEqual("E502", record["error"]["code"])
        self.assertIn("host beta (process 1) is gone", record["error"]["message"])

    def test_process_0_killed_while_it_writes(self):
        running = self.start_run(*HANGS_ON_ALPHA)
        self.wait_until_stuck(running)
        self.assert_named(self.kill(running, "alpha"), "alpha", 0)

    def test_killed_while_it_reads(self):
        running = self.start_run(*READ_HANGS_ON_BETA)
        self.wait_until_stuck(running)
        self.assert_named(self.kill(running, "beta"), "beta", 1)

    def test_killed_at_a_barrier(self):
        running = self.start_run(*HANGS_ON_ALPHA)
        self.wait_until_stuck(running)
        self.assert_named(self.kill(running, "beta"), "beta", 1)

    def test_killed_while_it_trains(self):
        data = self.folder / "data"
        self.assert_training_passed(self.call(*self.training("retinanet", "datagen", "file", data)), "retinanet", "datagen")
        running = self.start_on_alpha(*self.training("retinanet", "run", "file", data, "--inject-fault",
                                                     "hang:read_part:img_17", *self.on_hosts()))
        self.wait_until("the run's record", lambda: running.ended() or list(self.results.rglob("run/*/mlpstorage_record.json")))
        self.assert_named_in_training(self.kill(running, "beta"))

    def assert_named_in_training(self, done):
        self.assertIn("host beta (process 1) is gone", done.stderr, done)
        self.assertEqual("failed", self.training_record("retinanet", "run")["verdict"])
        self.assertFalse((self.training_folder("retinanet", "run") / "summary.json").exists())

    def test_cut_off_while_it_writes(self):
        running = self.start_run(*HANGS_ON_ALPHA)
        self.wait_until_stuck(running)
        done = self.cut(running, "beta")
        self.assert_named(done, "beta", 1)
        self.wait_until("the other host's process to end", lambda: self.process_on("beta") is None)

    def test_an_error_on_one_host_ends_all(self):
        done = self.start_run("--inject-fault", "full:write_part:step2/zero_pp_rank_5_mp_rank_0_optim").wait()
        self.assertEqual(3, done.status, done)
        self.assertIn("[E403]", done.stderr, done)
        self.assertIn("host beta (process 1), rank 5: write_part of global_epoch1_step2/zero_pp_rank_5", done.stderr, done)
        self.assertIn("rank 5, write of checkpoint 2", done.stderr, done)
        self.assertEqual("E403", self.assert_not_passed("failed")["error"]["code"])


class LostOnObjects(Lost):
    """The same with uploads under way: none is left open."""

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(self.make_server())
        self.server.make_bucket(BUCKET)
        self.share_gateway(self.server)

    def make_server(self):
        return rgw.Rgw(address=hosts.HUB)

    def start_run(self, *more):
        return super().start_run(*more, protocol="object", where=f"{self.server.scheme}://{BUCKET}/run")

    def assert_named(self, done, name, process):
        super().assert_named(done, name, process)
        self.assertEqual([], self.server.open_uploads(BUCKET))
        self.said = done.stderr

    def test_killed_while_it_writes(self):
        super().test_killed_while_it_writes()
        self.assertRegex(self.said, r"host beta is gone: [1-9]\d* uploads? that it had left open w")

    test_killed_while_it_trains = test_killed_while_it_reads = None
    test_cut_off_while_it_writes = None  # beta can't reach the store to abort
    test_killed_at_a_barrier = sweep(Lost.test_killed_at_a_barrier)
    test_process_0_killed_while_it_writes = sweep(Lost.test_process_0_killed_while_it_writes)
    test_an_error_on_one_host_ends_all = sweep(Lost.test_an_error_on_one_host_ends_all)


@unittest.skipIf(fake_gcs.program() is None, "no fake-gcs-server, which comes from PyPI")
class LostOnGoogle(LostOnObjects):
    """Uploads are temporary objects there, which the first process that is left has to find."""

    def make_server(self):
        return fake_gcs.FakeGcs(address=hosts.HUB)

    test_killed_at_a_barrier = test_an_error_on_one_host_ends_all = test_process_0_killed_while_it_writes = None


@sweep
class LostUnderMpich(LostOnObjects):
    """MPICH tells at once that a process can't be reached."""

    def on_hosts(self, *more, **options):
        return super().on_hosts(*more, **{"launcher": "mpich", **options})

    test_killed_at_a_barrier = test_an_error_on_one_host_ends_all = test_process_0_killed_while_it_writes = None


class Refusals(MultiHostTest):
    """Found before anything is written; no run folder is made."""

    def refused_run(self, status, code, *more):
        done = self.refused(status, code, *self.run_arguments("file", self.where, *more))
        self.assertEqual([], list(self.where.rglob("*.pt")))
        return done

    def test_uneven(self):
        """A run of whatif may be; of the others the nearest legal numbers are named."""
        done = self.refused(2, "E102", "closed", "checkpointing", "run", "file", "--model", "llama3-8b", "--num-processes", 8,
                            "--client-host-memory-in-gb", 16, "--checkpoint-folder", self.where, "--results-dir",
                            self.results, "--systemname", SYSTEM, *self.on_hosts(names=("alpha", "beta", "gamma")))
        self.assertIn("6 or 9", done.stderr)

    def test_too_few_slots(self):
        self.refused_run(2, "E102", *self.on_hosts(names=("alpha:2", "beta:2")))

    def test_unknown_host(self):
        done = self.on_alpha(*self.run_arguments("file", self.where, *self.on_hosts(names=("alpha", "nowhere"))))
        self.assertNotEqual(0, done.status, done)
        self.assertIn("nowhere", done.stderr)
        self.assertEqual([], self.run_folders())

    def test_unknown_launcher(self):
        done = self.on_alpha(*self.run_arguments("file", self.where, "--hosts", "alpha,beta", "--mpi-bin", "no-such-mpirun"))
        self.assertNotEqual(0, done.status, done)
        self.assertIn("no-such-mpirun", done.stderr)

    def test_a_folder_that_is_not_shared(self):
        self.where.mkdir()
        self.hosts.hide("beta", self.where)
        done = self.refused_run(3, "E404", *self.on_hosts())
        self.assertIn("CAP-02", done.stderr)
        self.assertIn("beta", done.stderr)


class ObjectRefusals(MultiHostTest):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(rgw.Rgw(address=hosts.HUB))
        self.server.make_bucket(BUCKET)
        self.share_gateway(self.server)
        self.command = self.run_arguments("object", f"s3://{BUCKET}/run", *self.on_hosts())

    def test_a_store_that_one_host_does_not_reach(self):
        self.assertEqual(0, self.hosts.run("beta", "ip", "route", "add", "unreachable", hosts.HUB).returncode)
        done = self.refused(6, "E601", *self.command)
        self.assertIn("beta", done.stderr)

    def test_a_host_without_credentials(self):
        without = {name: value for name, value in self.server.variables.items() if name != "AWS_SECRET_ACCESS_KEY"}
        self.hosts.set_environment("beta", **without)
        done = self.on_alpha(*self.command)
        self.assertNotEqual(0, done.status, done)
        self.assertIn("AWS_SECRET_ACCESS_KEY", done.stderr)
        self.assertIn("beta", done.stderr)
        self.assertEqual([], self.run_folders())


if __name__ == "__main__":
    unittest.main(verbosity=2)
