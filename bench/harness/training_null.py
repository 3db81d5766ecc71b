#!/usr/bin/env python3
"""What the training benchmark itself costs: runs on null://, where data are there at once. Usage:
training_null.py PROGRAM [SECONDS]

For every workload of the suite, with 1 and 8 accelerators (RetinaNet with 64 too), one epoch of about SECONDS (default 4):
  AU            percent of the accelerators' time spent computing; what is missing from 100 is ours
  client        percent of the time in which a storage would have waited for this client (`client_share`)
  step          microseconds a step takes beyond its emulated compute time and storage wait, for all accelerators together
  step/acc.     the same per accelerator
  ns/sample     processor time of the reading threads per sample
  first byte    milliseconds from the start of the program
  peak          resident memory, MiB
Then the same workload with 1 million and with 50 million files, which must cost the same.
"""

import json
import os
import subprocess
import sys
import tempfile

# model, accelerator, batch size, step in seconds
WORKLOADS = [
    ("unet3d", "b200", 7, 0.162), ("unet3d", "h100", 7, 0.323), ("unet3d", "a100", 7, 0.636),
    ("retinanet", "b200", 24, 0.04755), ("retinanet", "mi355", 32, 0.0634), ("retinanet", "h100", 16, 0.180),
    ("retinanet", "a100", 16, 0.210),
    ("resnet50", "h100", 400, 0.224), ("resnet50", "a100", 400, 0.435),
    ("flux", "b200", 48, 1.35), ("flux", "mi355", 72, 2.025), ("flux", "h100", 8, 0.850), ("flux", "a100", 8, 1.100),
    ("cosmoflow", "h100", 1, 0.0035), ("dlrm", "b200", 16384, 0.000375), ("dlrm", "mi355", 16384, 0.0005625),
]


class Bench:
    def __init__(self, program, folder):
        self.program = program
        self.results = os.path.join(folder, "results")
        self.environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder)
        subprocess.run([program, "init", "bench", self.results], check=True, stdout=subprocess.DEVNULL,
                       env=self.environment)

    def run(self, model, accelerator, accelerators, files, steps):
        command = [self.program, "whatif", "training", model, "run", "file", "--accelerator-type", accelerator,
                   "--num-accelerators", str(accelerators), "--client-host-memory-in-gb", "0.001",
                   "--data-dir", "null://", "--results-dir", self.results, "--systemname", "bench", "--quiet", "--json",
                   "--allow-invalid-params", "--params", f"dataset.num_files_train={files}", "train.epochs=1",
                   f"train.total_training_steps={steps}"]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr}")
        return json.loads(done.stdout)


def row(name, record):
    plan, reading = record["plan"], record["reading"]
    steps = sum(block["ranks"][0]["steps"] for epoch in record["epochs"] for block in epoch["blocks"])
    overhead = sum(block["overhead_ns"] for epoch in record["epochs"] for block in epoch["blocks"]) / steps
    samples = steps * plan["batch_size"] * plan["accelerators"]
    client = record["metrics"]["client_share"]["training"]
    shown = "-" if client is None else f"{100 * client:.3f}"
    print(f"{name:28}{record['metrics']['au']['mean']:9.3f}{shown:>10}{overhead / 1e3:10.2f}"
          f"{overhead / 1e3 / plan['accelerators']:10.3f}{reading['worker_time']['other_ns'] / samples:12.1f}"
          f"{1e3 * record['time']['first_byte_s']:12.1f}{record['peak_rss_bytes'] / 2**20:8.0f}", flush=True)


def main():
    program = os.path.abspath(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 4.0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(program, folder)
        print(f"{'':28}{'AU %':>9}{'client %':>10}{'step us':>10}{'/acc. us':>10}{'ns/sample':>12}{'1st byte ms':>12}{'MiB':>8}")
        for model, accelerator, batch, step in WORKLOADS:
            counts = (1, 8, 64) if (model, accelerator) == ("retinanet", "b200") else (1, 8)
            for accelerators in counts:
                steps = max(3, int(seconds / step))
                files = max(1000, 2 * steps * batch * accelerators) if batch < 1000 else 1024
                record = bench.run(model, accelerator, accelerators, files, steps)
                row(f"{model} {accelerator} x {accelerators}", record)
        for files in (1_000_000, 50_000_000):
            row(f"retinanet b200 x 8, {files // 1_000_000} M files", bench.run("retinanet", "b200", 8, files, 50))


if __name__ == "__main__":
    main()
