#!/usr/bin/env python3
"""A Ceph RADOS Gateway on this host for tests: a real S3 server from the distribution's packages.

One monitor, one OSD (BlueStore on a sparse file) and one radosgw, all in one folder and all children of this process.
Leaving the context stops them and removes the folder. If this process is killed, the kernel kills the daemons
(PR_SET_PDEATHSIG) and a small detached reaper removes the folder.

As a program:
  rgw.py serve [--port N]    prints the variables to export and runs until Ctrl-C
  rgw.py run -- COMMAND...   runs COMMAND with the variables set; its exit status is ours
"""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from daemons import DaemonError, Daemons, die_with_parent, free_port, log_ends, serve_or_run, test_tmp

ACCESS_KEY = "mlpstestaccess"
SECRET_KEY = "mlpstestsecret-not-for-production"
REGION = "us-east-1"
PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool", "ceph")

_CONF = """\
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{mon_port}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
# The older protocol lets a client send its first command before it knows the cluster's fsid: "wrong fsid", now and then.
ms bind msgr1 = false
ms bind msgr2 = true
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
run dir = {root}
pid file =
admin socket =
log file = {root}/log/$name.log
log to stderr = false
mon cluster log file = {root}/log/cluster.log
keyring = {root}/keyring
crash dir = {root}

osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 2
osd pool default pgp num = 2
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.05
paxos min wait = 0.01
mon warn on pool no redundancy = false

[mon]
mon data = {root}/mon
mon data avail warn = 1
mon data avail crit = 1

[osd]
osd data = {root}/osd
osd objectstore = bluestore
bluestore block size = 10737418240
bluestore fsck on mount = false
osd memory target = 939524096
osd class update on start = false

[client.rgw]
# radosgw alone asks for an encrypted channel to the monitor, which there is none of without authentication.
ms mon client mode = crc
rgw data = {root}/rgw
rgw frontends = beast endpoint={address}:{port}
rgw thread pool size = 64
rgw run sync thread = false
rgw enable usage log = false
rgw override bucket index max shards = 1
# The token service: keys for a while, with the rights of a role.
rgw sts key = mlps-test-sts-16
rgw s3 auth use sts = true
"""

# A line of the gateway's access log: request line, status, bytes sent, referrer, user agent, range.
_ACCESS = re.compile(r'beast: .*?"(\w+) (\S+) HTTP/1\.\d" (\d+) (\d+) \S+ (?:"[^"]*"|-) (\S+) latency=')


def missing_programs():
    """Names of the Ceph programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Rgw(Daemons):
    """`with Rgw() as s3:` a running server."""

    title = "the gateway"
    scheme = "s3"
    endpoint_variable = "AWS_ENDPOINT_URL"
    secrets = (ACCESS_KEY, SECRET_KEY)
    logs_ranges = True

    def __init__(self, port=0, start_limit_s=120, address="127.0.0.1"):
        """The gateway answers on `address`, one of this host's; monitor and OSD stay on the loopback."""
        super().__init__("rgw-", test_tmp(), start_limit_s)
        self.address = address
        self.port = free_port(port, address)

    # ---- start ----------------------------------------------------------------------------------------------------

    def missing(self):
        return missing_programs()

    def prepare(self):
        for name in ("mon", "osd", "rgw"):
            (self.root / name).mkdir()
        (self.root / "keyring").touch()
        self.fsid = str(uuid.uuid4())
        self.mon_port = free_port()
        self.conf = self.root / "ceph.conf"
        self.conf.write_text(_CONF.format(fsid=self.fsid, root=self.root, address=self.address, port=self.port,
                                          mon_port=self.mon_port))

    def start_all(self):
        self._start_monitor()
        self._start_osd()
        self._start_gateway()

    def _start_monitor(self):
        monmap = self.root / "monmap"
        self._call("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a", f"[v2:127.0.0.1:{self.mon_port}]",
                   str(monmap))
        self._call("ceph-mon", "--mkfs", "-i", "a", "--monmap", str(monmap))
        self._spawn("mon", "ceph-mon", "-f", "-i", "a")

    def _start_osd(self):
        osd_id = str(uuid.uuid4())
        self._call("ceph", "osd", "new", osd_id, "0")  # waits for the monitor
        self._call("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd_id)
        self._spawn("osd", "ceph-osd", "-f", "-i", "0")

    def _start_gateway(self):
        self._call("radosgw-admin", "user", "create", "--uid=test", "--display-name=test",
                   f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}")  # waits for the OSD
        self._serve()

    def _serve(self):
        self._spawn("client.rgw", "radosgw", "-f", "-n", "client.rgw")
        self.wait_until(self._answers)

    def _answers(self):
        try:
            urllib.request.urlopen(self.endpoint, timeout=5).close()
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    # ---- processes ------------------------------------------------------------------------------------------------

    def _spawn(self, name, program, *arguments):
        self.spawn(name, program, "-c", self.conf, *arguments)

    def _call(self, program, *arguments):
        command = [program, *arguments] if program == "monmaptool" else [program, "-c", str(self.conf), *arguments]
        with open(self.root / "log" / f"{program}.out", "wb") as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.root,
                                       preexec_fn=die_with_parent)
        try:
            while process.poll() is None:
                self.check_alive()
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            raise DaemonError(f"{' '.join(command[:6])} exited with {process.returncode}{log_ends(self.root / 'log')}")

    def stop_server(self):
        """The server goes away, in the middle of whatever it is doing; what it has stored stays."""
        self.end(*self._daemons.pop())

    def start_server(self):
        """Brings it back on the same port."""
        self.restart_deadline()
        self._serve()

    # ---- use ------------------------------------------------------------------------------------------------------

    @property
    def endpoint(self):
        return f"http://{self.address}:{self.port}"

    @property
    def variables(self):
        """What a client needs in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
        }

    def s3cmd(self, *arguments):
        """Standard output of s3cmd, a client of other make than ours."""
        command = ["s3cmd", "--config=/dev/null", f"--access_key={ACCESS_KEY}", f"--secret_key={SECRET_KEY}",
                   f"--region={REGION}", f"--host={self.address}:{self.port}", f"--host-bucket={self.address}:{self.port}",
                   "--no-ssl", "--no-progress", *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise DaemonError(f"s3cmd {' '.join(arguments)} exited with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def make_role(self, name, actions):
        """The ARN of a role that the user of the tests may assume, and that allows these actions on everything."""
        self.restart_deadline()
        trust = {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/test"]}, "Action": ["sts:AssumeRole"]}
        rights = {"Effect": "Allow", "Action": actions, "Resource": ["arn:aws:s3:::*"]}
        trusted, allowed = (json.dumps({"Version": "2012-10-17", "Statement": [part]}) for part in (trust, rights))
        self._call("radosgw-admin", "role", "create", f"--role-name={name}", f"--assume-role-policy-doc={trusted}")
        self._call("radosgw-admin", "role-policy", "put", f"--role-name={name}", "--policy-name=rights",
                   f"--policy-doc={allowed}")
        return f"arn:aws:iam:::role/{name}"

    def make_bucket(self, bucket):
        self.s3cmd("mb", f"s3://{bucket}")

    def list_objects(self, bucket, prefix=""):
        """{key: size in bytes} of everything below the prefix."""
        listing = self.s3cmd("ls", "--recursive", f"s3://{bucket}/{prefix}")
        objects = {}
        for line in listing.splitlines():
            _date, _time, size, uri = line.split(None, 3)
            objects[uri.removeprefix(f"s3://{bucket}/")] = int(size)
        return objects

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

    def reads(self, bucket):
        """(key, range or "") of what clients have read of objects so far."""
        return [(path.removeprefix(bucket + "/"), asked) for method, path, status, _sent, asked in self.requests()
                if method == "GET" and path.startswith(bucket + "/") and status in (200, 206)]

    def requests(self):
        """What clients asked for so far, from the gateway's access log: (method, bucket/key without query, status, bytes
        sent, range or "")."""
        found = []
        for line in (self.root / "log" / "client.rgw.log").read_text(errors="replace").splitlines():
            match = _ACCESS.search(line)
            if match:
                method, path, status, sent, asked = match.groups()
                found.append((method, urllib.parse.unquote(path.split("?")[0]).lstrip("/"), int(status), int(sent),
                              "" if asked == "-" else asked))
        return found

    def open_uploads(self, bucket):
        """(key, upload id) of every multipart upload that was neither completed nor aborted."""
        rows = [row.split("\t") for row in self.s3cmd("multipart", f"s3://{bucket}").splitlines()]
        return [(row[1].removeprefix(f"s3://{bucket}/"), row[2]) for row in rows if len(row) == 3 and row[1] != "Path"]

    def abort_uploads(self, bucket):
        for key, upload in self.open_uploads(bucket):
            self.s3cmd("abortmp", f"s3://{bucket}/{key}", upload)

    def empty_bucket(self, bucket):
        self.s3cmd("del", "--recursive", "--force", f"s3://{bucket}/")


if __name__ == "__main__":
    sys.exit(serve_or_run(__doc__, "Ceph RGW", lambda port, _tls: Rgw(port=port), tls=False))
