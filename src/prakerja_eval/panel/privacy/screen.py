"""Which columns identify people? By word lists and by patterns of their values."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from prakerja_eval.errors import IdentifierError
from prakerja_eval.panel.privacy import evidence
from prakerja_eval.panel.privacy import patterns as p
from prakerja_eval.panel.privacy.naming import Strength, suggested
from prakerja_eval.panel.shown import header_kind, like_a_person
from prakerja_eval.panel.table import Table, Variable

KINDS = {
    "nik": "NIK or other national identity number",
    "kk": "family card number",
    "phone": "phone number",
    "email": "e-mail address",
    "name": "name of a person",
    "address": "address",
    "coordinates": "coordinates",
    "account": "bank account or card number",
    "document": "number of a passport, licence or other document",
    "online": "user name or device address",
}
KEYS = ("nik", "kk", "phone", "email", "account", "document", "online")
SHORT_LABEL = 5
SMALL = 1_000  # numbers below are answers, if there are few
EXACT = ("nik", "kk", "phone", "email")


@dataclass(frozen=True, slots=True)
class Identifier:
    """A column that looks like a direct identifier.

    Attributes
    ----------
    column : str
        Its name; "column 5" where the name itself holds an identifier.
    kind : str
        "nik", "kk", "phone", "email", "name", "address", "coordinates", "account", "document" or
        "online".
    by : str
        What gave it away: "name", "values", "name and values", "label and values", "value labels"
        or "header" (the column's name is an identifier).
    count : int
        Cells concerned; none is ever shown.
    remedy : str
    """

    column: str
    kind: str
    by: str
    count: int
    remedy: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one column gave away."""

    kind: str
    by: str
    count: int


def screen(table: Table) -> tuple[Identifier, ...]:
    """Return the columns that look like direct identifiers, in the table's order."""
    frame = table.frame
    maps = _coordinate_columns(frame)
    out = []
    for i, name in enumerate(map(str, frame.columns)):
        header = header_kind(name)
        if header is not None:
            found: Found | None = Found(header, "header", 0)
        elif i in maps:
            found = Found("coordinates", "name and values", maps[i])
        else:
            found = _look(name, frame.iloc[:, i], table.codebook.get(name, Variable()))
        if found is not None:
            shown = f"column {i + 1}" if header or like_a_person(name) else name
            remedy = _remedy(shown, found)
            out.append(Identifier(shown, found.kind, found.by, found.count, remedy))
    return tuple(out)


def refuse_identifiers(table: Table) -> None:
    """Refuse a table with direct identifiers, naming all of them.

    Raises
    ------
    IdentifierError
        With every column, its kind and what gave it away; no cell is shown.
    """
    refuse_found(screen(table))


def refuse_found(found: tuple[Identifier, ...]) -> None:
    """Refuse what a screen found, if anything.

    Raises
    ------
    IdentifierError
        With every column, its kind and what gave it away; no cell is shown.
    """
    if found:
        raise IdentifierError(
            f"{len(found)} column(s) tell who people are, so the data are refused:\n"
            f"{listed(found)}\n{_remedies(found)}"
        )


def listed(found: tuple[Identifier, ...]) -> str:
    """Write a line a column: its name, its kind, why it was flagged, and the number of cells."""
    lines = []
    for item in found:
        cells = "" if item.by == "header" else f", {item.count:,} cells"
        name = item.column if item.by == "header" else repr(item.column)
        lines.append(f"- {name}: {KINDS[item.kind]} (by its {item.by}{cells})")
    return "\n".join(lines)


def _remedy(shown: str, found: Found) -> str:
    if found.by == "header":
        return f"Rename {shown} in the file: its name is itself an identifier."
    drop = f"Leave it out: ReadOptions(drop=({shown!r},)), or --drop."
    if found.kind in KEYS:
        return f"{drop} If it is needed as a key, replace it with pe.pseudonymise first."
    return drop


def _remedies(found: tuple[Identifier, ...]) -> str:
    columns = [f.column for f in found if f.by != "header"]
    lines = [f"Rename {f.column} in the file." for f in found if f.by == "header"]
    if columns:
        quoted = ", ".join(map(repr, columns))
        toml = ", ".join(json.dumps(c, ensure_ascii=False) for c in columns)
        shell = shlex.quote(",".join(columns)).replace("\n", "\\n")
        lines += [
            "Leave out what you do not need: in Python ReadOptions(drop=(" + quoted + ",)), in a "
            f"study file drop = [{toml}] under [reading], on the command line "
            f"--drop {shell}.",
            "For ids that you need as keys: pe.pseudonymise in Python, or `prakerja-eval "
            "pseudonymise` on the command line, writes data in which they are pseudonyms.",
        ]
    return "\n".join(lines)


def _look(name: str, column: pd.Series, variable: Variable) -> Found | None:
    """Return what a column gives away by its name, its label, its values and their labels."""
    by_name = suggested(name)
    by_label = {k: s for k, s in suggested(variable.label).items() if k not in by_name}
    labels = [p.encodable(t) for t in variable.values.values() if t.strip()]
    if labels:
        found = _labelled(p.texts_of(labels), {**by_label, **by_name}, name, variable.label)
        if found is not None:
            return Found(found, "value labels", int(column.notna().sum()))
    values = _values(column, "phone" in by_name or "phone" in by_label)
    if values is None:
        return _exact(by_name, column) if _exact_kind(by_name) and not labels else None
    if not len(values) or p.all_exempt(values.text) or p.are_answers(values):
        return None
    kind = _exact_kind(by_name)
    coded = bool(labels) and _all_coded(values, variable)
    if kind is not None and not coded and not evidence.few_answers(values):
        return Found(kind, "name", values.filled)
    if len(variable.label.split()) > SHORT_LABEL and not evidence.some_frequent(values):
        by_label.pop("name", None)  # "Name the main reason why ..."
    return _by_values(values, name, by_name, by_label)


def _values(column: pd.Series, phone: bool) -> p.Values | None:
    """Return the distinct values of a column; None for numbers and dates that identify nobody."""
    dtype = column.dtype
    if pd.api.types.is_bool_dtype(dtype) or dtype.kind in "mMc" or hasattr(dtype, "freq"):
        return None
    if pd.api.types.is_numeric_dtype(dtype):
        cells = p.number_cells(column, p.NEARLY_LARGE if phone else p.LARGE)
        return None if cells is None else p.values_of(cells)
    cells = p.text_cells(column)
    return p.texts_of([]) if p.all_exempt(cells) else p.values_of(cells)


def _exact_kind(hints: Mapping[str, Strength]) -> str | None:
    return next((k for k in EXACT if hints.get(k) == "exact"), None)


def _exact(hints: Mapping[str, Strength], column: pd.Series) -> Found | None:
    """Return a column whose name is enough, unless it is empty or holds a few small numbers."""
    kind = _exact_kind(hints)
    numbers = column.dropna()
    if kind is None or not len(numbers):
        return None
    small = pd.api.types.is_numeric_dtype(numbers.dtype) and bool((numbers.abs() < SMALL).all())
    if small and numbers.nunique() <= evidence.FEW:
        return None
    return Found(kind, "name", len(numbers))


def _all_coded(values: p.Values, variable: Variable) -> bool:
    """Say whether every value is a code with a label, as in 1 "Ya", 5 "Tidak"."""
    return set(values.text.to_pylist()) <= set(variable.values)


def _by_values(
    values: p.Values, name: str, by_name: Mapping[str, Strength], by_label: Mapping[str, Strength]
) -> Found | None:
    """Return what values give away, alone or together with a name or a label."""
    for kind, chosen in evidence.alone(values, name):
        if chosen.any():
            by = "name and values" if kind in by_name else "values"
            return Found(kind, by, values.cells(chosen))
    for by, hints in (("name and values", by_name), ("label and values", by_label)):
        for kind, strength in hints.items():
            if kind == "person" and strength != "exact":
                continue
            chosen = evidence.SUSPICIOUS[kind](values)
            if chosen.any():
                return Found("name" if kind == "person" else kind, by, values.cells(chosen))
    return None


def _labelled(labels: p.Values, hints: Mapping[str, Strength], name: str, label: str) -> str | None:
    """Return the kind of identifier that value labels hold, as when a name was encoded."""
    for kind, chosen in evidence.alone(labels, f"{name} {label}"):
        if chosen.any():
            return kind
    if "name" in hints and len(labels) >= 8 and evidence.share(labels.matches(p.PERSON)) >= 0.8:
        return "name"
    if "address" in hints and evidence.address(labels).any():
        return "address"
    return None


def _coordinate_columns(frame: pd.DataFrame) -> dict[int, int]:
    """Return positions and counts of the columns of latitude and longitude, if there are both."""
    limits = {"latitude": p.LATITUDES, "longitude": p.LONGITUDES}
    found: dict[str, dict[int, int]] = {kind: {} for kind in limits}
    named = [(i, set(suggested(str(c))) & set(limits)) for i, c in enumerate(frame.columns)]
    if len(set().union(*(kinds for _, kinds in named))) < 2:
        return {}
    for i, kinds in named:
        for kind in kinds:
            count = p.degrees(frame.iloc[:, i], limits[kind])
            if count:
                found[kind][i] = count
    return {**found["latitude"], **found["longitude"]} if all(found.values()) else {}
