#!/usr/bin/env python3
"""RetinaNet on files in memory: as many B200 accelerators as two cores can feed. Usage: training_tmpfs.py PROGRAM
[FOLDER [ACCELERATORS [STEPS]]]

Generates ACCELERATORS x 24 x STEPS images of 322,624 bytes (60 and 16: 7.4 GB) in FOLDER (default /dev/shm), reads them
in two epochs, prints the AU of each, and removes them. The original needs 24 cores for 32 accelerators at 85.5 %.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile


def main():
    program = os.path.abspath(sys.argv[1])
    where = sys.argv[2] if len(sys.argv) > 2 else "/dev/shm"
    accelerators = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    steps = int(sys.argv[4]) if len(sys.argv) > 4 else 16
    folder = tempfile.mkdtemp(prefix="mlpstorage-bench-", dir=where)
    try:
        results = os.path.join(folder, "results")
        environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder)

        def call(*arguments):
            done = subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, check=False)
            if done.returncode != 0:
                sys.exit(f"{program} {' '.join(arguments)} ended with status {done.returncode}:\n{done.stderr}")
            return done.stdout

        call("init", "bench", results)
        common = ("--data-dir", os.path.join(folder, "data"), "--results-dir", results, "--systemname", "bench", "--quiet",
                  "--json", "--skip-fs-separation-gate", "--allow-invalid-params", "--params",
                  f"dataset.num_files_train={accelerators * 24 * steps}")
        generated = json.loads(call("whatif", "training", "retinanet", "datagen", "file", "--num-processes", "2", *common))
        print(f"datagen: {generated['bytes_written'] / 1e9 / generated['seconds']:.2f} GB/s")
        record = json.loads(call("whatif", "training", "retinanet", "run", "file", "--accelerator-type", "b200",
                                 "--num-accelerators", str(accelerators), "--client-host-memory-in-gb", "0.001", *common,
                                 "train.epochs=2"))
        for epoch in record["epochs"]:
            print(f"epoch {epoch['epoch']}: {accelerators} accelerators, AU {epoch['au_percent']:.2f} %, "
                  f"{epoch['samples_per_s']:.0f} images/s")
        print(f"{record['reading']['bytes'] / 1e9:.1f} GB read, {record['reading']['cpu_user_s']:.2f} s user and "
              f"{record['reading']['cpu_system_s']:.2f} s system time, {os.cpu_count()} cores")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
