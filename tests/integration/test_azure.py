#!/usr/bin/env python3
"""Checkpointing and training on Azure Blob storage: the real binary against Azurite, looked at with Microsoft's own client."""

import datetime
import shutil
import unittest

import azurite
import object_suites
import test_training_datagen
from object_suites import BUCKET
from sweeps import sweep


def setUpModule():
    azurite.require()
    object_suites.set_up(azurite.Azurite())


class Checkpoints(object_suites.Checkpoints):
    test_bare_and_qualified_folder_store_the_same_objects = sweep(
        object_suites.Checkpoints.test_bare_and_qualified_folder_store_the_same_objects)
    test_the_log_of_a_run_is_played_elsewhere = sweep(object_suites.Checkpoints.test_the_log_of_a_run_is_played_elsewhere)

    def test_the_account_may_stand_in_the_location(self):
        """In every way to write one; the last run reads what the first ones wrote."""
        other = {"AZURE_STORAGE_ACCOUNT": ""}
        key = f"{azurite.ACCOUNT}/{BUCKET}/{self.prefix}"
        self.assert_passed(self.call(*self.run_arguments("object", f"az://{key}", write=1, read=0), **other), 1, 0)
        self.assert_passed(self.call(*self.run_arguments("object", f"azure://{key}", "--verify", write=0, read=1), **other),
                           0, 1)
        self.assert_passed(self.call(*self.run_arguments("object", key, "--verify", write=0, read=1),
                                     STORAGE_URI_SCHEME="az", **other), 0, 1)
        self.assertEqual(self.planned(1), self.stored(self.prefix))

    def test_connection_strings_and_sas_tokens(self):
        from azure.storage.blob import (AccountSasPermissions, ResourceTypes,  # pylint: disable=import-error
                                        generate_account_sas)
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        token = generate_account_sas(azurite.ACCOUNT, azurite.KEY, ResourceTypes(container=True, object=True),
                                     AccountSasPermissions.from_string("rwdlac"), end)
        base = {name: "" for name in self.server.variables}
        endpoint = f"BlobEndpoint={self.server.endpoint}/{azurite.ACCOUNT}"
        ways = [
            {"AZURE_STORAGE_CONNECTION_STRING": f"AccountName={azurite.ACCOUNT};AccountKey={azurite.KEY};{endpoint}"},
            {"AZURE_STORAGE_CONNECTION_STRING": f"{endpoint};SharedAccessSignature={token}"},
            {"AZURE_STORAGE_SAS_TOKEN": "?" + token, "AZURE_STORAGE_ACCOUNT_NAME": azurite.ACCOUNT,
             "AZURE_BLOB_ENDPOINT_URL": self.server.endpoint},
            {"AZURE_STORAGE_ACCOUNT_KEY": azurite.KEY, "AZURE_STORAGE_ACCOUNT": azurite.ACCOUNT,
             "AZURE_STORAGE_ENDPOINT": f"{self.server.endpoint}/{azurite.ACCOUNT}", "MLPSTORAGE_AZURE_CHECKSUM": "md5"},
        ]
        for way in ways:
            done = self.call(*self.run_arguments("object", self.location(), "--verify", "--io-part-size", "8MiB", write=1,
                                                 read=1), **{**base, **way})
            self.assert_passed(done, 1, 1)
            self.assert_secret_free(done)
            self.assertNotIn(token, done.stdout + done.stderr)
        self.assert_no_open_uploads()

    def test_names_with_every_kind_of_character(self):
        prefix = f"{self.prefix}/a b+c%41&=é~'(x)/ü"
        done = self.call(*self.run_arguments("object", f"az://{BUCKET}/{prefix}", "--verify", "--io-part-size", "8MiB", write=1,
                                             read=1))
        self.assert_passed(done, 1, 1)
        self.assertEqual(self.planned(1), self.stored(prefix))

    def test_what_others_wrote_in_other_blocks_is_read(self):
        """The same content, put by another client as blocks of its own sizes and ids, and as one blob."""
        self.succeeds(*self.run_arguments("object", self.location(), "--seed", 7, write=1, read=0))
        for key in sorted(self.planned(1))[:3]:
            content = self.server.get(BUCKET, f"{self.prefix}/{key}")
            blob = self.server.client.get_blob_client(BUCKET, f"{self.prefix}/{key}")
            blob.delete_blob()
            blob.upload_blob(content, length=len(content), max_concurrency=2)
        self.assert_passed(self.call(*self.run_arguments("object", self.location(), "--seed", 7, "--verify", write=0,
                                                         read=1)), 0, 1)


class WrongCheckpoints(object_suites.WrongCheckpoints):
    pass


class Refusals(object_suites.Refusals):
    def test_wrong_key(self):
        self.refused(4, "E602", *self.run_arguments("object", self.location()), AZURE_STORAGE_KEY="d3Jvbmc=")

    def test_a_key_that_is_none_is_found_before_any_request(self):
        before = len(self.server.requests())
        done = self.refused(2, "E102", *self.run_arguments("object", self.location()), AZURE_STORAGE_KEY=azurite.KEY + "\n ")
        self.assertIn("AZURE_STORAGE_KEY", done.stderr)
        self.assertEqual(before, len(self.server.requests()))

    def test_a_token_that_may_only_read(self):
        from azure.storage.blob import ContainerSasPermissions, generate_container_sas  # pylint: disable=import-error
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        token = generate_container_sas(azurite.ACCOUNT, BUCKET, account_key=azurite.KEY,
                                       permission=ContainerSasPermissions(read=True, list=True), expiry=end)
        done = self.refused(4, "E602", *self.run_arguments("object", self.location()), AZURE_STORAGE_KEY="",
                            AZURE_STORAGE_SAS_TOKEN=token)
        self.assertIn("racwdl", done.stderr)
        self.assertNotIn(token.split("sig=")[1], done.stdout + done.stderr)

    def test_no_credentials(self):
        done = self.refused(2, "E101", *self.run_arguments("object", self.location()), AZURE_STORAGE_KEY="")
        self.assertIn("AZURE_STORAGE_SAS_TOKEN", done.stderr)


class Tools(object_suites.Tools):
    # Azurite still works on blocks that were on their way when the run was killed, and stores them after the abort.
    stores_late = True

    def shown(self, name):
        return self.location(name).replace("az://", f"az://{azurite.ACCOUNT}/")


    def test_an_empty_blob_is_no_upload(self):
        self.assertEqual("", self.tool("uploads", self.location()).stdout)
        self.tool("uploads", self.location(), "--abort")
        self.assertEqual(0, self.stored(self.prefix)["a"])


class Interruptions(object_suites.Interruptions):
    def test_blocks_that_are_given_up_stay_only_beside_blobs_of_an_earlier_checkpoint(self):
        """And these blobs are what they were."""
        self.succeeds(*self.run_arguments("object", self.location(), "--seed", 7, write=1, read=0))
        before = self.server.list_objects(BUCKET, self.prefix)
        done = self.interrupt(self.start_uploading(), lambda: bool(self.server.open_uploads(BUCKET)))
        self.assertEqual(8, done.status, done)
        after = self.server.list_objects(BUCKET, self.prefix)
        for key, _ in self.server.open_uploads(BUCKET):
            self.assertEqual(before[key], after[key], key)


class Training(object_suites.Training):
    pass


class Generation(test_training_datagen.Objects):
    """Killed, interrupted and resumed, as on files; what is there is fetched by Microsoft's client."""

    @classmethod
    def setUpClass(cls):
        cls.server = object_suites.ObjectTest.server
        cls.server.make_bucket(test_training_datagen.BUCKET)
        cls.variables = cls.server.variables

    def setUp(self):
        super().setUp()
        self.where = self.where.replace("s3://", "az://")

    def fetched(self):
        folder = self.folder / "fetched"
        shutil.rmtree(folder, ignore_errors=True)
        for name in self.stored():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.server.get(test_training_datagen.BUCKET, f"{self.prefix}/unet3d/{name}"))
        return test_training_datagen.digests(folder)


if __name__ == "__main__":
    unittest.main(verbosity=2)
