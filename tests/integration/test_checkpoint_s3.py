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


class ByGooglesXmlInterface(object_suites.ObjectTest):
    """gs:// with HMAC keys is a dialect of S3, which this server speaks."""

    def test_written_and_read(self):
        done = self.call(*self.run_arguments("object", f"gs://{object_suites.BUCKET}/{self.prefix}", "--verify",
                                             "--io-part-size", "5MiB"), GCS_ENDPOINT_URL=self.server.endpoint)
        record = self.assert_passed(done)
        self.assertEqual(("gs", "XML (HMAC keys)"), (record["store"]["backend"], record["store"]["settings"]["interface"]))
        self.assertEqual(self.planned(), self.stored(self.prefix))
        self.assert_no_open_uploads()
        self.assert_secret_free(done)


class Interruptions(object_suites.Interruptions):
    pass


class Tools(object_suites.Tools):
    pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
