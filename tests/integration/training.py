"""What the tests of the training benchmark share: command lines of small data sets, and what a run must have left."""

import json

from program import ORGANISATION, SYSTEM, ProgramTest

# Small shapes of the suite's workloads: model -> (accelerator, parameters).
SHAPES = {
    # npz; sizes vary from file to file, several parts each with --io-part-size 64KiB.
    "unet3d": ("b200", ["dataset.num_files_train=24", "dataset.record_length_bytes=200000",
                        "dataset.record_length_bytes_stdev=90000", "reader.batch_size=2",
                        "train.computation_time=0.002"]),
    # jpeg; one read each.
    "retinanet": ("b200", ["dataset.num_files_train=96", "dataset.record_length_bytes=40000", "reader.batch_size=4",
                           "train.computation_time=0.002"]),
    # parquet with the real columns (2,164,832 bytes a row), two rows to a group.
    "flux": ("b200", ["dataset.num_files_train=8", "dataset.num_samples_per_file=4", "dataset.parquet.row_group_size=2",
                      "reader.batch_size=2", "train.computation_time=0.002"]),
}


class TrainingTest(ProgramTest):
    """A ProgramTest for `whatif training`."""

    def training(self, model, command, protocol, where, *more, accelerators=2, epochs=2, params=()):
        """A command line of SHAPES[model]; `params` come last and so win."""
        accelerator, shape = SHAPES[model]
        flags = ["--num-processes", accelerators] if command == "datagen" else [
            "--num-accelerators", accelerators, "--accelerator-type", accelerator, "--client-host-memory-in-gb", 0.001]
        params = [*shape, f"train.epochs={epochs}", *params]
        return ("whatif", "training", model, command, protocol, *flags, "--data-dir", where, "--results-dir", self.results,
                "--systemname", SYSTEM, "--skip-fs-separation-gate", "--allow-invalid-params", "--params", *params, *more)

    def training_folders(self, model, command):
        return sorted(self.results.glob(f"whatif/{ORGANISATION}/results/{SYSTEM}/training/{model}/{command}/*"))

    def training_folder(self, model, command):
        folders = self.training_folders(model, command)
        self.assertTrue(folders, f"no run folder of {model} {command}")
        return folders[-1]

    def training_record(self, model, command):
        return json.loads((self.training_folder(model, command) / "mlpstorage_record.json").read_text())

    def assert_training_passed(self, done, model, command):
        self.assertEqual(0, done.status, done)
        record = self.training_record(model, command)
        self.assertEqual(("passed", [], None), (record["verdict"], record["reasons"], record["error"]))
        return record
