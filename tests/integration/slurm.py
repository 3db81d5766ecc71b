"""A Slurm of one node on this host for tests: the distribution's own slurmctld, slurmd and munged.

Configuration, key, state and logs stand in one temporary folder, ports are free ones of 127.0.0.1, and the daemons are
children of this process, so that a Slurm of the machine itself is neither needed nor touched. Leaving the context ends the
daemons and all that they started. Needs root.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess

from daemons import Daemons, free_port

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


class Slurm(Daemons):
    """`with Slurm() as cluster: cluster.run("srun", "-n", 2, "hostname")`."""
    title = "Slurm"

    def __init__(self, start_limit_s=60):
        # Not below the build: the name of a socket may have 107 characters. What munged asks of its folder's mode holds.
        super().__init__("slurm-", start_limit_s=start_limit_s)

    def missing(self):
        return missing_programs()

    def end(self, name, process):
        if name == "slurmctld":  # it has a child, which goes when it is asked
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        super().end(name, process)

    # ---- start ----------------------------------------------------------------------------------------------------

    def prepare(self):
        self.root.chmod(0o755)
        for name in ("state", "spool"):
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

    def start_all(self):
        root = self.root
        self.spawn("munged", "munged", "--foreground", "--force", f"--key-file={root}/munge.key", f"--socket={root}/munge.socket",
                    f"--pid-file={root}/munged.pid", f"--seed-file={root}/munged.seed",
                    f"--log-file={root}/log/munged.log")
        self.wait_until(lambda: (root / "munge.socket").exists())
        self.spawn("slurmctld", "slurmctld", "-D", "-c", "-f", self.conf)
        self.spawn("slurmd", "slurmd", "-D", "-N", "node0", "-f", self.conf)
        self.wait_until(lambda: self.run("sinfo", "--noheader", "--format=%T", timeout=10).stdout.strip() == "idle")

    def left_over(self):
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
