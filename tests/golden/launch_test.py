"""A command with --hosts and the launcher it starts, played here by a script that starts one process, on this host."""

import json
import os
import signal
import subprocess

import program
from program import ProgramTest

RUN = ("whatif checkpointing run file --model llama3-8b --num-processes 8 --size-scale 0.0001 --num-checkpoints-write 1 "
       "--num-checkpoints-read 1 --systemname s --skip-fs-separation-gate --quiet --hosts")
OPEN_MPI = "mpirun (Open MPI) 4.1.4"
# The last two words are the program and what makes it join.
JOIN = 'while [ $# -gt 2 ]; do shift; done; "$@"'


class Launch(ProgramTest):
    def launcher(self, does, version=OPEN_MPI):
        path = self.write("launcher", f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; exit 0; fi\n{does}\n')
        os.chmod(path, 0o755)
        return path

    def arguments(self, does, *more, version=OPEN_MPI, hosts="elsewhere"):
        results = self.path("results")
        self.expect(f"init org {results}", 0)
        return [*RUN.split(), hosts, "--mpi-bin", self.launcher(does, version), "--results-dir", results, "--checkpoint-folder",
                self.path("stored"), "--params", "checkpoint.time_between_checkpoints=0", *more]

    def records(self):
        found = []
        for folder, _folders, names in os.walk(self.path("results", "whatif")):
            found += [os.path.join(folder, name) for name in names if name == "mlpstorage_record.json"]
        return [json.loads(self.read(path)) for path in found]

    def test_the_job_gets_the_settings_and_its_status_is_the_commands(self):
        done = self.expect(self.arguments(JOIN, "--json"), 0)
        self.assertEqual("passed", json.loads(done.stdout)["verdict"])
        self.assertNotIn("job ended", done.stderr)

    def test_a_launcher_that_forgets_the_status(self):
        """Open MPI's does, told to let the other processes live when one ends."""
        done = self.refuse(self.arguments(f"{JOIN}; exit 0", "--results-dir", self.folder), 2, "[E102]")
        self.assertEqual(1, done.stderr.count("[E"), done.stderr)

    def test_a_launcher_that_starts_nothing(self):
        for status in 0, 1, 127:
            self.refuse(self.arguments(f"exit {status}"), 6, f"[E503] {self.path('launcher')} ended with status {status}")
        self.refuse(self.arguments("kill -9 $$"), 6, "was killed by signal 9")

    def test_what_the_launcher_says_is_shown_unless_the_job_has_said_it(self):
        done = self.refuse(self.arguments('echo "There are not enough slots" >&2; exit 1'), 6, "[E503]")
        self.assertIn("There are not enough slots", done.stderr)
        done = self.expect(self.arguments(f"{JOIN}; status=$?; echo MPI_ABORT was invoked >&2; exit $status"), 0)
        self.assertNotIn("MPI_ABORT", done.stderr)
        done = self.expect(self.arguments(f"{JOIN}; echo a process was killed >&2; exit 5"), 6)
        self.assertRegex(done.stderr, r"(?s)a process was killed.*\[E503\] ")

    def test_output_of_a_job_that_is_lost(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([program.BINARY, *self.arguments(JOIN)], cwd=self.path("work"), env=self.environment,
                                  stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(3, done.returncode, done.stderr)
        self.assertIn("[E403] write to stdout: No space left on device", done.stderr)
        self.assertEqual(["passed"], [record["verdict"] for record in self.records()])

    def test_this_host_needs_no_launcher_whatever_it_is_called(self):
        addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
        for host in ("127.0.0.1", "127.0.0.2", *[address for address in addresses if ":" not in address][:1]):
            with self.subTest(host):
                done = self.expect(self.arguments("exit 9", "--dry-run", hosts=host), 0)
                self.assertNotIn("would start", done.stderr)

    def test_one_host_under_two_names(self):
        for hosts in ("localhost,127.0.0.1", "127.0.0.2:4,elsewhere,127.0.0.1:4"):
            for more in ((), ("--dry-run",)):
                self.refuse(self.arguments(JOIN, *more, hosts=hosts), 2, "[E102] --hosts: '127.0.0.1' and '", "are one host")

    def test_a_list_of_hosts_that_is_too_long_for_a_command_line(self):
        hosts = [f"{'h' * 56}{number:04}" for number in range(3000)]
        words = ("whatif training unet3d datagen file --num-processes 3000 --data-dir null:// --systemname s --quiet "
                 f"--skip-fs-separation-gate --results-dir {self.path('results')} --hosts").split() + hosts
        self.expect(f"init org {self.path('results')}", 0)
        launcher = self.launcher(f'echo "$*" > {self.path("words")}; cp "$4" {self.path("list")}; exit 9')
        self.refuse([*words, "--mpi-bin", launcher], 6, "[E503]", "ended with status 9")
        self.assertTrue(self.read("words").startswith("-n 3000 --hostfile /proc/self/fd/"), self.read("words")[:100])
        self.assertEqual([f"{host} slots=1" for host in hosts], self.read("list").splitlines())
        self.assertIn("would start", self.expect([*words, "--mpi-bin", launcher, "--dry-run"], 0).stderr)

    def test_a_launcher_of_no_known_kind(self):
        self.refuse(self.arguments(JOIN, version="run anything 1.0"), 6, "[E501]", "run anything 1.0")
        self.refuse(self.arguments(JOIN, "--mpi-bin", self.path("none")), 6, "[E501]", "--mpi-bin")

    def start(self, arguments):
        running = subprocess.Popen([program.BINARY, *arguments], cwd=self.path("work"), env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(running.kill)
        return running

    def interrupt(self, running, answer):
        running.send_signal(signal.SIGINT)
        said = ""
        while answer not in said:
            said = running.stderr.readline()
            self.assertNotEqual("", said)

    def test_interrupts_of_a_launcher_that_hangs(self):
        """The second one ends it, the third one ends one that won't."""
        for does, times in ("exec sleep 600", 2), ("trap '' TERM; sleep 600", 3):
            with self.subTest(does):
                os.mkfifo(self.path(f"gate{times}"))
                running = self.start(self.arguments(f"echo > {self.path(f'gate{times}')}; {does}"))
                self.read(f"gate{times}")
                self.interrupt(running, "stopping on every host")
                for _ in range(times - 1):
                    self.interrupt(running, "ending the launcher")
                _stdout, stderr = running.communicate(timeout=60)
                self.assertEqual(8, running.returncode, stderr)
                self.assertIn("[E203] interrupted, and ", stderr)

    def test_interrupts_of_a_launcher_that_never_reads_long_settings(self):
        """The settings are more than a pipe takes: nothing may wait for their reader alone."""
        workload = self.write("long.yaml", "dataset: {format: npz, num_files_train: 8, record_length_bytes: 1000}\n"
                                           "# " + "x" * 200_000 + "\n")
        launcher = self.launcher(f"echo > {self.path('gate')}; exec sleep 600")
        os.mkfifo(self.path("gate"))
        self.expect(f"init org {self.path('results')}", 0)
        running = self.start(["whatif", "training", "unet3d", "run", "file", *"--num-accelerators 2 --accelerator-type b200 "
                              "--data-dir null:// --hosts h1,h2 --systemname s --quiet".split(), "--mpi-bin", launcher,
                              "--workload-file", workload, "--results-dir", self.path("results")])
        self.read("gate")
        self.interrupt(running, "stopping on every host")
        self.interrupt(running, "ending the launcher")
        _stdout, stderr = running.communicate(timeout=60)
        self.assertEqual(8, running.returncode, stderr)
        self.assertIn("[E203] interrupted, and ", stderr)

    def test_an_interrupt_before_the_job_listens(self):
        """It waits in the pipe behind the settings, and is read with them."""
        arguments = self.arguments(f"read go < {self.path('gate')}; {JOIN}")
        os.mkfifo(self.path("gate"))
        running = self.start(arguments)
        with open(self.path("gate"), "w", encoding="utf-8") as gate:
            self.interrupt(running, "stopping on every host")
            gate.write("go\n")
        _stdout, stderr = running.communicate(timeout=60)
        self.assertEqual(8, running.returncode, stderr)
        self.assertIn("[E203] interrupted by SIGINT", stderr)
        self.assertTrue(all(record["verdict"] == "interrupted" for record in self.records()))

    def test_closed_standard_streams(self):
        """Nothing that is said ends up in a file that was opened in their place."""
        arguments = [program.BINARY, *self.arguments(JOIN)]
        for host in "127.0.0.1", "elsewhere":
            arguments[arguments.index("--hosts") + 1] = host
            done = subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *arguments], cwd=self.path("work"),
                                  env=self.environment, timeout=60, check=False)
            self.assertEqual(0, done.returncode)
        self.assertEqual(["passed"] * 2, [record["verdict"] for record in self.records()])
        for folder, _folders, names in os.walk(self.path("results", "whatif")):
            if "mlpstorage.log" in names:
                self.assertNotIn("Verdict:", self.read(os.path.join(folder, "mlpstorage.log")))

    def test_no_secret_is_shown(self):
        done = self.expect(self.arguments(JOIN, "--mpi-params=-x AWS_SECRET_ACCESS_KEY=hush"), 0)
        self.assertNotIn("hush", done.stderr)


class Launched(ProgramTest):
    """As one of several processes that somebody else's launcher started."""

    def test_what_is_answered_once(self):
        for words, code in (("version", 0), ("--version", 0), ("--help_all", 0), ("whatif -h", 0), ("config path", 0),
                            ("whatif checkpointing datasize --model llama3-8b --num-processes 8", 0), ("whatif trainin", 2)):
            for rank in "0", "1":
                with self.subTest(words, rank=rank):
                    done = self.run_program(*words.split(), OMPI_COMM_WORLD_SIZE="2", OMPI_COMM_WORLD_RANK=rank)
                    self.assertEqual(code, done.returncode)
                    self.assertEqual(rank == "0", bool(done.stdout + done.stderr))


if __name__ == "__main__":
    program.main()
