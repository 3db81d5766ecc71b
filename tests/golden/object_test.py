"""`mlpstorage object` on files: nothing is lost by a slip, and what isn't there is said."""

import os
import subprocess

import program
from program import ProgramTest


class Object(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("work/d/a", "first")
        self.write("work/d/s/b", "second")

    def assert_whole(self):
        self.assertEqual(("first", "second"), (self.read("work/d/a"), self.read("work/d/s/b")))

    def test_nothing_is_copied_onto_itself(self):
        os.symlink("a", self.path("work/d/by_symlink"))
        os.link(self.path("work/d/a"), self.path("work/d/by_hard_link"))
        for other in ("d/a", "d/../d/a", "d/by_symlink", "d/by_hard_link", "direct://" + self.path("work/d/a")):
            with self.subTest(other):
                self.refuse(["object", "cp", "d/a", other], 2, "[E102] object cp: ", "are the same")
                self.assert_whole()
        os.mkdir(self.path("work/linked"))
        os.link(self.path("work/d/a"), self.path("work/linked/a"))
        self.refuse("object cp -r d linked", 2, "are the same")
        self.assert_whole()

    def test_nothing_is_copied_into_itself(self):
        os.symlink("d", self.path("work/another_way"))
        for target in ("d", "d/copy", "d/s/copy", "another_way/copy"):
            with self.subTest(target):
                self.refuse(["object", "cp", "-r", "d", target], 2, "[E102] object cp: ", " lies in ")
        self.assert_whole()
        self.expect("object cp -r d d2", 0)
        self.assertEqual("second", self.read("work/d2/s/b"))

    def test_what_is_not_there_is_an_error(self):
        for words in ("ls none", "ls none/", "du none", "du none/", "stat none", "rm none", "rm -r none", "rm -r none/", "cp none x",
                      "cp -r none x", "cp -r d/a/none x"):
            with self.subTest(words):
                self.assertIn("[E603]", self.expect("object " + words, 3).stderr)
        self.assertFalse(os.path.exists(self.path("work/x")))
        os.mkdir(self.path("work/empty"))
        self.expect("object ls empty", 0, stdout="")
        self.assertTrue(self.expect("object du empty", 0).stdout.startswith("0 objects, 0 bytes"))

    def test_all_below_a_file_is_the_file(self):
        self.expect("object cp -r d/a x", 0)
        self.assertEqual("first", self.read("work/x"))
        self.expect("object cp -r d/a d/s", 0)
        self.assertEqual("first", self.read("work/d/s/a"))

    def test_every_command_keeps_an_operation_log(self):
        def logged(words):
            self.expect(f"object {words} --op-log ops.csv.zst", 0)
            text = subprocess.run(["zstd", "-dc", self.path("work/ops.csv.zst")], check=True, capture_output=True, text=True).stdout
            os.remove(self.path("work/ops.csv.zst"))
            head, *lines = [line.split("\t") for line in text.splitlines()]
            lines = [dict(zip(head, line)) for line in lines]
            self.assertLessEqual({line["client_id"] for line in lines}, {"object:0"}, words)
            return {(line["op"], os.path.basename(line["file"]), int(line["bytes"])) for line in lines}

        # One log for both sides of a copy.
        self.assertLessEqual({("GET", "a", 5), ("PUT", "a", 5), ("GET", "b", 6), ("PUT", "b", 6)}, logged("cp -r d d2"))
        self.assertLessEqual({("GET", "a", 5), ("PUT", "c", 5)}, logged("cp d/a c"))
        for words in ("ls d2", "du d2", "uploads d2"):
            self.assertTrue(all(op in ("LIST", "STAT") for op, _, _ in logged(words)), words)
        self.assertIn(("STAT", "a", 0), logged("stat d2/a"))
        self.assertIn(("DELETE", "a", 0), logged("rm d2/a"))
        self.assertIn(("DELETE", "b", 0), logged("rm -r d2"))
        self.write("work/precious", "text")
        self.refuse("object ls d --op-log precious", 2, "[E105] --op-log: precious is there already")
        self.assertEqual("text", self.read("work/precious"))

    def test_a_server_that_is_away_is_no_matter_of_patience(self):
        server = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secretsecretsecret",
                  "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
        for words in ("ls s3://bkt/p", "cp d/a s3://bkt/p"):
            with self.subTest(words):
                said = self.expect("object " + words, 6, **server).stderr
                self.assertIn("[E601]", said)
                self.assertNotIn("patience ends in 60", said)
                self.assertNotIn("--storage-patience", said, "a flag that these commands don't have")


if __name__ == "__main__":
    program.main()
