#!/usr/bin/env python3
"""vectordb of the real binary on OpenSearch. scripts/test.sh long runs it: the server takes half a minute and 600 MB."""

import unittest

import vector_servers
from test_vectordb import OnServer


class OnOpensearch(OnServer):
    engine = "opensearch"

    @classmethod
    def setUpClass(cls):
        vector_servers.require_opensearch()
        cls.server = cls.enterClassContext(vector_servers.Opensearch())

    def load(self, *more):
        return super().load("--knn-engine", "lucene", *more)

    def test_vectors_are_loaded_searched_and_reported(self):
        self.check_load_and_search()
        self.check_what_is_there_stays()
        self.check_sweep()
        self.check_inserts()
        done = self.fails(2, "E102", *self.arguments("datagen", "--collection", "d", "--vdb-index", "DISKANN"))
        self.assertIn("OpenSearch has no index DISKANN", done.stderr)
        done = self.fails(2, "E105", *self.search("--vdb-engine", "elasticsearch"))
        self.assertIn("the server is OpenSearch", done.stderr)


if __name__ == "__main__":
    unittest.main()
