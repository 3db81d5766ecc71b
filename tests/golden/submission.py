"""Makes a valid submission of all four benchmarks, in the shapes that mlpstorage 3.0 writes, closed and, if wanted, open, and breaks it by
the examples that the rules carry."""

import contextlib
import glob
import hashlib
import json
import os
import shutil

ORG, SYSTEM = "acme", "array1"
GIB = 2**30
RECORD = 146600628


TRAINING = {
    "model": {"name": "unet3d", "type": "cnn", "model_size": 499153191}, "framework": "pytorch",
    "workflow": {"generate_data": False, "train": True, "checkpoint": False},
    "reader": {"data_loader": "pytorch", "batch_size": 7, "file_shuffle": "seed", "sample_shuffle": "seed"},
    "train": {"epochs": 5, "computation_time": 0.162},
    "checkpoint": {"checkpoint_after_epoch": 5, "epochs_between_checkpoints": 2}, "metric": {"au": 0.9}}


def write(path, value):
    """Writes a file anew: another name of the old one keeps what it had."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.remove(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(value if isinstance(value, str) else json.dumps(value, indent=2))


def description(clients=1, memory=16):
    """Returns the description of the system; JSON is YAML, too."""
    chassis = {"model_name": "R1", "cpu_model": "C", "cpu_qty": 2, "cpu_cores": 64, "memory_capacity": memory, "rack_units": 1}
    supply = {"unit_count": 2, "inlet_voltage": 230, "nameplate_power_watts": 800, "efficiency": "Gold"}
    power = {"min_psus_active": 1, "psus_configured": [supply]}
    port = {"unit_count": 1, "type": "ethernet", "state": "up", "speed": 100, "traffic": ["data"]}
    machine = {"friendly_description": "a machine", "quantity": 1, "operating_system": {"name": "Linux", "version": "12"},
               "networking": [port]}
    return {"system_under_test": {
        "solution": {
            "submission_name": SYSTEM, "friendly_description": "an array", "usable_capacity_tib": 10.48, "availability": "available",
            "architecture": {"storage_location": "remote", "benchmark_API": "file", "product_API": "file",
                             "client_footprint": "open_source", "client_installation": "in_box"},
            "capabilities": {"multi_host": True, "simultaneous_write": True, "simultaneous_read": True, "remap_time_in_seconds": 0}},
        "deployment": "onprem", "total_rack_units": 2,
        "product_nodes": [{**machine, "quantity": 2, "chassis": {**chassis, "power": power}}],
        "clients": [{**machine, "quantity": clients, "chassis": chassis}]}}


class Submission:
    """A submission at `root`; its closed part is `organisation` and `system`. The open one runs on two hosts, writes and reads its
    checkpoints in two runs, and has only what a search and a cache must tell."""

    def __init__(self, root, era="after", divisions=("closed",)):
        self.root, self.era = str(root), era
        self.make_image()
        for self.division in reversed(divisions):
            self.hosts = 1 if self.division == "closed" else 2
            self.organisation = os.path.join(self.root, self.division, ORG)
            self.system = os.path.join(self.organisation, "results", SYSTEM)
            self.runs, self.rows = [], 0
            write(os.path.join(self.organisation, "systems", SYSTEM + ".yaml"), description(self.hosts))
            write(os.path.join(self.organisation, "systems", SYSTEM + ".pdf"), "%PDF-1.4\n")
            self.make_training()
            if self.division == "closed":
                self.make_checkpointing()
            else:
                self.make_split_checkpointing()
            self.make_cache()
            self.make_vectors()
            self.make_manifest()

    def make_image(self):
        content = "print('code')\n"
        self.hash = hashlib.md5(("main.py" + content).encode()).hexdigest()
        pool = os.path.join(self.root, "code-images" if self.era == "after" else ORG)
        image = os.path.join(pool, "code-" + self.hash[:8])
        write(os.path.join(image, "main.py"), content)
        write(os.path.join(image, ".code-hash.json"), {
            "hash": self.hash, "algorithm": "md5-tree-v2", "captured_at": "2026-07-02T10:48:46Z", "mlpstorage_version": "3.0.46",
            "git_sha": None})
        write(os.path.join(pool, ".mlps-image-pool"), "")

    def make_manifest(self):
        """Writes the table of the organisation and, after the round, its manifest."""
        write(os.path.join(self.organisation, "results", "results.json"),
              [{"Public ID": f"v3.0-{row + 1:04}"} for row in range(self.rows)])
        if self.era == "after":
            write(os.path.join(self.organisation, "submission.yaml"), {
                "schema": "mlps-submission-manifest/1", "orgname": ORG, "mode": self.division, "rules_edition": "3.0", "layout_version": 3,
                "runs": [{"leaf": os.path.relpath(path, self.organisation), "rules_edition": "3.0"} for path in self.runs]})

    def table(self, folder):
        """Writes the table of a model with the next row."""
        self.rows += 1
        write(os.path.join(self.system, folder, "results.json"), [{"Public ID": f"v3.0-{self.rows:04}"}])

    def leaf(self, family, folder, stamp, command, stamped=None, **more):
        """Writes what every run folder has; returns its path. `stamped` is the hash of the core configuration, if it has a stamp."""
        path = os.path.join(self.system, folder, stamp)
        model = more.pop("model")
        start = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[9:11]}:{stamp[11:13]}:{stamp[13:]}.000000"
        names = ["a", "b"][:self.hosts]
        args = {"mode": self.division, "model": model, "hosts": names, "results_dir": "/results", "data_access_protocol": "file",
                "num_processes": 8, **more.pop("args", {})}
        metadata = {
            "benchmark_type": family, "model": model, "command": command, "run_datetime": stamp, "num_processes": 8, "accelerator": "b200",
            "result_dir": "/results/x", "parameters": {}, "override_parameters": {},
            "system_info": {"num_hosts": self.hosts, "hosts": [
                {"hostname": name, "memory": {"total": 16 * GIB}, "cpu": {"num_cores": 64}} for name in names]},
            "runtime": 100.0, "executed_command": f"mlpstorage {family} {command}", "verification": self.division.upper(), "args": args, "invocation_start_time": start, "exit_status": 0, **more}
        if self.era == "after" and stamped is not None:
            metadata["provenance_file"] = "provenance.json"
            write(os.path.join(path, "provenance.json"), {
                "schema": "mlps-run-provenance/1", "rules_edition": "3.0", "layout_version": 3,
                "tool": {"name": "mlpstorage", "version": "3.0.46", "git_sha": "unknown", "code_image": "md5-tree-v2:" + self.hash},
                "dlio": {"version": "3.0.4", "source": "unknown", "commit": "edaf4bb3d6343ef2fb6b9f6dbafa6102032ae8bf"},
                "core_config": {"algorithm": "core-config-v1", "allowlist": family + "@1", "hash": stamped, "keys": []}})
        write(os.path.join(path, f"{family}_{stamp}_metadata.json"), metadata)
        write(os.path.join(path, ".mlps-code-image"), "md5-tree-v2:" + self.hash)
        if command == "run":
            write(os.path.join(path, "fs_separation.json"), {"version": 1, "method": "link_exdev", "same_filesystem": False})
        self.runs.append(path)
        return path

    @staticmethod
    def dlio(path, name):
        for file in (f"{name}.stdout.log", f"{name}.stderr.log", "dlio.log"):
            write(os.path.join(path, file), "")
        for file in ("config", "hydra", "overrides"):
            write(os.path.join(path, "dlio_config", file + ".yaml"), "workload: {}\n")

    def make_training(self):
        dataset = {"format": "npz", "num_files_train": 3500, "num_samples_per_file": 1, "record_length_bytes": RECORD,
                   "record_length_bytes_stdev": 68341808, "record_length_bytes_resize": 2097152, "num_subfolders_train": 0,
                   "total_disk_bytes": 3500 * RECORD}
        parameters = {**TRAINING, "dataset": dataset}
        args = {"data_dir": "/data"}
        folder = "training/unet3d/"
        self.leaf("training", folder + "datasize", "20260701_080000", "datasize", model="unet3d",
                  parameters=parameters, args=args)
        path = self.leaf("training", folder + "datagen", "20260701_090000", "datagen", model="unet3d",
                         parameters={"dataset": {**dataset, "num_files_train": 36000}}, args=args)
        self.dlio(path, "training_datagen")
        for run in range(6):
            stamp = f"20260701_{10 + run // 6:02}{run * 2:02}00"
            path = self.leaf("training", folder + "run", stamp, "run", "0d3ad0dec188becd", model="unet3d", parameters={
                **TRAINING, "dataset": {**dataset, "num_files_train": 36000}}, args=args, datagen_manifest_file="datagen-manifest.json")
            self.dlio(path, "training_run")
            if self.hosts > 1:
                for rank, name in enumerate("ab"):
                    write(os.path.join(path, f".fs_probe/0123456789ab__rank{rank}__{name}.ok"), "")
            write(os.path.join(path, "datagen-manifest.json"), {
                "schema": "mlps-datagen-manifest-snapshot/1", "location": "/data/unet3d", "overridden": [], "manifest": {
                    "schema_version": 1, "model": "unet3d", "num_files_train": 36000, "num_samples_per_file": 1,
                    "record_length_bytes": RECORD, "source_datagen_result_dir": "/results/datagen/20260701_090000"}})
            rates = [1000.0 + run] * 5
            write(os.path.join(path, "summary.json"), {
                "start": f"2026-07-01T10:{run * 2:02}:05.000000", "end": f"2026-07-01T10:{run * 2 + 1:02}:35.000000",
                "num_accelerators": 8, "num_hosts": self.hosts, "hostname": "a", "host_memory_GB": [16.0] * self.hosts,
                "num_files_train": 36000, "epochs": 5,
                "metric": {
                    "train_au_percentage": [95.0] * 5, "train_au_mean_percentage": 95.0, "train_au_stdev_percentage": 0.0,
                    "train_au_meet_expectation": "success", "train_throughput_samples_per_second": rates,
                    "train_throughput_mean_samples_per_second": rates[0], "train_throughput_stdev_samples_per_second": 0.0,
                    "train_io_mean_MB_per_second": rates[0] * RECORD / 2**20, "train_io_stdev_MB_per_second": 0.0}})
            for rank in range(8):
                write(os.path.join(path, f"{rank}_output.json"), {
                    str(epoch): {"au": {"block1": 95.0}, "throughput": {"block1": rates[0] / 8}, "load": {"block1": [0.1, float("nan")]}}
                    for epoch in range(1, 6)})
                write(os.path.join(path, f"{rank}_per_epoch_stats.json"), {"1": {"block1": {"duration": "18.00"}}})
        self.table(folder + "run")

    def checkpoints(self, path, size, ranks, start, end, kinds):
        """Writes the figures of ten checkpoints of each kind."""
        self.dlio(path, "checkpointing_run")
        speeds = [10.0 + i for i in range(10)]
        mean = sum(speeds) / 10
        deviation = (sum((speed - mean)**2 for speed in speeds) / 10)**0.5
        times = [size / speed for speed in speeds]
        time = sum(times) / 10
        spread = (sum((one - time)**2 for one in times) / 10)**0.5
        metric = {"checkpoint_size_GB": size}
        for kind in kinds:
            metric |= {f"{kind}_checkpoint_io_mean_GB_per_second": mean, f"{kind}_checkpoint_io_stdev_GB_per_second": deviation,
                       f"{kind}_checkpoint_duration_mean_seconds": time, f"{kind}_checkpoint_duration_stdev_seconds": spread}
        write(os.path.join(path, "summary.json"), {
            "start": start, "end": end, "num_accelerators": ranks, "num_hosts": self.hosts, "hostname": "a",
            "host_memory_GB": [16.0] * self.hosts, "epochs": 0, "metric": metric})
        stats = {f"{kind}_ckpt{i + 1}": {"duration": times[i], "throughput": speeds[i]} for kind in kinds for i in range(10)}
        write(os.path.join(path, "0_per_epoch_stats.json"), {"1": stats})
        write(os.path.join(path, "0_output.json"), {"1": {}})

    def make_checkpointing(self):
        folder = "checkpointing/llama3-8b"
        path = self.leaf("checkpointing", folder, "20260705_100000", "run", model="llama3-8b", parameters={
            "checkpoint": {"fsync": True, "mode": "default", "num_checkpoints_write": 10, "num_checkpoints_read": 10}}, args={
                "checkpoint_folder": "/checkpoints", "num_checkpoints_write": 10, "num_checkpoints_read": 10})
        self.checkpoints(path, 98.0, 8, "2026-07-05T10:00:05.000000", "2026-07-05T10:05:35.000000", ("save", "load"))
        self.table(folder)

    def make_split_checkpointing(self):
        folder = "checkpointing/llama3-70b"
        for stamp, kind, begins, ends in (("20260706_100000", "save", "10:00:05", "10:09:45"), ("20260706_101000", "load", "10:10:05", "10:15:35")):
            writes, reads = (10, 0) if kind == "save" else (0, 10)
            path = self.leaf("checkpointing", folder, stamp, "run", model="llama3-70b", num_processes=64, parameters={
                "checkpoint": {"fsync": True, "mode": "default", "num_checkpoints_write": writes, "num_checkpoints_read": reads}}, args={
                    "checkpoint_folder": "/checkpoints", "num_checkpoints_write": writes, "num_checkpoints_read": reads,
                    "num_processes": 64}, invocation_end_time=f"2026-07-06T{ends}.500000")
            self.checkpoints(path, 911.0, 64, f"2026-07-06T{begins}.000000", f"2026-07-06T{ends}.000000", (kind,))
        self.table(folder)

    def make_vectors(self):
        folder = "vector_database/milvus/DISKANN/"
        database = {"database": {"database": "milvus"}}
        figures = {"num_vectors": 1000000, "dimension": 1536, "inserted_vectors": 1000000, "index_type": "DISKANN", **database}
        path = self.leaf("vector_database", folder + "datagen", "20260710_090000", "datagen", model=None)
        write(os.path.join(path, "summary.json"), figures)
        parameters = {"engine": "milvus", "index_type": "DISKANN", "runtime": 60, **database, "index": {"index_type": "DISKANN"},
                      "dataset": {"num_vectors": 1000000, "dimension": 1536}, "benchmark": {"recall_k": 10, "search_limit": 10}}
        closed = self.division == "closed"
        for run in range(5):
            path = self.leaf("vector_database", folder + "run", f"20260710_10{run:02}00", "run", "ca2c35c3ac5e1435" if closed else None,
                             model=None, args={"storage_root": "/db"}, parameters=parameters if closed else {"engine": "milvus"})
            queries = {"query_count": 100000 + 100 * run} if closed else {}
            write(os.path.join(path, "summary.json"), {
                **figures, "throughput_qps": 1000.0 + run, "total_time_seconds": 100.0, **queries, "mean_latency_ms": 1.5,
                "p95_latency_ms": 5.5, "p99_latency_ms": 7.5, "p999_latency_ms": 9.5, "recall": 0.95,
                "disk_io": {"total_bytes_read_per_sec": 2 * GIB, "host_count": 1}})
            write(os.path.join(path, "recall_stats.json"), {"mean_recall": 0.95, "per_query_recall": [0.9, 1.0]})
            write(os.path.join(path, "result_verdict.json"), {
                "valid": True, "result": "valid", "flat_setup": {"ok": True, "coverage": 1.0}})
        self.table(folder)

    def make_cache(self):
        folder = "kv_cache/llama3.1-8b"
        options = {str(number): {"model": model, "num_users": users, "duration": 300, "gpu_mem_gb": 0, "cpu_mem_gb": cpu,
                                 "max_concurrent_allocs": allocations, "generation_mode": "none"}
                   for number, model, users, cpu, allocations in ((1, "llama3.1-8b", 200, 0, 16), (2, "llama3.1-8b", 100, 4, 16),
                                                                  (3, "llama3.1-70b-instruct", 70, 0, 4))}
        stamped = "04b508c33b9e34c8" if self.division == "closed" else None
        path = self.leaf("kv_cache", folder + "/run", "20260712_100000", "run", stamped, model="llama3.1-8b", args={
            "cache_dir": "/cache", "num_processes": 2}, num_processes=2, parameters={
                "model": "llama3.1-8b", "num_users": 100, "duration": 60, "gpu_mem_gb": 16.0, "cpu_mem_gb": 32.0,
                "performance_profile": "throughput", "options": options,
                "sequence": {"seed": 42, "trials": 3, "inter_option_delay_s": 90, "config": "default"}})
        write(os.path.join(path, "summary.json"), {
            "schema_version": "1.0", "npernode": 2 // self.hosts, "host_count": self.hosts, "total_ranks": 2, "trials_per_option": 3, "partial_failure": False,
            "trial_failures": {}, "options": {number: {
                "option": int(number), "rank_count": 2, "trial_count": 3, "cpu_tier_ranks": [],
                "aggregated_read_bandwidth_gbps": 10.5, "aggregated_write_bandwidth_gbps": 5.25,
                "aggregated_avg_throughput_tokens_per_sec": 1234.5, "aggregated_storage_throughput_tokens_per_sec": 100.0,
                "aggregated_p95_latency_ms": 30.5, "aggregated_storage_read_p95_ms": 12.5} for number in options}})
        for number in options:
            for trial in range(3):
                for rank in range(2):
                    # Sums over the ranks differ by trial; their mean is the figure of the summary.
                    factor = (0.9 + 0.1 * trial) * (0.25 + 0.5 * rank)
                    write(os.path.join(path, f"option_{number}/trial_{trial}/rank_{rank}/kvcache_results_20260712_100000.json"), {
                        "end_to_end_latencies": [0.5, 1.5], "summary": {
                            "avg_throughput_tokens_per_sec": 1234.5 * factor, "storage_throughput_tokens_per_sec": 100.0 * factor,
                            "storage_io_latency_ms": {"p95": 28.5 + trial}, "end_to_end_latency_ms": {"p95": 99.5}, "cache_stats": {
                                "storage_entries": 5, "tier_storage_read_bandwidth_gbps": 10.5 * factor,
                                "tier_storage_write_bandwidth_gbps": 5.25 * factor, "storage_read_p95_ms": 10.5 + trial}}})
        self.table(folder)

    def leaves_of(self, folder):
        """Returns the paths of the run folders in a folder of the system."""
        folder = os.path.join(self.system, folder)
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if os.path.isdir(os.path.join(folder, name))]

    def files_of(self, example):
        """Returns the files and folders that the example of a rule changes."""
        pattern = os.path.join(self.root, example["path"].replace("ORG", ORG).replace("SYSTEM", SYSTEM))
        if example["change"] != "add":
            return glob.glob(pattern)
        folder, name = os.path.split(pattern.rstrip("/"))
        return [os.path.join(place, name) for place in glob.glob(folder) or [folder]]

    def break_by(self, example):
        """Changes what the example of a rule says; returns how many files that were."""
        for path in self.files_of(example):
            if example["change"] == "add" and example["path"].endswith("/"):
                os.makedirs(path)
            elif example["change"] == "add":
                write(path, "{not json")
            elif example["change"] == "rename":
                os.rename(path, os.path.join(os.path.dirname(path), example["fails"]))
            elif example["change"] == "remove":
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
            else:
                self.set(path, example["key"], json.loads(example["fails"]))
        return len(self.files_of(example)) if example["change"] in ("add", "set") else 1

    @contextlib.contextmanager
    def broken_by(self, example):
        """Breaks the tree for as long as the context lasts."""
        aside = self.root + ".aside"
        os.mkdir(aside)
        kept = []
        for number, path in enumerate(self.files_of(example)):
            kept.append((path, os.path.join(aside, str(number))))
            if os.path.isdir(path):
                shutil.copytree(path, kept[-1][1])
            elif os.path.exists(path):
                shutil.copyfile(path, kept[-1][1])
        assert kept, f"the example names no file: {example['path']}"
        self.break_by(example)
        try:
            yield
        finally:
            for path, copy in kept:
                for place in {path, os.path.join(os.path.dirname(path), example["fails"]) if example["change"] == "rename" else path}:
                    if os.path.isdir(place):
                        shutil.rmtree(place)
                    elif os.path.exists(place):
                        os.remove(place)
                if os.path.exists(copy):
                    shutil.move(copy, path)
            shutil.rmtree(aside)

    @staticmethod
    def set(path, dotted, value):
        with open(path, encoding="utf-8") as file:
            root = json.load(file)
        keys = dotted.split(".")
        node = root
        for key in keys[:-1]:
            node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
        node[int(keys[-1]) if isinstance(node, list) else keys[-1]] = value
        write(path, root)
