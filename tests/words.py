#!/usr/bin/env python3
"""Checks that words which docs/glossary.md has replaced don't come back in code and pages.

Usage: words.py [ROOT]   prints one line per place; exit status 1 if there is any.
"""

import pathlib
import re
import sys

REPLACED = {
    "bell": "event count", "crew": "I/O threads", "chores?": "open/close queue", "conductor": "step loop", "courier": "MPI thread",
    "chorus": "message merger", "journalist": "journal writer", "attendances?": "launcher supervisor", "disband": "stop",
    "hears?|heard": "is signalled, receives", "the originals?('s)?": "mlpstorage 3.0 or DLIO", "speller": "tokenizer",
}
WORDS = re.compile(r"\b(?:" + "|".join(f"(?P<w{i}>{word})" for i, word in enumerate(REPLACED)) + r")\b", re.IGNORECASE)
FOLDERS = ("src", "docs", "scripts", "cmake", "README.md", "CONTRIBUTING.md", "CMakeLists.txt")


def words_in(text):
    """Yields the line, the replaced word and what to say instead of it."""
    for found in WORDS.finditer(text):
        index = int(found.lastgroup[1:])
        yield text.count("\n", 0, found.start()) + 1, found[0], list(REPLACED.values())[index]


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    found = []
    for folder in FOLDERS:
        for path in sorted(root.joinpath(folder).rglob("*")) or [root / folder]:
            if path.is_file() and path.suffix in (".cpp", ".hpp", ".md", ".sh", ".cmake", ".txt"):
                found += [f"{path.relative_to(root)}:{line}: '{word}': say {better}"
                          for line, word, better in words_in(path.read_text(encoding="utf-8"))]
    print("\n".join(found) if found else "words: none of the replaced ones")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
