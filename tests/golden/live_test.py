#!/usr/bin/env python3
"""Checks what the real binary shows of a run while it goes on: on a terminal (pyte's) of several widths, in a file, in the lines of
--live-json, to Prometheus' own parser, and in the row of --csv."""

import csv
import fcntl
import glob
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest
import urllib.error
import urllib.request

import program
import records
from program import ProgramTest, main

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path += glob.glob(os.path.join(ROOT, "build", "servers", "watch", "lib", "python3*", "site-packages"))
try:
    import pyte
    from prometheus_client.openmetrics import parser as openmetrics
except ImportError:
    pyte = openmetrics = None
from_pypi = unittest.skipIf(pyte is None, "no pyte or prometheus_client (scripts/servers.sh)")

# null:// reads at once, so that compute times and pauses are all that a run takes: some seconds.
SHORT_TRAINING = ("whatif training unet3d run file --num-accelerators 2 --accelerator-type b200 --data-dir null:// --params "
                  "dataset.num_files_train=56 train.epochs=2 --systemname box")
TRAINING = SHORT_TRAINING.replace("=56", "=126")
CHECKPOINTING = ("whatif checkpointing run file --model llama3-8b --num-processes 8 --size-scale 0.001 --checkpoint-folder null:// "
                 "--num-checkpoints-write 1 --num-checkpoints-read 1 --params checkpoint.time_between_checkpoints=1 --systemname box")


def schema_of(name):
    return json.loads(records.SCHEMAS.joinpath(name).read_text(encoding="utf-8"))


class Terminal:
    """A program in a terminal of so many columns and rows, and every screen that it showed."""

    def __init__(self, arguments, folder, environment, columns, rows):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.screens = []
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            time.sleep(0.2)  # until the terminal has its size
            os.execve(program.BINARY, [program.BINARY, *arguments], environment)
        self.resize(columns, rows)

    def resize(self, columns, rows):
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def watch(self, until=None):
        """Follows the program to its end, or until a screen pleases; returns whether it did."""
        while True:
            try:
                if not select.select([self.descriptor], [], [], 60)[0]:
                    raise AssertionError("nothing was shown for a minute")
                data = os.read(self.descriptor, 65536)
            except OSError:  # the program has ended
                data = b""
            if not data:
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
                os.close(self.descriptor)
                return False
            self.stream.feed(data)
            lines = [line.rstrip() for line in self.screen.display]
            self.screens.append(lines)
            if until is not None and until(lines):
                return True


class LiveTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.expect(["init", "acme", self.path("results")], 0)

    def arguments(self, text, *more):
        return [*text.split(), "--results-dir", self.path("results"), *more]

    def terminal(self, text, columns, *more, rows=24, **variables):
        environment = {**self.environment, "TERM": "xterm", "LC_ALL": "C.UTF-8", **variables}
        return Terminal(self.arguments(text, *more), self.path("work"), environment, columns, rows)

    def rest_is_clean(self, terminal):
        """After the run nothing is left of the live view."""
        self.assertEqual(terminal.status, 0)
        for line in terminal.screens[-1]:
            self.assertNotRegex(line, r"\bleft\b|█|per column")

    @from_pypi
    def test_the_full_view_at_two_widths_with_a_resize(self):
        terminal = self.terminal(TRAINING, 80)
        shown = lambda lines: any(re.match(r"epoch [12]/2  step \d+/9  \[█*░+\] \d+ %$", line) for line in lines)
        self.assertTrue(terminal.watch(shown), terminal.screens[-1])
        terminal.resize(200, 50)
        terminal.watch(lambda lines: any(line.startswith("training unet3d") and line.endswith("left") and len(line) == 199
                                         for line in lines))
        screen = "\n".join(terminal.screens[-1])
        for pattern in (r"(?m)^training unet3d  2 x b200  null://unet3d +0:\d\d, about 0:\d\d left$",
                        r"(?m)^AU +\d+\.\d %   need 90", r"(?m)^read +[\d.]+ .iB/s of 11.8 GiB/s wanted", r"(?m)^samples +[\d.]+ /s",
                        r"(?m)^idle +for storage \d\.\d %"):
            self.assertRegex(screen, pattern)
        terminal.watch()
        self.rest_is_clean(terminal)

    @from_pypi
    def test_one_line_where_it_is_quiet_and_where_it_is_small(self):
        terminal = self.terminal(CHECKPOINTING, 100, "--quiet")
        of_run = lambda lines: [line for line in lines if line.startswith(("write 1/1", "checkpoint llama"))]
        self.assertTrue(terminal.watch(of_run))
        line, = of_run(terminal.screens[-1])
        self.assertRegex(line, r"^write 1/1  read 0/1  pause, \d s left  \d+ %")
        terminal.resize(40, 24)
        self.assertTrue(terminal.watch(lambda lines: any(line.startswith("write 1/1  read 1/1") for line in lines)))
        line, = of_run(terminal.screens[-1])
        self.assertLess(len(line), 40)
        terminal.watch()
        self.rest_is_clean(terminal)

    @from_pypi
    def test_a_second_signal_takes_the_view_away_too(self):
        terminal = self.terminal(TRAINING, 80)
        self.assertTrue(terminal.watch(lambda lines: any(line.startswith("epoch 1/2") for line in lines)), terminal.screens[-1])
        os.kill(terminal.process, signal.SIGINT)
        os.kill(terminal.process, signal.SIGTERM)
        terminal.watch()
        for line in terminal.screens[-1]:
            self.assertNotRegex(line, r"\bleft\b|█|per column|^epoch|^read ")
        self.assertTrue(any("[E203] interrupted by SIGTERM" in line or "interrupted by SIGINT" in line for line in terminal.screens[-1]))

    @from_pypi
    def test_a_terminal_with_ascii_and_without_color(self):
        terminal = self.terminal(SHORT_TRAINING, 80, LC_ALL="C", NO_COLOR="1")
        self.assertTrue(terminal.watch(lambda lines: any(re.search(r"\[#*-+\] \d+ %$", line) for line in lines)))
        terminal.watch()
        for lines in terminal.screens:
            for line in lines:
                self.assertTrue(line.isascii(), line)

    @from_pypi
    def test_a_dumb_terminal_gets_no_control_sequences(self):
        terminal = self.terminal(SHORT_TRAINING, 80, TERM="dumb")
        seen = []
        terminal.stream.feed = seen.append
        terminal.watch()
        self.assertNotIn(b"\x1b", b"".join(seen))
        self.assertEqual(terminal.status, 0)

    def test_a_file_has_lines_with_stamps_or_nothing(self):
        result = self.expect(self.arguments(SHORT_TRAINING, "--quiet"), 0)
        self.assertNotIn("\x1b", result.stderr)
        for line in result.stderr.splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\|[A-Z]+: ")

    def test_live_json_is_a_line_a_second_of_its_schema(self):
        file = self.path("work", "live.json")
        for text in (SHORT_TRAINING, CHECKPOINTING):  # of both in one file
            self.expect(self.arguments(text, "--live-json", file, "--label", "tried again", "--quiet"), 0)
        with open(file, encoding="utf-8") as stream:
            lines = [json.loads(line) for line in stream]
        self.assertEqual({line["benchmark"] for line in lines}, {"training", "checkpointing"})
        for line in lines:
            self.assertEqual((line["schema"], line["label"]), ("mlpstorage.live/1", "tried again"))
            self.assertEqual(line["parts"][0]["word"], "epoch" if line["benchmark"] == "training" else "write")
            if records.jsonschema is not None:
                records.jsonschema.Draft202012Validator(schema_of("live.schema.json")).validate(line)
        elapsed = [line["elapsed_s"] for line in lines if line["benchmark"] == "checkpointing"]
        self.assertEqual(elapsed, sorted(set(elapsed)))
        self.assertGreaterEqual(len(elapsed), 2)
        notes = self.write("work/notes.txt", "mine\n")
        self.refuse(self.arguments(SHORT_TRAINING, "--live-json", notes), 2, "[E102]", "notes.txt", "holds something else")
        self.assertEqual(self.read("work/notes.txt"), "mine\n")

    @from_pypi
    def test_prometheus_reads_the_metrics_while_the_run_goes_on(self):
        process = subprocess.Popen([program.BINARY, *self.arguments(TRAINING, "--metrics", "127.0.0.1:0", "--label", 'a "b" \\ c')],
                                   cwd=self.path("work"), env=self.environment, stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        url = None
        for line in process.stderr:
            if found := re.search(r"metrics: (http://127\.0\.0\.1:\d+/metrics)", line):
                url = found[1]
                break
        samples = {}
        while "mlpstorage_done_ratio" not in samples and process.poll() is None:
            with urllib.request.urlopen(url, timeout=10) as answer:
                self.assertTrue(answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"))
                text = answer.read().decode("utf-8")
            samples = {sample.name: sample for family in openmetrics.text_string_to_metric_families(text)
                       for sample in family.samples}
            time.sleep(0.1)
        self.assertEqual(samples["mlpstorage_run_info"].labels["label"], 'a "b" \\ c')
        self.assertEqual(samples["mlpstorage_au_needed_percent"].value, 90)
        self.assertIn("mlpstorage_bytes_total", samples)
        with self.assertRaises(urllib.error.HTTPError) as other:
            urllib.request.urlopen(url.replace("/metrics", "/"), timeout=10)
        self.assertEqual(other.exception.code, 404)
        other.exception.close()
        address = url[len("http://"):-len("/metrics")]
        self.refuse(self.arguments(TRAINING, "--metrics", address, "--quiet"), 2, "[E102]", f"--metrics {address}", "in use")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.refuse(self.arguments(TRAINING, "--metrics", "9400"), 2, "[E102]", "HOST:PORT")

    def test_every_run_has_a_row(self):
        file = self.path("work", "runs.csv")
        for text in (SHORT_TRAINING, CHECKPOINTING.replace("checkpoints=1", "checkpoints=0")):
            self.expect(self.arguments(text, "--csv", file, "--label", 'new "firmware", again', "--quiet"), 0)
        with open(file, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        self.assertEqual([row["benchmark"] for row in rows], ["training", "checkpointing"])
        for row in rows:
            self.assertEqual((row["label"], row["verdict"], row["is_result"]), ('new "firmware", again', "passed", "no"))
            self.assertNotIn(None, row)
            if records.jsonschema is not None:
                records.jsonschema.Draft202012Validator(schema_of("csv-row.schema.json")).validate(row)
        self.assertGreater(float(rows[0]["au_percent"]), 50)
        self.assertGreater(float(rows[1]["write_bytes_per_s"]), 0)
        self.assertEqual(rows[0]["write_bytes_per_s"], "")
        other = self.write("work/other.csv", "a,b\n1,2\n")
        self.refuse(self.arguments(TRAINING, "--csv", other), 2, "[E102]", "other.csv", "other columns")
        self.assertEqual(self.read("work/other.csv"), "a,b\n1,2\n")


if __name__ == "__main__":
    main()
