#!/usr/bin/env python3
"""Code-size numbers of the tree: files, lines, file median / p90 / max, functions, function median / p90 / p99 / max.

Usage: stats.py [FOLDER...], default src. Functions are found by a rough brace count, good enough to compare with itself.
"""

import pathlib
import re
import sys

LITERAL = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
CONTROL = re.compile(r"\b(if|for|while|switch|catch|else|do|return)\b")
# What may stand between a parameter list and a body.
BODY_START = re.compile(r"\)\s*(const|noexcept|override|final|mutable|->\s*[\w:<>,&*\s]+|:\s.*|\s)*$", re.DOTALL)


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def function_lengths(text):
    """Lines from a function's head to its closing brace. Lambdas count as part of the function around them."""
    text = LITERAL.sub(blank, text)
    lengths, stack, head = [], [], 0
    for position, character in enumerate(text):
        if character == "{":
            before = text[head:position]
            inside = any(is_function for is_function, _ in stack)
            is_function = not inside and bool(BODY_START.search(before)) and not CONTROL.match(before.strip())
            first = head + len(before) - len(before.lstrip())
            stack.append((is_function, text.count("\n", 0, first)))
            head = position + 1
        elif character == "}" and stack:
            is_function, first_line = stack.pop()
            if is_function:
                lengths.append(text.count("\n", 0, position) - first_line + 1)
            head = position + 1
        elif character == ";":
            head = position + 1
    return lengths


def at(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))] if sorted_values else 0


def main():
    folders = sys.argv[1:] or ["src"]
    paths = [path for folder in folders for path in pathlib.Path(folder).rglob("*") if path.suffix in (".cpp", ".hpp")]
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    files = sorted((text.count("\n"), str(path)) for path, text in texts.items())
    sizes = [lines for lines, _ in files]
    functions = sorted(length for text in texts.values() for length in function_lengths(text))
    print(f"files {len(files)}, lines {sum(sizes)}")
    print(f"file median / p90 / max: {at(sizes, 0.5)} / {at(sizes, 0.9)} / {at(sizes, 1)}")
    print(f"functions {len(functions)}")
    print(f"function median / p90 / p99 / max: "
          f"{at(functions, 0.5)} / {at(functions, 0.9)} / {at(functions, 0.99)} / {at(functions, 1)}")
    print("longest files: " + ", ".join(f"{path} {lines}" for lines, path in files[:-4:-1]))


if __name__ == "__main__":
    main()
