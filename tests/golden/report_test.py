"""The report that every run leaves in its folder, and the command that makes one of several runs."""

import glob
import html
import html.parser
import json
import os
import re
import shutil
import subprocess
import unittest
import xml.parsers.expat

import program
from program import ProgramTest

RUNS = {
    "training": "whatif training unet3d run file --num-accelerators 2 --accelerator-type b200 --client-host-memory-in-gb 1 "
                "--data-dir null:// --params dataset.num_files_train=56 train.epochs=2 train.computation_time=0.001 "
                "train.total_training_steps=3",
    "checkpointing": "whatif checkpointing run file --checkpoint-folder null:// --model llama3-8b --num-processes 8 "
                     "--size-scale 0.001 --num-checkpoints-write 2 --num-checkpoints-read 2 "
                     "--params checkpoint.time_between_checkpoints=0",
    "kv_cache": "whatif kvcache run file --cache-dir null:// --trace requests.jsonl --trials 1 --slo-ttft-ms 500",
    "vector_database": "whatif vectordb run file --storage-root vectors --collection c --vdb-index DISKANN --queries 200 "
                       "--num-query-processes 2",
}
VECTORS = "whatif vectordb datagen file --storage-root vectors --collection c --vdb-index DISKANN --num-vectors 1000 --dimension 16"


class Elements(html.parser.HTMLParser):
    """What a browser sees: the elements, their attributes, and the headings."""

    def __init__(self, text):
        super().__init__()
        self.found, self.headings, self.in_heading = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.in_heading = tag == "h3"

    def handle_data(self, data):
        if self.in_heading:
            self.headings.append(data)
        self.in_heading = False


class ReportTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.expect(["init", "acme", self.path("results")], 0)
        self.write("work/requests.jsonl", "".join(
            json.dumps({"timestamp": 50 * i, "input_length": 1024, "output_length": 5, "hash_ids": [i % 4, 10 + i]}) + "\n"
            for i in range(20)))

    def folder_of(self, family):
        """Runs a benchmark and returns its run folder."""
        if family == "vector_database":
            self.expect(f"{VECTORS} --results-dir {self.path('results')} --systemname box --skip-fs-separation-gate --quiet", 0)
        before = set(glob.glob(self.path("results", "whatif/acme/results/box", family, "**", "mlpstorage_record.json"), recursive=True))
        self.expect(f"{RUNS[family]} --results-dir {self.path('results')} --systemname box --skip-fs-separation-gate --quiet "
                    "--label tried-again", 0)
        after = glob.glob(self.path("results", "whatif/acme/results/box", family, "**", "mlpstorage_record.json"), recursive=True)
        record, = set(after) - before
        return os.path.dirname(record)

    def check_page(self, path):
        with open(path, "rb") as file:
            data = file.read()
        self.assertLess(len(data), 200_000)
        parser = xml.parsers.expat.ParserCreate()
        parser.Parse(data, True)  # raises for what is not well-formed
        text = data.decode("utf-8")
        for word in ("http:", "https:", "url(", "@import"):
            self.assertNotIn(word, text)
        elements = Elements(text)
        for tag, attributes in elements.found:
            self.assertNotIn(tag, ("script", "img", "link", "iframe", "object", "a", "image", "use"))
            self.assertEqual({name for name in attributes if name in ("src", "href", "style") or name.startswith("on")}, set())
        return text, elements.headings

    def test_every_benchmark_leaves_one(self):
        expected = {"training": "AU of each epoch", "checkpointing": "Rate of each checkpoint",
                    "kv_cache": "Requests in time against requests offered",
                    "vector_database": "Reads of a query against recall"}
        for family, drawing in expected.items():
            with self.subTest(family=family):
                folder = self.folder_of(family)
                text, headings = self.check_page(os.path.join(folder, "report.html"))
                for heading in ("Throughput over time", drawing, "Where the time went", "Hosts", "Options"):
                    self.assertIn(heading, headings)
                with open(os.path.join(folder, "mlpstorage_record.json"), encoding="utf-8") as file:
                    record = json.load(file)
                self.assertIn(f"verdict of the run: {record['verdict']}", text)
                self.assertIn("--systemname box", text)
                self.assertEqual(record["invocation"]["label"], "tried-again")
                self.assertIn("<h1>tried-again: ", text)
                for result in record.get("results", []):  # one trial, so that its requests are those of the option
                    self.assertIn(f"completed {result['requests_per_s']:.4g}/s, in time {result['good_requests_per_s']:.4g}/s", text)
                # null:// has no counters to compare with, and no page cache: that is said.
                if family != "vector_database":  # which is on files
                    self.assertIn("ot known", text)

    def run_of(self, words, *more, code=0):
        """Runs a benchmark; returns what it printed, and its run folder."""
        if "vectordb" in words and not os.path.exists(self.path("work/vectors")):
            os.mkdir(self.path("work/vectors"))
            self.expect(f"{VECTORS} --results-dir {self.path('results')} --systemname box --skip-fs-separation-gate --quiet", 0)
        before = set(glob.glob(self.path("results", "whatif/acme/results/box", "**", "mlpstorage_record.json"), recursive=True))
        result = self.expect(f"{words} --results-dir {self.path('results')} --systemname box --skip-fs-separation-gate".split()
                             + list(more), code)
        after = glob.glob(self.path("results", "whatif/acme/results/box", "**", "mlpstorage_record.json"), recursive=True)
        record, = set(after) - before
        return result, os.path.dirname(record)

    def check_answer(self, text, folder):
        """Twelve lines of eighty columns at most; a path is not cut. report.txt and report.html have the same words."""
        self.assertEqual(self.read(os.path.join(folder, "report.txt")), text)
        lines = text.splitlines()
        self.assertLessEqual(len(lines), 12, text)
        self.assertEqual([line for line in lines if len(line) > 80 and folder not in line], [])
        self.assertEqual(sum(folder in line for line in lines), 1)
        page, _ = self.check_page(os.path.join(folder, "report.html"))
        page = " ".join(html.unescape(re.sub("<[^>]*>", " ", page)).split())
        labels = [line[2:13].strip() for line in lines if re.match(r"  \w.{10}", line) and line[2] != " "]
        for label in ("limited by", "sure", "warnings", "MLPerf"):
            self.assertIn(label, labels)
            line = next(line for line in lines if line.startswith(f"  {label} "))
            self.assertIn(line[14:].split("; ")[0].removesuffix("...").strip(), page)
        self.assertIn(lines[0].split("  ")[0], page)

    def test_a_run_ends_in_its_answer(self):
        for family, words in RUNS.items():
            with self.subTest(family=family):
                result, folder = self.run_of(words)
                self.check_answer(result.stdout, folder)
                if family != "vector_database":  # which is on files
                    self.assertTrue(result.stdout.startswith("NO STORAGE was measured: null:// keeps nothing"), result.stdout)
                # What, where, and the run folder, in three lines; then what goes on.
                status = [line for line in result.stderr.splitlines() if "|STATUS: " in line]
                self.assertEqual(len(status), 3, status)
                self.assertRegex(status[0], r"STATUS: results in .* \(from --results-dir\)")
                self.assertRegex(status[1], r"STATUS: \w+ .*run, \d+ .*, on \S+ \(whatif: results can't be submitted to MLPerf\)")
                self.assertTrue(status[2].endswith(f"STATUS: run folder: {folder}"), status)

    def test_verbose_brings_the_tables_and_json_nothing_else(self):
        for family, words in RUNS.items():
            with self.subTest(family=family):
                result, folder = self.run_of(words, "--verbose")
                answer = self.read(os.path.join(folder, "report.txt"))
                self.assertTrue(result.stdout.startswith("Plan"), result.stdout)
                self.assertIn("\nResult (passed)", result.stdout)
                self.assertTrue(result.stdout.endswith(answer))
                self.assertIn("Run Configuration", result.stderr)
                log, = glob.glob(os.path.join(folder, "*_run.stdout.log"))
                self.assertIn("Result (passed)", self.read(log))
                result, folder = self.run_of(words, "--json")
                self.assertIsInstance(json.loads(result.stdout), dict)
                self.check_page(os.path.join(folder, "report.html"))

    def test_a_run_that_fails_looks_like_one(self):
        words = RUNS["checkpointing"].replace("null://", self.path("checkpoints"))
        os.mkdir(self.path("checkpoints"))
        result, folder = self.run_of(words, "--inject-fault", "full:write_part@3", code=3)
        self.check_answer(result.stdout, folder)
        self.assertTrue(result.stdout.startswith("FAILED: no answer"), result.stdout)
        self.assertRegex(result.stdout, r"\n  error       \[E4\d\d\] ")
        self.assertEqual(result.stderr.count("[E4"), 1 + result.stderr.count("CAP-03"), result.stderr)

    def browse(self, page, *flags):
        """Opens a page in Chromium and returns what its console says; refused requests and scripts are in it."""
        result = subprocess.run(
            [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", *flags, f"file://{page}"],
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [line for line in result.stderr.splitlines() if "CONSOLE" in line], result.stdout

    @unittest.skipUnless(shutil.which("chromium"), "no chromium")
    def test_a_browser_opens_it_in_silence_and_prints_two_sides(self):
        page = os.path.join(self.folder_of("checkpointing"), "report.html")
        console, elements = self.browse(page, "--dump-dom")
        self.assertEqual(console, [])
        self.assertIn("<svg", elements)
        self.browse(page, f"--print-to-pdf={self.path('page.pdf')}", "--no-pdf-header-footer")
        with open(self.path("page.pdf"), "rb") as file:
            self.assertEqual(len(re.findall(rb"/Type /Page\b(?!s)", file.read())), 2)
        with open(page, encoding="utf-8") as file:
            hostile = file.read().replace("<header>", "<header><script>1</script><img src=\"http://127.0.0.1:9/x\"/>")
        console, _ = self.browse(self.write("hostile.html", hostile), "--dump-dom")
        self.assertEqual(len(console), 2, "neither runs what should not be there, nor asks for it")

    def test_one_page_of_several_runs(self):
        first, second = self.folder_of("checkpointing"), self.folder_of("training")
        result = self.expect(["report", first, os.path.join(second, "mlpstorage_record.json"), "--output", "both.html"], 0)
        self.assertEqual(result.stdout, "both.html\n")
        text, headings = self.check_page(self.path("work", "both.html"))
        self.assertIn("Report on 2 runs", text)
        self.assertIn("Settings that differ", headings)
        self.assertEqual(headings.count("Throughput over time"), 2)

    def test_the_default_file_is_replaced_and_nothing_else(self):
        folder = self.folder_of("checkpointing")
        with open(os.path.join(folder, "report.txt"), encoding="utf-8") as file:
            answer = file.read()
        self.expect(["report", folder], 0, stdout=answer + "report.html\n")
        self.expect(["report", folder], 0, stdout=answer + "report.html\n")
        self.assertEqual(self.check_page(self.path("work", "report.html")), self.check_page(os.path.join(folder, "report.html")))
        self.write("work/mine.txt", "mine")
        self.refuse(["report", folder, "--output", "mine.txt"], 2, "[E102]", "mine.txt", "no report")
        self.assertEqual(self.read("work/mine.txt"), "mine")

    def test_what_is_no_run_is_refused(self):
        self.refuse(["report"], 2, "[E101]", "<run>...")
        self.refuse(["report", self.path("work")], 3, "[E401]", "mlpstorage_record.json", "history show")
        self.refuse(["report", self.path("nowhere")], 3, "nowhere")
        self.refuse(["report", self.write("work/a.json", "{\"schema\": \"mlpstorage.other/1\"}")], 2, "[E102]", "other/1",
                    "training/1")
        self.refuse(["report", self.write("work/b.json", "[1, 2")], 5, "[E104]", "b.json")
        self.refuse(["report", self.write("work/c.json", "{}")], 2, "no record")
        self.assertFalse(os.path.exists(self.path("work", "report.html")))

    def test_a_run_whose_report_fails_has_its_record(self):
        words = f"{RUNS['kv_cache']} --results-dir {self.path('results')} --systemname box --skip-fs-separation-gate --quiet"
        running = subprocess.Popen([program.BINARY, *words.split()], cwd=self.path("work"), env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        folders = []
        while not folders and running.poll() is None:
            folders = [os.path.dirname(path) for path in glob.glob(self.path("results", "whatif/**/INCOMPLETE"), recursive=True)]
        os.mkdir(os.path.join(folders[0], "report.html"))  # nothing can be written there
        _, stderr = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 0, stderr)
        self.assertIn("WARNING: this run has no report.html", stderr)
        self.assertTrue(os.path.exists(os.path.join(folders[0], "summary.json")))

    def test_help_begins_with_an_example(self):
        text = self.expect(["report", "-h"], 0).stdout
        self.assertLess(text.index("mlpstorage report results/"), text.index("<run>  the folder"))
        self.assertIn("--output, -o FILE", text)


if __name__ == "__main__":
    program.main()
