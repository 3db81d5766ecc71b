"""Further S3 servers on this host for tests: versitygw, MinIO, and nginx in front of several of them, with or without TLS. The first
two come as Go modules (scripts/servers.sh), nginx from Debian; what isn't there is skipped. Nothing of theirs is kept."""

import pathlib
import re
import shutil
import subprocess
import unittest
import urllib.parse

import azurite
from daemons import Daemon, DaemonError, free_port, test_tmp

INSTALLED = pathlib.Path(__file__).resolve().parents[2] / "build/servers"
ACCESS_KEY = "mlpstestaccess"
SECRET_KEY = "mlpstestsecret-not-for-production"
REGION = "us-east-1"


def program(name):
    """Path of a server's program; None where it isn't installed."""
    own = INSTALLED / name
    return str(own) if own.exists() else shutil.which(name)


def require(*names):
    """Skips the module that is being set up where one of them is missing."""
    missing = [name for name in names if program(name) is None]
    if missing:
        raise unittest.SkipTest(f"no {', '.join(missing)}: scripts/setup.sh long gets them")


class S3Server(Daemon):
    """What is asked of any S3 server, with s3cmd, a client of other make than ours."""

    scheme = "s3"
    endpoint_variable = "AWS_ENDPOINT_URL"
    secrets = (ACCESS_KEY, SECRET_KEY)
    logs_ranges = False

    @property
    def endpoint(self):
        return f"http://{self.address}:{self.port}"

    @property
    def variables(self):
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                "AWS_REGION": REGION}

    def s3cmd(self, *arguments):
        at = f"{self.address}:{self.port}"
        command = ["s3cmd", "--config=/dev/null", f"--access_key={ACCESS_KEY}", f"--secret_key={SECRET_KEY}", f"--region={REGION}",
                   f"--host={at}", f"--host-bucket={at}", "--no-ssl", "--no-progress", *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise DaemonError(f"s3cmd {' '.join(arguments)} exited with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def make_bucket(self, bucket):
        if f"s3://{bucket}" not in self.s3cmd("ls").split():  # after a restart it is there
            self.s3cmd("mb", f"s3://{bucket}")

    def list_objects(self, bucket, prefix=""):
        """{key: size in bytes} of everything below the prefix."""
        rows = [line.split(None, 3) for line in self.s3cmd("ls", "--recursive", f"s3://{bucket}/{prefix}").splitlines()]
        return {row[3].removeprefix(f"s3://{bucket}/"): int(row[2]) for row in rows if len(row) == 4}

    def get(self, bucket, key):
        path = self.root / "got"
        self.s3cmd("get", "--force", f"s3://{bucket}/{key}", str(path))
        return path.read_bytes()

    def put(self, bucket, key, content):
        path = self.root / "to-put"
        path.write_bytes(content)
        self.s3cmd("put", str(path), f"s3://{bucket}/{key}")

    def remove(self, bucket, key):
        self.s3cmd("rm", f"s3://{bucket}/{key}")

    def open_uploads(self, bucket):
        """(key, upload id) of every multipart upload that was neither completed nor aborted."""
        rows = [row.split("\t") for row in self.s3cmd("multipart", f"s3://{bucket}").splitlines()]
        return [(row[1].removeprefix(f"s3://{bucket}/"), row[2]) for row in rows if len(row) == 3 and row[1] != "Path"]

    def abort_uploads(self, bucket):
        for key, upload in self.open_uploads(bucket):
            self.s3cmd("abortmp", f"s3://{bucket}/{key}", upload)

    def empty_bucket(self, bucket):
        if self.list_objects(bucket):
            self.s3cmd("del", "--recursive", "--force", f"s3://{bucket}/")


class VersityGw(S3Server):
    """`with VersityGw() as s3:` a gateway to a folder."""

    # Of a line of its access log: operation, key, path, status.
    _READ = re.compile(r" s3_GetObject (\S+) \S+ 20[06] ")

    def __init__(self, port=0, address="127.0.0.1"):
        super().__init__("versitygw-", test_tmp(), port, address)

    def prepare(self):
        (self.root / "data").mkdir()

    def command(self):
        # Without --keep-alive it closes the connection after every answer.
        return [program("versitygw"), "--access", ACCESS_KEY, "--secret", SECRET_KEY, "--region", REGION, "--keep-alive", "--quiet",
                "--access-log", str(self.root / "access"), "--port", f"{self.address}:{self.port}", "posix", str(self.root / "data")]

    def reads(self, _bucket):
        """(key, "") of what clients have read of objects so far."""
        return [(urllib.parse.unquote(key), "") for key in self._READ.findall((self.root / "access").read_text(errors="replace"))]


class Minio(S3Server):
    """`with Minio() as s3:` MinIO over a folder. It says nothing of its requests."""

    def reads(self, bucket):
        raise unittest.SkipTest("MinIO keeps no log of requests")

    def open_uploads(self, bucket):
        """(digest of the key, upload id), as they lie in its folder: MinIO lists uploads of a whole key alone."""
        folders = (self.root / "data/.minio.sys/multipart").glob("*/*")
        return [(folder.parent.name, folder.name) for folder in folders if (folder / "xl.meta").exists()]

    def abort_uploads(self, bucket):
        for key, upload in self.open_uploads(bucket):
            shutil.rmtree(self.root / "data/.minio.sys/multipart" / key / upload, ignore_errors=True)

    def __init__(self, port=0, address="127.0.0.1"):
        super().__init__("minio-", test_tmp(), port, address)

    def prepare(self):
        (self.root / "data").mkdir()

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.root), "MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": SECRET_KEY,
                "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"}

    def command(self):
        return [program("minio"), "server", "--quiet", "--address", f"{self.address}:{self.port}", str(self.root / "data")]


class Nginx(Daemon):
    """nginx in front of an S3 server: `ports` addresses, the last of which answers every request with 503 if `busy` says so."""

    def __init__(self, behind, tls=False, ports=1, busy=False):
        super().__init__("nginx-", test_tmp())
        self.behind, self.tls, self.busy = behind, tls, busy
        self.ports = [self.port] + [free_port() for _ in range(ports - 1)]

    @property
    def urls(self):
        return [f"{'https' if self.tls else 'http'}://127.0.0.1:{port}" for port in self.ports]

    def prepare(self):
        if self.tls:
            azurite.make_certificate(self.root)
        tls = f"ssl_certificate {self.root}/server.pem; ssl_certificate_key {self.root}/server.key;" if self.tls else ""
        servers = ""
        for number, port in enumerate(self.ports):
            if self.busy and number == len(self.ports) - 1:
                rule = "return 503;"
            else:
                # What is signed is the Host header, so it is passed on; bodies go through as they come.
                rule = ("proxy_pass http://behind; proxy_set_header Host $http_host; proxy_http_version 1.1; "
                        "proxy_set_header Connection \"\"; proxy_request_buffering off; proxy_buffering off;")
            servers += (f"server {{ listen 127.0.0.1:{port}{' ssl' if self.tls else ''}; {tls} client_max_body_size 0;"
                        f" keepalive_requests 100000; location / {{ {rule} }} }}\n")
        (self.root / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {self.root}/pid; error_log {self.root}/error.log;\n"
            f"events {{ worker_connections 512; }}\n"
            f"http {{ access_log off; client_body_temp_path {self.root}/body; proxy_temp_path {self.root}/proxy;\n"
            f"fastcgi_temp_path {self.root}/f; uwsgi_temp_path {self.root}/u; scgi_temp_path {self.root}/s;\n"
            f"upstream behind {{ server {self.behind.address}:{self.behind.port}; keepalive 64; }}\n{servers}}}\n")

    def command(self):
        return [program("nginx"), "-c", str(self.root / "nginx.conf"), "-p", str(self.root)]

    @property
    def variables(self):
        variables = {"S3_ENDPOINT_URIS": ",".join(self.urls), "AWS_ENDPOINT_URL": ""}
        if self.tls:
            variables["AWS_CA_BUNDLE"] = str(self.root / "ca.pem")
        return variables
