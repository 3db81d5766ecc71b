"""The real mlpstorage binary for integration tests: how to call it, and what it left behind.

The tests see it as a user does: arguments, environment, exit status, what it prints, and the files it writes.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import daemons

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import records

ORGANISATION, SYSTEM = "testers", "test-machine"
RELEASE_PROGRAM = str(pathlib.Path(__file__).resolve().parents[2] / "build/release/mlpstorage")
PROCESSES = 8
SIZE_SCALE = 0.002  # one llama3-8b checkpoint has about 225 MB
LIMIT_S = 300  # a command that takes longer is stuck
RUN_FILES = {
    "mlpstorage_files.json", "mlpstorage_record.json", "report.html", "report.txt", "summary.json", "dlio.log", "checkpointing_run.stdout.log", "checkpointing_run.stderr.log",
    "dlio_config/config.yaml", "dlio_config/hydra.yaml", "dlio_config/overrides.yaml",
    *(f"{rank}_{kind}.json" for rank in range(PROCESSES) for kind in ("output", "per_epoch_stats")),
}


class Finished:
    """One ended command."""

    def __init__(self, status, stdout, stderr, usage):
        self.status, self.stdout, self.stderr = status, stdout, stderr
        self.peak_rss_bytes = usage.ru_maxrss * 1024
        self.written_bytes = usage.ru_oublock * 512  # to file systems that are on a device

    def __str__(self):
        return f"exit status {self.status}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


class Running:
    """A started command; `wait()` gives what became of it."""

    def __init__(self, process, folder):
        self.process, self._folder = process, folder

    def ended(self):
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def said(self, text):
        """Whether that stands in what it has printed on stderr so far."""
        return text in (self._folder / "stderr").read_text(errors="replace")

    def wait(self):
        deadline = time.monotonic() + LIMIT_S
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                self.process.kill()
            time.sleep(0.01)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        texts = [(self._folder / name).read_text(errors="replace") for name in ("stdout", "stderr")]
        shutil.rmtree(self._folder)
        return Finished(self.process.returncode, *texts, usage)

    def abandon(self):
        """Ends it if it still runs; for the clean-up of a test."""
        if self.process.returncode is None:
            self.process.kill()
            self.wait()


class ProgramTest(unittest.TestCase):
    """A test with a folder of its own, an initialised results directory, and the variables of no other program."""

    maxDiff = None
    variables = {}  # more environment, for example of an S3 server

    def setUp(self):
        self.program = os.environ.get("MLPSTORAGE", RELEASE_PROGRAM)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=daemons.test_tmp())).resolve()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(lambda: self.assertEqual(records.problems_below(self.folder), []))
        self.results = self.folder / "results"
        self.succeeds("init", ORGANISATION, str(self.results))

    # ---- calling it -----------------------------------------------------------------------------------------------

    def environment(self, **more):
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        # Sanitizers and coverage tools are steered by variables too.
        base.update({name: value for name, value in os.environ.items() if name.endswith("_OPTIONS")})
        return {**base, **self.variables, **more}

    def start(self, *arguments, before=(), **variables):
        """Starts the program; `before` is a command that runs it, such as unshare."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="texts-", dir=self.folder))
        with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
            process = subprocess.Popen([*before, self.program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=err, cwd=self.folder, env=self.environment(**variables))
        running = Running(process, folder)
        self.addCleanup(running.abandon)
        return running

    def call(self, *arguments, **variables):
        return self.start(*arguments, **variables).wait()

    def succeeds(self, *arguments, **variables):
        done = self.call(*arguments, **variables)
        self.assertEqual(0, done.status, done)
        return done

    def fails(self, status, code, *arguments, **variables):
        """The command ends with that status and names that [E###] code on stderr."""
        done = self.call(*arguments, **variables)
        self.assertEqual(status, done.status, done)
        self.assertIn(f"[{code}]", done.stderr, done)
        return done

    def run_arguments(self, protocol, where, *more, write=2, read=2):
        return ("whatif", "checkpointing", "run", protocol, "--model", "llama3-8b", "--num-processes", PROCESSES,
                "--client-host-memory-in-gb", 16, "--checkpoint-folder", where, "--num-checkpoints-write", write,
                "--num-checkpoints-read", read, "--size-scale", SIZE_SCALE, "--params",
                "checkpoint.time_between_checkpoints=0", "--results-dir", self.results, "--systemname", SYSTEM,
                "--skip-fs-separation-gate", *more)

    # ---- what it left ---------------------------------------------------------------------------------------------

    def run_folders(self):
        return sorted(self.results.glob(f"whatif/{ORGANISATION}/results/{SYSTEM}/checkpointing/llama3-8b/*"))

    def run_folder(self):
        folders = self.run_folders()
        self.assertTrue(folders, "no run folder")
        return folders[-1]

    def record(self):
        return json.loads((self.run_folder() / "mlpstorage_record.json").read_text())

    def planned(self, checkpoints=2):
        """{name below the checkpoint folder: bytes} as `datasize --json` says."""
        done = self.succeeds("whatif", "checkpointing", "datasize", "--model", "llama3-8b", "--num-processes", PROCESSES,
                             "--client-host-memory-in-gb", 16, "--size-scale", SIZE_SCALE, "--results-dir", self.results,
                             "--json")
        plan = json.loads(done.stdout)
        return {
            f"llama3-8b/global_epoch1_step{checkpoint}/{item['name']}": item["size_bytes"]
            for checkpoint in range(1, checkpoints + 1) for rank in plan["ranks"] for item in rank["objects"]
        }

    def assert_passed(self, done, written=2, read=2, verified=True):
        """Exit status 0, a complete run folder, and a record that accounts for every byte."""
        self.assertEqual(0, done.status, done)
        folder = self.run_folder()
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        self.assertEqual(set(), RUN_FILES - found)
        self.assertTrue((folder / f"checkpointing_{folder.name}_metadata.json").is_file(), found)
        record = self.record()
        self.assertEqual(("passed", [], None), (record["verdict"], record["reasons"], record["error"]))
        one_checkpoint = sum(self.planned(1).values())
        self.assertEqual(written * one_checkpoint, record["write"]["bytes"] if written else 0)
        self.assertEqual(read * one_checkpoint, record["read"]["bytes"] if read else 0)
        if read and verified:
            self.assertEqual(read * one_checkpoint, record["read"]["bytes_verified"])
        return record

    def assert_not_passed(self, verdict):
        """The record says so, and nothing in the folder looks like a result."""
        record = self.record()
        self.assertEqual(verdict, record["verdict"])
        self.assertFalse((self.run_folder() / "summary.json").exists(), "a run that did not pass has a summary.json")
        return record

    # ---- waiting and interrupting ---------------------------------------------------------------------------------

    def wait_until(self, what, condition, limit_s=60):
        deadline = time.monotonic() + limit_s
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"not within {limit_s} s: {what}")
            time.sleep(0.005)

    def interrupt(self, running, when, which=signal.SIGINT):
        """Sends a signal once `when` holds; the command must not have ended before."""
        self.wait_until("the moment to interrupt", lambda: running.ended() or when())
        if running.ended():
            self.fail(f"it ended before it could be interrupted: {running.wait()}")
        os.kill(running.process.pid, which)
        return running.wait()


def flip_bit(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))
