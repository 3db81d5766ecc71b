#!/usr/bin/env python3
"""Lists the tests that were skipped, and fails if they are more than tests/skips.txt expects: a test that never runs proves nothing.

Usage: skips.py EXPECTED JUNIT_FILE...   EXPECTED has lines "NAME COUNT reason", NAME being a test of ctest. The numbers hold for
root, as CI runs; for anyone else the skipped tests are only listed.
"""

import collections
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

GOOGLE_TEST = re.compile(r"^\[  SKIPPED \] (\S+) \(\d+ ms\)$", re.MULTILINE)
UNITTEST = re.compile(r"^(?:OK|FAILED) \(.*?skipped=(\d+)", re.MULTILINE)


def skipped_in(case):
    """Returns the skipped tests of one test case of ctest: names, or "?" for a test without one."""
    if case.find("skipped") is not None:
        return ["all of it"]
    output = case.findtext("system-out") or ""
    return GOOGLE_TEST.findall(output) + ["?" for count in UNITTEST.findall(output) for _ in range(int(count))]


def expected_in(text):
    """Returns how many tests of each name are expected to be skipped."""
    rows = (line.split(maxsplit=2) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: int(count) for name, count, _ in rows}


def excess(skipped, expected):
    """Returns one line for each name with more skipped tests than expected."""
    return [f"{name}: {len(tests)} skipped, {expected.get(name, 0)} expected: {', '.join(tests)}"
            for name, tests in sorted(skipped.items()) if len(tests) > expected.get(name, 0)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        expected = expected_in(file.read())
    skipped = collections.defaultdict(list)
    for path in sys.argv[2:]:
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            if tests := skipped_in(case):
                skipped[case.get("name")] = max(skipped[case.get("name")], tests, key=len)
    for name, tests in sorted(skipped.items()):
        print(f"skipped in {name}: {', '.join(tests)}")
    print(f"skipped tests: {sum(map(len, skipped.values()))} ({sum(expected.values())} expected)")
    too_many = excess(skipped, expected)
    if too_many:
        print("more tests are skipped than tests/skips.txt expects:\n  " + "\n  ".join(too_many))
    return 1 if too_many and os.geteuid() == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
