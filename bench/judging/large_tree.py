#!/usr/bin/env python3
"""What it costs to judge a large tree of results. Usage: large_tree.py PROGRAM FOLDER [--leaves N] [--limits]

Makes a tree of LEAVES run folders (10,000) below FOLDER, with all four benchmarks, 25 systems in each organisation, and one file of
a rank of 200 MB; the files of the systems are links to those of the first one. Runs validate and reportgen on it and prints time,
CPU time, and peak memory of each. With --limits the exit status is 1 if one takes more CPU time or memory than it may.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "golden"))
from submission import ORG, SYSTEM, Submission, description, write

SYSTEMS = 25  # of one organisation
BIG_BYTES = 200_000_000
MOST_CPU_SECONDS = 1e-3  # for a run folder
MOST_MIB = 256


def renamed(value, names):
    """Returns `value` with the texts of `names` in place of others."""
    if isinstance(value, dict):
        return {key: renamed(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [renamed(one, names) for one in value]
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
    return value


def add_organisation(template, root, name, systems):
    """Adds an organisation whose systems have the run folders of the template's one."""
    folder = os.path.join(root, "closed", name)
    runs, rows = [], 0
    for system in systems:
        about = renamed(description(), {SYSTEM: system})
        write(os.path.join(folder, "systems", system + ".yaml"), about)
        write(os.path.join(folder, "systems", system + ".pdf"), "%PDF-1.4\n")
        place = os.path.join(folder, "results", system)
        shutil.copytree(template.system, place, copy_function=os.link)
        for path, _, files in os.walk(place):
            if "results.json" in files:
                rows += 1
                write(os.path.join(path, "results.json"), [{"Public ID": f"v3.0-{name}-{rows:04}"}])
        runs += [os.path.join("results", system, os.path.relpath(path, template.system)) for path in template.runs]
    write(os.path.join(folder, "results", "results.json"), [{"Public ID": f"v3.0-{name}-{row + 1:04}"} for row in range(rows)])
    write(os.path.join(folder, "submission.yaml"), {
        "schema": "mlps-submission-manifest/1", "orgname": name, "mode": "closed", "rules_edition": "3.0", "layout_version": 3,
        "runs": [{"leaf": leaf, "rules_edition": "3.0"} for leaf in runs]})
    return len(runs)


def make_tree(root, leaves, big_bytes=BIG_BYTES):
    """Makes a tree of at least as many run folders at `root`, which is valid; returns their number."""
    template = Submission(root + ".template")
    shutil.copytree(os.path.join(template.root, "code-images"), os.path.join(root, "code-images"))
    made = 0
    for number in range(-(-leaves // len(template.runs) // SYSTEMS)):
        left = -(-(leaves - made) // len(template.runs))
        made += add_organisation(template, root, f"org{number:03}", [f"array{one + 1}" for one in range(min(SYSTEMS, left))])
    path = os.path.join(root, "closed", "org000", "results", "array1", "training", "unet3d", "run", "20260701_100200", "3_output.json")
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    os.remove(path)
    with open(path, "w", encoding="utf-8") as file:
        text = json.dumps(content, indent=4)
        file.write(text[:-2] + ',\n    "6": {"load": {"block1": [0')
        line = "".join(f",\n            {0.0125 + step / 1e5}" for step in range(1000))
        for _ in range(big_bytes // len(line)):
            file.write(line)
        file.write("]}}\n}\n")
    shutil.rmtree(template.root)
    return made


def measure(program, words, output=subprocess.DEVNULL):
    """Runs the program; returns its status, seconds, CPU seconds, and MiB at most."""
    started = time.monotonic()
    process = subprocess.Popen([program, *words], stdout=output)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"status": process.returncode, "wall_s": time.monotonic() - started, "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_mib": usage.ru_maxrss / 1024}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--leaves", type=int, default=10_000)
    parser.add_argument("--limits", action="store_true")
    given = parser.parse_args()
    os.makedirs(given.folder, exist_ok=True)
    exceeded = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        root = os.path.join(folder, "tree")
        leaves = make_tree(root, given.leaves)
        print(f"{leaves} run folders, {os.cpu_count()} processors")
        for words in (["validate", root], ["reports", "reportgen", "--results-dir", root]):
            for _ in range(1 if given.limits else 3):
                cost = measure(os.path.abspath(given.program), words)
                print(f"{words[0]:9}" + "  ".join(f"{key} {value:8.2f}" for key, value in cost.items()))
                if cost["status"] != 0 or cost["cpu_s"] > leaves * MOST_CPU_SECONDS or cost["peak_mib"] > MOST_MIB:
                    exceeded.append(words[0])
    if given.limits and exceeded:
        sys.exit(f"more than {MOST_CPU_SECONDS * 1e3:g} ms of a processor for a run folder or {MOST_MIB} MiB: {', '.join(exceeded)}")


if __name__ == "__main__":
    main()
