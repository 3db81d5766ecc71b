#!/usr/bin/env python3
"""Searches for the greatest load that a storage holds, on one whose edge is calculated; runs that end before their plan does."""

import json
import math
import unittest

from kvcache import KvCacheTest
from program import records
from sweeps import sweep
from test_vectordb import VectorTest
from training import TrainingTest

BATCH_BYTES = 4 * 262_144
STEPS = 24


class Search(TrainingTest):
    """The storage is null:// behind a rate; an accelerator asks for a batch in every step's time."""

    step_s = 0.1

    def rate_for(self, accelerators):
        """The bytes per second at which that many accelerators have an AU of 90 %: they wait a tenth of the time."""
        return int(accelerators * 0.9 * BATCH_BYTES / self.step_s)

    def line(self, accelerators, rate, *more, files=10_000, ahead="1MiB", fault=None):
        return self.training("unet3d", "run", "file", "null://", "--inject-fault", fault or f"rate={rate}:read_part", "--read-ahead",
                             ahead, *more, accelerators=accelerators, epochs=1, params=[
                                 f"dataset.num_files_train={files}", "dataset.record_length_bytes=262144",
                                 "dataset.record_length_bytes_stdev=0", f"train.computation_time={self.step_s}",
                                 "reader.batch_size=4", f"train.total_training_steps={STEPS}"])

    def search(self, rate, *more, **shape):
        done = self.succeeds(*self.line("max", rate, *more, **shape))
        folder = self.training_folder("unet3d", "search")
        found = json.loads((folder / "search.json").read_text())
        if records.jsonschema is not None:
            self.assertEqual([], records.problems_of(found))
        return done, folder, found

    def test_the_calculated_edge_is_found(self):
        edge = 2
        done, folder, found = self.search(self.rate_for(edge + 0.5))
        if found["stop"] == "client":  # a machine too slow for this says so, and never claims more than there is
            self.assertLessEqual(found["edge"] or 0, edge, done)
            self.assertIn("this client is the limit", done.stdout)
        else:
            self.assertEqual(("found", edge, edge + 1), (found["stop"], found["edge"], found["not_met"]), done)
            self.assertIn(f"{edge} accelerators of unet3d on", done.stdout)
            self.assertEqual(3, sum(point["load"] == edge for point in found["points"]))
        self.assertLessEqual(len(found["points"]), 12)
        self.assertEqual([point["run_folder"] for point in found["points"]],
                         [str(run) for run in self.training_folders("unet3d", "run")])
        self.assertIn("AU by accelerators", done.stdout)
        self.assertTrue(done.stdout.endswith((folder / "report.txt").read_text()))
        page = (folder / "report.html").read_text()
        self.assertIn("AU by accelerators", page)
        self.assertIn("needed", page.lower())
        self.assertNotIn("BrokenPipe", done.stderr)

    def test_json_is_all_that_stdout_has(self):
        self.step_s = 0.02
        done, folder, found = self.search(10**10, "--json", files=STEPS * 4 * 2)
        self.assertEqual(json.loads(done.stdout), found)
        self.assertIn(found["stop"], ("bound", "client"))
        self.assertEqual(2, found["bound"])
        self.assertIn("reading ahead", found["bound_because"])

    def test_what_makes_no_search_is_refused(self):
        done = self.fails(2, "E102", *self.line("max", 10**9, ahead="4MiB"))
        self.assertIn("too small for a search", done.stderr)
        self.assertIn("generate ", done.stderr)
        closed = [word if word != "whatif" else "closed" for word in map(str, self.line("max", 10**9))]
        self.assertIn("--num-accelerators: 'max' is not a number, which closed mode needs", self.call(*closed).stderr)
        self.assertEqual([], self.training_folders("unet3d", "search"))

    def test_a_failed_run_ends_it_with_what_was_found(self):
        for fault in ("denied:read_part", "denied:read_part@50"):
            done = self.call(*self.line("max", 10**10, fault=fault))
            self.assertNotEqual(0, done.status, done)
            folder = self.training_folder("unet3d", "search")
            found = json.loads((folder / "search.json").read_text())
            self.assertEqual("error", found["stop"])
            self.assertIn("the run at", found["error"]["message"])
            self.assertEqual([], records.problems_of(found) if records.jsonschema else [])
            self.assertTrue((folder / "report.html").exists())


def searches(folder):
    return sorted(folder.glob("whatif/*/results/*/**/search/*/search.json"))


class Refusals(KvCacheTest):
    """What a search of the other benchmarks doesn't go with."""

    def refused(self, text, *words):
        done = self.call(*words)
        self.assertEqual(2, done.status, done)
        self.assertIn(text, done.stderr)

    def test_users(self):
        line = self.arguments("--model", "tiny-1b", "--num-users", "max")
        self.refused("--num-users max with --loops", *line, "--loops", 2)
        self.refused("--num-users max with --arrival poisson", *line, "--arrival", "poisson", "--request-rate", 5)
        self.refused("both change the number of users", *line, "--enable-autoscaling")
        self.refused("--num-users max with --emit-fio", *line, "--emit-fio", "job.fio")
        self.refused("'max' is not a number, which open mode needs", *("open", *line[1:]))

    def test_queries(self):
        line = ("whatif", "vectordb", "run", "--vdb-engine", "embedded", "--storage-root", self.folder / "v", "--results-dir",
                self.results, "--systemname", "s")
        self.refused("--arrival-rate with --qps max", *line, "--qps", "max", "--arrival-rate", 5)
        self.refused("--benchmark-mode query_count with --qps max", *line, "--qps", "max", "--queries", 5)
        self.refused("--recall-targets with several values", *line, "--qps", "max", "--recall-targets", "0.9,0.95")
        self.refused("--slo-p99-ms without --qps max", *line, "--slo-p99-ms", 5)
        self.refused("--insert-rate with --qps max", *line, "--qps", "max", "--insert-rate", 5)
        self.refused("--qps", *line, "--qps", 100)


@sweep
class Users(KvCacheTest):
    """The storage is null:// behind a rate; more users than it serves wait longer and longer, so that the edge is a sharp one."""

    def line(self, users):
        targets = self.folder / "targets.yaml"
        targets.write_text("qos_profiles:\n" + "".join(f"  {name}: {{target_latency_p95_ms: 1000}}\n"
                                                       for name in ("interactive", "responsive", "batch")))
        model = self.folder / "model.json"
        model.write_text(json.dumps({"num_hidden_layers": 1, "hidden_size": 64, "num_attention_heads": 1,
                                     "num_key_value_heads": 1, "head_dim": 8, "torch_dtype": "float16"}))
        return self.arguments("--model-config", model, "--config", targets, "--num-users", users, "--duration", 12, "--trials", 1,
                              "--option", 1, "--inject-fault", "rate=60MiB:read_part,rate=60MiB:write_part", where="null://")

    def is_held(self, users):
        """By most of three runs."""
        met = 0
        for _ in range(3):
            self.succeeds(*self.line(users))
            met += self.record()["results"][0]["attainment"] >= 0.95
        return met >= 2

    def test_the_edge_is_that_of_a_scan(self):
        self.succeeds(*self.line("max"))
        (file,) = searches(self.results)
        found = json.loads(file.read_text())
        print("users:", found["stop"], found["edge"], [(point["load"], round(point["value"], 1)) for point in found["points"]])
        self.assertLessEqual(len(found["points"]), 12)
        for point in found["points"]:
            self.assertEqual(point["met"], point["value"] >= 95 and not point["client_limited"])
        self.assertTrue((file.parent / "report.html").exists())
        if found["stop"] == "client":
            self.skipTest("this machine is too busy for a search: repeat it on an idle one")
        scanned = max(1, int(0.85 * found["edge"]))
        while self.is_held(scanned + 1):
            scanned += 1
        print("scan:", scanned)
        # Where runs contradict one another, the search says between which loads the edge lies.
        most = found["edge"] if found["stop"] == "found" else found["not_met"]
        self.assertGreaterEqual(scanned, min(found["edge"] - 1, 0.95 * found["edge"]))
        self.assertLessEqual(scanned, max(most + 1, 1.05 * most))


@sweep
class Queries(VectorTest):
    """The rate of the storage bounds the searches that can be read for."""

    def more(self):
        return ()

    def test_the_most_queries_are_found_on_a_rate(self):
        self.more = ("--storage-root", self.folder / "vectors")
        self.index = "DISKANN"
        self.succeeds(*self.load("--max-degree", 24, "--search-list-size", 50))
        self.succeeds(*self.search("--queries", 200))
        bytes_of_query = self.record()["windows"][0]["per_query"]["bytes"]
        rate = int(40 * bytes_of_query)
        self.succeeds(*self.search("--qps", "max", "--slo-p99-ms", 1000, "--runtime", 4, "--num-query-processes", 32,
                                   "--inject-fault", f"rate={rate}:read_part"))
        (file,) = searches(self.results)
        found = json.loads(file.read_text())
        print("queries: 40 can be read for;", found["stop"], found["edge"], found["bound_because"],
              [(point["load"], round(point["value"], 1)) for point in found["points"]])
        self.assertLessEqual(found["edge"], 46)  # 4 s of random arrivals
        self.assertGreaterEqual(found["edge"], 24)
        self.assertLessEqual(len(found["points"]), 12)


class Ends(TrainingTest):
    """Runs that end before their plan does."""

    def ended(self, *more, epochs):
        done = self.succeeds(*self.training("unet3d", "run", "file", "null://", *more, epochs=epochs))
        record = self.training_record("unet3d", "run")
        self.assertEqual("passed", record["verdict"], record["reasons"])
        return done, record

    def test_a_time_ends_it_after_an_epoch(self):
        done, record = self.ended("--time", 0.000001, epochs=1000)
        self.assertEqual(("time", 1), (record["ended_by"], len(record["epochs"])))
        self.assertIn("then --time was over", done.stdout)
        self.assertEqual(1, len(record["metrics"]["au_percent"]))

    def test_a_plan_that_is_shorter_ends_it_first(self):
        _, record = self.ended("--time", 1000, epochs=2)
        self.assertEqual(("plan", 2), (record["ended_by"], len(record["epochs"])))

    def test_steady_rates_end_it_and_too_few_are_too_short(self):
        _, record = self.ended("--until-stable", epochs=200)
        self.assertIn(record["ended_by"], ("stable", "plan"))
        rates = record["metrics"]["samples_per_s"][-5:]
        if record["ended_by"] == "stable":
            self.assertLessEqual(max(rates) - min(rates), 0.2 * sum(rates) / 5 + 1e-9)
        done, record = self.ended("--until-stable", epochs=4)
        self.assertEqual(("plan", 4), (record["ended_by"], len(record["epochs"])))
        self.assertIn("too short", done.stderr)

    @property
    def where(self):
        return ("--results-dir", self.results, "--systemname", "s", "--skip-fs-separation-gate", "--quiet")

    def checkpointed(self, *more, number=1000):
        done = self.succeeds("whatif", "checkpointing", "run", "file", "--checkpoint-folder", "null://", "--model", "llama3-8b",
                             "--num-processes", 8, "--size-scale", 0.0001, "--num-checkpoints-write", number, "--num-checkpoints-read",
                             number, *self.where, "--params", "checkpoint.time_between_checkpoints=0", *more)
        folder = max((self.results / "whatif").rglob("mlpstorage_record.json"), key=lambda path: path.stat().st_mtime_ns)
        record = json.loads(folder.read_text())
        if records.jsonschema is not None:
            self.assertEqual([], records.problems_of(record))
        self.assertEqual("passed", record["verdict"], record["reasons"])
        for phase in ("write", "read"):
            self.assertEqual(record[phase]["checkpoints_planned"], record[phase]["checkpoints_done"])
        return done, record

    def test_a_time_ends_the_writes_and_what_was_written_is_read(self):
        done, record = self.checkpointed("--time", 0.000001, "--verify")
        self.assertEqual(("time", 1, "plan", 1), (record["write"]["ended_by"], record["write"]["checkpoints_done"],
                                                  record["read"]["ended_by"], record["read"]["checkpoints_done"]))
        self.assertIn("then --time was over", done.stdout)
        done, record = self.checkpointed("--time", 10000, number=2)
        self.assertEqual(("plan", 2, "plan", 2), (record["write"]["ended_by"], record["write"]["checkpoints_done"],
                                                  record["read"]["ended_by"], record["read"]["checkpoints_done"]))

    def test_steady_checkpoints_end_it_and_too_few_are_too_short(self):
        _, record = self.checkpointed("--until-stable")
        for phase in ("write", "read"):
            bytes_per_s = [1e9 / event["slowest_ns"] for event in record["events"] if event["phase"] == phase][-5:]
            if record[phase]["ended_by"] == "stable":
                self.assertLessEqual(max(bytes_per_s) - min(bytes_per_s), 0.2 * sum(bytes_per_s) / 5 * 1.0001)
        self.assertEqual("stable", record["write"]["ended_by"], "of a thousand some five are steady")
        done, record = self.checkpointed("--until-stable", number=3)
        self.assertEqual(("plan", 3), (record["write"]["ended_by"], record["write"]["checkpoints_done"]))
        self.assertIn("too short", done.stderr)

    def test_windows_have_a_time_of_their_own(self):
        for benchmark, place, instead in (("kvcache", "--cache-dir", "--duration"), ("vectordb", "--storage-root", "--runtime")):
            for flag in (("--time", 5), ("--until-stable",)):
                done = self.call("whatif", benchmark, "run", "file", place, "null://", *self.where, *flag)
                self.assertEqual(2, done.status, done)
                self.assertIn(f"{flag[0]} is not a flag of 'run'", done.stderr)
                self.assertIn(instead, done.stderr)

    def test_a_submission_has_all_epochs(self):
        for flag in (("--time", 5), ("--until-stable",)):
            line = self.training("unet3d", "run", "file", "null://", *flag)
            for mode in ("closed", "open"):
                done = self.call(mode, *line[1:])
                self.assertEqual(2, done.status, done)
                self.assertIn(f"{flag[0]}", done.stderr)
                self.assertIn("whatif", done.stderr)


@sweep
class Scan(Search):
    """The search beside runs at every load, slow enough for a busy machine."""

    step_s = 0.3

    def au_at(self, accelerators, rate):
        self.succeeds(*self.line(accelerators, rate))
        return self.training_record("unet3d", "run")["metrics"]["au"]["mean"]

    def test_the_edge_of_a_scan_is_found(self):
        proved = 0
        for calculated in (3.5, 8.5, 20.5):
            rate = self.rate_for(calculated)
            _, _, found = self.search(rate)
            print(f"calculated {calculated}: {found['edge']} ({found['stop']}) in {len(found['points'])} runs")
            self.assertLessEqual(len(found["points"]), 12)
            if found["stop"] == "client":  # the machine is too busy to tell
                continue
            loads = range(1, math.ceil(calculated) + 2)
            scanned = max((load for load in loads if self.au_at(load, rate) >= 90), default=0)
            print(f"scan: {scanned}")
            self.assertLessEqual(abs(found["edge"] - scanned), 0.05 * scanned, found)
            proved += 1
        self.assertGreater(proved, 0, "every search ended because of this client: repeat it on an idle machine")

    def test_two_processes_share_every_load(self):
        line = self.line("max", self.rate_for(5))
        done = self.start(*line, before=("mpirun.openmpi", "--allow-run-as-root", "--oversubscribe", "-np", "2")).wait()
        self.assertEqual(0, done.status, done)
        found = json.loads((self.training_folder("unet3d", "search") / "search.json").read_text())
        self.assertEqual(2, found["step"])
        self.assertTrue(all(point["load"] % 2 == 0 for point in found["points"]), found["points"])
        self.assertEqual([2, 4], [point["load"] for point in found["points"]][:2] if found["stop"] != "client" else [2, 4])


if __name__ == "__main__":
    unittest.main(verbosity=2)
