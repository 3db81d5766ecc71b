#!/usr/bin/env python3
"""cites.py finds missing files in comments and pages, and only there."""

import pathlib
import tempfile
import unittest

import cites


class Cites(unittest.TestCase):
    def violations(self, **texts):
        with tempfile.TemporaryDirectory() as folder:
            files = {"src/base/error.hpp": "", "docs/metrics.md": ""}
            files.update({name.replace("__", "/").replace("_dot_", "."): text for name, text in texts.items()})
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return cites.violations(folder, set(files))

    def test_what_is_there_is_found_from_any_folder(self):
        self.assertEqual([], self.violations(
            src__a_dot_cpp="// See base/error.hpp, error.hpp, src/base/error.hpp and ../docs/metrics.md.\n",
            docs__b_dot_md="[metrics](metrics.md#hosts), `../src/base/error.hpp`, `summary.json`, base/*.hpp, e.g. X.hpper\n"))

    def test_what_is_missing_is_named_with_file_and_line(self):
        missing = "plan/gone.md"
        self.assertEqual([f"src/a.cpp:2: {missing} is not in the repository"],
                         self.violations(src__a_dot_cpp=f"int a;\n/// By {missing} section 3.\n"))
        for name in ("docs__a_dot_md", "tests__a_dot_sh", "CMakeLists_dot_txt", "tests__a_dot_py"):
            with self.subTest(name):
                self.assertEqual(1, len(self.violations(**{name: f"# By {missing}.\n"})))
        self.assertEqual(1, len(self.violations(a_dot_py=f'"""By\n{missing}"""\n')))
        self.assertEqual(1, len(self.violations(docs__a_dot_md="[up](" + "../" + "error.hpp)\n")))

    def test_code_is_no_comment(self):
        self.assertEqual([], self.violations(src__a_dot_cpp='#include "gone.hpp"\n', a_dot_py='open("gone.md")\n'))


if __name__ == "__main__":
    unittest.main()
