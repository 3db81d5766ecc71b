#!/usr/bin/env python3
"""Checks that each row of docs/compatibility.md names a test, and that the tests it names are there.

Usage: compatibility.py [ROOT]."""

import re
import sys
from pathlib import Path


def names_of(root):
    """The tests of the tree: `Suite.Name` of C++, `test_name` of Python."""
    names = set()
    for path in root.glob("tests/**/*.cpp"):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", path.read_text(encoding="utf-8"), re.M):
            names.add(f"{suite}.{name}")
    for path in root.glob("tests/**/*.py"):
        names.update(re.findall(r"^    def (test_\w+)\(", path.read_text(encoding="utf-8"), re.M))
    return names


def problems(text, names):
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("| ") or line.startswith(("| ---", "| | ")):
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        tests = re.findall(r"`([^`]+)`", cells[-1])
        if len(cells) != 4 or not tests:
            found.append(f"line {number}: '{cells[0]}' names no test in a fourth column")
        found += [f"line {number}: there is no test {test}" for test in tests if test not in names]
    return found


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    text = (root / "docs/compatibility.md").read_text(encoding="utf-8")
    found = problems(text, names_of(root))
    rows = sum(line.startswith("| ") and not line.startswith(("| ---", "| | ")) for line in text.splitlines())
    if rows < 50:
        found.append(f"only {rows} rows were found")
    print("\n".join(found) if found else f"compatibility: each of {rows} rows has its tests")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
