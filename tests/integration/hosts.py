"""Hosts for tests of multi-host runs: network namespaces with names and addresses of their own, joined by a bridge.

The test process gets a network of its own too (the hub, 10.77.0.1), so nothing it starts is seen from outside. A launch
agent enters a host's namespace, which is what ssh does elsewhere: what it starts there has the host's environment, not the
caller's. Needs root.
"""

import ctypes
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile

HUB = "10.77.0.1"
_CLONE_NEWNET = 0x40000000

# What stands for ssh: `agent HOST COMMAND...`, the command as ssh takes it, in words that a shell joins.
_AGENT = """\
#!/bin/sh
host=$1
shift
exec env -i PATH="$PATH" ip netns exec {prefix}-"$host" unshare --uts sh -c '
  set -a; . "$1/$2.environment"; set +a
  . "$1/$2.mounts"
  hostname "$2"
  shift 2
  exec sh -c "$*"' sh {folder} "$host" "$@"
"""


def _ip(*words):
    subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL)


def enter_own_network():
    """Takes this process, and all it starts from now on, out of the machine's network."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET): " + os.strerror(ctypes.get_errno()))
    _ip("link", "set", "lo", "up")


class Hosts:
    """A context of hosts; enter_own_network() comes first. `with Hosts("alpha", "beta") as hosts: hosts.start(...)`."""

    def __init__(self, *names):
        self.names = names
        self.prefix = f"mlps{os.getpid()}"
        self.addresses = {name: f"10.77.0.{10 + i}" for i, name in enumerate(names)}

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hosts-"))
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self):
        self.agent = self.folder / "agent"
        self.agent.write_text(_AGENT.format(prefix=self.prefix, folder=self.folder))
        self.agent.chmod(0o755)
        _ip("link", "add", "hub", "type", "bridge")
        _ip("addr", "add", f"{HUB}/24", "dev", "hub")
        _ip("link", "set", "hub", "up")
        table = "127.0.0.1 localhost\n" + f"{HUB} hub\n" + "".join(f"{a} {n}\n" for n, a in self.addresses.items())
        for name, address in self.addresses.items():
            space = self._space(name)
            (self.folder / f"{name}.mounts").touch()
            self.set_environment(name)
            _ip("netns", "add", space)
            # `ip netns exec` lays the files of this folder over those in /etc.
            overlay = pathlib.Path("/etc/netns") / space
            overlay.mkdir(parents=True)
            (overlay / "hosts").write_text(table)
            _ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("link", "set", f"to-{name}", "master", "hub", "up")
            _ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("-n", space, "link", "set", "lo", "up")

    def __exit__(self, *_error):
        for name in self.names:
            space = self._space(name)
            pids = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=False).stdout
            for pid in pids.split():
                try:
                    os.kill(int(pid), 9)
                except ProcessLookupError:
                    pass
            # The kernel takes a namespace apart some time after it is gone; the cable must be gone now.
            subprocess.run(["ip", "link", "del", f"to-{name}"], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)
            shutil.rmtree(pathlib.Path("/etc/netns") / space, ignore_errors=True)
        subprocess.run(["ip", "link", "del", "hub"], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _space(self, name):
        return f"{self.prefix}-{name}"

    def set_environment(self, name, **variables):
        """What the agent's commands find in their environment on that host, besides what every host has."""
        variables = {"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8", **variables}
        text = "".join(f"{key}={shlex.quote(str(value))}\n" for key, value in variables.items())
        (self.folder / f"{name}.environment").write_text(text)

    def hide(self, name, folder):
        """On that host an empty file system of its own stands in place of the folder, for each command anew."""
        with open(self.folder / f"{name}.mounts", "a", encoding="utf-8") as mounts:
            mounts.write(f"mount -t tmpfs tmpfs {shlex.quote(str(folder))}\n")

    def command(self, name, *words):
        """The command line that runs `words` on a host, in the environment of whoever runs it."""
        return ["ip", "netns", "exec", self._space(name), "unshare", "--uts", "sh", "-c",
                '. "$0/$1.mounts"; hostname "$1"; shift; exec "$@"', str(self.folder), name, *map(str, words)]

    def run(self, name, *words, **options):
        return subprocess.run(self.command(name, *words), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, **options)

    def pids(self, name, variable=None):
        """Processes of a host; those with a variable in their environment, if one is given."""
        done = subprocess.run(["ip", "netns", "pids", self._space(name)], capture_output=True, text=True, check=True)
        pids = [int(pid) for pid in done.stdout.split()]
        return pids if variable is None else [pid for pid in pids if f"\0{variable}=" in _environment(pid)]

    def cut(self, name):
        """Takes the host's cable out; nobody is told."""
        _ip("link", "set", f"to-{name}", "down")

    def mend(self, name):
        _ip("link", "set", f"to-{name}", "up")


def _environment(pid):
    try:
        return "\0" + pathlib.Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:
        return ""
