#!/usr/bin/env python3
"""The training benchmark on object storage: data generated on and read from a real S3 server (Ceph RGW), counted by the
server's own access log."""

import unittest

import object_suites
import rgw


def setUpModule():
    object_suites.set_up(rgw.Rgw())


class Training(object_suites.Training):
    pass


if __name__ == "__main__":
    unittest.main()
