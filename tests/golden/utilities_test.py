"""runs, status, submit, lockfile and rules-coverage on the real program."""

import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile

import program
from program import ProgramTest
from submission import ORG, SYSTEM, Submission, write


class Utilities(ProgramTest):
    def made(self, **more):
        """Returns a valid submission in an initialised results directory."""
        results = self.path("results")
        os.mkdir(results)
        self.expect(["init", ORG, results], 0)
        return Submission(results, **more)

    def listed(self, *words):
        return json.loads(self.expect(["runs", "list", "--json", *words], 0).stdout)

    def metadata_of(self, leaf):
        (name,) = [name for name in os.listdir(leaf) if name.endswith("_metadata.json")]
        return os.path.join(leaf, name)

    def test_runs_are_listed_with_states_sizes_and_what_needs_a_look_first(self):
        made = self.made()
        runs = made.leaves_of("training/unet3d/run")
        os.remove(self.metadata_of(runs[4]))
        Submission.set(self.metadata_of(runs[2]), "exit_status", 7)
        listed = self.listed()
        self.assertEqual(len(listed), 16)
        self.assertEqual([run["status"] for run in listed[:3]], ["incomplete", "failed", "complete"])
        self.assertEqual([run["leaf"] for run in listed[:2]], [os.path.relpath(path, made.root) for path in (runs[4], runs[2])])
        self.assertEqual(listed[1]["size_bytes"], sum(
            os.path.getsize(path) for path in glob.glob(runs[2] + "/**", recursive=True, include_hidden=True) if os.path.isfile(path)))
        self.assertEqual(listed[2]["verification"], "CLOSED")
        # Numbers follow the times, and stay.
        self.assertEqual(sorted(run["id"] for run in listed), list(range(1, 17)))
        by_time = sorted(listed, key=lambda run: run["id"])
        self.assertEqual([run["run_datetime"] for run in by_time], sorted(run["run_datetime"] for run in by_time))
        shutil.rmtree(runs[2])
        made.leaf("checkpointing", "checkpointing/llama3-8b", "20200101_000000", "run", model="llama3-8b")
        again = {run["leaf"]: run["id"] for run in self.listed()}
        for run in listed:
            self.assertIn(again.get(run["leaf"], run["id"]), (run["id"],))
        self.assertEqual(max(again.values()), 17)
        self.assertEqual([run["model"] for run in self.listed("--benchmark", "kvcache", "--mode", "closed")], ["llama3.1-8b"])
        self.assertEqual({run["status"] for run in self.listed("--status", "incomplete")}, {"incomplete"})
        text = self.expect("runs show 1", 0).stdout
        self.assertRegex(text, "code image is there +yes")
        self.refuse("runs show 99", 2, "there is no run '99'", "runs list")

    def test_a_torn_ledger_keeps_its_numbers(self):
        self.made()
        before = {run["leaf"]: run["id"] for run in self.listed()}
        with open(self.path("results", ".mlps", "runs.jsonl"), "a", encoding="utf-8") as file:
            file.write('{"at":"2026-07-01T10:00:00","event":"regis')
        write(self.path("results", "closed", ORG, "results", SYSTEM, "kv_cache/llama3.1-8b/run/20260801_000000/summary.json"), {})
        after = {run["leaf"]: run["id"] for run in self.listed()}
        self.assertEqual(len(after), 17)
        self.assertLessEqual(before.items(), after.items())
        self.assertEqual(self.listed(), self.listed())

    def test_what_is_removed_is_shown_first_and_kept_in_the_trash(self):
        made = self.made()
        runs = made.leaves_of("training/unet3d/run")
        Submission.set(self.metadata_of(runs[2]), "exit_status", 7)
        self.refuse("runs rm", 2, "nothing says which runs")
        self.refuse("runs rm --older-than soon", 2, "'soon'", "7d")
        text = self.expect("runs rm --status failed", 0).stdout
        self.assertIn("1 run would be moved into the trash", text)
        self.assertTrue(os.path.isdir(runs[2]))
        self.expect("runs rm --status failed --yes", 0)
        self.assertFalse(os.path.exists(runs[2]))
        (kept,) = glob.glob(self.path("results", ".mlps/trash/*/", os.path.relpath(runs[2], made.root)))
        self.assertTrue(os.path.exists(kept + "/summary.json"))
        ids = {run["id"] for run in self.listed()}
        self.expect("runs rm --benchmark training --keep-last 2 --yes", 0)
        left = [run for run in self.listed() if run["benchmark"] == "training"]
        self.assertEqual(sorted(run["command"] for run in left), ["datagen", "datasize", "run", "run"])
        self.assertEqual({run["run_datetime"] for run in left if run["command"] == "run"}, {"20260701_100800", "20260701_101000"})
        # A run that comes back gets a number that nobody had.
        shutil.move(kept, runs[2])
        (back,) = [run for run in self.listed() if run["leaf"] == os.path.relpath(runs[2], made.root)]
        self.assertNotIn(back["id"], ids)
        self.assertRegex(self.expect("runs purge", 0).stdout, "batch(es)? would be removed")
        self.assertTrue(os.path.isdir(self.path("results", ".mlps/trash")))
        self.expect("runs purge --yes", 0)
        self.assertFalse(os.path.exists(self.path("results", ".mlps/trash")))

    def test_images_go_when_no_run_points_to_them_not_even_in_the_trash(self):
        made = self.made()
        (image,) = glob.glob(made.root + "/code-images/code-*")
        other = made.root + "/code-images/code-01234567"
        shutil.copytree(image, other)
        self.expect("runs gc --yes", 0)
        self.assertTrue(os.path.isdir(image))
        self.assertFalse(os.path.exists(other))
        self.expect("runs rm --older-than 2030-01-01 --yes", 0)
        self.expect("runs gc --yes", 0)
        self.assertTrue(os.path.isdir(image))
        self.expect("runs purge --yes", 0)
        self.expect("runs gc --yes", 0)
        self.assertFalse(os.path.exists(image))

    def test_a_run_that_is_running_is_not_removed(self):
        made = self.made()
        (leaf,) = made.leaves_of("kv_cache/llama3.1-8b/run")
        write(leaf + "/INCOMPLETE", "")
        record = leaf + "/mlpstorage_record.json"
        write(record, {"hosts": [{"host": os.uname().nodename, "pid": 999999999}]})
        self.assertEqual(self.listed("--benchmark", "kvcache")[0]["status"], "incomplete")
        # A process counts that has the program's name.
        shutil.copy("/bin/sleep", self.path("mlpstorage"))
        with subprocess.Popen([self.path("mlpstorage"), "60"]) as process:
            write(record, {"hosts": [{"host": os.uname().nodename, "pid": process.pid}]})
            (run,) = self.listed("--benchmark", "kvcache")
            self.assertEqual(run["status"], "running")
            self.refuse(["runs", "rm", str(run["id"]), "--yes"], 2, "is running now")
            process.kill()
        self.assertTrue(os.path.isdir(leaf))
        os.remove(record)

    def test_status_tells_short_invalid_paperwork_and_ready(self):
        made = self.made()
        status = json.loads(self.expect("status --json", 0).stdout)
        self.assertEqual([one["token"] for one in status["results"]], ["ready"] * 4, status)
        self.assertTrue(status["submittable"])
        shutil.rmtree(made.leaves_of("training/unet3d/run")[5])
        Submission.set(made.leaves_of("vector_database/milvus/DISKANN/run")[1] + "/summary.json", "recall", 0.0)
        os.remove(made.leaves_of("checkpointing/llama3-8b")[0] + "/.mlps-code-image")
        status = json.loads(self.expect("status --json", 0).stdout)
        tokens = {one["benchmark"]: one["token"] for one in status["results"]}
        self.assertEqual(tokens, {"training": "short", "vector_database": "invalid", "checkpointing": "paperwork", "kv_cache": "ready"})
        self.assertFalse(status["submittable"])
        text = self.expect("status --submit invalid", 0).stdout
        self.assertIn("5.3.2", text)
        self.assertNotIn("short ", text)
        os.remove(made.organisation + f"/systems/{SYSTEM}.pdf")
        status = json.loads(self.expect("status --json", 0).stdout)
        self.assertEqual({one["benchmark"]: one["token"] for one in status["results"]}["kv_cache"], "paperwork")

    def test_what_is_ready_is_packed_whole(self):
        made = self.made(divisions=("closed", "open"))
        os.remove(made.organisation + f"/systems/{SYSTEM}.pdf")
        write(made.root + "/whatif/acme/results/x", "")
        shutil.copytree(glob.glob(made.root + "/code-images/code-*")[0], made.root + "/code-images/code-01234567")
        shutil.rmtree(made.root + "/code-images/code-01234567")
        out = self.path("out")
        os.mkdir(out)
        dry = self.refuse_or_pack("--dry-run", 1)
        self.assertIn(f"{SYSTEM}.pdf is missing", dry)
        self.assertFalse(os.path.exists(made.organisation + f"/systems/{SYSTEM}.pdf"))
        text = self.expect(["submit", "--out", out], 0).stdout
        (archive,) = glob.glob(out + "/*.tar.gz")
        with open(archive, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        self.assertIn(digest, text)
        with open(archive + ".sha256", encoding="utf-8") as file:
            self.assertEqual(file.read(), f"{digest}  {os.path.basename(archive)}\n")
        with tarfile.open(archive) as tar:
            tar.extractall(self.path("unpacked"), filter="data")
        with open(archive + ".manifest.json", encoding="utf-8") as file:
            contents = json.load(file)["files"]
        packed = {one["path"]: one["sha256"] for one in contents}
        found = {os.path.relpath(path, self.path("unpacked")) for path in
                 glob.glob(self.path("unpacked", "**"), recursive=True, include_hidden=True) if os.path.isfile(path)}
        self.assertEqual(found, set(packed))
        self.assertFalse([path for path in found if path.startswith(("whatif", ".mlps"))])
        self.assertTrue([path for path in found if len(path) > 100])
        for path, wanted in packed.items():
            with open(self.path("unpacked", path), "rb") as file, open(os.path.join(made.root, path), "rb") as source:
                content = file.read()
                self.assertEqual(content, source.read())
                self.assertEqual(hashlib.sha256(content).hexdigest(), wanted)
        self.assertIn("SUMMARY: valid", self.expect(["validate", self.path("unpacked")], 0).stdout)
        with open(made.organisation + f"/systems/{SYSTEM}.pdf", "rb") as file:
            page = file.read()
        self.assertTrue(page.startswith(b"%PDF-1.4") and page.endswith(b"%%EOF\n"))
        for offset in re.findall(rb"^(\d{10}) 00000 n $", page, re.M):
            self.assertRegex(page[int(offset):int(offset) + 12], rb"^\d+ 0 obj\n")

    def refuse_or_pack(self, word, code):
        return self.expect(["submit", word], code).stdout

    def test_what_breaks_a_rule_is_not_packed(self):
        made = self.made()
        Submission.set(made.leaves_of("vector_database/milvus/DISKANN/run")[1] + "/summary.json", "recall", 0.0)
        result = self.expect("submit", 1)
        self.assertIn("5.3.2", result.stdout)
        self.assertIn("nothing was packed", result.stderr)
        self.assertFalse(os.path.exists(self.path("results", ".mlps", "packages")))

    def test_a_manifest_lists_every_run_as_checkers_expect(self):
        made = self.made()
        os.remove(made.organisation + "/submission.yaml")
        self.expect("reports reportgen", 0)
        text = self.read(f"results/closed/{ORG}/submission.yaml")
        self.assertEqual(text.split("\n")[0], "schema: mlps-submission-manifest/1")
        self.assertEqual(text.count("  - leaf: "), 16)
        self.assertIn('    core_config: "0d3ad0dec188becd"', text)
        self.assertIn('    provenance: "derived"', text)
        self.assertIn(f'    pdf: "systems/{SYSTEM}.pdf"', text)
        self.expect(["validate", made.root], 0)

    def test_a_lock_holds_for_the_same_program_and_not_for_another(self):
        lock = self.path("work", "mlpstorage.lock")
        self.expect("lockfile generate", 0)
        self.expect("lockfile verify", 0, stdout="mlpstorage.lock holds here\n")
        with open(lock, encoding="utf-8") as file:
            content = json.load(file)
        self.assertTrue(any(one["name"].startswith("libfmt.so") for one in content["libraries"]))
        content["kernel"] = "5.0.0"
        content["libraries"][0]["sha256"] = "0" * 64
        name = content["libraries"][0]["name"]
        write(lock, content)
        self.refuse("lockfile verify", 1, "kernel was 5.0.0 and is", f"{name} was 0000")
        self.expect(["lockfile", "verify", "--skip", "kernel", "--skip", name], 0)
        os.mkdir(self.path("results"))
        self.expect(["init", ORG, self.path("results")], 0)
        run = (f"whatif checkpointing run file -m llama3-8b -np 8 -cf null:// --size-scale 0.0001 -sn s -rd {self.path('results')} -q "
               "--dry-run --verify-lockfile ")
        self.refuse(run + lock, 1, "E301", "kernel was 5.0.0")
        self.refuse(run + self.path("nowhere"), 5, "nowhere")
        write(lock, "{}")
        self.refuse("lockfile verify", 5, "is no lock file")
        self.expect("lockfile generate", 0)
        self.expect(run + lock, 0)

    def test_rules_without_a_check_are_listed_with_the_reason(self):
        coverage = {one["id"]: one for one in json.loads(self.expect("rules-coverage --json", 0).stdout)}
        self.assertTrue(coverage["3.3.2"]["judged"])
        for one in coverage.values():
            self.assertTrue(one["judged"] or one["why_not"], one)
        rules = self.write("Rules.md", "# 3\n\n3.3.2. **trainingAcceleratorUtilizationCheck** -- text\n\n9.9.9. **somethingNew** -- text\n")
        text = self.expect(["rules-coverage", "--rules-md", rules], 0).stdout
        self.assertIn("9.9.9     somethingNew", text)
        self.assertIn("1 of 2 rules are judged", text)
        self.refuse(["rules-coverage", "--rules-md", self.write("empty.md", "nothing\n")], 5, "has no rule")


if __name__ == "__main__":
    program.main()
