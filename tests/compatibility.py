#!/usr/bin/env python3
"""Checks that each row of docs/compatibility.md names a test, that the tests it names are there, and that where the row is about a
flag or a key, the code of one of them has a word of it.

Usage: compatibility.py [ROOT]."""

import re
import sys
from pathlib import Path


def tests_of(root):
    """{name: text} of the tests of the tree: `Suite.Name` of C++, `test_name` of Python."""
    tests = {}
    for path in root.glob("tests/**/*.cpp"):
        for test in re.finditer(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\) \{\n.*?^\}", path.read_text(encoding="utf-8"), re.M | re.S):
            tests[f"{test[1]}.{test[2]}"] = test[0]
    for path in root.glob("tests/**/*.py"):
        for test in re.finditer(r"^    def (test_\w+)\(.*?(?=^    def |^    @|^class |^if __name__|\Z)",
                                path.read_text(encoding="utf-8"), re.M | re.S):
            tests[test[1]] = tests.get(test[1], "") + test[0]
    return tests


def speaks_of(cell, texts):
    """Whether the tests have a word of the flags and keys that the row is about; true for a row about neither."""
    codes = re.findall(r"`([^`/]+)`", cell)
    if not any(re.match(r"--|[a-z]+\.[a-z]", code) for code in codes):
        return True
    words = {word for code in codes for word in re.findall(r"[a-z][a-z_-]{2,}", code)}
    said = re.sub("[-_]", "", "".join(texts).lower())
    return any(re.sub("[-_]", "", word) in said for word in words)


def problems(text, tests):
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("| ") or line.startswith(("| ---", "| | ")):
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        names = re.findall(r"`([^`]+)`", cells[-1])
        if len(cells) != 4 or not names:
            found.append(f"line {number}: '{cells[0]}' names no test in a fourth column")
        found += [f"line {number}: there is no test {name}" for name in names if name not in tests]
        if names and not speaks_of(cells[0], [tests.get(name, cells[0]) for name in names]):
            found.append(f"line {number}: none of its tests has a word of '{cells[0]}'")
    return found


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    text = (root / "docs/compatibility.md").read_text(encoding="utf-8")
    found = problems(text, tests_of(root))
    rows = sum(line.startswith("| ") and not line.startswith(("| ---", "| | ")) for line in text.splitlines())
    if rows < 50:
        found.append(f"only {rows} rows were found")
    print("\n".join(found) if found else f"compatibility: each of {rows} rows has its tests")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
