#!/usr/bin/env python3
"""Runs on several hosts on Azure Blob storage: the real binary, two network namespaces, and Azurite on the hub."""

import unittest

import azurite
import hosts
import test_multi_host_failures
from multi_host import BUCKET, MultiHostTest, need_hosts


def setUpModule():
    azurite.require()
    need_hosts()


def serve(test):
    """Starts a server that both hosts of the test reach."""
    test.server = test.enterContext(azurite.Azurite(address=hosts.HUB))
    test.server.make_bucket(BUCKET)
    test.share_gateway(test.server)


class Together(MultiHostTest):
    def setUp(self):
        super().setUp()
        serve(self)

    def test_checkpoints(self):
        done = self.on_alpha(*self.run_arguments("object", f"az://{BUCKET}/run", "--verify", "--io-part-size", "8MiB",
                                                 *self.on_hosts()))
        self.assert_passed(done)
        self.assertEqual(self.planned(), {key.removeprefix("run/"): size
                                          for key, size in self.server.list_objects(BUCKET).items()})
        self.assertEqual([], self.server.open_uploads(BUCKET))
        for text in (done.stdout, done.stderr, *(path.read_text(errors="replace") for path in self.run_folder().rglob("*.*"))):
            self.assertNotIn(azurite.KEY, text)

    def test_training(self):
        for command, flags in (("datagen", ()), ("run", ("--verify",))):
            done = self.on_alpha(*self.training("retinanet", command, "object", f"az://{BUCKET}/set", *flags,
                                                *self.on_hosts(), accelerators=4))
            self.assert_training_passed(done, "retinanet", command)
        self.assertEqual([], self.server.open_uploads(BUCKET))


class Lost(test_multi_host_failures.LostOnObjects):
    """A host that is killed while it writes: the others discard its blocks."""

    def setUp(self):
        MultiHostTest.setUp(self)
        serve(self)

    def start_run(self, *more):
        return test_multi_host_failures.Lost.start_run(self, *more, protocol="object", where=f"az://{BUCKET}/run")

    test_killed_at_a_barrier = test_an_error_on_one_host_ends_all = test_process_0_killed_while_it_writes = None


if __name__ == "__main__":
    unittest.main(verbosity=2)
