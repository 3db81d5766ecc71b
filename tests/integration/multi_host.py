"""What the tests of runs on several hosts share: hosts, how the program is started on them, and what must be the same as
on one host."""

import filecmp
import json
import os
import re
import signal
import time
import unittest

import hosts
from training import TrainingTest

HOSTS = ("alpha", "beta")
BUCKET = "many-hosts"
# More for the launcher where hosts are network namespaces: {agent} stands for ssh. What MPI libraries would do by shared
# memory or another network goes over the cable.
LAUNCHERS = {
    "openmpi": ("--mpi-bin", "mpirun.openmpi", "--allow-run-as-root",
                "--mpi-params=--mca plm_rsh_agent {agent} --mca oob_tcp_if_include eth0 --mca btl_tcp_if_include eth0"),
    "mpich": ("--mpi-bin", "mpirun.mpich",
              "--mpi-params=-launcher rsh -launcher-exec {agent} -genv UCX_TLS tcp,self"),
}


def need_hosts():
    """For setUpModule: skips without root, and leaves the machine's network."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("making network namespaces takes root")
    hosts.enter_own_network()


class MultiHostTest(TrainingTest):
    """A test with hosts of its own, two unless it says others. Its folder is on all, its results directory on the first alone."""
    host_names = HOSTS

    def setUp(self):
        super().setUp()
        self.hosts = self.enterContext(hosts.Hosts(*self.host_names))
        for name in self.host_names[1:]:
            self.hosts.hide(name, self.results)
        self.where = self.folder / "stored"

    # ---- starting it ----------------------------------------------------------------------------------------------

    def on_hosts(self, *more, launcher="openmpi", names=HOSTS):
        """Flags that make a command one of several hosts."""
        return ("--hosts", ",".join(names), *(word.format(agent=self.hosts.agent) for word in LAUNCHERS[launcher]), *more)

    def start_on_alpha(self, *arguments):
        """Starts the program as a user of the first host does."""
        return self.start(*arguments, before=self.hosts.command("alpha"))

    def on_alpha(self, *arguments):
        return self.start_on_alpha(*arguments).wait()

    def refused(self, status, code, *arguments):
        """It ends before a run folder is made, with that status and [E###] code."""
        done = self.on_alpha(*arguments)
        self.assertEqual(status, done.status, done)
        self.assertIn(f"[{code}]", done.stderr, done)
        self.assertEqual([], self.run_folders())
        return done

    def share_gateway(self, server):
        """Both hosts reach the server: the first by what the program is started with, the other by what is there."""
        self.variables = server.variables
        self.hosts.set_environment("beta", **server.variables)
        self.addCleanup(server.empty_bucket, BUCKET)

    # ---- one process of the job -----------------------------------------------------------------------------------

    def process_on(self, name):
        """Process id of the job's process on a host; None while there is none."""
        found = [pid for pid in self.hosts.pids(name, "OMPI_COMM_WORLD_RANK") + self.hosts.pids(name, "PMI_RANK")
                 if _program(pid) == os.path.realpath(self.program)]
        return found[0] if found else None

    def kill(self, running, name):
        """Kills a host's process, and returns what became of the command."""
        self.strike(running, lambda: os.kill(self.process_on(name), signal.SIGKILL), f"{name} killed")
        return self.ends(running, 30)

    def cut(self, running, name):
        """Takes a host's cable out, and returns what became of the command."""
        self.strike(running, lambda: self.hosts.cut(name), f"{name} cut off")
        return self.ends(running, 60)

    def strike(self, running, blow, what):
        if running.ended():
            self.fail(f"it ended before: {running.wait()}")
        blow()
        self._what, self._struck = what, time.monotonic()

    def wait_until_stuck(self, running):
        """Waits until an injected hang has begun. Process 0 says so; of the others, whose status lines are not shown, it is
        taken to have begun four seconds after the run's folder is there."""
        self.wait_until("the run's folder", lambda: running.ended() or running.said("run folder: "))
        begun = time.monotonic()
        self.wait_until("a hang", lambda: running.ended() or running.said("injected fault: ")
                        or time.monotonic() - begun > 4)

    def ends(self, running, limit_s):
        """What became of the command, which must have noticed; the limit is a guard rail, the time is printed."""
        done = running.wait()
        elapsed = time.monotonic() - self._struck
        print(f"{self.id().rsplit('.', 1)[-1]}: {self._what}: ended with {done.status} after {elapsed:.1f} s", flush=True)
        self.assertLess(elapsed, limit_s, done)
        self.assertNotEqual(0, done.status, done)
        return done

    # ---- what a run left ------------------------------------------------------------------------------------------

    def files_of(self, folder):
        """Names of a run folder's files, without the time."""
        names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        return {re.sub(r"\d{8}_\d{6}", "TIME", name) for name in names}

    def read_json(self, folder, pattern):
        paths = list(folder.glob(pattern))
        self.assertEqual(1, len(paths), f"{pattern}: {paths}")
        return json.loads(paths[0].read_text())

    def assert_hosts_in(self, folder, benchmark, ranks_of):
        """Every file that speaks of hosts speaks of all of them. `ranks_of`: {host: its ranks}."""
        names = list(ranks_of)
        if (folder / "summary.json").exists():
            summary = self.read_json(folder, "summary.json")
            self.assertEqual(len(names), summary["num_hosts"])
            self.assertEqual(names[0], summary["hostname"])
            for array in ("host_cpu_count", "potential_caching"):
                self.assertEqual(len(names), len(summary[array]), array)
            self.assertEqual([os.cpu_count()] * len(names), summary["host_cpu_count"])
        for name, ranks in ranks_of.items():
            for rank in ranks if (folder / "summary.json").exists() else ():
                self.assertEqual(name, self.read_json(folder, f"{rank}_output.json")["hostname"], rank)
        self.assertEqual({*names, "_metadata"}, set(self.read_json(folder, f"{benchmark}_cluster_info.json")))
        series = self.read_json(folder, f"{benchmark}_*_timeseries.json")
        self.assertEqual(set(names), set(series["hosts_collected"]))
        self.assertEqual(set(names), set(series["samples_by_host"]))
        for name, samples in series["samples_by_host"].items():
            self.assertGreaterEqual(len(samples), 2, name)
            self.assertEqual({name}, {sample["hostname"] for sample in samples})
        metadata = self.read_json(folder, f"{benchmark}_*_metadata.json")
        if metadata["command"] == "datagen":  # of which mlpstorage 3.0 stores no hosts
            self.assertIsNone(metadata["system_info"])
            return
        for snapshot in (metadata["system_info"], metadata["cluster_snapshots"]["start"],
                         metadata["cluster_snapshots"]["end"]):
            self.assertEqual(len(names), snapshot["num_hosts"])
            self.assertEqual(names, [host["hostname"] for host in snapshot["hosts"]])

    def assert_no_claim(self):
        """No record claims a result, and no summary is there to be taken for one."""
        for path in self.results.rglob("mlpstorage_record.json"):
            self.assertNotEqual("passed", json.loads(path.read_text())["verdict"], path)
        self.assertEqual([], list(self.results.rglob("summary.json")))

    def assert_same_files(self, one, other):
        """The same names, and the same bytes in each."""
        names = [sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
                 for root in (one, other)]
        self.assertEqual(*names)
        self.assertTrue(names[0])
        _same, different, failed = filecmp.cmpfiles(one, other, names[0], shallow=False)
        self.assertEqual(([], []), (different, failed))


def _program(pid):
    try:
        return os.path.realpath(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return None


def checkpoint_figures(record):
    """What must not depend on how many hosts the ranks are on."""
    phases = {name: {key: record[name][key] for key in ("checkpoints_done", "bytes", "bytes_verified", "parts", "objects")}
              for name in ("write", "read")}
    events = [(event["phase"], event["checkpoint"], [(rank["rank"], rank["bytes"]) for rank in event["ranks"]])
              for event in record["events"]]
    latencies = {(name, what): record[name]["latency"][what]["count"] for name in ("write", "read")
                 for what in record[name]["latency"]}
    return phases, events, latencies, record["plan"]


def training_figures(record):
    """What must not depend on how many hosts the ranks are on."""
    steps = [(epoch["epoch"], [[(rank["rank"], rank["steps"]) for rank in block["ranks"]] for block in epoch["blocks"]])
             for epoch in record["epochs"]]
    reading = {key: record["reading"][key] for key in ("bytes", "bytes_verified", "extents", "files_opened", "reads")}
    return steps, reading, record["plan"]


def datagen_figures(record):
    return {key: record[key] for key in ("files", "files_written", "files_kept", "bytes_written", "data_seed")}
