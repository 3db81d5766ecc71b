#!/usr/bin/env python3
"""skips.py counts what GoogleTest, unittest and ctest skip."""

import unittest
import xml.etree.ElementTree as ElementTree

import skips

OUTPUT = """[ RUN      ] Tree.A
line 3: Skipped
may not mount

[  SKIPPED ] Tree.A (0 ms)
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] Tree.A
"""


class Skips(unittest.TestCase):
    def skipped(self, inner):
        return skips.skipped_in(ElementTree.fromstring(f"<testcase name='a'>{inner}</testcase>"))

    def test_all_three_kinds_are_counted_once(self):
        self.assertEqual(["Tree.A"], self.skipped(f"<system-out>{OUTPUT}</system-out>"))
        self.assertEqual(["?", "?"], self.skipped("<system-out>..ss\nRan 4 tests in 1.0s\n\nOK (skipped=2)\n</system-out>"))
        self.assertEqual(["all of it"], self.skipped("<skipped message='SKIP_RETURN_CODE=77'/>"))
        self.assertEqual([], self.skipped("<system-out>OK\n[       OK ] Tree.A (0 ms)\n</system-out>"))

    def test_more_than_expected_is_found(self):
        expected = skips.expected_in("# NAME COUNT reason\nunit.a 1 needs a disk\n")
        self.assertEqual({"unit.a": 1}, expected)
        self.assertEqual([], skips.excess({"unit.a": ["x"]}, expected))
        self.assertEqual(["unit.a: 2 skipped, 1 expected: x, y"], skips.excess({"unit.a": ["x", "y"]}, expected))
        self.assertEqual(["unit.b: 1 skipped, 0 expected: z"], skips.excess({"unit.b": ["z"]}, expected))


if __name__ == "__main__":
    unittest.main()
