"""The identity of a workload: from the run folder of every pair with a published class follows that class's hash."""

import concurrent.futures
import fnmatch
import hashlib
import json
import pathlib
import unittest

import program
from program import ProgramTest

# What the rules count to the identity, by algorithm core-config-v1.
IDENTITY = {
    "training": (
        ["framework", "metric.au", "model.*", "workflow.*", "dataset.format", "dataset.num_samples_per_file",
         *(f"dataset.record_length{end}" for end in
           ("", "_stdev", "_resize", "_bytes", "_bytes_stdev", "_bytes_resize")),
         "reader.data_loader", "reader.batch_size", "reader.file_shuffle", "reader.sample_shuffle", "reader.shuffle_size",
         "train.epochs", "train.computation_time", "train.computation_time_stdev", "train.total_training_steps",
         "checkpoint.*"],
        ["checkpoint.checkpoint_folder"]),
    "checkpointing": (
        ["framework", "model.*", "workflow.*", "checkpoint.*"],
        ["checkpoint.checkpoint_folder", "checkpoint.num_checkpoints_write", "checkpoint.num_checkpoints_read"]),
}
# model, accelerator, files, further parameters, hash
TRAINING = [
    ("unet3d", "b200", 14, "", "0d3ad0dec188becd"),
    ("unet3d", "b200", 14, "workflow.checkpoint=True", "f636f5a57473fca2"),
    ("unet3d", "b200", 14, "reader.read_threads=2", "0d3ad0dec188becd"),
    ("retinanet", "b200", 48, "", "20c73f53486caba0"),
    ("retinanet", "mi355", 72, "", "66c43604eb650987"),
    ("unet3d", "a100", 14, "workflow.checkpoint=True", "691cea309c4f2f52"),
    ("unet3d", "h100", 14, "workflow.checkpoint=True", "0f3dd7a4bf6433a3"),
    ("resnet50", "a100", 1, "", "4a03838105aa5808"),
    ("resnet50", "h100", 1, "", "03a7be3df904e1e7"),
    ("cosmoflow", "a100", 2, "", "b49b896e947a408b"),
    ("cosmoflow", "h100", 2, "", "4b7b36339a2a5b0d"),
]
# model, ranks, hash: the full runs, and the subsets of 8 processes
CHECKPOINTING = [
    ("llama3-8b", 8, "68df04b7240e3fb0"),
    ("llama3-70b", 64, "3c53fe70d64f91d4"),
    ("llama3-405b", 512, "7adcfa87a5c4c8e6"),
    ("llama3-1t", 1024, "45fd627ad9dc5f4c"),
    ("llama3-70b", 8, "c48a92d225d70ce8"),
    ("llama3-405b", 8, "7e9f853cebd52aa6"),
    ("llama3-1t", 8, "0918b2db633242db"),
]


def flattened(section, prefix=""):
    keys = {}
    for key, value in section.items():
        keys.update(flattened(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return keys


def canonical(value):
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        try:
            value = float(text)
        except ValueError:
            return text
    return int(value) if isinstance(value, float) and value.is_integer() else value


def class_hash(benchmark, parameters):
    wanted, apart = IDENTITY[benchmark]
    keys = {key: canonical(value) for key, value in flattened(parameters).items()
            if key not in apart and any(fnmatch.fnmatchcase(key, pattern) for pattern in wanted)}
    return hashlib.sha256(json.dumps(keys, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


class ClassHash(ProgramTest):
    def hash_of(self, number, benchmark, words):
        """Runs that with a results folder of its own."""
        results = pathlib.Path(self.path(f"results{number}"))
        results.mkdir()
        self.expect(["init", "acme", str(results)], 0)
        self.expect(f"whatif {benchmark} {words} --results-dir {results} --systemname box --quiet", 0)
        (metadata,) = results.rglob("*_metadata.json")
        return class_hash(benchmark, json.loads(metadata.read_text())["parameters"])

    def test_is_the_published_one(self):
        rows = [("training", f"{model} run file -na 1 -at {accelerator} -cm 1 -dd null:// --params "
                 f"dataset.num_files_train={files} {more}", expected) for model, accelerator, files, more, expected in TRAINING]
        rows += [("checkpointing", f"run file --model {model} --num-processes {ranks} --checkpoint-folder null:// "
                  "--size-scale 0.0001 --num-checkpoints-write 1 --num-checkpoints-read 0", expected)
                 for model, ranks, expected in CHECKPOINTING]
        # Runs on null storage mostly wait.
        with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
            hashes = list(pool.map(lambda number: self.hash_of(number, *rows[number][:2]), range(len(rows))))
        for (_, words, expected), found in zip(rows, hashes):
            with self.subTest(words):
                self.assertEqual(expected, found)


if __name__ == "__main__":
    program.main()
