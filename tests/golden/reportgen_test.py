"""reports reportgen: the tables of a submission follow from its run folders, and whatever is left out is told."""

import csv
import glob
import io
import json
import os
import shutil

import program
from program import ProgramTest
from submission import ORG, RECORD, SYSTEM, Submission, write

COLUMNS = 55


class Reportgen(ProgramTest):
    def report(self, root, *words, code=0):
        return json.loads(self.expect(["reports", "reportgen", "--results-dir", str(root), "--json", *words], code).stdout)

    def rows(self, *names):
        """Returns the rows of a table, which are the same in both of its files."""
        path = os.path.join(*names, "results.")
        with open(path + "json", encoding="utf-8") as file:
            rows = json.load(file)
        with open(path + "csv", encoding="utf-8", newline="") as file:
            text = file.read()
        self.assertNotIn("\r", text)
        table = list(csv.reader(io.StringIO(text)))
        self.assertEqual(len(table[0]), COLUMNS)
        self.assertEqual(len(table), len(rows) + 1)
        for row, line in zip(rows, table[1:]):
            self.assertEqual(list(row), table[0])
            for value, cell in zip(row.values(), line):
                shown = (f'<a href="{value["href"]}">{value["text"]}</a>' if isinstance(value, dict) else
                         value if isinstance(value, str) else json.dumps(value))
                self.assertEqual(cell, shown)
        return rows

    def by_benchmark(self, rows):
        return {row["Benchmark Type"]: row for row in rows}

    def test_every_figure_follows_from_the_run_folders(self):
        made = Submission(self.path("tree"))
        report = self.report(made.root, "--strict")
        self.assertEqual((report["closed"], report["open"], report["invalid"], report["skipped"]), (4, 0, 0, []))
        rows = self.by_benchmark(self.rows(made.organisation, "results"))
        self.assertEqual([row["Public ID"] for row in rows.values()], ["v3.0-0001", "v3.0-0002", "v3.0-0003", "v3.0-0004"])
        training = rows["training"]
        # Of six runs the first only warms up: 1001 to 1005 samples/s count.
        self.assertAlmostEqual(training["Training - Read B/W (GiB/s)"], 1003 * RECORD / 2**30, places=9)
        self.assertEqual(training["Training - # Simulated Accelerators"], 8)
        self.assertEqual(training["Training - Accelerator Type"], "b200")
        self.assertEqual(training["Model"], "Unet3D")
        checkpointing = rows["checkpointing"]
        self.assertEqual(checkpointing["Model"], "8B")
        self.assertEqual(checkpointing["Checkpointing - Write B/W (GiB/s)"], 14.5)
        self.assertEqual(checkpointing["Checkpointing - Checkpoint Mode"], "Full")
        self.assertEqual(checkpointing["Checkpointing - DP Instances"], 8)
        vectors = rows["vector_database"]
        self.assertEqual((vectors["VDB - Queries per Sec"], vectors["VDB - Query Latency (ms)"], vectors["VDB - Recall Percentage"],
                          vectors["VDB - Read B/W (GiB/s)"], vectors["VDB - Index Type"]), (1000.0, 7.5, 95.0, 2.0, "DISKANN"))
        cache = rows["kv_cache"]
        self.assertEqual(cache["KVCache llama3.1-70b Storage Only - P95 Read Latency (ms)"], 12.5)
        self.assertEqual(cache["KVCache llama3.1-8b Storage + Mem - Throughput (tok/s)"], 1234.5)
        for row in rows.values():
            self.assertEqual((row["Type"], row["Access Protocol"], row["Availability"], row["RU's"], row["Usable Capacity (TiB)"],
                              row["Provisioned Power (W)"], row["Division"]),
                             ("Shared remote file", "POSIX", "Available", 2, 10.48, 2 * 2 * 800, "CLOSED"))
            self.assertEqual(row["Name"], {"text": SYSTEM, "href": f"closed/{ORG}/systems/{SYSTEM}.yaml"})
            self.assertTrue(os.path.isdir(os.path.join(made.root, [value for key, value in row.items() if key.endswith("Code") and value][0]
                                                       ["href"])))

    def test_blank_cells_have_a_reason_each(self):
        made = Submission(self.path("tree"))
        for group in self.report(made.root)["groups"]:
            if group["command"] != "run":
                continue
            prefix = {"training": "Training", "checkpointing": "Checkpointing", "vector_database": "VDB", "kv_cache": "KVCache"}
            own = [column for column in group["row"] if column.startswith(prefix[group["benchmark"]])]
            for column in own:
                blank = group["row"][column] == ""
                self.assertEqual(blank, column in group["blank_because"], column)
        vectors = [group for group in self.report(made.root)["groups"] if group["benchmark"] == "vector_database"][0]
        self.assertIn("read_iops", vectors["blank_because"]["VDB - Storage IOPs"])

    def test_tables_of_models_have_their_rows_and_those_of_auxiliary_commands(self):
        made = Submission(self.path("tree"))
        self.report(made.root)
        model = made.system + "/training/unet3d/"
        self.assertEqual([row["Public ID"] for row in self.rows(model, "run")], ["v3.0-0003"])
        for command in ("datagen", "datasize"):
            self.assertEqual([row["Public ID"] for row in self.rows(model, command)], [""])
        self.assertEqual(len(self.rows(made.system, "checkpointing/llama3-8b")), 1)
        self.assertEqual(len(self.rows(made.system, "vector_database/milvus/DISKANN")), 1)

    def test_what_reportgen_wrote_is_valid(self):
        made = Submission(self.path("tree"))
        self.report(made.root)
        result = self.expect(["validate", made.root], 0)
        self.assertIn("SUMMARY: valid: 0 errors, 0 warnings", result.stdout)
        with open(made.organisation + "/results/results.json", encoding="utf-8") as file:
            rows = json.load(file)
        rows[0]["Public ID"] = "v3.0-0099"
        write(made.organisation + "/results/results.json", rows)
        self.assertIn("RPT-01", self.expect(["validate", made.root], 1).stdout)

    def test_a_result_without_six_runs_is_in_no_table_and_told(self):
        made = Submission(self.path("tree"))
        shutil.rmtree(made.leaves_of("training/unet3d/run")[5])
        report = self.report(made.root, "--strict", code=1)
        (group,) = [one for one in report["groups"] if one["benchmark"] == "training" and one["command"] == "run"]
        self.assertEqual(group["verdict"], "INVALID")
        self.assertIn("2.1.17", group["withheld_because"])
        self.assertEqual(len(self.rows(made.organisation, "results")), 3)
        text = self.expect(["reports", "reportgen", "--results-dir", made.root], 0).stdout
        self.assertIn("3 rows in the tables, 1 result in no table", text)
        self.assertIn("In no table: rule 2.1.17: there are 5 runs", text)

    def test_an_invalid_run_keeps_its_row_and_strict_says_so(self):
        made = Submission(self.path("tree"))
        Submission.set(made.leaves_of("training/unet3d/run")[3] + "/summary.json", "metric.train_au_meet_expectation", "fail")
        self.assertEqual(self.report(made.root)["invalid"], 1)
        self.report(made.root, "--strict", code=1)
        self.assertEqual(len(self.rows(made.organisation, "results")), 4)

    def test_a_summary_that_cant_be_read_leaves_a_blank_with_its_name(self):
        made = Submission(self.path("tree"))
        path = made.leaves_of("training/unet3d/run")[3]
        write(path + "/summary.json", "{")
        report = self.report(made.root, "--strict", code=1)
        (group,) = [one for one in report["groups"] if one["benchmark"] == "training" and one["command"] == "run"]
        self.assertEqual(group["row"]["Training - Read B/W (GiB/s)"], "")
        self.assertIn(os.path.basename(path), group["blank_because"]["Training - Read B/W (GiB/s)"])
        self.assertIn("load_error", report["skipped"][0]["reason"])

    def test_runs_without_metadata_are_invalid_and_named(self):
        made = Submission(self.path("tree"))
        (path,) = made.leaves_of("kv_cache/llama3.1-8b/run")
        (metadata,) = [name for name in os.listdir(path) if name.endswith("_metadata.json")]
        os.remove(os.path.join(path, metadata))
        report = self.report(made.root)
        (group,) = [one for one in report["groups"] if one["benchmark"] == "kv_cache"]
        self.assertEqual(group["verdict"], "INVALID")
        self.assertTrue(any("metadata" in finding["message"] for finding in group["findings"]))

    def test_a_summary_by_its_older_name_has_its_row(self):
        made = Submission(self.path("tree"))
        (path,) = made.leaves_of("kv_cache/llama3.1-8b/run")
        os.rename(path + "/summary.json", path + "/kvcache_run_summary_20260712_100000.json")
        self.report(made.root, "--strict")
        rows = self.by_benchmark(self.rows(made.organisation, "results"))
        self.assertEqual(rows["kv_cache"]["KVCache llama3.1-8b Storage Only - Throughput (tok/s)"], 1234.5)

    def test_nothing_outside_of_the_tree_is_read_or_written(self):
        made = Submission(self.path("tree"))
        for folder in ("systems", "results"):
            shutil.move(os.path.join(made.organisation, folder), self.path("outside-" + folder))
            os.symlink(self.path("outside-" + folder), os.path.join(made.organisation, folder))
        before = sorted(glob.glob(self.path("outside-*/**"), recursive=True))
        report = self.report(made.root, "--strict", code=1)
        self.assertEqual(report["groups"], [])
        self.assertEqual(sorted(glob.glob(self.path("outside-*/**"), recursive=True)), before)
        text = self.expect(["validate", made.root], 1).stdout
        for folder in ("systems", "results"):
            self.assertIn(f"closed/{ORG}/{folder}: is a link out of the tree", text)

    def test_two_accelerators_are_two_rows(self):
        made = Submission(self.path("tree"))
        for number, path in enumerate(made.leaves_of("training/unet3d/run")):
            twin = os.path.join(os.path.dirname(path), f"20260702_1000{number:02}")
            shutil.copytree(path, twin)
            (metadata,) = [name for name in os.listdir(twin) if name.endswith("_metadata.json")]
            Submission.set(os.path.join(twin, metadata), "accelerator", "mi355")
        self.report(made.root)
        rows = [row for row in self.rows(made.organisation, "results") if row["Benchmark Type"] == "training"]
        self.assertEqual([row["Training - Accelerator Type"] for row in rows], ["b200", "mi355"])

    def test_public_ids_are_kept_and_never_given_twice(self):
        made = Submission(self.path("tree"))
        registry = made.root + "/public_ids.json"
        write(registry, {"assignments": [], "next_index": 7, "public_id_prefix": "v3.0-"})
        self.report(made.root)
        ids = {row["Benchmark Type"]: row["Public ID"] for row in self.rows(made.organisation, "results")}
        self.assertEqual(sorted(ids.values()), ["v3.0-0007", "v3.0-0008", "v3.0-0009", "v3.0-0010"])
        shutil.rmtree(made.system + "/kv_cache")
        shutil.copytree(made.system + "/checkpointing/llama3-8b", made.system + "/checkpointing/llama3-70b")
        self.report(made.root)
        later = {(row["Benchmark Type"], row["Model"]): row["Public ID"] for row in self.rows(made.organisation, "results")}
        self.assertEqual(later["training", "Unet3D"], ids["training"])
        self.assertEqual(later["checkpointing", "70B"], "v3.0-0011")
        write(registry, '{"assignments": [{"public_id": "seven"}]}')
        self.refuse(["reports", "reportgen", "--results-dir", made.root], 5, "public_ids.json", "seven")

    def test_several_organisations_have_one_table_at_the_root(self):
        made = Submission(self.path("tree"))
        shutil.copytree(made.organisation, made.root + "/open/other")
        self.report(made.root)
        self.assertEqual([(row["Division"], row["Organization"]) for row in self.rows(made.root)],
                         [("CLOSED", ORG)] * 4 + [("OPEN", "other")] * 4)
        self.assertEqual(len(self.rows(made.root, "open/other/results")), 4)

    def test_one_system_leaves_the_tables_of_all_alone(self):
        made = Submission(self.path("tree"))
        os.remove(made.organisation + "/results/results.json")
        self.report(made.root, "--systemname", SYSTEM)
        self.assertFalse(os.path.exists(made.organisation + "/results/results.json"))
        self.assertTrue(os.path.exists(made.system + "/checkpointing/llama3-8b/results.json"))
        self.refuse(["reports", "reportgen", "--results-dir", made.root, "--systemname", "x"], 3, "--systemname x", SYSTEM)

    def test_runs_of_this_program_have_their_figures(self):
        """A run of full size takes too long: whatif has small ones, and here they pass for open."""
        results = self.path("results")
        os.mkdir(results)
        self.expect(["init", ORG, results], 0)
        self.expect("whatif checkpointing run file --model llama3-8b --num-processes 8 --checkpoint-folder null:// --size-scale 0.0001 "
                    "--num-checkpoints-write 3 --num-checkpoints-read 3 --params checkpoint.time_between_checkpoints=0 "
                    f"--results-dir {results} --systemname {SYSTEM} --quiet", 0)
        os.rename(results + "/whatif", results + "/open")
        self.report(results)
        (row,) = self.rows(results, "open", ORG, "results")
        (summary,) = glob.glob(results + "/open/**/summary.json", recursive=True)
        with open(summary, encoding="utf-8") as file:
            metric = json.load(file)["metric"]
        for kind, name in (("save", "Write"), ("load", "Read")):
            self.assertEqual(row[f"Checkpointing - {name} B/W (GiB/s)"], metric[f"{kind}_checkpoint_io_mean_GB_per_second"])
            self.assertEqual(row[f"Checkpointing - {name} Duration (secs)"], metric[f"{kind}_checkpoint_duration_mean_seconds"])

    def test_a_flat_tree_has_one_table_at_its_root(self):
        made = Submission(self.path("tree"))
        for path in glob.glob(made.system + "/**/*_metadata.json", recursive=True):
            Submission.set(path, "args.orgname", ORG)
            Submission.set(path, "args.systemname", SYSTEM)
        report = self.report(made.system)
        self.assertEqual(report["closed"], 4)
        rows = self.by_benchmark(self.rows(made.system))
        self.assertEqual([(row["Division"], row["Organization"], row["Name"]["text"]) for row in rows.values()],
                         [("CLOSED", ORG, SYSTEM)] * 4)
        self.assertEqual(rows["kv_cache"]["KVCache llama3.1-8b Storage Only - Throughput (tok/s)"], 1234.5)

    def test_a_folder_without_submissions_is_refused_with_what_is_expected(self):
        os.makedirs(self.path("empty"))
        self.refuse(["reports", "reportgen", "--results-dir", self.path("empty")], 3, "0 submissions", "<closed|open>/<organisation>")
        self.refuse("reports reportgen", 2, "--results-dir")


if __name__ == "__main__":
    program.main()
