#!/usr/bin/env python3
"""kvcache runs on object storage: the real binary against a real S3 server (Ceph RGW)."""

import json
import signal
import unittest

import object_suites
import rgw
from kvcache import KvCacheTest, write_trace

PARTS = ("--io-part-size", "5MiB")


def setUpModule():
    object_suites.set_up(rgw.Rgw())


class Entries(KvCacheTest, object_suites.ObjectTest):
    def setUp(self):
        super().setUp()
        self.cache = self.location()

    def objects(self, *more):
        arguments = list(self.little(*PARTS, *more))
        arguments.insert(3, "object")
        return arguments

    def assert_nothing_left(self):
        self.assertEqual({}, self.stored(self.prefix))
        self.assert_no_open_uploads()

    def test_the_sequence_leaves_the_files_and_their_formulas_hold(self):
        done = self.succeeds(*self.objects("--num-processes", 2, "--cpu-mem-gb", 0, "--verify"))
        summary = json.loads((self.run_folder() / "summary.json").read_text())
        for option, shown in summary["options"].items():
            self.check_option(shown, self.rank_files(option), 2)
            self.assertIsNone(shown["aggregated_device_read_p95_ms"], "spans of mlpstorage 3.0 are not made up")
        record = self.record()
        self.assertEqual(("passed", "s3"), (record["verdict"], record["store"]["backend"]))
        storage = record["operations"]["storage"]
        self.assertGreater(storage["bytes_verified"], 0)
        moved = sum(trial["tiers"]["storage"][kind][when] for trial in record["trials"]
                    for kind in ("read_bytes", "written_bytes") for when in ("inside", "late"))
        self.assertEqual(moved, storage["bytes"])
        self.assert_nothing_left()
        self.assert_secret_free(done)

    def test_memory_before_it_demotes_entries_to_objects(self):
        self.succeeds(*self.objects("--option", 1, "--cpu-mem-gb", 0.02, "--num-users", 12))
        trials = self.record()["trials"]
        self.assertGreater(sum(trial["evictions"] for trial in trials), 0)
        self.assertGreater(sum(trial["tiers"]["storage"]["demoted_in_bytes"]["inside"] for trial in trials), 0)
        self.assert_nothing_left()

    def test_a_replay_counts_as_everywhere_and_verifies(self):
        trace = self.folder / "trace.jsonl.gz"
        requests = write_trace(trace, 100)
        arguments = list(self.arguments("--trace", trace, "--block-tokens", 512, *self.little_model(), "--block-capacity", 20,
                                        "--kv-partial-blocks", "count", "--verify", "--trace-speedup", 2))
        self.succeeds(*arguments[:3], "object", *arguments[3:])
        record = self.record()
        self.check_replay(record, requests, 20, True)
        self.assertEqual(record["operations"]["storage"]["bytes_verified"],
                         512 * 1024 * record["trials"][0]["replay"]["block_hits"])
        self.assert_nothing_left()

    def test_an_interrupt_leaves_no_object_and_no_upload(self):
        running = self.start(*self.objects("--option", 1, "--duration", 600))
        done = self.interrupt(running, lambda: len(self.stored(self.prefix)) > 2, signal.SIGINT)
        self.assertEqual(8, done.status, done)
        self.assert_nothing_left()

    def test_objects_that_are_not_ours_are_refused_and_stay(self):
        self.server.put(object_suites.BUCKET, f"{self.prefix}/rank_0/notes.txt", b"mine")
        self.fails(3, "E404", *self.objects("--option", 1))
        self.assertEqual({"rank_0/notes.txt": 4}, self.stored(self.prefix))

    def test_a_wrong_byte_and_a_refused_request_end_the_run(self):
        for fault, status, code in (("flip:read_part@3", 6, "E606"), ("denied:write_part@9", 4, "E602")):
            self.fails(status, code, *self.objects("--option", 1, "--verify", "--inject-fault", fault))
            self.assertEqual("failed", self.record()["verdict"])
            self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main(verbosity=2)
