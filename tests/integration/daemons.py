"""What the servers that tests start have in common: free ports, and nothing left behind."""

import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

_REAPER = """\
import os, shutil, sys, time
if os.fork():
    os._exit(0)
os.setsid()
sys.stdin.buffer.read()
for _ in range(50):
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    if not os.path.exists(sys.argv[1]):
        break
    time.sleep(0.1)
"""


class DaemonError(RuntimeError):
    """A server could not be started, or a helper command failed; the message holds the reason and the logs' ends."""


def test_tmp():
    """The folder for test data: $MLPS_TEST_TMP (ctest sets it to a folder of the build), else the system's."""
    path = os.environ.get("MLPS_TEST_TMP")
    if path:
        os.makedirs(path, exist_ok=True)
    return path or None


def free_port(wanted=0, address="127.0.0.1"):
    """A port nobody listens on now; `wanted` itself when it is given, else DaemonError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, wanted))
        except OSError as error:
            raise DaemonError(f"port {wanted} of {address}: {error.strerror}") from error
        return probe.getsockname()[1]


def die_with_parent():
    """For preexec_fn: the kernel kills the child when the thread that started it is gone."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


def log_ends(folder):
    """The last lines of each file of a folder, for a message."""
    text = ""
    for path in sorted(folder.glob("*")):
        lines = path.read_text(errors="replace").splitlines()[-5:]
        if lines:
            text += f"\n--- {path.name}\n" + "\n".join(lines)
    return text


class Folder:
    """A temporary folder that goes even if this process is killed: a small detached reaper watches."""

    def __init__(self, prefix, parent=None):
        # Absolute, since daemons change their working directory.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
        self._reaper = subprocess.Popen([sys.executable, "-c", _REAPER, str(self.path)], stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._reaper.wait()  # it has forked; the copy that lives on waits for the pipe to close

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
        self._reaper.stdin.close()
