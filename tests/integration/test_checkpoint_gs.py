#!/usr/bin/env python3
"""Checkpointing on gs:// by the JSON API: the real binary against fake-gcs-server, plain and TLS, with and without tokens."""

import unittest

import fake_gcs
import google_front
import object_suites
from object_suites import BUCKET
from sweeps import sweep


def setUpModule():
    fake_gcs.require()
    object_suites.set_up(fake_gcs.FakeGcs())


class Checkpoints(object_suites.Checkpoints):
    test_bare_and_qualified_folder_store_the_same_objects = sweep(
        object_suites.Checkpoints.test_bare_and_qualified_folder_store_the_same_objects)
    test_the_log_of_a_run_is_played_elsewhere = sweep(object_suites.Checkpoints.test_the_log_of_a_run_is_played_elsewhere)


class WrongCheckpoints(object_suites.WrongCheckpoints):
    pass


class Refusals(object_suites.Refusals):
    def test_a_file_of_credentials_that_is_not_there(self):
        done = self.call(*self.run_arguments("object", self.location()), GOOGLE_APPLICATION_CREDENTIALS="/nowhere.json")
        self.assertNotEqual(0, done.status, done)
        self.assertIn("GOOGLE_APPLICATION_CREDENTIALS", done.stderr)
        self.assertEqual([], self.run_folders())


class Interruptions(object_suites.Interruptions):
    pass


class Tools(object_suites.Tools):
    pass


class OverTls(object_suites.ObjectTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = fake_gcs.FakeGcs(tls=True).__enter__()
        cls.addClassCleanup(cls.server.stop)
        cls.server.make_bucket(BUCKET)

    def test_written_and_read(self):
        record = self.assert_passed(self.call(*self.run_arguments("object", self.location(), "--verify", "--io-part-size",
                                                                  "1MiB", write=1, read=1)), 1, 1)
        self.assertIn("verified", record["store"]["settings"]["tls"])
        self.assertEqual(self.planned(1), self.stored(self.prefix))
        self.assert_no_open_uploads()

    def test_a_certificate_that_nobody_vouches_for(self):
        done = self.fails(6, "E601", *self.run_arguments("object", self.location()), AWS_CA_BUNDLE="")
        self.assertIn("AWS_CA_BUNDLE", done.stderr)
        self.assertEqual([], self.run_folders())


class WithTokens(object_suites.ObjectTest):
    """A front that lets nobody in without a token that is valid at that moment, and hands tokens out for two seconds."""

    def setUp(self):
        super().setUp()
        self.front = self.enterContext(google_front.Front(self.server.endpoint, token_seconds=2))

    def write_and_read(self, **variables):
        """For longer than a token is valid."""
        done = self.call(*self.run_arguments("object", self.location(), "--verify", "--params",
                                             "checkpoint.time_between_checkpoints=3", write=2, read=2),
                         STORAGE_EMULATOR_HOST="", GCS_ENDPOINT_URL=self.front.endpoint, **variables)
        record = self.assert_passed(done, 2, 2)
        self.assertEqual(0, self.front.refused, "a request came with a token that had ended")
        self.assertGreater(self.front.issued, 1)
        self.assertEqual(self.planned(2), self.stored(self.prefix))
        self.assert_no_open_uploads()
        for path in self.results.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"bearer-", path.read_bytes(), path)
        return record

    def test_a_service_account(self):
        key = self.front.service_account(self.folder / "key.json")
        record = self.write_and_read(GOOGLE_APPLICATION_CREDENTIALS=str(key))
        self.assertIn("service account", record["store"]["settings"]["identity"])

    @sweep
    def test_a_google_machine(self):
        record = self.write_and_read(GCE_METADATA_HOST=self.front.authority)
        self.assertIn("metadata server", record["store"]["settings"]["identity"])

    def test_a_key_that_the_token_service_does_not_know(self):
        key = self.front.service_account(self.folder / "key.json", known=False)
        done = self.fails(4, "E602", *self.run_arguments("object", self.location()), STORAGE_EMULATOR_HOST="",
                          GCS_ENDPOINT_URL=self.front.endpoint, GOOGLE_APPLICATION_CREDENTIALS=str(key))
        self.assertIn("invalid_grant", done.stderr)
        self.assertEqual([], self.run_folders())

    def test_nobody_is_let_in(self):
        done = self.fails(4, "E602", *self.run_arguments("object", self.location()), STORAGE_EMULATOR_HOST="",
                          GCS_ENDPOINT_URL=self.front.endpoint, MLPSTORAGE_GCS_CREDENTIALS="none")
        self.assertIn("GOOGLE_APPLICATION_CREDENTIALS", done.stderr)


@unittest.skipIf(fake_gcs.google_client() is None, "no google-cloud-storage: scripts/setup.sh test gets it from PyPI")
class ByAnotherClient(object_suites.ObjectTest):
    """google-cloud-storage, in a Python of its own."""

    def client(self, program):
        return fake_gcs.google_client(self.server.endpoint, BUCKET, program)

    def test_it_reads_what_we_wrote_and_we_what_it_wrote(self):
        self.assert_passed(self.call(*self.run_arguments("object", self.location("/ours"), "--seed", 7, "--io-part-size",
                                                         "256KiB", write=1, read=0)), 1, 0)
        copied = self.client(f"""
for blob in client.list_blobs(bucket, prefix={self.prefix + '/ours/'!r}):
    content = blob.download_as_bytes(checksum="crc32c")
    assert len(content) == blob.size
    name = blob.name.replace("/ours/", "/theirs/")
    bucket.blob(name, chunk_size=1 << 20).upload_from_string(content, checksum="crc32c")
    print(name, len(content))
""")
        self.assertEqual(len(self.planned(1)), len(copied.splitlines()), copied)
        self.assertEqual(self.planned(1), self.stored(f"{self.prefix}/theirs"))
        self.assert_passed(self.call(*self.run_arguments("object", self.location("/theirs"), "--seed", 7, "--verify",
                                                         write=0, read=1)), 0, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
