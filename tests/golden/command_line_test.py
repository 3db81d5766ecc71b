"""What the real binary says and returns, from argv to the point where a command would begin."""

import json
import os
import re
import subprocess

import program
from program import ProgramTest

RUN = "checkpointing run file --model llama3-8b --num-processes 8 --client-host-memory-in-gb 64"
NEXT = "  Suggestion: -h after any word explains it, --help_all prints everything\n"


class Version(ProgramTest):
    def test_both_forms_print_one_line(self):
        for form in ("--version", "version"):
            result = self.expect(form, 0, stderr="")
            self.assertRegex(result.stdout, r"^mlpstorage \d+\.\d+\.\d+ \(build \S+, rules 3\.0\)\n$")

    def test_surplus_words_are_refused(self):
        self.refuse("version now", 2, "unexpected word 'now'", "usage: mlpstorage version")


class Incomplete(ProgramTest):
    def test_every_position_names_the_next_words(self):
        cases = {
            "closed": "[E101] incomplete command: after 'closed' comes one of: checkpointing, training, "
                      "vectordb, kvcache\n",
            "closed training": "[E101] incomplete command: after 'closed training' comes one of: unet3d, retinanet\n",
            "open training unet3d": "[E101] incomplete command: after 'open training unet3d' comes one of: "
                                    "datasize, datagen, run, configview\n",
            "open checkpointing": "[E101] incomplete command: after 'open checkpointing' comes one of: "
                                  "datasize, run, configview\n",
            "history": "[E101] incomplete command: after 'history' comes one of: show, rerun\n",
            "config": "[E101] incomplete command: after 'config' comes one of: show, set, unset, path\n",
        }
        for words, message in cases.items():
            with self.subTest(words):
                self.expect(words, 2, stdout="", stderr=message + NEXT)

    def test_unknown_words(self):
        self.refuse("colsed", 2, "unknown word 'colsed'", "did you mean 'closed'?")
        self.refuse("closed checkpointing runn", 2, "did you mean 'run'?")
        self.refuse("checkpointing run", 2, "the mode goes first: mlpstorage closed checkpointing")
        self.refuse("closed checkpointing llama3-8b run", 2, "--model llama3-8b")

    def test_flags_of_version_2(self):
        for words in ("--what-if closed checkpointing", f"closed {RUN} --what-if"):
            self.refuse(words, 2, "--what-if is now --dry-run")
        self.refuse(f"open {RUN} --closed", 2, "the mode is the first word now")


class Help(ProgramTest):
    def test_every_level_has_help_on_stdout(self):
        cases = {
            "-h": ("Measure:", "closed ", "init ", "--help_all", "Exit codes:"),
            "whatif --help": ("Next word:", "checkpointing ", "training "),
            "help whatif": ("Next word:", "checkpointing ", "training "),
            "help": ("Measure:", "closed ", "Exit codes:"),
            "-h closed checkpointing": ("datasize ", "run ", "configview "),
            "closed checkpointing run -h": ("Required:", "--model, -m {llama3-8b,", "--checkpoint-folder, -cf"),
            "init -h": ("Usage: mlpstorage init <orgname> [path]", "<orgname>  the organisation", "Default: ~/mlpstorage-results",
                        "default of --results-dir"),
            "closed training unet3d run -h": ("Usage: mlpstorage closed training unet3d run <file|object>",),
            "config set -h": ("Usage: mlpstorage config set <key> <value>...", "Keys:", "  results_dir ", "  mpi_btl "),
        }
        for words, fragments in cases.items():
            with self.subTest(words):
                result = self.expect(words, 0, stderr="")
                for fragment in fragments:
                    self.assertIn(fragment, result.stdout)

    def test_help_shows_only_what_the_mode_has(self):
        closed = self.expect("closed checkpointing run -h", 0).stdout
        whatif = self.expect("whatif checkpointing run -h", 0).stdout
        for flag in ("--params", "--loops", "--size-scale", "--inject-fault", "h100"):
            self.assertNotIn(flag, closed)
            self.assertIn(flag, whatif)

    def test_only_the_reference_has_words_that_are_not_built(self):
        for words in ("-h", "whatif -h", "-h closed training"):
            text = self.expect(words, 0).stdout
            self.assertNotIn("not in this build", text)
        self.refuse("run", 2, "mode and benchmark go first: mlpstorage closed checkpointing ...")

    def test_each_command_explains_a_flag_its_own_way(self):
        seeds = {words: self.expect(f"{words} -h", 0).stdout.split("--seed N")[1].split("\n")[0].strip() for words in (
            "closed checkpointing run", "closed training unet3d datagen", "closed training unet3d run")}
        self.assertEqual(len(set(seeds.values())), 3, seeds)
        self.assertNotIn("datagen", self.expect("closed checkpointing run -h", 0).stdout)

    def test_the_whole_reference_in_both_spellings(self):
        first = self.expect("--help_all", 0, stderr="").stdout
        self.assertEqual(first, self.expect("closed nonsense --help-all", 0, stderr="").stdout)
        self.assertNotIn("Not in this build yet", first)
        for leaf in ("datasize", "run", "configview", "init", "history show", "config unset", "version"):
            self.assertRegex(first, rf"(?m)^  mlpstorage .*{leaf}")
        self.assertLessEqual(max(map(len, first.splitlines())), 110)


class Mistakes(ProgramTest):
    def test_missing_ones_are_reported_together_and_in_order(self):
        self.expect(f"closed {RUN}", 2, stdout="", stderr=(
            "[E101] --results-dir is required\n"
            "  Suggestion: give --results-dir DIR, or set MLPSTORAGE_RESULTS_DIR, "
            "or: mlpstorage config set results_dir ...\n"
            "[E101] --systemname is required\n"
            "  Suggestion: give --systemname NAME, or set MLPSTORAGE_SYSTEMNAME, "
            "or: mlpstorage config set systemname ...\n"
            "[E101] --checkpoint-folder is required\n"
            "  Suggestion: give --checkpoint-folder WHERE, or set MLPSTORAGE_CHECKPOINT_FOLDER, "
            "or: mlpstorage config set checkpoint_folder ...\n"))

    def test_retired_variables_are_named(self):
        self.refuse(f"closed {RUN}", 2, "MLPERF_SYSTEMNAME is an old name: rename it to MLPSTORAGE_SYSTEMNAME",
                    MLPERF_SYSTEMNAME="x")

    def test_unknown_flags_get_the_nearest(self):
        self.refuse(f"closed {RUN} --resluts-dir /x", 2, "unknown flag --resluts-dir", "did you mean --results-dir?")
        self.refuse(f"closed {RUN} -zz", 2, "unknown flag -zz", "'mlpstorage closed checkpointing run -h'")

    def test_wrong_values_name_flag_value_and_legal_ones(self):
        self.refuse("closed checkpointing datasize -m llama3-9b -np many -ncw -1 --color red -cm -3", 2,
                    "--model: 'llama3-9b' is not one of: llama3-8b, llama3-70b, llama3-405b, llama3-1t",
                    "--num-processes: 'many' is not a whole number, 1 to 1,048,576",
                    "--num-checkpoints-write: '-1' is not a whole number",
                    "--color: 'red' is not one of: auto, always, never",
                    "--client-host-memory-in-gb: '-3' is not a number above 0")
        self.refuse("closed checkpointing datasize -m llama3-8b -np 8 --exec-type docker", 2,
                    "--exec-type: 'docker' is not one of: mpi", "this program starts no containers")

    def test_modes_keep_their_flags(self):
        self.refuse(f"closed {RUN} --params a=1 --loops 2 -aip --skip-timeseries", 2,
                    "--params is not available in closed mode, only in open and whatif",
                    "--loops is not available in closed mode", "--allow-invalid-params is not available",
                    "--skip-timeseries is not available")
        self.refuse(f"open {RUN} --size-scale 0.1 --inject-fault reset:write_part", 2,
                    "--size-scale is not available in open mode, only in whatif", "--inject-fault is not available")

    def test_the_storage_word(self):
        self.refuse("open checkpointing run -m llama3-8b", 2, "the word 'file' or 'object' is missing after 'run'")
        self.refuse("open checkpointing run --hosts a b file", 2, "the word 'file' was taken as a value of --hosts")
        self.refuse("open checkpointing datasize file -m llama3-8b -np 8", 2, "'datasize' takes no 'file' word")

    def test_values_that_begin_with_a_dash(self):
        self.refuse(f"closed {RUN} --mpi-params -x", 2, "--mpi-params needs a value", "--mpi-params=VALUE")


class Init(ProgramTest):
    def test_claims_once_and_welcomes_its_owner_again(self):
        root = self.path("results")
        config = self.path("home/.config/mlpstorage/config.yaml")
        default = f"It is the default results directory now ({config}).\n"
        self.expect(["init", "acme", root], 0, f"{root} is initialised for organisation 'acme'.\n{default}", "")
        sentinel = self.read("results/mlperf-results.yaml")
        self.assertRegex(sentinel, "^mlperf_results_version: 3\norgname: \"acme\"\ninitialized_at: \"[0-9T:.+-]+\"\n"
                                   "initialized_by: \"mlpstorage [0-9.]+\"\n$")
        self.expect(["init", "acme", root], 0, f"{root} was initialised before for organisation 'acme'.\n{default}", "")
        self.refuse(["init", "other", root], 2, f"init: {root} belongs to organisation 'acme' already")
        self.assertEqual(self.read("results/mlperf-results.yaml"), sentinel)
        self.assertIn(f"results_dir: {root}\n", self.read("home/.config/mlpstorage/config.yaml"))

    def test_default_place(self):
        self.expect("init acme", 0)
        self.assertTrue(os.path.exists(self.path("home/mlpstorage-results/mlperf-results.yaml")))

    def test_refusals(self):
        self.write("full/.hidden", "")
        self.write("plain", "")
        self.refuse("init", 2, "'init' needs <orgname> [path]")
        self.refuse("init a b c", 2, "unexpected word 'c'")
        self.refuse("init a/b", 2, "can't be the name of an organisation")
        self.refuse(["init", "a", self.path("no/parent")], 3, "[E401]", "mkdir -p")
        self.refuse(["init", "a", self.path("full")], 2, "is not empty", "it holds .hidden")
        self.refuse(["init", "a", self.path("plain")], 2, "is a file, not a directory")

    def test_two_at_once_have_one_winner(self):
        root = self.path("race")
        racers = [subprocess.Popen([program.BINARY, "init", f"org{n}", root], env=self.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for n in range(8)]
        codes = [racer.wait(timeout=60) for racer in racers]
        self.assertEqual(codes.count(0), 1, codes)
        winner = codes.index(0)
        self.assertIn(f'orgname: "org{winner}"', self.read("race/mlperf-results.yaml"))

    def test_whatif_needs_no_preparation(self):
        words = ("whatif checkpointing run file -m llama3-8b -np 8 -cf null:// --size-scale 0.0001 -ncw 1 -ncr 0 --skip-timeseries "
                 "--params checkpoint.time_between_checkpoints=0")
        self.assertIn("results in mlpstorage-results (from whatif)", self.expect(words + " --dry-run", 0).stderr)
        self.assertFalse(os.path.exists(self.path("work/mlpstorage-results")))
        for _ in range(2):
            self.expect(words, 0)
        [host] = os.listdir(self.path("work/mlpstorage-results/whatif/no-organisation/results"))
        self.assertIn(host, (os.uname().nodename, "this-host"))
        self.assertIn(f"systemname {host}", re.sub(" +", " ", self.expect(words + " --verbose", 0).stderr))
        # A user who names directory and system is asked for nothing either.
        self.expect(words + " -sn s -rd mine", 0)
        self.assertTrue(os.path.isdir(self.path("work/mine/whatif/no-organisation/results/s")))
        self.refuse(f"open {RUN} -sn s -cf null:// -rd mine", 2, "[E101] results directory mine belongs to no organisation",
                    "mlpstorage init <orgname> DIR")
        # Then it becomes that of an organisation; what ran stays.
        self.assertIn("is initialised for organisation 'acme'", self.expect("init acme mine", 0).stdout)
        self.assertIn('orgname: "acme"', self.read("work/mine/mlperf-results.yaml"))
        self.assertEqual([], [name for name in os.listdir(self.path("work/mine")) if name.endswith(".new")])
        self.assertTrue(os.path.isdir(self.path("work/mine/whatif/no-organisation/results/s")))
        self.expect(words + " -sn s -rd mine", 0)
        self.assertTrue(os.path.isdir(self.path("work/mine/whatif/acme/results/s")))
        self.refuse("init other mine", 2, "belongs to organisation 'acme' already")

    def test_one_of_a_kind_has_no_plural(self):
        """A run of one of everything, its plan, its report, and what is said of it afterwards."""
        self.expect("init acme one", 0)
        where = " --results-dir one --systemname s --skip-timeseries --verbose"
        runs = ("checkpointing run file -m llama3-8b -np 1 -cf null:// --size-scale 0.0001 -ncw 1 -ncr 1 "
                "--params checkpoint.time_between_checkpoints=0",
                "training unet3d run file -na 1 -at b200 --data-dir null:// --params dataset.num_files_train=14 train.epochs=1 "
                "train.computation_time=0.001",
                "kvcache run file --cache-dir null:// --model tiny-1b --option 1 --trials 1 --duration 1 --num-users 1")
        wrong = re.compile(r"(?<![\d.,x=] )(?<![\d.,/=-])\b1 (?!process\b|is\b|was\b|has\b|ms\b|us\b|ns\b|s\b|[KMGT]iB)[a-z]+[a-rt-z]s\b(?!/).*")
        for words in runs:
            for more in (" --dry-run", ""):
                done = self.run_program(*f"whatif {words}{where}{more}".split())
                self.assertIn(done.returncode, (0, 1), done.stderr)
                said = re.sub(r" +", " ", done.stdout + done.stderr)
                self.assertEqual([], [found[0] for found in wrong.finditer(said)], words)
        for words in ("runs list --results-dir one", "compare one one", "validate one"):
            said = self.run_program(*words.split()).stdout
            self.assertEqual([], [found[0] for found in wrong.finditer(re.sub(r" +", " ", said))], words)

    def test_a_run_needs_it(self):
        self.refuse(f"open {RUN} -sn s -cf /tmp/x -rd /nowhere", 2, "[E101] results directory /nowhere is not initialised",
                    "mlpstorage init <orgname> /nowhere")


class Config(ProgramTest):
    def test_set_show_unset_path(self):
        path = self.path("home/.config/mlpstorage/config.yaml")
        self.expect("config path", 0, path + "\n", "")
        self.expect("config set systemname my-system", 0, "", "")
        self.expect("config set hosts a:2 b,c", 0, "", "")
        shown = self.expect("config show", 0, stderr="").stdout
        self.assertRegex(shown, r"(?m)^  systemname +my-system$")
        self.assertRegex(shown, r"(?m)^  hosts +a:2,b,c$")
        self.assertRegex(shown, r"(?m)^  results_dir +\[not set\]$")
        values = json.loads(self.expect("config show --json", 0, stderr="", MLPSTORAGE_SYSTEMNAME="e").stdout)
        self.assertEqual(values["keys"]["systemname"], {"value": "my-system", "note": "environment MLPSTORAGE_SYSTEMNAME wins"})
        self.assertEqual(len(values["keys"]), 14)
        self.expect("config unset systemname", 0, "", "")
        self.refuse("config unset systemname", 2, "there is no key 'systemname'")

    def test_refusals(self):
        self.refuse("config set systemnam x", 2, "unknown key 'systemnam'", "did you mean 'systemname'?")
        self.refuse("config set model llama3-8b", 2, "it picks the workload")
        self.refuse("config set mpi_btl pigeon", 2, "--mpi-btl: 'pigeon' is not one of: auto, vader, tcp")
        self.refuse("config set systemname", 2, "'set' needs <key> <value>...")

    def test_a_bad_file_can_be_repaired(self):
        self.write("home/.config/mlpstorage/config.yaml", "model: llama3-8b\n")
        self.refuse("closed checkpointing datasize -m llama3-8b -np 8", 2, "mlpstorage config unset model")
        self.expect("config unset model", 0)
        self.write("home/.config/mlpstorage/config.yaml", "a: [\n")
        self.refuse("closed checkpointing datasize -m llama3-8b -np 8", 5, "[E104]")


class Layers(ProgramTest):
    """The results dir and where it came from stand in a STATUS line, whatever the command does then."""

    def source(self, *arguments, **variables):
        words = "whatif checkpointing datasize -m llama3-8b -np 8".split()
        stderr = self.run_program(*words, *arguments, **variables).stderr
        found = re.search(r"\|STATUS: results in (.*)$", stderr, re.M)
        return found.group(1) if found else None

    def test_precedence(self):
        self.assertIsNone(self.source())
        user = self.write("home/.config/mlpstorage/config.yaml", "results_dir: ~/user\n")
        self.assertEqual(self.source(), f"{self.path('home/user')} (from user file {user})")
        variable = {"MLPSTORAGE_RESULTS_DIR": "/env"}
        self.assertEqual(self.source(**variable), "/env (from environment MLPSTORAGE_RESULTS_DIR)")
        file = self.write("values.yaml", "results_dir: /file\n")
        self.assertEqual(self.source("-c", file, **variable), f"/file (from config file {file})")
        self.assertEqual(self.source("-c", file, "-rd", "/typed", **variable), "/typed (from --results-dir)")

    def test_verbose_brings_the_summary_on_stderr_and_quiet_silences_it(self):
        words = "whatif checkpointing datasize -m llama3-8b -np 8".split()
        self.assertRegex(self.run_program(*words, "--verbose").stderr, r"(?m)\|STATUS:   model +llama3-8b$")
        self.assertNotIn("Run Configuration", self.run_program(*words).stderr)
        self.assertNotIn("Run Configuration", self.run_program(*words, "--quiet").stderr)

    def test_config_file_problems(self):
        words = "whatif checkpointing datasize -m llama3-8b -np 8 -c"
        self.refuse(f"{words} nothing.yaml", 5, "[E103]", "nothing.yaml")
        bad = self.write("bad.yaml", "verify: perhaps\nnum_checkpoints_read: x\n")
        self.refuse(f"{words} {bad}", 2, "--num-checkpoints-read: 'x' is not a whole number", f"from config file {bad}")


class History(ProgramTest):
    def test_commands_are_recorded_without_secrets_and_shown(self):
        root = self.path("results")
        self.expect(["init", "acme", root], 0)
        self.refuse("history show", 2, "nothing is recorded")
        words = "open checkpointing datasize -m llama3-8b -np 8 --quiet"
        self.run_program(*words.split(), "--mpi-params=-x AWS_SECRET_ACCESS_KEY=hunter2 -x A=1")
        self.run_program(*words.split())
        shown = self.expect("history show", 0, stderr="").stdout
        self.assertNotIn("hunter2", shown)
        lines = shown.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^1 : \d{8}_\d{6} : mlpstorage open .* '--mpi-params=-x AWS_SECRET_ACCESS_KEY=\*\*\* -x A=1' : done$")
        self.assertRegex(lines[1], rf"^2 : \d{{8}}_\d{{6}} : mlpstorage {words} : done$")
        self.assertEqual(self.expect("history show --limit 1", 0).stdout, lines[1] + "\n")
        self.assertEqual(self.expect("history show -i 1", 0).stdout, lines[0] + "\n")
        self.assertEqual(json.loads(self.expect("history show --json", 0).stdout)[1]["id"], 2)

    def test_says_what_became_of_a_command_and_where(self):
        self.expect(["init", "acme", self.path("results")], 0)
        run = ("whatif checkpointing run file --model llama3-8b --num-processes 8 --size-scale 0.0002 --num-checkpoints-write 1 "
               "--num-checkpoints-read 0 --checkpoint-folder null:// --systemname box --skip-fs-separation-gate --quiet "
               "--params checkpoint.time_between_checkpoints=0")
        self.expect(run, 0)
        self.refuse(run.replace("null://", self.path("none", "too", "deep")), 3)
        # Killed: the line of its end is missing.
        with open(self.path("results", ".mlps", "history"), "a", encoding="utf-8") as file:
            file.write("3,20260704_050040,mlpstorage whatif checkpointing run file\n")
        entries = json.loads(self.expect("history show --json", 0).stdout)
        self.assertEqual([entry["verdict"] for entry in entries], ["passed", "refused (status 3)", "not ended"])
        self.assertTrue(os.path.exists(os.path.join(entries[0]["folder"], "mlpstorage_record.json")))
        self.assertEqual([(entry["exit_status"], entry["folder"]) for entry in entries[1:]], [(3, None), (None, None)])
        self.assertRegex(self.expect("history show -i 1", 0).stdout, r" : passed, /.*/\d{8}_\d{6}\n$")

    def test_rerun_runs_it_again_and_records_it(self):
        self.expect(["init", "acme", self.path("results")], 0)
        words = "open checkpointing datasize -m llama3-8b -np 8 --quiet"
        first = self.run_program(*words.split())
        again = self.run_program("history", "rerun", "1")
        self.assertEqual((again.returncode, again.stdout), (first.returncode, first.stdout))
        self.assertEqual(len(self.expect("history show", 0).stdout.splitlines()), 2)
        self.refuse("history rerun 9", 2, "there is no command with id 9")
        self.refuse("history rerun x", 2, "'x' is not an id")

    def test_needs_a_results_dir(self):
        self.refuse("history show", 2, "--results-dir is required")
        self.refuse(["history", "show", "-rd", self.path("none")], 2, "is not initialised")


class Checkpointing(ProgramTest):
    """What a command begins with; what it does is tested where it is done."""

    def files(self):
        return sorted(os.path.join(folder, name) for folder, _, names in os.walk(self.folder) for name in names)

    def test_datasize_just_starts(self):
        words = ("closed checkpointing datasize --model llama3-405b --num-processes 512 "
                 "--client-host-memory-in-gb 512")
        self.assertIn("5,682,508,791,808 bytes", self.expect(words, 0).stdout)
        self.assertIsInstance(json.loads(self.expect(f"{words} --json", 0).stdout), dict)
        self.assertEqual(self.files(), [])

    def test_memory_is_this_hosts_where_it_is_optional(self):
        result = self.expect("whatif checkpointing datasize -m llama3-8b -np 8 --verbose", 0)
        self.assertRegex(result.stderr, r"client_host_memory_in_gb +[0-9.]+ \(this host's\)")
        self.refuse("closed checkpointing configview file -m llama3-8b -np 8", 2, "--client-host-memory-in-gb is required")

    def test_a_dry_run_prints_the_plan_and_leaves_nothing(self):
        words = f"closed {RUN} -rd {self.path('nowhere')} -sn s -cf null:// --dry-run --quiet"
        self.refuse(words, 2, "nowhere", "mlpstorage init")
        self.assertEqual(self.files(), [])
        self.expect(["init", "acme", self.path("nowhere")], 0)
        before = self.files()
        self.assertIn("checkpoint ", self.expect(words, 0).stdout)
        self.assertEqual(self.files(), before)

    def test_broken_rules_are_named_together(self):
        self.expect(["init", "acme", self.path("results")], 0)
        self.refuse("closed checkpointing run object -m llama3-8b -np 8 -cm 64 -cf s3://b -sn s --o-direct -ncw 3", 2,
                    "--num-checkpoints-write 3", "--o-direct")


if __name__ == "__main__":
    program.main()
