"""A Slurm of one node on this host for tests: the distribution's own slurmctld, slurmd and munged.

Configuration, key, state and logs stand in one temporary folder, ports are free ones of 127.0.0.1, and the daemons are
children of this process, so that a Slurm of the machine itself is neither needed nor touched. Leaving the context ends the
daemons and all that they started. Needs root.
"""

import atexit
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from daemons import DaemonError, Folder, die_with_parent, free_port, log_ends

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sinfo", "scancel")
CPUS = 8  # of the node, whatever this machine has

_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd.log
PlugStackConfig={root}/plugstack.conf
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
KillWait=5
SlurmdParameters=config_overrides
NodeName=node0 NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus}
PartitionName=all Nodes=node0 Default=YES MaxTime=INFINITE
"""


def missing_programs():
    """Names of the programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Slurm:
    """`with Slurm() as cluster: cluster.run("srun", "-n", 2, "hostname")`. Not thread-safe; create it in the main thread
    (the daemons die with the thread that started them)."""

    def __init__(self, start_limit_s=60):
        self.start_limit_s = start_limit_s
        self._daemons = []  # (name, Popen), in the order of their start
        self._folder = self.root = None

    def __enter__(self):
        absent = missing_programs()
        if absent:
            raise DaemonError(f"not installed: {', '.join(absent)}; run scripts/setup.sh test")
        self._deadline = time.monotonic() + self.start_limit_s
        atexit.register(self.stop)
        try:
            self._prepare()
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the daemons and what they started, and removes the folder. May be called again."""
        atexit.unregister(self.stop)
        for name, process in reversed(self._daemons):
            if name == "slurmctld":  # it has a child, which goes when it is asked
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    pass
            process.kill()
            process.wait()
        if self.root:
            self._kill_steps()
        self._daemons.clear()
        if self._folder:
            self._folder.remove()
            self._folder = self.root = None

    # ---- start ----------------------------------------------------------------------------------------------------

    def _prepare(self):
        # Not below the build: the name of a socket may have 107 characters. What munged asks of its folder's mode holds.
        self._folder = Folder("slurm-")
        self.root = self._folder.path
        self.root.chmod(0o755)
        for name in ("log", "state", "spool"):
            (self.root / name).mkdir()
        key = self.root / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        (self.root / "plugstack.conf").touch()
        # No plug-in used here needs control groups, but slurmd loads the one for them; this one changes nothing.
        (self.root / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        self.conf = self.root / "slurm.conf"
        self.conf.write_text(_CONF.format(root=self.root, host=socket.gethostname().split(".")[0], cpus=CPUS,
                                          controller_port=free_port(), node_port=free_port()))

    def _start(self):
        root = self.root
        self._spawn("munged", "--foreground", "--force", f"--key-file={root}/munge.key", f"--socket={root}/munge.socket",
                    f"--pid-file={root}/munged.pid", f"--seed-file={root}/munged.seed",
                    f"--log-file={root}/log/munged.log")
        self._wait(lambda: (root / "munge.socket").exists())
        self._spawn("slurmctld", "-D", "-c", "-f", self.conf)
        self._spawn("slurmd", "-D", "-N", "node0", "-f", self.conf)
        self._wait(lambda: self.run("sinfo", "--noheader", "--format=%T", timeout=10).stdout.strip() == "idle")

    def _spawn(self, name, *arguments):
        with open(self.root / "log" / f"{name}.out", "wb") as out:
            process = subprocess.Popen([name, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       cwd=self.root, env=self.environment(), start_new_session=True,
                                       preexec_fn=die_with_parent)
        self._daemons.append((name, process))

    def _wait(self, ready):
        while not ready():
            for name, process in self._daemons:
                if process.poll() is not None:
                    raise DaemonError(f"{name} ended with {process.returncode} at start{log_ends(self.root / 'log')}")
            if time.monotonic() > self._deadline:
                raise DaemonError(f"Slurm was not ready within {self.start_limit_s} s{log_ends(self.root / 'log')}")
            time.sleep(0.1)

    def _kill_steps(self):
        """Ends job steps that are under way. slurmd leaves them to themselves, each in a session of its own; their
        managers stand in our folder."""
        sessions = {_session(pid) for pid in _processes() if _folder_of(pid) == str(self.root)}
        sessions -= {None, 0, os.getsid(0)}
        for pid in _processes():
            if _session(pid) in sessions:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    # ---- use ------------------------------------------------------------------------------------------------------

    def environment(self, **more):
        """This process's environment and what Slurm's commands need."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SRUN_"))}
        return {**ours, "SLURM_CONF": str(self.conf), **more}

    def start(self, *words, env=None, **options):
        """Popen of one of Slurm's commands."""
        return subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                env=self.environment() if env is None else env, **options)

    def run(self, *words, env=None, timeout=120):
        return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, env=self.environment() if env is None else env, timeout=timeout)


def _processes():
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]


def _folder_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None


def _session(pid):
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
