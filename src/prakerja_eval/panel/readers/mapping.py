"""Which column of which wave's file is which column of the panel? A mapping file says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, UsageError, nearest
from prakerja_eval.panel.readers.codebook import (
    as_strings,
    equals,
    first_reason,
    in_the_words_of,
    overridden,
    without_codes,
)
from prakerja_eval.panel.readers.toml import labels_of, read_toml, table_of, text_of
from prakerja_eval.panel.table import Mark, Note, Table, Variable
from prakerja_eval.panel.values import plain_text, to_number

WAYS = ("column", "join", "sum", "any")
SPEC_KEYS = (*WAYS, "equal", "separator", "pad", "missing", "recode", "label", "values")
WAVE_KEYS = ("columns", "keep")
NOTHING = Variable()


@dataclass(frozen=True, slots=True)
class Made:
    """How one column of the panel is made of a file's columns.

    Attributes
    ----------
    way : {"column", "join", "sum", "any"}
        As it is; written after one another, missing if one is missing; added, missing if all are
        missing; 1 if one of them equals ``equal``, missing if all are missing.
    sources : tuple of str
        The columns of the file.
    equal : str
        For "any".
    separator : str
        For "join".
    pad : int
        For "column" and "join": digits to which numbers are filled up with leading zeros.
    missing : mapping of str to str
        Codes of the column so made that are missing, with their meaning.
    recode : mapping of str to (int, float or str)
        New value of each code; a code that is not named is refused.
    says : Variable
        Label and value labels, over those of the file.
    """

    way: str
    sources: tuple[str, ...]
    equal: str = ""
    separator: str = "-"
    pad: int = 0
    missing: Mapping[str, str] = field(default_factory=dict)
    recode: Mapping[str, int | float | str] = field(default_factory=dict)
    says: Variable = NOTHING


@dataclass(frozen=True, slots=True)
class WaveColumns:
    """The mapping of one wave.

    Attributes
    ----------
    wave : str
    columns : mapping of str to Made
        By the panel's name.
    keep : bool
        Whether columns that are not mapped stay, under their own names.
    """

    wave: str
    columns: Mapping[str, Made]
    keep: bool = False

    def text(self, ids: frozenset[str]) -> frozenset[str]:
        """Return the file's columns to be read as text, so that the panel's ids are whole.

        The parts of a joined id are, unless they are mapped by themselves too.
        """
        made = self.columns.values()
        joined = {s for m in made if m.way == "join" for s in m.sources}
        alone = {s for m in made if m.way != "join" for s in m.sources}
        of_ids = {m.sources[0] for n, m in self.columns.items() if n in ids and m.way == "column"}
        kept = ids - set(self.columns) if self.keep else frozenset()
        return frozenset((joined - alone) | of_ids | kept)


def shipped() -> tuple[str, ...]:
    """Return the names of the mappings that ship."""
    folder = resources.files("prakerja_eval.panel.readers").joinpath("mappings")
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    )


def read_mapping(name: str) -> dict[str, WaveColumns]:
    """Read a mapping file, or one that ships, by wave.

    Raises
    ------
    UsageError
        If it is missing, not TOML, or holds a key or value that is not known.
    """
    if name in shipped():
        place = resources.files("prakerja_eval.panel.readers").joinpath("mappings", f"{name}.toml")
        with resources.as_file(place) as path:
            tree = read_toml(path, "mapping")
    elif not Path(name).suffix and not Path(name).exists():
        raise UsageError(
            f"ReadOptions(mapping={name!r}) is neither a file nor a mapping that ships "
            f"({', '.join(shipped())}).{nearest(name, shipped())}"
        )
    else:
        tree = read_toml(name, "mapping")
    return {
        wave: _wave(wave, value, f"the mapping {name!r}, [{wave!r}]")
        for wave, value in tree.items()
    }


def mapping_of(mapping: Mapping[str, WaveColumns], wave: object, name: str) -> WaveColumns:
    """Return the mapping of one wave.

    Raises
    ------
    UsageError
        If there is none; the waves that are mapped are named.
    """
    label = plain_text(wave)
    if label not in mapping:
        raise UsageError(
            f"the mapping {name!r} has no wave {label!r}.{nearest(label, mapping)} Waves mapped: "
            f"{', '.join(mapping) or 'none'}. Write [{label!r}.columns] in a mapping file."
        )
    return mapping[label]


def _wave(wave: str, value: object, where: str) -> WaveColumns:
    table = table_of(value, where, WAVE_KEYS)
    keep = table.get("keep", "mapped")
    if keep not in ("all", "mapped"):
        raise UsageError(f"{where}: keep is 'all' or 'mapped', not {keep!r}.")
    columns = table_of(table.get("columns"), f"{where}: columns")
    if not columns:
        raise UsageError(f"{where} maps no column.")
    specs = {name: _made(v, f"{where}, {name!r}") for name, v in columns.items()}
    return WaveColumns(wave, specs, keep == "all")


def _made(value: object, where: str) -> Made:
    """Check what a mapping says of one column."""
    if isinstance(value, str):
        return Made("column", (value,))
    spec = table_of(value, where, SPEC_KEYS)
    ways = [w for w in WAYS if w in spec]
    if len(ways) != 1:
        raise UsageError(f"{where} names one of {', '.join(WAYS)}; it names {len(ways)}.")
    way = ways[0]
    for key, needs in (("equal", ("any",)), ("separator", ("join",)), ("pad", ("join", "column"))):
        if key in spec and way not in needs:
            raise UsageError(f"{where}: {key} goes with {' or '.join(needs)}, not with {way}.")
    if way == "any" and "equal" not in spec:
        raise UsageError(f"{where}: any needs equal, the code that counts, such as equal = 1.")
    pad = spec.get("pad", 0)
    if not isinstance(pad, int) or not 0 <= pad <= 32:
        raise UsageError(f"{where}: pad is a number of digits from 0 to 32.")
    return Made(
        way,
        _sources(spec[way], way, where),
        plain_text(_code(spec.get("equal", ""), f"{where} equal")),
        text_of(spec.get("separator", "-"), f"{where} separator"),
        pad,
        labels_of(spec.get("missing", {}), f"{where} missing"),
        _recode(spec.get("recode", {}), f"{where} recode"),
        Variable(
            text_of(spec.get("label", ""), f"{where} label"),
            labels_of(table_of(spec.get("values", {}), f"{where} values"), f"{where} values"),
        ),
    )


def _sources(value: object, way: str, where: str) -> tuple[str, ...]:
    listed = [value] if way == "column" else value
    if not isinstance(listed, list) or not listed or not all(isinstance(v, str) for v in listed):
        kind = "the name of a column" if way == "column" else 'a list of columns, ["r9a", "r9b"]'
        raise UsageError(f"{where}: {way} is {kind}.")
    if len(set(listed)) < len(listed):
        raise UsageError(f"{where}: {way} names a column twice.")
    return tuple(listed)


def _recode(value: object, where: str) -> dict[str, int | float | str]:
    table = table_of(value, where)
    new = {code: _code(v, where) for code, v in table.items()}
    if len({isinstance(v, str) for v in new.values()}) > 1:
        raise UsageError(f"{where}: the new values are all numbers or all text.")
    return new


def _code(value: Any, where: str) -> int | float | str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UsageError(f"{where}: a code is a number or a text.")
    return value


def apply_mapping(table: Table, mapping: WaveColumns, file: str) -> Table:
    """Return the table with the panel's columns made of the file's.

    Raises
    ------
    UsageError
        If the mapping names a column that the file does not have, or makes a name twice.
    DataError
        If a column to be added up or joined cannot be, or has a code that recode does not name.
    """
    frame, had = table.frame, table.reasons_or_none()
    sources = {s for made in mapping.columns.values() for s in made.sources}
    for source in sorted(sources):
        if source not in frame.columns:
            raise UsageError(
                f"the mapping of the wave {mapping.wave!r} names the column {source!r}, which "
                f"{file!r} does not have.{nearest(source, frame.columns)}"
            )
    others = [c for c in frame.columns if c not in sources]
    kept = others if mapping.keep else []
    if twice := sorted(set(kept) & set(mapping.columns)):
        raise UsageError(
            f"{file!r} has a column {twice[0]!r} that is not mapped, and the mapping of the wave "
            f"{mapping.wave!r} makes one of that name; leave it out with ReadOptions(drop=...)."
        )
    columns, reasons, codebook = {}, {}, {}
    for name, made in mapping.columns.items():
        where = f"{name!r} of the wave {mapping.wave!r}"
        columns[name], why = _make(frame, had, made, where)
        if why is not None:
            reasons[name] = why
        variable = _says(table, made)
        if variable != NOTHING:
            codebook[name] = variable
    reasons |= {c: first_reason(had[c]) for c in kept if c in had}
    message = (
        f"{len(columns)} columns were made by the mapping of the wave {mapping.wave!r}; "
        f"{len(others)} other columns of the file were {'kept' if kept else 'left out'}."
    )
    return replace(
        table,
        frame=pd.DataFrame(columns | {c: frame[c] for c in kept}, index=frame.index),
        codebook=codebook | {c: v for c, v in table.codebook.items() if c in kept},
        reasons=pd.DataFrame(reasons, index=frame.index, dtype=object) if reasons else None,
        notes=(*table.notes, Note("mapping", message)),
        marks=_marks(table, mapping, kept),
    )


def _marks(table: Table, mapping: WaveColumns, kept: Sequence[str]) -> dict[str, Mark]:
    """Return with which decimal mark the columns were read of which the panel's are made."""
    made = {n: s for n, m in mapping.columns.items() for s in m.sources} | {c: c for c in kept}
    return {name: table.marks[source] for name, source in made.items() if source in table.marks}


def _make(
    frame: pd.DataFrame, had: pd.DataFrame, made: Made, where: str
) -> tuple[pd.Series, np.ndarray | None]:
    """Make one column, with the reasons why it is missing, None where there are none."""
    parts = [frame[s] for s in made.sources]
    build = {"column": _padded, "join": _joined, "sum": _added, "any": _any_equal}[made.way]
    values = build(parts, made, where)
    known = [had[s] for s in made.sources if s in had]
    says = in_the_words_of(values, Variable(missing=made.missing))
    values, codes = without_codes(values, tuple(says.missing))
    given = [codes, *known] if codes is not None else known
    why = first_reason(*given) if given else np.full(len(values), None, dtype=object)
    why[values.notna()] = None
    if made.recode:
        values = _recoded(values, made.recode, where)
    return values, None if pd.isna(why).all() else why


def _padded(parts: list[pd.Series], made: Made, where: str) -> pd.Series:
    return _as_id(parts[0], made.pad, where) if made.pad else parts[0]


def _joined(parts: list[pd.Series], made: Made, where: str) -> pd.Series:
    texts = [_as_id(p, made.pad, where) for p in parts]
    return texts[0].str.cat(texts[1:], sep=made.separator)


def _as_id(part: pd.Series, pad: int, where: str) -> pd.Series:
    """Return a part of an id as text, refused if it is no whole number that is exact."""
    if pd.api.types.is_float_dtype(part):
        numbers = to_number(part)[part.notna()]
        if not (np.abs(numbers) < 2.0**53).all() or (numbers % 1 != 0).any():
            raise DataError(
                f"{where} is made of {part.name!r}, which holds numbers that are not whole or have "
                "16 digits or more; ids may be damaged already. Export it as text."
            )
    texts = as_strings(part)
    return texts.str.zfill(pad) if pad else texts


def _added(parts: list[pd.Series], made: Made, where: str) -> pd.Series:
    del made
    for part in parts:
        if part.notna().any() and not pd.api.types.is_numeric_dtype(part):
            raise DataError(
                f"{where} adds up {part.name!r}, which holds text; name the cells that are no "
                "number as missing in ReadOptions(codebook=...)."
            )
    numbers = pd.concat(
        [p if pd.api.types.is_numeric_dtype(p) else p.astype("float64") for p in parts], axis=1
    )
    return numbers.sum(axis=1, min_count=1)


def _any_equal(parts: list[pd.Series], made: Made, where: str) -> pd.Series:
    del where
    hit = np.logical_or.reduce([equals(p, made.equal) for p in parts])
    answered = np.logical_or.reduce([p.notna().to_numpy() for p in parts])
    values = pd.Series(hit.astype(np.int64), index=parts[0].index)
    return values if answered.all() else values.where(answered)


def _recoded(values: pd.Series, recode: Mapping[str, int | float | str], where: str) -> pd.Series:
    codes, kinds = pd.factorize(values, use_na_sentinel=True)
    keys = [plain_text(v) for v in kinds]
    unknown = np.array([k not in recode for k in keys] + [False])[codes]
    if unknown.any():
        raise DataError(
            f"{where} has {int(unknown.sum())} row(s) with a code that recode does not name; add "
            "it to recode, or to missing."
        )
    new = [recode[k] for k in keys]
    if any(isinstance(v, str) for v in recode.values()):
        return pd.Series(np.array([*new, None], dtype=object)[codes], values.index, dtype="str")
    if (codes >= 0).all() and all(isinstance(v, int) for v in new):
        return pd.Series(np.array(new, dtype=np.int64)[codes], values.index)
    return pd.Series(np.array([*new, np.nan], dtype=np.float64)[codes], values.index)


def _says(table: Table, made: Made) -> Variable:
    """Return label, value labels and missing codes of a made column."""
    known = [table.codebook.get(s, NOTHING) for s in made.sources]
    missing: dict[str, str] = {}
    for variable in known:
        missing |= variable.missing
    had = replace(known[0], missing=missing) if made.way == "column" else Variable("", {}, missing)
    one = overridden(had, Variable("", {}, made.missing))
    if made.recode:
        values: dict[str, str] = {}
        for code, new in made.recode.items():
            label, before = one.values.get(code, ""), values.get(plain_text(new), "")
            values[plain_text(new)] = " / ".join(filter(None, (before, label)))
        one = replace(one, values={k: v for k, v in values.items() if v})
    return overridden(one, made.says)
