#!/usr/bin/env python3
"""vectordb of the real binary: on an index of its own on files, on PostgreSQL with pgvector, and on Milvus by its own protocol. Result
files and their formulas, recomputed; and clear errors where a server refuses, loses rows, or is gone."""

import base64
import contextlib
import csv
import json
import os
import pathlib
import pty
import subprocess
import time
import unittest

import sweeps
import vector_servers
from program import ORGANISATION, SYSTEM, ProgramTest

OFFICIAL_SPREAD = ("min", "max", "mean", "median", "p95", "p99", "p999", "p9999")


def percentile(values, p):
    """By linear interpolation between two values."""
    values = sorted(values)
    position = p / 100 * (len(values) - 1)
    low = int(position)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (position - low)


class VectorTest(ProgramTest):
    engine, index, mode = "embedded", "FLAT", "whatif"
    more = ()
    rows, dimension = 2000, 32

    def arguments(self, command, *more):
        return (self.mode, "vectordb", command, "--vdb-engine", self.engine, "--vdb-index", self.index, "--collection", "c",
                "--results-dir", self.results, "--systemname", SYSTEM, "--skip-fs-separation-gate", "--quiet", *self.more, *more)

    def load(self, *more):
        return self.arguments("datagen", "--num-vectors", self.rows, "--dimension", self.dimension, "--distribution", "clustered",
                              *more)

    def search(self, *more):
        return self.arguments("run", *more)

    def leaf(self, command):
        return sorted(self.results.glob(
            f"{self.mode}/{ORGANISATION}/results/{SYSTEM}/vector_database/{self.engine}/{self.index}/{command}/*"))[-1]

    def json(self, command, name):
        return json.loads((self.leaf(command) / name).read_text())

    def record(self, command="run"):
        return self.json(command, "mlpstorage_record.json")

    def batches(self):
        rows = []
        for path in self.leaf("run").glob(f"{self.engine}_benchmark_p*.csv"):
            with open(path, newline="", encoding="utf-8") as file:
                rows += list(csv.DictReader(file))
        return rows

    def check_official_numbers(self):
        """Recomputes statistics.json from the files of the workers."""
        rows, shown = self.batches(), self.json("run", "statistics.json")
        took = [float(row["batch_time_seconds"]) for row in rows]
        sizes = [int(row["batch_size"]) for row in rows]
        begins = [float(row["timestamp"]) for row in rows]
        seconds = max(begin + each for begin, each in zip(begins, took)) - min(begins)
        self.assertEqual(sum(sizes), shown["total_queries"])
        self.assertAlmostEqual(seconds, shown["total_time_seconds"], delta=1e-3)
        self.assertAlmostEqual(sum(sizes) / shown["total_time_seconds"], shown["throughput_qps"], delta=1e-6 * sum(sizes))
        latencies = [each / size * 1e3 for each, size in zip(took, sizes) for _ in range(size)]
        for name, values in (("latency", latencies), ("batch_time", [each * 1e3 for each in took])):
            expected = {"min": min(values), "max": max(values), "mean": sum(values) / len(values), "median": percentile(values, 50),
                        "p95": percentile(values, 95), "p99": percentile(values, 99), "p999": percentile(values, 99.9),
                        "p9999": percentile(values, 99.99)}
            for key in OFFICIAL_SPREAD:
                self.assertAlmostEqual(expected[key], shown[f"{key}_{name}_ms"], delta=1e-5 + 1e-6 * expected[key], msg=key)
        recall = self.json("run", "recall_stats.json")
        each = recall["per_query_recall"]
        self.assertEqual(len(each), recall["num_queries_evaluated"])
        self.assertAlmostEqual(sum(each) / len(each), recall["mean_recall"], places=9)
        self.assertAlmostEqual(percentile(each, 5), recall["p5_recall"], places=9)
        self.assertEqual(shown["recall"], recall)

    def check_summary(self):
        summary, statistics = self.json("run", "summary.json"), self.json("run", "statistics.json")
        self.assertEqual((self.rows, self.dimension, self.rows, self.index, self.engine),
                         (summary["num_vectors"], summary["dimension"], summary["inserted_vectors"], summary["index_type"],
                          summary["database"]["database"]))
        self.assertEqual(statistics["total_queries"], summary["query_count"])
        self.assertEqual(statistics["recall"]["mean_recall"], summary["recall"])
        for key in ("throughput_qps", "mean_latency_ms", "p95_latency_ms", "p99_latency_ms", "p999_latency_ms"):
            self.assertEqual(statistics[key], summary[key])
        metadata = self.json("run", f"vector_database_{self.leaf('run').name}_metadata.json")
        self.assertEqual(("vector_database", f"{self.engine}_{self.index}"), (metadata["benchmark_type"], metadata["model"]))
        self.assertEqual({"num_vectors": self.rows, "dimension": self.dimension},
                         {key: metadata["parameters"]["dataset"][key] for key in ("num_vectors", "dimension")})
        verdict = self.json("run", "result_verdict.json")
        self.assertEqual((True, True, 1.0), (verdict["valid"], verdict["flat_setup"]["ok"], verdict["flat_setup"]["coverage"]))


class OnFiles(VectorTest):
    @property
    def more(self):
        return ("--storage-root", self.folder / "vectors")

    def test_an_index_of_each_kind_is_built_searched_and_reported(self):
        for self.index in ("FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW", "DISKANN", "AISAQ"):
            with self.subTest(self.index):
                self.succeeds(*self.load("--force", "--max-degree", 24, "--search-list-size", 50))
                self.succeeds(*self.search("--queries", 210, "--num-query-processes", 2, "--batch-size", 4))
                self.check_official_numbers()
                self.check_summary()
                record = self.record()
                window = record["windows"][0]
                self.assertGreater(window["recall"]["mean"], 1 - 1e-9 if self.index == "FLAT" else 0.9)
                self.assertEqual((210, 0), (window["queries_answered"], window["searches_failed"]))
                if self.index in ("DISKANN", "AISAQ"):
                    self.assertGreater(window["per_query"]["reads"], 0)
                    self.assertGreaterEqual(window["per_query"]["bytes"], window["per_query"]["reads"] * self.dimension * 4)
                self.assertIn("--vdb-engine embedded", record["no_result_because"][0])
                self.assertEqual(record["truth"]["rows_checked"], record["truth"]["rows_right"])

    def test_two_hosts_of_threads_load_and_search_the_same(self):
        """Ranks stand for loaders and workers; the vectors do not depend on their number."""
        self.succeeds(*self.load("--npernode", 3))
        self.succeeds(*self.search("--queries", 100, "--npernode", 2, "--gt-cache-dir", self.folder / "truth"))
        folder = self.leaf("run")
        several = json.loads((folder / "vectordb/simple/vdb_multi_node_summary.json").read_text())
        self.assertEqual(2, several["mpi"]["rank_count"])
        self.assertEqual(several, json.loads((folder / "vectordb/simple/statistics.json").read_text()))
        self.assertFalse(self.record()["truth"]["reused"])
        first = self.record()["truth"]["identity"]
        self.succeeds(*self.load("--force"))
        self.succeeds(*self.search("--queries", 100, "--gt-cache-dir", self.folder / "truth"))
        self.assertEqual((True, first), (self.record()["truth"]["reused"], self.record()["truth"]["identity"]))
        kept = next((self.folder / "truth").glob("truth-*.bin"))
        kept.write_bytes(kept.read_bytes()[:-1])
        done = self.fails(6, "E606", *self.search("--queries", 100, "--gt-cache-dir", self.folder / "truth"))
        self.assertIn(str(kept), done.stderr)

    def test_searches_that_arrive_count_from_when_they_were_due(self):
        self.succeeds(*self.load())
        self.succeeds(*self.search("--runtime", 2, "--arrival-rate", 100, "--warmup", 0.2, "--cache-state", "cold"))
        record = self.record()
        window = record["windows"][0]
        self.assertLess(abs(window["queries_completed"] - 200), 90, "a Poisson process of 100 per second")
        self.assertEqual(window["searches"], record["workers"][0]["latency"]["lateness"]["count"])
        host = record["host_windows"][0]
        self.assertGreater(host["stored_bytes"], 0)
        self.check_official_numbers()

    def test_what_can_not_be_searched_is_refused(self):
        self.fails(3, "E401", *self.search("--queries", 10))
        (self.folder / "vectors").mkdir()
        done = self.fails(3, "E603", *self.search("--queries", 10))
        self.assertIn("was not loaded by this program", done.stderr)
        self.succeeds(*self.load())
        self.fails(2, "E105", *self.search("--queries", 10, "--vector-dim", 31))
        done = self.fails(2, "E105", *self.search("--queries", 10, "--vdb-index", "HNSW"))
        self.assertIn("is FLAT", done.stderr)
        self.fails(2, "E105", *self.search("--queries", 10, "--storage-root", "null://"))
        self.assertEqual("failed", self.record()["verdict"])

    def test_vectors_are_inserted_while_others_search(self):
        for self.index in ("DISKANN", "HNSW"):
            with self.subTest(self.index):
                self.succeeds(*self.load("--force", "--max-degree", 24, "--search-list-size", 50))
                mixed = self.search("--runtime", 3, "--num-query-processes", 2, "--insert-rate", 400, "--insert-batch", 20)
                self.succeeds(*mixed)
                first = self.record()
                self.check_inserts(first, self.rows)
                self.check_official_numbers()
                self.assertGreater(first["windows"][0]["recall"]["mean"], 0.9)
                self.assertGreater(first["inserts"][0]["latency"]["flush"]["count"], 1)
                # What was inserted is there, and the next run goes on behind it; one that doesn't insert is of another collection.
                self.succeeds(*mixed)
                again = self.record()
                self.assertEqual(first["inserts"][0]["inserted"], again["truth"]["rows_grown"])
                self.assertEqual(again["truth"]["rows_checked"], again["truth"]["rows_right"])
                self.check_inserts(again, self.rows + again["truth"]["rows_grown"])
                self.assertIn("not the 2000 of its description", self.fails(6, "E606", *self.search("--queries", 10)).stderr)

    def check_inserts(self, record, first_key):
        inserts, window = record["inserts"][0], record["windows"][0]
        self.assertEqual((first_key, 0), (inserts["first_key"], inserts["inserted"] % 20))
        self.assertEqual(inserts["inserted"], 20 * inserts["latency"]["insert"]["count"])
        self.assertLess(abs(inserts["inserted"] / inserts["seconds"] - 400), 100)
        self.assertEqual((16, 16), (record["truth"]["new_rows_checked"], record["truth"]["new_rows_right"]))
        self.assertGreater(window["queries_completed"], 0)

    @sweeps.sweep
    def test_the_page_cache_of_a_control_group_bounds_what_is_kept(self):
        groups = pathlib.Path("/sys/fs/cgroup")
        version_1 = groups / "memory"
        group = (version_1 if version_1.is_dir() else groups) / f"mlps-vectors-{os.getpid()}"
        limit = 72 << 20
        try:
            group.mkdir()
            self.addCleanup(group.rmdir)
            (group / ("memory.limit_in_bytes" if version_1.is_dir() else "memory.max")).write_text(str(limit))
        except OSError as error:
            self.skipTest(f"no memory limit can be set: {error}")
        enter = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$0" "$@"']
        self.index, self.rows, self.dimension = "IVF_FLAT", 80_000, 256  # lists of 82 MB
        self.succeeds(*self.load("--nlist", 8))
        search = self.search("--runtime", 1, "--search-ef", 8, "--num-query-vectors", 3, "--cache-state", "warm")
        for path in (self.folder / "vectors").rglob("*"):
            if path.is_file():
                with open(path, "rb") as file:
                    os.fsync(file.fileno())
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        done = self.start(*search, before=enter).wait()
        self.assertEqual(0, done.status, done)
        bounded = self.record()
        self.assertEqual(limit, bounded["host_windows"][0]["memory_limit_bytes"])
        self.succeeds(*search)
        free = self.record()
        self.assertNotEqual(limit, free["host_windows"][0]["memory_limit_bytes"])
        if free["host_windows"][0]["page_cache_bytes"] is None:
            self.skipTest("the file system doesn't tell what the page cache has")
        cached = [record["host_windows"][0]["page_cache_bytes"] for record in (bounded, free)]
        self.assertLess(cached[0], limit, "what was read first had to go: it comes from the storage again")
        self.assertGreater(cached[1], limit)

    def test_null_measures_the_load_alone(self):
        self.succeeds(*self.load("--storage-root", "null://"))
        record = self.record("datagen")
        self.assertEqual(self.rows, record["load"]["inserted"])
        self.assertIn("null://", " ".join(record["no_result_because"]))

    def test_plans_are_printed_and_nothing_is_touched(self):
        plan = json.loads(self.succeeds("closed", "vectordb", "datasize", "--config-file", self.file("num_vectors: 10000000\n"
                                        "num_shards: 10\n"), "--json").stdout)
        self.assertEqual(("milvus", "default"), (plan["engine"], plan["engine_by"]))
        self.assertAlmostEqual(798.72e9, plan["vectors"]["estimated_total_bytes"], delta=1)
        text = self.succeeds(*self.search("--dry-run")).stdout
        self.assertIn("engine            embedded\n", text)
        self.assertEqual([], list(self.results.glob("whatif")))

    def file(self, text):
        path = self.folder / "flags.yaml"
        path.write_text(text)
        return path


# Writes vectors, queries and answers as those do who publish them: NumPy, and h5py in the layout of ann-benchmarks.
WRITERS = """
import sys, numpy as np, h5py, pyarrow as pa, pyarrow.parquet as pq
folder = sys.argv[1]
random = np.random.default_rng(7)
base, queries = (random.normal(size=(n, 32)).astype(np.float32) for n in (2000, 50))
distances = ((queries[:, None, :].astype(np.float64) - base[None, :, :]) ** 2).sum(axis=2)
keys = np.argsort(distances, axis=1, kind="stable")[:, :100].astype(np.int32)

def vecs(name, rows, kind):
    rows = rows.astype(kind)
    heads = np.full((len(rows), 1), rows.shape[1], np.int32).view(np.uint8)
    np.hstack([heads, rows.view(np.uint8).reshape(len(rows), -1)]).tofile(f"{folder}/{name}")

def binary(name, rows):
    with open(f"{folder}/{name}", "wb") as file:
        np.array(rows.shape, np.uint32).tofile(file)
        rows.tofile(file)

vecs("base.fvecs", base, np.float32)
vecs("queries.fvecs", queries, np.float32)
vecs("truth.ivecs", keys, np.int32)
vecs("base.bvecs", np.clip(base * 20 + 128, 0, 255), np.uint8)
binary("base.fbin", base)
np.save(f"{folder}/base.npy", base.astype(np.float64))
np.save(f"{folder}/queries.npy", queries)
np.save(f"{folder}/truth.npy", keys.astype(np.int64))
pq.write_table(pa.table({"id": range(2000), "emb": list(base)}), f"{folder}/base.parquet", row_group_size=700)
pq.write_table(pa.table({"emb": list(queries)}), f"{folder}/queries.parquet", compression="zstd")
pq.write_table(pa.table({"id": range(50), "neighbors_id": list(keys.astype(np.int64))}), f"{folder}/truth.parquet")
bad = base.copy()
bad[1234, 5] = np.nan
np.save(f"{folder}/nan.npy", bad)
zero = base.copy()
zero[77] = 0
np.save(f"{folder}/zero.npy", zero)
with h5py.File(f"{folder}/set.hdf5", "w") as file:
    file.attrs["distance"], file.attrs["dimension"] = "euclidean", 32
    file["train"], file["test"], file["neighbors"], file["distances"] = base, queries, keys, np.sort(distances)[:, :100]
with h5py.File(f"{folder}/chunks.hdf5", "w") as file:
    file.create_dataset("train", data=base, chunks=True, compression="gzip")
"""


class OfFiles(VectorTest):
    """Vectors, queries and answers that others have written."""

    @classmethod
    def setUpClass(cls):
        vector_servers.require_writers()

    def setUp(self):
        super().setUp()
        subprocess.run([vector_servers.python(), "-c", WRITERS, str(self.folder)], check=True, stdin=subprocess.DEVNULL)

    @property
    def more(self):
        return ("--storage-root", self.folder / "vectors")

    def load_file(self, name, *more):
        return self.arguments("datagen", "--force", "--base-file", self.folder / name, *more)

    def test_every_format_holds_the_same_vectors(self):
        identities = set()
        for base, queries, truth in (("base.fvecs", "queries.fvecs", "truth.ivecs"), ("base.fbin", "queries.npy", "truth.npy"),
                                     ("base.npy", "set.hdf5#test", "set.hdf5#neighbors"), ("set.hdf5", "set.hdf5", "set.hdf5"),
                                     ("base.parquet#emb", "queries.parquet", "truth.parquet#neighbors_id")):
            with self.subTest(base):
                self.succeeds(*self.load_file(base, "--metric-type", "L2"))
                self.assertEqual(("file", 2000, 32), tuple(self.record("datagen")["plan"]["vectors"][key]
                                                           for key in ("distribution", "rows", "dimension")))
                for more in ((), ("--truth-file", self.folder / truth)):
                    self.succeeds(*self.search("--queries", 100, "--query-file", self.folder / queries, *more))
                    record = self.record()
                    self.assertEqual((100, 1.0), (record["windows"][0]["queries_answered"], record["windows"][0]["recall"]["mean"]))
                    self.assertEqual(50, self.json("run", "recall_stats.json")["num_queries_evaluated"])
                    self.assertEqual(record["truth"]["rows_checked"], record["truth"]["rows_right"])
                identities.add(record["truth"]["identity"])
        self.assertEqual(5, len(identities), "each file is a source of its own")
        self.succeeds(*self.load_file("base.bvecs", "--num-vectors", 500, "--vdb-index", "DISKANN"))
        self.index = "DISKANN"
        self.succeeds(*self.search("--queries", 100, "--query-mode", "planted", "--num-query-vectors", 100))
        self.assertGreater(self.record()["windows"][0]["recall"]["mean"], 0.95)

    def test_what_does_not_fit_is_refused_with_the_reason(self):
        self.assertIn("--metric-type COSINE: the vectors of", self.fails(2, "E105", *self.load_file("set.hdf5")).stderr)
        self.assertIn("element 5 of row 1234 is nan", self.fails(6, "E606", *self.load_file("nan.npy")).stderr)
        self.assertIn("row 77 has nothing but zeros", self.fails(6, "E606", *self.load_file("zero.npy")).stderr)
        self.assertIn("is compressed", self.fails(2, "E102", *self.load_file("chunks.hdf5")).stderr)
        self.fails(2, "E105", *self.load_file("base.npy", "--dimension", 31))
        self.fails(2, "E105", *self.load_file("base.npy", "--num-vectors", 2001))
        self.fails(3, "E401", *self.load_file("nothing.npy"))
        self.succeeds(*self.load_file("base.npy"))  # by the cosine
        queries = ("--queries", 10, "--query-file", self.folder / "queries.npy")
        done = self.fails(6, "E606", *self.search(*queries, "--truth-file", self.folder / "truth.npy"))
        self.assertIn("by COSINE the vector", done.stderr)
        self.assertIn("--query-file", self.fails(2, "E105", *self.search("--queries", 10)).stderr)
        self.fails(2, "E105", *self.search("--queries", 10, "--query-file", self.folder / "truth.npy"))
        moved = (self.folder / "base.npy").rename(self.folder / "moved.npy")
        self.fails(3, "E401", *self.search(*queries))
        self.succeeds(*self.search(*queries, "--base-file", moved))
        done = self.fails(6, "E606", *self.search(*queries, "--base-file", self.folder / "zero.npy"))
        self.assertIn("is not the file that the collection was loaded from", done.stderr)


class OnServer(VectorTest):
    """What holds for each server; a subclass has the server."""
    server = None
    mode = "open"
    index = "HNSW"

    @property
    def more(self):
        return ("--port", self.server.port)

    def check_load_and_search(self):
        self.succeeds(*self.load("--ef-construction", 64, "--npernode", 2))
        loaded = self.json("datagen", "summary.json")
        self.assertEqual((self.rows, self.rows), (loaded["num_vectors"], loaded["inserted_vectors"]))
        ranks = self.json("datagen", "vectordb/load/load_statistics.json")["rank_stats"]
        self.assertEqual([(0, self.rows // 2), (self.rows // 2, self.rows)],
                         [(rank["vector_id_start"], rank["vector_id_end_exclusive"]) for rank in ranks])
        self.succeeds(*self.search("--queries", 300, "--num-query-processes", 2, "--batch-size", 7, "--search-ef", 128))
        self.assertEqual([150, 150], sorted(sum(int(row["batch_size"]) for row in self.batches() if row["process_id"] == rank)
                                            for rank in "01"))
        self.check_official_numbers()
        self.check_summary()
        window = self.record()["windows"][0]
        self.assertGreater(window["recall"]["mean"], 0.9)
        self.assertEqual((300, 0), (window["queries_answered"], window["searches_failed"]))
        self.assertIsNone(window["per_query"]["reads"], "the server does not tell")

    def check_what_is_there_stays(self):
        done = self.fails(2, "E102", *self.load())
        self.assertIn("is there already", done.stderr)
        self.succeeds(*self.load("--force", "--ef-construction", 64))

    def check_sweep(self):
        self.succeeds(*self.search("--benchmark-mode", "sweep", "--recall-targets", "0.8,0.95", "--runtime", 1, "--sweep-queries", 100,
                                   "--num-query-vectors", 200))
        record = self.record()
        self.assertEqual([0.8, 0.95], [window["recall_target"] for window in record["windows"]])
        for window in record["windows"]:
            reached = [step for step in record["sweep"] if step["recall"] >= window["recall_target"]]
            if window["target_reached"]:
                self.assertEqual(min(step["effort"] for step in reached), window["effort"])
        self.check_official_numbers()

    def check_inserts(self):
        self.succeeds(*self.search("--runtime", 3, "--insert-rate", 200, "--insert-batch", 10, "--search-ef", 128))
        record = self.record()
        inserted = record["inserts"][0]
        self.assertEqual((self.rows, 0), (inserted["first_key"], inserted["inserted"] % 10))
        self.assertGreater(inserted["inserted"], 300)
        self.assertGreater(record["windows"][0]["recall"]["mean"], 0.9)
        self.assertEqual(16, record["truth"]["new_rows_checked"])
        return record

    def check_a_server_that_goes_away(self):
        running = self.start(*self.search("--runtime", 60, "--request-timeout", 5))
        self.wait_until_searching(running)
        self.server.stop_server()
        done = running.wait()
        self.assertEqual(6, done.status, done)
        self.assertIn("[E601]", done.stderr)
        self.assertEqual("failed", self.record()["verdict"])
        self.assertFalse((self.leaf("run") / "summary.json").exists())
        done = self.fails(6, "E601", *self.search("--runtime", 1))
        self.assertIn(str(self.server.port), done.stderr)

    def wait_until_searching(self, running):
        deadline = time.monotonic() + 60
        while not running.ended() and time.monotonic() < deadline:
            leaves = list(self.results.glob(f"**/{self.engine}/{self.index}/run/*/mlpstorage.log"))
            if leaves and not list(leaves[0].parent.glob("summary.json")):
                time.sleep(2)
                return
            time.sleep(0.1)


class OnPgvector(OnServer):
    engine = "pgvector"

    @classmethod
    def setUpClass(cls):
        vector_servers.require_postgres()
        cls.server = cls.enterClassContext(vector_servers.Postgres())

    def test_vectors_are_loaded_searched_and_reported(self):
        self.check_load_and_search()
        self.assertEqual(str(self.rows), self.server.sql("SELECT count(*) FROM c"))
        self.assertEqual("PostgreSQL", self.record()["server_version"].split()[0])
        self.check_what_is_there_stays()
        self.check_sweep()
        self.check_rows_that_do_not_match()
        self.check_refusals()
        self.check_a_plan_without_the_index()
        self.check_workers_that_can_not_start()
        record = self.check_inserts()
        self.assertEqual(16, record["truth"]["new_rows_right"])
        self.assertEqual(str(self.rows + record["inserts"][0]["inserted"]), self.server.sql("SELECT count(*) FROM c"))
        self.succeeds(*self.load("--force", "--ef-construction", 64))
        self.check_a_server_that_goes_away()

    def check_rows_that_do_not_match(self):
        self.server.sql("UPDATE c SET vector = (SELECT vector FROM c WHERE id = 1)")
        done = self.call(*self.search("--queries", 20))
        self.assertEqual(6, done.status, done)
        self.assertIn("rows that were looked up are not the collection's", self.record()["reasons"][0])
        self.assertFalse(self.json("run", "result_verdict.json")["valid"])
        self.server.sql("DELETE FROM c WHERE id < 100")
        done = self.call(*self.search("--queries", 20))
        self.assertIn("has 1900 rows, not the 2000 of its description", done.stderr)
        self.succeeds(*self.load("--force", "--ef-construction", 64))

    def check_a_plan_without_the_index(self):
        """An index is there, of a few rows, so that PostgreSQL compares all."""
        name = self.server.sql("SELECT indexname FROM pg_indexes WHERE tablename = 'c' AND indexdef LIKE '%hnsw%'")
        self.server.sql(f"DROP INDEX {name}; CREATE INDEX {name} ON c USING hnsw (vector vector_cosine_ops) WHERE id < 10")
        done = self.call(*self.search("--queries", 20))
        self.assertNotEqual(0, done.status, done)
        self.assertIn("PostgreSQL does not use the index of c", done.stderr)
        self.assertFalse((self.leaf("run") / "summary.json").exists())
        self.succeeds(*self.load("--force", "--ef-construction", 64))

    def check_workers_that_can_not_start(self):
        few = ["sh", "-c", 'ulimit -n 40 && exec "$0" "$@"']
        done = self.start(*self.search("--queries", 200, "--num-query-processes", 60), before=few).wait()
        self.assertNotEqual(0, done.status, "fewer workers are another measurement")
        self.assertRegex(done.stderr, "Too many open files|ulimit -n|file descriptors")
        self.assertFalse((self.leaf("run") / "summary.json").exists())

    def check_refusals(self):
        done = self.fails(2, "E102", *self.arguments("datagen", "--collection", "d", "--index-type", "HNSW", "--num-vectors", 10,
                                                     "--dimension", 2001))
        self.assertIn("pgvector indexes up to 2000 elements", done.stderr)
        done = self.call(*self.arguments("datagen", "--collection", "d", "--num-vectors", 10, "--dimension", 4, "--M", 101))
        self.assertNotEqual(0, done.status)
        self.assertIn("value 101 out of bounds", done.stderr)
        done = self.fails(3, "E603", *self.search("--collection", "nowhere"))
        self.assertIn("nowhere", done.stderr)


class OnMilvus(OnServer):
    engine = "milvus"

    @classmethod
    def setUpClass(cls):
        vector_servers.require_milvus()
        cls.server = cls.enterClassContext(vector_servers.Milvus())

    def test_vectors_are_loaded_searched_and_reported(self):
        self.check_load_and_search()
        self.check_what_is_there_stays()
        done = self.fails(3, "E603", *self.search("--collection", "nowhere"))
        self.assertIn("Milvus: DescribeCollection: ", done.stderr)
        self.check_inserts()
        self.succeeds(*self.load("--force", "--ef-construction", 64))
        self.check_a_server_that_goes_away()

    @sweeps.sweep
    def test_a_server_behind_a_front_of_its_own(self):
        with vector_servers.Milvus() as self.server:
            self.succeeds(*self.load("--ef-construction", 64))
            self.check_a_token_a_database_and_tls()
            self.check_a_server_that_is_stuck_or_knows_better()

    def through(self, front, *arguments, **variables):
        """A call by way of what stands before the server."""
        return self.start(*self.with_port(front, arguments), **variables).wait()

    @staticmethod
    def with_port(front, arguments):
        return [front.port if i > 0 and arguments[i - 1] == "--port" else word for i, word in enumerate(arguments)]

    def on_a_terminal(self, *arguments):
        """Returns what the program writes there."""
        terminal, end = pty.openpty()
        process = subprocess.Popen([self.program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=end, stderr=end, cwd=self.folder,
                                   env=self.environment())
        os.close(end)
        text = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while piece := os.read(terminal, 65536):
                text += piece
        os.close(terminal)
        process.wait()
        return text.decode(errors="replace")

    def check_a_token_a_database_and_tls(self):
        token = "user:a-secret-of-the-test"
        with vector_servers.MilvusFront(self.server, tls=True) as front:
            front.behave(authorization=base64.b64encode(token.encode()).decode())
            trusted = ("--tls", "--ca-file", front.root / "certificate")
            search = self.search("--queries", 20, "--database-name", "default")
            done = self.through(front, *search, *trusted, MILVUS__TOKEN=token)
            self.assertEqual(0, done.status, done)
            self.assertEqual({"default"}, {call["dbname"] for call in front.calls()})
            for variables in ({}, {"MILVUS__TOKEN": "user:another"}, {"MILVUS__PASSWORD": "a-secret-of-the-test"}):
                done = self.through(front, *search, *trusted, **variables)
                self.assertNotEqual(0, done.status, done)
                self.assertIn("auth check failure", done.stderr)
            done = self.through(front, *search, *trusted, "--user", "user", MILVUS__PASSWORD="a-secret-of-the-test")
            self.assertEqual(0, done.status, done)
            for path in self.results.rglob("*"):
                self.assertNotIn(b"a-secret-of-the-test", path.read_bytes() if path.is_file() else b"", path)
            done = self.through(front, *search, "--tls", MILVUS__TOKEN=token)
            self.assertNotEqual(0, done.status, "nobody vouches for the certificate")
            self.assertIn("certificate", done.stderr.lower())

    def check_a_server_that_is_stuck_or_knows_better(self):
        with vector_servers.MilvusFront(self.server) as front:
            front.behave(load_stuck_at=40)
            done = self.through(front, *self.search("--queries", 20, "--ready-timeout", 2))
            self.assertEqual(7, done.status, done)
            self.assertRegex(done.stderr, r"\[E202\] Milvus: the load of c has not moved on for 2 s, at 40")
            self.assertIn("ReleaseCollection", [call["name"] for call in front.calls()], "nothing is left loaded")
            search = self.with_port(front, self.search("--queries", 20, "--ready-timeout", 2))
            shown = self.on_a_terminal(*[word for word in search if word != "--quiet"])
            self.assertRegex(shown, "load by the server.*40")
            load = ("--force", "--ef-construction", 64, "--ready-timeout", 2)
            front.behave(rows_not_indexed=3)
            done = self.through(front, *self.load(*load))
            self.assertEqual(7, done.status, done)
            self.assertIn("the index of c has not moved on", done.stderr)
            front.behave(parameters={"M": "7"})
            done = self.through(front, *self.load(*load))
            self.assertEqual(2, done.status, done)
            self.assertIn("Milvus reports M 7 of the index of c, which was to be made with 16", done.stderr)
            front.behave()
            self.assertEqual(0, self.through(front, *self.load(*load)).status)


if __name__ == "__main__":
    unittest.main()
