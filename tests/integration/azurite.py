#!/usr/bin/env python3
"""Azurite on this host for tests: Microsoft's emulator of Azure Blob storage, asked and filled with Microsoft's own client for
Python, so that what our program writes is what others read, and the reverse.

Azurite comes from npm and azure-storage-blob from PyPI; scripts/setup.sh test puts both into build/servers. Leaving the context
stops the server; nothing is kept.

As a program:
  azurite.py serve [--port N] [--tls]    prints the variables to export and runs until Ctrl-C
  azurite.py run -- COMMAND...           runs COMMAND with the variables set; its exit status is ours
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from daemons import Daemon, DaemonError, requests_in, serve_or_run, test_tmp

INSTALLED = pathlib.Path(__file__).resolve().parents[2] / "build/servers"
PROGRAM = INSTALLED / "node_modules/azurite/dist/src/blob/main.js"
CLIENT = sorted(INSTALLED.glob("azure/lib/python*/site-packages"))
ACCOUNT = "mlpstest"
KEY = "bWxwc3RvcmFnZS10ZXN0LWtleS1ub3QtZm9yLXByb2R1Y3Rpb24="

# A line of its access log: request line, status.
_ACCESS = re.compile(r'"(\w+) (\S+) HTTP/1\.\d" (\d+) ')


def missing_parts():
    """Names of what is not installed."""
    missing = [] if shutil.which("node") else ["node"]
    missing += [] if PROGRAM.exists() else ["azurite (npm)"]
    missing += [] if CLIENT else ["azure-storage-blob (PyPI)"]
    return missing


def require():
    """Skips the module that is being set up where there is no server."""
    if missing_parts():
        raise unittest.SkipTest(f"not installed: {', '.join(missing_parts())}; scripts/setup.sh test gets them")


def make_certificate(root):
    """Makes an authority of our own and a server certificate of it: root/ca.pem, root/server.pem and root/server.key."""
    def openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=root,
                              check=False)
        if done.returncode != 0:
            raise DaemonError(f"openssl {arguments[0]}: {done.stderr.strip()}")

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mlps test authority", "-keyout",
            "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr")
    (root / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "server.pem")


class Azurite(Daemon):
    """`with Azurite() as az:` a running server; it is empty whenever it starts."""

    scheme = "az"
    endpoint_variable = "AZURE_STORAGE_ENDPOINT"
    secrets = (KEY,)
    logs_ranges = False

    def __init__(self, port=0, tls=False, address="127.0.0.1", start_limit_s=60):
        super().__init__("azurite-", test_tmp(), port, address, start_limit_s)
        self.tls, self._client = tls, None

    # ---- life -----------------------------------------------------------------------------------------------------

    def prepare(self):
        if missing_parts():
            raise DaemonError(f"not installed: {', '.join(missing_parts())}; run scripts/setup.sh test")
        if self.tls:
            make_certificate(self.root)

    def command(self):
        """Later versions of the interface than Azurite's own are let through, for the client of the tests."""
        words = ["node", str(PROGRAM), "--blobHost", self.address, "--blobPort", str(self.port), "--inMemoryPersistence", "--disableTelemetry",
                 "--skipApiVersionCheck"]
        if self.tls:
            words += ["--oauth", "basic", "--cert", str(self.root / "server.pem"), "--key", str(self.root / "server.key")]
        return words

    def environment(self):
        return {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}

    def answers(self):
        return f"listens on {self.endpoint}" in (self.root / "log").read_text(errors="replace")

    # ---- use ------------------------------------------------------------------------------------------------------

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://{self.address}:{self.port}"

    @property
    def variables(self):
        """What a client needs in its environment."""
        variables = {"AZURE_STORAGE_ACCOUNT": ACCOUNT, "AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_ENDPOINT": self.endpoint}
        if self.tls:
            variables["AWS_CA_BUNDLE"] = str(self.root / "ca.pem")
        return variables

    @property
    def client(self):
        """Microsoft's client, ready to use."""
        if self._client is None:
            sys.path.append(str(CLIENT[0]))
            from azure.storage.blob import BlobServiceClient  # pylint: disable=import-outside-toplevel,import-error
            self._client = BlobServiceClient(f"{self.endpoint}/{ACCOUNT}",
                                             credential={"account_name": ACCOUNT, "account_key": KEY},
                                             connection_verify=str(self.root / "ca.pem") if self.tls else True)
        return self._client

    def make_bucket(self, bucket):
        self.client.create_container(bucket)

    def get(self, bucket, key):
        return self.client.get_blob_client(bucket, key).download_blob().readall()

    def put(self, bucket, key, content):
        self.client.get_blob_client(bucket, key).upload_blob(content, overwrite=True)

    def remove(self, bucket, key):
        self.client.get_blob_client(bucket, key).delete_blob()

    def keys(self, bucket, prefix="", include=None):
        """{key: size in bytes} of everything below the prefix."""
        found = self.client.get_container_client(bucket).list_blobs(name_starts_with=prefix, include=include)
        return {blob.name: blob.size for blob in found}

    def list_objects(self, bucket, prefix=""):
        return self.keys(bucket, prefix)

    def open_uploads(self, bucket):
        """(key, number of blocks) of every blob with blocks that were neither committed nor discarded."""
        from azure.core.exceptions import ResourceNotFoundError  # pylint: disable=import-error,import-outside-toplevel
        found = []
        for key in self.keys(bucket, include=["uncommittedblobs"]):
            try:
                _, uncommitted = self.client.get_blob_client(bucket, key).get_block_list("all")
            except ResourceNotFoundError:  # gone since it was listed
                continue
            if uncommitted:
                found.append((key, len(uncommitted)))
        return found

    def abort_uploads(self, bucket):
        for key, _ in self.open_uploads(bucket):
            blob = self.client.get_blob_client(bucket, key)
            blob.upload_blob(b"", overwrite=True)
            blob.delete_blob()

    def empty_bucket(self, bucket):
        for key in self.keys(bucket):
            self.remove(bucket, key)

    def reads(self, bucket):
        """(key, "") of what clients have read of blobs so far; the log says nothing of ranges."""
        front = f"/{ACCOUNT}/{bucket}/"
        return [(path.removeprefix(front), "") for method, path, query, status in self.requests()
                if method == "GET" and path.startswith(front) and not query and status in (200, 206)]

    def requests(self):
        """What clients asked for so far, from the server's log: (method, path decoded, query, status)."""
        return requests_in(self.root / "log", _ACCESS)


if __name__ == "__main__":
    sys.exit(serve_or_run(__doc__, "Azurite", lambda port, tls: Azurite(port=port, tls=tls)))
