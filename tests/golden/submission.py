"""Makes a valid closed submission of all four benchmarks, in the shapes that mlpstorage 3.0 writes, and breaks it by the examples that the
rules carry."""

import glob
import hashlib
import json
import os
import shutil

ORG, SYSTEM = "acme", "array1"
GIB = 2**30
RECORD = 146600628


def write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(value if isinstance(value, str) else json.dumps(value, indent=2))


def description():
    """Returns the description of the system; JSON is YAML, too."""
    chassis = {"model_name": "R1", "cpu_model": "C", "cpu_qty": 2, "cpu_cores": 64, "memory_capacity": 16, "rack_units": 1}
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
        "clients": [{**machine, "chassis": chassis}]}}


class Submission:
    """A submission at `root`."""

    def __init__(self, root, era="after"):
        self.root, self.era = str(root), era
        self.organisation = os.path.join(self.root, "closed", ORG)
        self.system = os.path.join(self.organisation, "results", SYSTEM)
        self.make_image()
        write(os.path.join(self.organisation, "systems", SYSTEM + ".yaml"), description())
        write(os.path.join(self.organisation, "systems", SYSTEM + ".pdf"), "%PDF-1.4\n")
        self.make_training()
        self.make_checkpointing()
        self.make_vectors()
        self.make_cache()

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

    def leaf(self, family, folder, stamp, command, **more):
        """Writes what every run folder has; returns its path."""
        path = os.path.join(self.system, folder, stamp)
        model = more.pop("model")
        start = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[9:11]}:{stamp[11:13]}:{stamp[13:]}.000000"
        args = {"mode": "closed", "model": model, "hosts": ["a"], "results_dir": "/results", "data_access_protocol": "file",
                "num_processes": 8, **more.pop("args", {})}
        metadata = {
            "benchmark_type": family, "model": model, "command": command, "run_datetime": stamp, "num_processes": 8, "accelerator": "b200",
            "result_dir": "/results/x", "parameters": {}, "override_parameters": {},
            "system_info": {"num_hosts": 1, "hosts": [{"hostname": "a", "memory": {"total": 16 * GIB}, "cpu": {"num_cores": 64}}]},
            "runtime": 100.0, "verification": "CLOSED", "args": args, "invocation_start_time": start, "exit_status": 0, **more}
        write(os.path.join(path, f"{family}_{stamp}_metadata.json"), metadata)
        write(os.path.join(path, ".mlps-code-image"), "md5-tree-v2:" + self.hash)
        if command == "run":
            write(os.path.join(path, "fs_separation.json"), {"version": 1, "method": "link_exdev", "same_filesystem": False})
        return path

    @staticmethod
    def dlio(path, name):
        for file in (f"{name}.stdout.log", f"{name}.stderr.log", "dlio.log"):
            write(os.path.join(path, file), "")
        for file in ("config", "hydra", "overrides"):
            write(os.path.join(path, "dlio_config", file + ".yaml"), "workload: {}\n")

    def make_training(self):
        dataset = {"num_files_train": 3500, "num_samples_per_file": 1, "record_length_bytes": RECORD, "num_subfolders_train": 0,
                   "total_disk_bytes": 3500 * RECORD}
        parameters = {"dataset": dataset, "reader": {"batch_size": 7}}
        args = {"data_dir": "/data"}
        folder = "training/unet3d/"
        self.leaf("training", folder + "datasize", "20260701_080000", "datasize", model="unet3d",
                  parameters=parameters, args=args)
        path = self.leaf("training", folder + "datagen", "20260701_090000", "datagen", model="unet3d",
                         parameters={"dataset": {**dataset, "num_files_train": 36000}}, args=args)
        self.dlio(path, "training_datagen")
        for run in range(6):
            stamp = f"20260701_{10 + run // 6:02}{run * 2:02}00"
            path = self.leaf("training", folder + "run", stamp, "run", model="unet3d", parameters={
                "dataset": {**dataset, "num_files_train": 36000}, "reader": {"batch_size": 7}}, args=args)
            self.dlio(path, "training_run")
            rates = [1000.0 + run] * 5
            write(os.path.join(path, "summary.json"), {
                "start": f"2026-07-01T10:{run * 2:02}:05.000000", "end": f"2026-07-01T10:{run * 2 + 1:02}:35.000000",
                "num_accelerators": 8, "num_hosts": 1, "hostname": "a", "host_memory_GB": [16.0], "num_files_train": 36000, "epochs": 5,
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
        write(os.path.join(self.system, folder, "run", "results.json"), [])

    def make_checkpointing(self):
        stamp = "20260705_100000"
        folder = "checkpointing/llama3-8b"
        path = self.leaf("checkpointing", folder, stamp, "run", model="llama3-8b", parameters={
            "checkpoint": {"fsync": True, "mode": "default", "num_checkpoints_write": 10, "num_checkpoints_read": 10}}, args={
                "checkpoint_folder": "/checkpoints", "num_checkpoints_write": 10, "num_checkpoints_read": 10})
        self.dlio(path, "checkpointing_run")
        speeds = [10.0 + i for i in range(10)]
        mean = sum(speeds) / 10
        deviation = (sum((speed - mean)**2 for speed in speeds) / 10)**0.5
        times = [98.0 / speed for speed in speeds]
        time = sum(times) / 10
        spread = (sum((one - time)**2 for one in times) / 10)**0.5
        metric = {"checkpoint_size_GB": 98.0}
        for kind in ("save", "load"):
            metric |= {f"{kind}_checkpoint_io_mean_GB_per_second": mean, f"{kind}_checkpoint_io_stdev_GB_per_second": deviation,
                       f"{kind}_checkpoint_duration_mean_seconds": time, f"{kind}_checkpoint_duration_stdev_seconds": spread}
        write(os.path.join(path, "summary.json"), {
            "start": "2026-07-05T10:00:05.000000", "end": "2026-07-05T10:05:35.000000", "num_accelerators": 8, "num_hosts": 1,
            "hostname": "a", "host_memory_GB": [16.0], "epochs": 0, "metric": metric})
        stats = {f"{kind}_ckpt{i + 1}": {"duration": times[i], "throughput": speeds[i]} for kind in ("save", "load") for i in range(10)}
        write(os.path.join(path, "0_per_epoch_stats.json"), {"1": stats})
        write(os.path.join(path, "0_output.json"), {"1": {}})
        write(os.path.join(self.system, folder, "results.json"), [])

    def make_vectors(self):
        folder = "vector_database/milvus/DISKANN/"
        figures = {"num_vectors": 1000000, "dimension": 1536, "inserted_vectors": 1000000, "index_type": "DISKANN"}
        path = self.leaf("vector_database", folder + "datagen", "20260710_090000", "datagen", model=None)
        write(os.path.join(path, "summary.json"), figures)
        for run in range(5):
            path = self.leaf("vector_database", folder + "run", f"20260710_10{run:02}00", "run", model=None, args={"storage_root": "/db"},
                             parameters={"engine": "milvus", "index_type": "DISKANN", "runtime": 60})
            write(os.path.join(path, "summary.json"), {
                **figures, "throughput_qps": 1000.5 + run, "total_time_seconds": 100.0, "query_count": 100000, "mean_latency_ms": 1.5,
                "p95_latency_ms": 5.5, "p99_latency_ms": 7.5, "p999_latency_ms": 9.5, "recall": 0.95,
                "disk_io": {"total_bytes_read_per_sec": 2 * GIB, "host_count": 1}})
            write(os.path.join(path, "result_verdict.json"), {
                "valid": True, "result": "valid", "flat_setup": {"ok": True, "coverage": 1.0}})
        write(os.path.join(self.system, folder, "results.json"), [])

    def make_cache(self):
        folder = "kv_cache/llama3.1-8b"
        options = {str(number): {"model": model, "num_users": users, "duration": 300, "gpu_mem_gb": 0, "cpu_mem_gb": cpu,
                                 "max_concurrent_allocs": allocations}
                   for number, model, users, cpu, allocations in ((1, "llama3.1-8b", 200, 0, 16), (2, "llama3.1-8b", 100, 4, 16),
                                                                  (3, "llama3.1-70b-instruct", 70, 0, 4))}
        path = self.leaf("kv_cache", folder + "/run", "20260712_100000", "run", model="llama3.1-8b", args={"cache_dir": "/cache"},
                         parameters={"model": "llama3.1-8b", "num_users": 100, "duration": 60, "gpu_mem_gb": 16.0, "cpu_mem_gb": 32.0,
                                     "performance_profile": "throughput", "options": options,
                                     "sequence": {"seed": 42, "trials": 3, "inter_option_delay_s": 90}})
        write(os.path.join(path, "summary.json"), {
            "schema_version": "1.0", "host_count": 1, "total_ranks": 8, "trials_per_option": 3, "partial_failure": False,
            "trial_failures": {}, "options": {number: {
                "option": int(number), "aggregated_read_bandwidth_gbps": 10.5, "aggregated_write_bandwidth_gbps": 5.25,
                "aggregated_avg_throughput_tokens_per_sec": 1234.5, "aggregated_storage_read_p95_ms": 12.5} for number in options}})
        write(os.path.join(self.system, folder, "results.json"), [])

    def leaves_of(self, folder):
        """Returns the paths of the run folders in a folder of the system."""
        folder = os.path.join(self.system, folder)
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if os.path.isdir(os.path.join(folder, name))]

    def break_by(self, example):
        """Changes what the example of a rule says; returns how many files that were."""
        pattern = os.path.join(self.root, example["path"].replace("ORG", ORG).replace("SYSTEM", SYSTEM))
        if example["change"] == "add":
            folder, name = os.path.split(pattern.rstrip("/"))
            for place in glob.glob(folder) or [folder]:
                path = os.path.join(place, name)
                os.makedirs(path if pattern.endswith("/") else place, exist_ok=True)
                if not pattern.endswith("/"):
                    write(path, "{not json")
            return 1
        found = glob.glob(pattern)
        for path in found:
            if example["change"] == "remove":
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
            else:
                self.set(path, example["key"], json.loads(example["fails"]))
        return len(found)

    @staticmethod
    def set(path, dotted, value):
        with open(path, encoding="utf-8") as file:
            root = json.load(file)
        keys = dotted.split(".")
        node = root
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        node[keys[-1]] = value
        write(path, root)
