#!/usr/bin/env python3
"""Moves the same objects to and from the same S3 server (Ceph RGW of the tests) with this program and with other clients, in turns, and
prints throughput and the client's processor time for each GiB.

Usage: clients.py [--rounds N] [--size MIB] [--objects N] [--clients boto3,minio,s3dlio] [--program FILE]

The clients come from PyPI, into build/servers/clients. They send one buffer again and again; this program makes every byte of every object anew,
with a checksum, and that is in its time. Starting and importing is in nobody's time.
"""

import argparse
import concurrent.futures
import io
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))

BUCKET = "clients"
THREADS = 8
PACKAGES = {"boto3": "boto3==1.44.8", "minio": "minio==7.2.20", "s3dlio": "s3dlio==0.10.0"}


def boto3_calls():
    import boto3  # pylint: disable=import-outside-toplevel,import-error
    from botocore.config import Config  # pylint: disable=import-outside-toplevel,import-error
    client = boto3.client("s3", config=Config(max_pool_connections=4 * THREADS, s3={"addressing_style": "path"}))
    return (lambda key, data: client.upload_fileobj(io.BytesIO(data), BUCKET, key),
            lambda key: len(client.get_object(Bucket=BUCKET, Key=key)["Body"].read()))


def minio_calls():
    import minio  # pylint: disable=import-outside-toplevel,import-error
    url = os.environ["AWS_ENDPOINT_URL"]
    client = minio.Minio(endpoint=url.split("://")[1], access_key=os.environ["AWS_ACCESS_KEY_ID"],
                         secret_key=os.environ["AWS_SECRET_ACCESS_KEY"], secure=url.startswith("https"), region="us-east-1")

    def get(key):
        answer = client.get_object(bucket_name=BUCKET, object_name=key)
        try:
            return len(answer.read())
        finally:
            answer.close()
            answer.release_conn()
    return (lambda key, data: client.put_object(bucket_name=BUCKET, object_name=key, data=io.BytesIO(data), length=len(data))), get


def s3dlio_calls():
    import s3dlio  # pylint: disable=import-outside-toplevel,import-error
    return (lambda key, data: s3dlio.put_bytes(f"s3://{BUCKET}/{key}", data),
            lambda key: len(s3dlio.get(f"s3://{BUCKET}/{key}")))


CALLS = {"boto3": boto3_calls, "minio": minio_calls, "s3dlio": s3dlio_calls}


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def child(name, objects, size):
    """Moves the objects with one client; what it prints is what the other process reads."""
    put, get = CALLS[name]()
    data = os.urandom(size)
    keys = [f"{name}/{number}" for number in range(objects)]
    found = {}
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for what, call in (("put", lambda key: put(key, data)), ("get", get)):
            wall, cpu = time.monotonic(), cpu_s()
            answers = list(pool.map(call, keys))
            found[what] = (time.monotonic() - wall, cpu_s() - cpu)
            assert what == "put" or set(answers) == {size}, f"{name} read {set(answers)} bytes"
    print(json.dumps(found))


def ours(program, results, objects, size):
    """Checkpoints of 8 ranks, one object each of about the size, as many as come to the bytes of all objects."""
    whole = 112_425_623_552
    count = max(1, round(objects / 8))
    line = [program, "whatif", "checkpointing", "run", "object", "--checkpoint-folder", f"s3://{BUCKET}/ours", "--model", "llama3-8b",
            "--num-processes", "8", "--size-scale", f"{8 * size / whole:.9f}", "--num-checkpoints-write", str(count),
            "--num-checkpoints-read", str(count), "--results-dir", results, "--systemname", "s", "--quiet", "--json", "--params",
            "checkpoint.time_between_checkpoints=0"]
    record = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    found = {}
    for what, phase in (("put", record["write"]), ("get", record["read"])):
        scale = objects * size / phase["bytes"]
        found[what] = (phase["wall_s"] * scale, (phase["cpu_user_s"] + phase["cpu_system_s"]) * scale)
    return found


def install(names):
    folder = ROOT / "build/servers/clients"
    python = folder / "bin/python3"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *(PACKAGES[name] for name in names)], check=True)
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=64, help="MiB of an object")
    parser.add_argument("--objects", type=int, default=16)
    parser.add_argument("--clients", default="boto3,minio,s3dlio")
    parser.add_argument("--program", default=str(ROOT / "build/release/mlpstorage"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    size = options.size << 20
    if options.child:
        child(options.child, options.objects, size)
        return
    import rgw  # pylint: disable=import-outside-toplevel
    names = options.clients.split(",")
    python = install(names)
    found = {name: [] for name in ["mlpstorage", *names]}
    with rgw.Rgw() as server, tempfile.TemporaryDirectory() as folder:
        server.make_bucket(BUCKET)
        os.environ.update(server.variables, HOME=folder)
        for _ in range(options.rounds):
            found["mlpstorage"].append(ours(options.program, folder + "/results", options.objects, size))
            server.empty_bucket(BUCKET)
            for name in names:
                done = subprocess.run([python, __file__, "--child", name, "--size", str(options.size), "--objects", str(options.objects)],
                                      check=True, capture_output=True, text=True)
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
                server.empty_bucket(BUCKET)
    gib = options.objects * size / (1 << 30)
    print(f"{options.objects} objects of {options.size} MiB, {THREADS} at once, medians of {options.rounds} rounds")
    print(f"{'':12}{'PUT MiB/s':>12}{'CPU s/GiB':>12}{'GET MiB/s':>12}{'CPU s/GiB':>12}")
    for name, rounds in found.items():
        row = ""
        for what in ("put", "get"):
            row += f"{1024 * gib / statistics.median(one[what][0] for one in rounds):12.0f}"
            row += f"{statistics.median(one[what][1] for one in rounds) / gib:12.3f}"
        print(f"{name:12}{row}")


if __name__ == "__main__":
    main()
