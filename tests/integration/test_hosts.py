#!/usr/bin/env python3
"""The hosts that multi-host tests are made of: names, addresses, a launcher between them, a cut cable."""

import os
import subprocess
import unittest

import hosts
import rgw
from program import ProgramTest

OPEN_MPI = ("mpirun.openmpi", "--allow-run-as-root", "--oversubscribe")


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("making network namespaces takes root")
    hosts.enter_own_network()


class HostsTest(unittest.TestCase):
    def setUp(self):
        self.hosts = self.enterContext(hosts.Hosts("alpha", "beta"))

    def test_names_and_addresses_are_their_own(self):
        for name, address in self.hosts.addresses.items():
            self.assertEqual(name, self.hosts.run(name, "hostname").stdout.strip())
            self.assertIn(address, self.hosts.run(name, "hostname", "-I").stdout)
            self.assertEqual(0, self.hosts.run(name, "getent", "hosts", "hub").returncode)

    def test_a_launcher_starts_processes_on_both(self):
        done = self.hosts.run("alpha", *OPEN_MPI, "--mca", "plm_rsh_agent", self.hosts.agent, "--mca",
                              "oob_tcp_if_include", "eth0", "--mca", "btl_tcp_if_include", "eth0", "--host",
                              "alpha:1,beta:1", "-n", 2, "hostname", timeout=60)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["alpha", "beta"], sorted(done.stdout.split()))

    def test_the_agent_brings_nothing_but_its_command(self):
        """The host has its own environment, and a folder that it doesn't share is empty there."""
        self.hosts.set_environment("beta", COLOUR="dark 'blue'")
        self.hosts.hide("beta", "/srv")
        script = 'set -u; echo "$COLOUR" ${FRUIT-none}; : > /srv/mlps-here; ls /srv'
        done = subprocess.run([self.hosts.agent, "beta", script], env={**os.environ, "FRUIT": "apple"},
                              capture_output=True, text=True, check=False)
        self.assertEqual("dark 'blue' none\nmlps-here\n", done.stdout, done.stderr)
        self.assertFalse(os.path.exists("/srv/mlps-here"))

    def test_a_cut_cable_is_silent(self):
        listen = "import socket; socket.create_server((\"\", 7000)).accept()"
        server = subprocess.Popen(self.hosts.command("beta", "python3", "-c", listen))
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        client = "import socket, sys, time\n" \
                 "for _ in range(50):\n" \
                 "    try: socket.create_connection((\"beta\", 7000), 1); sys.exit(0)\n" \
                 "    except ConnectionRefusedError: time.sleep(0.1)\n" \
                 "    except OSError: sys.exit(3)\n" \
                 "sys.exit(4)\n"
        self.assertEqual(0, self.hosts.run("alpha", "python3", "-c", client).returncode)
        server.wait(10)
        self.hosts.cut("beta")
        self.assertEqual(3, self.hosts.run("alpha", "python3", "-c", client).returncode, "no answer, no refusal")


class ObjectStore(ProgramTest):
    def test_the_program_reaches_a_gateway_on_the_hub(self):
        both = self.enterContext(hosts.Hosts("alpha", "beta"))
        server = self.enterContext(rgw.Rgw(address=hosts.HUB))
        server.make_bucket("checkpoints")
        self.variables = server.variables
        run = self.run_arguments("object", "s3://checkpoints/run", "--verify", write=1, read=1)
        self.assert_passed(self.start(*run, before=both.command("alpha")).wait(), 1, 1)
        self.assertEqual(self.planned(1), {key.removeprefix("run/"): size
                                           for key, size in server.list_objects("checkpoints").items()})


if __name__ == "__main__":
    unittest.main()
