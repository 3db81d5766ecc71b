#!/usr/bin/env python3
"""nginx in front of a real S3 server (Ceph RGW): TLS, two endpoints, one of them busy, and one that limits bodies."""

import unittest

import object_suites
import rgw
import s3_servers
from object_suites import BUCKET


def setUpModule():
    s3_servers.require("nginx")
    object_suites.set_up(rgw.Rgw())


class Behind(object_suites.ObjectTest):
    def front(self, **how):
        front = s3_servers.Nginx(self.server, **how).__enter__()
        self.addCleanup(front.stop)
        self.variables = {**self.server.variables, **front.variables}
        return front

    def run_over(self, front, *more):
        done = self.call(*self.run_arguments("object", self.location(), "--verify", "--io-part-size", "5MiB", *more))
        record = self.assert_passed(done)
        self.assertEqual(self.planned(), self.stored(self.prefix))
        self.assert_no_open_uploads()
        self.assert_secret_free(done)
        [host] = record["hosts"]
        servers = (host.get("part") or host)["servers"]
        self.assertEqual(front.urls, [server["endpoint"] for server in servers])
        return done, servers

    def test_tls_on_two_endpoints(self):
        _, servers = self.run_over(self.front(tls=True, ports=2))
        mean = sum(server["attempts"] for server in servers) / 2
        for server in servers:
            self.assertEqual(0, server["failed"], server)
            self.assertLess(abs(server["attempts"] - mean), 0.05 * mean + 2, servers)

    def test_an_unknown_authority_is_refused(self):
        self.front(tls=True)
        done = self.fails(6, "E601", *self.run_arguments("object", self.location()), AWS_CA_BUNDLE="")
        self.assertIn("AWS_CA_BUNDLE", done.stderr)

    def test_http_to_the_port_of_tls(self):
        front = self.front(tls=True)
        done = self.fails(6, "E605", *self.run_arguments("object", self.location()),
                          S3_ENDPOINT_URIS=front.urls[0].replace("https", "http"))
        self.assertIn("This port speaks TLS", done.stderr)
        self.assertEqual([], self.run_folders())

    def test_one_endpoint_of_two_is_busy(self):
        front = self.front(ports=2, busy=True)
        done, (good, busy) = self.run_over(front)
        self.assertEqual(0, good["failed"], good)
        self.assertEqual(busy["attempts"], busy["failed"], busy)
        self.assertGreater(busy["times_slowed"], 0, busy)
        self.assertGreater(busy["times_set_aside"], 0, busy)
        self.assertEqual(["HTTP 503"], [failure["cause"] for failure in busy["failures"]], busy)
        self.assertEqual(1, done.stderr.count(f"Endpoint {front.urls[1]} is left out"), done)

    def test_a_limit_on_bodies_is_found_before_the_run(self):
        front = self.front()
        path = front.root / "nginx.conf"
        front.stop_server()
        path.write_text(path.read_text().replace("client_max_body_size 0", "client_max_body_size 1m"))
        front.start_server()
        done = self.fails(3, "E607", *self.run_arguments("object", self.location(), "--io-part-size", "5MiB"))
        self.assertIn("client_max_body_size", done.stderr)
        self.assertEqual([], self.run_folders())
        self.assert_no_open_uploads()

    def test_a_server_behind_that_is_away(self):
        self.front()
        self.server.stop_server()
        try:
            done = self.fails(6, "E605", *self.run_arguments("object", self.location()))
        finally:
            self.server.start_server()
        self.assertIn("HTTP 502", done.stderr)


class Training(object_suites.Training):
    """By TLS."""

    def setUp(self):
        super().setUp()
        front = s3_servers.Nginx(self.server, tls=True, ports=2).__enter__()
        self.addCleanup(front.stop)
        self.variables = {**self.server.variables, **front.variables}


if __name__ == "__main__":
    unittest.main(verbosity=2)
