#!/usr/bin/env python3
"""kvcache runs on two hosts, by each MPI: windows begin together, the figures are aggregated by the rules, and a run that
lost a host has no figures."""

import json
import pathlib
import unittest

from kvcache import KvCacheTest, write_trace
from multi_host import LAUNCHERS, MultiHostTest, need_hosts


def setUpModule():
    need_hosts()


class OnHosts(MultiHostTest, KvCacheTest):
    def assert_windows_aligned(self, record):
        """Every rank's window begins after all windows before it have ended, and before any of its own ends."""
        last_end = 0
        for trial in sorted({trial["trial"] for trial in record["trials"]}):
            mine = [each for each in record["trials"] if each["trial"] == trial]
            starts = [each["start_ns"] for each in mine]
            ends = [each["start_ns"] + each["elapsed_s"] * 1e9 for each in mine]
            self.assertGreaterEqual(min(starts), last_end)
            self.assertLess(max(starts), min(ends))
            last_end = max(ends)

    def test_by_each_mpi_with_two_ranks_a_host(self):
        for launcher in LAUNCHERS:
            with self.subTest(launcher):
                done = self.on_alpha(*self.little("--option", 1, "--npernode", 2, "--verify",
                                                 *self.on_hosts(launcher=launcher)))
                self.assertEqual(0, done.status, done)
                folder, record = self.run_folder(), self.record()
                summary = json.loads((folder / "summary.json").read_text())
                self.assertEqual((2, 2, 4), (summary["npernode"], summary["host_count"], summary["total_ranks"]))
                files = self.rank_files(1)
                self.assertEqual({(trial, rank) for trial in (0, 1) for rank in range(4)}, set(files))
                self.check_option(summary["options"]["1"], files, 2)
                self.assertEqual(4, summary["options"]["1"]["rank_count"])
                self.assert_windows_aligned(record)
                self.assertEqual([2, 2], [host["ranks"] for host in record["hosts"]])
                self.assertEqual({"6.4.1", "6.3.3.1"} & {rule["id"] for rule in record["rules"] if not rule["kept"]},
                                 {"6.4.1"})
                self.assertEqual([], self.left())

    def test_a_replay_on_every_host(self):
        trace = self.folder / "trace.jsonl.gz"
        requests = write_trace(trace, 100)
        done = self.on_alpha(*self.arguments("--trace", trace, "--block-tokens", 512, *self.little_model(),
                                             "--block-capacity", 20, "--kv-partial-blocks", "count", "--trace-speedup", 4,
                                             *self.on_hosts()))
        self.assertEqual(0, done.status, done)
        record = self.record()
        self.assertEqual([0, 1], [trial["rank"] for trial in record["trials"]])
        self.check_replay(record, requests, 20, True)

    def test_a_dead_rank_is_named_and_nothing_is_aggregated(self):
        running = self.start_on_alpha(*self.little("--option", 1, "--duration", 600, *self.on_hosts()))
        self.wait_until("entries of both", lambda: running.ended() or all(
            list((self.cache / f"rank_{rank}").glob("*.npy")) for rank in (0, 1)))
        done = self.kill(running, "beta")
        self.assertIn("host beta (process 1) is gone", done.stderr, done)
        self.assert_no_claim()
        self.assertEqual("failed", self.record()["verdict"])
        self.assertEqual({}, self.rank_files(1), "figures of a part of the ranks")
        self.assertEqual([], list((self.cache / "rank_0").glob("*")), "what the living host wrote")
        done = self.on_alpha(*self.little("--option", 1, *self.on_hosts()))
        self.assertEqual(0, done.status, done)
        self.assertEqual([], self.left())

    def test_ranks_that_do_not_divide_and_hosts_that_miss_the_trace_are_refused(self):
        done = self.on_alpha(*self.little("--num-processes", 3, "--npernode", 2, *self.on_hosts()))
        self.assertEqual(2, done.status, done)
        self.assertIn("--num-processes 3 isn't --npernode 2 on 2 hosts", done.stderr)
        folder = pathlib.Path(self.folder) / "on-alpha"
        folder.mkdir()
        write_trace(folder / "trace.jsonl.gz")
        self.hosts.hide("beta", folder)
        done = self.on_alpha(*self.arguments("--trace", folder / "trace.jsonl.gz", *self.on_hosts()))
        self.assertNotEqual(0, done.status, done)
        self.assertIn("beta", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
