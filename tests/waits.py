#!/usr/bin/env python3
"""Checks that threads of src/ start and wait in the few ways that there are for it (base/threads.hpp, base/waiting.hpp,
base/event_count.hpp), and that docs/protocols.md lists every wait with what ends it.

Usage: waits.py [ROOT]   prints one line per violation; exit status 1 if there is any.
"""

import pathlib
import re
import sys

# What may stand in the named files only; everything else goes through them.
PRIMITIVES = {
    r"std::j?thread\b|pthread_create|std::async": {"base/threads.hpp", "base/threads.cpp"},
    r"std::condition_variable": {"base/waiting.hpp"},
    r"std::this_thread|\b(nano|u|clock_nano)sleep\b": {"base/waiting.cpp"},
    r"SYS_futex|\.wait\([^;]*memory_order|\bnotify_one\(": {"base/sync.cpp"},
    r"std::(future|promise|latch|barrier|\w*semaphore)\b|\bsigwait": set(),
    # libcurl's and io_uring's own waits need their descriptors; each has a time-out.
    r"(?<!\w)::p?poll\(|\bp?poll\(descriptors|\bselect\(|\bepoll_": {"base/waiting.cpp", "storage/http/connection.cpp"},
    r"curl_multi_poll": {"storage/http/connection.cpp"},
    r"curl_easy_perform": {"benchmarks/vectordb/servers/grpc_channel.cpp", "storage/http/service_call.cpp"},
    r"io_uring_\w*wait": {"storage/posix/ring.cpp"},
}
WRAPPERS = {"base/event_count.hpp", "base/periodic_thread.cpp", "base/sync.cpp", "base/sync.hpp", "base/threads.cpp",
            "base/threads.hpp", "base/waiting.cpp", "base/waiting.hpp"}
# A call that may wait. Members named poll take a time-out and end in one of these.
WAIT = re.compile(r"(?:\.|->)wait(?:_until|_briefly)?\(|(?:\.|->)join\(\)|\b(?:sleep_for|poll_until|run_on_threads|curl_multi_poll|curl_easy_perform)\(|"
                  r"::waitpid\(|\bpoll\(descriptors|\bio_uring_\w*wait\w*\(")
COMMENT = re.compile(r"//.*")
ROW = re.compile(r"^\| `([\w/]+\.[ch]pp)` \| (\d+) \| (.+) \| (.+) \|$", re.MULTILINE)


def code_of(path):
    """The lines of a file without comments; what stands in string literals is left in."""
    return [COMMENT.sub("", line) for line in path.read_text(encoding="utf-8").splitlines()]


def primitive_violations(name, lines):
    found = []
    for pattern, allowed in PRIMITIVES.items():
        if name in allowed:
            continue
        for number, line in enumerate(lines, 1):
            if match := re.search(pattern, line):
                where = ", ".join(sorted(allowed)) or "no file"
                found.append(f"src/{name}:{number}: {match[0]}: only {where} may use it; see base/waiting.hpp")
    return found


def violations(root):
    root = pathlib.Path(root)
    table = {match[1]: int(match[2]) for match in ROW.finditer((root / "docs/protocols.md").read_text(encoding="utf-8"))}
    found = []
    waits = {}
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in (".cpp", ".hpp"):
            continue
        name = path.relative_to(root / "src").as_posix()
        lines = code_of(path)
        found += primitive_violations(name, lines)
        count = 0 if name in WRAPPERS else sum(len(WAIT.findall(line)) for line in lines)
        if count:
            waits[name] = count
    for name in sorted(waits.keys() | table.keys()):
        if waits.get(name) != table.get(name):
            found.append(f"src/{name}: {waits.get(name, 0)} waits, but docs/protocols.md lists {table.get(name, 0)}: "
                         "say there what each waits for and what ends it")
    return found


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    found = violations(root)
    print("\n".join(found) if found else "waits: every wait is of a known kind and listed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
