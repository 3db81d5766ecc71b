"""Nothing is ignored in silence: what the real binary says of keys that are unknown, contradictory or without effect, in
each of the layers that values come from, and what it answers where it refuses."""

import json
import os
import re
import shlex

import program
from program import ProgramTest

BASE = "whatif checkpointing run {word} --model llama3-8b --num-processes 8 --checkpoint-folder {where} --dry-run"


class Claimed(ProgramTest):
    """With a results directory, and no default of this user."""

    def setUp(self):
        super().setUp()
        self.expect(["init", "acme", self.path("results")], 0)
        self.write("home/.config/mlpstorage/config.yaml", "")

    def checkpointing(self, more="", code=0, word="file", where="null://", **variables):
        words = [*BASE.format(word=word, where=where).split(), "--results-dir", self.path("results"), "--systemname", "s"]
        return self.expect(words + more.split(), code, **variables).stderr

    def training(self, more, code=0):
        return self.expect(f"whatif training unet3d run file -na 1 -at b200 -cm 1 --data-dir null:// --dry-run "
                           f"--results-dir {self.path('results')} --systemname s {more}", code).stderr


class Layer(Claimed):
    def test_flags(self):
        said = self.expect("whatif checkpointing datasize --modle llama3-8b -np 8", 2).stderr
        self.assertIn("unknown flag --modle", said)
        self.assertIn("did you mean --model?", said)
        self.assertNotIn("--model is required", said)
        self.assertIn("WARNING: --seed is given twice: 2 counts, 1 doesn't", self.checkpointing("--seed 1 --seed 2"))
        self.assertIn("WARNING: --timeseries-interval has no effect: --skip-timeseries",
                      self.checkpointing("--skip-timeseries --timeseries-interval 1"))

    def test_flags_without_effect(self):
        cases = {"--loops 3": "a dry run prints the plan once", "--allow-invalid-params": "whatif stops at no rule",
                 "--oversubscribe": "--hosts names one host", "--mpi-btl tcp": "no launcher is started",
                 "--mpi-params=-v": "no launcher is started", "--dlio-bin-path /x": "no other program is started",
                 "--verify --num-checkpoints-read 0": "no checkpoint is read",
                 "--skip-validation": "checkpoints have no manifest"}
        for flag, why in cases.items():
            with self.subTest(flag):
                name = flag.replace("=", " ").split()[0]
                self.assertRegex(self.checkpointing(flag), rf"WARNING: {name} has no effect: .*{why}")
        said = self.checkpointing("--fadvise none", 2, word="object", where="s3://b/p")
        self.assertIn("--fadvise has no effect: objects are in no page cache", said)
        self.assertIn("--loops has no effect: only 'run' is repeated",
                      self.expect("whatif checkpointing datasize -m llama3-8b -np 8 --loops 2", 0).stderr)

    def test_config_file(self):
        def with_file(text, code):
            return self.checkpointing(f"--config-file {self.write('c.yaml', text)} --seed 1", code)
        said = with_file("num_proceses: 8\nloop: 3\n", 2)
        self.assertIn("[E102] unknown key 'num_proceses'", said)
        self.assertIn("did you mean 'num_processes'?", said)
        self.assertIn("did you mean 'loops'?", said)
        self.assertIn("key 'io_depth' stands twice", with_file("io_depth: 2\nio_depth: 3\n", 2))
        self.assertIn("[E104] config file", with_file("seed: 2\n---\nseed: 3\n", 5))
        said = with_file("seed: 2\ndata_dir: /d\n", 0)
        self.assertRegex(said, "WARNING: config file .*: 'seed' has no effect, --seed outranks it")
        self.assertRegex(said, "WARNING: config file .*: 'data_dir' means nothing to 'run', skipped")

    def test_environment(self):
        said = self.checkpointing(MLPSTORAGE_RESULT_DIR="/x")
        self.assertIn("WARNING: environment: nothing reads MLPSTORAGE_RESULT_DIR (did you mean MLPSTORAGE_RESULTS_DIR?)", said)
        said = self.checkpointing(MLPERF_SYSTEMNAME="old", MLPSTORAGE_SYSTEMNAME="new")
        self.assertIn("WARNING: MLPERF_SYSTEMNAME has no effect: MLPSTORAGE_SYSTEMNAME outranks it", said)
        self.assertIn("MLPSTORAGE_SYSTEMNAME: 'systemname' has no effect, --systemname outranks it", said)
        said = self.checkpointing("--fadvise none", 2, word="object", where="s3://b/p", AWS_RETRY_MODE="standard")
        self.assertIn("WARNING: AWS_RETRY_MODE is not read by this program; set AWS_MAX_ATTEMPTS", said)

    def test_dotenv(self):
        self.write("work/.env", "AWS_ACCES_KEY_ID=a\nBUCKET=b\nBUCKET=c\nAWS_REGION=there\nMLPSTORAGE_SYSTEMNAME=x\n")
        said = self.checkpointing("", 2, word="object", where="s3://b/p", AWS_REGION="here")
        self.assertIn("WARNING: ./.env: nothing reads AWS_ACCES_KEY_ID (did you mean AWS_ACCESS_KEY_ID?)", said)
        self.assertIn("WARNING: ./.env: BUCKET stands twice, the first one counts", said)
        self.assertIn("./.env holds what the environment outranks: AWS_REGION", said)
        self.assertIn("WARNING: ./.env: MLPSTORAGE_SYSTEMNAME has no effect: the file is read in object mode only",
                      self.checkpointing())

    def test_per_user_file(self):
        def with_file(text, code):
            self.write("home/.config/mlpstorage/config.yaml", text)
            return self.checkpointing("", code)
        said = with_file("systemnam: x\nmodel: llama3-8b\n", 2)
        self.assertIn("unknown key 'systemnam'", said)
        self.assertIn("did you mean 'systemname'?", said)
        self.assertIn("'model' belongs to one command", said)
        self.assertIn("key 'color' stands twice", with_file("color: never\ncolor: always\n", 2))
        said = with_file("systemname: mine\ndlio_bin_path: /x\n", 0)
        self.assertIn("'systemname' has no effect, --systemname outranks it", said)
        self.assertIn("WARNING: --dlio-bin-path has no effect", said)

    def test_params(self):
        said = self.checkpointing("--params checkpoint.time_betwen_checkpoints=1", 2)
        self.assertIn("did you mean checkpoint.time_between_checkpoints?", said)
        said = self.checkpointing("--params checkpoint.rank_sync=True checkpoint.rank_sync=False")
        self.assertIn("WARNING: --params checkpoint.rank_sync is given twice: False counts, True doesn't", said)
        self.assertIn("can't be honoured", self.checkpointing("--params storage.storage_type=s3", 2))
        for param in ("dataset.keep_files=False", "reader.data_loader=dali", "reader.write_threads=4",
                      "workflow.generate_data=True"):
            with self.subTest(param):
                self.assertIn(f"WARNING: --params {param} has no effect: ", self.training(f"--params {param}"))

    def test_parameters_of_runs_mean_nothing_to_datagen(self):
        said = self.expect(f"whatif training unet3d datagen file -np 1 --data-dir null:// --dry-run --results-dir "
                           f"{self.path('results')} --systemname s --params train.epochs=3 reader.batch_size=9 "
                           "metric.au=0.5 dataset.num_files_train=8", 0).stderr
        for param in ("train.epochs=3", "reader.batch_size=9", "metric.au=0.5"):
            self.assertIn(f"WARNING: --params {param} has no effect: 'datagen' writes, and 'run' reads", said)
        self.assertNotIn("--params dataset", said)

    def test_what_is_asked_for_and_never_due(self):
        said = self.training("--params workflow.checkpoint=True train.epochs=2")
        self.assertRegex(said, r"WARNING: workflow.checkpoint=True has no effect: 2 epochs of \d+ steps end before that is due "
                               r"\(checkpoint.checkpoint_after_epoch=5\)")
        said = self.training("--params workflow.evaluation=True dataset.num_files_eval=64 evaluation.eval_after_epoch=9")
        self.assertIn("WARNING: workflow.evaluation=True has no effect: ", said)
        self.assertNotIn("has no effect: 5 epochs", self.training("--params workflow.checkpoint=True train.epochs=5"))

    def test_parameters_that_agree_with_flags(self):
        for params in ("storage.storage_type=local_fs", "checkpoint.checkpoint_folder=/tmp/x",
                       "checkpoint.checkpoint_folder=/tmp/x/llama3-8b"):
            self.checkpointing(f"--params {params}", where="/tmp/x")
        self.training("--params storage.storage_type=local_fs dataset.data_folder=null://")

    def test_all_faults_are_reported_together(self):
        said = self.training("--params train.epochs=0 reader.batch_size=-1 reader.foo=3 dataset.num_files_train=abc", 2)
        for fault in ("train.epochs", "reader.batch_size", "reader.foo", "dataset.num_files_train"):
            self.assertRegex(said, rf"\[E102\].*{fault}")
        said = self.expect(f"closed checkpointing run file -m llama3-70b -np 7 -cm 64 -cf null:// -sn s -rd {self.path()}",
                           2).stderr
        self.assertIn("is not initialised", said)
        self.assertIn("--num-processes 7 is not legal", said)

    def test_warnings_are_said_whatever_ends_the_command(self):
        said = self.checkpointing("--seed 1 --seed 2 --num-processes none", 2)
        self.assertLess(said.index("--seed is given twice"), said.index("--num-processes"))


class Advice(Claimed):
    def test_one_error_for_one_mistake(self):
        cases = {
            "run files --model llama3-8b": ["did you mean 'run file ...'?"],
            "run --model llama3-8b --checkpoint-folder s3://b/p": ["did you mean 'run object ...'?"],
            "run object --o-direct --model llama3-8b --checkpoint-folder s3://b/p": ["--o-direct is a way to open files"],
        }
        rest = f"-np 8 -rd {self.path('results')} -sn s"
        for words, fragments in cases.items():
            with self.subTest(words):
                cf = "" if "--checkpoint-folder" in words else "-cf /tmp/x"
                said = self.expect(f"whatif checkpointing {words} {rest} {cf}", 2).stderr
                self.assertEqual(said.count("[E"), 1, said)
                for fragment in fragments:
                    self.assertIn(fragment, said)

    def test_what_is_suggested_is_what_can_be_done(self):
        said = self.expect(f"closed checkpointing run file -m llama3-8b -np 4 -cm 64 -cf null:// -rd "
                           f"{self.path('results')} -sn s", 1).stderr
        self.assertNotIn("open takes this count too", said)
        said = self.expect(f"closed training unet3d run file -na 8 -at b200 -cm 1 -dd null:// -rd {self.path('results')} "
                           f"-sn s --params train.epochs=2", 1).stderr
        self.assertNotIn("--allow-invalid-params runs it", said)
        said = self.training("--params reader.odirect=True", 2)
        self.assertIn("reader.odirect", said)
        self.assertNotIn("--o-direct", said)

    def test_files_that_cant_be_read(self):
        said = self.checkpointing("--config-file /nowhere.yaml", 5)
        self.assertIn("[E103]", said)
        self.assertNotIn("create the folder", said)
        self.assertIn("/tmp is a folder, not a file", self.checkpointing("--config-file /tmp", 5))

    def test_names_that_no_folder_can_have(self):
        words = f"whatif checkpointing run file -m llama3-8b -np 8 -cf null:// -rd {self.path('results')} --dry-run -sn "
        self.assertIn("at most 255", self.expect(words + "x" * 300, 2).stderr)

    def test_a_folder_to_be_made_is_quoted(self):
        said = self.expect(["whatif", "checkpointing", "run", "file", "-m", "llama3-8b", "-np", "8", "--size-scale", "0.0001",
                            "-rd", self.path("results"), "-sn", "s", "--skip-fs-separation-gate", "-cf",
                            self.path("a b", "c d", "e")], 3).stderr
        command = said.split("Suggestion: ")[-1].strip()
        self.assertEqual(shlex.split(command), ["mkdir", "-p", self.path("a b", "c d")])

    def test_a_closed_subset_is_named(self):
        words = "closed checkpointing configview file -m llama3-70b -np 8 -cm 24 -cf null://"
        result = self.expect(f"{words} -rd {self.path('results')} -sn s", 0)
        self.assertRegex(result.stdout, r"checkpoint\.mode +subset +tool")
        self.assertRegex(result.stdout, r"model\.parallelism\.data +8 +tool")
        said = self.expect(f"{words.replace('configview', 'run')} -rd {self.path('results')} -sn s --dry-run", 0).stderr
        self.assertRegex(said, "WARNING: llama3-70b on 8 processes is a subset by the rules of MLPerf Storage 3.0")
        full = self.expect(f"{words.replace('8b', '8b')} -rd {self.path('results')} -sn s".replace(
            "llama3-70b -np 8", "llama3-8b -np 8"), 0).stdout
        self.assertNotIn("checkpoint.mode", full)

    def test_init_says_which_default_it_replaces(self):
        self.expect(["init", "acme", self.path("results")], 0)
        result = self.expect(["init", "acme", self.path("other")], 0)
        self.assertIn(f"instead of {self.path('results')}", result.stdout)


class Commands(Claimed):
    """Commands that a message prints to be typed are complete."""

    def run_printed(self, text):
        commands = re.findall(r"mlpstorage (?:closed|open|whatif) training .*", text)
        self.assertGreater(len(commands), 0, text)
        for command in commands:
            words = shlex.split(command.split(";")[0])
            self.expect(words[1:] + ["--dry-run", "--quiet"], 0)

    def test_of_datasize(self):
        self.run_printed(self.expect(
            f"whatif training retinanet datasize -ma 2 -at b200 -cm 1 --hosts 127.0.0.1:2 --oversubscribe "
            f"--data-dir {self.path('a')} -rd {self.path('results')} -sn s --skip-fs-separation-gate", 0).stdout)

    def test_of_a_data_set_that_does_not_fit(self):
        where = f"--data-dir {self.path('data')} -rd {self.path('results')} -sn s --skip-fs-separation-gate"
        os.makedirs(self.path("data"))
        self.expect(f"whatif training unet3d datagen file -np 1 {where} --params dataset.num_files_train=2 "
                    f"dataset.record_length_bytes=4096 dataset.record_length_bytes_stdev=0", 0)
        said = self.expect(f"open training unet3d run file -na 8 -at b200 -cm 1 {where} --params "
                           f"dataset.num_files_train=28000", 2).stderr
        self.assertIn("MANIFEST-001", said)
        self.assertNotIn("MODE", said)
        self.run_printed(said)


class Output(Claimed):
    SMALL = "--size-scale 0.0002 -ncw 1 -ncr 1 --params checkpoint.time_between_checkpoints=0 --skip-fs-separation-gate"

    def run_json(self, more, code):
        words = f"whatif checkpointing run file -m llama3-8b -np 8 -cf null:// -rd {self.path('results')} -sn s --json --quiet"
        return self.expect(f"{words} {self.SMALL} {more}", code).stdout

    def test_a_refusal_is_json_too(self):
        for more, code in (("--num-processes none", "E102"), ("--num-checkpoints-read 5", "E102"), ("--verfy", "E102")):
            with self.subTest(more):
                answer = json.loads(self.run_json(more, 2))
                self.assertEqual((answer["verdict"], answer["error"]["code"]), ("refused", code))
                self.assertEqual(answer["errors"][0], answer["error"])

    def test_every_loop_is_one_line(self):
        lines = self.run_json("--loops 2", 0).splitlines()
        self.assertEqual([json.loads(line)["verdict"] for line in lines], ["passed", "passed"])

    def test_short_forms(self):
        self.assertEqual(self.expect("-V", 0).stdout, self.expect("--version", 0).stdout)
        quiet, verbose = self.checkpointing("-q"), self.checkpointing("-v")
        self.assertNotIn("Run Configuration", quiet)
        self.assertIn("|VERBOSE: num_processes: 8\n", verbose)
        self.assertNotIn("|DEBUG:", verbose)
        self.assertIn("|DEBUG: arguments: {", self.checkpointing("--debug"))
        self.assertIn("|DEBUG: arguments: {", self.checkpointing(MLPS_DEBUG="true"))

    def test_every_level_of_the_original(self):
        for level in ("PLAID LUDICROUS RIDICULOUS DEBUG VERBOSEST VERBOSER VERBOSE INFO STATUS WARNING RESULT ERROR "
                      "CRITICAL").split():
            said = self.checkpointing(f"--seed 1 --seed 2 --stream-log-level {level}")
            self.assertEqual("WARNING" in said, level not in ("RESULT", "ERROR", "CRITICAL"), level)
            self.assertEqual("|VERBOSE:" in said, level in (
                "PLAID", "LUDICROUS", "RIDICULOUS", "DEBUG", "VERBOSEST", "VERBOSER", "VERBOSE"), level)


class Compatibility(Claimed):
    def test_the_row_of_an_empty_folder(self):
        words = ["whatif", "checkpointing", "run", "file", "-m", "llama3-8b", "-np", "8", "-sn", "s", "-rd",
                 self.path("results")]
        self.assertIn("[E102] --checkpoint-folder needs a value",
                      self.expect(words + ["--checkpoint-folder", ""], 2).stderr)

    def test_the_row_of_parts(self):
        self.assertIn("part 16 MiB", self.expect(
            f"whatif checkpointing run file -m llama3-8b -np 8 -cf null:// -sn s -rd {self.path('results')} --dry-run -q",
            0).stdout)

    def test_parts_by_the_kind_of_storage_and_as_asked(self):
        line = (f"whatif checkpointing run file -m llama3-8b -np 8 -sn s -rd {self.path('results')} --dry-run -q "
                f"--skip-fs-separation-gate --size-scale 0.01 --allow-invalid-params -cf {self.path('checkpoints')} ")
        self.assertIn("part 1 MiB", self.expect(line, 0).stdout)
        self.assertIn("part 4 MiB", self.expect(line + "--io-part-size 4MiB", 0).stdout)
        self.assertIn("part 1 MiB", self.expect(line + "--o-direct", 0).stdout)


if __name__ == "__main__":
    program.main()
