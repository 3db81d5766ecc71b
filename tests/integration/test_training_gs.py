#!/usr/bin/env python3
"""The training benchmark on gs:// by the JSON API: data generated on and read from fake-gcs-server."""

import unittest

import fake_gcs
import object_suites


def setUpModule():
    fake_gcs.require()
    object_suites.set_up(fake_gcs.FakeGcs())


class Training(object_suites.Training):
    pass


if __name__ == "__main__":
    unittest.main()
