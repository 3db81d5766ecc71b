#!/usr/bin/env python3
"""What is checked before a run, on real file systems: where the bytes go, and that nobody else writes there."""

import os
import pathlib
import signal
import subprocess
import unittest

from program import ProgramTest

MIB = 1 << 20


def mount(kind, where, options=""):
    """Mounts a file system; False where this user may not."""
    where.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", kind, *(["-o", options] if options else []), "none", str(where)]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


class GateTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.checkpoints = self.folder / "checkpoints"

    def mounted(self, kind, where, options=""):
        if not mount(kind, where, options):
            self.skipTest("this user can't mount")
        self.addCleanup(subprocess.run, ["umount", "-l", str(where)], check=False)

    def arguments(self, *more, write=1, read=0, scale=0.0002):
        words = list(self.run_arguments("file", self.checkpoints, *more, write=write, read=read))
        words[words.index("--size-scale") + 1] = scale
        return words

    def datagen(self, *more):
        return ("whatif", "training", "unet3d", "datagen", "file", "--num-processes", 2, "--data-dir", self.folder / "data",
                "--results-dir", self.results, "--systemname", "s", "--skip-fs-separation-gate", "--params",
                "dataset.num_files_train=1500", "dataset.record_length_bytes=100000",
                "dataset.record_length_bytes_stdev=0", *more)


class Folders(GateTest):
    def test_a_run_that_is_refused_leaves_none_behind(self):
        """Of those that it made; what was there stays, also if it is empty."""
        too_much = self.datagen("dataset.num_files_train=2000000000")
        done = self.fails(3, "E403", *too_much)
        self.assertIn("CAP-01", done.stderr)
        self.assertFalse((self.folder / "data").exists())
        (self.folder / "data/unet3d").mkdir(parents=True)
        self.fails(3, "E403", *too_much)
        self.assertTrue((self.folder / "data/unet3d").is_dir())


class Claims(GateTest):
    def test_of_datagens_that_start_at_once_one_makes_the_whole_set_and_the_others_are_refused(self):
        for _ in range(2):
            running = [self.start(*self.datagen("--seed", seed)) for seed in (11, 22, 33)]
            done = [each.wait() for each in running]
            self.assertEqual([0, 3, 3], sorted(each.status for each in done), "\n".join(map(str, done)))
            for each in done:
                if each.status:
                    # One that began late may meet the finished set.
                    self.assertRegex(each.stderr, r"\[E404\] .*/data/unet3d (is in use: process \d+ on host \S+ has been writing|"
                                                  r"holds a data set of another shape)")
            data = self.folder / "data/unet3d"
            self.assertEqual(1500, len(list((data / "train").iterdir())))
            self.assertFalse((data / ".mlpstorage-claims").exists())
            subprocess.run(["rm", "-r", str(data)], check=True)

    def test_a_checkpoint_run_and_a_reader_are_refused_while_another_writes_and_a_killed_one_holds_nothing(self):
        first = self.start(*self.arguments("--inject-fault", "hang:write_part@3"))
        self.wait_until(lambda: list(self.checkpoints.glob("llama3-8b/.mlpstorage-claims/.*")), first)
        self.fails(3, "E404", *self.arguments())
        self.fails(3, "E404", *self.arguments(write=0, read=1))
        first.process.send_signal(signal.SIGKILL)
        first.wait()
        done = self.succeeds(*self.arguments())
        self.assertIn("which has ended without giving the folder up", done.stderr)
        self.assertFalse((self.checkpoints / "llama3-8b/.mlpstorage-claims").exists())

    def wait_until(self, condition, running):
        while not condition():
            self.assertFalse(running.ended(), "it ended before")


class Places(GateTest):
    def shown_read_only(self, folder):
        """The folder under another path, where nothing can be written."""
        shown = self.folder / "shown"
        shown.mkdir()
        if subprocess.run(["mount", "--bind", str(folder), str(shown)], stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("this user can't mount")
        self.addCleanup(subprocess.run, ["umount", "-l", str(shown)], check=False)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(shown)], check=True)
        return shown

    def test_datagen_finds_a_whole_set_on_a_read_only_mount(self):
        words = list(self.datagen("--seed", 5))
        self.succeeds(*words)
        words[words.index("--data-dir") + 1] = self.shown_read_only(self.folder / "data")
        done = self.succeeds(*words)
        self.assertRegex(done.stdout, r"0 written \(0 of them repaired\), 1,500 found whole")
        # What is missing can't be written there, and that is what it says.
        next((self.folder / "data/unet3d/train").iterdir()).unlink()
        self.assertRegex(self.call(*words).stderr, r"\[E40\d\].*Read-only file system")

    def test_a_run_that_only_reads_runs_on_a_read_only_mount_without_flags(self):
        self.succeeds(*self.arguments(read=1))
        shown = self.shown_read_only(self.checkpoints)
        self.mounted("tmpfs", self.folder / "elsewhere")
        results = self.folder / "elsewhere/results"
        self.succeeds("init", "testers", str(results))
        self.checkpoints, self.results = shown, results
        words = [word for word in self.arguments(write=0, read=1) if word != "--skip-fs-separation-gate"]
        self.succeeds(*words)

    def test_the_models_folder_is_what_is_asked(self):
        self.mounted("tmpfs", self.checkpoints / "llama3-8b", "size=10m")
        done = self.fails(3, "E403", *self.arguments())
        self.assertIn("CAP-01", done.stderr)
        self.assertIn(str(self.checkpoints / "llama3-8b"), done.stderr)

    def test_direct_io_is_asked_for_where_the_models_folder_lies(self):
        """With data=journal ext4 takes O_DIRECT and goes through the page cache all the same."""
        image = self.folder / "image"
        with open(image, "wb") as file:
            file.truncate(100 * MIB)
        self.checkpoints.mkdir()
        self.succeeds(*self.arguments("--o-direct"))
        there = self.checkpoints / "llama3-8b"
        if subprocess.run(["mkfs.ext4", "-q", str(image)], check=False).returncode or subprocess.run(
                ["mount", "-o", "loop,data=journal", str(image), str(there)], stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("this user can't make and mount a file system")
        self.addCleanup(subprocess.run, ["umount", str(there)], check=False)
        self.assertIn("(ext4) refuses O_DIRECT", self.fails(2, "E105", *self.arguments("--o-direct")).stderr)

    def test_a_small_parent_does_not_matter_and_what_is_overwritten_needs_no_room(self):
        self.mounted("tmpfs", self.checkpoints, "size=1m")
        self.mounted("tmpfs", self.checkpoints / "llama3-8b", "size=37m")
        for _ in range(2):
            self.succeeds(*self.arguments())

    def test_checkpoints_of_training_that_are_overwritten_need_no_room(self):
        self.mounted("tmpfs", self.checkpoints, "size=37m")
        words = ("whatif", "training", "unet3d", "run", "file", "--data-dir", "null://", "--results-dir", self.results,
                 "--systemname", "s", "--num-accelerators", 1, "--accelerator-type", "b200", "--client-host-memory-in-gb",
                 0.001, "--params", "dataset.num_files_train=28", "train.epochs=1", "train.computation_time=0.001",
                 "workflow.checkpoint=True", f"checkpoint.checkpoint_folder={self.checkpoints / 'unet3d'}",
                 "checkpoint.checkpoint_after_epoch=1")
        for _ in range(2):
            self.succeeds(*words, "model.model_size_bytes=30000000")
        self.assertEqual(1, len(list((self.checkpoints / "unet3d").rglob("*.pt"))))
        # 50 MB take the place of 30 MB, and have no room all the same.
        self.assertIn("CAP-01", self.fails(3, "E403", *words, "model.model_size_bytes=50000000").stderr)

    def test_blocks_of_16_kib_are_the_unit_of_direct_io(self):
        image, there = self.folder / "image", self.folder / "there"
        with open(image, "wb") as file:
            file.truncate(400 * MIB)
        there.mkdir()
        found = subprocess.run(["losetup", "--sector-size", "16384", "--find", "--show", str(image)], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        device = found.stdout.strip()
        if found.returncode:
            self.skipTest("no loop device of such sectors can be made")
        self.addCleanup(subprocess.run, ["losetup", "--detach", device], check=False)
        if subprocess.run(["sh", "-c", f"mkfs.xfs -q -b size=16384 -s size=16384 {device} && mount {device} {there}"],
                          stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("no XFS of such blocks can be made and mounted")
        self.addCleanup(subprocess.run, ["umount", str(there)], check=False)
        self.checkpoints = there / "checkpoints"
        done = self.succeeds(*self.arguments("--o-direct", "--verify", "--io-part-size", "68KiB", "--verbose", read=1))
        self.assertIn("16384 (statx", done.stdout)
        data = self.folder / "data"
        data.symlink_to(there)
        self.succeeds(*self.datagen("--o-direct"))
        self.assertRegex(self.succeeds(*self.datagen("--o-direct", "--verify")).stdout, "1,500 found whole")

    def test_a_file_system_without_inodes_for_all_files_is_found_before_the_run(self):
        self.mounted("tmpfs", self.folder / "data", "size=500m,nr_inodes=1400")
        done = self.fails(3, "E403", *self.datagen())
        self.assertRegex(done.stderr, r"CAP-01: .* has 1,\d+ free inodes, and 1,500 files are to be written")
        self.checkpoints = self.folder / "data"
        self.succeeds(*self.arguments())
        for number in range(1400):
            try:
                (self.checkpoints / f"filler{number}").touch()
            except OSError:
                break
        for number in range(10):
            (self.checkpoints / f"filler{number}").unlink()  # for probes
        self.succeeds(*self.arguments())  # over the files that are there

    def test_a_misspelt_mount_is_not_made(self):
        self.checkpoints = self.folder / "typo/ck"
        self.fails(3, "E401", *self.arguments())
        self.assertFalse((self.folder / "typo").exists())

    def test_a_device_in_place_of_a_folder_is_named_as_one(self):
        self.checkpoints = "/dev/null"
        for flags in ((), ("--o-direct",)):
            done = self.fails(3, "E401", *self.arguments(*flags))
            self.assertIn("/dev/null/llama3-8b: /dev/null is a device, not a folder", done.stderr)
            self.assertNotIn("O_DIRECT", done.stderr)

    def test_a_results_folder_without_room_is_found_before_the_run(self):
        small = self.folder / "small"
        self.mounted("tmpfs", small, "size=2m")
        self.results = small / "results"
        self.succeeds("init", "testers", str(self.results))
        done = self.fails(3, "E403", *self.arguments())
        self.assertIn("has room for", done.stderr)
        self.assertFalse(list(self.checkpoints.glob("llama3-8b/global*")))


class Results(GateTest):
    def test_what_stays_is_said_and_can_be_removed(self):
        done = self.succeeds(*self.arguments())
        self.assertRegex(done.stderr, r"kept: 1 checkpoint, 16 objects, 21\.\d+ MiB in \S+/checkpoints/llama3-8b")
        done = self.succeeds(*self.arguments("--cleanup", read=1))
        self.assertIn("removed: 1 checkpoint", done.stderr)
        self.assertEqual([], list((self.checkpoints / "llama3-8b").iterdir()))

    def test_of_a_run_that_wrote_nothing_nothing_is_called_kept(self):
        limited = ["sh", "-c", 'ulimit -f 1000 && exec "$0" "$@"']  # less than the record wants
        for flags in ((), ("--cleanup",)):
            done = self.start(*self.arguments(*flags), before=limited).wait()
            self.assertEqual(3, done.status, done)
            self.assertIn("ulimit -f", done.stderr)
            self.assertNotRegex(done.stderr, "kept:|removed:")
        self.succeeds(*self.arguments())
        self.assertRegex(self.start(*self.arguments(), before=limited).wait().stderr, "kept: what there is of 1 checkpoint")


class Limits(GateTest):
    def test_the_memory_limit_of_a_control_group_is_the_limit(self):
        groups = pathlib.Path("/sys/fs/cgroup")
        version_1 = groups / "memory"
        group = (version_1 if version_1.is_dir() else groups) / f"mlps-test-{os.getpid()}"
        limit = "memory.limit_in_bytes" if version_1.is_dir() else "memory.max"
        try:
            group.mkdir()
            self.addCleanup(group.rmdir)
            (group / limit).write_text(str(200 * MIB))
        except OSError as error:
            self.skipTest(f"no memory limit can be set: {error}")
        enter = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$0" "$@"']
        done = self.start(*self.arguments("--io-workers", 16, "--io-part-size", "16MiB", scale=0.004), before=enter).wait()
        self.assertEqual(2, done.status, done)
        self.assertRegex(done.stderr, r"\[E102\] I/O buffers of \S+ MiB and 64 MiB for the program exceed")
        self.assertIn(f"limit of 200 MiB - ", done.stderr)


if __name__ == "__main__":
    unittest.main()
