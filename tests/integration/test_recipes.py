"""What stands in packaging/ for other systems, judged by their own checkers: Containerfile, Conda recipe, the manifests of Kubernetes,
and the batch script, which a real Slurm runs."""

import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import slurm
from program import ProgramTest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SERVERS = SOURCE / "build/servers"
PACKAGING = SOURCE / "packaging"
sys.path += glob.glob(str(SERVERS / "packing/lib/python3*/site-packages"))
VERSION = re.search(r"project\(mlpstorage VERSION ([0-9.]+)", (SOURCE / "CMakeLists.txt").read_text())[1]
# A data set of nothing, read by few accelerators for a moment.
SHORT = ("--params", "dataset.num_files_train=224", "dataset.record_length_bytes=100000", "dataset.record_length_bytes_stdev=0", "train.epochs=1",
         "train.computation_time=0.002")


def strict(schema):
    """Returns a schema that refuses fields it doesn't name, as a cluster that is asked to validate does."""
    if not isinstance(schema, dict):
        return schema
    more = {}
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        more["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        return {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    return {name: strict(value) if name != "properties" else {field: strict(part) for field, part in value.items()}
            for name, value in {**schema, **more}.items()}


class Recipes(ProgramTest):
    def test_they_are_of_this_version(self):
        found = [re.search(r"(?m)^  version: ([0-9.]+)$", (PACKAGING / "conda/recipe.yaml").read_text())[1],
                 re.match(r"mlpstorage \(([0-9.]+)\)", (PACKAGING / "debian/changelog").read_text())[1],
                 *re.findall(r"image: mlpstorage[a-z-]*:(.*)", "".join(path.read_text() for path in PACKAGING.glob("kubernetes/*.yaml")))]
        self.assertEqual({VERSION}, set(found))

    def test_the_container_file(self):
        linter = SERVERS / "packing/bin/hadolint"
        if not linter.exists():
            self.skipTest("no hadolint")
        # Versions of packages are Debian's to mend (DL3008); root installs, and stage `openmpi` goes back to a number (DL3066).
        done = subprocess.run([linter, "--ignore", "DL3008", "--ignore", "DL3066", PACKAGING / "container/Containerfile"],
                              capture_output=True, text=True)
        self.assertEqual((0, ""), (done.returncode, done.stdout + done.stderr))

    def test_the_conda_recipe(self):
        try:
            import rattler_build
        except ImportError:
            self.skipTest("no py-rattler-build")
        variants = rattler_build.Stage0Recipe.from_file(PACKAGING / "conda/recipe.yaml").render()
        self.assertEqual([("mlpstorage", VERSION)], [(str(each.recipe.package.name), str(each.recipe.package.version))
                                                     for each in variants])

    def test_the_manifests(self):
        crd = SERVERS / "kubeflow.org_mpijobs.yaml"
        try:
            import jsonschema
            import kubernetes_validate
            import yaml
        except ImportError:
            self.skipTest("no kubernetes-validate")
        if not crd.exists():
            self.skipTest("no schema of the MPI operator")
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        schema, = (version["schema"]["openAPIV3Schema"] for version in yaml.load(crd.read_text(), loader)["spec"]["versions"]
                   if version["name"] == "v2beta1")
        schema = strict(schema)
        # The schema's own metadata is a bare object: Kubernetes knows what it holds.
        schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
        validator = jsonschema.Draft7Validator(schema)
        job = yaml.safe_load((PACKAGING / "kubernetes/training.yaml").read_text())
        self.assertEqual([], [error.message for error in validator.iter_errors(job)])
        for fault in ({"slotPerWorker": 1}, {"slotsPerWorker": "one"}):
            self.assertFalse(validator.is_valid({**job, "spec": {**job["spec"], **fault}}))
        for path in PACKAGING.glob("kubernetes/*.yaml"):
            for document in yaml.safe_load_all(path.read_text()):
                templates = [document] if document["kind"] != "MPIJob" else [
                    {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": role.lower()}, "spec": replica["template"]["spec"]}
                    for role, replica in document["spec"]["mpiReplicaSpecs"].items()]
                for template in templates:
                    kubernetes_validate.validate(template, "1.37.0", strict=True)

    def test_what_the_manifests_start(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("no kubernetes-validate")
        job = yaml.safe_load((PACKAGING / "kubernetes/training.yaml").read_text())["spec"]
        words = job["mpiReplicaSpecs"]["Launcher"]["template"]["spec"]["containers"][0]["args"]
        begin = words.index("mlpstorage")
        self.assertEqual(str(job["mpiReplicaSpecs"]["Worker"]["replicas"]), words[words.index("-n") + 1])
        run = [{"/data": "null://", "/results": self.folder / "results", "32": 2}.get(word, word) for word in words[begin + 1:]]
        done = self.start(*run, *SHORT,
                          before=("mpirun.openmpi", "--allow-run-as-root", "--oversubscribe", "-n", "2")).wait()
        self.assertEqual(0, done.status, done)
        record, = (self.folder / "results").rglob("mlpstorage_record.json")
        self.assertEqual(2, len(json.loads(record.read_text())["hosts"]))
        job = yaml.safe_load((PACKAGING / "kubernetes/try.yaml").read_text())["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual("try", job["args"][0])
        done = self.call(*[{"/data": self.folder / "none", "/tmp/results": self.folder / "results"}.get(word, word)
                           for word in job["args"]])
        self.assertIn("none", done.stderr)  # the place was looked for: the words are right
        self.assertEqual(3, done.status, done)

    @unittest.skipIf(os.geteuid() != 0 or slurm.missing_programs() or not shutil.which("sbatch"), "takes root, and Slurm")
    def test_the_batch_script(self):
        (self.folder / "bin").mkdir()
        os.symlink(self.program, self.folder / "bin/mlpstorage")
        log = self.folder / "job.log"
        with slurm.Slurm() as cluster:
            environment = cluster.environment(PATH=f"{self.folder}/bin:{os.environ['PATH']}", HOME=str(self.folder))
            done = cluster.run("sbatch", "--wait", "--nodes=1", "--ntasks-per-node=2", f"--output={log}",
                               PACKAGING / "slurm/training.sbatch", "null://", self.folder / "results", *SHORT,
                               env=environment)
        self.assertEqual(0, done.returncode, f"{done}\n{log.read_text() if log.exists() else ''}")
        record, = (self.folder / "results").rglob("mlpstorage_record.json")
        record = json.loads(record.read_text())
        self.assertEqual(("passed", 2), (record["verdict"], len(record["hosts"])), log.read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
