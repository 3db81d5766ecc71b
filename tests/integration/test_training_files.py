#!/usr/bin/env python3
"""The training benchmark on file systems: the real binary, buffered and with O_DIRECT, whole and broken."""

import json
import os
import signal
import unittest

from program import flip_bit
from training import SHAPES, TrainingTest


class Files(TrainingTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"

    def generate(self, model, *more):
        self.assert_training_passed(self.call(*self.training(model, "datagen", "file", self.data, *more)), model, "datagen")

    def start_run(self, model, *more, **options):
        return self.start(*self.training(model, "run", "file", self.data, *more, **options))

    def run_passes(self, model, *more, **options):
        done = self.start_run(model, *more, **options).wait()
        return self.assert_training_passed(done, model, "run")

    def sizes(self, model):
        return [path.stat().st_size for path in (self.data / model / "train").rglob("*") if path.is_file()]

    def test_every_format_is_read_and_verified_buffered_and_direct(self):
        for model in SHAPES:
            with self.subTest(model):
                self.generate(model)
                total = sum(self.sizes(model))
                for more in ((), ("--o-direct",)):
                    record = self.run_passes(model, "--verify", *more)
                    reading = record["reading"]
                    self.assertEqual(reading["bytes"], reading["bytes_verified"])
                    self.assertEqual("direct" if more else "file", record["store"]["backend"])
                    if model != "flux" and not more:  # O_DIRECT reads whole blocks; flux reads extents
                        self.assertEqual(2 * total, reading["bytes"])

    def test_tfrecord_with_index_files(self):
        params = ["dataset.num_files_train=8", "dataset.num_samples_per_file=20", "dataset.record_length_bytes=10000",
                  "reader.batch_size=4", "train.computation_time=0.002"]
        common = ["--data-dir", self.data, "--results-dir", self.results, "--systemname", "test-machine",
                  "--skip-fs-separation-gate", "--allow-invalid-params", "--params", *params, "train.epochs=1"]
        self.succeeds("whatif", "training", "resnet50", "datagen", "file", "--num-processes", 2, *common)
        self.assertEqual(8, len(list((self.data / "resnet50" / "index" / "train").glob("*.idx"))))
        self.succeeds("whatif", "training", "resnet50", "run", "file", "--num-accelerators", 2, "--accelerator-type",
                      "h100", "--client-host-memory-in-gb", 0.001, *common, "--verify")
        record = self.training_record("resnet50", "run")
        self.assertEqual(sum(self.sizes("resnet50")), record["reading"]["bytes_verified"])

    def test_steps_and_samples_are_those_of_the_plan(self):
        self.generate("retinanet")
        self.run_passes("retinanet", accelerators=3, epochs=2)
        folder = self.training_folder("retinanet", "run")
        for rank in range(3):
            output = json.loads((folder / f"{rank}_output.json").read_text())
            for epoch in ("1", "2"):
                steps = output[epoch]["proc"]["block1"]
                self.assertEqual(96 // 3 // 4, len(steps))
                self.assertEqual(len(steps), len(output[epoch]["compute"]["block1"]))
                self.assertTrue(all(seconds >= 0.002 for seconds in output[epoch]["compute"]["block1"]), output[epoch])
                self.assertTrue(0 < output[epoch]["au"]["block1"] <= 100)

    def test_rates_follow_from_the_steps(self):
        """AU and throughput of every file, recomputed from the times of the steps by the original's formulas."""
        self.generate("retinanet")
        record = self.run_passes("retinanet", accelerators=3, epochs=2)
        folder = self.training_folder("retinanet", "run")
        metric = json.loads((folder / "summary.json").read_text())["metric"]
        outputs = [json.loads((folder / f"{rank}_output.json").read_text()) for rank in range(3)]
        for epoch in (1, 2):
            au, throughput = [], []
            for rank, output in enumerate(outputs):
                times = output[str(epoch)]
                block = record["epochs"][epoch - 1]["blocks"][0]["ranks"][rank]
                window = (block["end_ns"] - block["start_ns"]) / 1e9 - times["proc"]["block1"][0]
                au.append(100 * sum(times["compute"]["block1"][1:]) / window)
                throughput.append((len(times["proc"]["block1"]) - 1) / window * 4)
                self.assertAlmostEqual(au[-1], times["au"]["block1"], places=5)
                self.assertAlmostEqual(throughput[-1], times["throughput"]["block1"], places=3)
            self.assertAlmostEqual(sum(au) / 3, metric["train_au_percentage"][epoch - 1], places=5)
            self.assertAlmostEqual(sum(throughput), metric["train_throughput_samples_per_second"][epoch - 1], places=2)
        mean = sum(metric["train_throughput_samples_per_second"]) / 2
        self.assertAlmostEqual(mean * 40000 / 2**20, metric["train_io_mean_MB_per_second"], places=3)

    def test_a_flipped_bit_is_found(self):
        self.generate("retinanet")
        flip_bit(self.data / "retinanet" / "train" / "img_17_of_96.jpeg", 12345)
        done = self.fails(6, "E606", *self.training("retinanet", "run", "file", self.data, "--verify"))
        self.assertIn("img_17_of_96.jpeg", done.stderr)
        self.assertIn("12,345", done.stderr)
        record = self.training_record("retinanet", "run")
        self.assertEqual("failed", record["verdict"])
        self.assertFalse((self.training_folder("retinanet", "run") / "summary.json").exists())

    def test_a_short_file_is_found_before_the_run(self):
        self.generate("retinanet")
        os.truncate(self.data / "retinanet" / "train" / "img_03_of_96.jpeg", 39999)
        done = self.fails(6, "E606", *self.training("retinanet", "run", "file", self.data))
        self.assertIn("img_03_of_96.jpeg has 39,999 bytes instead of 40,000", done.stderr)

    def test_what_goes_wrong_in_a_read_fails_the_run(self):
        self.generate("retinanet")
        for fault, code, status in (("reset:read_part:img_17@2", "E601", 6), ("denied:read_part:img_17", "E602", 4),
                                    ("short:read_part:img_17", "E606", 6), ("reset:begin_read:img_17", "E601", 6)):
            with self.subTest(fault):
                self.fails(status, code, *self.training("retinanet", "run", "file", self.data, "--inject-fault", fault))
                self.assertEqual("failed", self.training_record("retinanet", "run")["verdict"])
        self.fails(6, "E606", *self.training("retinanet", "run", "file", self.data, "--inject-fault", "flip:read_part:img_17",
                                             "--verify"))
        self.run_passes("retinanet", "--inject-fault", "slowdown=2:read_part:img_17")
        self.assertEqual(2, self.training_record("retinanet", "run")["reading"]["retries"])

    def test_one_of_several_processes_never_runs_alone(self):
        """A launcher says that there are two, and MPI knows of one."""
        launched = {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}
        for command in ("datagen", "run"):
            done = self.fails(6, "E501", *self.training("retinanet", command, "file", self.data), **launched)
            self.assertIn("as one of 2 processes, but", done.stderr)
        self.assertFalse(self.data.exists())

    def test_an_interrupted_run_says_so(self):
        self.generate("retinanet")
        running = self.start_run("retinanet", params=["train.computation_time=30"])
        done = self.interrupt(running, lambda: self.training_folders("retinanet", "run"), signal.SIGINT)
        self.assertEqual(8, done.status, done)
        folder = self.training_folder("retinanet", "run")
        self.assertEqual("interrupted", self.training_record("retinanet", "run")["verdict"])
        self.assertFalse((folder / "summary.json").exists())

    def test_a_hanging_read_can_be_interrupted(self):
        self.generate("retinanet")
        running = self.start_run("retinanet", "--inject-fault", "hang:read_part:img_17")
        done = self.interrupt(running, lambda: self.training_folders("retinanet", "run"), signal.SIGTERM)
        self.assertEqual(8, done.status, done)

    def test_a_killed_run_leaves_a_record_that_says_incomplete(self):
        self.generate("retinanet")
        running = self.start_run("retinanet", params=["train.computation_time=30"])
        self.interrupt(running, lambda: list(self.results.rglob("run/*/mlpstorage_record.json")), signal.SIGKILL)
        self.assertEqual("incomplete", self.training_record("retinanet", "run")["verdict"])

    def test_checkpoints_and_evaluation(self):
        params = ["workflow.checkpoint=True", "model.model_size_bytes=3000000", "checkpoint.steps_between_checkpoints=5",
                  "workflow.evaluation=True", "dataset.num_files_eval=8", "reader.batch_size_eval=2",
                  "evaluation.eval_time=0.001"]
        self.assert_training_passed(
            self.call(*self.training("retinanet", "datagen", "file", self.data, params=params)), "retinanet", "datagen")
        record = self.run_passes("retinanet", "--verify", epochs=1, params=params)
        for saved in record["epochs"][0]["checkpoints"]:
            self.assertLessEqual(saved["client_ns"], saved["duration_ns"])
        saved = sorted(path.name for path in self.data.rglob("global_epoch1_step*"))
        self.assertEqual(["global_epoch1_step10", "global_epoch1_step5"], saved)
        self.assertEqual({3000000}, {path.stat().st_size for path in self.data.rglob("model_states-0.pt")})
        epoch = record["epochs"][0]
        self.assertEqual([5, 5, 2], [block["ranks"][0]["steps"] for block in epoch["blocks"]])
        self.assertEqual([2, 2], [rank["steps"] for rank in epoch["evaluation"]])
        log = (self.training_folder("retinanet", "run") / "dlio.log").read_text()
        self.assertRegex(log, r"Computation time per step \(second\): \d\.\d{4}\+/-\d\.\d{4} \(set value: ")
        self.assertIn("Ending eval - 2 steps completed in ", log)
        summary = json.loads((self.training_folder("retinanet", "run") / "summary.json").read_text())
        self.assertIn("eval_au_mean_percentage", summary["metric"])
        self.assertIn("save_checkpoint_io_mean_GB_per_second", summary["metric"])

    def test_checkpoints_stay_and_are_named_or_are_removed(self):
        params = ["workflow.checkpoint=True", "model.model_size_bytes=3000000", "dataset.num_files_eval=0"]
        self.generate("retinanet")
        done = self.start_run("retinanet", epochs=1, params=params).wait()
        self.assertRegex(done.stderr, r"kept: 1 checkpoint, 2\.861 MiB in .*/checkpoints/retinanet; --cleanup removes them")
        self.assertEqual(1, len(list(self.data.rglob("model_states-0.pt"))))
        done = self.start_run("retinanet", "--cleanup", epochs=1, params=params).wait()
        self.assertIn("removed: 1 checkpoint", done.stderr)
        self.assertEqual([], list(self.data.rglob("global_epoch*")))
        done = self.start_run("retinanet", "--cleanup", epochs=1).wait()
        self.assertIn("WARNING: --cleanup has no effect: no checkpoint was saved", done.stderr)

    def test_the_page_cache_is_looked_at_and_emptied(self):
        self.generate("retinanet")
        for path in (self.data / "retinanet" / "train").iterdir():
            path.read_bytes()
        os.sync()
        record = self.run_passes("retinanet", epochs=2)
        first, second = (epoch["cache"] for epoch in record["epochs"])
        self.assertEqual((96, 96), (first["files_sampled"], first["files_total"]))
        self.assertIn("evicted 96 of 96 files", first["action"])
        self.assertLess(first["cached_bytes"], first["sampled_bytes"] // 20)  # the kernel may hold on to a page or two
        self.assertLess(second["cached_bytes"], second["sampled_bytes"] // 20)


if __name__ == "__main__":
    unittest.main()
