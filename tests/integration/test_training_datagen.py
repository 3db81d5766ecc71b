#!/usr/bin/env python3
"""Generating training data sets: the real binary on files and on a real S3 server, killed, interrupted and resumed."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import unittest

import rgw
from program import flip_bit
from training import TrainingTest

BUCKET = "datasets"
JOURNAL, MANIFEST = ".mlps-datagen-journal.json", ".mlps-datagen-manifest.json"
CLAIMS = ".mlpstorage-claims"
# Each part takes 25 ms, on two threads: a second or more for any of the data sets, so that there is time to interfere.
SLOW = ("--io-workers", 2, "--inject-fault", "slow=25:write_part@1+")
SMALL_PARTS = ("--io-part-size", "64KiB")


def digests(folder):
    """{path: digest} of all files below a folder, but for claims of writers. Of a manifest only what may not differ between two runs."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if not path.is_file() or path.parent.name == CLAIMS:
            continue
        content = path.read_bytes()
        if path.name == MANIFEST:
            manifest = json.loads(content)
            del manifest["created_at"], manifest["source_datagen_result_dir"]
            content = json.dumps(manifest).encode()
        found[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


def data_files(found):
    return {name: digest for name, digest in found.items() if not name.startswith(".")}


class DatagenTest(TrainingTest):
    def datagen(self, model, where, *more, protocol="file", params=()):
        return self.training(model, "datagen", protocol, where, *more, params=params)

    def reference(self, model, *more, params=()):
        """digests() of an undisturbed data set."""
        where = self.folder / "reference"
        shutil.rmtree(where, ignore_errors=True)
        self.assert_training_passed(self.call(*self.datagen(model, where, *more, params=params)), model, "datagen")
        return digests(where / model)


class FileTest(DatagenTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"

    def stored(self, model):
        folder = self.data / model
        return {path.relative_to(folder).as_posix() for path in folder.glob("[!.]*/*")}

    def kill_at(self, model, files, *more):
        """Starts or continues the data set and kills it as soon as it has so many files."""
        done = self.interrupt(self.start(*self.datagen(model, self.data, *SLOW, *more)),
                              lambda: len(self.stored(model)) >= files, signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, done.status, done)
        self.assertEqual("incomplete", self.training_record(model, "datagen")["verdict"])

    def finish(self, model, *more):
        return self.assert_training_passed(self.call(*self.datagen(model, self.data, *more)), model, "datagen")


class Undisturbed(FileTest):
    def test_each_workload_has_its_files_all_different_and_the_same_again(self):
        for model, files in (("unet3d", 24), ("retinanet", 96), ("flux", 8)):
            with self.subTest(model):
                record = self.finish(model)
                self.assertEqual((files, files, 0), (record["files"], record["files_written"], record["files_kept"]))
                found = digests(self.data / model)
                self.assertEqual({MANIFEST}, set(found) - set(data_files(found)))
                self.assertEqual(files, len(set(data_files(found).values())))
                self.assertEqual(record["bytes_written"], sum((self.data / model / name).stat().st_size
                                                              for name in data_files(found)))
                # Other threads, other parts, O_DIRECT: the same bytes.
                self.assertEqual(found, self.reference(model, "--o-direct", "--io-workers", 3, *SMALL_PARTS))

    def test_index_files_stand_beside_tfrecords(self):
        params = ["dataset.format=tfrecord", "dataset.num_samples_per_file=3"]
        self.assert_training_passed(self.call(*self.datagen("retinanet", self.data, params=params)), "retinanet", "datagen")
        found = data_files(digests(self.data / "retinanet"))
        data = {name for name in found if name.startswith("train/")}
        self.assertEqual(96, len(data))
        self.assertEqual({f"index/{name}.idx" for name in data}, set(found) - data)
        text = (self.data / "retinanet" / f"index/{min(data)}.idx").read_text().split()
        self.assertEqual("0", text[0])
        self.assertEqual((self.data / "retinanet" / min(data)).stat().st_size, sum(map(int, text[1::2])))

    def test_a_complete_data_set_is_left_alone(self):
        self.finish("retinanet")
        before = {path: path.stat().st_mtime_ns for path in (self.data / "retinanet").rglob("*") if path.is_file()}
        record = self.finish("retinanet")
        self.assertEqual((96, 0, 0), (record["files_kept"], record["files_written"], record["bytes_written"]))
        self.assertEqual(before, {path: path.stat().st_mtime_ns for path in before})

    def test_a_complete_data_set_that_lost_or_damaged_files_is_mended(self):
        self.finish("retinanet")
        reference = digests(self.data / "retinanet")
        names = sorted(self.stored("retinanet"))
        (self.data / "retinanet" / names[7]).unlink()
        os.truncate(self.data / "retinanet" / names[90], 17)
        record = self.finish("retinanet")
        self.assertEqual((94, 2, 2), (record["files_kept"], record["files_written"], record["files_repaired"]))
        self.assertEqual(reference, digests(self.data / "retinanet"))

    def test_to_verify_a_set_every_byte_is_read_and_what_differs_is_mended(self):
        done = self.call(*self.datagen("retinanet", self.data, "--verify"))
        self.assertIn("--verify has no effect: nothing is there yet", done.stderr)
        reference = digests(self.data / "retinanet")
        record = self.finish("retinanet", "--verify")
        size = sum((self.data / "retinanet" / name).stat().st_size for name in data_files(reference))
        self.assertEqual((96, 0, size), (record["files_kept"], record["files_written"], record["bytes_verified"]))
        names = sorted(self.stored("retinanet"))
        flip_bit(self.data / "retinanet" / names[3], 39_000)
        (self.data / "retinanet" / names[50]).unlink()
        self.assertEqual(95, self.finish("retinanet")["files_kept"])  # which only looks at sizes
        self.assertNotEqual(reference, digests(self.data / "retinanet"))
        done = self.call(*self.datagen("retinanet", self.data, "--verify"))
        self.assertIn("1 file doesn't hold what was to be there: written again", done.stderr)
        record = self.training_record("retinanet", "datagen")
        self.assertEqual((95, 1, 1), tuple(record[key] for key in ("files_kept", "files_written", "files_repaired")))
        self.assertEqual(reference, digests(self.data / "retinanet"))

    def test_null_storage_takes_a_data_set_at_full_size(self):
        done = self.succeeds("whatif", "training", "retinanet", "datagen", "file", "--num-processes", 2, "--data-dir",
                             "null://", "--results-dir", self.results, "--systemname", "test-machine", "--params",
                             "dataset.num_files_train=20000")
        self.assertLess(done.peak_rss_bytes, 256 << 20)
        record = self.training_record("retinanet", "datagen")
        self.assertEqual((20000, 20000 * 322624), (record["files_written"], record["bytes_written"]))


class Killed(FileTest):
    def test_killed_at_several_moments_and_resumed_it_is_the_same_data_set(self):
        for model, more, moments in (("retinanet", (), (1, 25, 60, 80)), ("unet3d", SMALL_PARTS, (1, 9, 20))):
            with self.subTest(model):
                for files in moments:
                    self.kill_at(model, files, *more)
                    left = {path.name for path in (self.data / model).iterdir()}
                    self.assertIn(JOURNAL, left)
                    self.assertNotIn(MANIFEST, left)
                record = self.finish(model, *more)
                self.assertEqual(record["files"], record["files_written"] + record["files_kept"])
                self.assertGreater(record["files_kept"], 0)
                self.assertEqual(self.reference(model, *more), digests(self.data / model))

    def test_holes_and_cut_ends_as_a_power_cut_leaves_them_are_found(self):
        self.kill_at("retinanet", 40)
        whole = json.loads((self.data / "retinanet" / JOURNAL).read_text())["whole_files"]
        files = sorted(self.stored("retinanet"))[whole:]
        self.assertGreater(len(files), 4, "the journal is a second behind")
        with open(self.data / "retinanet" / files[0], "r+b") as file:
            file.seek(4096)
            file.write(bytes(4096))
        os.truncate(self.data / "retinanet" / files[1], 100)
        (self.data / "retinanet" / files[2]).unlink()
        record = self.finish("retinanet")
        self.assertGreaterEqual(record["files_repaired"], 2)
        self.assertEqual(self.reference("retinanet"), digests(self.data / "retinanet"))

    def test_journaled_files_of_their_size_are_not_touched(self):
        self.finish("retinanet")
        folder = self.data / "retinanet"
        shape = json.loads((folder / MANIFEST).read_text())["mlpstorage_cpp"]["shape"]
        (folder / MANIFEST).unlink()
        (folder / JOURNAL).write_text(json.dumps({"schema_version": 1, "shape": shape, "whole_files": 90,
                                                  "updated_at": "2026-11-23T05:00:00Z"}))
        names = sorted(self.stored("retinanet"))
        other = b"x" * (folder / names[89]).stat().st_size
        for name in (names[89], names[90]):
            (folder / name).write_bytes(other)
        (folder / names[3]).write_bytes(b"short")
        record = self.finish("retinanet")
        self.assertEqual((94, 2, 2), (record["files_kept"], record["files_written"], record["files_repaired"]))
        self.assertEqual(other, (folder / names[89]).read_bytes())

    def test_control_c_leaves_only_whole_files_and_can_be_continued(self):
        expected = self.reference("retinanet")
        for which, files in ((signal.SIGINT, 20), (signal.SIGTERM, 60)):
            done = self.interrupt(self.start(*self.datagen("retinanet", self.data, *SLOW)),
                                  lambda: len(self.stored("retinanet")) >= files, which)
            self.assertEqual(8, done.status, done)
            self.assertEqual("interrupted", self.training_record("retinanet", "datagen")["verdict"])
            found = data_files(digests(self.data / "retinanet"))
            self.assertEqual(found, {name: expected[name] for name in found})
        self.assertGreater(self.finish("retinanet")["files_kept"], 0)
        self.assertEqual(expected, digests(self.data / "retinanet"))

    def test_a_full_disk_stops_it_and_it_goes_on_when_there_is_room(self):
        self.fails(3, "E403", *self.datagen("retinanet", self.data, "--inject-fault", "full:write_part@50"))
        self.assertEqual("failed", self.training_record("retinanet", "datagen")["verdict"])
        self.assertTrue((self.data / "retinanet" / JOURNAL).exists())
        self.assertGreater(self.finish("retinanet")["files_kept"], 0)
        self.assertEqual(self.reference("retinanet"), digests(self.data / "retinanet"))


class Refused(FileTest):
    def refused(self, model, *more, params=()):
        before = digests(self.data)
        done = self.fails(3, "E404", *self.datagen(model, self.data, *more, params=params))
        self.assertEqual(before, digests(self.data))
        return done.stderr

    def test_a_complete_data_set_of_another_shape(self):
        self.finish("retinanet")
        said = self.refused("retinanet", params=["dataset.num_files_train=97"])
        self.assertIn("dataset.num_files_train=96", said)
        self.assertIn("dataset.num_files_train=97", said)
        self.assertIn("seed=7", self.refused("retinanet", "--seed", 7))

    def test_an_unfinished_data_set_of_another_shape(self):
        self.kill_at("retinanet", 10)
        self.assertIn("unfinished", self.refused("retinanet", params=["dataset.num_files_train=97"]))

    def test_a_folder_of_something_else(self):
        (self.data / "retinanet" / "train").mkdir(parents=True)
        (self.data / "retinanet" / "train" / "holiday.jpeg").write_bytes(b"x")
        self.assertIn("holiday.jpeg", self.refused("retinanet"))

    def test_a_damaged_journal(self):
        (self.data / "retinanet").mkdir(parents=True)
        (self.data / "retinanet" / JOURNAL).write_text('{"schema_version": 1, "sha')
        self.assertIn(JOURNAL, self.refused("retinanet"))

    def test_empty_folders_are_no_reason(self):
        for name in ("train", "valid", "test"):
            (self.data / "retinanet" / name).mkdir(parents=True)
        self.finish("retinanet")


class Objects(DatagenTest):
    """On Ceph RGW; two parts for the larger files."""

    PARAMS = ("dataset.num_files_train=12", "dataset.record_length_bytes=9000000",
              "dataset.record_length_bytes_stdev=2000000")
    PARTS = ("--io-part-size", "5MiB")

    @classmethod
    def setUpClass(cls):
        cls.server = rgw.Rgw().__enter__()
        cls.addClassCleanup(cls.server.stop)
        cls.server.make_bucket(BUCKET)
        cls.variables = cls.server.variables

    def setUp(self):
        super().setUp()
        self.prefix = self.id().rsplit(".", 1)[-1]
        self.where = f"s3://{BUCKET}/{self.prefix}"
        self.addCleanup(self.server.empty_bucket, BUCKET)

    def object_datagen(self, *more):
        return self.datagen("unet3d", self.where, *self.PARTS, *more, protocol="object", params=self.PARAMS)

    def stored(self):
        prefix = f"{self.prefix}/unet3d/"
        return {key.removeprefix(prefix): size for key, size in self.server.list_objects(BUCKET, prefix).items()}

    def fetched(self):
        """digests() of what is in the bucket."""
        folder = self.folder / "fetched"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.server.s3cmd("get", "--recursive", f"s3://{BUCKET}/{self.prefix}/unet3d/", f"{folder}/")
        return digests(folder)

    def test_killed_interrupted_and_resumed_it_is_the_data_set_that_files_are(self):
        # One file never gets there, so that the moment of the signal doesn't depend on how fast the machine is.
        stuck = ("--inject-fault", "hang:write_part:img_08")

        def whole():
            return [name for name in self.stored() if name.startswith("train/")]

        done = self.interrupt(self.start(*self.object_datagen(*stuck)), whole, signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, done.status, done)
        self.assertIn(JOURNAL, self.stored())
        self.server.abort_uploads(BUCKET)

        done = self.interrupt(self.start(*self.object_datagen(*stuck, "--io-workers", 1, "--io-depth", 4)),
                              lambda: len(self.training_folders("unet3d", "datagen")) == 2 and len(whole()) == 11)
        self.assertEqual(8, done.status, done)
        self.assertEqual("interrupted", self.training_record("unet3d", "datagen")["verdict"])
        self.assertEqual([], self.server.open_uploads(BUCKET))

        record = self.assert_training_passed(self.call(*self.object_datagen()), "unet3d", "datagen")
        self.assertGreater(record["files_kept"], 0)
        self.assertEqual(12, record["files_kept"] + record["files_written"])
        self.assertEqual([], self.server.open_uploads(BUCKET))
        self.assertEqual(self.reference("unet3d", params=self.PARAMS), self.fetched())

    def test_a_complete_one_is_left_alone_and_another_shape_refused(self):
        self.assert_training_passed(self.call(*self.object_datagen()), "unet3d", "datagen")
        before = self.fetched()
        record = self.assert_training_passed(self.call(*self.object_datagen()), "unet3d", "datagen")
        self.assertEqual((12, 0), (record["files_kept"], record["files_written"]))
        self.fails(3, "E404", *self.object_datagen("--seed", 3))
        self.assertEqual(before, self.fetched())


if __name__ == "__main__":
    unittest.main(verbosity=2)
