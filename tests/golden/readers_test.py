"""What readers of mlpstorage 3.0 take from a run folder: the keys they use, with the types they compute with. The real program
writes folders of both benchmarks; everything here is computed anew from its files."""

import datetime
import hashlib
import json
import os
import statistics
import unittest

import program
import records
from class_hash_test import class_hash, flattened
from program import ProgramTest

PRUNED = {".git", ".idea", ".vscode", "__pycache__", ".venv", "node_modules", "build", "dist", ".tox", "test", "tests"}


def tree_hash(root):
    """md5-tree-v2."""
    files = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in PRUNED and not name.endswith(".egg-info")]
        files += [os.path.relpath(os.path.join(folder, name), root) for name in names
                  if name not in (".code-hash.json", ".DS_Store", "Thumbs.db")]
    digest = hashlib.md5()
    for name in sorted(files, key=str.encode):
        digest.update(name.encode())
        with open(os.path.join(root, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


class ReadersTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.root = self.path("results")
        self.expect(["init", "acme", self.root], 0)
        self.where = f"--results-dir {self.root} --systemname box --skip-fs-separation-gate --quiet"

    def leaf(self, *words):
        parent = os.path.join(self.root, words[0], "acme", "results", "box", *words[1:])
        name, = os.listdir(parent)
        return os.path.join(parent, name)

    def load(self, leaf, name):
        with open(os.path.join(leaf, name), encoding="utf-8") as file:
            return json.load(file)

    def metadata_of(self, leaf):
        name, = (name for name in os.listdir(leaf) if name.endswith("_metadata.json"))
        return self.load(leaf, name)

    def time(self, text):
        moment = datetime.datetime.fromisoformat(text)
        self.assertIsNone(moment.tzinfo, text)  # a difference of stamps with and without a zone raises
        return moment

    def check_leaf(self, leaf):
        """What is alike in the run folders of both benchmarks."""
        metadata = self.metadata_of(leaf)
        for key, kind in (("benchmark_type", str), ("run_datetime", str), ("num_processes", int), ("parameters", dict),
                          ("override_parameters", dict), ("args", dict), ("runtime", float), ("exit_status", int),
                          ("executed_command", str), ("system_info", dict)):
            self.assertIsInstance(metadata[key], kind, key)
        self.assertEqual(metadata["run_datetime"], os.path.basename(leaf))
        self.assertEqual(metadata["result_dir"], leaf)
        self.assertTrue(os.path.isabs(metadata["args"]["results_dir"]))
        for output in metadata["command_output_files"]:
            self.assertTrue(os.path.exists(output["stdout"]) and os.path.exists(output["stderr"]))
        self.assertEqual(sorted(os.listdir(os.path.join(leaf, "dlio_config"))),
                         ["config.yaml", "hydra.yaml", "overrides.yaml"])
        summary = self.load(leaf, "summary.json")
        begun, ended = (self.time(metadata[f"invocation_{which}_time"]) for which in ("start", "end"))
        self.assertLessEqual(begun, self.time(summary["start"]))
        self.assertLessEqual(self.time(summary["start"]), self.time(summary["end"]))
        self.assertLessEqual(self.time(summary["end"]), ended)
        # The name of the folder is a time of the run.
        name = datetime.datetime.strptime(os.path.basename(leaf), "%Y%m%d_%H%M%S")
        self.assertLessEqual(begun.replace(microsecond=0), name)
        self.assertLessEqual(name, ended)
        self.assertEqual(len(summary["host_memory_GB"]), summary["num_hosts"])
        stamp = self.load(leaf, metadata["provenance_file"])
        self.assertEqual(stamp["schema"], "mlps-run-provenance/1")
        self.assertEqual(stamp["core_config"]["hash"], class_hash(metadata["benchmark_type"], metadata["parameters"]))
        return metadata, summary

    def mean_and_deviation(self, found, name, unit, values):
        self.assertAlmostEqual(found[f"{name}_mean_{unit}"], statistics.fmean(values), places=6)
        self.assertAlmostEqual(found[f"{name}_stdev_{unit}"], statistics.pstdev(values), places=6)


class Checkpointing(ReadersTest):
    def run_checkpoints(self, more="", model="llama3-8b", processes=8):
        self.expect(f"whatif checkpointing run file --model {model} --num-processes {processes} --size-scale 0.0002 "
                    f"--num-checkpoints-write 2 --num-checkpoints-read 2 {self.where} {more} "
                    "--params checkpoint.time_between_checkpoints=0", 0)
        return self.leaf("whatif", "checkpointing", model)

    def test_the_counts_can_be_added_up(self):
        metadata, summary = self.check_leaf(self.run_checkpoints(f"--checkpoint-folder {self.path('work')}/ck"))
        # Readers add the counts over the leaves of a submission, and compare the sum with 10.
        for counts in (metadata["parameters"]["checkpoint"], flattened(metadata["override_parameters"])):
            self.assertEqual(sum(counts.get(f"num_checkpoints_{way}", counts.get(f"checkpoint.num_checkpoints_{way}"))
                                 for way in ("read", "write")), 4)
        self.assertEqual(metadata["parameters"]["checkpoint"]["time_between_checkpoints"], "0")  # as it was typed
        self.assertIs(metadata["parameters"]["checkpoint"]["fsync"], True)
        self.assertEqual(summary["num_files_train"], 8)
        self.assertEqual((summary["epochs"], summary["num_samples_per_file"]), (0, 1))

    def test_the_folder_is_where_the_bytes_went(self):
        folder = self.path("work") + "/ck"
        metadata, _ = self.check_leaf(self.run_checkpoints(f"--checkpoint-folder {folder}"))
        model_folder = metadata["parameters"]["checkpoint"]["checkpoint_folder"]
        self.assertEqual(model_folder, f"{folder}/llama3-8b")
        self.assertEqual(metadata["override_parameters"]["checkpoint.checkpoint_folder"], model_folder)
        self.assertTrue(os.listdir(model_folder))
        self.assertEqual(metadata["args"]["checkpoint_folder"], folder)
        self.assertNotIn("storage", metadata["parameters"])  # plain files have none

    def test_the_description_of_the_system_is_begun_once(self):
        path = os.path.join(self.root, "whatif", "acme", "systems", "box.yaml")
        self.run_checkpoints("--checkpoint-folder null://")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.startswith('---\n"system_under_test":\n  "clients":\n  - "friendly_description": ""\n'))
        self.assertRegex(text, r'"memory_capacity": !!int "[1-9]\d*"\n')
        self.assertRegex(text, r'"quantity": !!int "1"\n$')
        with open(path, "a", encoding="utf-8") as file:
            file.write("# completed\n")
        again = (f"whatif checkpointing run file --model llama3-8b --num-processes 8 --size-scale 0.0002 "
                 f"--num-checkpoints-write 1 --num-checkpoints-read 0 {self.where} --checkpoint-folder null://")
        self.assertNotIn("box.yaml", self.expect(again, 0).stderr, "the same host is another one")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), text + "# completed\n")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace('"name": "kernel.pid_max"\n      "value": "', '"name": "kernel.pid_max"\n      "value": "1'))
        said = self.expect(again, 0).stderr
        self.assertEqual(2, said.count("sysctl: kernel.pid_max"), said)

    def test_nothing_is_said_to_be_storage_that_is_none(self):
        metadata, summary = self.check_leaf(self.run_checkpoints("--checkpoint-folder null://"))
        self.assertEqual(metadata["parameters"]["storage"]["storage_type"], "null")
        self.assertIsNone(metadata["verification"])
        self.assertTrue(any("no storage" in reason for reason in summary["no_result_because"]))
        self.assertEqual(metadata["no_result_because"], summary["no_result_because"])

    def test_summary_and_ranks_agree(self):
        leaf = self.run_checkpoints(f"--checkpoint-folder {self.path('work')}/ck")
        metric = self.load(leaf, "summary.json")["metric"]
        stats = self.load(leaf, "0_per_epoch_stats.json")["1"]
        for verb in ("save", "load"):
            blocks = [stats[f"{verb}_ckpt{number}"] for number in (1, 2)]
            self.mean_and_deviation(metric, f"{verb}_checkpoint_duration", "seconds", [b["duration"] for b in blocks])
            self.mean_and_deviation(metric, f"{verb}_checkpoint_io", "GB_per_second", [b["throughput"] for b in blocks])
            for block in blocks:
                self.assertAlmostEqual(block["throughput"], metric["checkpoint_size_GB"] / block["duration"], places=6)
                self.assertLessEqual(self.time(block["start"]), self.time(block["end"]))
        for rank in range(8):
            epoch = self.load(leaf, f"{rank}_output.json")["1"]
            self.assertEqual(list(epoch), ["start", "load", "proc", "throughput", "au", "compute", "end"])

    def test_a_subset_says_that_it_is_one(self):
        self.expect(f"whatif checkpointing run file --model llama3-70b --num-processes 8 --size-scale 0.00001 "
                    f"--num-checkpoints-write 1 --num-checkpoints-read 0 {self.where} --checkpoint-folder null://", 0)
        metadata, _ = self.check_leaf(self.leaf("whatif", "checkpointing", "llama3-70b"))
        self.assertEqual(metadata["override_parameters"]["checkpoint.mode"], "subset")
        self.assertIsInstance(metadata["override_parameters"]["model.parallelism.data"], int)


class Training(ReadersTest):
    PARAMS = ("--params dataset.num_files_train=56 train.epochs=2 train.computation_time=0.001 "
              "train.total_training_steps=3")

    def run_training(self, accelerator="b200", model="unet3d", params=PARAMS, where="null://"):
        self.expect(f"whatif training {model} run file -na 2 -at {accelerator} -cm 1 --data-dir {where} {self.where} "
                    f"{params}", 0)
        return self.leaf("whatif", "training", model, "run")

    def test_types_are_those_of_their_sources(self):
        metadata, _ = self.check_leaf(self.run_training())
        dataset = metadata["parameters"]["dataset"]
        self.assertEqual(dataset["num_files_train"], "56")  # as it was typed
        self.assertEqual((dataset["skip_listing"], dataset["listing_validation_interval"]), ("True", "1"))
        self.assertEqual(dataset["record_length_bytes"], 146600628)
        self.assertEqual(metadata["parameters"]["storage"]["storage_type"], "null")

    def test_summary_and_ranks_agree(self):
        leaf = self.run_training()
        metadata, summary = self.check_leaf(leaf)
        metric = summary["metric"]
        batch = metadata["parameters"]["reader"]["batch_size"]
        for epoch in (1, 2):
            au, throughput = [], []
            for rank in range(2):
                output = self.load(leaf, f"{rank}_output.json")[str(epoch)]
                steps = len(output["proc"]["block1"])
                self.assertEqual(steps, 3)
                self.assertEqual(len(output["load"]["block1"]), steps)
                au.append(output["au"]["block1"])
                throughput.append(output["throughput"]["block1"])
            self.assertAlmostEqual(metric["train_au_percentage"][epoch - 1], statistics.fmean(au), places=6)
            self.assertAlmostEqual(metric["train_throughput_samples_per_second"][epoch - 1], sum(throughput), places=6)
            self.assertGreater(sum(throughput), batch)
        self.mean_and_deviation(metric, "train_au", "percentage", metric["train_au_percentage"])
        record_bytes = metadata["parameters"]["dataset"]["record_length_bytes"]
        self.assertAlmostEqual(metric["train_io_mean_MB_per_second"],
                               metric["train_throughput_mean_samples_per_second"] * record_bytes / 2**20, delta=1e-6 *
                               metric["train_io_mean_MB_per_second"])
        self.assertEqual(len(metric["train_au_percentage"]), summary["epochs"])

    def test_a_closed_folder_points_to_an_image_that_can_be_hashed_again(self):
        os.makedirs(self.path("work", "d"))
        self.expect(f"closed training unet3d datasize -ma 8 -at b200 -cm 256 {self.where} --data-dir d", 0)
        leaf = self.leaf("closed", "training", "unet3d", "datasize")
        with open(os.path.join(leaf, ".mlps-code-image"), "rb") as file:
            pointer = file.read()
        self.assertEqual(len(pointer), 44)
        algorithm, digest = pointer.decode().split(":")
        self.assertEqual(algorithm, "md5-tree-v2")
        pool = os.path.join(self.root, "code-images")
        self.assertTrue(os.path.exists(os.path.join(pool, ".mlps-image-pool")))
        image = os.path.join(pool, f"code-{digest[:8]}")
        self.assertEqual(tree_hash(image), digest)
        self.assertEqual(self.load(image, ".code-hash.json")["hash"], digest)
        metadata = self.metadata_of(leaf)
        self.assertIs(self.load(leaf, "fs_separation.json")["same_filesystem"], True)
        self.assertEqual(self.load(leaf, "provenance.json")["tool"]["code_image"], pointer.decode())
        for key in ("num_files_train", "num_subfolders_train", "total_disk_bytes"):
            self.assertIsInstance(metadata["parameters"]["dataset"][key], int, key)
            self.assertIsInstance(metadata["override_parameters"][f"dataset.{key}"], int, key)
        for key in ("model", "accelerator_type", "max_accelerators", "client_host_memory_in_gb", "data_dir"):
            self.assertIn(key, metadata["args"])


@unittest.skipUnless(records.jsonschema, "no module jsonschema")
class Schemas(ReadersTest):
    """The records of all tests are checked when their folders are removed; here, that a wrong one is found."""

    def test_a_record_with_a_key_too_many_or_without_one_is_found(self):
        self.expect(f"whatif training unet3d run file -na 2 -at b200 -cm 1 --data-dir null:// {self.where} "
                    f"{Training.PARAMS}", 0)
        record = self.load(self.leaf("whatif", "training", "unet3d", "run"), "mlpstorage_record.json")
        self.assertEqual(records.problems_of(record), [])
        for change in (lambda r: r.update(new=1), lambda r: r.pop("verdict"), lambda r: r["time"].update(run_s="1"),
                       lambda r: r["epochs"][0]["blocks"][0]["ranks"][0].update(other=1),
                       lambda r: r["hosts"][0].pop("clock"), lambda r: r.update(schema="mlpstorage.training/2")):
            wrong = json.loads(json.dumps(record))
            change(wrong)
            self.assertNotEqual(records.problems_of(wrong), [])

    def test_what_was_not_measured_is_null(self):
        self.expect(f"whatif checkpointing run file --model llama3-8b --num-processes 8 --size-scale 0.0002 "
                    f"--num-checkpoints-write 1 --num-checkpoints-read 0 --checkpoint-folder null:// {self.where} "
                    f"--inject-fault denied:begin_write@1+", 4)
        record = self.load(self.leaf("whatif", "checkpointing", "llama3-8b"), "mlpstorage_record.json")
        self.assertIsNone(record["write"]["metrics"])
        part = record["write"]["latency"]["part"]
        self.assertEqual((part["count"], part["mean_ns"], part["p99_ns"]), (0, None, None))
        self.assertIsNone(record["time"]["first_byte_s"])


if __name__ == "__main__":
    program.main()
