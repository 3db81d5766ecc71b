#!/usr/bin/env python3
"""Checks the order of the floors: every #include in src/ goes to the file's own floor or to one above it. Checks also that
a .cpp includes its own header first, which proves that the header needs no other before it.

Usage: floors.py [SRC]   prints one line per violation; exit status 1 if there is any.
"""

import pathlib
import re
import sys

# Top first: a file includes from its own floor and from those before it.
FLOORS = ("base", "payload", "location", "workloads", "formats", "storage", "world", "io", "gates", "run", "live", "flags", "results",
          "launch", "session", "benchmarks", "rules", "reports", "replay", "cli")
# A storage backend includes its own folder, the seam (storage/*.hpp) and what is listed here.
BACKEND_MAY_INCLUDE = {"object": {"http"}, "s3": {"http", "object"}, "azure": {"http", "object"}, "gcs": {"http", "object", "s3"},
                       "fault": None}  # None: any backend
BACKEND_OPENERS = {"storage/open.cpp"}
# No floor above benchmarks/ names a benchmark in its code, comments aside: only then is a new one a folder and a row in
# cli/registry.cpp. Definitions of workloads are data, and formats are laid out by them.
BENCHMARKS = ("checkpointing", "training", "kvcache", "vectordb")
HTTP_USERS = ("benchmarks", "vectordb", "servers")  # clients of servers that are no storage, over the same engine
MAY_NAME_BENCHMARKS = ("workloads", "formats")
BENCHMARK_NAME = re.compile("|".join(BENCHMARKS), re.IGNORECASE)
COMMENT = re.compile(r"//[^\n]*")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
ANY_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^>"]+[>"])', re.MULTILINE)


def include_violation(file, included, exists):
    """Returns why `file` may not include `included`, or None. Both are paths relative to src/; `exists` tells whether a path is
    a source file (a name that is not comes from the build and has no floor)."""
    if not exists(included):
        return None if "/" not in included else f"no such file in src/: write includes from src/, not {included}"
    source, target = pathlib.PurePosixPath(file).parts, pathlib.PurePosixPath(included).parts
    if len(source) == 1:  # main.cpp stands below every floor
        return None
    for floor in (source[0], target[0]):
        if floor not in FLOORS:
            return f"{floor}/ is not a floor"
    if FLOORS.index(target[0]) > FLOORS.index(source[0]):
        return f"{target[0]}/ is below {source[0]}/"
    if source[0] == target[0] == "benchmarks" and source[1] != target[1]:
        return f"benchmarks/{source[1]}/ may not know benchmarks/{target[1]}/"
    if source[0] == "storage" and target[0] == "storage" and len(target) > 2:
        return backend_violation(file, source, target)
    if source[:3] == HTTP_USERS and target[:2] == ("storage", "http"):
        return None
    if source[0] != "storage" and target[0] == "storage" and len(target) > 2:
        return f"a backend's header; only {', '.join(sorted(BACKEND_OPENERS))} knows the backends"
    return None


def backend_violation(file, source, target):
    if file in BACKEND_OPENERS:
        return None
    if len(source) == 2:
        return f"the seam may not know the backend {target[1]}/"
    allowed = BACKEND_MAY_INCLUDE.get(source[1], set())
    if target[1] == source[1] or allowed is None or target[1] in allowed:
        return None
    return f"backend {source[1]}/ may not know {target[1]}/"


def named_benchmarks(name, text):
    """Returns one line for each benchmark that the code of a shared floor names."""
    floor = pathlib.PurePosixPath(name).parts[0]
    if floor not in FLOORS[:FLOORS.index("benchmarks")] or floor in MAY_NAME_BENCHMARKS:
        return []
    return [f"{name}:{number}: {match[0]}: a shared floor knows no benchmark by name"
            for number, line in enumerate(text.split("\n"), 1)
            for match in [BENCHMARK_NAME.search(COMMENT.sub("", line))] if match]


def violations(src):
    """Returns one line for each wrong include, each header without `#pragma once`, and each .cpp whose own header isn't its
    first include."""
    src = pathlib.Path(src)
    found = []
    files = sorted(path for path in src.rglob("*") if path.suffix in (".cpp", ".hpp"))
    if not files:
        return [f"{src}: no source files"]
    for path in files:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(src).as_posix()
        if path.suffix == ".hpp" and "#pragma once" not in text:
            found.append(f"{name}: no #pragma once")
        found += named_benchmarks(name, text)
        own = path.with_suffix(".hpp")
        if path.suffix == ".cpp" and own.is_file():
            first = ANY_INCLUDE.search(text)
            if not first or first[1] != f'"{own.relative_to(src).as_posix()}"':
                found.append(f"{name}: {own.name} is not its first include")
        for match in INCLUDE.finditer(text):
            reason = include_violation(name, match[1], lambda included: (src / included).is_file())
            if reason:
                line = text.count("\n", 0, match.start(1)) + 1
                found.append(f"{name}:{line}: #include \"{match[1]}\": {reason}")
    return found


def main():
    src = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent / "src"
    found = violations(src)
    print("\n".join(found) if found else "floors: every include goes up")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
