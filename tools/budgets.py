"""Whether every file, function and class in src/ is within the budgets of the house.

Run ``python tools/budgets.py``; it prints ``file:line: what`` for each fault and exits 1.
Lines of code of a function are its lines without docstring, comments and blanks, decorators
excluded; a nested function counts as part of the one that holds it.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FILE_LINES = 400  # a file has fewer
FUNCTION_LINES = 40
PARAMETERS = 7
METHODS = 12

Function = ast.FunctionDef | ast.AsyncFunctionDef
SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One place that exceeds one budget."""

    file: str
    name: str
    budget: str
    line: int
    what: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what an exception names."""
        return (self.file, self.name, self.budget)


def code_lines(source: str) -> set[int]:
    """Return the line numbers that hold a token other than a comment."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SILENT:
            found.update(range(token.start[0], token.end[0] + 1))
    return found


def docstring_lines(tree: ast.AST) -> set[int]:
    """Return the line numbers of every docstring."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef) and ast.get_docstring(node) is not None:
            doc = node.body[0]
            found.update(range(doc.lineno, (doc.end_lineno or doc.lineno) + 1))
    return found


def parameters(function: Function, in_class: bool) -> int:
    """Return the number of parameters, without the ``self`` or ``cls`` of a method."""
    arguments = function.args
    count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    static = any(
        isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list
    )
    return count - (1 if in_class and not static else 0)


def definitions(
    tree: ast.AST, prefix: str = "", in_class: bool = False
) -> Iterator[tuple[str, Function | ast.ClassDef, bool]]:
    """Yield (qualified name, node, whether its parent is a class), nested ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name = prefix + node.name
            yield name, node, in_class
            yield from definitions(node, name + ".", isinstance(node, ast.ClassDef))
        else:
            yield from definitions(node, prefix, in_class)


def public(name: str) -> bool:
    """Say whether no part of a qualified name is private."""
    return not any(part.startswith("_") for part in name.split("."))


def faults_of(path: Path, file: str) -> Iterator[Fault]:
    """Yield every fault of one file."""
    source = path.read_text(encoding="utf-8")
    length = len(source.splitlines())
    if length >= FILE_LINES:
        what = f"the file has {length} lines (fewer than {FILE_LINES})"
        yield Fault(file, "", "file", 1, what)
    tree = ast.parse(source)
    counted = code_lines(source) - docstring_lines(tree)
    for name, node, in_class in definitions(tree):
        if isinstance(node, ast.ClassDef):
            yield from class_faults(file, name, node)
        else:
            yield from function_faults(file, name, node, in_class, counted)


def class_faults(file: str, name: str, node: ast.ClassDef) -> Iterator[Fault]:
    """Yield a fault if a class has too many public methods (overloads count once)."""
    methods = {m.name for m in node.body if isinstance(m, Function) and public(m.name)}
    if len(methods) > METHODS:
        what = f"{name} has {len(methods)} public methods ({METHODS} allowed)"
        yield Fault(file, name, "methods", node.lineno, what)


def function_faults(
    file: str, name: str, node: Function, in_class: bool, counted: set[int]
) -> Iterator[Fault]:
    """Yield the faults of one function: its length and, if public, its parameters."""
    span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    lines = sum(1 for line in span if line in counted)
    if lines > FUNCTION_LINES:
        what = f"{name} has {lines} lines of code ({FUNCTION_LINES} allowed)"
        yield Fault(file, name, "lines", node.lineno, what)
    count = parameters(node, in_class)
    constructor = name.endswith(".__init__") and public(name.removesuffix(".__init__"))
    if (public(name) or constructor) and count > PARAMETERS:
        what = f"{name} has {count} parameters ({PARAMETERS} allowed)"
        yield Fault(file, name, "parameters", node.lineno, what)


def read_exceptions(path: Path) -> tuple[set[tuple[str, str, str]], list[str]]:
    """Return the excused places, and a complaint for each entry without a reason."""
    excused: set[tuple[str, str, str]] = set()
    complaints: list[str] = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("exception", []):
        key = (entry["file"], entry.get("name", ""), entry["budget"])
        excused.add(key)
        if not entry.get("reason", "").strip():
            complaints.append(f"{path.name}:1: the exception {key} gives no reason")
    return excused, complaints


def main() -> int:
    """Check a source folder and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="?", type=Path, default=ROOT / "src")
    parser.add_argument(
        "--exceptions", type=Path, default=ROOT / "tools" / "budget_exceptions.toml"
    )
    options = parser.parse_args()
    excused, complaints = read_exceptions(options.exceptions)
    files = sorted(options.source.rglob("*.py"))
    faults = [f for p in files for f in faults_of(p, p.relative_to(options.source).as_posix())]
    complaints += [
        f"{options.source.name}/{fault.file}:{fault.line}: {fault.what}"
        for fault in faults
        if fault.key not in excused
    ]
    for key in sorted(excused - {fault.key for fault in faults}):
        complaints.append(f"{options.exceptions.name}:1: the exception {key} is not needed")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if not complaints:
        print(f"budgets: {len(files)} files, {len(excused)} exceptions, no fault")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
