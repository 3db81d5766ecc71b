#!/usr/bin/env python3
"""kvcache runs of the real binary on files and on null://: result files and their formulas, hit rates against a simulation
that shares no code with the program, and what a run leaves behind however it ends."""

import configparser
import csv
import json
import signal
import statistics
import subprocess
import unittest

import kvcache_model
from kvcache import GIB, KvCacheTest
from sweeps import sweep


class OnFiles(KvCacheTest):
    def test_the_sequence_leaves_the_files_and_their_formulas_hold(self):
        self.succeeds(*self.small("--num-processes", 2, "--cpu-mem-gb", 0, "--verify"))
        folder = self.run_folder()
        summary = json.loads((folder / "summary.json").read_text())
        self.assertEqual(["schema_version", "run_datetime", "npernode", "host_count", "total_ranks", "trials_per_option",
                          "options", "partial_failure", "trial_failures"], list(summary))
        self.assertEqual(["1", "2", "3"], list(summary["options"]))
        for name in (f"kv_cache_{folder.name}_metadata.json", "kv_cache_cluster_info.json", "mlpstorage_record.json"):
            self.assertTrue((folder / name).is_file(), name)
        for option, shown in summary["options"].items():
            files = self.rank_files(option)
            self.assertEqual({(trial, rank) for trial in (0, 1) for rank in (0, 1)}, set(files))
            self.check_option(shown, files, 2)
        self.assertEqual([], self.left())
        record = self.record()
        self.assertGreater(record["operations"]["storage"]["bytes_verified"], 0)
        self.check_record(record)
        broken = {rule["id"] for rule in record["rules"] if not rule["kept"]}
        self.assertEqual(19, len(record["rules"]))
        self.assertLessEqual(broken, {"6.4.1"}, "the test has cache and results on one file system")

    def check_record(self, record):
        """Bytes of entries and of the operations below them agree, and demotions count as written."""
        moved = sum(tier[kind][when] for trial in record["trials"] for tier in (trial["tiers"]["storage"],)
                    for kind in ("read_bytes", "written_bytes", "demoted_in_bytes") for when in ("inside", "late"))
        below = record["operations"]["storage"]["bytes"]
        self.assertGreaterEqual(below, moved)
        self.assertLess(below - moved, 128 * (record["operations"]["storage"]["objects"] + 100))

    def test_a_memory_tier_demotes_to_storage_and_the_bytes_count_there(self):
        self.succeeds(*self.small("--option", 2, "--cpu-mem-gb", 0.5, "--verify", users=20))
        record = self.record()
        self.check_record(record)
        for trial in record["trials"]:
            tiers = trial["tiers"]
            self.assertGreater(trial["evictions"], 0)
            self.assertGreater(tiers["storage"]["demoted_in_bytes"]["inside"], 0)
            self.assertLessEqual(tiers["storage"]["demoted_in_bytes"]["inside"],
                                 tiers["cpu"]["demoted_out_bytes"]["inside"] + tiers["cpu"]["demoted_out_bytes"]["late"])
            self.assertLessEqual(tiers["cpu"]["used_bytes_at_end"], 0.95 * GIB / 2)

    def test_bytes_written_are_those_that_the_kernel_counted(self):
        done = self.succeeds(*self.small("--option", 2, "--trials", 1, "--cpu-mem-gb", 0.25, users=20))
        if done.written_bytes == 0:
            self.skipTest("the kernel counts no writes to this file system")
        storage = self.record()["trials"][0]["tiers"]["storage"]
        claimed = sum(storage[kind][when] for kind in ("written_bytes", "demoted_in_bytes") for when in ("inside", "late"))
        self.assertGreater(storage["demoted_in_bytes"]["inside"], 0)
        # The kernel counts whole pages, and the result files.
        self.assertGreaterEqual(done.written_bytes, 0.999 * claimed)
        self.assertLessEqual(done.written_bytes, 1.001 * claimed + 4 * 2**20)

    def test_memory_is_that_of_the_plan_and_more_than_there_is_is_refused(self):
        self.succeeds(*self.small("--option", 2, "--trials", 1, "--cpu-mem-gb", 0.5, "--max-concurrent-allocs", 0, users=20))
        record = self.record()
        plan, [trial] = record["plan"]["options"][0], record["trials"]
        buffers = plan["io"]["buffer_bytes"] + plan["cpu_tier_io"]["buffer_bytes"]
        self.assertEqual(plan["cpu_tier_bytes"] + buffers + (128 << 20), plan["memory_bytes"])
        used = trial["tiers"]["cpu"]["used_bytes_at_end"]
        self.assertGreater(record["peak_rss_bytes"], used)
        self.assertLess(record["peak_rss_bytes"], 1.1 * (plan["cpu_tier_bytes"] + buffers) + 32 * 2**20)
        self.assertIn("memory: in all, about", self.call(*self.small("--option", 2, "--dry-run")).stdout)
        done = self.fails(2, "E102", *self.small("--option", 2, "--cpu-mem-gb", 100000))
        self.assertIn("exceed the memory that is available", done.stderr)
        self.assertEqual([], self.left())

    def test_a_trace_of_the_moves_and_a_job_for_fio(self):
        moves, job = self.folder / "moves.csv", self.folder / "job.fio"
        self.succeeds(*self.small("--option", 1, "--io-trace", moves, "--emit-fio", job))
        with open(moves, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(["Timestamp", "Operation", "Object_Size_Bytes", "Tier", "Key", "Phase"], list(rows[0]))
        trials = self.record()["trials"]
        for operation, kind in (("Read", "reads"), ("Write", "writes")):
            count = sum(row["Operation"] == operation for row in rows)
            self.assertGreaterEqual(count, sum(trial[kind] for trial in trials))
            self.assertLessEqual(count, sum(trial[kind] + trial["requests"]["cut_off_at_end"] for trial in trials))
        self.assertEqual({("Read", "Tier-2", "Decode"), ("Write", "Tier-2", "Prefill")},
                         {(row["Operation"], row["Tier"], row["Phase"]) for row in rows})
        parts = configparser.ConfigParser(comment_prefixes=";")
        parts.read(job)
        section = parts["kvcache-option-1"]
        tiers = [trial["tiers"]["storage"] for trial in trials]
        read, written = (sum(tier[name]["inside"] for tier in tiers) for name in ("read_bytes", "written_bytes"))
        self.assertAlmostEqual(100 * read / (read + written), int(section["rwmixread"]), delta=0.51)
        self.assertEqual(str(self.cache), section["directory"])
        packed = self.folder / "moves.csv.zst"
        self.succeeds(*self.little("--option", 1, "--trials", 1, "--io-trace", packed))
        text = subprocess.run(["zstd", "--decompress", "--stdout", packed], check=True, capture_output=True, text=True).stdout
        rows = list(csv.DictReader(text.splitlines()))
        self.assertGreaterEqual(len(rows), sum(self.record()["trials"][0][kind] for kind in ("reads", "writes")))

    def test_the_page_cache_does_not_answer_reads(self):
        self.succeeds(*self.small("--option", 1))
        record = self.record()
        check = record["cross_check"][0]
        if "check" not in check or not check["check"]:
            self.skipTest("this machine counts no device for the folder")
        self.assertNotIn("less", json.dumps(check["check"].get("read", "")))

    def test_what_a_run_would_compute_without_offload_is_in_the_record(self):
        self.succeeds(*self.little("--option", 1, "--trials", 1, "--prefill-rate", 5000))
        [trial] = self.record()["trials"]
        offload = trial["offload"]
        self.assertGreater(offload["computed_tokens"], 0)
        self.assertAlmostEqual(offload["computed_tokens"] / 5000, offload["computed_s"])
        self.assertAlmostEqual(offload["without_offload"]["computed_s"], offload["computed_s"] + offload["computing_saved_s"])
        self.assertEqual(trial["earlier_turns"]["hits"] > 0, offload["loaded_tokens"] > 0)
        self.succeeds(*self.little("--option", 1, "--trials", 1, "--decode-only"))
        [trial] = self.record()["trials"]
        self.assertEqual(0, trial["offload"]["computed_tokens"])
        self.assertEqual(2048 * trial["requests"]["completed"], trial["offload"]["loaded_tokens"])

    def test_a_killed_run_is_cleaned_up_by_the_next_and_nothing_foreign_is_touched(self):
        running = self.start(*self.small("--option", 1, "--duration", 600))
        self.wait_until("entries", lambda: len(list(self.cache.rglob("*.npy"))) > 3)
        running.abandon()
        self.assertGreater(len(self.left()), 3)
        foreign = self.cache / "rank_0" / "notes.txt"
        foreign.write_text("mine")
        done = self.succeeds(*self.small("--option", 1))
        self.assertIn("were left by a run that did not come to its end", done.stderr)
        self.assertEqual([foreign], self.left())
        self.assertGreater(self.record()["leftover"]["entries"], 3)

    def test_files_without_our_marker_are_refused_with_number_and_bytes(self):
        (self.cache / "rank_0").mkdir(parents=True)
        (self.cache / "rank_0" / "conv_user_0001_0_turn_1.npy").write_bytes(b"x" * 5000)
        done = self.fails(3, "E404", *self.small("--option", 1))
        self.assertIn("rank_0/ has 1 file of 4.883 KiB, and no marker", done.stderr)
        self.assertEqual(1, len(self.left()))

    def test_no_rate_is_more_than_what_was_moved_in_its_time(self):
        """K3: by the operations below, by the kernel where it counts, and in the answer as it is printed."""
        done = self.succeeds(*self.small("--option", 1, "--trials", 1, users=8))
        record = self.record()
        [trial], [result] = record["trials"], record["results"]
        moved = result["storage_moved_gib_per_s"] * trial["elapsed_s"] * GIB
        self.assertLessEqual(moved, 1.0001 * record["operations"]["storage"]["bytes"])
        self.assertLessEqual(moved, 1.0001 * sum(second["bytes"] for second in record["per_second"]["intervals"]))
        storage = trial["tiers"]["storage"]
        spent = {way: storage["entries"][way]["count"] * storage["entries"][way]["mean_ms"] / 1e3 for way in ("read", "write")}
        for way, name in (("read", "while_reading_gib_per_s"), ("write", "while_writing_gib_per_s")):
            own = result[f"storage_{way}_gib_per_s"] * sum(spent.values()) / spent[way]
            self.assertAlmostEqual(own, result[name], delta=1e-6 * own)
        # What a percentile is about stands beside it: the size of the entries, and how long one operation took (K19).
        mean = storage["whole_read_bytes"] / storage["entries"]["read"]["count"]
        self.assertAlmostEqual(mean, result["entry_read_mean_bytes"], delta=1)
        table = (self.run_folder() / "kv_cache_run.stdout.log").read_text()
        self.assertRegex(table, r"read of an entry, p95 \(highest rank\) +ms +[0-9.,]+\n +of entries of, in the mean +MiB +[0-9.,]+")
        self.assertRegex(table, r"one operation +p95 [0-9.,]+ ms, reads and writes, of [0-9.,]+ [KM]iB in the mean")
        self.assertRegex(" ".join(done.stdout.split()), r"read of an entry of [0-9.]+ MiB p95 [0-9.]+ m?s")
        # Reads of files that the kernel has in memory are not counted by a device: no number without that remark.
        self.succeeds(*self.small("--option", 1, "--trials", 1, "--kv-io", "direct", "--fadvise", "none", users=8))
        record = self.record()
        check = record["cross_check"][0].get("check")
        if check:
            self.assertIn("less", json.dumps(check["read"]), "reads came from memory, and nothing says so")

    def test_a_full_disk_and_a_wrong_byte_end_a_run_in_order(self):
        for fault, status, code in (("full:write_part@20", 3, "E403"), ("flip:read_part@5", 6, "E606")):
            self.fails(status, code, *self.small("--option", 1, "--verify", "--inject-fault", fault))
            self.assertEqual("failed", self.record()["verdict"])
            self.assertFalse((self.run_folder() / "summary.json").exists())
            self.assertEqual([], self.left(), fault)

    def test_an_interrupt_leaves_nothing(self):
        running = self.start(*self.small("--option", 1, "--duration", 600))
        done = self.interrupt(running, lambda: len(list(self.cache.rglob("*.npy"))) > 3, signal.SIGINT)
        self.assertEqual(8, done.status, done)
        self.assertEqual("interrupted", self.record()["verdict"])
        self.assertEqual([], self.left())

    def test_a_missing_entry_ends_the_run(self):
        running = self.start(*self.small("--option", 1, "--duration", 60))
        self.wait_until("entries", lambda: len(list(self.cache.rglob("*.npy"))) > 3)
        while not running.ended():
            for path in (self.cache / "rank_0").glob("*.npy"):
                path.unlink(missing_ok=True)
        done = running.wait()
        self.assertNotEqual(0, done.status, done)
        self.assertEqual("failed", self.record()["verdict"])
        self.assertEqual([], self.left())


class OnNull(KvCacheTest):
    def on_null(self, *more):
        return self.arguments("--payload", "none", "--option", 1, "--trials", 1, "--max-concurrent-allocs", 0, *more,
                              where="null://")

    def completed(self):
        """How many requests one trial came to: fewer on a machine that is busy, of the same sequence."""
        [trial] = self.record()["trials"]
        self.assertGreater(trial["requests"]["completed"], 500)
        return trial["requests"]["completed"]

    def test_hit_rates_are_those_of_an_independent_simulation(self):
        self.succeeds(*self.on_null("--duration", 8))
        self.assertAlmostEqual(kvcache_model.hit_rate(200, self.completed(), 131072), self.record()["results"][0]["hit_rate"],
                               delta=0.01)

    def test_hit_rates_of_a_cache_that_evicts_too(self):
        # Many users, since which of them think fast differs from seed to seed.
        self.succeeds(*self.on_null("--duration", 4, "--num-users", 2000, "--model", "tiny-1b", "--storage-capacity-gb", 100))
        expected = statistics.fmean(kvcache_model.hit_rate(2000, self.completed(), 24576, 100 * GIB, seed) for seed in (1, 2, 3))
        self.assertLess(expected, 0.95, "nothing is evicted that is asked for again")
        self.assertAlmostEqual(expected, self.record()["results"][0]["hit_rate"], delta=0.01)
        self.assertGreater(self.record()["trials"][0]["evictions"], 100)

    def test_the_harness_is_a_small_part_of_the_time_in_service(self):
        self.succeeds(*self.arguments("--option", 1, "--trials", 1, "--duration", 3, "--num-users", 50, "--model", "tiny-1b",
                                      where="null://"))
        self.assertLess(self.record()["client"]["share_of_service"], 0.25)  # 0.1 % on a machine with nothing else to do
        self.assertIsNone(self.record()["client"]["share"], "null:// takes no time of its own")

    def test_two_runs_send_the_same_requests(self):
        offered = []
        for _ in range(2):
            self.succeeds(*self.on_null("--duration", 2))
            offered.append(self.record()["trials"][0]["requests"]["offered"])
        self.assertEqual(*offered)

    def test_a_hundred_thousand_users_start_at_once_in_little_memory(self):
        done = self.succeeds(*self.on_null("--num-users", 100000, "--duration", 1))
        self.assertLess(done.peak_rss_bytes, 512 << 20)
        self.assertEqual("passed", self.record()["verdict"])

    def test_a_device_four_times_as_slow_has_a_quarter_of_the_headline(self):
        def measured(delay_ms):
            self.succeeds(*self.arguments(
                "--payload", "none", "--option", 1, "--trials", 1, "--num-users", 40, "--duration", 5, "--model", "tiny-1b",
                "--inject-fault", f"slow={delay_ms}:read_part@1+,slow={delay_ms}:write_part@1+", where="null://"))
            return self.record()["results"][0]

        fast, slow = measured(40), measured(160)
        for name in ("storage_moved_gib_per_s", "storage_read_gib_per_s", "while_reading_gib_per_s", "while_writing_gib_per_s",
                     "entry_read_gib_per_s", "entry_write_gib_per_s"):
            self.assertGreaterEqual(fast[name], 3.5 * slow[name], name)
            if "while" in name:
                self.assertLessEqual(fast[name], 4.6 * slow[name], name)

    def test_an_entry_larger_than_four_gib_is_moved_whole(self):
        model, trace = self.folder / "config.json", self.folder / "trace.jsonl"
        model.write_text(json.dumps({"num_hidden_layers": 128, "hidden_size": 8192, "num_attention_heads": 64,
                                     "num_key_value_heads": 64, "head_dim": 130, "torch_dtype": "float16"}))
        trace.write_text('{"timestamp": 0, "input_length": 1024, "output_length": 1, "hash_ids": [1, 2]}\n' * 2)
        self.succeeds(*self.arguments("--trace", trace, "--model-config", model, "--block-tokens", 1024, "--payload", "none",
                                      where="null://"))
        [trial] = self.record()["trials"]
        size = 128 * 64 * 260 * 2 * 1024
        self.assertGreater(size, 2**32)
        self.assertEqual([size, size], [trial["tiers"]["storage"][kind]["inside"] for kind in ("read_bytes", "written_bytes")])

    def test_too_many_waiting_requests_end_the_run(self):
        done = self.fails(6, "E201", *self.arguments(
            "--option", 1, "--trials", 1, "--num-users", 20, "--duration", 30, "--max-queue", 50, "--model", "tiny-1b",
            "--inject-fault", "slow=300:read_part@1+", where="null://"))
        self.assertIn("requests wait, more than --max-queue 50", done.stderr)


class Features(KvCacheTest):
    """What the original's program can do besides the three options."""

    def run_one(self, *more, **where):
        self.succeeds(*self.little("--option", 1, "--trials", 1, *more, **where))
        return self.record()

    def test_a_configuration_file_changes_the_run_and_is_named(self):
        config = self.folder / "config.yaml"
        config.write_text("user_templates:\n" + "".join(
            f"  {name}: {{context_range: [400, 400], generation_range: [32, 32], think_time_range: [0.05, 0.05]}}\n"
            for name in ("chatbot", "coding", "document")) + "decode: {batch_size: 8}\n")
        record = self.run_one("--config", config)
        plan = record["plan"]["options"][0]
        self.assertEqual([100 * 1024, 400 * 1024], [plan["entry_bytes"][name] for name in ("smallest", "largest")])
        reads = plan["offered_per_host"]["decode_reads_per_request"]
        self.assertTrue(3 <= reads <= 5, reads)  # once, and for each 8 of 8 to 32 tokens
        parameters = json.loads(next(self.run_folder().glob("*_metadata.json")).read_text())["parameters"]
        self.assertEqual("custom", parameters["sequence"]["config"])
        config.write_text("decode: {batch_sise: 8}\n")
        done = self.fails(2, "E102", *self.little("--config", config))
        self.assertIn("decode.batch_sise is no known key", done.stderr)
        self.assertIn("the nearest is decode.batch_size", done.stderr)
        self.fails(2, "E102", *self.arguments("--config", config, mode="closed"))

    def test_prefill_only_writes_and_decode_only_reads(self):
        tier = self.run_one("--prefill-only", "--disable-multi-turn")["trials"]
        self.assertEqual(0, tier[0]["reads"])
        self.assertGreater(tier[0]["writes"], 0)
        record = self.run_one("--decode-only", "--verify")
        [trial] = record["trials"]
        self.assertEqual((40, 40 * 2048 * 1024, 0), (trial["prepared_entries"], trial["prepared_bytes"], trial["writes"]))
        self.assertGreater(trial["reads"], 0)
        self.assertEqual(0, trial["tiers"]["storage"]["written_bytes"]["inside"])
        self.assertEqual([], self.left())

    def test_preconditioned_storage_is_full_and_named(self):
        plan = self.call(*self.little("--option", 1, "--trials", 1, "--precondition", "--dry-run")).stdout
        self.assertIn("409.6 MiB per rank before each of 1 windows", plan)
        record = self.run_one("--precondition", "--precondition-threads", 4)
        [trial] = record["trials"]
        self.assertTrue(record["plan"]["preconditioned"])
        self.assertEqual(-(-2 * trial["storage_capacity_bytes"] // (2048 * 1024)), trial["prepared_entries"])
        self.assertGreater(trial["evictions"], 0)
        self.assertLessEqual(trial["tiers"]["storage"]["used_bytes_at_end"], trial["storage_capacity_bytes"])
        self.assertEqual([], self.left())
        self.assertFalse(self.run_one()["plan"]["preconditioned"])
        done = self.fails(2, "E105", *self.arguments("--precondition", "--option", 1, "--trials", 1, where="null://"))
        self.assertIn("--precondition-size-gb", done.stderr)

    def test_documents_are_stored_and_looked_up(self):
        [trial] = self.run_one("--enable-rag", "--rag-num-docs", 3, "--verify")["trials"]
        self.assertGreater(trial["documents"]["hits"] + trial["documents"]["misses"], 0)
        self.assertGreater(trial["writes"], trial["prefill_writes"])
        self.assertEqual([], self.left())

    @sweep
    def test_the_autoscaler_adds_users_and_says_so_in_the_rank_files(self):
        record = self.run_one("--enable-autoscaling", "--autoscaler-mode", "capacity", "--payload", "none", "--duration", 12,
                              where="null://")
        [tick] = record["trials"][0]["scaling"]
        self.assertEqual((10, 9), (tick["at_s"], tick["users"]))
        summary = self.rank_files(1)[0, 0]["summary"]
        [action] = summary["autoscaling_stats"]
        self.assertEqual(("capacity", "scale_up", 9), (action["mode"], action["action"], action["users"]))
        self.assertEqual((4, 9, 1), tuple(summary["autoscaling_summary"][name]
                                          for name in ("initial_users", "final_users", "total_scale_events")))
        self.assertEqual(1, len(self.rank_files(1)[0, 0]["throughput_timeline"]))


if __name__ == "__main__":
    unittest.main()
