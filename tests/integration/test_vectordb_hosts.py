#!/usr/bin/env python3
"""vectordb on several hosts, by each MPI: the same vectors from one host and from three, windows that begin together, and figures that
add up."""

import json
import unittest

import hosts
import vector_servers
from multi_host import LAUNCHERS, MultiHostTest, need_hosts
from test_vectordb import VectorTest


def setUpModule():
    need_hosts()


class OnHosts(MultiHostTest, VectorTest):
    host_names = ("alpha", "beta", "gamma")

    def passes(self, *arguments):
        done = self.on_alpha(*arguments)
        self.assertEqual(0, done.status, done)
        return done

    def check_windows_of_all(self, processes, ranks, queries):
        record = self.record()
        self.assertEqual(list(range(ranks)), [worker["rank"] for worker in record["workers"]])
        starts = [worker["start_ns"] for worker in record["workers"]]
        self.assertLess(max(starts) - min(starts), 5e8, "windows begin after a barrier")
        window = record["windows"][0]
        self.assertEqual((ranks, queries, 0), (window["workers"], window["queries_answered"], window["searches_failed"]))
        self.assertGreater(window["recall"]["mean"], 0.9)
        several = self.json("run", "vectordb/simple/vdb_multi_node_summary.json")
        self.assertEqual(processes, several["mpi"]["rank_count"])
        return record

    def test_one_index_is_searched_from_several_hosts(self):
        self.engine, self.index, self.mode = "embedded", "DISKANN", "whatif"
        self.more = ("--storage-root", self.folder / "vectors")
        self.passes(*self.load("--max-degree", 24, "--search-list-size", 50))
        for launcher in LAUNCHERS:
            with self.subTest(launcher):
                self.passes(*self.search("--queries", 120, "--num-query-processes", 2,
                                           *self.on_hosts(launcher=launcher, names=("alpha", "beta"))))
                record = self.check_windows_of_all(2, 4, 120)
                self.assertEqual([2, 2], [host["ranks"] for host in record["hosts"]])
                self.assertEqual(record["windows"][0]["per_query"]["bytes"] * 120,
                                 sum(host["part"]["bytes_read"] for host in record["hosts"]))
                self.check_official_numbers()
        self.refused(2, "E105", *self.search("--queries", 10, "--insert-rate", 10, *self.on_hosts(names=("alpha", "beta"))))

    def test_vectors_do_not_depend_on_the_number_of_hosts(self):
        vector_servers.require_postgres()
        self.server = self.enterContext(vector_servers.Postgres(hosts.HUB))
        self.engine, self.index, self.mode = "pgvector", "HNSW", "open"
        self.more = ("--host", hosts.HUB, "--port", self.server.port)
        content = "SELECT md5(string_agg(id || vector::text, ',' ORDER BY id)) || ' ' || count(*) FROM c"
        self.passes(*self.load("--ef-construction", 40))
        alone = self.server.sql(content)
        self.passes(*self.load("--ef-construction", 40, "--force", "--npernode", 2, *self.on_hosts(names=self.host_names)))
        self.assertEqual(alone, self.server.sql(content))
        ranks = self.json("datagen", "vectordb/load/load_statistics.json")["rank_stats"]
        self.assertEqual(6, len(ranks))
        self.assertEqual(self.rows, sum(rank["vector_id_end_exclusive"] - rank["vector_id_start"] for rank in ranks))
        self.passes(*self.search("--queries", 90, "--search-ef", 128, *self.on_hosts(names=self.host_names)))
        self.check_windows_of_all(3, 3, 90)


if __name__ == "__main__":
    unittest.main()
