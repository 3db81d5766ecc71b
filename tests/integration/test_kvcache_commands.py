#!/usr/bin/env python3
"""What commands of kvcache refuse, and what they show of a run before it."""

import json
import pathlib
import tempfile
import unittest

from kvcache import KvCacheTest, write_trace
from program import SYSTEM


class Commands(KvCacheTest):
    def test_datasize_counts_the_true_bytes_per_token(self):
        plan = json.loads(self.succeeds("closed", "kvcache", "datasize", "--json").stdout)
        self.assertEqual([131072, 131072, 327680], [option["model"]["bytes_per_token"] for option in plan["options"]])
        self.assertEqual([200, 100, 70], [option["users_per_rank"] for option in plan["options"]])
        first = plan["options"][0]
        self.assertEqual([16 << 20, 25000 * 131072], [first["entry_bytes"][name] for name in ("smallest", "largest")])
        self.assertAlmostEqual(492, first["offered_per_host"]["requests_per_s"], delta=15)
        self.assertAlmostEqual(265, first["offered_per_host"]["written_gib_per_s"], delta=15)

    def test_closed_locks_the_sequence(self):
        for flag, value in (("--seed", 7), ("--trials", 1), ("--inter-option-delay", 1), ("--duration", 20), ("--model", "tiny-1b"),
                            ("--kv-io", "direct"), ("--num-users", 5)):
            self.fails(2, "E102", *self.arguments(flag, value, mode="closed"))
        self.fails(2, "E102", "closed", "kvcache", "run", "object", "--cache-dir", "s3://bucket/x", "--results-dir",
                   self.results, "--systemname", SYSTEM)

    def test_a_dry_run_shows_the_load_and_the_memory(self):
        done = self.succeeds("closed", "kvcache", "run", "--cache-dir", self.cache, "--results-dir", self.results,
                             "--systemname", SYSTEM, "--dry-run", "--json")
        plan = json.loads(done.stdout)
        for option in plan["options"]:
            self.assertLessEqual(option["io"]["buffer_bytes"], 384 << 20)
        self.assertFalse(self.cache.exists())

    def test_the_parameters_are_what_ran(self):
        self.succeeds(*self.arguments("--payload", "none", "--trials", 1, "--duration", 1, "--inter-option-delay", 0,
                                      where="null://"))
        parameters = json.loads(next(self.run_folder().glob("*_metadata.json")).read_text())["parameters"]
        self.assertEqual({"model": "llama3.1-8b", "num_users": 200, "duration": 1, "gpu_mem_gb": 0, "cpu_mem_gb": 0,
                          "max_concurrent_allocs": 16, "generation_mode": "none"}, parameters["options"]["1"])
        self.assertEqual({"seed": 42, "trials": 1, "inter_option_delay_s": 0, "config": "default"}, parameters["sequence"])

    def test_flags_that_contradict_each_other_are_refused(self):
        for more in (("--arrival", "poisson"), ("--request-rate", 5), ("--arrival-cv", 2), ("--kv-io", "compat", "--o-direct"),
                     ("--fadvise", "none"), ("--cpu-mem-gb", -1), ("--cpu-mem-gb", "x"), ("--num-processes", 3, "--npernode", 2),
                     ("--params", "a=b"), ("--payload", "none"), ("--rag-num-docs", 5), ("--autoscaler-mode", "capacity"),
                     ("--target-saturation", 0.5), ("--precondition-size-gb", 1), ("--precondition-threads", 1),
                     ("--prefill-only", "--decode-only"), ("--precondition", "--precondition-size-gb", "x"),
                     ("--enable-autoscaling", "--arrival", "poisson", "--request-rate", 5)):
            done = self.call(*self.arguments(*more))
            self.assertEqual(2, done.status, (more, done))

    def test_flags_of_features_that_are_not_built_are_refused(self):
        for flag, instead in (("--enable-latency-tracing", "--op-log FILE"), ("--io-trace-log", "--io-trace FILE"),
                              ("--validation-trace", "--trace FILE"), ("--use-burst-trace", "--trace FILE"),
                              ("--dataset-path", "--trace FILE")):
            done = self.fails(2, "E102", *self.arguments(flag))
            self.assertIn(f"unknown flag {flag}", done.stderr)
            self.assertIn(instead, done.stderr)

    def test_entries_of_a_folder_in_memory_count_as_memory(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            for more in (("--storage-capacity-gb", 1e6), ("--trace", write_trace(self.folder / "t.gz") and self.folder / "t.gz",
                                                          "--block-capacity", 10**8)):
                done = self.fails(2, "E102", *self.arguments("--model", "tiny-1b", *more, where=memory))
                self.assertIn("is in memory", done.stderr)
                self.assertIn("give a smaller " + more[-2], done.stderr)
            self.succeeds(*self.little("--option", 1, "--trials", 1, where=memory))

    def test_system_folders_are_refused(self):
        for folder in ("/etc", "/etc/cache", "/proc/x", "/"):
            done = self.fails(2, "E102", *self.arguments(where=folder))
            self.assertIn("is a folder of the system", done.stderr)

    def test_a_model_of_a_configuration_file(self):
        config = pathlib.Path(self.folder) / "config.json"
        config.write_text(json.dumps({"num_hidden_layers": 36, "hidden_size": 2560, "num_attention_heads": 32,
                                      "num_key_value_heads": 8, "head_dim": 128, "torch_dtype": "bfloat16"}))
        plan = json.loads(self.succeeds("open", "kvcache", "datasize", "--model-config", config, "--json").stdout)
        self.assertEqual(147456, plan["options"][0]["model"]["bytes_per_token"])


if __name__ == "__main__":
    unittest.main()
