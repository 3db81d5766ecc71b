#!/usr/bin/env python3
"""Checks that the files that comments and pages cite are in the repository.

Usage: cites.py [ROOT]   prints one line per missing file; exit status 1 if there is any.
"""

import pathlib
import re
import subprocess
import sys

# A citation is a word that looks like the path of a source file, a script or a page. Data files aren't checked: most that
# are mentioned are written by the program.
CITED = re.compile(r"(?<![\w./*<>{}$%~-])((?:\.\./)*[\w-][\w.-]*(?:/[\w.-]+)*\.(?:cpp|hpp|cmake|py|sh|md))\b(?![\w/*<(-])")
CODE, SCRIPT = r"//.*", r"(?:^|\s)#[ !].*"
COMMENTS = {".cpp": CODE, ".hpp": CODE, ".sh": SCRIPT, ".cmake": SCRIPT, ".txt": SCRIPT, ".py": SCRIPT + r'|"""[\s\S]*?"""',
            ".md": r".+"}


def cited(text, suffix):
    """Yields the line and the path of every citation in the comments of a file (in all of a page)."""
    for comment in re.finditer(COMMENTS[suffix], text, re.MULTILINE):
        for path in CITED.finditer(comment[0]):
            yield text.count("\n", 0, comment.start() + path.start(1)) + 1, path[1]


def is_there(path, citing, files):
    """Returns whether `path`, cited in the file `citing`, is among `files`: from the citing file's folder if it begins with
    "../", else from any folder."""
    if path.startswith("../"):
        folder = pathlib.PurePosixPath(citing).parent
        while path.startswith("../"):
            path, folder = path[3:], folder.parent
        return (folder / path).as_posix() in files
    return any(file == path or file.endswith("/" + path) for file in files)


def violations(root, files):
    """Returns one line for each missing file that is cited in one of `files`, which are paths relative to `root`."""
    found = []
    for name in sorted(files):
        suffix = pathlib.PurePosixPath(name).suffix
        if suffix not in COMMENTS:
            continue
        text = (pathlib.Path(root) / name).read_text(encoding="utf-8")
        found += [f"{name}:{line}: {path} is not in the repository" for line, path in cited(text, suffix)
                  if not is_there(path, name, files)]
    return found


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found = violations(root, {name for name in listed if (root / name).is_file()})
    print("\n".join(found) if found else "cites: every cited file is there")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
