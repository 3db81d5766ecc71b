"""What is handed on, made from a fresh clone and started where nothing else is: the packages and the archive in a bare Debian, the
archive as a Conda package, the image of the Containerfile. Takes root, debootstrap, a mirror, and two builds: `make test-long`."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path += map(str, SOURCE.glob("build/servers/packing/lib/python3*/site-packages"))
WITHOUT_CACHE = {**os.environ, "CCACHE_DISABLE": "1"}
TRY = ("mlpstorage", "try", "/tmp/asked", "--time", "20s", "--results-dir", "/tmp/results")


def said(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=3600, **more)
    if done.returncode:
        raise AssertionError(f"{words}: exit status {done.returncode}\n{done.stdout[-5000:]}{done.stderr[-5000:]}")
    return done.stdout


def setUpModule():
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise unittest.SkipTest("takes root, and debootstrap")


class BareDebian(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(dir=SOURCE / "build"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.bare = cls.folder / "bare"
        said("debootstrap", "--variant=minbase", "bookworm", cls.bare)
        cls.archive = SOURCE / said(SOURCE / "scripts/archive.sh", cwd=SOURCE).split()[-1]

    def root(self):
        """Returns a copy of the bare system with nothing in it that this test did not put there."""
        root = self.folder / self.id().split(".")[-1]
        said("cp", "-a", self.bare, root)
        self.addCleanup(shutil.rmtree, root)
        (root / "tmp/asked").mkdir()
        return root

    def assert_answers(self, root):
        # The program starts itself anew, for which it needs /proc.
        screen = said("unshare", "--mount", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', root, "env",
                      "HOME=/tmp", "PATH=/opt/mlpstorage/bin:/usr/sbin:/usr/bin:/sbin:/bin", *TRY)
        self.assertRegex(screen, r"training .*U-Net3D")
        self.assertRegex(screen, r"checkpoint .*GiB/s|checkpoint .*MiB/s")
        self.assertEqual([], list((root / "tmp/asked").iterdir()))

    def test_the_package(self):
        said("make", "package", cwd=SOURCE)
        root = self.root()
        for package in SOURCE.glob("build/packages/mlpstorage_*.deb"):
            shutil.copy(package, root / "tmp/mlpstorage.deb")
        said("chroot", root, "apt-get", "install", "-y", "--no-install-recommends", "/tmp/mlpstorage.deb")
        self.assert_answers(root)
        said("chroot", root, "apt-get", "purge", "-y", "mlpstorage")
        self.assertEqual([], list(root.glob("usr/**/*mlpstorage*")))

    def test_the_archive(self):
        root = self.root()
        (root / "opt/mlpstorage").mkdir()
        said("tar", "-C", root / "opt/mlpstorage", "--strip-components=1", "-xzf", self.archive)
        needed = said("readelf", "-d", root / "opt/mlpstorage/bin/mlpstorage")
        self.assertEqual({"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"},
                         {line.split("[")[1].rstrip("]") for line in needed.splitlines() if "NEEDED" in line})
        self.assert_answers(root)
        self.assertIn("lib/mlpstorage/mpi/mlps_mpi_", said(root / "opt/mlpstorage/bin/mlpstorage", "version", "--build-info"))
        linked = (root / "opt/mlpstorage/share/doc/mlpstorage/linked.txt").read_text()
        for package in ("curl", "libssl-dev", "postgresql-15", "libzstd-dev", "nlohmann-json3-dev"):
            self.assertRegex(linked, f"(?m)^{package} +[0-9]")
            self.assertTrue((root / "opt/mlpstorage/share/doc/mlpstorage/licences" / package).stat().st_size > 500)

    def test_another_build_is_the_same(self):
        clone = self.folder / "elsewhere"
        said("git", "clone", "-q", SOURCE, clone)
        said("git", "checkout", "-q", said("git", "rev-parse", "HEAD", cwd=SOURCE).strip(), cwd=clone)
        again = clone / said("scripts/archive.sh", cwd=clone, env=WITHOUT_CACHE).split()[-1]
        self.assertEqual(said("git", "status", "--porcelain", cwd=SOURCE), "", "compared are builds of what is committed")
        self.assertEqual(self.archive.read_bytes(), again.read_bytes())

    def test_the_conda_package(self):
        try:
            import rattler_build
        except ImportError:
            self.skipTest("no py-rattler-build, which comes from PyPI")
        recipe = rattler_build.Stage0Recipe.from_file(SOURCE / "packaging/conda/recipe.yaml")
        variants = recipe.render()
        built = [variant.run_build(output_dir=self.folder / "conda", channels=[]) for variant in variants]
        self.assertEqual(1, len(built))
        self.assertTrue(list(self.folder.glob("conda/linux-64/mlpstorage-*.conda")))

    @unittest.skipUnless(shutil.which("buildah"), "no buildah")
    def test_the_image(self):
        store = self.folder / "images"
        buildah = ("buildah", "--root", store / "root", "--runroot", store / "run", "--storage-driver", "vfs")
        environment = {**os.environ, "TMPDIR": str(self.folder)}
        base = said(*buildah, "from", "scratch", env=environment).strip()
        said("tar", "-C", self.bare, "-cf", self.folder / "bare.tar", ".")
        said(*buildah, "add", base, self.folder / "bare.tar", "/", env=environment)
        said(*buildah, "commit", base, "localhost/debian:12", env=environment)
        for target in ("program", "openmpi"):
            said(*buildah, "build", "--isolation", "chroot", "--pull=never", "--build-arg", "BASE=localhost/debian:12", "--layers",
                 "--target", target, "-t", target, "-f", "packaging/container/Containerfile", ".", cwd=SOURCE, env=environment)
            container = said(*buildah, "from", "--pull=never", target, env=environment).strip()
            run = (*buildah, "run", "--isolation", "chroot", container, "--")
            self.assertIn("compiler", said(*run, "mlpstorage", "version", "--build-info", env=environment))
            self.assertEqual("1000", said(*run, "id", "-u", env=environment).strip())
        self.assertIn("mlps_mpi_openmpi.so", said(*run, "mlpstorage", "version", "--build-info", env=environment))
        said(*run, "mpirun", "--version", env=environment)
        # As the MPI operator starts a worker, with keys that it mounts: a launcher's ssh gets in and finds the program.
        greeting = said(*run, "sh", "-c", "mkdir ~/.ssh && ssh-keygen -q -t rsa -N '' -f ~/.ssh/id_rsa && cp ~/.ssh/id_rsa.pub "
                        "~/.ssh/authorized_keys && { /usr/sbin/sshd -De -f ~/.sshd_config & until ssh localhost true; do sleep 0.2; done; "
                        "ssh localhost mlpstorage --version; kill $!; }", env=environment)
        self.assertIn("mlpstorage", greeting)


if __name__ == "__main__":
    unittest.main(verbosity=2)
