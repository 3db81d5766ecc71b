#!/usr/bin/env python3
"""Replays of traces by the real binary, on null:// and on files, beside a simulation that shares no code with the program."""

import gzip
import json
import subprocess
import unittest

import kvcache_model
from kvcache import KvCacheTest, write_trace
from sweeps import sweep


class Replay(KvCacheTest):
    def setUp(self):
        super().setUp()
        self.trace = self.folder / "trace.jsonl.gz"
        self.requests = write_trace(self.trace)

    def replayed(self, *more, where=None):
        model = () if "--model-config" in more else ("--model", "tiny-1b")
        self.succeeds(*self.arguments("--trace", self.trace, "--block-tokens", 512, *model, *more, where=where))
        return self.record()

    def test_counts_are_those_of_an_independent_simulation(self):
        for capacity, partial in ((0, True), (200, True), (50, False)):
            record = self.replayed("--block-capacity", capacity, "--kv-partial-blocks", "count" if partial else "skip",
                                   "--payload", "none", where="null://")
            self.check_replay(record, self.requests, capacity, partial)
            latest = record["trials"][0]["replay"]["latency"]["lateness"]["p50_ns"]
            self.assertLess(latest, 1e9, "requests are not sent by the clock of the trace")

    def test_every_capacity_has_its_counts_with_real_io(self):
        """No limit, and three smaller rooms, as the curve has them: what moved is what was counted."""
        self.cache.mkdir()
        for capacity in (0, 400, 120, 30):
            record = self.replayed("--block-capacity", capacity, "--kv-partial-blocks", "count", "--verify", "--trace-speedup", 8,
                                   *self.little_model())
            self.check_replay(record, self.requests, capacity, True)
            [trial] = record["trials"]
            replay, tier = trial["replay"], trial["tiers"]["storage"]
            self.assertEqual([512 * 1024 * replay[name] for name in ("block_hits", "blocks_stored")],
                             [tier[name]["inside"] for name in ("read_bytes", "written_bytes")])
            self.assertEqual(replay["blocks_stored"] - replay["blocks_evicted"], tier["entries_at_end"])
            self.assertEqual([], self.left())

    def test_requests_are_sent_on_time(self):
        """Lateness counts until all loads of a request are on their way; what this program computed meanwhile is its share, which
        a busy machine doesn't change."""
        for where, more in (("null://", ("--payload", "none")), (None, ())):
            record = self.replayed(*more, *self.little_model(), where=where)
            lateness = record["trials"][0]["replay"]["latency"]
            self.assertEqual([400, 400], [lateness[name]["count"] for name in ("lateness", "own_lateness")])
            self.assertLess(lateness["own_lateness"]["p99_ns"], 5e6, "the program itself sends late")

    def test_blocks_are_verified_on_files_and_nothing_is_left(self):
        self.cache.mkdir()
        record = self.replayed("--block-capacity", 20, "--kv-partial-blocks", "count", "--verify", "--trace-speedup", 2,
                               "--slo-ttft-ms", 1000000)
        self.check_replay(record, self.requests, 20, True)
        self.assertEqual([], self.left())
        replay = record["trials"][0]["replay"]
        self.assertAlmostEqual(replay["without_offload"]["computed_s"], replay["computed_s"] + replay["computing_saved_s"])
        self.assertEqual(record["operations"]["storage"]["bytes_verified"], 512 * 24576 * replay["block_hits"])
        self.assertEqual(400, replay["within_slo"])

    @sweep
    def test_blocks_in_slots_of_slabs_are_the_same_blocks(self):
        for io in ((), ("--o-direct",)):
            self.cache.mkdir(exist_ok=True)
            running = self.start(*self.arguments("--trace", self.trace, "--block-tokens", 512, "--model", "tiny-1b",
                                                 "--block-layout", "slabs", "--block-capacity", 20, "--kv-partial-blocks",
                                                 "count", "--verify", "--trace-speedup", 2, *io))
            self.wait_until("a slab", lambda: running.ended() or list(self.cache.rglob("slab_*.kv")))
            seen = {path.name for path in self.cache.rglob("*.kv")}
            done = running.wait()
            self.assertEqual(0, done.status, done)
            self.assertEqual({"slab_0000.kv"}, seen)
            record = self.record()
            self.check_replay(record, self.requests, 20, True)
            self.assertEqual(record["operations"]["storage"]["bytes_verified"],
                             512 * 24576 * record["trials"][0]["replay"]["block_hits"])
            self.assertIn("slabs", record["store"]["settings"])
            self.assertEqual([], self.left())

    def test_a_run_killed_with_slabs_is_cleaned_up_by_the_next(self):
        words = ("--trace", self.trace, "--block-tokens", 512, "--model", "tiny-1b", "--block-layout", "slabs",
                 "--block-capacity", 20)
        running = self.start(*self.arguments(*words, "--trace-speedup", 0.01))
        self.wait_until("a slab", lambda: list(self.cache.rglob("slab_*.kv")))
        running.abandon()
        self.assertIn("slab_0000.kv", {path.name for path in self.left()})
        done = self.succeeds(*self.arguments(*words, "--trace-speedup", 100))
        self.assertIn("1 entries of", done.stderr)
        self.assertEqual([], self.left())

    def test_slabs_are_files_of_a_folder_without_faults(self):
        words = ("--trace", self.trace, "--block-layout", "slabs")
        self.fails(2, "E105", *self.arguments(*words, where="null://"))
        self.fails(2, "E105", *self.arguments(*words, "--inject-fault", "flip:read_part@1"))

    def test_requests_of_one_user_begin_alike_where_the_trace_does_not_say(self):
        self.trace.write_text("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n" + "".join(
            f"{number / 100},GPT-4,{512 * (1 + number // 3)},10,0,API log\n" for number in range(12)))
        for users, hits in ((0, 0), (3, 3 * (1 + 2 + 3)), (12, 0)):
            more = ("--trace-users", users) if users else ()
            record = self.replayed("--payload", "none", *more, where="null://")
            self.assertEqual(hits, record["trials"][0]["replay"]["block_hits"], users)

    def test_the_curve_of_hits_needs_no_storage(self):
        done = self.succeeds("open", "kvcache", "datasize", "--trace", self.trace, "--block-tokens", 512,
                             "--kv-partial-blocks", "count", "--json")
        for point in json.loads(done.stdout)["hit_curve"]:
            hits, references, stored, evicted = kvcache_model.replay(self.requests, point["block_capacity"])
            self.assertEqual((hits, references, stored, evicted),
                             tuple(point[name] for name in ("block_hits", "block_references", "blocks_stored", "blocks_evicted")))
            whole = point["whole_prompts"]
            self.assertEqual(kvcache_model.whole_prompts(self.requests, 512 * point["block_capacity"]),
                             (whole["hits"], whole["hit_tokens"]))

    def test_a_trace_without_reuse_says_so_before_the_run_and_passes(self):
        self.trace.write_text("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
                              "0,GPT-4,2000,10,2010,API log\n0.2,GPT-4,2000,10,2010,API log\n")
        words = ("--trace", self.trace, "--model", "tiny-1b")
        done = self.succeeds("open", "kvcache", "datasize", *words)
        self.assertIn("no reuse in this trace under these rules: nothing will be read", done.stdout)
        done = self.succeeds("open", "kvcache", "datasize", *words, "--block-admission", "second-use")
        self.assertIn("no block is stored under these rules: nothing will be written", done.stdout)
        self.assertEqual(0, self.replayed(where="null://")["trials"][0]["replay"]["block_hits"])

    def test_a_trace_packed_by_zstd_is_the_same_trace(self):
        packed = self.folder / "trace.jsonl.zst"
        packed.write_bytes(subprocess.run(["zstd", "--stdout"], input=gzip.decompress(self.trace.read_bytes()), check=True,
                                          capture_output=True).stdout)
        self.trace = packed
        self.check_replay(self.replayed("--payload", "none", "--block-capacity", 50, where="null://"), self.requests, 50, False)

    def test_a_damaged_trace_ends_the_run_with_its_line(self):
        self.trace.write_text(json.dumps(self.requests[0]) + "\n" + "{\n")
        done = self.fails(5, "E104", *self.arguments("--trace", self.trace, where="null://"))
        self.assertIn("line 2", done.stderr)

    def test_flags_of_users_and_of_replays_do_not_mix(self):
        for more in (("--trace", self.trace, "--num-users", 5), ("--trace", self.trace, "--kv-io", "compat"),
                     ("--block-tokens", 64), ("--trace-speedup", 2), ("--trace-users", 5), ("--block-layout", "slabs"),
                     ("--trace", self.trace, "--enable-rag"), ("--trace", self.trace, "--decode-only"),
                     ("--trace", self.trace, "--precondition")):
            self.fails(2, "E102", *self.arguments(*more, where="null://"))

    def test_failed_loads_are_counted_and_never_loaded(self):
        """K12: of about 1,000 reads ten fail once and are repeated; then one fails for good."""
        requests = write_trace(self.trace, 200)
        hits, _, _, _ = kvcache_model.replay(requests, 0)
        self.assertGreater(hits, 400)
        words = ("--trace", self.trace, "--block-tokens", 512, "--kv-partial-blocks", "count", *self.little_model(), "--verify",
                 "--trace-speedup", 4)
        failing = range(20, 400, 38)
        self.succeeds(*self.arguments(*words, "--inject-fault", ",".join(f"reset=1:read_part@{number}" for number in failing)))
        record = self.record()
        self.check_replay(record, requests, 0, True)
        self.assertEqual(len(failing), record["operations"]["storage"]["retries"])
        self.assertEqual(hits * 512 * 1024, record["operations"]["storage"]["bytes_verified"])
        self.fails(4, "E602", *self.arguments(*words, "--inject-fault", "denied:read_part@100"))
        record = self.record()
        self.assertEqual("failed", record["verdict"])
        self.assertLess(record["operations"]["storage"]["bytes_verified"], 130 * 512 * 1024)
        self.assertFalse((self.run_folder() / "summary.json").exists())
        self.assertEqual([], self.left())


if __name__ == "__main__":
    unittest.main()
