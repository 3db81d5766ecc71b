#!/usr/bin/env python3
"""Training on hosts that are too slow for it: the run says so, and no number of it is called the storage's."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

from program import LIMIT_S
from training import TrainingTest

PERIOD_US = 100_000
UNET3D = ("unet3d", "dataset.num_files_train=2000", "dataset.record_length_bytes=1000", "reader.batch_size=1")
# Steps as short as a B200's of DLRM.
DLRM = ("unet3d", "dataset.num_files_train=24000", "dataset.record_length_bytes=1000", "reader.batch_size=1",
        "train.computation_time=0.000375")


def quota_group(percent):
    """A control group, of either version, with that much of one processor; None where there is no right to make one."""
    name = f"mlpstorage-test-{os.getpid()}"
    for root, quota in (("/sys/fs/cgroup/cpu", None), ("/sys/fs/cgroup", "cpu.max")):
        group = pathlib.Path(root) / name
        if not (pathlib.Path(root) / "cgroup.procs").exists():
            continue
        try:
            group.mkdir()
            micros = PERIOD_US * percent // 100
            if quota:
                (group / quota).write_text(f"{micros} {PERIOD_US}")
            else:
                (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (group / "cpu.cfs_quota_us").write_text(str(micros))
            return group
        except OSError:
            with contextlib.suppress(OSError):
                group.rmdir()
    return None


class SlowClient(TrainingTest):
    def command(self, shape, *more, accelerators=8, epochs=1, params=()):
        return self.training(shape[0], "run", "file", "null://", *more, accelerators=accelerators, epochs=epochs,
                             params=[*shape[1:], "dataset.record_length_bytes_stdev=0", *params])

    def assert_said(self, done, what="training"):
        """Warning, verdict, and every file say that the number is not about the storage; AU and exit status stay."""
        self.assertEqual(0, done.status, done)
        self.assertIn(f"the time of {what} the storage waited for it", done.stderr)
        self.assertRegex(done.stdout, "^(NO STORAGE was measured|NO ANSWER about the storage: this client was too slow)")
        self.assertNotIn("feeds", done.stdout)
        self.assertRegex(done.stdout, r"limited by  this client or the storage.*(\n.*){1,4}this client is too slow")
        self.assertIn("train_au_meet_expectation fail", done.stdout)
        folder = self.training_folder("unet3d", "run")
        tables = (folder / "training_run.stdout.log").read_text()
        self.assertIn("train_au_meet_expectation: fail", tables)
        self.assertIn("Verdict: passed, but the number is not about the storage", tables)
        self.assertNotIn("success", done.stdout + tables)
        record = json.loads((folder / "mlpstorage_record.json").read_text())
        self.assertTrue(any(f"the time of {what} " in caveat for caveat in record["caveats"]), record["caveats"])
        for caveat in record["caveats"]:
            self.assertIn(caveat, tables)
        self.assertEqual("fail", record["metrics"]["train_au_meet_expectation"])
        self.assertEqual("fail", json.loads((folder / "summary.json").read_text())["metric"]["train_au_meet_expectation"])
        metadata = json.loads(next(folder.glob("training_*_metadata.json")).read_text())
        self.assertEqual(record["caveats"], metadata["caveats"])
        return record

    @contextlib.contextmanager
    def busy(self, processor, loops):
        hogs = [subprocess.Popen(["sh", "-c", "while :; do :; done"], preexec_fn=lambda: os.sched_setaffinity(0, {processor}))
                for _ in range(loops)]
        try:
            yield
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()

    def on_one_processor(self, command):
        """Starts the command on one processor; returns it with its number."""
        allowed = os.sched_getaffinity(0)
        processor = min(allowed)
        os.sched_setaffinity(0, {processor})
        try:
            return self.start(*command), processor
        finally:
            os.sched_setaffinity(0, allowed)

    def test_a_quota_of_processor_time(self):
        self.run_with_quota(DLRM, 5, ["train.total_training_steps=1000"])

    def test_a_quota_while_the_storage_is_slow(self):
        self.run_with_quota(DLRM, 3, ["train.total_training_steps=1000"], "--inject-fault", "slow=5:read_part@1+")

    def run_with_quota(self, shape, percent, params, *more, what="training"):
        group = quota_group(percent)
        if group is None:
            self.skipTest("no right to make a control group with a quota")
        self.addCleanup(group.rmdir)
        running = self.start(*self.command(shape, *more, params=params))
        (group / "cgroup.procs").write_text(str(running.process.pid))
        record = self.assert_said(running.wait(), what)
        processors = record["epochs"][0]["client"]["processors"]
        self.assertGreater(processors["throttled_periods"], 0)
        self.assertGreater(processors["throttled_ns"], 0)

    def test_one_processor_with_two_other_loops(self):
        running, processor = self.on_one_processor(self.command(DLRM))
        with self.busy(processor, 2):
            record = self.assert_said(running.wait())
        client = record["epochs"][0]["client"]
        self.assertGreater(client["compute_measured_ns"], client["compute_drawn_ns"])

    def test_too_many_accelerators_for_one_processor(self):
        running, _ = self.on_one_processor(self.command(DLRM, accelerators=256))
        self.assert_said(running.wait())

    def stopped_for_a_while(self, command):
        """Runs the command, stopped (SIGSTOP) for 1.5 s of the 4 s that it computes."""
        running = self.start(*command)
        deadline = time.monotonic() + LIMIT_S
        while not self.training_folders("unet3d", "run") and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(1)
        running.process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        running.process.send_signal(signal.SIGCONT)
        return running.wait()

    def test_a_run_that_is_stopped_while_it_computes(self):
        self.assert_said(self.stopped_for_a_while(self.command(UNET3D, accelerators=2, params=[
            "train.computation_time=0.02", "train.total_training_steps=200"])))

    def test_a_run_that_is_stopped_while_it_waits_for_data(self):
        self.assert_said(self.stopped_for_a_while(self.command(UNET3D, "--inject-fault", "slow=40:read_part@1+", "--io-workers",
            1, "--io-depth", 1, accelerators=1, params=["train.computation_time=0.0001", "train.total_training_steps=100"])))

    def test_a_run_that_is_stopped_in_an_evaluation(self):
        self.assert_said(self.stopped_for_a_while(self.command(UNET3D, accelerators=2, params=[
            "train.computation_time=0.02", "train.total_training_steps=3", "workflow.evaluation=True",
            "dataset.num_files_eval=400", "reader.batch_size_eval=1", "evaluation.eval_time=0.02"])), "the evaluations")

    def checkpoint_params(self, folder):
        return ["train.computation_time=0.05", "train.total_training_steps=20", "workflow.checkpoint=True",
                "model.model_size_bytes=300000000", "checkpoint.checkpoint_after_epoch=1",
                f"checkpoint.checkpoint_folder={folder}"]

    def test_a_checkpoint_that_takes_this_client_longer_than_the_storage(self):
        self.run_with_quota(UNET3D, 10, self.checkpoint_params(self.folder / "saved"), what="the checkpoints")

    def test_checkpoints_on_no_storage_have_nothing_that_waits(self):
        self.call(*self.command(UNET3D, accelerators=2, params=self.checkpoint_params("null://")))
        record = json.loads((self.training_folder("unet3d", "run") / "mlpstorage_record.json").read_text())
        self.assertIsNone(record["metrics"]["client_share"]["checkpoints"])
        self.assertIsNone(record["epochs"][0]["checkpoints"][0]["client_ns"])


if __name__ == "__main__":
    unittest.main()
