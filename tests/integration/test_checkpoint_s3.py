#!/usr/bin/env python3
"""Checkpointing on object storage: the real binary against a real S3 server (Ceph RGW)."""

import unittest

import object_suites
import rgw


def setUpModule():
    object_suites.set_up(rgw.Rgw())


class Checkpoints(object_suites.Checkpoints):
    pass


class WrongCheckpoints(object_suites.WrongCheckpoints):
    pass


class Refusals(object_suites.Refusals):
    def test_wrong_secret(self):
        self.refused(4, "E602", *self.run_arguments("object", self.location()),
                     AWS_SECRET_ACCESS_KEY="this-is-not-the-secret")

    def test_unknown_access_key(self):
        self.refused(4, "E602", *self.run_arguments("object", self.location()), AWS_ACCESS_KEY_ID="nobody")

    def test_no_credentials(self):
        done = self.call(*self.run_arguments("object", self.location()), AWS_SECRET_ACCESS_KEY="")
        self.assertNotEqual(0, done.status, done)
        self.assertIn("AWS_SECRET_ACCESS_KEY", done.stderr)
        self.assertEqual([], self.run_folders())


class Interruptions(object_suites.Interruptions):
    pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
