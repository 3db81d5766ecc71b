"""What the tests of kvcache runs share: a small sequence, where its files are, and whether their formulas hold."""

import gzip
import json
import random
import statistics

import kvcache_model
from program import ORGANISATION, SYSTEM, ProgramTest

GIB = 2**30


def percentile(values, p):
    """By linear interpolation between two samples."""
    values = sorted(values)
    position = p / 100 * (len(values) - 1)
    low = int(position)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (position - low)


def write_trace(path, count=400):
    """Writes the shape of a Mooncake trace, gzip, and returns its requests."""
    draw = random.Random(7)
    requests, conversations, fresh = [], [], iter(range(1, 10**6))
    for number in range(count):
        blocks = list(draw.choice(conversations)) if conversations and draw.random() < 0.6 else [0]
        blocks = blocks[:draw.randint(1, len(blocks))] + [next(fresh) for _ in range(draw.randint(0, 6))]
        conversations = (conversations + [blocks])[-60:]
        tokens = 512 * len(blocks) - draw.choice((0, draw.randint(1, 511)))
        requests.append({"timestamp": 10 * number, "input_length": tokens, "output_length": draw.randint(1, 9),
                         "hash_ids": blocks})
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(request) + "\n" for request in requests)
    return requests


class KvCacheTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"

    def arguments(self, *more, mode="whatif", where=None):
        return (mode, "kvcache", "run", "--cache-dir", where or self.cache, "--results-dir", self.results, "--systemname",
                SYSTEM, "--skip-fs-separation-gate", "--quiet", *more)

    def small(self, *more, users=4, where=None):
        """A sequence that a small disk serves in a few seconds."""
        return self.arguments("--model", "tiny-1b", "--num-users", users, "--duration", 2, "--trials", 2,
                              "--inter-option-delay", 0, "--storage-capacity-gb", min(1, users / 4), "--max-concurrent-allocs", 2,
                              *more, where=where)

    def little_model(self):
        """A model of 1,024 bytes per token."""
        config = self.folder / "little.json"
        config.write_text(json.dumps({"num_hidden_layers": 4, "hidden_size": 512, "num_attention_heads": 8,
                                      "num_key_value_heads": 2, "head_dim": 32, "torch_dtype": "float16"}))
        return "--model-config", config

    def little(self, *more, where=None):
        """The same with entries of a few MB, so that each rank completes requests however busy the machine is."""
        return self.arguments(*self.little_model(), "--num-users", 4, "--duration", 2, "--trials", 2,
                              "--inter-option-delay", 0, "--storage-capacity-gb", 0.2, "--max-concurrent-allocs", 2,
                              *more, where=where)

    def run_folder(self):
        return sorted(self.results.glob(f"whatif/{ORGANISATION}/results/{SYSTEM}/kv_cache/*/run/*"))[-1]

    def left(self):
        return [path for path in self.cache.rglob("*") if path.is_file()]

    def rank_files(self, option):
        """{(trial, rank): content}"""
        files = {}
        for path in self.run_folder().glob(f"option_{option}/trial_*/rank_*/kvcache_results_*.json"):
            trial, rank = (int(part.split("_")[1]) for part in path.parts[-3:-1])
            files[trial, rank] = json.loads(path.read_text())
        return files

    def check_option(self, shown, files, seconds):
        """summary.json from the rank files, and each rank file from its own lists."""
        trials, ranks = ({place[i] for place in files} for i in (0, 1))

        def over_trials(value):
            return statistics.fmean(sum(value(files[trial, rank]["summary"]) for rank in ranks) for trial in trials)

        for name, value in (
                ("aggregated_read_bandwidth_gbps", lambda s: s["cache_stats"]["tier_storage_read_bandwidth_gbps"]),
                ("aggregated_write_bandwidth_gbps", lambda s: s["cache_stats"]["tier_storage_write_bandwidth_gbps"]),
                ("aggregated_avg_throughput_tokens_per_sec", lambda s: s["avg_throughput_tokens_per_sec"]),
                ("aggregated_storage_throughput_tokens_per_sec", lambda s: s["storage_throughput_tokens_per_sec"])):
            self.assertAlmostEqual(over_trials(value), shown[name], delta=1e-9 * max(1, shown[name]), msg=name)
        for name, value in (
                ("aggregated_p95_latency_ms", lambda s: s["storage_io_latency_ms"]["p95"]),
                ("aggregated_device_read_p95_ms", lambda s: s["cache_stats"].get("storage_read_device_p95_ms")),
                ("aggregated_storage_read_p95_ms", lambda s: s["cache_stats"].get("storage_read_p95_ms"))):
            there = [found for file in files.values() if (found := value(file["summary"])) is not None]
            if there:
                self.assertAlmostEqual(max(there), shown[name], places=6, msg=name)
            else:
                self.assertIsNone(shown[name], name)
        for (_, rank), file in files.items():
            self.assertEqual(42 + rank, file["seed"])
            self.check_rank_file(file, seconds)

    def check_rank_file(self, file, seconds):
        summary, stats = file["summary"], file["summary"]["cache_stats"]
        count, tokens, elapsed = file["requests_completed"], file["total_tokens_generated"], summary["elapsed_time"]
        self.assertEqual(seconds, elapsed)
        self.assertEqual(count, len(file["end_to_end_latencies"]))
        self.assertGreaterEqual(len(file["prefill_latencies"]), count)
        self.assertAlmostEqual(tokens / elapsed, summary["avg_throughput_tokens_per_sec"])
        self.assertAlmostEqual(tokens / sum(file["storage_latencies"]), summary["storage_throughput_tokens_per_sec"], places=6)
        for name, p in (("p50", 50), ("p95", 95), ("p99", 99), ("p999", 99.9), ("p9999", 99.99)):
            self.assertAlmostEqual(1e3 * percentile(file["storage_latencies"], p), summary["storage_io_latency_ms"][name],
                                   places=6)
        looked = stats["cache_hits"] + stats["cache_misses"]
        self.assertAlmostEqual(stats["cache_hits"] / looked, stats["cache_hit_rate"])
        for tier in ("gpu", "cpu", "storage"):
            for way, done in (("read", "read"), ("write", "written")):
                self.assertAlmostEqual(stats[f"tier_{tier}_kv_bytes_{done}_gb"] / elapsed,
                                       stats[f"tier_{tier}_{way}_bandwidth_gbps"])

    def check_replay(self, record, requests, capacity, partial):
        """Every rank's counts are those of an independent simulation, and what was moved is what was counted."""
        expected = kvcache_model.replay(requests, capacity, partial)
        for trial in record["trials"]:
            counted = trial["replay"]
            self.assertEqual(expected, tuple(
                counted[name] for name in ("block_hits", "block_references", "blocks_stored", "blocks_evicted")))
            self.assertEqual((counted["block_hits"], counted["blocks_stored"]), (trial["reads"], trial["writes"]))
            self.assertEqual(len(requests), trial["requests"]["completed"])
