#!/usr/bin/env python3
"""Every example that help, README and docs show runs as it is typed, in a folder of its own: with a folder instead of /mnt/data, as a
dry run where it needs a server or other hosts. Help is laid out for its screen, and knows the words of other tools."""

import os
import pathlib
import re
import shlex
import unittest

from program import ProgramTest, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_REGION": "us-east-1"}


def commands_in(text):
    """The command lines of an indented text, those that go on behind a backslash joined."""
    text = re.sub(r"\\\n\s*", "", text)
    return [line.strip().split("  #")[0] for line in re.findall(r"(?m)^ {4}(?:\$ )?(mlpstorage .*)$", text)]


class Examples(ProgramTest):
    def typed(self, line):
        words = shlex.split(line.replace("/mnt/data", self.path("place")))[1:]
        if words[0] == "try":  # takes a minute otherwise; a bucket is tried by another test
            words = ["help", "try"] if "s3://" in line else [*words, "--time", "5"]
        elif "s3://" in line or "--hosts" in words or words[0] == "closed":
            words += ["--dry-run"] if "datasize" not in words else []
        return words

    def test_examples_of_the_program_run_one_after_the_other(self):
        os.makedirs(self.path("place"))
        lines = commands_in(self.expect("examples", 0, stderr="", COLUMNS="80").stdout)
        self.assertGreater(len(lines), 15)
        for line in lines:
            with self.subTest(line):
                result = self.run_program(*self.typed(line), **CREDENTIALS)
                # 1: a status that says what is missing for a submission
                self.assertIn(result.returncode, (0, 1) if " status " in line or "reportgen" in line else (0,), result.stderr)

    def test_examples_of_the_readme_and_of_docs_are_commands(self):
        pages = [ROOT / "README.md", ROOT / "docs/guides.md", ROOT / "docs/try.md"]
        lines = [line for page in pages for line in commands_in(page.read_text(encoding="utf-8")) if "..." not in line]
        self.assertGreater(len(lines), 8)
        for line in lines:
            with self.subTest(line):
                words = shlex.split(line)[1:]
                if words[0] in ("closed", "open", "whatif") and "datasize" not in words:
                    words += ["--dry-run"]
                    self.run_program("init", "my-organisation", "results")
                else:
                    words = ["help", *words[:1]] if words[0] not in ("closed", "open", "whatif") else words
                result = self.run_program(*words, **CREDENTIALS)
                self.assertNotIn("unknown", result.stderr)
                self.assertIn(result.returncode, (0, 3), result.stderr)  # 3: /mnt/data is not there

    def test_help_shows_the_examples_of_a_command_first_in_every_mode(self):
        for words in ("whatif training unet3d run", "closed training retinanet run", "closed checkpointing", "try", "runs list"):
            text = self.expect(f"{words} -h", 0, stderr="").stdout
            self.assertTrue(text.startswith("Examples:\n"), text[:200])
        self.assertNotIn("checkpointing", self.expect("whatif training unet3d run -h", 0).stdout.split("Usage:")[0])

    def test_help_keeps_to_the_screen(self):
        for columns in (60, 80, 100, 200):
            for words in ("-h", "whatif training unet3d run -h", "help o-direct", "try -h", "compare -h", "report -h", "replay -h",
                          "validate -h", "runs rm -h", "completion -h", "init -h", "submit -h"):
                text = self.expect(words, 0, COLUMNS=str(columns)).stdout
                body = [line for line in text.splitlines() if not line.startswith("Usage:") and " " in line.strip()]
                wide = [line for line in body if len(line) > min(columns, 120) and not line.startswith("  -")]
                self.assertEqual([], [line for line in wide if columns >= 80], (columns, words))

    def test_flags_are_grouped_and_old_ones_stand_last(self):
        text = self.expect("whatif training unet3d run -h", 0).stdout
        titles = re.findall(r"(?m)^([A-Z][A-Za-z ]+):$", text)
        self.assertEqual(["Examples", "Required", "What", "Where", "How", "Hosts", "Output", "Accepted for old scripts"], titles)
        hosts = text.split("\nHosts:\n")[1].split("\nOutput:\n")[0]
        self.assertIn("--mpi-bin", hosts)
        self.assertNotIn("--io-depth", hosts)

    def test_help_knows_flags_commands_and_the_words_of_other_tools(self):
        self.assertIn("--o-direct", self.expect("help o-direct", 0).stdout)
        self.assertIn("mlpstorage <mode> checkpointing datasize", self.expect("help datasize", 0).stdout)
        self.assertIn("--io-part-size", self.expect("help bs", 0).stdout)
        self.refuse("help nonsense", 2, "unknown word 'nonsense'")
        self.refuse("whatif training unet3d run file --iodepth=4", 2, "unknown flag --iodepth", "of fio and elbencho; here: --io-depth")
        self.refuse("whatif checkpointing run file --s3secret x", 2, "AWS_SECRET_ACCESS_KEY")
        self.refuse("mixed", 2, "mlpstorage try PLACE")

    def test_no_words_show_the_first_screen(self):
        screen = self.expect([], 2, stdout="").stderr
        for words in ("mlpstorage try /mnt/data", "mlpstorage examples", "Start here:", "Submit to MLPerf:", "checkpointing"):
            self.assertIn(words, screen) if words != "checkpointing" else self.assertNotIn(words, screen)


if __name__ == "__main__":
    main()
