#!/usr/bin/env python3
"""Keys from profiles, programs and roles, and the gate with rights that are missing: the real binary against a real S3 server
and its token service (Ceph RGW)."""

import json
import unittest

import rgw
from program import ProgramTest

BUCKET = "roles"
ALL = ["s3:*"]
NO_LIST = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]


def setUpModule():
    """One server for all tests of the file."""
    server = CredentialsTest.server = rgw.Rgw().__enter__()
    unittest.addModuleCleanup(server.stop)
    server.make_bucket(BUCKET)


class CredentialsTest(ProgramTest):
    """A test with a file of profiles of its own, and no keys in its environment."""

    server = None

    def setUp(self):
        super().setUp()
        self.addCleanup(self.server.empty_bucket, BUCKET)

    def profiles(self, text):
        """Writes the profiles; returns the variables that name their file."""
        path = self.folder / "config"
        path.write_text(f"[default]\nregion = {rgw.REGION}\nendpoint_url = {self.server.endpoint}\n{text}")
        return {"AWS_CONFIG_FILE": str(path), "AWS_EC2_METADATA_DISABLED": "true"}

    def base(self):
        return f"[profile base]\naws_access_key_id = {rgw.ACCESS_KEY}\naws_secret_access_key = {rgw.SECRET_KEY}\n"

    def run_with(self, variables, succeeds=True):
        arguments = self.run_arguments("object", f"s3://{BUCKET}/{self.id().rsplit('.', 1)[-1]}", "--verify", "--verbose", write=1,
                                       read=1)
        done = self.call(*arguments, **variables)
        self.assertEqual(succeeds, done.status == 0, done.stderr)
        for secret in (rgw.SECRET_KEY, rgw.ACCESS_KEY):
            self.assertNotIn(secret, done.stdout + done.stderr)
        return done

    def test_a_profile_has_keys_endpoint_and_region(self):
        done = self.run_with(self.profiles(f"aws_access_key_id = {rgw.ACCESS_KEY}\naws_secret_access_key = {rgw.SECRET_KEY}\n"))
        self.assertIn("profile default of", done.stdout + done.stderr)

    def test_a_program_prints_keys(self):
        keys = json.dumps({"Version": 1, "AccessKeyId": rgw.ACCESS_KEY, "SecretAccessKey": rgw.SECRET_KEY})
        printed = self.folder / "keys.json"
        printed.write_text(keys)
        self.run_with(self.profiles(f"credential_process = cat {printed}\n"))

    def test_a_role_is_assumed(self):
        role = self.server.make_role("all", ALL)
        done = self.run_with(self.profiles(f"role_arn = {role}\nsource_profile = base\n{self.base()}"))
        self.assertIn(f"role {role}", done.stdout + done.stderr)

    def test_a_role_that_is_not_there_is_refused_in_the_services_words(self):
        done = self.run_with(self.profiles(f"role_arn = arn:aws:iam:::role/none\nsource_profile = base\n{self.base()}"), False)
        self.assertIn("E602", done.stderr)
        self.assertIn("arn:aws:iam:::role/none", done.stderr)

    def test_a_missing_right_to_list_is_found_before_the_first_byte(self):
        role = self.server.make_role("blind", NO_LIST)
        done = self.run_with(self.profiles(f"role_arn = {role}\nsource_profile = base\n{self.base()}"), False)
        self.assertIn("E602", done.stderr)
        self.assertEqual({}, self.server.list_objects(BUCKET))
        self.assertEqual([], self.server.open_uploads(BUCKET))


if __name__ == "__main__":
    unittest.main()
