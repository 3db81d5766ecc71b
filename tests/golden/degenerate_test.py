"""Plans at the edge, on the real binary: ranks and processes without work, and the fewest and the most of everything. Each either
ends with a complete record or is refused; none may hang (a run is killed after a minute, which is an error here)."""

import json
import os

import program
from program import ProgramTest

CHECKPOINT = "--model llama3-8b --params checkpoint.time_between_checkpoints=0"
TRAINING = "--params train.epochs=1 train.computation_time=0.0001"


class DegenerateTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.expect(["init", "acme", self.path("results")], 0)
        self.where = f"--results-dir {self.path('results')} --systemname box --quiet --skip-fs-separation-gate"

    def record_of(self, command):
        """Runs a command and returns the record of its run folder."""
        before = set(self.records())
        self.expect(f"{command} {self.where}", 0)
        path, = set(self.records()) - before
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        self.assertEqual("passed", record["verdict"], command)
        return record

    def records(self):
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.path("results")) for name in names
                if name == "mlpstorage_record.json"]


class Checkpointing(DegenerateTest):
    def test_runs(self):
        for ranks, scale, writes, reads, more in (
                (8, 1e-4, 1, 1, "model.parallelism.zero_stage=0"),  # ranks without objects
                (8, 1e-4, 1, 1, "model.parallelism.zero_stage=0 --io-workers 64 --io-memory 1GiB"),
                (8, 1e-9, 3, 3, "--io-workers 1 --io-depth 1"),  # objects of a few bytes
                (8, 1e-4, 0, 1, ""),
                (8, 1e-4, 1, 0, "--io-part-size 300MiB"),  # every object has one part
                (8, 1e-3, 1, 1, "--io-part-size 64KiB --io-workers 64 --io-depth 64 --io-memory 1GiB"),
                (1, 1e-4, 1, 1, ""),
                (1024, 1e-6, 1, 1, "")):
            with self.subTest(ranks=ranks, scale=scale, writes=writes, reads=reads, more=more):
                record = self.record_of(
                    f"whatif checkpointing run file --checkpoint-folder null://x --num-processes {ranks} --size-scale {scale:.12f} "
                    f"--num-checkpoints-write {writes} --num-checkpoints-read {reads} {CHECKPOINT} {more}")
                for phase, count in (("write", writes), ("read", reads)):
                    if count:
                        self.assertEqual(count * record["plan"]["checkpoint_bytes"], record[phase]["bytes"])


    def test_a_run_that_measures_nothing_is_refused(self):
        for mode in ("whatif", "open", "closed"):
            self.refuse(f"{mode} checkpointing run file --checkpoint-folder null://x --num-processes 8 --num-checkpoints-write 0 "
                        f"--num-checkpoints-read 0 --client-host-memory-in-gb 1 {CHECKPOINT.split(' --params')[0]} {self.where}", 2,
                        "nothing to measure")


class Training(DegenerateTest):
    def test_runs(self):
        for accelerators, steps, parameters in (
                (1, 2, "dataset.num_files_train=2 reader.batch_size=1"),
                (4, 2, "dataset.num_files_train=8 reader.batch_size=1"),  # two steps, of which AU counts one
                (1, 2, "dataset.num_files_train=14 reader.prefetch_size=0 reader.read_threads=0"),
                (1, 142, "dataset.num_files_train=1 dataset.num_samples_per_file=1000 dataset.record_length_bytes=1"),
                (2, 2, "dataset.num_files_train=34 --io-workers 64 --io-part-size 64KiB")):  # six files are left over
            with self.subTest(accelerators=accelerators, parameters=parameters):
                record = self.record_of(f"whatif training unet3d run file -na {accelerators} -at b200 --data-dir null:// "
                                        f"{TRAINING} {parameters}")
                self.assertEqual(steps, record["plan"]["steps_per_epoch"])

    def test_more_ranks_than_files(self):
        data = f"--data-dir {self.path('data')} --params dataset.num_files_train=4 dataset.record_length_bytes=4096"
        self.record_of(f"whatif training cosmoflow datagen file --num-processes 7 {data}")  # three ranks without a file
        self.record_of(f"whatif training cosmoflow run file -na 2 -at h100 {data} {TRAINING[9:]} reader.batch_size=1")
        self.refuse(f"whatif training cosmoflow run file -na 5 -at h100 {data} {TRAINING[9:]} reader.batch_size=1 {self.where}", 2,
                    "[E102] dataset.num_files_train=4: with 5 accelerators some get no full batch of 1 samples",
                    "10 files would do for 2 steps each")

    def test_a_run_of_which_no_step_counts_is_refused_with_the_numbers_that_would_do(self):
        for parameters, advice in (
                ("dataset.num_files_train=14", "28 files would do for 2 steps per epoch"),
                ("dataset.num_files_train=28 train.total_training_steps=1", "ask for 2 steps per epoch or more"),
                ("dataset.num_files_train=280 workflow.checkpoint=True checkpoint.steps_between_checkpoints=1",
                 "save less often: checkpoint.steps_between_checkpoints=2 or more")):
            with self.subTest(parameters):
                self.refuse(f"whatif training unet3d run file -na 2 -at b200 --data-dir null:// {self.where} --params "
                            f"{parameters}", 2, "[E102] every step is left out of the measurement: 1 steps at a time", advice)

    def test_none_of_something_is_refused_with_the_legal_numbers(self):
        for key, legal in (("dataset.num_files_train", "from 1 to"), ("dataset.num_samples_per_file", "from 1 to"),
                           ("train.epochs", "from 1 to"), ("reader.batch_size", "from 1 to"),
                           ("train.total_training_steps", "or -1 for")):
            with self.subTest(key):
                self.refuse(f"whatif training unet3d run file -na 1 -at b200 --data-dir null:// {self.where} --params {key}=0", 2,
                            f'[E102] {key}="0" is not legal', legal)


class Numbers(DegenerateTest):
    def test_sizes_and_counts_outside_their_range_are_refused(self):
        for flag, value in (("--io-part-size", "1"), ("--io-part-size", "6GiB"), ("--io-part-size", "8EiB"), ("--io-depth", "0"),
                            ("--io-depth", "4294967296"), ("--io-workers", "0"), ("--num-processes", "0"), ("--size-scale", "0"),
                            ("--num-checkpoints-write", "-1"), ("--num-checkpoints-write", "4294967296")):
            with self.subTest(flag=flag, value=value):
                ranks = "" if flag == "--num-processes" else "--num-processes 8"
                self.refuse(["whatif", "checkpointing", "run", "file", "--checkpoint-folder", "null://x", "--model", "llama3-8b",
                             *ranks.split(), *self.where.split(), f"{flag}={value}"], 2, f"[E102] {flag}: '{value}'")


if __name__ == "__main__":
    program.main()
