#!/usr/bin/env python3
"""Checkpointing, training and the object commands on MinIO."""

import unittest

import object_suites
import s3_servers


def setUpModule():
    s3_servers.require("minio")
    object_suites.set_up(s3_servers.Minio())


class Checkpoints(object_suites.Checkpoints):
    pass


class WrongCheckpoints(object_suites.WrongCheckpoints):
    pass


class Refusals(object_suites.Refusals):
    def test_wrong_secret(self):
        self.refused(4, "E602", *self.run_arguments("object", self.location()), AWS_SECRET_ACCESS_KEY="this-is-not-the-secret")

    def test_unknown_access_key(self):
        self.refused(4, "E602", *self.run_arguments("object", self.location()), AWS_ACCESS_KEY_ID="nobody")


class Interruptions(object_suites.Interruptions):
    pass


class Tools(object_suites.Tools):
    # It lists the unfinished uploads of a whole key alone, and none below a prefix.
    test_uploads_of_a_killed_run_are_listed_and_aborted = None


class Training(object_suites.Training):
    pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
