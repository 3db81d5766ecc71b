#!/usr/bin/env python3
"""Checkpointing on object storage: the real binary against a real S3 server (Ceph RGW)."""

import os
import pathlib
import signal
import unittest

import daemons
import rgw
from program import ProgramTest

BUCKET = "checkpoints"
ONE_MIB = 1 << 20


def setUpModule():
    """One server for all tests of the file."""
    server = ObjectTest.server = rgw.Rgw().__enter__()
    unittest.addModuleCleanup(server.stop)
    server.make_bucket(BUCKET)
    ObjectTest.variables = server.variables


class ObjectTest(ProgramTest):
    """A test with a prefix of its own in the common bucket, which it leaves empty."""

    server = None

    def setUp(self):
        super().setUp()
        self.prefix = self.id().rsplit(".", 1)[-1]
        self.addCleanup(self.server.empty_bucket, BUCKET)

    def stored(self, prefix):
        return {key.removeprefix(prefix + "/"): size
                for key, size in self.server.list_objects(BUCKET, prefix + "/").items()}

    def assert_no_open_uploads(self):
        self.assertEqual([], self.server.open_uploads(BUCKET))

    def assert_secret_free(self, *finished):
        """Neither what was printed nor any file of any run holds a credential."""
        for done in finished:
            for secret in (rgw.SECRET_KEY, rgw.ACCESS_KEY):
                self.assertNotIn(secret, done.stdout + done.stderr)
        for path in pathlib.Path(self.results).rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                for secret in (rgw.SECRET_KEY, rgw.ACCESS_KEY):
                    self.assertNotIn(secret.encode(), content, path)


class Objects(ObjectTest):
    def test_bare_and_qualified_folder_store_the_same_objects(self):
        finished = []
        planned = self.planned()
        for name, scheme in (("bare", ""), ("qualified", "s3://")):
            prefix = f"{self.prefix}/{name}"
            done = self.call(*self.run_arguments("object", f"{scheme}{BUCKET}/{prefix}", "--verify"))
            record = self.assert_passed(done)
            [check] = record["cross_check"]  # the server is this host: both directions are bytes of lo
            self.assertEqual("lo", check["counters"], check)
            self.assertIn(check["result"], ("agrees", "more"), check)
            self.assertEqual(planned, self.stored(prefix))
            self.assertEqual("s3", record["store"]["backend"])
            self.assertLess(done.peak_rss_bytes, 512 * ONE_MIB)
            finished.append(done)
        self.assert_no_open_uploads()
        self.assert_secret_free(*finished)

    def test_the_scheme_variable_serves_a_bare_folder_and_no_other(self):
        bare, qualified = f"{BUCKET}/{self.prefix}/bare", f"s3://{BUCKET}/{self.prefix}/qualified"
        self.assert_passed(self.call(*self.run_arguments("object", bare, write=1, read=0),
                                     MLPSTORAGE_CHECKPOINT_URI_SCHEME="s3"), 1, 0)
        self.assert_passed(self.call(*self.run_arguments("object", qualified, write=1, read=0),
                                     MLPSTORAGE_CHECKPOINT_URI_SCHEME="direct"), 1, 0)
        self.assertEqual(self.planned(1), self.stored(f"{self.prefix}/bare"))
        self.assertEqual(self.planned(1), self.stored(f"{self.prefix}/qualified"))

    def test_written_by_one_invocation_and_read_by_the_next(self):
        where = f"s3://{BUCKET}/{self.prefix}"
        self.assert_passed(self.call(*self.run_arguments("object", where, read=0)), 2, 0)
        self.assert_passed(self.call(*self.run_arguments("object", where, "--verify", write=0)), 0, 2)

    def test_closed_dry_run_needs_no_server(self):
        done = self.succeeds("closed", "checkpointing", "run", "object", "--model", "llama3-8b", "--num-processes", 8,
                             "--client-host-memory-in-gb", 16, "--checkpoint-folder", f"s3://{BUCKET}/{self.prefix}",
                             "--results-dir", self.results, "--systemname", "test-machine", "--dry-run",
                             AWS_ENDPOINT_URL="http://127.0.0.1:1")
        self.assertIn("112,425,623,552", done.stdout)


class WrongObjects(ObjectTest):
    def setUp(self):
        super().setUp()
        self.where = f"s3://{BUCKET}/{self.prefix}"
        self.succeeds(*self.run_arguments("object", self.where, "--seed", 7, write=1, read=0))
        self.victim, self.size = sorted(self.planned(1).items())[-1]

    def read_fails(self, status, code, *flags):
        done = self.fails(status, code, *self.run_arguments("object", self.where, "--seed", 7, *flags, write=0, read=1))
        self.assertIn(os.path.basename(self.victim), done.stderr)
        self.assert_not_passed("failed")

    def replace(self, size):
        other = self.folder / "other"
        other.write_bytes(os.urandom(size))
        self.server.s3cmd("put", str(other), f"s3://{BUCKET}/{self.prefix}/{self.victim}")

    def test_other_bytes_of_the_same_size_are_found(self):
        self.replace(self.size)
        self.read_fails(6, "E606", "--verify")

    def test_another_size_is_named_before_reading(self):
        self.replace(self.size - 1)
        self.read_fails(6, "E606")

    def test_a_missing_object_is_named_before_reading(self):
        self.server.s3cmd("del", f"s3://{BUCKET}/{self.prefix}/{self.victim}")
        self.read_fails(3, "E603")


class Refusals(ObjectTest):
    """Found before anything is written; no run folder is made."""

    def refused(self, status, code, *arguments, **variables):
        done = self.fails(status, code, *arguments, **variables)
        self.assertEqual([], self.run_folders())
        self.assert_secret_free(done)
        return done

    def test_missing_bucket(self):
        done = self.refused(3, "E603", *self.run_arguments("object", "s3://no-such-bucket/x"))
        self.assertIn("no-such-bucket", done.stderr)

    def test_wrong_secret(self):
        self.refused(4, "E602", *self.run_arguments("object", f"s3://{BUCKET}/{self.prefix}"),
                     AWS_SECRET_ACCESS_KEY="this-is-not-the-secret")

    def test_unknown_access_key(self):
        self.refused(4, "E602", *self.run_arguments("object", f"s3://{BUCKET}/{self.prefix}"), AWS_ACCESS_KEY_ID="nobody")

    def test_no_credentials(self):
        done = self.call(*self.run_arguments("object", f"s3://{BUCKET}/{self.prefix}"), AWS_SECRET_ACCESS_KEY="")
        self.assertNotEqual(0, done.status, done)
        self.assertIn("AWS_SECRET_ACCESS_KEY", done.stderr)
        self.assertEqual([], self.run_folders())

    def test_nobody_listens(self):
        done = self.refused(6, "E601", *self.run_arguments("object", f"s3://{BUCKET}/{self.prefix}"),
                            AWS_ENDPOINT_URL=f"http://127.0.0.1:{daemons.free_port()}")
        self.assertIn("127.0.0.1", done.stderr)

    def test_two_schemes(self):
        done = self.call(*self.run_arguments("object", f"s3://s3://{BUCKET}/x"))
        self.assertEqual(2, done.status, done)
        self.assertIn(f"s3://s3://{BUCKET}/x", done.stderr)

    def test_o_direct_goes_with_files_only(self):
        done = self.call(*self.run_arguments("object", f"s3://{BUCKET}/x", "--o-direct"))
        self.assertEqual(2, done.status, done)


class Interruptions(ObjectTest):
    def start_uploading(self):
        """A run that has parts of multipart uploads under way for some seconds at least."""
        return self.start(*self.run_arguments("object", f"s3://{BUCKET}/{self.prefix}", "--io-part-size", "8MiB",
                                              "--params", "checkpoint.time_between_checkpoints=0", write=20, read=0))

    def uploading(self):
        return bool(self.server.list_objects(BUCKET, self.prefix + "/llama3-8b/global_epoch1_"))

    def test_control_c_aborts_open_uploads(self):
        done = self.interrupt(self.start_uploading(), self.uploading)
        self.assertEqual(8, done.status, done)
        self.assert_not_passed("interrupted")
        self.assert_no_open_uploads()
        self.assert_secret_free(done)

    def test_a_killed_run_leaves_a_record_that_says_incomplete(self):
        done = self.interrupt(self.start_uploading(), self.uploading, signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, done.status)
        self.assert_not_passed("incomplete")
        self.server.abort_uploads(BUCKET)

    def test_a_server_that_goes_away_fails_the_run(self):
        running = self.start_uploading()
        self.wait_until("the first object", lambda: running.ended() or self.uploading())
        self.server.stop_gateway()
        self.addCleanup(self.server.abort_uploads, BUCKET)
        try:
            done = running.wait()
        finally:
            self.server.start_gateway()
        self.assertEqual(6, done.status, done)
        self.assertIn("[E601]", done.stderr)
        self.assertEqual("E601", self.assert_not_passed("failed")["error"]["code"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
