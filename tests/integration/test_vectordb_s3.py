#!/usr/bin/env python3
"""vectordb of the real binary on an index in object storage: each read of a search is a ranged request, and its answers are those that
the same index gives on files."""

import unittest

import rgw
import sweeps
from test_vectordb import VectorTest

BUCKET = "vectors"


class OnS3(VectorTest):
    @classmethod
    def setUpClass(cls):
        if rgw.missing_programs():
            raise unittest.SkipTest(f"RGW needs {', '.join(rgw.missing_programs())}")
        cls.server = cls.enterClassContext(rgw.Rgw())
        cls.server.make_bucket(BUCKET)

    def setUp(self):
        super().setUp()
        self.variables = self.server.variables
        self.addCleanup(self.server.empty_bucket, BUCKET)
        self.root = f"s3://{BUCKET}/index"

    @property
    def more(self):
        return ("--storage-root", self.root)

    def arguments(self, command, *more):
        words = super().arguments(command, *more)
        return (*words[:3], "object" if str(self.root).startswith("s3://") else "file", *words[3:])

    def test_searches_are_ranged_reads_with_the_answers_of_files(self):
        self.check_answers("DISKANN")

    @sweeps.sweep
    def test_lists_are_ranged_reads_with_the_answers_of_files(self):
        self.check_answers("IVF_FLAT")

    def check_answers(self, index):
        self.index = index
        found = []
        for self.root in (f"s3://{BUCKET}/index", self.folder / "files"):
            self.succeeds(*self.load("--force", "--max-degree", 24, "--search-list-size", 50, "--nlist", 20))
            self.succeeds(*self.search("--queries", 100, "--num-query-vectors", 100, "--search-ef", 10 if self.index == "IVF_FLAT"
                                       else 40))
            found.append(self.record())
        s3, files = found
        # No two graphs that several threads build are the same; lists are.
        slack = 0.1 if self.index == "DISKANN" else 0
        for key in ("reads", "bytes", "rounds"):
            expected = files["windows"][0]["per_query"][key]
            self.assertAlmostEqual(expected, s3["windows"][0]["per_query"][key], delta=slack * expected, msg=key)
        recalls = [record["windows"][0]["recall"]["mean"] for record in found]
        self.assertAlmostEqual(recalls[0], recalls[1], delta=0.02 if slack else 0)
        self.assertGreater(recalls[0], 0.8)
        self.assertGreaterEqual(s3["hosts"][0]["part"]["bytes_read"], 100 * s3["windows"][0]["per_query"]["bytes"])
        self.assertEqual("s3", s3["store"]["backend"])

    @sweeps.sweep
    def test_vectors_are_inserted_while_others_search(self):
        self.index = "DISKANN"
        self.succeeds(*self.load("--max-degree", 24, "--search-list-size", 50))
        self.succeeds(*self.search("--runtime", 3, "--insert-rate", 100, "--insert-batch", 20))
        record = self.record()
        self.assertEqual((16, 16), (record["truth"]["new_rows_checked"], record["truth"]["new_rows_right"]))
        self.assertGreater(record["inserts"][0]["latency"]["flush"]["count"], 0)

    def test_a_server_that_is_gone_is_an_error(self):
        self.index = "DISKANN"
        self.succeeds(*self.load("--max-degree", 24, "--search-list-size", 50))
        self.variables = {**self.variables, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
        done = self.fails(6, "E601", *self.search("--queries", 10))
        self.assertIn("127.0.0.1:9", done.stderr)


if __name__ == "__main__":
    unittest.main()
