#!/usr/bin/env python3
"""words.py finds replaced words as whole words, in any case."""

import unittest

import words


class Words(unittest.TestCase):
    def test_whole_words_only(self):
        self.assertEqual([(2, "Bell", "event count")], list(words.words_in("int a;\n/// The Bell.\n")))
        self.assertEqual([(1, "the original's", "mlpstorage 3.0 or DLIO")], list(words.words_in("by the original's formula")))
        self.assertEqual([], list(words.words_in("labelled, bellow, screws, hearsay, the originally planned")))


if __name__ == "__main__":
    unittest.main()
