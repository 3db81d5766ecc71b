#!/usr/bin/env python3
"""Every fault the program can inject, on the real binary: on files, directly to the disk, and on a real S3 server.

What must hold each time: the exit status and the [E###] code are those of the fault, the record says "failed" with that
code first, and nothing half-written is left: no open upload, no file that isn't complete.
"""

import pathlib
import unittest

import rgw
from program import ProgramTest

BUCKET = "faults"

# fault: exit status, code, with these flags
FATAL = {
    "reset:begin_write": (6, "E601", ()),
    "reset:write_part@3": (6, "E601", ()),
    "reset:read_part@3": (6, "E601", ()),
    "error500:write_part@2": (6, "E605", ()),
    "slowdown=5:write_part@2": (6, "E604", ()),
    "denied:begin_write": (4, "E602", ()),
    "denied:read_part@5": (4, "E602", ()),
    "full:write_part@4": (3, "E403", ()),
    "full:commit_write": (3, "E403", ()),
    "short:read_part@2": (6, "E606", ()),
    "flip:write_part@6": (6, "E606", ("--verify",)),
    "flip:read_part@6": (6, "E606", ("--verify",)),
}
# These cost attempts, which are counted, and the run passes.
RETRIED = ("reset=2:write_part@3", "error500=1:read_part@2", "slowdown:write_part@2", "slow=50:read_part@1+")


class FaultTest(ProgramTest):
    protocol = "file"

    def faulty(self, fault, where, *flags):
        return self.run_arguments(self.protocol, where, "--inject-fault", fault, *flags, write=1, read=1)

    def assert_fatal(self, fault, where, more=()):
        status, code, flags = FATAL[fault]
        self.fails(status, code, *self.faulty(fault, where, *flags, *more))
        record = self.assert_not_passed("failed")
        self.assertEqual(code, record["error"]["code"])
        self.assertEqual(fault, record["store"]["injected_fault"])

    def assert_retried(self, fault, where):
        record = self.assert_passed(self.call(*self.faulty(fault, where, "--verify")), 1, 1)
        if not fault.startswith("slow="):
            self.assertGreater(record["write"]["retries"] + record["read"]["retries"], 0, fault)


class OnFiles(FaultTest):
    def assert_whole(self, folder):
        """What is there has the planned size: a file whose commit did not succeed is gone."""
        planned = self.planned(1)
        for path in pathlib.Path(folder).rglob("*.pt"):
            self.assertEqual(planned[path.relative_to(folder).as_posix()], path.stat().st_size, path)

    def test_fatal(self):
        for fault in FATAL:
            for more in ((), ("--o-direct",)):
                with self.subTest(fault, more=more):
                    folder = self.folder / f"{len(self.run_folders())}"
                    self.assert_fatal(fault, folder, more)
                    self.assert_whole(folder)

    def test_a_lost_part_is_found_by_the_commit(self):
        for more in ((), ("--o-direct",)):
            folder = self.folder / f"lost{len(more)}"
            self.fails(6, "E606", *self.faulty("lost:write_part@2", folder, *more))
            self.assert_not_passed("failed")
            self.assert_whole(folder)

    def test_retried(self):
        for fault in RETRIED:
            with self.subTest(fault):
                self.assert_retried(fault, self.folder / f"{len(self.run_folders())}")

    def test_what_hangs_ends_with_the_signal(self):
        running = self.start(*self.faulty("hang:write_part@4", self.folder / "hang"))
        done = self.interrupt(running, lambda: (self.folder / "hang/llama3-8b/global_epoch1_step1").exists())
        self.assertEqual(8, done.status, done)
        self.assert_not_passed("interrupted")
        self.assert_whole(self.folder / "hang")

    def test_a_wrong_specification_is_an_argument_error(self):
        self.fails(2, "E102", *self.faulty("melt:write_part", self.folder / "x"))
        self.fails(2, "E102", *self.faulty("reset:everything", self.folder / "x"))


class OnNull(FaultTest):
    def test_fatal(self):
        for fault in ("reset:write_part@3", "denied:begin_write", "flip:read_part@6"):
            with self.subTest(fault):
                self.assert_fatal(fault, "null://")


class OnS3(FaultTest):
    protocol = "object"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = rgw.Rgw().__enter__()
        cls.addClassCleanup(cls.server.stop)
        cls.server.make_bucket(BUCKET)
        cls.variables = cls.server.variables

    def test_fatal_leaves_no_open_upload(self):
        for fault in FATAL:
            with self.subTest(fault):
                self.assert_fatal(fault, f"s3://{BUCKET}/p", ("--io-part-size", "8MiB"))
                self.assertEqual([], self.server.open_uploads(BUCKET))
        self.server.empty_bucket(BUCKET)

    def test_a_lost_part_is_never_completed(self):
        done = self.call(*self.faulty("lost:write_part:optim@2", f"s3://{BUCKET}/p", "--io-part-size", "8MiB"))
        self.assertEqual(6, done.status, done)
        self.assert_not_passed("failed")
        self.assertEqual([], self.server.open_uploads(BUCKET))
        self.server.empty_bucket(BUCKET)

    def test_retried(self):
        for fault in RETRIED:
            with self.subTest(fault):
                self.assert_retried(fault, f"s3://{BUCKET}/p")
        self.server.empty_bucket(BUCKET)


if __name__ == "__main__":
    unittest.main(verbosity=2)
