"""Whether the tracked files hold what belongs to one machine, or a test that cannot fail.

Run ``python tools/hygiene.py``; it prints ``file:line: what`` for each fault and exits 1. The
patterns are put together from pieces, so that this file does not match itself.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MACHINE_PATH = re.compile(
    "|".join((r"(?<![\w.])/wo" + r"rk/", "/tm" + "p/w(?![a-z])", r"(?<![\w.])/ro" + "ot/"))
)
PACKAGE_INDEX = re.compile(
    "|".join(
        (
            r"\bpy" + r"pi\.",
            r"pythonhosted" + r"\.org",
            r"conda" + r"\.anaconda\.org",
            r"registry\.npm" + r"js",
            r"/sim" + r"ple/?(?=[\s\"']|$)",
        )
    )
)
INDEX_OPTION = re.compile("--(extra-)?index" + "-url|--find" + "-links|--trusted" + "-host")


def tracked() -> list[str]:
    """Return the paths of the tracked files, relative to the root."""
    answer = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in answer.stdout.split("\0") if name]


def matching_lines(text: str, pattern: re.Pattern[str]) -> Iterator[int]:
    """Yield the number of each line on which a pattern occurs."""
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1


def is_skip(node: ast.AST) -> bool:
    """Say whether a node is ``pytest.skip`` or ``pytest.mark.skip`` (or ``xfail``)."""
    return isinstance(node, ast.Attribute) and node.attr in {"skip", "xfail"}


def idle_asserts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each assertion of a true constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant) and node.test.value:
            yield node.lineno, "an assertion of a constant cannot fail"


def bare_skips(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each skip that says nothing, as a call or as a decorator."""
    what = "a test is skipped without a reason"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_skip(node.func):
            if not node.args and not any(k.arg == "reason" for k in node.keywords):
                yield node.lineno, what
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from ((d.lineno, what) for d in node.decorator_list if is_skip(d))


def faults_of(name: str, text: str) -> list[str]:
    """Return the faults of one file as ``file:line: what``."""
    found: list[tuple[int, str]] = []
    found += [(line, "a machine path") for line in matching_lines(text, MACHINE_PATH)]
    found += [(line, "a package index") for line in matching_lines(text, PACKAGE_INDEX)]
    if name.startswith("locks/"):
        found += [(line, "an index address") for line in matching_lines(text, INDEX_OPTION)]
    if name.startswith("tests/") and name.endswith(".py"):
        tree = ast.parse(text)
        found += [*idle_asserts(tree), *bare_skips(tree)]
    return [f"{name}:{line}: {what}" for line, what in sorted(set(found))]


def main() -> int:
    """Check every tracked text file and return the exit code."""
    faults: list[str] = []
    names = tracked()
    for name in names:
        path = ROOT / name
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image
        faults += faults_of(name, text)
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"hygiene: {len(names)} tracked files, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
