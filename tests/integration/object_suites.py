"""Checkpointing and training on object storage, the same tests for every kind of server.

A server is a fixture such as rgw.Rgw with the members: scheme, variables, secrets, endpoint_variable, make_bucket(), keys(),
list_objects(), get(), put(), remove(), open_uploads(), abort_uploads(), empty_bucket(), reads(), logs_ranges, stop_server(),
start_server(). A test file starts one by set_up() in its setUpModule(), and derives its test cases from those here.
"""

import collections
import json
import os
import pathlib
import signal
import subprocess
import unittest

import daemons
from program import ProgramTest
from training import TrainingTest

BUCKET = "mlps-test"
ONE_MIB = 1 << 20
EPOCHS = 2


def set_up(server):
    """Starts the one server of a test file."""
    ObjectTest.server = server.__enter__()
    unittest.addModuleCleanup(server.stop)
    server.make_bucket(BUCKET)


class ObjectTest(ProgramTest):
    """A test with a prefix of its own in the common bucket, which it leaves empty."""

    server = None

    def setUp(self):
        self.variables = self.server.variables
        super().setUp()
        self.prefix = self.id().rsplit(".", 1)[-1]
        self.addCleanup(self.server.empty_bucket, BUCKET)

    def location(self, prefix="", bucket=BUCKET):
        return f"{self.server.scheme}://{bucket}/{self.prefix}{prefix}"

    def stored(self, prefix):
        return {key.removeprefix(prefix + "/"): size
                for key, size in self.server.list_objects(BUCKET, prefix + "/").items()}

    def assert_no_open_uploads(self):
        self.assertEqual([], self.server.open_uploads(BUCKET))

    def assert_secret_free(self, *finished):
        """Neither what was printed nor any file of any run holds a credential."""
        for done in finished:
            for secret in self.server.secrets:
                self.assertNotIn(secret, done.stdout + done.stderr)
        for path in pathlib.Path(self.results).rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                for secret in self.server.secrets:
                    self.assertNotIn(secret.encode(), content, path)


class Checkpoints(ObjectTest):
    def test_bare_and_qualified_folder_store_the_same_objects(self):
        finished = []
        planned = self.planned()
        for name, where in (("bare", f"{BUCKET}/{self.prefix}/bare"), ("qualified", self.location("/qualified"))):
            prefix = f"{self.prefix}/{name}"
            done = self.call(*self.run_arguments("object", where, "--verify"), STORAGE_URI_SCHEME=self.server.scheme)
            record = self.assert_passed(done)
            [check] = record["cross_check"]  # the server is this host: both directions are bytes of lo
            self.assertEqual("lo", check["counters"], check)
            self.assertIn(check["result"], ("agrees", "more"), check)
            self.assertEqual(planned, self.stored(prefix))
            self.assertEqual(self.server.scheme, record["store"]["backend"])
            self.assertLess(done.peak_rss_bytes, 512 * ONE_MIB)
            finished.append(done)
        self.assert_no_open_uploads()
        self.assert_secret_free(*finished)

    def test_the_scheme_variable_serves_a_bare_folder_and_no_other(self):
        bare = f"{BUCKET}/{self.prefix}/bare"
        self.assert_passed(self.call(*self.run_arguments("object", bare, write=1, read=0),
                                     MLPSTORAGE_CHECKPOINT_URI_SCHEME=self.server.scheme), 1, 0)
        self.assert_passed(self.call(*self.run_arguments("object", self.location("/qualified"), write=1, read=0),
                                     MLPSTORAGE_CHECKPOINT_URI_SCHEME="direct"), 1, 0)
        self.assertEqual(self.planned(1), self.stored(f"{self.prefix}/bare"))
        self.assertEqual(self.planned(1), self.stored(f"{self.prefix}/qualified"))

    def test_written_by_one_invocation_and_read_by_the_next(self):
        self.assert_passed(self.call(*self.run_arguments("object", self.location(), read=0)), 2, 0)
        self.assert_passed(self.call(*self.run_arguments("object", self.location(), "--verify", write=0)), 0, 2)

    def test_many_parts_of_one_object(self):
        """As small as the server takes them."""
        done = self.call(*self.run_arguments("object", self.location(), "--verify", "--io-part-size", "64KiB", write=1,
                                             read=1))
        self.assert_passed(done, 1, 1)
        self.assert_no_open_uploads()

    def test_the_log_of_a_run_is_played_elsewhere(self):
        """And a run with --cleanup leaves nothing."""
        log = self.folder / "ops.csv.zst"
        done = self.call(*self.run_arguments("object", self.location("/run"), "--verify", "--op-log", log, "--cleanup",
                                             write=1, read=1))
        self.assert_passed(done, 1, 1)
        self.assertEqual({}, self.stored(f"{self.prefix}/run"))
        planned = self.planned(1)
        lines = subprocess.run(["zstd", "-dc", log], check=True, capture_output=True, text=True).stdout.splitlines()
        strip = next(line.split("\t")[7].partition("/run/")[0] for line in lines if f"{self.prefix}/run/" in line) + "/run"
        for target in (self.location("/again"), self.folder / "again"):
            played = self.succeeds("replay", log, "--to", target, "--strip", strip, "--as-fast-as-possible", "--json")
            kinds = json.loads(played.stdout)["kinds"]
            self.assertEqual(0, sum(kind["failed"] for kind in kinds.values()), kinds)
            for kind in ("PUT", "GET"):
                self.assertGreaterEqual(kinds[kind]["bytes"], sum(planned.values()))
        # Without the removals of the clean-up, which are played, too.
        lines = [line for line in lines if "\tDELETE\t" not in line or ".mlpstorage" in line]
        (self.folder / "kept.tsv").write_text("\n".join(lines) + "\n")
        self.succeeds("replay", self.folder / "kept.tsv", "--to", self.location("/kept"), "--strip", strip, "--speed", "10000")
        self.assertEqual(planned, {name: size for name, size in self.stored(f"{self.prefix}/kept").items()
                                   if ".mlpstorage" not in name})
        self.assert_no_open_uploads()
        for secret in self.server.secrets:
            self.assertNotIn(secret, "\n".join(lines))

    def test_closed_dry_run_needs_no_server(self):
        done = self.succeeds("closed", "checkpointing", "run", "object", "--model", "llama3-8b", "--num-processes", 8,
                             "--client-host-memory-in-gb", 16, "--checkpoint-folder", self.location(),
                             "--results-dir", self.results, "--systemname", "test-machine", "--dry-run",
                             **{self.server.endpoint_variable: "http://127.0.0.1:1"})
        self.assertIn("112,425,623,552", done.stdout)


class WrongCheckpoints(ObjectTest):
    def setUp(self):
        super().setUp()
        self.succeeds(*self.run_arguments("object", self.location(), "--seed", 7, write=1, read=0))
        self.victim, self.size = sorted(self.planned(1).items())[-1]

    def read_fails(self, status, code, *flags):
        done = self.fails(status, code, *self.run_arguments("object", self.location(), "--seed", 7, *flags, write=0, read=1))
        self.assertIn(os.path.basename(self.victim), done.stderr)
        self.assert_not_passed("failed")

    def replace(self, size):
        self.server.put(BUCKET, f"{self.prefix}/{self.victim}", os.urandom(size))

    def test_other_bytes_of_the_same_size_are_found(self):
        self.replace(self.size)
        self.read_fails(6, "E606", "--verify")

    def test_another_size_is_named_before_reading(self):
        self.replace(self.size - 1)
        self.read_fails(6, "E606")

    def test_a_missing_object_is_named_before_reading(self):
        self.server.remove(BUCKET, f"{self.prefix}/{self.victim}")
        self.read_fails(3, "E603")


class Refusals(ObjectTest):
    """Found before anything is written; no run folder is made."""

    def refused(self, status, code, *arguments, **variables):
        done = self.fails(status, code, *arguments, **variables)
        self.assertEqual([], self.run_folders())
        self.assert_secret_free(done)
        return done

    def test_missing_bucket(self):
        done = self.refused(3, "E603", *self.run_arguments("object", self.location(bucket="no-such-bucket")))
        self.assertIn("no-such-bucket", done.stderr)

    def test_nobody_listens(self):
        done = self.refused(6, "E601", *self.run_arguments("object", self.location()),
                            **{self.server.endpoint_variable: f"http://127.0.0.1:{daemons.free_port()}"})
        self.assertIn("127.0.0.1", done.stderr)

    def test_two_schemes(self):
        twice = f"{self.server.scheme}://{self.location()}"
        done = self.call(*self.run_arguments("object", twice))
        self.assertEqual(2, done.status, done)
        self.assertRegex(done.stderr, rf'location ".*{self.location()}": more than one "://"')

    def test_o_direct_goes_with_files_only(self):
        done = self.call(*self.run_arguments("object", self.location(), "--o-direct"))
        self.assertEqual(2, done.status, done)


class Interruptions(ObjectTest):
    def start_uploading(self, *more):
        """A run that has parts of uploads under way for some seconds at least."""
        return self.start(*self.run_arguments("object", self.location(), "--io-part-size", "8MiB", "--params",
                                              "checkpoint.time_between_checkpoints=0", *more, write=20, read=0))

    def uploading(self):
        return bool(self.server.list_objects(BUCKET, self.prefix + "/llama3-8b/global_epoch1_"))

    def test_control_c_aborts_open_uploads(self):
        done = self.interrupt(self.start_uploading(), self.uploading)
        self.assertEqual(8, done.status, done)
        self.assert_not_passed("interrupted")
        self.assert_no_open_uploads()
        self.assert_secret_free(done)

    def test_a_killed_run_leaves_a_record_that_says_incomplete(self):
        done = self.interrupt(self.start_uploading(), self.uploading, signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, done.status)
        self.assert_not_passed("incomplete")
        self.server.abort_uploads(BUCKET)

    def test_a_server_that_goes_away_fails_the_run(self):
        running = self.start_uploading("--storage-patience", 1)
        self.wait_until("the first object", lambda: running.ended() or self.uploading())
        self.server.stop_server()
        self.addCleanup(self.server.abort_uploads, BUCKET)
        try:
            done = running.wait()
        finally:
            self.server.start_server()
            self.server.make_bucket(BUCKET)
        self.assertEqual(6, done.status, done)
        self.assertIn("[E601]", done.stderr)
        self.assertEqual("E601", self.assert_not_passed("failed")["error"]["code"])


class Tools(ObjectTest):
    """`mlpstorage object` on this kind of server, and between it and files."""

    stores_late = False  # what was on its way when a client went away

    def shown(self, name):
        """A location as the program shows it."""
        return self.location(name)

    def tool(self, *arguments):
        return self.succeeds("object", *arguments)

    def setUp(self):
        super().setUp()
        self.local = self.folder / "local"
        self.content = {"a": b"", "d/b c": os.urandom(1000), "d/e/f": os.urandom(20 * ONE_MIB + 7)}
        for name, content in self.content.items():
            (self.local / name).parent.mkdir(parents=True, exist_ok=True)
            (self.local / name).write_bytes(content)
        self.total = sum(map(len, self.content.values()))
        self.tool("cp", "-r", self.local, self.location())

    def test_copies_there_and_back_are_the_same(self):
        self.assertEqual({name: len(content) for name, content in self.content.items()}, self.stored(self.prefix))
        self.assertEqual(self.content["d/b c"], self.server.get(BUCKET, f"{self.prefix}/d/b c"))
        self.tool("cp", "-r", self.location(), self.location("-copy"))
        self.tool("cp", "-r", self.location("-copy"), self.folder / "back")
        self.assertEqual(self.content, {path.relative_to(self.folder / "back").as_posix(): path.read_bytes()
                                        for path in (self.folder / "back").rglob("*") if path.is_file()})
        self.tool("cp", self.location("/d/b c"), self.folder / "one")
        self.assertEqual(self.content["d/b c"], (self.folder / "one").read_bytes())
        self.assert_no_open_uploads()

    def test_lists_sums_and_looks(self):
        listed = self.tool("ls", self.location()).stdout.splitlines()
        self.assertEqual({f"{len(content)}  {self.shown('/' + name)}" for name, content in self.content.items()},
                         {line.strip() for line in listed})
        self.assertEqual({self.shown("/" + name): len(content) for name, content in self.content.items()},
                         {row["location"]: row["size_bytes"]
                          for row in json.loads(self.tool("ls", self.location(), "--json").stdout)})
        self.assertEqual({"objects": 3, "size_bytes": self.total},
                         json.loads(self.tool("du", self.location(), "--json").stdout))
        self.assertEqual({"location": self.shown("/d/b c"), "size_bytes": 1000},
                         json.loads(self.tool("stat", self.location("/d/b c"), "--json").stdout))
        self.fails(3, "E603", "object", "stat", self.location("/d"))

    def test_removes_one_or_all_and_nothing_beside(self):
        beside = f"{self.prefix}-beside"
        self.server.put(BUCKET, beside, b"x")
        self.tool("rm", self.location("/a"))
        self.assertEqual({"d/b c", "d/e/f"}, set(self.stored(self.prefix)))
        self.fails(3, "E603", "object", "rm", self.location("/a"))
        self.tool("rm", "--recursive", self.location())
        self.assertEqual({beside: 1}, self.server.list_objects(BUCKET, self.prefix))

    def test_uploads_of_a_killed_run_are_listed_and_aborted(self):
        running = self.start(*self.run_arguments("object", self.location("/run"), "--io-part-size", "5MiB",
                                                 "--inject-fault", "slow=2000:write_part@3+", write=1, read=0))
        # Of a checkpoint: the gates try an upload, too.
        self.wait_until("an upload", lambda: running.ended() or "global_epoch" in str(self.server.open_uploads(BUCKET)))
        running.process.kill()
        running.wait()
        listed = self.tool("uploads", self.location("/run")).stdout.splitlines()
        self.assertTrue(listed)
        self.assertTrue(all(line.startswith(self.shown("/run/llama3-8b/")) for line in listed), listed)
        def aborted():
            self.tool("uploads", self.location("/run"), "--abort")
            return not self.server.open_uploads(BUCKET)

        if self.stores_late:
            self.wait_until("the last block", aborted)
        else:
            self.assertTrue(aborted())
        self.assertEqual("", self.tool("uploads", self.location("/run")).stdout)


class Training(ObjectTest, TrainingTest):
    def generate(self, model, *more):
        done = self.call(*self.training(model, "datagen", "object", self.location(), *more))
        self.assert_training_passed(done, model, "datagen")
        self.assert_no_open_uploads()
        return {name: size for name, size in self.server.list_objects(BUCKET, f"{self.prefix}/{model}/").items()
                if "/train/" in name}

    def read(self, model, *more):
        """Runs it, and returns the record and {(key, range): times} of what the server handed out of the data set."""
        before = len(self.server.reads(BUCKET))
        done = self.call(*self.training(model, "run", "object", self.location(), "--verify", *more, epochs=EPOCHS))
        record = self.assert_training_passed(done, model, "run")
        reads = collections.Counter(read for read in self.server.reads(BUCKET)[before:] if "/train/" in read[0])
        return record, reads

    def assert_read_once_per_epoch(self, objects, reads):
        """Each range exactly once per epoch, and together each object as a whole."""
        self.assertEqual(set(objects), {key for key, _ in reads})
        if not self.server.logs_ranges:
            self.assertEqual({0}, {times % EPOCHS for times in reads.values()})
            return
        self.assertEqual({EPOCHS}, set(reads.values()))
        covered = collections.defaultdict(list)
        for key, asked in reads:
            first, last = map(int, asked.removeprefix("bytes=").split("-"))
            covered[key].append((first, last + 1))
        for name, ranges in covered.items():
            end = 0
            for first, last in sorted(ranges):
                self.assertEqual(end, first, f"{name}: a gap or an overlap")
                end = last
            self.assertEqual(objects[name], end, name)

    def assert_metrics_agree(self, model, objects):
        """Samples and shares of summary.json are what was read."""
        summary = json.loads((self.training_folder(model, "run") / "summary.json").read_text())
        metric = summary["metric"]
        self.assertEqual(EPOCHS, len(metric["train_au_percentage"]))
        mean = sum(metric["train_au_percentage"]) / EPOCHS
        self.assertAlmostEqual(mean, metric["train_au_mean_percentage"], places=6)
        self.assertEqual(len(objects), summary["num_files_train"])
        for epoch in metric["train_au_percentage"]:
            self.assertTrue(0 < epoch <= 100, metric)

    def test_unet3d_npz_in_parts(self):
        objects = self.generate("unet3d")
        self.assertEqual(24, len(objects))
        self.assertGreater(len(set(objects.values())), 12, "sizes vary")
        record, reads = self.read("unet3d", "--io-part-size", "64KiB")
        self.assert_read_once_per_epoch(objects, reads)
        self.assertEqual(EPOCHS * sum(objects.values()), record["reading"]["bytes"])
        self.assertEqual(EPOCHS * sum(objects.values()), record["reading"]["bytes_verified"])
        self.assert_metrics_agree("unet3d", objects)

    def test_retinanet_jpeg_one_request_each(self):
        objects = self.generate("retinanet")
        self.assertEqual({40000}, set(objects.values()))
        record, reads = self.read("retinanet")
        self.assertEqual(len(objects), len(reads), "one request per object")
        self.assertEqual({EPOCHS}, set(reads.values()))
        self.assert_read_once_per_epoch(objects, reads)
        self.assertEqual(EPOCHS * 96 * 40000, record["reading"]["bytes"])
        self.assert_metrics_agree("retinanet", objects)

    def test_flux_parquet_two_columns_of_five(self):
        objects = self.generate("flux")
        self.assertEqual(8, len(objects))
        record, reads = self.read("flux", "--params", "storage.storage_options.columns=clip_encodings,timestamp")
        self.assertEqual(set(objects), {key for key, _ in reads})
        asked = record["reading"]["bytes"]
        if self.server.logs_ranges:
            self.assertEqual({EPOCHS}, set(reads.values()))
            ranges = [asked_for.removeprefix("bytes=").split("-") for _, asked_for in reads]
            self.assertEqual(sum(EPOCHS * (int(last) - int(first) + 1) for first, last in ranges), asked)
        # 416 floats of two million bytes a row, and footers: far less than the objects.
        self.assertLess(asked, EPOCHS * sum(objects.values()) // 100)
        self.assertGreater(asked, EPOCHS * 8 * 4 * 416 * 4)
        self.assert_metrics_agree("flux", objects)

    def test_a_changed_object_is_found(self):
        self.generate("retinanet")
        key = f"{self.prefix}/retinanet/train/img_17_of_96.jpeg"
        content = bytearray(self.server.get(BUCKET, key))
        content[20000] ^= 1
        self.server.put(BUCKET, key, bytes(content))
        done = self.fails(6, "E606", *self.training("retinanet", "run", "object", self.location(), "--verify"))
        self.assertIn("img_17_of_96.jpeg", done.stderr)
        self.assertEqual("failed", self.training_record("retinanet", "run")["verdict"])

    def test_a_missing_object_is_found_before_the_run(self):
        self.generate("retinanet")
        self.server.remove(BUCKET, f"{self.prefix}/retinanet/train/img_17_of_96.jpeg")
        done = self.fails(3, "E603", *self.training("retinanet", "run", "object", self.location()))
        self.assertIn("img_17_of_96.jpeg", done.stderr)
