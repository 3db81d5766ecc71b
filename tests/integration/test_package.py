"""What `make install` and `make package` leave. With the word "bare": the package in a bare Debian, for which debootstrap and a
mirror are needed; `make test-long` runs it so."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["MLPSTORAGE"])
BUILD = PROGRAM.parent
BARE = "bare" in sys.argv[1:]


def said(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=600, **more)
    if done.returncode:
        raise AssertionError(f"{words}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class InAFolder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)


class Installed(InAFolder):
    def setUp(self):
        super().setUp()
        said("cmake", "--install", BUILD, "--prefix", "/opt/mlps", env={**os.environ, "DESTDIR": str(self.folder)})
        self.root = self.folder / "opt/mlps"

    def test_the_program_runs_where_it_is(self):
        info = said(self.root / "bin/mlpstorage", "version", "--build-info")
        self.assertIn(f"program       {self.root}/bin/mlpstorage\n", info)
        plugins = sorted((self.root / "lib/mlpstorage").glob("mlps_mpi_*.so"))
        self.assertEqual({plugin.name for plugin in BUILD.glob("mlps_mpi_*.so")}, {plugin.name for plugin in plugins})
        for plugin in plugins:
            self.assertIn(str(plugin), info)

    def test_the_manual_page_is_without_fault(self):
        page = (self.root / "share/man/man1/mlpstorage.1").read_text()
        self.assertIn("checkpointing", page)
        if shutil.which("groff") and subprocess.run(["groff", "-man", "-Tascii"], input="", capture_output=True, text=True).returncode == 0:
            done = subprocess.run(["groff", "-man", "-Tascii", "-ww"], input=page, capture_output=True, text=True, check=True)
            self.assertNotIn("warning: macro", done.stderr)
            self.assertIn("MLPSTORAGE(1)", done.stdout)

    def completed(self, *words):
        """Returns what bash would offer in place of the last word."""
        script = self.root / "share/bash-completion/completions/mlpstorage"
        quoted = " ".join(f"'{word}'" for word in ("mlpstorage", *words))
        text = said("bash", "-c", f"compopt() {{ :; }}; . {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _mlpstorage; "
                    "printf '%s\\n' \"${COMPREPLY[@]}\"", cwd=self.folder,
                    env={**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"})
        return text.split("\n")[:-1]

    def test_bash_completes(self):
        self.assertLessEqual({"closed", "config", "completion"}, set(self.completed("c")))
        self.assertIn("--checkpoint-folder", self.completed("closed", "checkpointing", "run", "file", "--check"))
        self.assertEqual(["llama3-8b"], self.completed("closed", "checkpointing", "run", "file", "--model", "llama3-8"))
        (self.folder / "a folder").mkdir()
        self.assertEqual(["a folder"], self.completed("validate", "a"))


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"), "packages are made on Debian only")
class Packaged(InAFolder):
    def setUp(self):
        super().setUp()
        said("cpack", "-G", "DEB", "-B", self.folder, cwd=BUILD)
        self.packages = {path.name.split("_")[0]: path for path in self.folder.glob("*.deb")}

    def test_packages_name_what_they_need(self):
        self.assertIn("mlpstorage", self.packages)
        needs = said("dpkg-deb", "-f", self.packages["mlpstorage"], "Depends")
        self.assertRegex(needs, r"libcurl4.*libssl3")
        self.assertNotRegex(needs, "mpi", "an MPI is the matter of the plug-ins' packages")
        for flavour in ("openmpi", "mpich"):
            if (BUILD / f"mlps_mpi_{flavour}.so").exists():
                needs = said("dpkg-deb", "-f", self.packages[f"mlpstorage-{flavour}"], "Depends")
                self.assertRegex(needs, r"^mlpstorage \(= [0-9.]+\)")
                self.assertRegex(needs, f"lib{flavour}")

    @unittest.skipUnless(BARE, "make test-long")
    def test_it_runs_in_a_bare_debian(self):
        root = self.folder / "root"
        said("debootstrap", "--variant=minbase", "bookworm", root)
        shutil.copy(self.packages["mlpstorage"], root / "tmp/mlpstorage.deb")
        said("chroot", root, "apt-get", "install", "-y", "--no-install-recommends", "/tmp/mlpstorage.deb")
        run = said("chroot", root, "env", "HOME=/tmp", "sh", "-c",
                   "mlpstorage init org /tmp/results && mlpstorage whatif checkpointing run file --checkpoint-folder null:// "
                   "--model llama3-8b --num-processes 8 --size-scale 0.001 --num-checkpoints-write 1 --num-checkpoints-read 1 "
                   "--params checkpoint.time_between_checkpoints=0 --systemname s --results-dir /tmp/results")
        self.assertTrue(re.search("^Verdict: passed", run, re.MULTILINE), run)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
