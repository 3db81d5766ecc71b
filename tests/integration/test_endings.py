#!/usr/bin/env python3
"""Every way to end, and what must be true after it: the table of docs/endings.md, row by row."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

from program import ORGANISATION, SYSTEM, ProgramTest

AS_ROOT = unittest.skipUnless(os.geteuid() == 0, "mounting a file system needs root")
FULL = "/dev/full"
STOPS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGALRM", "SIGUSR1", "SIGUSR2")
TABLE = pathlib.Path(__file__).resolve().parents[2] / "docs/endings.md"


class EndingTest(ProgramTest):
    def checkpoints(self, where="null://", *more, write=1, results=None):
        return ("whatif", "checkpointing", "run", "file", "--model", "llama3-8b", "--num-processes", 8, "--size-scale", 0.0001,
                "--num-checkpoints-write", write, "--num-checkpoints-read", 0, "--checkpoint-folder", where, "--results-dir",
                results or self.results, "--systemname", SYSTEM, "--skip-fs-separation-gate", "--quiet", *more, "--params",
                "checkpoint.time_between_checkpoints=0")

    def long_run(self, *before):
        """Starts a run that would take minutes; returns it when its first file is there."""
        stored = self.folder / "stored"
        running = self.start(*self.checkpoints(stored, write=1000), before=before)
        self.wait_until("the first checkpoint", lambda: running.ended() or list(stored.rglob("*step2*")))
        return running

    def record_in(self, results):
        (path,) = results.rglob("mlpstorage_record.json")
        return json.loads(path.read_text())

    def assert_stopped_in_order(self, done, name):
        self.assertEqual(8, done.status, done)
        self.assertIn(f"[E203] interrupted by {name}", done.stderr)
        record = self.record_in(self.results)
        self.assertEqual("interrupted", record["verdict"])
        names = [path.name for path in self.results.rglob("*")]
        self.assertTrue([name for name in names if name.endswith("_metadata.json")], names)
        self.assertNotIn("summary.json", names)
        for path in (*self.results.rglob("*"), *(self.folder / "stored").rglob("*")):
            self.assertFalse(path.is_file() and (path.name.startswith(".") or path.name.endswith(".tmp")), path)


class Signals(EndingTest):
    def test_a_signal_that_asks_to_stop_ends_a_run_in_order(self):
        for name in STOPS:
            with self.subTest(name):
                running = self.long_run()
                os.kill(running.process.pid, signal.Signals[name])
                self.assert_stopped_in_order(running.wait(), name)
                shutil.rmtree(self.results / "whatif")
                shutil.rmtree(self.folder / "stored")

    def test_a_signal_that_comes_again_by_itself_is_no_second_wish(self):
        running = self.long_run()
        for _ in range(3):
            os.kill(running.process.pid, signal.SIGHUP)
        self.assert_stopped_in_order(running.wait(), "SIGHUP")

    def test_nohup(self):
        running = self.long_run("sh", "-c", 'trap "" HUP; exec "$0" "$@"')
        os.kill(running.process.pid, signal.SIGHUP)
        os.kill(running.process.pid, signal.SIGTERM)
        self.assert_stopped_in_order(running.wait(), "SIGTERM")

    def test_sigkill(self):
        running = self.long_run()
        os.kill(running.process.pid, signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, running.wait().status)
        self.assertEqual("incomplete", self.record_in(self.results)["verdict"])
        names = [path.name for path in self.results.rglob("*")]
        self.assertNotIn("summary.json", names)
        self.assertFalse([name for name in names if name.startswith("room")], names)

    def test_a_limit_of_processor_time(self):
        done = self.start(*self.checkpoints(write=1_000_000), before=("prlimit", "--cpu=1:60")).wait()
        self.assert_stopped_in_order(done, "SIGXCPU")
        self.assertIn("ulimit -t", done.stderr)


class Output(EndingTest):
    def test_a_reader_that_does_not_read_keeps_no_run_from_stopping(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        arguments = self.checkpoints(self.folder / "stored", write=1000)
        running = subprocess.Popen([self.program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=writer, cwd=self.folder, env=self.environment())
        os.close(writer)
        self.addCleanup(running.kill)
        said = b""
        while b"run folder: " not in said:
            said += os.read(reader, 4096)
        filler = os.open(f"/proc/{running.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(filler, bytes(4096))
        except BlockingIOError:
            pass
        os.close(filler)
        running.send_signal(signal.SIGTERM)
        self.assertEqual(8, running.wait(timeout=40))
        self.assertEqual("interrupted", self.record_in(self.results)["verdict"])

    def printing(self):
        datasize = ("whatif", "checkpointing", "datasize", "--model", "llama3-8b", "--num-processes", 8, "--client-host-memory-in-gb",
                    16, "--results-dir", self.results)
        return {
            "version": ("version",), "--version": ("--version",), "--help_all": ("--help_all",), "-h": ("closed", "-h"),
            "datasize": datasize, "datasize --json": (*datasize, "--json"), "configview": ("whatif", "checkpointing", "configview", "file",
            *datasize[3:], "--checkpoint-folder", "null://", "--systemname", SYSTEM), "dry run": self.checkpoints("null://", "--dry-run"),
            "dry run --json": self.checkpoints("null://", "--dry-run", "--json"), "history show": ("history", "show", "--results-dir",
            self.results), "config path": ("config", "path"),
        }

    def call_into(self, arguments, stdout, stderr=subprocess.PIPE):
        return subprocess.run([self.program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True,
                              cwd=self.folder, env=self.environment(), check=False, timeout=60)

    def assert_lost(self, done, stream="stdout", why="No space left on device"):
        self.assertEqual(3, done.returncode, done.stderr)
        if stream == "stdout":
            self.assertEqual([f"[E403] write to stdout: {why}"], re.findall(r"^\[E.*", done.stderr, re.MULTILINE), done.stderr)

    def test_every_command_says_that_its_output_is_lost(self):
        self.succeeds(*self.checkpoints())  # so that there is a history
        for name, arguments in self.printing().items():
            with self.subTest(name), open(FULL, "w", encoding="utf-8") as full:
                self.assert_lost(self.call_into(arguments, full))

    def test_a_reader_that_is_gone(self):
        for name in ("version", "datasize --json", "--help_all"):
            with self.subTest(name):
                reader, writer = os.pipe()
                os.close(reader)
                done = self.call_into(self.printing()[name], writer)
                os.close(writer)
                self.assert_lost(done, why="Broken pipe")

    def test_a_run_keeps_its_record(self):
        for more in ((), ("--json",)):
            for stream in ("stdout", "stderr"):
                with self.subTest(stream=stream, more=more), open(FULL, "w", encoding="utf-8") as full:
                    arguments = [word for word in self.checkpoints("null://", *more) if word != "--quiet"]
                    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, stream: full}
                    self.assert_lost(self.call_into(arguments, **streams), stream)
                    self.assertEqual("passed", self.record_in(self.results)["verdict"])
                    self.assertTrue(list(self.results.rglob("summary.json")))
                    shutil.rmtree(self.results / "whatif")

    def test_an_error_stays_the_commands_own(self):
        with open(FULL, "w", encoding="utf-8") as full:
            done = self.call_into(("whatif", "checkpointing", "datasize", "--model", "none"), full)
        self.assertEqual(2, done.returncode, done.stderr)


class Files(EndingTest):
    def test_a_limit_of_a_files_size(self):
        done = self.start(*self.checkpoints(self.folder / "stored"), before=("prlimit", "--fsize=100000")).wait()
        self.assertEqual(3, done.status, done)
        self.assertIn("[E403]", done.stderr)
        self.assertIn("ulimit -f", done.stderr)

    @AS_ROOT
    def test_a_results_folder_that_fills_up_during_the_run(self):
        small = self.folder / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        self.succeeds("init", ORGANISATION, small)
        stored = self.folder / "stored"
        running = self.start(*self.checkpoints(stored, write=300, results=small))
        self.wait_until("the run to begin", lambda: running.ended() or list(stored.rglob("*step2*")))
        with open(small / "filler", "wb", buffering=0) as filler:
            try:
                while not running.ended():
                    filler.write(bytes(4096))
            except OSError:
                pass
        done = running.wait()
        self.assertIn(done.status, (0, 3), done)
        self.assertEqual("passed", self.record_in(small)["verdict"], done)

    def test_what_is_no_file_is_refused_at_once(self):
        pipe, folder = self.folder / "pipe", self.folder / "folder"
        os.mkfifo(pipe)
        folder.mkdir()
        train = ("whatif", "training", "unet3d", "run", "file", "--num-accelerators", 2, "--accelerator-type", "b200", "--data-dir",
                 "null://", "--results-dir", self.results, "--systemname", SYSTEM, "--dry-run")
        for kind, path in (("a pipe", pipe), ("a folder", folder), ("a device", "/dev/zero")):
            for name, arguments in (("--config-file", (*self.checkpoints("null://", "--config-file", path, "--dry-run"),)),
                                    ("--workload-file", (*train, "--workload-file", path))):
                with self.subTest(name, kind=kind):
                    done = self.fails(5, "E103", *arguments)
                    self.assertIn(f"{path} is {kind}, not a file", done.stderr, done)

    def test_a_dry_run_is_refused_for_what_the_run_would_be_refused(self):
        foreign = self.folder / "foreign"
        foreign.mkdir()
        (foreign / "a file").touch()
        for more in ((), ("--dry-run",)):
            done = self.fails(2, "E102", *self.checkpoints("null://", *more, results=foreign))
            self.assertIn("foreign is not empty", done.stderr)
            done = self.fails(2, "E101", "open", *self.checkpoints("null://", *more, results=self.folder / "nowhere")[1:])
            self.assertIn("nowhere is not initialised", done.stderr)

    def test_pipes_in_place_of_files_of_a_fixed_name(self):
        self.succeeds(*self.checkpoints())  # so that there is a history
        objects = ("whatif", "checkpointing", "datasize", "--model", "llama3-8b", "--num-processes", 8, "--client-host-memory-in-gb", 16)
        user = self.folder / ".config/mlpstorage/config.yaml"
        if user.exists():
            user.unlink()
        history = self.results / ".mlps/history"
        history.parent.mkdir(exist_ok=True)
        history.write_text("1,20260704_050040,mlpstorage closed checkpointing datasize\n")
        for path, arguments, code in ((user, (*objects, "--results-dir", self.results), None),
                                      (self.results / ".mlps/history-ends",
                                       ("history", "show", "--results-dir", self.results), None),
                                      (history, ("history", "show", "--results-dir", self.results), None),
                                      (self.folder / ".env", [word if word != "file" else "object" for word in
                                                              self.checkpoints("s3://bucket/folder", "--dry-run")], None)):
            with self.subTest(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                os.mkfifo(path)
                done = self.call(*arguments)
                self.assertIn(" is a pipe, not a file", done.stderr, done)
                self.assertNotEqual(0, done.status)
                path.unlink()

    def test_a_results_folder_that_is_none(self):
        path = self.folder / "not-a-folder"
        os.mkfifo(path)
        done = self.call(*self.checkpoints(results=path))
        self.assertNotEqual(0, done.status)
        self.assertIn("[E", done.stderr)


class Table(unittest.TestCase):
    def test_every_row_names_a_test_that_is_there(self):
        sources = "".join(path.read_text(encoding="utf-8") for path in TABLE.parents[1].glob("tests/*/*test*.*"))
        sources += "".join(path.read_text(encoding="utf-8") for path in TABLE.parents[1].glob("tests/*/*.py"))
        for table in (TABLE, TABLE.with_name("neighbours.md")):
            rows = [line for line in table.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
            named = re.findall(r"`(test_\w+)`", "\n".join(rows))
            self.assertGreater(len(named), 10)
            self.assertEqual([], [name for name in named if f"def {name}(" not in sources], table)
        # All rows of the comparison but its two first.
        self.assertEqual([], [row for row in rows[2:] if not re.search(r"`(test_\w+|\w+\.\w+)` \|$", row)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
