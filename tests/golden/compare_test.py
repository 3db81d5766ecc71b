"""compare: what differs is found, what doesn't isn't, and how many more values would tell is said."""

import html
import json
import os
import shutil
import subprocess
import xml.parsers.expat

import program
from program import ProgramTest
from submission import Submission


class Compare(ProgramTest):
    def compared(self, one, other):
        return json.loads(self.expect(["compare", str(one), str(other), "--json"], 0).stdout)

    def figure(self, comparison, name):
        (found,) = [one for one in comparison["figures"] if one["name"] == name]
        return found

    def tree(self, name):
        return Submission(self.path(name))

    def faster(self, made, factor):
        """Makes all training of a submission faster."""
        for run in made.leaves_of("training/unet3d/run"):
            with open(run + "/summary.json", encoding="utf-8") as file:
                rates = json.load(file)["metric"]["train_throughput_samples_per_second"]
            Submission.set(run + "/summary.json", "metric.train_throughput_samples_per_second", [rate * factor for rate in rates])
        return made

    def test_sets_of_runs_are_compared_by_run_and_the_better_one_is_named(self):
        one, other = self.tree("a"), self.faster(self.tree("b"), 1.1)
        comparison = self.compared(one.system + "/training/unet3d/run", other.system + "/training/unet3d/run")
        rate = self.figure(comparison, "throughput, samples/s")
        # The first of six warms up; 2 of 252 arrangements of five and five are this far apart.
        self.assertEqual((len(rate["a"]["values"]), rate["value_of"]), (5, "run"))
        self.assertAlmostEqual(rate["p"], 2 / 252)
        self.assertTrue(rate["differs"])
        self.assertIn("B is better (+10.0 %", rate["statement"])
        self.assertLess(rate["ratio_interval_95"]["low"], 1.1)
        self.assertGreater(rate["ratio_interval_95"]["high"], 1.099)
        busy = self.figure(comparison, "AU, %")
        self.assertFalse(busy["differs"])
        self.assertEqual(busy["statement"], "can't tell (p = 1): the values show no difference")
        back = self.figure(self.compared(other.system + "/training", one.system + "/training"), "throughput, samples/s")
        self.assertIn("B is worse (-9.1 %", back["statement"])

    def test_too_few_values_cant_tell_and_say_how_many_could(self):
        one, other = self.tree("a"), self.faster(self.tree("b"), 1.1)
        runs = [made.leaves_of("training/unet3d/run") for made in (one, other)]
        for made in runs:
            for run in made:
                Submission.set(run + "/summary.json", "metric.train_throughput_samples_per_second",
                               [1000.0 if made is runs[0] else 1100.0] * 3)
        rate = self.figure(self.compared(runs[0][1], runs[1][1]), "throughput, samples/s")
        self.assertEqual((rate["value_of"], rate["p"], rate["differs"]), ("epoch", 0.1, False))
        self.assertEqual(rate["values_advised"], 6)
        self.assertIn("can't tell (+10.0 %, p = 0.1): a difference like this needs about 6 values on each side, 3 more epochs",
                      rate["statement"])

    def test_less_is_better_of_times(self):
        one, other = self.tree("a"), self.tree("b")
        (path,) = other.leaves_of("checkpointing/llama3-8b")
        with open(path + "/0_per_epoch_stats.json", encoding="utf-8") as file:
            stats = json.load(file)
        for key, values in stats["1"].items():
            if key.startswith("save"):
                values["duration"] *= 3
        Submission.set(path + "/0_per_epoch_stats.json", "1", stats["1"])
        comparison = self.compared(one.system + "/checkpointing", path)
        self.assertIn("B is worse (+200.0 %", self.figure(comparison, "write, s")["statement"])
        self.assertFalse(self.figure(comparison, "read, s")["differs"])

    def test_every_benchmark_has_its_figures(self):
        made = self.tree("a")
        for folder, names in (("training", 2), ("checkpointing", 4), ("vector_database", 4), ("kv_cache", 9)):
            comparison = self.compared(f"{made.system}/{folder}", f"{made.system}/{folder}")
            self.assertEqual(len(comparison["figures"]), names, folder)
            for figure in comparison["figures"]:
                self.assertTrue(figure["a"]["values"], figure)
                self.assertEqual(figure["differs"], False)
            self.assertEqual(comparison["differences"], [])

    def test_settings_hosts_and_builds_that_differ_are_listed(self):
        one, other = self.tree("a"), self.tree("b")
        (path,) = other.leaves_of("checkpointing/llama3-8b")
        (name,) = [name for name in os.listdir(path) if name.endswith("_metadata.json")]
        for key, value in (("args.num_processes", 16), ("system_info.hosts", [{"hostname": "z", "cpu": {"model": "new"}}]),
                           ("tool", {"version": "9"})):
            Submission.set(os.path.join(path, name), key, value)
        differences = {(one["kind"], one["key"]): (one["a"], one["b"]) for one in
                       self.compared(one.system + "/checkpointing", path)["differences"]}
        self.assertEqual(differences[("setting", "args.num_processes")], (["8"], ["16"]))
        self.assertEqual(differences[("host", "hostname")], (["a"], ["z"]))
        self.assertEqual(differences[("build", "tool.version")], ([], ["9"]))

    def test_latencies_of_our_own_runs_are_compared(self):
        results = self.path("results")
        os.mkdir(results)
        self.expect(["init", "acme", results], 0)
        for system in ("one", "two"):
            self.expect("whatif checkpointing run file --model llama3-8b --num-processes 8 --checkpoint-folder null:// --size-scale 0.0001 "
                        "--num-checkpoints-write 4 --num-checkpoints-read 4 --params checkpoint.time_between_checkpoints=0 "
                        f"--results-dir {results} --systemname {system} --quiet", 0)
        folders = [f"{results}/whatif/acme/results/{system}" for system in ("one", "two")]
        comparison = self.compared(*folders)
        (part,) = [one for one in comparison["latencies"] if one["name"] == "write.latency.part"]
        self.assertEqual(part["a"]["count"], part["b"]["count"])
        self.assertLessEqual(part["a"]["p50_ns"], part["a"]["p99_ns"])
        self.assertTrue(0 <= part["distance"] <= 1)
        self.assertIn(("setting", "args.systemname"), [(one["kind"], one["key"]) for one in comparison["differences"]])
        same = self.compared(folders[0], folders[0])
        self.assertEqual({one["distance"] for one in same["latencies"]}, {0.0})
        self.expect(["compare", *folders, "--output", "both.html"], 0)
        self.assertIn("write.latency.part: share that took so long at most", self.read("work/both.html"))
        text = self.expect(["compare", *folders], 0).stdout
        self.assertIn("B write.latency.part", text)

    def test_the_page_draws_both_sides(self):
        one, other = self.tree("a"), self.faster(self.tree("b"), 1.1)
        sides = [made.system + "/training/unet3d/run" for made in (one, other)]
        self.expect(["compare", *sides, "--output", "both.html"], 0)
        page = self.read("work/both.html")
        self.assertLess(len(page), 200_000)
        parser = xml.parsers.expat.ParserCreate()
        parser.Parse(page, True)  # raises for what is not well-formed
        for word in ("http:", "https:", "url(", "<script", "<img", "href="):
            self.assertNotIn(word, page)
        rate = self.figure(self.compared(*sides), "throughput, samples/s")
        for words in (rate["statement"], "Comparison of training unet3d", "A: 5 runs; B: 5 runs", "throughput, samples/s, each run",
                      "+10 %"):
            self.assertIn(html.escape(words, quote=True).replace("&#x27;", "&#39;"), page)
        # Every value of both sides is a dot that says what it is.
        self.assertEqual(page.count("<title>run "), 2 * 2 * 5)
        if shutil.which("chromium"):
            shown = subprocess.run([shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                                    "--dump-dom", f"file://{self.path('work', 'both.html')}"], env=self.environment,
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
            self.assertNotIn("CONSOLE", shown.stderr)
            self.assertIn("<svg", shown.stdout)
        # An older page is replaced, and nothing else.
        self.expect(["compare", *sides, "--output", "both.html"], 0)
        self.write("work/mine.txt", "mine")
        self.refuse(["compare", *sides, "--output", "mine.txt"], 2, "[E102]", "mine.txt", "no report")

    def test_what_cant_be_compared_is_refused(self):
        made = self.tree("a")
        self.refuse(["compare", made.system + "/training", made.system + "/kv_cache"], 2, "runs of training", "of kv_cache")
        self.refuse(["compare", made.system, made.system], 2, "has runs of")
        self.refuse(["compare", made.system, self.path("nowhere")], 2)
        os.makedirs(self.path("empty"))
        self.refuse(["compare", self.path("empty"), made.system], 3, "there is no run with a summary.json")
        shutil.rmtree(made.root)


if __name__ == "__main__":
    program.main()
