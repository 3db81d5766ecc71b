"""The training benchmark on the real binary: answers, refusals, and the files of runs that need no storage."""

import hashlib
import json
import os
import shlex
import unittest

import program
from program import ProgramTest

RUN_FILES = [
    "0_output.json", "0_per_epoch_stats.json", "1_output.json", "1_per_epoch_stats.json", "dlio.log",
    "dlio_config/config.yaml", "dlio_config/hydra.yaml", "dlio_config/overrides.yaml", "mlpstorage.errors.log",
    "mlpstorage.log", "mlpstorage_record.json", "provenance.json", "report.html", "report.txt", "summary.json", "training_cluster_info.json",
    "training_run.stderr.log", "training_run.stdout.log", "training_TS_metadata.json", "training_TS_timeseries.json"]
DATAGEN_FILES = [
    "report.html", "report.txt",
    "dlio.log", "dlio_config/config.yaml", "dlio_config/hydra.yaml", "dlio_config/overrides.yaml",
    "fs_separation.json", "mlpstorage.errors.log", "mlpstorage.log", "mlpstorage_record.json", "provenance.json",
    "training_cluster_info.json", "training_datagen.stderr.log", "training_datagen.stdout.log",
    "training_TS_metadata.json", "training_TS_timeseries.json"]
# 56 files / 2 accelerators / batch 7 = 4 steps, of which 3 are asked for.
SMALL = "--params dataset.num_files_train=56 train.epochs=2 train.computation_time=0.001 train.total_training_steps=3"


class TrainingTest(ProgramTest):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path("results"))
        self.expect(["init", "acme", self.path("results")], 0)
        self.where = f"--results-dir {self.path('results')} --systemname box --quiet"

    def leaf(self, mode, model, command):
        """The only run folder of a command."""
        parent = self.path("results", mode, "acme", "results", "box", "training", model, command)
        names = os.listdir(parent)
        self.assertEqual(len(names), 1, names)
        self.assertRegex(names[0], r"^\d{8}_\d{6}$")
        return os.path.join(parent, names[0])

    def files_of(self, leaf):
        names = [os.path.relpath(os.path.join(folder, name), leaf)
                 for folder, _, files in os.walk(leaf) for name in files]
        return sorted(name.replace(os.path.basename(leaf), "TS") for name in names)

    def json_of(self, leaf, name):
        with open(os.path.join(leaf, name.replace("TS", os.path.basename(leaf))), encoding="utf-8") as file:
            return json.load(file)

    def run_small(self, more=""):
        words = (f"whatif training unet3d run file -na 2 -at b200 -cm 1 --data-dir null:// {self.where} {more} "
                 f"{SMALL}")
        return self.expect(words, 0)


# The larger of declared and measured memory counts.
SMALL_HOST = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < 256 * 2**30


@unittest.skipUnless(SMALL_HOST, "this host has more memory than the examples of the specification")
class Datasize(TrainingTest):
    COMMAND = "closed training unet3d datasize -ma 8 -at b200 -cm 256"

    def test_the_answer_of_the_specification(self):
        # 500 steps x 8 accelerators x batch 7 = 28,000 files of 146,600,628 bytes; memory asks for 9,376.
        result = self.expect(self.COMMAND + " --quiet", 0)
        self.assertEqual(result.stdout.replace(self.path("results"), "RESULTS_DIR"), (
            "Data set of unet3d_b200 for 8 accelerators\n"
            "  ruled by        steps: 500 per epoch (5 times 256 GiB of client memory need 9,376 files)\n"
            "  demand          47.2 GiB/s (8 x 7 x 140 MiB / 162 ms)\n"
            "  files           28,000\n"
            "  subfolders      0\n"
            "  size            3.733 TiB\n"
            "  Total disk space required: 3822.91 GB\n"
            "\n"
            "To write it:\n"
            "  mlpstorage closed training unet3d datagen file --num-processes 8 --data-dir DATA_DIR --results-dir "
            "RESULTS_DIR --systemname SYSTEM --params dataset.num_files_train=28000 dataset.num_subfolders_train=2\n"
            "\n"
            "Warning: more than 10,000 files: the command spreads them over 2 subfolders.\n"
            "\n"
            "Note: --num-processes only says how many processes write (8 as --max-accelerators here); any number makes the same files.\n"))

    def test_memory_rules_where_files_are_small(self):
        result = self.expect("closed training retinanet datasize -ma 8 -at b200 -cm 256 --quiet --json", 0)
        answer = json.loads(result.stdout)
        self.assertEqual(answer["num_files_train"], 4255643)
        self.assertEqual(answer["files_by_steps"], 96000)
        self.assertEqual(answer["ruled_by"], "memory")
        self.assertEqual(f"{answer['total_gib']:.2f}", "1280.00")
        self.assertEqual(answer["advised_subfolders_train"], 425)

    def test_the_command_has_the_word_the_folder_needs(self):
        for folder, word, variables in (("/mnt/d", "file", {}), ("s3://b/p", "object", {}),
                                        ("p/q", "object", {"BUCKET": "b"}), ("p/q", "file", {})):
            answer = json.loads(self.expect(f"{self.COMMAND} --quiet --json -dd {folder}", 0, **variables).stdout)
            self.assertIn(f" datagen {word} --num-processes 8 --data-dir {folder} ", answer["datagen_command"])

    def test_the_command_has_what_was_said_of_the_hosts(self):
        words = [*f"{self.COMMAND} --json --skip-fs-separation-gate --hosts a,b --mpi-bin mpiexec --oversubscribe "
                 f"--allow-run-as-root --mpi-btl tcp {self.where} -dd".split(), "/a b", "--mpi-params=-x 'A=1 2'"]
        command = json.loads(self.expect(words, 0).stdout)["datagen_command"]
        typed = shlex.split(command)
        for flag, value in (("--hosts", "a,b"), ("--mpi-bin", "mpiexec"), ("--mpi-btl", "tcp"), ("--data-dir", "/a b")):
            self.assertEqual(typed[typed.index(flag) + 1], value)
        for word in ("--oversubscribe", "--allow-run-as-root", "--skip-fs-separation-gate", "--mpi-params=-x 'A=1 2'"):
            self.assertIn(word, typed)

    def test_the_command_can_be_run(self):
        answer = json.loads(self.expect(f"{self.COMMAND} --json -dd null:// {self.where}", 0).stdout)
        words = answer["datagen_command"].split()
        self.assertEqual(words[0], "mlpstorage")
        plan = json.loads(self.expect(words[1:] + ["--dry-run", "--json", "--quiet"], 0).stdout)
        self.assertEqual(plan["files"], 28000)

    def test_the_data_set_follows_the_run_where_templates_differ(self):
        flux = json.loads(self.expect("whatif training flux datasize -ma 8 -at b200 -cm 256 --quiet --json", 0).stdout)
        self.assertEqual(flux["num_files_train"], 2205)
        self.assertTrue(flux["datagen_command"].endswith(" --params dataset.num_files_train=2205"))
        # The h100's run reads npz files of 512 bytes; the template writes parquet.
        dlrm = json.loads(self.expect("whatif training dlrm datasize -ma 1 -at h100 -cm 1 --quiet --json", 0).stdout)
        self.assertIn("dataset.format=npz dataset.num_samples_per_file=1 dataset.record_length_bytes=512",
                      dlrm["datagen_command"])

    def test_the_metadata_of_a_claimed_directory(self):
        self.expect(f"{self.COMMAND} {self.where} --data-dir /mnt/d", 0)
        leaf = self.leaf("closed", "unet3d", "datasize")
        metadata = self.json_of(leaf, "training_TS_metadata.json")
        dataset = metadata["parameters"]["dataset"]
        self.assertEqual(dataset["num_files_train"], 28000)
        self.assertEqual(dataset["num_subfolders_train"], 0)
        self.assertEqual(dataset["total_disk_bytes"], 28000 * 146600628)
        self.assertEqual((metadata["benchmark_type"], metadata["command"], metadata["exit_status"]),
                         ("training", "datasize", 0))
        self.assertEqual((metadata["executed_command"], metadata["command_output_files"], metadata["verification"]),
                         (None, [], None))
        self.assertEqual(metadata["args"]["results_dir"], self.path("results"))
        args = metadata["args"]
        self.assertEqual((args["model"], args["accelerator_type"], args["max_accelerators"], args["data_dir"],
                          args["client_host_memory_in_gb"]), ("unet3d", "b200", 8, "/mnt/d", 256))


class Run(TrainingTest):
    def test_the_files_of_a_run(self):
        self.run_small()
        leaf = self.leaf("whatif", "unet3d", "run")
        self.assertEqual(self.files_of(leaf), sorted(RUN_FILES))
        summary = self.json_of(leaf, "summary.json")
        self.assertEqual(list(summary), [
            "start", "end", "num_accelerators", "num_hosts", "hostname", "no_result_because", "metric", "num_files_train",
            "num_files_eval", "num_samples_per_file", "host_cpu_count", "host_processor_name", "potential_caching",
            "host_cpuinfo", "host_meminfo", "host_memory_GB", "data_size_per_host_GB", "epochs"])
        self.assertEqual((summary["num_accelerators"], summary["num_files_train"], summary["epochs"]), (2, 56, 2))
        self.assertAlmostEqual(summary["data_size_per_host_GB"], 56 * 146600628 / 2**30)
        metric = summary["metric"]
        self.assertEqual(len(metric["train_au_percentage"]), 2)
        mean = sum(metric["train_throughput_samples_per_second"]) / 2
        self.assertAlmostEqual(metric["train_throughput_mean_samples_per_second"], mean)
        self.assertAlmostEqual(metric["train_io_mean_MB_per_second"], mean * 146600628 / 2**20, places=3)
        with open(os.path.join(leaf, "summary.json"), encoding="utf-8") as file:
            self.assertTrue(file.read().startswith('{\n    "start"'))

    def test_every_step_of_every_rank_is_written(self):
        self.run_small()
        leaf = self.leaf("whatif", "unet3d", "run")
        for rank in (0, 1):
            output = self.json_of(leaf, f"{rank}_output.json")
            stats = self.json_of(leaf, f"{rank}_per_epoch_stats.json")
            self.assertEqual(sorted(stats), ["1", "2"])
            for epoch in ("1", "2"):
                times = output[epoch]
                self.assertEqual(list(times), ["load", "proc", "throughput", "au", "compute", "host_meminfo", "end"])
                load, proc, compute = (times[name]["block1"] for name in ("load", "proc", "compute"))
                self.assertEqual((len(load), len(proc), len(compute)), (3, 3, 3))
                for step in range(3):
                    self.assertGreaterEqual(compute[step], 0.001)
                    self.assertGreaterEqual(proc[step] + 1e-9, load[step] + compute[step])
                self.assertRegex(stats[epoch]["block1"]["duration"], r"^\d+\.\d\d$")
                self.assertRegex(stats[epoch]["duration"], r"^\d+\.\d\d$")

    def test_the_metadata_and_the_configuration(self):
        self.run_small()
        leaf = self.leaf("whatif", "unet3d", "run")
        metadata = self.json_of(leaf, "training_TS_metadata.json")
        self.assertEqual((metadata["model"], metadata["command"], metadata["num_processes"], metadata["accelerator"],
                          metadata["verification"], metadata["verdict"]),
                         ("unet3d", "run", 2, "b200", None, "passed"))
        self.assertEqual(metadata["override_parameters"]["dataset.num_files_train"], "56")
        self.assertEqual(metadata["parameters"]["dataset"]["num_files_train"], "56")
        self.assertEqual(metadata["parameters"]["dataset"]["record_length_bytes"], 146600628)
        with open(os.path.join(leaf, "dlio_config/overrides.yaml"), encoding="utf-8") as file:
            self.assertTrue(file.read().startswith("- workload=unet3d_b200\n- ++workload.dataset.num_files_train=56\n"))

    def test_the_metric_block(self):
        self.run_small()
        with open(os.path.join(self.leaf("whatif", "unet3d", "run"), "dlio.log"), encoding="utf-8") as file:
            log = file.read()
        for line in ("Number of Simulated Accelerators: 2", r"Training Accelerator Utilization \[AU\] \(%\): NUMBER",
                     r"Training Throughput \(samples/second\): NUMBER",
                     r"Training I/O Throughput \(MiB/second\): NUMBER", "train_au_meet_expectation: (success|fail)"):
            self.assertRegex(log, r"(?m)^\[METRIC\] " + line.replace("NUMBER", r"\d+\.\d{4} \(\d+\.\d{4}\)") + "$")

    def test_json_is_the_record(self):
        result = self.run_small("--json")
        record = json.loads(result.stdout)
        leaf = self.leaf("whatif", "unet3d", "run")
        self.assertEqual(record, self.json_of(leaf, "mlpstorage_record.json"))
        self.assertEqual(record["schema"], "mlpstorage.training/1")
        self.assertEqual(record["plan"]["steps_per_epoch"], 3)
        self.assertEqual(len(record["epochs"]), 2)
        self.assertEqual([rank["steps"] for rank in record["epochs"][0]["blocks"][0]["ranks"]], [3, 3])

    def test_a_missed_threshold_is_loud_and_no_failure(self):
        words = f"whatif training unet3d run file -na 2 -at b200 -cm 1 -dd null:// {self.where} {SMALL}"
        result = self.expect(words.replace("computation_time=0.001", "computation_time=0"), 0)
        self.assertIn("train_au_meet_expectation fail", result.stdout)
        leaf = self.leaf("whatif", "unet3d", "run")
        self.assertRegex(self.read(f"{leaf}/training_run.stdout.log"),
                         r"train_au_meet_expectation: fail: AU [0-9.]+ % < 90 %: NOT ENOUGH \(the measurement itself is complete\)")
        summary = self.json_of(leaf, "summary.json")
        self.assertEqual(summary["metric"]["train_au_meet_expectation"], "fail")

    def test_a_workload_of_ones_own(self):
        path = self.write("own.yaml", "model: {name: mine}\nframework: pytorch\nworkflow: {train: True}\n"
                          "dataset: {format: npz, num_files_train: 8, record_length_bytes: 1000}\n"
                          "reader: {batch_size: 2}\ntrain: {epochs: 1, computation_time: 0.001}\n")
        words = f"training cosmoflow run file -na 2 -at b200 -cm 1 -dd null:// {self.where} --workload-file {path}"
        record = json.loads(self.expect(f"whatif {words} --json", 0).stdout)
        self.assertEqual((record["plan"]["num_files_train"], record["plan"]["steps_per_epoch"]), (8, 2))
        with open(path, "rb") as file:
            name = "own.yaml@sha256:" + hashlib.sha256(file.read()).hexdigest()[:16]
        overrides = os.path.join(self.leaf("whatif", "cosmoflow", "run"), "dlio_config/overrides.yaml")
        self.assertIn(f"workload={name}", self.read(overrides))
        self.refuse(f"open {words}".replace("cosmoflow", "unet3d"), 1, "[E301] --workload-file")
        self.refuse(f"whatif {words}".replace(path, path + ".no"), 5, "[E103]", "own.yaml.no")

    def test_a_workload_of_a_run_folder(self):
        """What a run leaves in its folder is a workload file, too."""
        self.run_small()
        path = os.path.join(self.leaf("whatif", "unet3d", "run"), "dlio_config/config.yaml")
        record = json.loads(self.expect(f"whatif training unet3d run file -na 2 -at b200 -cm 1 -dd null:// {self.where} "
                                        f"--workload-file {path} --json", 0).stdout)
        self.assertEqual((record["plan"]["num_files_train"], record["plan"]["steps_per_epoch"], len(record["epochs"])),
                         (56, 3, 2))
        self.assertEqual([], [warning for warning in record["warnings"] if "without effect" in warning])
        other = self.write("other.yaml", "batchsize: 7\n")
        self.refuse(f"whatif training unet3d run file -na 2 -at b200 -cm 1 -dd null:// {self.where} "
                    f"--workload-file {other}", 5, "[E104]", "the first is batchsize", "did you mean reader.batch_size?")

    def test_loops_repeat_the_run(self):
        self.run_small("--loops 2")
        parent = self.path("results", "whatif", "acme", "results", "box", "training", "unet3d", "run")
        self.assertEqual(len(os.listdir(parent)), 2)

    def test_a_run_that_fails_has_no_summary(self):
        self.expect(f"whatif training unet3d run file -na 2 -at b200 -cm 1 -dd null:// {self.where} "
                    f"--inject-fault denied:begin_read@9+ {SMALL}", 4)
        leaf = self.leaf("whatif", "unet3d", "run")
        self.assertNotIn("summary.json", self.files_of(leaf))
        metadata = self.json_of(leaf, "training_TS_metadata.json")
        self.assertEqual((metadata["verification"], metadata["verdict"], metadata["exit_status"]),
                         (None, "failed", 4))


class Shown(TrainingTest):
    def test_dry_run_touches_nothing(self):
        for command in ("run file -na 2 -at b200 -cm 1", "datagen file -np 2"):
            words = f"whatif training unet3d {command} -dd {self.path('data')} {self.where} --dry-run --json"
            plan = json.loads(self.expect(f"{words} --params dataset.num_files_train=56", 0).stdout)
            self.assertEqual(plan["model"], "unet3d")
            self.assertFalse(os.path.exists(self.path("data")))
        self.assertEqual(sorted(os.listdir(self.path("results"))), ["mlperf-results.yaml"])

    def test_the_plan_says_what_the_storage_is_to_deliver(self):
        plan = self.expect(f"whatif training unet3d run file -na 8 -at b200 -cm 1 -dd null:// {self.where} --dry-run "
                           "--params dataset.num_files_train=560", 0).stdout
        self.assertRegex(plan, r"(?m)^  demand +47\.2 GiB/s \(8 x 7 x 140 MiB / 162 ms\)$")

    def test_configview_has_every_value_with_its_source(self):
        words = f"closed training unet3d configview file -na 8 -at b200 -cm 256 {self.where}"
        text = self.expect(f"{words} --params reader.read_threads=16", 0).stdout
        for row in ("reader.read_threads +16 +--params", "reader.batch_size +7 +workload file",
                    "dataset.num_files_train +28000 +tool", "  mode +closed .as a submission: CLOSED.",
                    "  steps +5 epochs x 500 steps x 7 samples per accelerator"):
            self.assertRegex(text, row)
        self.assertEqual(sorted(os.listdir(self.path("results"))), [".mlps", "mlperf-results.yaml"])
        plan = json.loads(self.expect(f"{words} --json", 0).stdout)
        self.assertEqual(plan["configuration"]["train.epochs"], {"value": "5", "source": "workload file"})

    def test_configview_says_what_a_run_would_be_refused_for(self):
        words = f"closed training unet3d configview file -na 8 -at b200 -cm 256 {self.where}"
        result = self.expect(f"{words} --params framework=tensorflow", 0)
        self.assertIn("a run would be refused: --params framework", result.stderr)
        self.assertIn("as a submission: OPEN", result.stdout)


class Refusals(TrainingTest):
    def start(self, mode, rest):
        return f"{mode} training unet3d run file -na 8 -at b200 -cm 256 -dd null:// {self.where} {rest}"

    def test_words(self):
        self.refuse("closed training resnet50 run", 2, "unknown word 'resnet50'", "unet3d, retinanet",
                    "'resnet50' is available in whatif mode only")
        self.refuse("closed training run", 2, "the model goes before the command")
        self.refuse("closed training unet3d datasize file -ma 8 -at b200 -cm 1", 2, "'datasize' takes no 'file' word")

    def test_a_missing_data_dir(self):
        self.refuse(f"closed training unet3d run file -na 8 -at b200 -cm 256 {self.where}", 2,
                    "[E101] --data-dir is required", "MLPSTORAGE_DATA_DIR")

    def test_unknown_parameters_get_the_nearest(self):
        self.refuse(self.start("closed", "--params reader.read_thread=8"), 2, "[E102]", "reader.read_thread",
                    "did you mean reader.read_threads?")
        self.refuse(self.start("closed", "--params reader.batch_size=seven"), 2, "[E102]", "reader.batch_size")

    def test_closed_refuses_open_parameters(self):
        self.refuse(self.start("closed", "--params framework=tensorflow"), 1, "[E302]", "framework", "'open'")

    def test_both_refuse_invalid_parameters(self):
        for mode in ("closed", "open"):
            self.refuse(self.start(mode, "--params reader.batch_size=3"), 1, "[E301]", "reader.batch_size")

    def test_too_few_files(self):
        self.refuse(self.start("closed", "--params dataset.num_files_train=27998"), 1, "[E301]",
                    "27998 is below the rules' minimum of 28000")
        granted = self.expect(self.start("closed", "--dry-run --params dataset.num_files_train=27999"), 0)
        self.assertIn("one file below the rules' minimum of 28000", granted.stderr)

    def test_contradictions(self):
        words = f"closed training unet3d run object -na 8 -at b200 -cm 256 {self.where}"
        self.refuse(f"{words} -dd s3://b/p --o-direct", 2, "[E105]", "--o-direct")
        self.refuse(f"{words} -dd /mnt/data", 2, "[E105]", "/mnt/data")
        self.refuse(self.start("closed", "--params storage.storage_type=s3"), 2, "[E105]", "storage.storage_type=s3")
        self.refuse(f"closed training unet3d run file -na 8 -at b200 -cm 1 -dd s3://b/p {self.where}", 2, "[E105]")

    def test_pairs_without_a_definition(self):
        self.refuse(f"closed training unet3d run file -na 8 -at mi355 -cm 1 -dd null:// {self.where}", 5, "[E103]",
                    "closed mode has b200 for unet3d")

    def test_a_data_set_that_is_not_there(self):
        for folder in (self.path("nowhere"), self.path("empty")):
            os.makedirs(self.path("empty"), exist_ok=True)
            self.refuse(f"whatif training unet3d run file -na 8 -at b200 -dd {folder} {self.where}", 3, "[E401]",
                        "data folder", folder + "/unet3d", "only reads")

    def test_nothing_is_left_behind(self):
        self.refuse(self.start("closed", "--params framework=tensorflow"), 1)
        self.assertNotIn("closed", os.listdir(self.path("results")))


class Datagen(TrainingTest):
    DATA = "dataset.num_files_train=9 dataset.record_length_bytes=90000 dataset.record_length_bytes_stdev=9000"

    def setUp(self):
        super().setUp()
        self.data = f"-dd {self.path('data')} {self.where} --skip-fs-separation-gate"

    def generate(self, params=None, code=0):
        return self.expect(f"whatif training unet3d datagen file -np 2 {self.data} --params {params or self.DATA}", code)

    def test_a_data_set_is_written_and_read(self):
        self.generate()
        names = sorted(os.listdir(self.path("data", "unet3d", "train")))
        self.assertEqual(names, [f"img_{i}_of_9.npz" for i in range(9)])
        leaf = self.leaf("whatif", "unet3d", "datagen")
        self.assertEqual(self.files_of(leaf), sorted(DATAGEN_FILES))
        with open(self.path("data", "unet3d", ".mlps-datagen-manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        self.assertEqual((manifest["schema_version"], manifest["model"], manifest["num_files_train"],
                          manifest["source_datagen_result_dir"]), (1, "unet3d", 9, leaf))

        params = self.DATA.split(" ", 1)[1]
        self.expect(f"whatif training unet3d run file -na 2 -at b200 -cm 1 {self.data} --verify --params {params} "
                    f"train.epochs=1 train.computation_time=0 reader.batch_size=2", 0)
        run = self.leaf("whatif", "unet3d", "run")
        self.assertEqual(self.files_of(run), sorted(RUN_FILES + ["datagen-manifest.json", "fs_separation.json"]))
        copy = self.json_of(run, "datagen-manifest.json")
        self.assertEqual(copy["schema"], "mlps-datagen-manifest-snapshot/1")
        del manifest["mlpstorage_cpp"]  # of this program alone
        self.assertEqual(copy["manifest"], manifest)
        metadata = self.json_of(run, "training_TS_metadata.json")
        self.assertEqual(metadata["datagen_manifest_file"], "datagen-manifest.json")
        # As many files as were generated: the original's rules would call a run INVALID that says so.
        self.assertNotIn("dataset.num_files_generated", metadata["override_parameters"])
        record = self.json_of(run, "mlpstorage_record.json")
        # 9 files: 5 and 4 for the ranks, so 2 steps of 2 for both, 8 files read.
        self.assertEqual((record["plan"]["num_files_train"], record["plan"]["steps_per_epoch"]), (9, 2))
        self.assertEqual(record["reading"]["bytes"], record["reading"]["bytes_verified"])

    def test_a_second_time_finds_everything_whole(self):
        self.generate()
        self.assertRegex(self.generate().stdout, "0 written .*, 9 found whole, 9 in all")

    def test_another_data_set_is_not_overwritten(self):
        self.generate()
        result = self.generate("dataset.num_files_train=8 dataset.record_length_bytes=90000", 3)
        self.assertIn("[E404]", result.stderr)
        self.assertEqual(len(os.listdir(self.path("data", "unet3d", "train"))), 9)

    def test_a_missing_parent_is_no_invitation(self):
        self.refuse(f"whatif training unet3d datagen file -np 2 -dd {self.path('no', 'such')}/x {self.where} "
                    f"--params {self.DATA}", 3, "[E401]", "mkdir -p")

    def test_more_files_than_there_are(self):
        self.generate()
        params = self.DATA.split(" ", 1)[1]
        self.refuse(f"open training unet3d run file -na 8 -at b200 -cm 1 {self.data} --allow-invalid-params "
                    f"--params {params} dataset.num_files_train=30000", 2, "MANIFEST-003", "30000", "9")


if __name__ == "__main__":
    program.main()
