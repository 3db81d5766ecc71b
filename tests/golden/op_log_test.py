"""Operation logs of real runs on files, and their replay: what a run has asked of its storage is in its log, and can be asked of
another one."""

import json
import os
import subprocess

import program
from program import ProgramTest

HEAD = ("idx thread op client_id n_objects bytes endpoint file error start first_byte end duration_ns request status attempt "
        "offset").split()


class OpLog(ProgramTest):
    def setUp(self):
        super().setUp()
        self.expect("init acme results", 0)

    def run_checkpoints(self, log, *more):
        return self.run_program(
            *("whatif checkpointing run file --model llama3-8b --num-processes 8 --client-host-memory-in-gb 64 --checkpoint-folder "
              "stored --results-dir results --systemname sys --size-scale 0.0001 --num-checkpoints-write 1 --num-checkpoints-read 1 "
              "--params checkpoint.time_between_checkpoints=0 --skip-fs-separation-gate --quiet --op-log").split(), log, *more)

    def lines(self, name):
        text = subprocess.run(["zstd", "-dc", self.path("work", name)], check=True, capture_output=True, text=True).stdout
        head, *lines = [line.split("\t") for line in text.splitlines()]
        self.assertEqual(HEAD, head)
        return [dict(zip(head, line)) for line in lines]

    def moved(self, lines, op, name="/stored/"):
        return sum(int(line["bytes"]) for line in lines if line["op"] == op and name in line["file"] and ".mlpstorage" not in line["file"])

    def test_a_run_and_its_replay(self):
        ran = self.run_checkpoints("ops.csv.zst")
        self.assertEqual(0, ran.returncode, ran.stderr)
        self.assertIn("operation log: ops.csv.zst, ", ran.stderr)
        lines = self.lines("ops.csv.zst")
        stored = sum(os.path.getsize(os.path.join(folder, name))
                     for folder, _, names in os.walk(self.path("work/stored")) for name in names if not name.startswith("."))
        self.assertEqual(stored, self.moved(lines, "PUT"))
        self.assertEqual(stored, self.moved(lines, "GET"))
        self.assertEqual([], [line for line in lines if line["error"]])
        for line in lines:
            self.assertEqual("file://", line["endpoint"])
            self.assertRegex(line["start"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
            self.assertLessEqual(line["start"], line["end"])
        strip = self.path("work/stored").lstrip("/")
        for target, how in (("again", "--as-fast-as-possible"), ("direct://" + self.path("work/later"), "--speed=1000"), ("null://", "")):
            with self.subTest(target):
                out = self.expect(["replay", "ops.csv.zst", "--to", target, "--strip", strip, "--json", *how.split()], 0).stdout
                result = json.loads(out)
                self.assertGreaterEqual(result["kinds"]["PUT"]["bytes"], stored)
                self.assertGreaterEqual(result["kinds"]["GET"]["bytes"], stored)
                self.assertEqual(0, result["kinds"]["PUT"]["failed"] + result["not_played"])
                self.assertEqual(how == "--as-fast-as-possible", result["late"] is None)
                self.assertGreater(result["kinds"]["PUT"]["recorded_latency"]["p50_s"], 0)
        for folder in ("again", "later"):
            copied = sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(self.path("work", folder))
                         for name in names)
            self.assertEqual(stored, copied)

    def test_a_file_that_is_there_stays(self):
        self.write("work/precious", "text")
        ran = self.run_checkpoints("precious")
        self.assertEqual(2, ran.returncode, ran.stderr)
        self.assertIn("[E105] --op-log: precious is there already", ran.stderr)
        self.assertEqual("text", self.read("work/precious"))
        ran = self.run_checkpoints("no/folder")
        self.assertEqual(3, ran.returncode, ran.stderr)
        self.assertIn("create the operation log no/folder", ran.stderr)

    def test_loops_share_a_log_and_a_dry_run_has_none(self):
        self.assertEqual(0, self.run_checkpoints("dry", "--dry-run").returncode)
        self.assertFalse(os.path.exists(self.path("work/dry")))
        ran = self.run_checkpoints("ops.csv.zst", "--loops=2")
        self.assertEqual(0, ran.returncode, ran.stderr)
        commits = [line for line in self.lines("ops.csv.zst") if line["request"] == "commit_write"]
        self.assertEqual(0, len(commits) % 2)
        self.assertGreater(len(commits), 0)

    def test_what_is_read_must_be_there(self):
        self.write("work/log.tsv", "op\tfile\tbytes\tstart\toffset\nGET\tbkt/a\t10\t2026-01-01T00:00:00Z\t90\nPUT\tbkt/b\t5\t2026-01-01T00:00:01Z\t0\n")
        os.mkdir(self.path("work/place"))
        self.refuse("replay log.tsv --to place --as-fast-as-possible --json", 3, "[E603] 1 object that is read isn't there", "--prepare")
        said = self.expect("replay log.tsv --to place --as-fast-as-possible --prepare", 0).stdout
        self.assertRegex(said, r"GET +1 ")
        self.assertEqual((100, 5), (os.path.getsize(self.path("work/place/bkt/a")), os.path.getsize(self.path("work/place/bkt/b"))))
        os.truncate(self.path("work/place/bkt/a"), 50)
        self.refuse("replay log.tsv --to place --json --prepare", 6, "[E606]", "has 50 bytes, but 100 of it are read")

    def test_what_cannot_be_played_is_said(self):
        self.write("work/log.tsv", "op\tfile\tbytes\tstart\nGET\t../../etc/passwd\t10\t2026-01-01T00:00:00Z\n")
        self.refuse("replay log.tsv --to place", 3, "[E404] the log names an object '../../etc/passwd'")
        self.write("work/log.tsv", "colour\tsize\nred\t5\n")
        self.refuse("replay log.tsv --to place", 3, "[E404] log.tsv, line 1: the head line names no column 'op'")
        self.refuse("replay log.tsv", 2, "--to")
        self.refuse("replay log.tsv --to place --speed 2 --as-fast-as-possible", 2, "[E105] --speed and --as-fast-as-possible")
        self.refuse("replay none --to place", 3, "[E401] open the operation log none")


if __name__ == "__main__":
    program.main()
