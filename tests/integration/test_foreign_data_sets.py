#!/usr/bin/env python3
"""Data sets that other programs made: read as they are, with the bytes and the AU of a run on our own."""

import json
import os
import random
import struct
import subprocess
import unittest

from training import TrainingTest

MANIFEST = ".mlps-datagen-manifest.json"
# NumPy is the distribution's package, which a Python of other origin doesn't see.
SAVEZ = """
import sys, numpy
rng = numpy.random.default_rng(5)
for path in sys.argv[1:]:
    x = rng.integers(0, 256, (int(rng.integers(90, 400)), int(rng.integers(90, 400)), 1), dtype=numpy.uint8)
    numpy.savez(path, x=x, y=numpy.zeros(1, numpy.int64))
"""


def numpy_files(paths):
    subprocess.run(["/usr/bin/python3", "-c", SAVEZ, *map(str, paths)], check=True)


def jpeg(rng):
    """A picture of 8 x 8 grey pixels with comments of any length."""
    def segment(marker, content):
        return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
    huffman = segment(0xC4, bytes([0x00, 1] + [0] * 15 + [0])) + segment(0xC4, bytes([0x10, 1] + [0] * 15 + [0]))
    comments = b"".join(segment(0xFE, rng.randbytes(rng.randrange(20000))) for _ in range(3))
    return (b"\xff\xd8" + comments + segment(0xDB, bytes([0] + [16] * 64)) + segment(0xC0, bytes([8, 0, 8, 0, 8, 1, 1, 0x11, 0]))
            + huffman + segment(0xDA, bytes([1, 1, 0, 0, 63, 0])) + b"\x3f\xff\xd9")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def tfrecord(rng, records):
    text = b""
    for _ in range(records):
        data = rng.randbytes(rng.randrange(100, 900))
        length = struct.pack("<Q", len(data))
        text += length + crc32c(length) + data + crc32c(data)
    return text


def parquet(rng, rows):
    """One required column of doubles in one row group, in Thrift's compact protocol, by a writer with a long name."""
    def varint(number):
        return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)

    def i32(number):
        return b"\x15" + varint(2 * number)

    def i64(number):
        return b"\x16" + varint(2 * number)

    def text(word):
        return b"\x18" + varint(len(word)) + word
    values = rng.randbytes(8 * rows)
    page = i32(0) + i32(len(values)) + i32(len(values)) + b"\x2c" + i32(rows) + i32(0) + i32(3) + i32(3) + b"\x00\x00"
    size = len(page) + len(values)
    column = i32(5) + b"\x19\x15\x00" + b"\x19\x18\x01a" + i32(0) + i64(rows) + i64(size) + i64(size) + b"\x26\x08\x00"
    schema = b"\x19\x2c" + b"\x48\x06schema" + i32(1) + b"\x00" + i32(5) + b"\x25\x00" + text(b"a") + b"\x00"
    group = b"\x19\x1c" + b"\x19\x1c" + b"\x26\x08" + b"\x1c" + column + b"\x00" + i64(size) + i64(rows) + b"\x00"
    footer = i32(1) + schema + i64(rows) + group + b"\x28" + varint(length := rng.randrange(300)) + bytes(length) + b"\x00"
    return b"PAR1" + page + values + footer + struct.pack("<I", len(footer)) + b"PAR1"


class Foreign(TrainingTest):
    """24 files of each kind, none of a size that our generator would give them."""

    KINDS = {
        "unet3d": ("b200", "npz", ["dataset.record_length_bytes=50000", "dataset.record_length_bytes_stdev=5000"], 1),
        "retinanet": ("b200", "jpeg", ["dataset.record_length_bytes=30000"], 1),
        "resnet50": ("h100", "tfrecord", ["dataset.num_samples_per_file=20", "dataset.record_length_bytes=500"], 20),
        "flux": ("b200", "parquet", ["dataset.num_samples_per_file=20",
                                     "dataset.parquet.columns=[{name: a, dtype: float64}]"], 20),
    }

    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.rng = random.Random(7)

    def make(self, model):
        suffix = self.KINDS[model][1]
        folder = self.data / model / "train"
        folder.mkdir(parents=True)
        paths = [folder / f"img_{index:02}_of_24.{suffix}" for index in range(24)]
        if suffix == "npz":
            numpy_files(paths)
        for path in paths if suffix != "npz" else ():
            path.write_bytes({"jpeg": lambda: jpeg(self.rng), "tfrecord": lambda: tfrecord(self.rng, 20),
                              "parquet": lambda: parquet(self.rng, 20)}[suffix]())
        return paths

    def put_manifest(self, model, **changed):
        _, suffix, params, samples = self.KINDS[model]
        length = next((param.split("=")[1] for param in params if "record_length_bytes=" in param), "8")
        (self.data / model / MANIFEST).write_text(json.dumps(
            {"schema_version": 1, "model": model, "num_files_train": "24", "num_samples_per_file": str(samples),
             "record_length_bytes": length, "dataset_format": suffix, "created_at": "2026-07-01T00:00:00Z",
             "mlpstorage_version": "3.0.38", "source_datagen_result_dir": "/r", **changed}, indent=2, sort_keys=True))

    def run_line(self, model, *more):
        accelerator, _, params, _ = self.KINDS[model]
        return ["whatif", "training", model, "run", "file", "--num-accelerators", 2, "--accelerator-type", accelerator,
                "--client-host-memory-in-gb", 0.001, "--data-dir", self.data, "--results-dir", self.results,
                "--systemname", "test-machine", "--skip-fs-separation-gate", "--params", *params, "reader.batch_size=2",
                "train.epochs=2", "train.computation_time=0.002", "dataset.num_files_train=24", *more]

    def test_are_read_as_they_are(self):
        for model in self.KINDS:
            with self.subTest(model):
                sizes = [path.stat().st_size for path in self.make(model)]
                for more in ((), ("--o-direct",)):
                    done = self.succeeds(*self.run_line(model, *more))
                    self.assertIn("MANIFEST-000", done.stderr)
                    self.assertIn(f"from {min(sizes):,} to {max(sizes):,} bytes", done.stderr)
                    record = self.training_record(model, "run")
                    self.assertEqual(("passed", 0), (record["verdict"], record["reading"]["bytes_verified"]))
                    if not more:  # O_DIRECT reads whole blocks
                        self.assertEqual(2 * sum(sizes), record["reading"]["bytes"])
                    summary = json.loads((self.training_folder(model, "run") / "summary.json").read_text())
                    self.assertTrue(all(0 < au <= 100 for au in summary["metric"]["train_au_percentage"]))

    def test_with_the_originals_manifest_whose_numbers_are_text(self):
        for model in self.KINDS:
            with self.subTest(model):
                sizes = [path.stat().st_size for path in self.make(model)]
                self.put_manifest(model)
                done = self.succeeds(*self.run_line(model))
                self.assertNotIn("MANIFEST", done.stderr)
                self.assertEqual(2 * sum(sizes), self.training_record(model, "run")["reading"]["bytes"])
                self.fails(2, "E105", *self.run_line(model, "--verify"))

    def test_a_manifest_of_a_later_version_leads_out(self):
        self.make("retinanet")
        self.put_manifest("retinanet", schema_version=2)
        refused = self.fails(2, "E102", *self.run_line("retinanet"))
        self.assertIn("schema_version is 2; 1 is known", refused.stderr)
        self.assertIn("--skip-validation", refused.stderr)
        self.succeeds(*self.run_line("retinanet", "--skip-validation"))

    def test_what_is_missing_or_empty_is_found(self):
        paths = self.make("unet3d")
        os.truncate(paths[5], 0)
        self.assertIn("img_05_of_24.npz is empty", self.fails(6, "E606", *self.run_line("unet3d")).stderr)
        paths[3].unlink()
        missing = self.fails(3, "E603", *self.run_line("unet3d"))
        self.assertIn("of 24 files asked for, 1 are missing and 1 have a wrong size; first: train/img_03_of_24.npz",
                      missing.stderr)

    def test_ours_without_its_manifest_is_read_too_and_verified_on_demand(self):
        line = [str(word) for word in self.run_line("unet3d")]
        datagen = [word for word in line if word not in ("--accelerator-type", "b200", "--client-host-memory-in-gb", "0.001")]
        datagen[3], datagen[datagen.index("--num-accelerators")] = "datagen", "--num-processes"
        self.succeeds(*datagen)
        (self.data / "unet3d" / MANIFEST).unlink()
        self.succeeds(*line)
        self.succeeds(*line, "--verify")
        record = self.training_record("unet3d", "run")
        self.assertEqual(record["reading"]["bytes"], record["reading"]["bytes_verified"])


if __name__ == "__main__":
    unittest.main()
