"""Is a programme's TOML right? Every fault at once, each with its place and its remedy."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from prakerja_eval.errors import UsageError, nearest
from prakerja_eval.programme.figure import Figure
from prakerja_eval.programme.records import Batch, Province

GROUPS = (
    "benefits",
    "eligibility",
    "funnel",
    "totals",
    "take_up",
    "payment",
    "composition",
    "labour_market",
    "evaluations",
    "costs",
)
TOP = ("programme", "origin", "province", "batch", *GROUPS)
IDENTITY = ("name", "title", "country", "currency")
CELL = tuple(f.name for f in fields(Figure))
ORIGIN = tuple(key for key in CELL if key not in ("value", "interval"))
TEXTS = ("unit", "date", "source", "confidence", "note", "origin")
NOT_FOUND = "NF"

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a programme's files hold, read and sound."""

    identity: Mapping[str, str]
    provinces: tuple[Province, ...]
    batches: tuple[Batch, ...]
    figures: Mapping[str, Figure]
    not_found: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Reader:
    """One reading: the named origins, and the faults met so far."""

    origins: Tree
    faults: list[str] = field(default_factory=list)

    def figure(self, place: str, cell: Tree, dated: bool = True) -> Figure | None:
        """Return a figure, or None where it is at fault."""
        before = len(self.faults)
        self.faults.extend(_strange(place, cell, (*CELL, "origin")))
        named = cell.get("origin")
        if named is not None and named not in self.origins:
            hint = nearest(str(named), self.origins)
            self.faults.append(f"{place}: there is no [origin.{named}].{hint}")
        whole = {"source": "", "confidence": ""} | self.origins.get(str(named), {}) | cell
        known: Tree = {k: _pair(v) for k, v in whole.items() if k in CELL}
        self.faults.extend(_unquoted(place, cell))
        self.faults.extend(_lacking(place, known, dated))
        if "value" in known:
            try:
                figure = Figure(**known)
            except UsageError as error:
                said = str(error).removeprefix("A figure ").removesuffix(".")
                self.faults.extend(f"{place} {part}." for part in said.split("; it "))
            else:
                return figure if len(self.faults) == before else None
        return None

    def record(self, place: str, table: Tree, known: Iterable[str], dated: bool) -> Tree:
        """Return the figures of a batch or province by field."""
        self.faults.extend(_strange(place, table, known))
        cells = {k: v for k, v in table.items() if k in known and isinstance(v, dict)}
        return {
            k: self.figure(f"{place}.{k}", v, dated or k not in ("opened", "closed"))
            for k, v in cells.items()
        }

    def batch(self, key: str, table: Tree) -> Batch | None:
        """Return a batch, or None where its key is no number."""
        place = f"batch.{key}"
        if not self.counts(place, key, table):
            return None
        known = [f.name for f in fields(Batch) if f.name != "number"]
        recovery = table.get("recovery", False)
        if not isinstance(recovery, bool):
            self.faults.append(f"{place}.recovery is {recovery!r}: write true or false.")
        self.bare(place, {k: v for k, v in table.items() if k != "recovery"}, known)
        figures = self.record(place, table, known, dated=False)
        return Batch(int(key), recovery=recovery is True, **figures)

    def province(self, key: str, table: Tree) -> Province | None:
        """Return a province, or None where its key is no number."""
        place = f"province.{key}"
        if not self.counts(place, key, table):
            return None
        known = [f.name for f in fields(Province) if f.name != "code"]
        name = table.get("name", "")
        if not isinstance(name, str) or not name:
            self.faults.append(f'{place} has no name: write name = "...".')
        self.bare(place, {k: v for k, v in table.items() if k != "name"}, known)
        figures = self.record(place, table, known, dated=True)
        return Province(int(key), str(name), **figures)

    def counts(self, place: str, key: str, table: object) -> bool:
        """Say whether a record is a table under a whole number."""
        if not key.isdecimal() or str(int(key)) != key:
            self.faults.append(f"{place}: {key!r} is no whole number.")
        elif not isinstance(table, dict):
            self.faults.append(f"{place} is no table: write [{place}].")
        else:
            return True
        return False

    def bare(self, place: str, table: Tree, known: Iterable[str] | None = None) -> None:
        """Note each value that stands without its source."""
        for key, value in table.items():
            if not isinstance(value, dict) and (known is None or key in known):
                self.faults.append(
                    f"{place}.{key} stands bare: write {key} = {{ value = ..., unit = ..., "
                    "date = ..., source = ..., confidence = ... }."
                )

    def cells(self, place: str, table: Tree) -> Iterator[tuple[str, Tree]]:
        """Give the figures of a table and of the tables within it, with their dotted keys."""
        self.bare(place, table)
        for key, value in table.items():
            if not isinstance(value, dict):
                continue
            inner = f"{place}.{key}"
            if any(k in value and not isinstance(value[k], dict) for k in (*CELL, "origin")):
                yield inner, value
            else:
                yield from self.cells(inner, value)

    def missing(self, place: str, cell: Tree) -> str:
        """Return what is said of a figure that was looked for and not found."""
        self.faults.extend(_strange(place, cell, CELL))
        more = [key for key in cell if key in CELL and key not in ("confidence", "note")]
        if more:
            self.faults.append(f"{place} was not found: leave out its {', '.join(more)}.")
        note = cell.get("note", "")
        if not isinstance(note, str) or not note:
            self.faults.append(f'{place} was not found: write note = "what was looked for".')
        return str(note)


def read_tree(texts: Mapping[str, str], name: str) -> Parts:
    """Return the parts of a programme from the texts of its TOML files.

    Parameters
    ----------
    texts : mapping
        File name to text; the files make one tree.
    name : str
        What a message calls them.

    Raises
    ------
    UsageError
        If anything is at fault: all faults at once.
    """
    trees, faults = _parsed(texts)
    tree: Tree = {}
    for file, part in trees.items():
        faults += [
            f"{key} stands in two files, the second is {file}." for key in _merge(tree, part)
        ]
    faults += _strange("", tree, TOP)
    faults += [
        f"{k} is no table: write [{k}]." for k in TOP if not isinstance(tree.get(k, {}), dict)
    ]
    tree = _tables(tree)
    reader = _Reader(_tables(tree.get("origin", {})), faults)
    reader.bare("origin", tree.get("origin", {}))
    for key, origin in reader.origins.items():
        reader.faults.extend(_strange(f"origin.{key}", origin, ORIGIN))
        reader.faults.extend(_unquoted(f"origin.{key}", origin))
    parts = _parts(reader, tree)
    if reader.faults:
        lines = "\n".join(f"- {fault}" for fault in reader.faults)
        raise UsageError(f"the programme {name} has faults:\n{lines}")
    return parts


def _parts(reader: _Reader, tree: Tree) -> Parts:
    identity = tree.get("programme", {})
    reader.faults.extend(_strange("programme", identity, IDENTITY))
    for key in IDENTITY:
        if not isinstance(identity.get(key), str) or not identity[key]:
            reader.faults.append(f'programme.{key} is missing: write {key} = "...".')
    provinces = [reader.province(k, v) for k, v in tree.get("province", {}).items()]
    batches = [reader.batch(k, v) for k, v in tree.get("batch", {}).items()]
    groups = [g for g in GROUPS if g in tree]
    cells = [cell for group in groups for cell in reader.cells(group, tree[group])]
    absent = {k: c for k, c in cells if c.get("confidence") == NOT_FOUND}
    figures = {k: reader.figure(k, c) for k, c in cells if k not in absent}
    return Parts(
        identity,
        tuple(sorted((p for p in provinces if p), key=lambda p: p.code)),
        tuple(sorted((b for b in batches if b), key=lambda b: b.number)),
        {k: f for k, f in figures.items() if f is not None},
        {k: reader.missing(k, c) for k, c in absent.items()},
    )


def _parsed(texts: Mapping[str, str]) -> tuple[dict[str, Tree], list[str]]:
    """Return the tree of each file, and a fault for each that is no TOML."""
    trees: dict[str, Tree] = {}
    faults = []
    for file, text in texts.items():
        try:
            trees[file] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            faults.append(f"{file} is no TOML: {error}.")
    return trees, faults


def _merge(into: Tree, part: Tree, place: str = "") -> list[str]:
    """Add one file's tree to the whole; return the keys that stood there already."""
    twice = []
    for key, value in part.items():
        inner = f"{place}{key}"
        if key not in into:
            into[key] = value
        elif isinstance(value, dict) and isinstance(into[key], dict):
            twice += _merge(into[key], value, f"{inner}.")
        else:
            twice.append(inner)
    return twice


def _tables(tree: Tree) -> Tree:
    return {key: value for key, value in tree.items() if isinstance(value, dict)}


def _strange(place: str, table: Tree, known: Iterable[str]) -> list[str]:
    known = tuple(known)
    where = f"{place}: " if place else ""
    return [f"{where}{k!r} is not known.{nearest(k, known)}" for k in table if k not in known]


def _lacking(place: str, cell: Tree, dated: bool) -> Iterator[str]:
    """Give what a figure lacks that its dataclass does not demand."""
    value = cell.get("value")
    if value is None:
        yield f"{place} has no value: write it, or leave the figure out."
        return
    if isinstance(value, int | float | tuple) and not cell.get("unit"):
        yield f"{place} has no unit: write unit = 'people', 'percent', ..."
    if dated and isinstance(value, int | float | tuple | str) and not cell.get("date"):
        yield f"{place} has no date: write date = the day, month or years of which it holds."


def _unquoted(place: str, cell: Tree) -> Iterator[str]:
    """Give each field that is to be a text and is none, such as date = 2021."""
    for key in TEXTS:
        if key in cell and not isinstance(cell[key], str):
            yield f'{place}: {key} is no text: write {key} = "{cell[key]}".'


def _pair(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
