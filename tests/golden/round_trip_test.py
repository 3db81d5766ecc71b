"""Trees that the real program's runs leave are read by its own validate and reportgen, and have the fields that readers of mlpstorage
3.0 take, with their types and units. Runs of full size take days: what a small one can't have is listed here, rule by rule."""

import glob
import json
import os
import shutil
import tempfile

import program
from program import ProgramTest
from submission import ORG, SYSTEM, Submission, description, write

# The rules that runs of seconds break, and runs of full size don't.
TOO_SMALL = {
    "2.1.18",  # runs of less than a second begin more than twice their length after each other
    "3.1.2", "3.3.1",  # a data set smaller than the memory of this machine asks for
    "3.3.2",   # steps of milliseconds, beside other tests
    "3.6.3",   # the parameters that make it small
    "4.3.1",   # checkpoints smaller than the memory of this machine
    "CHECK-01",  # training and checkpoints ran as whatif, where they may be small; whatif stores no image
}
NUMBER = (int, float)
ABSENT = type(None)
HOST = {"hostname": str, "memory.total": int, "memory.available": int, "memory.used": int, "memory.free": int, "cpu.num_cores": int,
        "cpu.num_logical_cores": int, "cpu.model": str, "cpu.architecture": str, "disks": list, "network": list,
        "system.hostname": str, "system.kernel_version": str, "system.os_release": dict, "system.uptime_seconds": NUMBER}
METADATA = {
    "benchmark_type": str, "model": (str, ABSENT), "command": str, "run_datetime": str, "num_processes": int, "accelerator": (str, ABSENT),
    "result_dir": str, "parameters": dict, "override_parameters": dict, "system_info.total_memory_bytes": int,
    "system_info.total_cores": int, "system_info.num_hosts": int, "system_info.min_memory_bytes": int,
    "system_info.max_memory_bytes": int, "system_info.collection_method": str, "system_info.collection_timestamp": str,
    "system_info.hosts": list, "cluster_snapshots.start": dict, "cluster_snapshots.end": dict, "timeseries_data.file": str,
    "timeseries_data.num_samples": int, "timeseries_data.interval_seconds": NUMBER, "timeseries_data.hosts_collected": list,
    "runtime": NUMBER, "verification": (str, ABSENT), "executed_command": str, "command_output_files": list, "args.mode": str,
    "args.model": (str, ABSENT), "args.hosts": list, "args.results_dir": str, "args.systemname": str, "args.orgname": str,
    "args.data_access_protocol": str, "args.num_processes": int, "invocation_start_time": str, "invocation_end_time": str,
    "exit_status": int, "provenance_file": str}
SEPARATION = {"version": int, "method": str, "data_or_chkpt_path": str, "results_path": str, "data_or_chkpt_realpath": str,
              "results_realpath": str, "same_filesystem": bool, "probed_at": str, "probed_by_rank": int, "probed_by_host": str}
ENVELOPE = {"start": str, "end": str, "num_accelerators": int, "num_hosts": int, "hostname": str, "num_files_train": int,
            "num_files_eval": int, "num_samples_per_file": int, "host_cpu_count": list, "host_processor_name": str,
            "potential_caching": list, "host_cpuinfo": dict, "host_meminfo": dict, "host_memory_GB": list,
            "data_size_per_host_GB": float, "epochs": int, "metric": dict}
STATISTICS = [f"{kind}_{what}_ms" for what in ("latency", "batch_time")
              for kind in ("min", "max", "mean", "median", "p95", "p99", "p999", "p9999")]
FIELDS = {
    ("training", "summary.json"): {**ENVELOPE, **{f"metric.train_{name}": kind for name, kind in (
        ("au_percentage", list), ("au_mean_percentage", float), ("au_meet_expectation", str), ("au_stdev_percentage", float),
        ("throughput_samples_per_second", list), ("throughput_mean_samples_per_second", float),
        ("throughput_stdev_samples_per_second", float), ("io_mean_MB_per_second", float), ("io_stdev_MB_per_second", float))}},
    ("training", "0_output.json"): {
        "host_memory_GB": float, "host_cpu_count": int, "host_processor_name": str, "potential_caching": int, "host_cpuinfo": dict,
        "host_meminfo": dict, "hostname": str, "1.load.block1": list, "1.proc.block1": list, "1.throughput.block1": float,
        "1.au.block1": float, "1.compute.block1": list, "1.end": str},
    ("training", "0_per_epoch_stats.json"): {"1.start": str, "1.block1.start": str, "1.block1.end": str, "1.block1.duration": str,
                                             "1.end": str, "1.duration": str},
    ("checkpointing", "summary.json"): {**ENVELOPE, "metric.checkpoint_size_GB": float, **{
        f"metric.{verb}_checkpoint_{name}": float for verb in ("save", "load") for name in (
            "io_mean_GB_per_second", "io_stdev_GB_per_second", "duration_mean_seconds", "duration_stdev_seconds")}},
    ("checkpointing", "0_per_epoch_stats.json"): {"1.start": str, "1.end": str, **{
        f"1.{verb}_ckpt{number}.{name}": kind for verb in ("save", "load") for number in (1, 10)
        for name, kind in (("start", str), ("end", str), ("duration", float), ("throughput", float))}},
    ("kv_cache", "summary.json"): {
        "schema_version": str, "run_datetime": str, "npernode": int, "host_count": int, "total_ranks": int, "trials_per_option": int,
        "partial_failure": bool, "trial_failures": dict, "options.1.option": int, "options.1.rank_count": int,
        "options.1.trial_count": int, "options.1.partial_failure": bool, "options.1.missing_files": list,
        "options.1.cpu_tier_ranks": list, **{f"options.1.aggregated_{name}": float for name in (
            "read_bandwidth_gbps", "write_bandwidth_gbps", "avg_throughput_tokens_per_sec", "storage_throughput_tokens_per_sec",
            "p95_latency_ms", "storage_read_p95_ms", "device_read_p95_ms", "device_write_p95_ms")}},
    ("kv_cache", "option_1/trial_0/rank_0/kvcache_results_*.json"): {"summary.storage_throughput_tokens_per_sec": float, **{
        f"summary.cache_stats.{name}": NUMBER for name in (
            "tier_storage_read_bandwidth_gbps", "tier_storage_write_bandwidth_gbps", "storage_read_p95_ms",
            "storage_read_device_p95_ms", "storage_write_device_p95_ms", "storage_entries")}},
    ("vector_database", "summary.json"): {
        "num_vectors": int, "dimension": int, "inserted_vectors": int, "index_type": str, "database.database": str,
        "throughput_qps": float, "total_time_seconds": float, "query_count": int, "recall": float, "disk_io": dict},
    ("vector_database", "statistics.json"): {
        "total_queries": int, "total_time_seconds": float, "throughput_qps": float, "batch_count": int, "successful_batches": int,
        "failed_batches": int, "recall.mean_recall": float, "disk_io": dict, **{name: float for name in STATISTICS}},
    ("vector_database", "recall_stats.json"): {
        "recall_at_k": float, "num_queries_evaluated": int, "k": int, "per_query_recall": list, "recall_by_query": dict,
        **{f"{kind}_recall": float for kind in ("min", "max", "mean", "median", "p5", "p95", "p99")}},
    ("vector_database", "result_verdict.json"): {
        "result": str, "valid": bool, "num_queries_evaluated": int, "flat_setup.ok": bool, "flat_setup.coverage": float,
        "flat_setup.total_vectors": int, "flat_setup.copied_vectors": int, "recall_summary.mean_recall": float},
}
# What the tables of parameters name.
PARAMETERS = {
    "training": {"model.name": str, "framework": str, "workflow.train": bool, "dataset.record_length_bytes": (int, str),
                 "reader.batch_size": int, "train.epochs": (int, str), "checkpoint": dict, "metric.au": float},
    "checkpointing": {"model.name": str, "framework": str, "workflow.checkpoint": bool, "checkpoint.num_checkpoints_write": int,
                      "checkpoint.num_checkpoints_read": int, "checkpoint.fsync": bool},
    "kv_cache": {"model": str, "num_users": int, "duration": NUMBER, "cache_dir": str, "performance_profile": str,
                 "options.1.model": str, "options.1.num_users": int, "options.1.duration": NUMBER, "options.1.gpu_mem_gb": NUMBER,
                 "options.1.cpu_mem_gb": NUMBER, "options.1.max_concurrent_allocs": int, "options.1.generation_mode": str,
                 "sequence.seed": int, "sequence.trials": int, "sequence.inter_option_delay_s": NUMBER, "sequence.config": str},
    "vector_database": {"engine": str, "index_type": str, "num_vectors": int, "dimension": int, "database.database": str,
                        "index.index_type": str, "dataset.num_vectors": int, "dataset.dimension": int, "benchmark.recall_k": int,
                        "benchmark.search_limit": int},
}


def at(value, dotted):
    """Returns what a path of keys leads to, or a KeyError."""
    for key in dotted.split("."):
        value = value[key]
    return value


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class RoundTrip(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = tempfile.mkdtemp(prefix="mlps_golden_", dir="/dev/shm")  # another file system than that of the results
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        self.results = self.path("results")
        self.expect(["init", ORG, self.results], 0)

    def execute(self, words):
        self.expect(f"{words} --results-dir {self.results} --systemname {SYSTEM} --quiet", 0)

    def run_all(self):
        """Makes a submission of open with every benchmark, of the sizes that a test has time for."""
        sizes = ("--params dataset.num_files_train=56 dataset.record_length_bytes=4096 dataset.record_length_bytes_stdev=0 "
                 "dataset.record_length_bytes_resize=0")
        steps = "train.epochs=2 train.computation_time=0.02"
        self.execute(f"whatif training unet3d datasize -ma 4 -at b200 -cm 1 -dd {self.data}/t {sizes.replace('dataset.num_files_train=56 ', '')}")
        self.execute(f"whatif training unet3d datagen file -np 1 -dd {self.data}/t {sizes}")
        for _ in range(6):
            self.execute(f"whatif training unet3d run file -na 4 -at b200 -cm 1 -dd {self.data}/t {sizes} {steps}")
        self.execute("whatif checkpointing run file --model llama3-8b -np 8 -at b200 --size-scale 0.0002 "
                     f"-cf {self.data}/c --params checkpoint.time_between_checkpoints=0")
        self.execute(f"open kvcache run file --cache-dir {self.data}/k --model tiny-1b --option 1 --num-users 4 --duration 1 --trials 2 "
                     "--inter-option-delay 0 --storage-capacity-gb 0.25")
        os.mkdir(self.data + "/v")
        engine = f"--vdb-engine embedded --storage-root {self.data}/v --collection c --vdb-index DISKANN"
        self.execute(f"open vectordb datagen file {engine} --num-vectors 1000 --dimension 16")
        for _ in range(5):
            self.execute(f"open vectordb run file {engine} --queries 100")
        system = os.path.join(self.results, "open", ORG, "results", SYSTEM)
        for family in ("training", "checkpointing"):
            os.rename(os.path.join(self.results, "whatif", ORG, "results", SYSTEM, family), os.path.join(system, family))
        shutil.rmtree(os.path.join(self.results, "whatif"))
        return system

    def complete(self, summary):
        """Does what people do before they submit: describes the system, writes its page, and has the tables made."""
        about = description()
        about["system_under_test"]["clients"][0]["chassis"]["memory_capacity"] = round(summary["host_memory_GB"][0])
        folder = os.path.join(self.results, "open", ORG, "systems")
        write(os.path.join(folder, SYSTEM + ".yaml"), about)
        write(os.path.join(folder, SYSTEM + ".pdf"), "%PDF-1.4\n")
        return json.loads(self.expect(["reports", "reportgen", "--results-dir", self.results, "--json"], 0).stdout)

    def judged(self):
        result = self.run_program("validate", self.results, "--json")
        return [one for one in json.loads(result.stdout)["findings"] if one["severity"] in ("ERROR", "WARNING")]

    def test_trees_of_every_benchmark_come_back(self):
        system = self.run_all()
        runs = {family: sorted(glob.glob(os.path.join(system, pattern))) for family, pattern in (
            ("training", "training/unet3d/run/*/"), ("checkpointing", "checkpointing/llama3-8b/*/"),
            ("kv_cache", "kv_cache/tiny-1b/run/*/"), ("vector_database", "vector_database/embedded/DISKANN/run/*/"))}
        self.assertEqual({family: len(paths) for family, paths in runs.items()},
                         {"training": 6, "checkpointing": 1, "kv_cache": 1, "vector_database": 5})
        report = self.complete(load(runs["training"][0] + "summary.json"))
        for family, paths in runs.items():
            with self.subTest(family=family):
                self.check_fields(family, paths[-1])
        self.check_rows(report)
        # The rules know no embedded engine, and so it is said when it runs.
        short = [one for one in self.judged() if one["rule"] == "RUN-01"]
        self.assertEqual({one["path"].split("/")[4] for one in short}, {"vector_database"})
        others = [one for one in self.judged() if one["rule"] not in TOO_SMALL and one not in short]
        self.assertEqual(others, [])
        self.check_changes(runs)

    def check_fields(self, family, leaf):
        (path,) = glob.glob(leaf + "*_metadata.json")
        metadata = load(path)
        tables = [(path, metadata, METADATA), (path, metadata["parameters"], PARAMETERS[family]),
                  (path, metadata["system_info"]["hosts"][0], HOST)]
        tables.append((leaf, load(leaf + "fs_separation.json"), SEPARATION))
        for (of, pattern), fields in FIELDS.items():
            if of == family:
                (path,) = glob.glob(leaf + pattern)
                tables.append((path, load(path), fields))
        for path, document, fields in tables:
            for key, kind in fields.items():
                value = at(document, key)
                self.assertIsInstance(value, kind, f"{path}: {key}")
                self.assertFalse(isinstance(value, bool) and kind is not bool, f"{path}: {key} is a boolean")
        self.check_units(family, leaf, metadata)

    def check_units(self, family, leaf, metadata):
        """The units are those of the names' meanings, not of their letters: GB is GiB, MB is MiB."""
        summary = load(leaf + "summary.json")
        memory = metadata["system_info"]["hosts"][0]["memory"]["total"]
        metric = summary.get("metric", {})
        if family in ("training", "checkpointing"):
            self.assertAlmostEqual(summary["host_memory_GB"][0], memory / 2**30, delta=0.001 * memory / 2**30)
        if family == "training":
            self.assertAlmostEqual(metric["train_io_mean_MB_per_second"], metric["train_throughput_mean_samples_per_second"] * 4096 / 2**20)
            self.assertLessEqual(metric["train_au_mean_percentage"], 100)
            self.assertGreater(metric["train_au_mean_percentage"], 1)
        elif family == "checkpointing":
            one = load(leaf + "0_per_epoch_stats.json")["1"]["save_ckpt1"]
            self.assertAlmostEqual(one["throughput"], metric["checkpoint_size_GB"] / one["duration"], places=4)
            self.assertAlmostEqual(metric["checkpoint_size_GB"], 105 * 0.0002, delta=0.005)
        elif family == "vector_database":
            self.assertAlmostEqual(summary["throughput_qps"], summary["query_count"] / summary["total_time_seconds"], places=3)
            self.assertEqual(summary["recall"], load(leaf + "recall_stats.json")["mean_recall"])
        else:
            self.assertEqual(summary["total_ranks"], summary["host_count"] * summary["npernode"])

    def check_rows(self, report):
        """Every row has its figures, or says why not."""
        (path,) = glob.glob(os.path.join(self.results, "open", ORG, "results", "results.json"))
        rows = {row["Benchmark Type"]: row for row in load(path)}
        self.assertEqual(set(rows), {"training", "checkpointing", "kv_cache", "vector_database"})
        for family, column in (("training", "Training - Read B/W (GiB/s)"), ("checkpointing", "Checkpointing - Read B/W (GiB/s)"),
                               ("kv_cache", "KVCache llama3.1-8b Storage Only - Read B/W (GiB/s)"),
                               ("vector_database", "VDB - Queries per Sec")):
            self.assertGreater(rows[family][column], 0, column)
        for group in report["groups"]:
            self.assertNotIn("withheld", [key for key, value in group.items() if value and key == "withheld"], group)

    def check_changes(self, runs):
        """A file that was made up, changed or removed after its run is found by what the run recorded."""
        for family, paths in runs.items():
            name = {"training": "training_run.stdout.log", "checkpointing": "0_per_epoch_stats.json"}.get(family, "summary.json")
            path = os.path.join(paths[-1], name)
            with open(path, encoding="utf-8") as file:
                before = file.read()
            added = os.path.join(paths[-1], "9_output.json")
            for change, words in ((lambda: write(path, before + "\nFilesystem 1K-blocks Used\n"), "isn't what the run wrote"),
                                  (lambda: os.remove(path), "is missing: the run wrote it"),
                                  (lambda: write(added, "{}"), "was added afterwards")):
                with self.subTest(family=family, words=words):
                    change()
                    found = [one for one in self.judged() if one["rule"] == "FILES-01"]
                    self.assertEqual(len(found), 1, found)
                    self.assertIn(words, found[0]["message"])
                    write(path, before)
                    if os.path.exists(added):
                        os.remove(added)
        self.assertEqual([one for one in self.judged() if one["rule"] == "FILES-01"], [])


if __name__ == "__main__":
    program.main()
