#!/usr/bin/env python3
"""Several endpoints of one real S3 server (Ceph RGW), behind relays that end, hang or drop packets while a run writes or
reads."""

import select
import socket
import threading
import unittest

import rgw
from program import ProgramTest
from sweeps import sweep

BUCKET = "endpoints"
PIECE = 1 << 18


class Relay:
    """A port that forwards to the server until `limit` bytes have passed; then it does what `then` says: `close` (refuses
    and resets), `hang` (accepts and stays silent) or `drop` (not even a connection comes about)."""

    def __init__(self, target, then=None, limit=0):
        self.target, self.then, self.left = target, then, limit
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock, self.broken, self.ended = threading.Lock(), threading.Event(), threading.Event()
        self.sockets = []
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def _accept(self):
        while not self.broken.is_set():
            ready, _, _ = select.select([self.listener], [], [], 0.1)
            if not ready or self.broken.is_set():
                continue
            near, _ = self.listener.accept()
            far = socket.create_connection(self.target)
            with self.lock:
                self.sockets += [near, far]
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._forward, args=(one, other), daemon=True).start()
        while self.then == "hang" and not self.ended.is_set():
            ready, _, _ = select.select([self.listener], [], [], 0.1)
            if ready:
                self.sockets.append(self.listener.accept()[0])

    def _forward(self, source, sink):
        try:
            while data := source.recv(PIECE):
                if self.then:
                    with self.lock:
                        self.left -= len(data)
                        if self.left <= 0 and not self.broken.is_set():
                            self._break()
                if self.broken.is_set():
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _break(self):
        self.broken.set()
        if self.then == "close":
            self.listener.close()
            for one in self.sockets:
                one.close()
        elif self.then == "drop":  # with a full backlog the kernel drops what asks for a connection
            self.listener.listen(0)
            for _ in range(2):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(self.listener.getsockname())
                self.sockets.append(filler)

    def stop(self):
        self.broken.set()
        self.ended.set()
        self.acceptor.join()
        for one in [self.listener, *self.sockets]:
            one.close()


def setUpModule():
    server = EndpointTest.server = rgw.Rgw().__enter__()
    unittest.addModuleCleanup(server.stop)
    server.make_bucket(BUCKET)
    EndpointTest.variables = server.variables


class EndpointTest(ProgramTest):
    server = None

    def relay(self, then=None, limit=0):
        host, port = self.server.endpoint.removeprefix("http://").split(":")
        relay = Relay((host, int(port)), then, limit)
        self.addCleanup(relay.stop)
        return relay

    def run_over(self, relays, write, read):
        self.addCleanup(self.server.empty_bucket, BUCKET)
        where = f"s3://{BUCKET}/{self.id().rsplit('.', 1)[-1]}"
        if write == 0:
            self.assert_passed(self.call(*self.run_arguments("object", where, "--io-part-size", "5MiB", write=read, read=0)),
                               read, 0)
        done = self.call(*self.run_arguments("object", where, "--verify", "--io-part-size", "5MiB", write=write, read=read),
                         S3_ENDPOINT_URIS=",".join(relay.url for relay in relays), AWS_ENDPOINT_URL="")
        record = self.assert_passed(done, write, read)
        self.assertEqual([], self.server.open_uploads(BUCKET))
        [host] = record["hosts"]
        servers = (host.get("part") or host)["servers"]
        self.assertEqual([relay.url for relay in relays], [server["endpoint"] for server in servers])
        return done, servers

    def broken(self, then, write, read, others=1):
        relays = [self.relay(then, 30_000_000), *(self.relay() for _ in range(others))]
        done, servers = self.run_over(relays, write, read)
        self.assertGreater(servers[0]["failed"], 0, servers)
        self.assertGreater(servers[0]["times_set_aside"], 0, servers)
        self.assertEqual(1, done.stderr.count(f"Endpoint {relays[0].url} is left out"), done)
        self.assertIn(servers[0]["failures"][0]["cause"], ("no connection", "no answer", "connection lost"))
        for server in servers[1:]:
            self.assertEqual(0, server["times_set_aside"], servers)
            self.assertGreater(server["attempts"], 0, servers)
        # No part waited longer than the run may lose.
        phase = self.record()["write" if write else "read"]
        self.assertLess(phase["latency"]["part"]["max_ns"], 10_000_000_000)


class OneOfTwo(EndpointTest):
    def test_requests_are_shared_evenly(self):
        for relays in ([self.relay(), self.relay()], [self.relay() for _ in range(4)]):
            _, servers = self.run_over(relays, 1, 1)
            mean = sum(server["attempts"] for server in servers) / len(servers)
            for server in servers:
                self.assertEqual(0, server["failed"], servers)
                self.assertLess(abs(server["attempts"] - mean), 0.05 * mean + 2, servers)
                self.assertGreater(server["latency"]["answer"]["p50_ns"], 0)

    others = 1

    def test_one_ends_while_writing(self):
        self.broken("close", 2, 0, self.others)

    def test_one_ends_while_reading(self):
        self.broken("close", 0, 2, self.others)

    def test_one_hangs_while_writing(self):
        self.broken("hang", 2, 0, self.others)

    def test_one_hangs_while_reading(self):
        self.broken("hang", 0, 2, self.others)

    def test_one_drops_packets_while_writing(self):
        self.broken("drop", 2, 0, self.others)

    def test_one_drops_packets_while_reading(self):
        self.broken("drop", 0, 2, self.others)


@sweep
class OneOfFour(OneOfTwo):
    others = 3
    test_requests_are_shared_evenly = None


if __name__ == "__main__":
    unittest.main(verbosity=2)
