"""What the servers that tests start have in common: free ports, and nothing left behind."""

import argparse
import atexit
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

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
    for path in sorted(path for path in folder.glob("*") if path.is_file()):
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


class Daemon:
    """A server of one process with a folder of its own. `with Daemon(...) as server:` a running one. Not thread-safe; create it in the main
    thread (the process dies with the thread that started it). A subclass says what it runs, and when that answers."""

    def __init__(self, prefix, parent=None, port=0, address="127.0.0.1", start_limit_s=60):
        """It answers on `address`, one of this host's."""
        self.address, self.port, self.start_limit_s = address, free_port(port, address), start_limit_s
        self._prefix, self._parent = prefix, parent
        self._process = self._folder = None

    def __enter__(self):
        atexit.register(self.stop)
        self._folder = Folder(self._prefix, self._parent)
        self.root = self._folder.path
        try:
            self.prepare()
            self.start_server()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def prepare(self):
        """What is done once, in `self.root`, before the server starts."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return os.environ

    def answers(self):
        """Whether the server is up."""
        try:
            with socket.create_connection((self.address, self.port), timeout=1):
                return True
        except OSError:
            return False

    def start_server(self):
        """Brings it up on its port."""
        with open(self.root / "log", "ab") as out:
            self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.root,
                                             env=self.environment(), start_new_session=True, preexec_fn=die_with_parent)
        deadline = time.monotonic() + self.start_limit_s
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DaemonError(f"{self.command()[0]} did not start{log_ends(self.root)}")
            time.sleep(0.05)

    def stop_server(self):
        """The server goes away, in the middle of whatever it is doing."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self):
        """Ends the server and removes the folder. May be called again."""
        atexit.unregister(self.stop)
        self.stop_server()
        if self._folder:
            self._folder.remove()
            self._folder = None


class Daemons:
    """A server of several processes with a folder of its own: `with` starts and ends them. Not thread-safe; create it in the main thread
    (the daemons die with the thread that started them). A subclass has `prepare` and `start_all`."""
    title = "the server"

    def __init__(self, prefix, parent=None, start_limit_s=120):
        self.start_limit_s = start_limit_s
        self.started_in_s = None
        self._prefix, self._parent = prefix, parent
        self._daemons = []  # (name, Popen), in the order of their start
        self._folder = self.root = None

    def missing(self):
        """The names of programs that are not installed."""
        return []

    def prepare(self):
        """What is done once, in `self.root`, before the daemons start. Their output goes below log/."""

    def start_all(self):
        raise NotImplementedError

    def environment(self):
        """That of the daemons; None: this process's."""

    def __enter__(self):
        absent = self.missing()
        if absent:
            raise DaemonError(f"not installed: {', '.join(absent)}; run scripts/setup.sh test")
        begin = time.monotonic()
        self.restart_deadline()
        atexit.register(self.stop)
        try:
            self._folder = Folder(self._prefix, self._parent)
            self.root = self._folder.path
            (self.root / "log").mkdir()
            self.prepare()
            self.start_all()
        except BaseException:
            self.stop()
            raise
        self.started_in_s = time.monotonic() - begin
        return self

    def __exit__(self, *_):
        self.stop()

    def restart_deadline(self):
        self._deadline = time.monotonic() + self.start_limit_s

    def spawn(self, name, *command):
        with open(self.root / "log" / f"{name}.out", "wb") as out:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       cwd=self.root, env=self.environment(), start_new_session=True,
                                       preexec_fn=die_with_parent)
        self._daemons.append((name, process))

    def check_alive(self):
        """Raises if a daemon has ended, or if all of them take too long to start."""
        for name, process in self._daemons:
            if process.poll() is not None:
                raise DaemonError(f"{name} ended with {process.returncode} at start{log_ends(self.root / 'log')}")
        if time.monotonic() > self._deadline:
            raise DaemonError(f"{self.title} was not ready within {self.start_limit_s} s{log_ends(self.root / 'log')}")

    def wait_until(self, ready):
        while not ready():
            self.check_alive()
            time.sleep(0.1)
        self.check_alive()  # so that no other server in the place of ours is taken for it

    def end(self, name, process):
        """Nothing of a daemon is kept, so it is killed rather than asked."""
        process.kill()
        process.wait()

    def left_over(self):
        """Ends what the daemons have started and left."""

    def stop(self):
        """Ends the daemons and removes the folder. May be called again."""
        atexit.unregister(self.stop)
        for name, process in reversed(self._daemons):
            self.end(name, process)
        self._daemons.clear()
        if self._folder:
            self.left_over()
            self._folder.remove()
            self._folder = self.root = None


def _leave(_signal, _frame):
    raise SystemExit(130)


def serve_or_run(description, name, start, tls=True):
    """Runs a server until Ctrl-C, or beside a command. `start(port, tls)` makes it; returns the exit status."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    serve = actions.add_parser("serve", help="run until Ctrl-C")
    serve.add_argument("--port", type=int, default=0, help="0: any free one")
    run = actions.add_parser("run", help="run a command beside the server")
    for action in (serve, run):
        action.add_argument("--bucket", action="append", default=[], help="make this bucket or container (repeatable)")
        if tls:
            action.add_argument("--tls", action="store_true", help="with a certificate of its own")
    run.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)

    with start(getattr(options, "port", 0), getattr(options, "tls", False)) as server:
        print(f"# {name} answers on {server.endpoint}", file=sys.stderr)
        for bucket in options.bucket:
            server.make_bucket(bucket)
        if options.action == "serve":
            for variable, value in server.variables.items():
                print(f"export {variable}={value}", flush=True)
            signal.pause()
        command = options.command[1:] if options.command[:1] == ["--"] else options.command
        if not command:
            parser.error("run: no command given")
        return subprocess.run(command, env={**os.environ, **server.variables}, check=False).returncode


def requests_in(log, pattern):
    """The requests in a text log: (method, path decoded, query, status). The groups of `pattern` are method, target and
    status."""
    found = []
    for line in log.read_text(errors="replace").splitlines():
        match = pattern.search(line)
        if match:
            method, target, status = match.groups()[:3]
            path, _, query = target.partition("?")
            found.append((method, urllib.parse.unquote(path), query, int(status)))
    return found
