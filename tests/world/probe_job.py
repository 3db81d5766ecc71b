"""A job of mpi_probe processes under some launcher: what they have said so far, and how the job ends."""

import json
import subprocess
import threading


class Job:
    def __init__(self, command, **options):
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        self.said, self.other, self.errors, self.told = [], [], [], threading.Condition()
        self.readers = [threading.Thread(target=self.listen), threading.Thread(target=self.listen_errors)]
        for reader in self.readers:
            reader.start()

    def listen(self):
        for line in self.child.stdout:
            if not line.startswith("{"):
                self.other.append(line)
            else:
                with self.told:
                    self.said.append(json.loads(line))
                    self.told.notify_all()
        with self.told:
            self.told.notify_all()

    def listen_errors(self):
        self.errors.extend(self.child.stderr)

    def pids(self, count):
        """Process ids by index, once all `count` have said theirs."""
        with self.told:
            found = self.told.wait_for(lambda: sum("pid" in line for line in self.said) == count, timeout=60)
        assert found, (self.said, self.errors)
        return {line["process"]: line["pid"] for line in self.said if "pid" in line}

    def end(self):
        status = self.child.wait(timeout=100)
        for reader in self.readers:
            reader.join()
        self.child.stdout.close()
        self.child.stderr.close()
        return status

    def failures(self):
        return {line["process"]: line["failure"] for line in self.said if "failure" in line}
