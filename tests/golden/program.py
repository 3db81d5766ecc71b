"""Runs the real binary in a folder of its own, with an environment of its own."""

import os
import shutil
import subprocess
import tempfile
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import records

BINARY = None  # set by main()


class ProgramTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="mlps_golden_"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(lambda: self.assertEqual(records.problems_below(self.folder), []))
        os.makedirs(self.path("home"))
        os.makedirs(self.path("work"))
        self.environment = {"HOME": self.path("home"), "PATH": os.environ["PATH"], "TZ": "UTC"}

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def run_program(self, *arguments, **variables):
        return subprocess.run(
            [BINARY, *arguments], cwd=self.path("work"), env={**self.environment, **variables},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)

    def expect(self, arguments, code, stdout=None, stderr=None, **variables):
        """Runs `arguments` (one string, split at blanks, or a list) and compares what is given, exactly."""
        words = arguments.split() if isinstance(arguments, str) else arguments
        result = self.run_program(*words, **variables)
        self.assertEqual(result.returncode, code, result.stderr)
        if stdout is not None:
            self.assertEqual(result.stdout, stdout)
        if stderr is not None:
            self.assertEqual(result.stderr, stderr)
        return result

    def refuse(self, arguments, code, *fragments, **variables):
        """Expects the exit code, nothing on stdout, and every fragment on stderr."""
        result = self.expect(arguments, code, stdout="", **variables)
        for fragment in fragments:
            self.assertIn(fragment, result.stderr)
        return result


def main():
    global BINARY
    import sys
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main(module="__main__", verbosity=1)
