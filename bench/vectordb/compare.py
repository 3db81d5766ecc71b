#!/usr/bin/env python3
"""DiskANN (diskannpy from PyPI) on the data of index_curve, with the same degree, build list and bytes of codes: recall@10 and
processor time per query, one thread, for each list. Its reads it does not tell.

Usage: compare.py FOLDER DIMENSION WORK    FOLDER holds base.f32 and query.f32; WORK gets the index, on tmpfs.
"""

import pathlib
import sys
import time

import diskannpy
import numpy


def nearest(base, queries, k):
    """Returns the exact nearest rows of each query, by Euclidean distance."""
    found = []
    norms = (base * base).sum(axis=1)
    for at in range(0, len(queries), 100):
        scores = norms - 2 * queries[at:at + 100] @ base.T
        found.append(numpy.argpartition(scores, k, axis=1)[:, :k])
    return numpy.concatenate(found)


def main():
    folder, dimension, work = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    base = numpy.fromfile(folder / "base.f32", "<f4").reshape(-1, dimension)
    queries = numpy.fromfile(folder / "query.f32", "<f4").reshape(-1, dimension)
    truth = nearest(base, queries, 10)
    if not work.exists():
        work.mkdir(parents=True)
        begin = time.process_time()
        # Memory for codes of 32 bytes: the library makes them as long as its search memory allows.
        diskannpy.build_disk_index(base, "l2", str(work), complexity=50, graph_degree=32, num_threads=1, build_memory_maximum=4.0,
                                   search_memory_maximum=len(base) * 32 / 2**30, pq_disk_bytes=0)
        print(f"build {time.process_time() - begin:.0f} s of processor time")
    index = diskannpy.StaticDiskIndex(str(work), num_threads=2, num_nodes_to_cache=0, vector_dtype=numpy.float32,
                                      distance_metric="l2", dimensions=dimension)
    for beam in (1, 2):
        for effort in (20, 30, 40, 50, 60, 80, 100):
            begin = time.process_time()
            answers = index.batch_search(queries, k_neighbors=10, complexity=effort, beam_width=beam, num_threads=1)
            seconds = time.process_time() - begin
            hits = sum(len(set(a) & set(t)) for a, t in zip(answers.identifiers, truth))
            print(f"W {beam} L {effort:3} recall@10 {hits / len(truth) * 10:6.2f} % cpu {seconds / len(queries) * 1e6:6.1f} us")


if __name__ == "__main__":
    main()
