"""Tests of compatibility.py."""

import unittest

import compatibility

HEAD = "| | mlpstorage 3.0 | here | tested by |\n| --- | --- | --- | --- |\n"
NAMES = {"Suite.Name": "EXPECT_EQ(exec_type, 1)", "test_it": ""}


class Problems(unittest.TestCase):
    def test_a_row_with_tests_is_fine(self):
        self.assertEqual(compatibility.problems(HEAD + "| `a \\| b` | x | y | `Suite.Name`, `test_it` |\n", NAMES), [])

    def test_a_row_without_a_test(self):
        for row in ("| a | x | y |", "| a | x | y | |", "| a | x | y | by hand |"):
            found = compatibility.problems(HEAD + row + "\n", NAMES)
            self.assertEqual(found, ["line 3: 'a' names no test in a fourth column"], row)

    def test_a_test_that_is_not_there(self):
        found = compatibility.problems(HEAD + "| a | x | y | `Suite.Other` |\n", NAMES)
        self.assertEqual(found, ["line 3: there is no test Suite.Other"])


    def test_a_test_of_something_else(self):
        fine = HEAD + "| `--exec-type docker` | x | y | `test_it`, `Suite.Name` |\n"
        self.assertEqual(compatibility.problems(fine, NAMES), [])
        found = compatibility.problems(HEAD + "| `reader.preprocess_time` | x | y | `Suite.Name` |\n", NAMES)
        self.assertEqual(found, ["line 3: none of its tests has a word of '`reader.preprocess_time`'"])


if __name__ == "__main__":
    unittest.main()
