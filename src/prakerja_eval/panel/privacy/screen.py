"""Which columns identify people? By word lists and by patterns of their values."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.errors import IdentifierError
from prakerja_eval.panel.privacy import patterns as p
from prakerja_eval.panel.privacy.naming import Strength, innocent_of, suggested
from prakerja_eval.panel.shown import header_kind
from prakerja_eval.panel.table import Table, Variable
from prakerja_eval.typing import BoolArray

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
            shown = f"column {i + 1}" if header else name
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
    found = screen(table)
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
    if kind is not None and not (labels and _all_coded(values, variable)):
        return Found(kind, "name", values.filled)
    if len(variable.label.split()) > SHORT_LABEL and not _some_frequent(values):
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
    """Return a column whose name is enough, unless it is empty or holds 0 and 1."""
    kind = _exact_kind(hints)
    numbers = column.dropna()
    if kind is None or not len(numbers) or numbers.isin([0, 1]).all():
        return None
    return Found(kind, "name", len(numbers))


def _all_coded(values: p.Values, variable: Variable) -> bool:
    """Say whether every value is a code with a label, as in 1 "Ya", 5 "Tidak"."""
    return set(values.text.to_pylist()) <= set(variable.values)


def _by_values(
    values: p.Values, name: str, by_name: Mapping[str, Strength], by_label: Mapping[str, Strength]
) -> Found | None:
    """Return what values give away, alone or together with a name or a label."""
    for kind, chosen in _alone(values, name):
        if chosen.any():
            by = "name and values" if kind in by_name else "values"
            return Found(kind, by, values.cells(chosen))
    for by, hints in (("name and values", by_name), ("label and values", by_label)):
        for kind in hints:
            chosen = SUSPICIOUS[kind](values)
            if chosen.any():
                return Found(kind, by, values.cells(chosen))
    return None


def _labelled(labels: p.Values, hints: Mapping[str, Strength], name: str, label: str) -> str | None:
    """Return the kind of identifier that value labels hold, as when a name was encoded."""
    for kind, chosen in _alone(labels, f"{name} {label}"):
        if chosen.any():
            return kind
    if "name" in hints and len(labels) >= 8 and _share(labels.matches(p.PERSON)) >= 0.8:
        return "name"
    if "address" in hints and _address(labels).any():
        return "address"
    return None


def _alone(values: p.Values, name: str) -> Iterator[tuple[str, BoolArray]]:
    """Give each kind that values can tell without any name, with the values concerned."""
    yield "email", values.matches(EMAIL) if values.holds("@") else values.none()
    yield _population(values)
    yield "phone", _phones(values)
    if values.longest() >= 8 and values.holds(" "):
        house = values.matches(p.HOUSE)
        yield "address", house if house.sum() >= 3 and _share(house) >= 0.2 else values.none()
    if values.longest() >= 13 and values.holds("."):
        yield "coordinates", _if_share(p.in_indonesia(values), 0.8)
    if len(values) >= 8 and not innocent_of(name, "name"):
        yield "name", _people(values)


def _people(values: p.Values) -> BoolArray:
    """Return names of people: letters, and words that are frequent in names."""
    if _share(p.matches(values.sample(), p.PERSON)) < 0.5:
        return values.none()
    person = values.matches(p.PERSON)
    frequent = person & values.matches(p.frequent_name())
    return person if _share(person) >= 0.8 and _share(frequent) >= 0.3 else values.none()


def _population(values: p.Values) -> tuple[str, BoolArray]:
    """Return NIK or KK numbers: half of the numbers of 16 digits must be possible ones."""
    whole = values.digits_match("[0-9]{16}")
    good = values.digits_match(NIK) if whole.any() else whole
    if not values.numeric.all() and values.longest() > 16:
        inside = values.matches(p.SIXTEEN_IN_TEXT) & ~whole
        if inside.any():
            good = good | (inside & values.matches(p.NIK_IN_TEXT))
            whole = whole | inside
    if not whole.any() or good.sum() < 0.5 * whole.sum():
        return "nik", values.none()
    women = values.digits_match("[0-9]{6}[4-7][0-9]{9}") & good
    return "kk" if good.sum() >= 10 and not women.any() else "nik", good


def _phones(values: p.Values) -> BoolArray:
    """Return mobile numbers: most of the digit cells, or any one in a text with letters."""
    alone = values.digits_match(p.MOBILE)
    if alone.sum() < 0.8 * values.numeric.sum() or not values.numeric.sum() * 2 >= len(values):
        alone = values.none()
    if values.numeric.all() or values.longest() < 11:
        return alone
    free = values.matches(p.MOBILE_IN_TEXT)
    return alone | (free & values.matches(r"\p{L}")) if free.any() else alone


def _some_frequent(values: p.Values) -> bool:
    return _share(values.matches(p.frequent_name())) >= 0.1


def _share(chosen: BoolArray) -> float:
    return float(chosen.mean()) if len(chosen) else 0.0


def _if_share(chosen: BoolArray, least: float) -> BoolArray:
    return chosen if _share(chosen) >= least else np.zeros_like(chosen)


def _spread(values: p.Values) -> bool:
    """Say whether values are as many as people would have, over some twenty waves."""
    return len(values) >= 100 or len(values) >= 0.05 * values.filled


def _national(values: p.Values) -> BoolArray:
    digest = _if_share(values.matches(p.DIGEST), 0.8)
    return values.digits_match("[0-9]{16}") | digest


def _telephone(values: p.Values) -> BoolArray:
    number = values.digits_match(f"{p.MOBILE}|{p.MOBILE_SHORT}|{p.LANDLINE}")
    return _if_share(number, 0.5) | _if_share(values.matches(p.DIGEST), 0.8)


def _digest(values: p.Values) -> BoolArray:
    return _if_share(values.matches(p.DIGEST), 0.8)


def _person(values: p.Values) -> BoolArray:
    person = values.matches(p.PERSON) & values.matches(r"\p{L}.*\p{L}.*\p{L}")
    few = not _spread(values) and _share(values.matches(p.frequent_name())) < 0.3
    return values.none() if few else _if_share(person, 0.8)


def _address(values: p.Values) -> BoolArray:
    if not _spread(values):
        return values.none()
    street = values.matches(p.STREET) & values.matches(r"\S\s+\S")
    several = values.matches(p.WORDS_AND_NUMBER) & ~values.matches(p.REGENCY)
    return _if_share(street | values.matches(p.HOUSE) | several, 0.3)


def _account(values: p.Values) -> BoolArray:
    return _if_share(values.digits_match(p.ACCOUNT), 0.5) if _spread(values) else values.none()


def _document(values: p.Values) -> BoolArray:
    return _if_share(values.matches(p.DOCUMENT), 0.5) if _spread(values) else values.none()


def _online(values: p.Values) -> BoolArray:
    return _if_share(values.matches(p.HANDLE), 0.8) if _spread(values) else values.none()


def _nothing(values: p.Values) -> BoolArray:
    return values.none()


SUSPICIOUS: dict[str, Callable[[p.Values], BoolArray]] = {
    "nik": _national,
    "kk": _national,
    "phone": _telephone,
    "email": _digest,
    "name": _person,
    "address": _address,
    "account": _account,
    "document": _document,
    "online": _online,
    "latitude": _nothing,
    "longitude": _nothing,
}


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
