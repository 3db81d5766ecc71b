"""What `make install` and `make package` leave, for the shells, man and Debian's own checkers to judge."""

import os
import pathlib
import pty
import re
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["MLPSTORAGE"])
BUILD = PROGRAM.parent
FLAVOURS = [flavour for flavour in ("openmpi", "mpich") if (BUILD / f"mlps_mpi_{flavour}.so").exists()]


def said(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=600, **more)
    if done.returncode:
        raise AssertionError(f"{words}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Installed(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        said("cmake", "--install", BUILD, "--prefix", "/opt/mlps", env={**os.environ, "DESTDIR": str(self.folder)})
        self.root = self.folder / "opt/mlps"

    def test_the_program_runs_where_it_is(self):
        info = said(self.root / "bin/mlpstorage", "version", "--build-info")
        self.assertIn(f"program       {self.root}/bin/mlpstorage\n", info)
        plugins = sorted((self.root / "lib/mlpstorage/mpi").glob("mlps_mpi_*.so"))
        self.assertEqual({plugin.name for plugin in BUILD.glob("mlps_mpi_*.so")}, {plugin.name for plugin in plugins})
        for plugin in plugins:
            self.assertIn(str(plugin), info)
        # As the loader says it, but for the kernel's own.
        loaded = {line.split()[-2] for line in said("ldd", self.root / "bin/mlpstorage").splitlines() if "/" in line}
        shared = re.search(r"(?ms)^shared +(.*)", info)[1].split()
        self.assertEqual({os.path.basename(path) for path in loaded}, {os.path.basename(path) for path in shared})

    def test_nothing_else_is_installed(self):
        files = {str(path.relative_to(self.root)) for path in self.root.rglob("*") if not path.is_dir()}
        self.assertEqual({"bin/mlpstorage", *(f"lib/mlpstorage/mpi/mlps_mpi_{flavour}.so" for flavour in FLAVOURS),
                          "share/man/man1/mlpstorage.1", "share/bash-completion/completions/mlpstorage",
                          "share/zsh/vendor-completions/_mlpstorage", "share/fish/vendor_completions.d/mlpstorage.fish",
                          "share/doc/mlpstorage/copyright"}, files)
        # What docs/install.md says of removing it.
        manifest = (BUILD / "install_manifest.txt").read_text().split()
        self.assertEqual(files, {str(pathlib.Path(path).relative_to("/opt/mlps")) for path in manifest})

    @unittest.skipUnless(shutil.which("mandoc") and shutil.which("man"), "no mandoc or man")
    def test_the_manual_page_is_without_fault(self):
        page = self.root / "share/man/man1/mlpstorage.1"
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
        faults = [line for line in lint.stdout.splitlines() if "missing date" not in line]  # it is of a version, not of a day
        self.assertEqual([], faults)
        shown = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True, check=True,
                               env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "200", "PAGER": "cat"})
        self.assertEqual("", shown.stderr)
        examples = [line.split(" --")[0].strip() for line in said(PROGRAM, "examples").splitlines() if "  mlpstorage " in line]
        self.assertGreater(len(examples), 10)
        section = shown.stdout[shown.stdout.index("EXAMPLES"):]
        self.assertEqual([], [line for line in examples if line not in section])

    def environment(self):
        return {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}", "HOME": str(self.folder), "TERM": "vt100"}

    def by_bash(self, *words):
        """Returns what bash would offer in place of the last word."""
        script = self.root / "share/bash-completion/completions/mlpstorage"
        quoted = " ".join(f"'{word}'" for word in ("mlpstorage", *words))
        text = said("bash", "-c", f"compopt() {{ :; }}; . {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _mlpstorage; "
                    "printf '%s\\n' \"${COMPREPLY[@]}\"", cwd=self.folder, env=self.environment())
        return text.split("\n")[:-1]

    def by_fish(self, *words):
        """Returns the same of fish."""
        script = self.root / "share/fish/vendor_completions.d/mlpstorage.fish"
        text = said("fish", "--no-config", "-c", f"source {script}; complete -C '{' '.join(('mlpstorage', *words))}'",
                    cwd=self.folder, env=self.environment())
        return [line.split("\t")[0] for line in text.splitlines()]

    def by_zsh(self, *words):
        """Types the words and Tab into a zsh on a terminal of its own; returns the line that it made of them, and what it listed."""
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], self.environment())
        setup = (f"PS1=; LISTMAX=9999; stty columns 250; fpath=({self.root}/share/zsh/vendor-completions $fpath); "
                 "autoload -Uz compinit; compinit -u -D; show() { print -r -- \"$BUFFER\" >line; exit }; zle -N show; "
                 "bindkey '^O' show; : >ready\n")
        os.write(terminal, setup.encode())
        seen = b""
        while not (self.folder / "ready").exists():  # ctest's limit ends it if zsh never comes
            seen += os.read(terminal, 65536)
        os.write(terminal, (" ".join(("mlpstorage", *words)) + "\t\t\x0f").encode())
        try:
            while block := os.read(terminal, 65536):
                seen += block
        except OSError:  # the terminal is gone with the shell
            pass
        os.waitpid(process, 0)
        os.close(terminal)
        (self.folder / "ready").unlink()
        return (self.folder / "line").read_text().rstrip("\n"), seen.decode(errors="replace").split("stty columns")[-1]

    def assert_completes(self, completed):
        self.assertLessEqual({"closed", "config", "completion"}, set(completed("c")))
        self.assertIn("--checkpoint-folder", completed("closed", "checkpointing", "run", "file", "--check"))
        self.assertEqual(["llama3-8b"], completed("closed", "checkpointing", "run", "file", "--model", "llama3-8"))
        (self.folder / "a folder").mkdir()
        self.assertTrue([word for word in completed("validate", "a") if word.rstrip("/") in ("a folder", "a\\ folder")])

    def test_bash_completes(self):
        self.assert_completes(self.by_bash)

    @unittest.skipUnless(shutil.which("fish"), "no fish")
    def test_fish_completes(self):
        self.assert_completes(self.by_fish)

    @unittest.skipUnless(shutil.which("zsh"), "no zsh")
    def test_zsh_completes(self):
        line, listed = self.by_zsh("c")
        for word in ("closed", "completion", "config", "the per-user file of defaults"):
            self.assertIn(word, listed)
        run = "closed checkpointing run file "
        self.assertEqual(f"mlpstorage {run}--checkpoint-", self.by_zsh(run + "--checkpo")[0][:len(f"mlpstorage {run}--checkpoint-")])
        self.assertEqual(f"mlpstorage {run}--model llama3-8b", self.by_zsh(run + "--model llama3-8")[0].rstrip())
        (self.folder / "a folder").mkdir()
        self.assertEqual("mlpstorage validate a\\ folder/", self.by_zsh("validate a")[0].rstrip())


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"), "packages are made on Debian only")
class Packaged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, folder)
        said("cpack", "-G", "DEB", "-B", folder, cwd=BUILD)
        cls.packages = {path.name.split("_")[0]: path for path in folder.glob("*.deb")}

    def test_packages_name_what_they_need(self):
        self.assertEqual({"mlpstorage", *(f"mlpstorage-{flavour}" for flavour in FLAVOURS)}, set(self.packages))
        needs = said("dpkg-deb", "-f", self.packages["mlpstorage"], "Depends")
        for library in ("libc6", "libcurl4", "libpq5", "libssl3", "libstdc.*6", "liburing2", "libzstd1"):
            self.assertRegex(needs, f"\\b{library} \\(>= ")
        self.assertNotRegex(needs, "mpi", "an MPI is the matter of the plug-ins' packages")
        for flavour in FLAVOURS:
            needs = said("dpkg-deb", "-f", self.packages[f"mlpstorage-{flavour}"], "Depends")
            self.assertRegex(needs, r"^mlpstorage \(= [0-9.]+\)")
            self.assertRegex(needs, f"lib{flavour}")

    @unittest.skipUnless(shutil.which("lintian"), "no lintian")
    def test_lintian_finds_nothing(self):
        # Who packs is known only then: `DEBEMAIL`.
        self.assertEqual("", said("lintian", "--allow-root", "--tag-display-limit=0",
                                  "--suppress-tags=bogus-mail-host,bogus-mail-host-in-debian-changelog",
                                  *self.packages.values()))


if __name__ == "__main__":
    unittest.main()
