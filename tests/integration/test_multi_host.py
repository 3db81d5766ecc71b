#!/usr/bin/env python3
"""Runs on two hosts, by each MPI: what they store, read and report is what one host does."""

import unittest

import fake_gcs
import hosts
import rgw
from multi_host import (BUCKET, LAUNCHERS, MultiHostTest, checkpoint_figures, datagen_figures, need_hosts,
                        training_figures)
from program import PROCESSES

HALF = PROCESSES // 2
RANKS = {"alpha": range(HALF), "beta": range(HALF, PROCESSES)}


def setUpModule():
    need_hosts()


class Checkpointing(MultiHostTest):
    def one_host(self):
        """Figures and files of the same run on one host."""
        where = self.folder / "one-host"
        self.assert_passed(self.call(*self.run_arguments("file", where, "--verify", "--seed", 7)))
        return checkpoint_figures(self.record()), self.files_of(self.run_folder()), where

    def assert_like(self, one_host, done):
        """Passed, all hosts are in the results, and the figures are those of one host."""
        figures, files, _where = one_host
        record = self.assert_passed(done)
        self.assertEqual(figures, checkpoint_figures(record))
        planned = {rank["rank"]: rank["total_bytes"] for rank in record["plan"]["ranks"]}
        for event in record["events"]:
            self.assertEqual(planned, {rank["rank"]: rank["bytes"] for rank in event["ranks"]})
        self.assertEqual(files, self.files_of(self.run_folder()))
        self.assert_hosts_in(self.run_folder(), "checkpointing", RANKS)

    def test_on_a_shared_folder_by_each_mpi(self):
        one_host = self.one_host()
        for launcher in LAUNCHERS:
            with self.subTest(launcher):
                where = self.folder / launcher
                done = self.on_alpha(*self.run_arguments("file", where, "--verify", "--seed", 7,
                                                         *self.on_hosts(launcher=launcher)))
                self.assert_like(one_host, done)
                self.assert_same_files(one_host[2], where)

    def test_joined_under_a_launcher_of_the_user(self):
        one_host = self.one_host()
        agent = str(self.hosts.agent)
        launch = {
            "openmpi": ("mpirun.openmpi", "--allow-run-as-root", "-n", 2, "--host", "alpha:1,beta:1", "--bind-to", "none",
                        "--mca", "plm_rsh_agent", agent, "--mca", "oob_tcp_if_include", "eth0", "--mca",
                        "btl_tcp_if_include", "eth0"),
            "mpich": ("mpiexec.mpich", "-n", 2, "-hosts", "alpha,beta", "-launcher", "rsh", "-launcher-exec", agent, "-genv",
                      "UCX_TLS", "tcp,self"),
        }
        for launcher, words in launch.items():
            with self.subTest(launcher):
                where = self.folder / launcher
                done = self.start(*self.run_arguments("file", where, "--verify", "--seed", 7),
                                  before=self.hosts.command("alpha", *words)).wait()
                self.assert_like(one_host, done)
                self.assert_same_files(one_host[2], where)

    def test_on_an_object_store(self):
        self.on_object_store(rgw.Rgw(address=hosts.HUB))

    @unittest.skipIf(fake_gcs.program() is None, "no fake-gcs-server, which comes from PyPI")
    def test_on_google_cloud_storage(self):
        self.on_object_store(fake_gcs.FakeGcs(address=hosts.HUB))

    def on_object_store(self, server):
        self.enterContext(server)
        server.make_bucket(BUCKET)
        self.share_gateway(server)
        one_host = self.one_host()
        done = self.on_alpha(*self.run_arguments("object", f"{server.scheme}://{BUCKET}/run", "--verify", "--seed", 7,
                                                 "--io-part-size", "8MiB", *self.on_hosts()))
        self.assert_passed(done)
        self.assertEqual(one_host[0][1], checkpoint_figures(self.record())[1])
        self.assert_hosts_in(self.run_folder(), "checkpointing", RANKS)
        self.assertEqual(self.planned(), {key.removeprefix("run/"): size
                                          for key, size in server.list_objects(BUCKET).items()})
        self.assertEqual([], server.open_uploads(BUCKET))
        for text in (done.stdout, done.stderr, *(path.read_text(errors="replace") for path in self.run_folder().rglob("*.*"))):
            for secret in server.secrets:
                self.assertNotIn(secret, text)


class Training(MultiHostTest):
    ACCELERATORS = 4
    RANKS = {"alpha": range(2), "beta": range(2, 4)}

    def both(self, model, protocol, where, *more):
        """Generates and reads a data set; figures and files of both."""
        found = []
        for command in ("datagen", "run"):
            flags = ("--seed", 7, *(("--verify",) if command == "run" else ()))
            done = self.on_alpha(*self.training(model, command, protocol, where, *flags, *more,
                                                accelerators=self.ACCELERATORS))
            record = self.assert_training_passed(done, model, command)
            figures = datagen_figures(record) if command == "datagen" else training_figures(record)
            folder = self.training_folder(model, command)
            found.append((figures, self.files_of(folder)))
            if more:
                self.assert_hosts_in(folder, "training", self.RANKS)
        return found

    def test_on_a_shared_folder(self):
        for model in ("retinanet", "unet3d"):
            with self.subTest(model):
                one, two = self.folder / f"{model}-one", self.folder / f"{model}-two"
                self.assertEqual(self.both(model, "file", one), self.both(model, "file", two, *self.on_hosts()))
                self.assert_same_files(one / model / "train", two / model / "train")

    def test_on_an_object_store(self):
        server = self.enterContext(rgw.Rgw(address=hosts.HUB))
        server.make_bucket(BUCKET)
        self.share_gateway(server)
        one = self.both("retinanet", "object", f"s3://{BUCKET}/one")
        two = self.both("retinanet", "object", f"s3://{BUCKET}/two", *self.on_hosts())
        self.assertEqual(one, two)
        sizes = [{key.removeprefix(f"{name}/"): size for key, size in server.list_objects(BUCKET, f"{name}/").items()
                  if "/train/" in key} for name in ("one", "two")]
        self.assertEqual(*sizes)
        self.assertEqual(96, len(sizes[0]))
        self.assertEqual([], server.open_uploads(BUCKET))


if __name__ == "__main__":
    unittest.main(verbosity=2)
