"""validate and rules: a valid submission has no finding, each rule's own example breaks just that rule, and nothing that others wrote
makes the program fail."""

import csv
import glob
import io
import json
import os
import shutil

import program
from program import ProgramTest
from submission import ORG, SYSTEM, Submission, description, write

# Rules whose example can't but break others, too.
COMPANIONS = {
    "2.1.1": {"2.1.5"},  # a folder without systems/
    "2.1.11": {"PROV-02", "EDN-02"},  # other folders than the manifest has, and a model without classes
    "2.1.13": {"2.1.14", "2.1.15", "CHECK-01", "PROV-02"},  # an empty run folder
    "2.1.17": {"2.1.19", "2.1.20", "3.4.2", "CHECK-01", "PROV-02"},
    "2.1.16": {"RPT-01"},
    "2.1.18": {"PROV-02"},
    "2.1.21": {"PROV-02"},
    "2.1.22": {"RPT-01"},
    "2.1.23": {"2.1.25", "2.1.26", "4.4.2", "4.7.1", "CHECK-01", "PROV-02", "4.7.2"},
    "3.1.2": {"2.1.9"},  # another memory than described
    "4.3.1": {"2.1.9"},
    "4.7.3": {"2.1.7"},  # the schema ties both to each other
    "4.7.4": {"2.1.7"},
    "5.3.1": {"PROV-02"},
    "5.3.2": {"CALC-01"},  # another recall than that of the queries
    "5.6.3": {"5.2.2"},  # another index than was built
    "6.3.1.1": {"EDN-02"},
    "6.3.2.2": {"EDN-02"},
    "CHECK-03": {"CHECK-02"},  # an empty image
    "EDN-01": {"PROV-02"},  # the manifest has another edition
}
# Rules that no change of a file breaks have tests of their own.
OTHERWISE = {"2.1.6", "3.6.1", "5.6.1", "4.7.2", "FILES-01"}
# The levels of each rule's example by edition, which an update of the program must not change: 3.0-early, 3.0, 3.0-after.
# What a tree of the time after the round has that older editions want otherwise.
OF_OTHER_EDITIONS = {"3.0-early": {"2.1.12"}}
VERDICTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "verdicts.txt")
EDITIONS = ("3.0-early", "3.0", "3.0-after")


class Validate(ProgramTest):
    def judge(self, root, *words, code=None):
        result = self.run_program("validate", str(root), "--json", *words)
        self.assertIn(result.returncode, (0, 1) if code is None else (code,), result.stderr)
        return json.loads(result.stdout)

    def rules_of(self, judgement, levels=("ERROR", "WARNING")):
        return {finding["rule"] for finding in judgement["findings"] if finding["severity"] in levels}

    def test_a_valid_submission_has_no_finding(self):
        for era, edition in (("after", "3.0-after"), ("round", "3.0")):
            with self.subTest(era=era):
                root = self.path("tree-" + era)
                Submission(root, era, ("closed", "open"))
                judgement = self.judge(root, code=0)
                self.assertEqual([(one["rule"], one["severity"]) for one in judgement["findings"]], [("4.7.2", "INFO")])
                self.assertIn("936 s", judgement["findings"][0]["message"])
                self.assertEqual(judgement["edition"], edition)
                self.assertEqual((judgement["submissions"], judgement["workloads"], judgement["run_folders"]), (2, 8, 33))

    def test_the_example_of_each_rule_breaks_that_rule(self):
        rules = json.loads(self.expect("rules list --json", 0).stdout)
        self.assertEqual({rule["id"] for rule in rules if rule["example"]["change"] == "none"}, OTHERWISE)
        made = Submission(self.path("valid"), divisions=("closed", "open"))
        with open(VERDICTS, encoding="utf-8") as file:
            verdicts = {words[0]: words[1:] for words in map(str.split, file)}
        self.assertEqual(set(verdicts), {rule["id"] for rule in rules} - OTHERWISE)
        for rule in rules:
            if rule["id"] in OTHERWISE:
                continue
            with self.subTest(rule=rule["id"]):
                with made.broken_by(rule["example"]):
                    broken = self.rules_of(self.judge(made.root))
                    levels = [self.level_of(rule["id"], self.judge(made.root, "--edition", edition)) for edition in EDITIONS]
                self.assertIn(rule["id"], broken)
                self.assertEqual(broken - {rule["id"]}, COMPANIONS.get(rule["id"], set()))
                self.assertEqual(levels, verdicts[rule["id"]])
        for edition in EDITIONS:
            self.assertEqual(self.rules_of(self.judge(made.root, "--edition", edition)), OF_OTHER_EDITIONS.get(edition, set()))

    def level_of(self, rule, judgement):
        levels = [one["severity"] for one in judgement["findings"] if one["rule"] == rule]
        return next((level for level in ("ERROR", "WARNING", "INFO") if level in levels), "-")

    def test_open_is_laid_out_as_closed(self):
        """Rule 2.1.3: what breaks a rule about folders and files in closed breaks it in open, too."""
        made = Submission(self.path("tree"), divisions=("closed", "open"))
        tried = 0
        for rule in json.loads(self.expect("rules list --json", 0).stdout):
            example = rule["example"]
            if not rule["id"].startswith("2.1.") or not example["path"].startswith("closed/ORG/") or example["change"] == "set":
                continue
            # The open part has checkpoints of another model.
            example["path"] = example["path"].replace("closed/", "open/").replace("llama3-8b", "llama3-70b")
            with self.subTest(rule=rule["id"]), made.broken_by(example):
                found = [one for one in self.judge(made.root)["findings"] if one["rule"] == rule["id"]]
                self.assertTrue(found and all(one["path"].startswith("open/") for one in found), found)
                tried += 1
        self.assertGreater(tried, 15)

    def test_a_given_checksum_is_asked_of_every_closed_run(self):
        for era, rules in (("after", {"2.1.6"}), ("round", {"2.1.6", "3.6.1", "5.6.1"})):
            made = Submission(self.path(era), era, ("closed", "open"))
            self.assertEqual(self.rules_of(self.judge(made.root, "--reference-checksum", made.hash)), set())
            judgement = self.judge(made.root, "--reference-checksum", "0" * 32)
            self.assertEqual(self.rules_of(judgement), rules)
            self.assertTrue(all(finding["path"].startswith("closed/") for finding in judgement["findings"] if finding["rule"] in rules))

    def test_every_rule_can_be_explained(self):
        for rule in json.loads(self.expect("rules list --json", 0).stdout):
            text = self.expect(["rules", "explain", rule["id"].lower()], 0).stdout
            self.assertIn(rule["text"].split()[0], text)
            self.assertIn(rule["name"], text)
        self.refuse("rules explain 3.3.22", 2, "there is no rule 3.3.22", "did you mean 3.3.2?")
        self.refuse("rules explain vdbRunCuont", 2, "did you mean 5.3.1?")
        self.assertNotIn("did you mean", self.refuse("rules explain nonsense", 2, "rules list").stderr)

    def test_an_empty_folder_is_no_valid_submission(self):
        os.makedirs(self.path("empty", "closed"))
        result = self.expect(["validate", self.path("empty")], 1)
        self.assertIn("0 submissions", result.stdout)
        self.refuse(["validate", self.path("nowhere")], 3, "nowhere")
        Submission(self.path("tree"))
        self.refuse(["validate", self.path("tree"), "--submitters", "acme,nobody"], 3, "the tree has no nobody", "it has acme")

    def test_litter_is_ignored_at_every_level(self):
        made = Submission(self.path("tree"))
        for folder in (made.root, made.organisation, made.system, made.system + "/training/unet3d/run"):
            for name in (".github/x", "__pycache__/x.pyc", ".DS_Store", "README.md"):
                if name != "README.md" or folder == made.root:
                    write(os.path.join(folder, name), "")
        self.assertEqual(self.judge(made.root, code=0)["findings"], [])

    def test_an_unknown_edition_is_not_judged_by_another(self):
        made = Submission(self.path("tree"))
        self.refuse(["validate", made.root, "--mlperf-version", "v0.5"], 2, "edition v0.5 of the rules isn't known", "3.0")
        write(made.organisation + "/submission.yaml", "schema: mlps-submission-manifest/1\nrules_edition: '9.0'\n")
        self.refuse(["validate", made.root], 2, "edition 9.0 of the rules isn't known")

    def test_runs_of_an_edition_with_another_form_are_not_judged(self):
        made = Submission(self.path("tree"))
        shutil.rmtree(made.leaves_of("training/unet3d/run")[0])
        Submission.set(made.organisation + "/submission.yaml", "rules_edition", 2.0)
        judgement = self.judge(made.root, code=1)
        self.assertEqual(self.rules_of(judgement), {"EDN-04"})
        self.assertEqual(judgement["run_folders"], 0)

    def test_the_edition_is_in_the_output_and_so_is_what_the_tree_says(self):
        made = Submission(self.path("tree"))
        judgement = self.judge(made.root, "--edition", "3.0-early")
        self.assertEqual(judgement["edition"], "3.0-early")
        self.assertIn("by itself the tree is of 3.0-after", judgement["edition_from"])

    def test_severities_follow_the_edition(self):
        made = Submission(self.path("tree"), "round")
        shutil.rmtree(made.system + "/training/unet3d/datasize")
        levels = {}
        for edition in ("3.0-early", "3.0", "3.0-after"):
            judgement = self.judge(made.root, "--edition", edition)
            levels[edition] = {finding["severity"] for finding in judgement["findings"] if finding["rule"] == "2.1.12"}
        self.assertEqual(levels, {"3.0-early": set(), "3.0": {"WARNING"}, "3.0-after": {"ERROR"}})

    def test_compat_judges_as_3_0_46_and_both_ways_tell_the_difference(self):
        made = Submission(self.path("tree"), "round")
        made.break_by({"change": "set", "path": "closed/ORG/results/SYSTEM/training/unet3d/run/*/training_*_metadata.json",
                       "key": "override_parameters", "fails": '{"framework": "tensorflow"}'})
        rightly = self.judge(made.root, code=1)
        self.assertEqual(self.rules_of(rightly), {"3.6.2"})
        as_then = self.judge(made.root, "--compat", code=0)
        self.assertEqual(self.rules_of(as_then), set())
        for judgement in (rightly, as_then):
            (difference,) = judgement["differing_rules"]
            self.assertEqual(difference["rule"], "3.6.2")
            self.assertIn("never fires", difference["mlpstorage_3_0_46"])

    def test_numbers_that_are_texts_are_numbers(self):
        made = Submission(self.path("tree"))
        for key, value in (("args.num_checkpoints_write", "10"), ("args.num_processes", "8"), ("parameters.checkpoint.fsync", "True")):
            made.break_by({"change": "set", "path": "closed/ORG/results/SYSTEM/checkpointing/llama3-8b/*/*_metadata.json", "key": key,
                           "fails": json.dumps(value)})
        self.assertEqual(self.judge(made.root, code=0)["findings"], [])

    def test_a_file_that_cant_be_read_is_a_finding_and_the_rest_is_judged(self):
        made = Submission(self.path("tree"))
        (path,) = [place for place in made.leaves_of("checkpointing/llama3-8b")]
        for content in ("", "{", "[" * 100000, '{"a": ' * 70 + "1" + "}" * 70, "\0\xff", '"text"', '{"metric": 7, "num_hosts": []}',
                        '{"metric": {"save_checkpoint_io_mean_GB_per_second": {}}, "host_memory_GB": "x", "start": 5}'):
            with self.subTest(content=content[:20]):
                with open(path + "/summary.json", "w", encoding="latin-1") as file:
                    file.write(content)
                self.judge(made.root)
        os.remove(path + "/summary.json")
        os.symlink("/etc/hostname", path + "/summary.json")
        found = [one for one in self.judge(made.root)["findings"] if one["rule"] == "READ-01"]
        self.assertIn("link out of the tree", found[0]["message"])

    def test_a_tampered_rank_file_or_summary_is_found(self):
        made = Submission(self.path("tree"))
        (path,) = made.leaves_of("checkpointing/llama3-8b")
        Submission.set(path + "/0_per_epoch_stats.json", "1.save_ckpt3.throughput", 40.0)
        findings = [one for one in self.judge(made.root)["findings"] if one["rule"] == "CALC-01"]
        self.assertEqual({one["key"] for one in findings}, {"metric.save_checkpoint_io_mean_GB_per_second",
                                                            "metric.save_checkpoint_io_stdev_GB_per_second"})
        run = made.leaves_of("training/unet3d/run")[2]
        write(run + "/3_output.json", "PRUNED BY STAFF\n")
        notes = [one for one in self.judge(made.root)["findings"] if one["severity"] == "INFO"]
        self.assertIn("not recomputed", notes[0]["message"])

    def test_a_tampered_summary_is_found_in_every_family(self):
        made = Submission(self.path("tree"))
        for folder, key, value, rule in (
                ("training/unet3d/run", "metric.train_au_percentage", [99.0] * 5, "CALC-01"),
                *(("training/unet3d/run", f"metric.train_{name}", 97.5, "CALC-01") for name in (
                    "au_mean_percentage", "au_stdev_percentage", "throughput_mean_samples_per_second",
                    "throughput_stdev_samples_per_second", "io_mean_MB_per_second", "io_stdev_MB_per_second")),
                *(("checkpointing/llama3-8b", f"metric.{verb}_checkpoint_{name}", 1.0, "CALC-01") for verb in ("save", "load") for name in (
                    "io_mean_GB_per_second", "io_stdev_GB_per_second", "duration_mean_seconds", "duration_stdev_seconds")),
                ("vector_database/milvus/DISKANN/run", "throughput_qps", 2000.0, "CALC-01"),
                ("vector_database/milvus/DISKANN/run", "recall", 0.99, "CALC-01"),
                ("kv_cache/llama3.1-8b/run", "options.1.aggregated_read_bandwidth_gbps", 9.0, "6.3.4.1"),
                ("kv_cache/llama3.1-8b/run", "options.2.aggregated_write_bandwidth_gbps", 9.0, "6.3.4.1"),
                ("kv_cache/llama3.1-8b/run", "options.2.aggregated_avg_throughput_tokens_per_sec", 9.0, "6.3.4.2"),
                ("kv_cache/llama3.1-8b/run", "options.3.aggregated_storage_throughput_tokens_per_sec", 900.0, "6.3.4.2"),
                ("kv_cache/llama3.1-8b/run", "options.1.aggregated_p95_latency_ms", 1.0, "6.3.4.3"),
                ("kv_cache/llama3.1-8b/run", "options.3.aggregated_storage_read_p95_ms", 1.0, "6.3.4.3")):
            with self.subTest(key=key):
                path = made.leaves_of(folder)[0] + "/summary.json"
                with open(path, encoding="utf-8") as file:
                    before = json.load(file)
                Submission.set(path, key, value)
                findings = self.judge(made.root, code=1)["findings"]
                self.assertEqual({one["rule"] for one in findings}, {rule})
                self.assertTrue(any(one["key"].startswith(key) for one in findings), findings)
                write(path, before)

    def test_statistics_of_the_runner_and_the_summary_agree(self):
        made = Submission(self.path("tree"))
        run = made.leaves_of("vector_database/milvus/DISKANN/run")[1]
        write(run + "/vectordb/simple/statistics.json", {"throughput_qps": 1001.0, "p99_latency_ms": 70.5})
        (found,) = self.judge(made.root, code=1)["findings"]
        self.assertEqual((found["rule"], found["key"]), ("CALC-01", "p99_latency_ms"))

    def test_files_of_ranks_that_were_cut_are_no_result_and_no_error(self):
        made = Submission(self.path("tree"))
        (run,) = made.leaves_of("kv_cache/llama3.1-8b/run")
        (path,) = glob.glob(run + "/option_1/trial_1/rank_0/*.json")
        write(path, "PRUNED BY STAFF\n")
        Submission.set(run + "/summary.json", "options.1.aggregated_read_bandwidth_gbps", 77.0)
        (found,) = self.judge(made.root, code=0)["findings"]
        self.assertEqual(found["severity"], "INFO")
        self.assertIn("not recomputed", found["message"])

    def test_no_key_is_needed_for_a_judgement(self):
        """Every key of metadata and summaries may be absent: that is a finding, or nothing, but never the end."""
        made = Submission(self.path("tree"), divisions=("closed", "open"))
        leaves = [leaf for folder in ("training/unet3d/run", "checkpointing/llama3-8b", "kv_cache/llama3.1-8b/run",
                                      "vector_database/milvus/DISKANN/run") for leaf in made.leaves_of(folder)]
        originals = {}
        for leaf in leaves:
            (metadata,) = glob.glob(leaf + "/*_metadata.json")
            for path in (metadata, leaf + "/summary.json"):
                with open(path, encoding="utf-8") as file:
                    originals[path] = json.load(file)
        for number in range(max(len(original) for original in originals.values())):
            for path, original in originals.items():
                if number < len(original):
                    write(path, {key: value for place, (key, value) in enumerate(original.items()) if place != number})
            self.judge(made.root)
            self.expect(["reports", "reportgen", "--results-dir", made.root], 0)

    def made_results(self):
        results = self.path("results")
        os.mkdir(results)
        self.expect(["init", ORG, results], 0)
        return results

    def test_the_least_legal_data_set_of_every_shipped_workload_is_valid(self):
        """Limits of datasize and of the rules are the same numbers."""
        results = self.made_results()
        for model, accelerator in (("unet3d", "b200"), ("retinanet", "b200"), ("retinanet", "mi355")):
            with self.subTest(model=model, accelerator=accelerator):
                made = Submission(self.path(f"tree-{model}-{accelerator}"), "round")
                answer = json.loads(self.expect(
                    f"closed training {model} datasize -ma 8 -at {accelerator} -cm 1024 --json -dd {self.path('data')} -rd {results} "
                    f"-sn {accelerator}", 0).stdout)
                (path,) = glob.glob(f"{results}/closed/{ORG}/results/{accelerator}/training/{model}/datasize/*/*_metadata.json")
                with open(path, encoding="utf-8") as file:
                    parameters = json.load(file)["parameters"]
                if model != "unet3d":
                    os.rename(made.system + "/training/unet3d", f"{made.system}/training/{model}")
                least = answer["num_files_train"]
                write(made.organisation + f"/systems/{SYSTEM}.yaml", description(memory=1024))
                leaves = {phase: made.leaves_of(f"training/{model}/{phase}") for phase in ("datasize", "datagen", "run")}
                for files, wanted in ((least, set()), (least - 2, {"3.1.2"})):
                    for leaf in (leaf for paths in leaves.values() for leaf in paths):
                        (metadata,) = glob.glob(leaf + "/*_metadata.json")
                        parameters["dataset"]["num_files_train"] = files
                        Submission.set(metadata, "parameters", parameters)
                    for number, run in enumerate(leaves["run"]):
                        Submission.set(run + "/summary.json", "num_files_train", files)
                        Submission.set(run + "/summary.json", "host_memory_GB", [1024.0])
                        Submission.set(run + "/summary.json", "metric.train_io_mean_MB_per_second",
                                       (1000.0 + number) * parameters["dataset"]["record_length_bytes"] / 2**20)
                    found = [one for one in self.judge(made.root)["findings"] if "/training/" in one["path"]]
                    self.assertEqual({one["rule"] for one in found}, wanted, found)

    def test_the_legal_run_of_every_shipped_model_of_checkpointing_is_valid(self):
        """What closed takes without a word is what the rules take; of one process more both name the rule."""
        results = self.made_results()
        made = Submission(self.path("tree"))
        (path,) = made.leaves_of("checkpointing/llama3-8b")
        (metadata,) = glob.glob(path + "/*_metadata.json")
        os.remove(made.organisation + "/submission.yaml")
        before = "llama3-8b"
        for model, processes, size in (("llama3-8b", 8, 105), ("llama3-70b", 64, 912), ("llama3-405b", 512, 5290), ("llama3-1t", 1024, 18000)):
            with self.subTest(model=model):
                if model != before:
                    os.rename(f"{made.system}/checkpointing/{before}", f"{made.system}/checkpointing/{model}")
                    path, metadata, before = path.replace(before, model), metadata.replace(before, model), model
                os.path.exists(path + "/provenance.json") and os.remove(path + "/provenance.json")
                Submission.set(metadata, "provenance_file", None)
                Submission.set(metadata, "args.model", model)
                Submission.set(metadata, "args.num_processes", processes)
                Submission.set(path + "/summary.json", "num_accelerators", processes)
                Submission.set(path + "/summary.json", "metric.checkpoint_size_GB", size)
                self.assertEqual(self.rules_of(self.judge(made.root)), set())
                more = f"-m {model} -cf {self.path('ck')} -rd {results} -sn s -cm 16 --dry-run"
                self.expect(f"closed checkpointing run file -np {processes} {more}", 0)
                Submission.set(metadata, "args.num_processes", processes + 1)
                self.assertEqual(self.rules_of(self.judge(made.root)), {"4.6.1"})
                self.refuse(f"closed checkpointing run file -np {processes + 1} {more}", 1, "rule 4.6.1")

    def test_what_closed_runs_of_a_cache_is_what_the_rules_want(self):
        """The plan of the program, put into a tree, breaks no rule."""
        results = self.made_results()
        plan = json.loads(self.expect(f"closed kvcache run file --cache-dir {self.path('kv')} -rd {results} -sn s --dry-run --json", 0).stdout)
        made = Submission(self.path("tree"))
        (leaf,) = made.leaves_of("kv_cache/llama3.1-8b/run")
        (metadata,) = glob.glob(leaf + "/*_metadata.json")
        for option in plan["options"]:
            Submission.set(metadata, f"parameters.options.{option['option']}", {
                "model": option["model"]["key"], "num_users": option["users_per_rank"], "duration": option["duration_s"],
                "gpu_mem_gb": option["gpu_tier_bytes"] / 2**30, "cpu_mem_gb": option["cpu_tier_bytes"] / 2**30,
                "max_concurrent_allocs": option["max_concurrent_allocs"], "generation_mode": option["generation_mode"]})
        for key in ("seed", "trials", "inter_option_delay_s"):
            Submission.set(metadata, f"parameters.sequence.{key}", plan[key])
        self.assertEqual(self.rules_of(self.judge(made.root)), set())

    def test_a_run_is_refused_by_the_rule_that_would_reject_it(self):
        """What validate finds wrong with what was run, the dry run refuses with the same id."""
        made = Submission(self.path("tree"))
        (leaf,) = made.leaves_of("checkpointing/llama3-8b")
        (metadata,) = glob.glob(leaf + "/*_metadata.json")
        Submission.set(metadata, "args.num_processes", 12)
        (found,) = self.judge(made.root, code=1)["findings"]
        self.assertEqual(found["rule"], "4.6.1")
        os.mkdir(self.path("results"))
        self.expect(["init", ORG, self.path("results")], 0)
        more = f"-rd {self.path('results')} -sn s -cm 16 --dry-run"
        for model, processes in (("llama3-8b", 12), ("llama3-405b", 408)):
            self.refuse(f"closed checkpointing run file -m {model} -np {processes} -cf {self.path('ck')} {more}", 1, "rule 4.6.1")
        self.refuse(f"closed training unet3d run file -na 1 -at b200 -dd {self.path('data')} --params train.epochs=1 {more}", 1,
                    "rule 3.6.2", "train.epochs")
        for words, *rules in (
                (f"closed training unet3d run file -na 8 -at b200 -dd {self.path('data')} --params dataset.num_files_train=500", "rule 3.1.2"),
                (f"open training unet3d run file -na 8 -at b200 -dd {self.path('data')} --params train.epochs=1", "rule 3.6.3"),
                (f"open checkpointing run file -m llama3-70b -np 65 -cf {self.path('ck')}", "rule 4.6.4", "64 and 72"),
                (f"closed checkpointing run file -m llama3-8b -np 8 -cf {self.path('ck')} --num-checkpoints-write 3", "rule 4.7.1")):
            self.refuse(f"{words} {more}", 2 if "4.7.1" in rules[0] else 1, *rules)
        more = f"-rd {self.path('results')} -sn s --dry-run"
        for words, *rules in ((f"closed kvcache run file --cache-dir {self.path('kv')} --o-direct", "6.4.2"),
                              ("closed kvcache run object --cache-dir s3://b/x", "6.5.1"),
                              (f"closed vectordb run file --storage-root {self.path('v')} --collection c --vdb-index FLAT", "5.6.3"),
                              (f"closed vectordb run file --storage-root {self.path('v')} --collection c --vdb-engine embedded", "5.6.2"),
                              (f"closed vectordb run file --storage-root {self.path('v')} --collection c --runtime 10", "at least 30 s")):
            self.refuse(f"{words} {more}", 2, *rules)

    def test_a_crashed_run_is_named_by_the_file_that_it_lacks(self):
        made = Submission(self.path("tree"))
        run = made.leaves_of("training/unet3d/run")[3]
        os.remove(run + "/summary.json")
        write(run + "/INCOMPLETE", "")
        found = {(one["rule"], one["message"]) for one in self.judge(made.root, code=1)["findings"] if one["path"] == os.path.relpath(run, made.root)}
        self.assertIn(("2.1.19", "has no summary.json"), found)
        self.assertIn(("RUN-01", "has the mark INCOMPLETE: the run never ended"), found)

    def test_the_gap_of_a_split_run_is_that_of_the_programs(self):
        made = Submission(self.path("tree"))
        (path,) = made.leaves_of("checkpointing/llama3-8b")
        folder = os.path.dirname(path)
        shutil.copytree(path, folder + "/20260705_101000")
        reader = folder + "/20260705_101000/"
        os.rename(reader + "checkpointing_20260705_100000_metadata.json", reader + "checkpointing_20260705_101000_metadata.json")
        for leaf, writes, reads in ((path + "/", 10, 0), (reader, 0, 10)):
            (metadata,) = [leaf + name for name in os.listdir(leaf) if name.endswith("_metadata.json")]
            Submission.set(metadata, "args.num_checkpoints_write", writes)
            Submission.set(metadata, "args.num_checkpoints_read", reads)
            Submission.set(metadata, "invocation_end_time", "2026-07-05T10:09:30.000000")
            Submission.set(metadata, "invocation_start_time", "2026-07-05T10:09:55.000000")
        Submission.set(reader + "summary.json", "start", "2026-07-05T10:10:10.000000")
        metadata = reader + "checkpointing_20260705_101000_metadata.json"
        for moment, expected in (("2026-07-05T10:09:55.000000", None), ("2026-07-05T10:10:05.000000", "35.0 s after"),
                                 ("2026-07-05T10:10:06.000000", "nothing tells how much of what it read lay in the page cache"),
                                 ("2026-07-05T10:09:15.000000", "clocks disagree"), ("2026-07-05T10:09:55+00:00", "names its zone")):
            with self.subTest(moment=moment):
                Submission.set(metadata, "invocation_start_time", moment)
                found = [one["message"] for one in self.judge(made.root)["findings"] if one["rule"] == "4.7.1"]
                self.assertEqual(len(found), 0 if expected is None else 1, found)
                if expected:
                    self.assertIn(expected, found[0])

    def test_an_unknown_word_is_an_error_that_shows_it(self):
        made = Submission(self.path("tree"))
        summary = made.leaves_of("training/unet3d/run")[2] + "/summary.json"
        Submission.set(summary, "metric.train_au_meet_expectation", "Success")
        (found,) = self.judge(made.root)["findings"]
        self.assertEqual((found["rule"], found["key"]), ("3.3.2", "metric.train_au_meet_expectation"))
        self.assertIn('"Success"', found["message"])

    def test_what_cant_be_judged_is_said(self):
        made = Submission(self.path("tree"), "round")
        run = made.leaves_of("training/unet3d/run")[0]
        (metadata,) = [run + "/" + name for name in os.listdir(run) if name.endswith("_metadata.json")]
        Submission.set(metadata, "system_info.hosts", [])
        Submission.set(metadata, "parameters.reader", None)
        notes = {one["rule"]: one["message"] for one in self.judge(made.root, code=0)["findings"]}
        self.assertEqual(set(notes), {"3.1.2", "3.3.7"})
        for message in notes.values():
            self.assertIn("not judged", message)

    def test_hosts_that_differ_are_named_with_the_ratio(self):
        made = Submission(self.path("tree"))
        rule = [one for one in json.loads(self.expect("rules list --json", 0).stdout) if one["id"] == "3.3.7"][0]
        made.break_by(rule["example"])
        (found,) = self.judge(made.root, code=0)["findings"]
        self.assertEqual((found["severity"], found["message"]), ("WARNING", "b has 2.00 times the memory of a"))

    def test_a_datasize_beside_checkpoints_is_no_run(self):
        made = Submission(self.path("tree"))
        os.remove(made.organisation + "/submission.yaml")
        made.leaf("checkpointing", "checkpointing/llama3-8b", "20260705_090000", "datasize", model="llama3-8b")
        self.assertEqual(self.judge(made.root, code=0)["findings"], [])

    def test_text_and_csv_have_the_findings_of_the_json(self):
        made = Submission(self.path("tree"))
        os.remove(made.organisation + f"/systems/{SYSTEM}.pdf")
        path = self.path("findings.csv")
        result = self.expect(["validate", made.root, "--csv", path], 1)
        self.assertIn(f"[ERROR] [2.1.7 systemsDirectoryFiles] closed/{ORG}/systems/{SYSTEM}.yaml: {SYSTEM}.pdf is missing beside it\n",
                      result.stdout)
        self.assertIn("SUMMARY: not valid: 1 error, 0 warnings", result.stdout)
        with open(path, encoding="utf-8") as file:
            rows = list(csv.DictReader(io.StringIO(file.read())))
        self.assertEqual([(row["rule"], row["severity"]) for row in rows], [("2.1.7", "ERROR")])

    def test_our_own_runs_break_only_what_a_run_cant_have(self):
        """A tree of this program. A run of full size takes too long: whatif has small ones, and here they pass for open."""
        results = self.path("results")
        os.mkdir(results)
        self.expect(["init", ORG, results], 0)
        more = f"--results-dir {results} --systemname {SYSTEM} --quiet"
        self.expect(f"whatif training unet3d run file -na 1 -at b200 -cm 1 -dd null:// --params dataset.num_files_train=14 {more}", 0)
        self.expect("whatif checkpointing run file --model llama3-8b --num-processes 8 --checkpoint-folder null:// --size-scale 0.0001 "
                    f"--num-checkpoints-write 2 --num-checkpoints-read 2 --params checkpoint.time_between_checkpoints=0 {more}", 0)
        os.rename(results + "/whatif", results + "/open")
        judgement = self.judge(results, code=1)
        self.assertLessEqual(self.rules_of(judgement), {
            "2.1.7",                       # what people fill in about their system, and its page
            "2.1.12", "2.1.13", "2.1.16", "2.1.17",  # one run is no set of six with its datagen
            "2.1.22",                      # reportgen comes later
            "3.1.2", "3.3.1", "3.3.3",     # 14 files, one accelerator
            "4.3.1",                       # a checkpoint smaller than this machine's memory
            "3.4.2", "4.4.2",              # null:// is on no file system
            "CHECK-01",           # whatif stores no image
        })
        self.assertNotIn("CALC-01", {finding["rule"] for finding in judgement["findings"]})


if __name__ == "__main__":
    program.main()
