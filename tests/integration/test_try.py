#!/usr/bin/env python3
"""`mlpstorage try`: one command from nothing to an answer, on a directory, in memory, on no storage, on a real S3 server (Ceph RGW),
Azurite and fake-gcs-server;
and nothing is left at the place, whenever it is stopped.

Usage: test_try.py [STOPS]   (4; `make test-long` asks for 100)
"""

import json
import os
import pathlib
import random
import re
import shlex
import signal
import sys
import tempfile
import time
import unittest

import azurite
import fake_gcs
import object_suites
import rgw
from program import ProgramTest
from sweeps import sweep

STOPS = 4
SLOW = "rate={0}MiB:write_part,rate={0}MiB:read_part"


def setUpModule():
    object_suites.set_up(rgw.Rgw())


class TryTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.place = self.folder / "place"
        self.place.mkdir()
        self.into = self.folder / "tried"

    def parts(self, *arguments, seconds=5):
        """What a `try` says, as JSON, and its parts by name."""
        done = self.succeeds("try", *arguments, "--time", seconds, "--results-dir", self.into, "--json")
        said = json.loads(done.stdout)
        return said, {part["name"]: part for part in said["parts"]}

    def left(self):
        return sorted(path.name for path in self.place.iterdir())

    def test_a_directory_without_any_preparation(self):
        done = self.succeeds("try", "place", "--time", "5s")
        # The second where others keep the processors of this machine busy.
        self.assertRegex(done.stdout, "(U-Net3D|RetinaNet) feeds [0-9]+ [abh][0-9]+|no answer, this client was too slow")
        for words in ("limited by", "sure", "Llama 3 8B writes", "queries/s at recall", "report"):
            self.assertIn(words, done.stdout)
        # A path that is longer is not broken.
        self.assertEqual([], [line for line in done.stdout.splitlines()[:-1] if len(line) > 80 and " " in line])
        self.assertEqual([], self.left())
        self.assertNotIn("limited by writes by", done.stdout)
        self.assertNotIn("not known:", done.stdout)
        [folder] = (self.folder / "mlpstorage-results" / "try").iterdir()
        self.assertEqual({"commands.log", "report.html", "report.txt", "try.json"}, {path.name for path in folder.iterdir()})
        self.assertEqual(done.stdout, (folder / "report.txt").read_text())
        said = json.loads((folder / "try.json").read_text())
        self.assertTrue(said["measures_storage"])
        for part in said["parts"]:
            for run in part["runs"]:
                record = json.loads((pathlib.Path(run) / "mlpstorage_record.json").read_text())
                self.assertEqual(("passed", "whatif"), (record["verdict"], record["invocation"]["mode"]))
        self.assertFalse((self.folder / ".config" / "mlpstorage").exists() and
                         "mlpstorage-results" in (self.folder / ".config/mlpstorage/config.yaml").read_text(),
                         "try changes no default of the user")

    @sweep
    def test_a_place_that_is_four_times_as_slow_feeds_a_quarter_and_a_run_by_hand_agrees(self):
        read, wrote, fed = [], [], []
        for rate in (400, 100):
            said, parts = self.parts(self.place, "--inject-fault", SLOW.format(rate), seconds=20)
            self.assertTrue(said["measures_storage"])
            read.append(parts["training"]["figures"]["read_bytes_per_s"])
            wrote.append(parts["checkpoint"]["figures"]["write_gib_per_s"])
            figures = parts["training"]["figures"]
            fed.append((figures["accelerator"], figures["feeds"]))
        self.assertTrue(3.6 < read[0] / read[1] < 4.4, (read, fed))
        self.assertTrue(3.6 < wrote[0] / wrote[1] < 4.4, (wrote, fed))
        # The last checkpoints once more, by the command that the log has.
        log = sorted((self.into / "try").iterdir())[-1] / "commands.log"
        commands = [line[2:] for line in log.read_text().splitlines() if line.startswith("$ ") and "checkpointing" in line]
        by_hand_words = [re.sub(r"/mlpstorage-try-\w+/", "/", word) for word in shlex.split(commands[-1])[1:]]
        by_hand = json.loads(self.succeeds(*by_hand_words).stdout)["write"]["metrics"]["gib_per_s"]
        self.assertTrue(0.9 < by_hand / wrote[1] < 1.1, (by_hand, wrote))

    def test_memory_and_no_storage_are_called_so(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            done = self.succeeds("try", memory, "--time", "5s", "--results-dir", self.into)
            self.assertIn("THIS IS MEMORY, no storage", done.stdout)
            self.assertEqual([], os.listdir(memory))
        said, parts = self.parts("null://")
        self.assertFalse(said["measures_storage"])
        self.assertIsNotNone(parts["vectordb"]["not_tried_because"])

    def test_what_can_not_be_tried_is_refused_before_anything_is_written(self):
        self.fails(3, "E401", "try", self.folder / "nowhere", "--results-dir", self.into)
        self.fails(2, "E102", "try", self.place, "--time", "1s", "--results-dir", self.into)
        self.fails(2, "E102", "try", "ftp://x/y", "--results-dir", self.into)
        self.assertFalse(self.into.exists())
        (self.folder / "full").mkdir()
        (self.folder / "full" / "something").touch()
        done = self.fails(2, "E102", "try", self.place, "--results-dir", self.folder / "full")
        self.assertIn("is not empty", done.stderr)
        self.assertEqual(["something"], os.listdir(self.folder / "full"))
        self.assertEqual([], self.left())

    def test_a_fault_of_the_storage_ends_with_its_code_and_leaves_nothing(self):
        self.fails(6, "E605", "try", self.place, "--time", "5s", "--results-dir", self.into, "--inject-fault", "error500:write_part@2")
        self.assertEqual([], self.left())

    def test_what_a_killed_one_left_is_named_by_the_next(self):
        running = self.start("try", self.place, "--time", "5s", "--results-dir", self.into)
        self.wait_until("a folder", lambda: running.ended() or self.left())
        os.kill(running.process.pid, signal.SIGKILL)
        running.wait()
        [left] = self.left()
        done = self.fails(6, "E605", "try", self.place, "--time", "5s", "--results-dir", self.into, "--inject-fault",
                          "error500:write_part@2")
        self.assertIn(f"WARNING: {self.place / left} is of another try", done.stderr)
        self.assertEqual([left], self.left())

    def test_without_proc_it_says_what_to_mount(self):
        done = self.start("try", self.place, before=("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"',
                                                     "sh")).wait()
        self.assertIn("mount /proc", done.stderr, done)
        self.assertNotEqual(0, done.status)
        self.assertEqual([], self.left())
        self.assertFalse((self.folder / "mlpstorage-results").exists())

    def test_nothing_is_left_whenever_it_is_stopped(self):
        random.seed(os.getpid())
        for number in range(STOPS):
            kind = random.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
            after = random.uniform(0.0, 5.5)
            running = self.start("try", self.place, "--time", "5s", "--results-dir", self.folder / f"stopped{number}")
            time.sleep(after)
            os.kill(running.process.pid, kind)
            if number % 3 == 2:  # somebody in a hurry
                time.sleep(random.uniform(0, 0.05))
                if not running.ended():
                    os.kill(running.process.pid, signal.SIGINT)
            done = running.wait()
            what = f"{kind.name} after {after:.3f} s: {done}"
            # 0: it was through; -kind: nobody listened yet; -SIGINT: the second one came when all was done
            self.assertIn(done.status, (0, 8, -kind, -signal.SIGINT), what)
            self.assertEqual([], self.left(), what)


class BucketTest(object_suites.ObjectTest):
    def test_a_bucket_is_tried_and_left_as_it_was(self):
        location = self.location()
        into = self.folder / "tried"
        said = json.loads(self.succeeds("try", location, "--time", "5s", "--results-dir", into, "--json").stdout)
        self.assertEqual([], [part["error"] for part in said["parts"] if part["error"]])
        self.assertTrue(said["measures_storage"])
        self.assertEqual({}, self.stored(self.prefix))
        running = self.start("try", location, "--time", "5s", "--results-dir", into)
        time.sleep(random.uniform(0.5, 5))
        os.kill(running.process.pid, signal.SIGINT)
        done = running.wait()
        self.assertIn(done.status, (0, 8), done)
        self.assertEqual({}, self.stored(self.prefix))
        self.assert_no_open_uploads()
        self.assert_secret_free(done)


def serve(case, module, make_server):
    """Starts the server of a test case; these take long, so `make test-long` has them."""
    module.require()
    case.server = make_server().__enter__()
    case.addClassCleanup(case.server.stop)
    case.server.make_bucket(object_suites.BUCKET)


@sweep
class AzureTest(BucketTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        serve(cls, azurite, azurite.Azurite)


@sweep
class GoogleTest(BucketTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        serve(cls, fake_gcs, fake_gcs.FakeGcs)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        STOPS = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
