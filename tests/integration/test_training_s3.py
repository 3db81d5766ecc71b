#!/usr/bin/env python3
"""The training benchmark on object storage: data generated on and read from a real S3 server (Ceph RGW), counted by the
server's own access log."""

import collections
import json
import unittest

import rgw
from training import TrainingTest

BUCKET = "training"
EPOCHS = 2


def setUpModule():
    """One server for all tests of the file."""
    server = ObjectTraining.server = rgw.Rgw().__enter__()
    unittest.addModuleCleanup(server.stop)
    server.make_bucket(BUCKET)
    ObjectTraining.variables = server.variables


class ObjectTraining(TrainingTest):
    server = None

    def setUp(self):
        super().setUp()
        self.where = f"s3://{BUCKET}/{self.id().rsplit('.', 1)[-1]}"
        self.prefix = self.where.removeprefix("s3://")
        self.addCleanup(self.server.empty_bucket, BUCKET)

    def generate(self, model, *more):
        done = self.call(*self.training(model, "datagen", "object", self.where, *more))
        self.assert_training_passed(done, model, "datagen")
        self.assertEqual([], self.server.open_uploads(BUCKET))
        key = self.prefix.removeprefix(BUCKET + "/")
        return {name: size for name, size in self.server.list_objects(BUCKET, f"{key}/{model}/").items()
                if "/train/" in name}

    def read(self, model, *more):
        """Runs it, and returns the record and {(key, range): times} of what the server handed out of the data set."""
        before = len(self.server.requests())
        done = self.call(*self.training(model, "run", "object", self.where, "--verify", *more, epochs=EPOCHS))
        record = self.assert_training_passed(done, model, "run")
        reads = collections.Counter((path, asked) for method, path, status, _sent, asked in self.server.requests()[before:]
                                    if method == "GET" and "/train/" in path and status in (200, 206))
        return record, reads

    def assert_read_once_per_epoch(self, objects, reads):
        """Each range exactly once per epoch, and together each object as a whole."""
        self.assertEqual({EPOCHS}, set(reads.values()))
        covered = collections.defaultdict(list)
        for path, asked in reads:
            first, last = map(int, asked.removeprefix("bytes=").split("-"))
            covered[path.removeprefix(BUCKET + "/")].append((first, last + 1))
        self.assertEqual(set(objects), set(covered))
        for name, ranges in covered.items():
            end = 0
            for first, last in sorted(ranges):
                self.assertEqual(end, first, f"{name}: a gap or an overlap")
                end = last
            self.assertEqual(objects[name], end, name)

    def assert_metrics_agree(self, model, record, objects):
        """Bytes and samples of the record and of summary.json are what was read."""
        summary = json.loads((self.training_folder(model, "run") / "summary.json").read_text())
        metric = summary["metric"]
        self.assertEqual(EPOCHS, len(metric["train_au_percentage"]))
        mean = sum(metric["train_au_percentage"]) / EPOCHS
        self.assertAlmostEqual(mean, metric["train_au_mean_percentage"], places=6)
        self.assertEqual(len(objects), summary["num_files_train"])
        for epoch in metric["train_au_percentage"]:
            self.assertTrue(0 < epoch <= 100, metric)

    def test_unet3d_npz_in_parts(self):
        objects = self.generate("unet3d")
        self.assertEqual(24, len(objects))
        self.assertGreater(len(set(objects.values())), 12, "sizes vary")
        record, reads = self.read("unet3d", "--io-part-size", "64KiB")
        self.assert_read_once_per_epoch(objects, reads)
        self.assertEqual(EPOCHS * sum(objects.values()), record["reading"]["bytes"])
        self.assertEqual(EPOCHS * sum(objects.values()), record["reading"]["bytes_verified"])
        self.assert_metrics_agree("unet3d", record, objects)

    def test_retinanet_jpeg_one_request_each(self):
        objects = self.generate("retinanet")
        self.assertEqual({40000}, set(objects.values()))
        record, reads = self.read("retinanet")
        self.assertEqual(len(objects), len(reads), "one request per object")
        self.assert_read_once_per_epoch(objects, reads)
        self.assertEqual(EPOCHS * 96 * 40000, record["reading"]["bytes"])
        self.assert_metrics_agree("retinanet", record, objects)

    def test_flux_parquet_two_columns_of_five(self):
        objects = self.generate("flux")
        self.assertEqual(8, len(objects))
        record, reads = self.read("flux", "--params", "storage.storage_options.columns=clip_encodings,timestamp")
        self.assertEqual({EPOCHS}, set(reads.values()))
        self.assertEqual(set(objects), {path.removeprefix(BUCKET + "/") for path, _ in reads})
        asked = sum(EPOCHS * (int(r.split("-")[1]) - int(r.removeprefix("bytes=").split("-")[0]) + 1) for _, r in reads)
        self.assertEqual(asked, record["reading"]["bytes"])
        # 416 floats of two million bytes a row, and footers: far less than the objects.
        self.assertLess(asked, EPOCHS * sum(objects.values()) // 100)
        self.assertGreater(asked, EPOCHS * 8 * 4 * 416 * 4)
        self.assert_metrics_agree("flux", record, objects)

    def test_a_changed_object_is_found(self):
        self.generate("retinanet")
        key = f"{self.prefix}/retinanet/train/img_17_of_96.jpeg"
        path = self.folder / "object"
        self.server.s3cmd("get", f"s3://{key}", str(path))
        content = bytearray(path.read_bytes())
        content[20000] ^= 1
        path.write_bytes(content)
        self.server.s3cmd("put", str(path), f"s3://{key}")
        done = self.fails(6, "E606", *self.training("retinanet", "run", "object", self.where, "--verify"))
        self.assertIn("img_17_of_96.jpeg", done.stderr)
        self.assertEqual("failed", self.training_record("retinanet", "run")["verdict"])

    def test_a_missing_object_is_found_before_the_run(self):
        self.generate("retinanet")
        self.server.s3cmd("rm", f"s3://{self.prefix}/retinanet/train/img_17_of_96.jpeg")
        done = self.fails(3, "E603", *self.training("retinanet", "run", "object", self.where))
        self.assertIn("img_17_of_96.jpeg", done.stderr)


if __name__ == "__main__":
    unittest.main()
