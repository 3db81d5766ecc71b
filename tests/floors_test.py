#!/usr/bin/env python3
"""floors.py finds what it should, and only that."""

import pathlib
import tempfile
import unittest

import floors


class Floors(unittest.TestCase):
    def violations(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return floors.violations(folder)

    def tree(self, **changes):
        files = {name: "#pragma once\n" for name in (
            "base/error.hpp", "cli/help.hpp", "storage/store.hpp", "storage/s3/s3.hpp",
            "storage/http/http.hpp", "storage/posix/files.hpp", "world/world.hpp")}
        files.update({name.replace("__", "/") + ".cpp": f'#include "{included}"\n' for name, included in changes.items()})
        return self.violations(files)

    def test_up_and_own_floor_and_system_headers_are_fine(self):
        self.assertEqual([], self.tree(world__a="storage/store.hpp", world__b="world/world.hpp", main="cli/help.hpp",
                                       base__c="generated_file.hpp"))
        self.assertEqual([], self.violations({"base/a.cpp": "#include <vector>\n"}))

    def test_down_is_found_with_file_and_line(self):
        self.assertEqual(['base/a.cpp:1: #include "cli/help.hpp": cli/ is below base/'], self.tree(base__a="cli/help.hpp"))

    def test_backends(self):
        fine = dict(storage__open="storage/s3/s3.hpp", storage__s3__a="storage/http/http.hpp",
                    storage__posix__b="storage/store.hpp", storage__fault__c="storage/posix/files.hpp")
        self.assertEqual([], self.tree(**fine))
        for name, included in (("storage__seam", "storage/s3/s3.hpp"), ("storage__posix__a", "storage/s3/s3.hpp"),
                               ("storage__posix__b", "storage/http/http.hpp"), ("world__a", "storage/posix/files.hpp")):
            with self.subTest(name):
                self.assertEqual(1, len(self.tree(**{name: included})))

    def test_unknown_floor_missing_file_and_missing_guard(self):
        self.assertEqual(1, len(self.violations({"base/a.hpp": "#pragma once\n", "cellar/b.cpp": '#include "base/a.hpp"'})))
        self.assertEqual(1, len(self.tree(world__a="../base/error.hpp.in")))
        self.assertEqual(["base/a.hpp: no #pragma once"], self.violations({"base/a.hpp": ""}))
        self.assertEqual(1, len(self.violations({})))

    def test_the_own_header_is_the_first_include(self):
        header, good = "#pragma once\n", '#include "base/a.hpp"\n#include <vector>\n'
        self.assertEqual([], self.violations({"base/a.hpp": header, "base/a.cpp": "// Of a.\n" + good}))
        for text in ("", "#include <vector>\n" + good, '#include "base/b.hpp"\n' + good):
            self.assertEqual(["base/a.cpp: a.hpp is not its first include"],
                             self.violations({"base/a.hpp": header, "base/b.hpp": header, "base/a.cpp": text}))

    def test_a_shared_floor_names_no_benchmark_in_its_code(self):
        for line in ("int training_runs;", 'if (word == "checkpointing") {}', "struct KVCache {};"):
            self.assertEqual(1, len(self.violations({"session/a.cpp": line + "\n"})), line)
        self.assertEqual([], self.violations({"session/a.cpp": "// as training does\n", "workloads/a.cpp": "int training;\n",
                                              "benchmarks/training/a.cpp": "int training;\n", "cli/a.cpp": "int training;\n"}))

    def test_a_benchmark_knows_no_other(self):
        header = {"benchmarks/vectordb/a.hpp": "#pragma once\n"}
        text = '#include "benchmarks/vectordb/a.hpp"\n'
        self.assertEqual([], self.violations({**header, "benchmarks/vectordb/b.cpp": text}))
        self.assertEqual(1, len(self.violations({**header, "benchmarks/kvcache/b.cpp": text})))


if __name__ == "__main__":
    unittest.main()
