"""Which column is probably what? Guessed from names and values, each guess with its reason."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from prakerja_eval.panel.contract.codes import Codes, factorise
from prakerja_eval.panel.options import Wide
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.table import Table
from prakerja_eval.panel.timing import placed_cohorts, wave_times
from prakerja_eval.panel.values import as_text, to_number
from prakerja_eval.panel.waves import in_order, waves_of
from prakerja_eval.panel.words import parts_of, suggests, word_lists
from prakerja_eval.typing import IntArray

REPEATED = re.compile(r"(?P<stub>.*[^\d_.\-])(?P<sep>[_.\-]?)(?P<wave>(?:19|20)\d\d|[wtr]?\d{1,2})")
MANY = 60
KNOWN_ORDER = {
    **dict.fromkeys(("baseline", "base", "pre", "before", "awal", "sebelum"), 0),
    **dict.fromkeys(("midline", "mid", "tengah"), 1),
    **dict.fromkeys(("endline", "end", "post", "after", "akhir", "sesudah", "setelah"), 2),
    **dict.fromkeys(("followup", "follow-up", "follow_up", "lanjutan"), 3),
}


LABELLED = ("offer", "received")  # labels mention the other roles in passing
VALUES = {
    "wave": "two to sixty different labels",
    "offer": "0 for losers and 1 for winners, known for all rows and constant within people",
    "received": "0 and 1, known for all rows",
    "cohort": "a first treated wave or 0, known for all rows and constant within people",
    "probability": "between 0 and 1, constant within people",
    "application": "1, 2, 3, ... in all rows",
    "psu": "groups, constant within people",
    "household": "groups, constant within people",
    "sampling_stratum": "groups, constant within people",
    "weight": "above 0, known for all rows and constant within people",
    "responded": "0 and 1",
    "attempts": "zero or more",
}


@dataclass(frozen=True, slots=True)
class Guess:
    """Roles guessed for a table.

    Attributes
    ----------
    roles : Roles or None
        None where no column can be the unit.
    reasons : mapping of str to str
        Role to the sentence that says why, or why no column was taken.
    """

    roles: Roles | None
    reasons: Mapping[str, str] = field(default_factory=dict)


def guess_wide(table: Table) -> Wide | None:
    """Return the columns that repeat by wave, if the table looks wide.

    A stub counts if it has at least two waves; without years in the names, two stubs must have the
    same waves and one be called like an amount or work, since questions and children are numbered
    too.
    """
    if any(suggests(c, "wave") and table.frame[c].nunique() > 1 for c in table.frame.columns):
        return None
    found: dict[tuple[str, str], set[str]] = {}
    for column in table.frame.columns:
        match = REPEATED.fullmatch(column)
        if match:
            found.setdefault((match["stub"], match["sep"]), set()).add(match["wave"])
    sets = [frozenset(waves) for waves in found.values() if len(waves) > 1]
    if not sets:
        return None
    waves = max(sets, key=lambda s: (sets.count(s), len(s), sorted(s)))
    same = [key for key, has in found.items() if len(has) > 1 and has <= waves]
    if not all(re.fullmatch(r"\d{4}", w) for w in waves) and not _rounds(same):
        return None
    separators = [sep for _, sep in same]
    separator = max(separators, key=separators.count)
    return Wide(tuple(stub for stub, sep in same if sep == separator), separator)


def _rounds(stubs: list[tuple[str, str]]) -> bool:
    """Say whether numbered columns look like rounds of a survey, and not like a list of people."""
    told = [s for s, _ in stubs if suggests(s, "money") or suggests(s, "employment")]
    return len(stubs) > 1 and bool(told)


def guess_roles(table: Table) -> Guess:
    """Guess the roles of a long table's columns."""
    frame = table.frame
    labels = {c: v.label for c, v in table.codebook.items() if v.label}
    reasons: dict[str, str] = {}
    wave = _first(frame, labels, "wave", lambda c: 1 < frame[c].nunique() <= MANY, reasons)
    unit = _unit(frame, wave, reasons)
    if unit is None:
        return Guess(None, reasons)
    units, _ = factorise(frame[unit])
    if wave is not None and frame[unit].is_unique:
        reasons["wave"] = f"left out: every person has one row, so {wave!r} tells no waves apart"
        wave = None
    named: dict[str, Any] = {"unit": unit, "wave": wave}
    taken = [c for c in (unit, wave) if c is not None]
    for role, fits in _tests(frame, units, wave).items():
        column = _first(frame.drop(columns=taken), labels, role, fits, reasons)
        if column is not None:
            named[role] = column
            taken.append(column)
    named["blocks"] = _blocks(frame, units, named.get("offer"), taken, reasons)
    named |= _periods(frame, named, reasons)
    return Guess(Roles(**named), reasons)


def _unit(frame: pd.DataFrame, wave: str | None, reasons: dict[str, str]) -> str | None:
    """Return the column that names the units: with the wave it tells rows apart."""
    keys = [] if wave is None else [wave]

    def fits(column: str) -> bool:
        ids = frame[column]
        whole = not pd.api.types.is_float_dtype(ids) or bool((ids.dropna() % 1 == 0).all())
        several = ids.nunique() > 1 and ids.nunique() > len(frame) / MANY
        return whole and several and bool(ids.notna().mean() > 0.5)

    others = [c for c in frame.columns if c != wave]
    named = [c for c in _named(others, "unit") if fits(c)]
    telling = [c for c in named if not frame.duplicated([c, *keys]).any()]
    if telling or named:
        chosen = (telling or named)[0]
        reasons["unit"] = f"{chosen!r} is called like an id"
        if telling:
            reasons["unit"] += (
                " and tells the rows of a wave apart" if keys else " and never repeats"
            )
        return chosen
    words = [c for c in others if not pd.api.types.is_float_dtype(frame[c]) and fits(c)]
    telling = [c for c in words if not frame.duplicated([c, *keys]).any()]
    if telling:
        reasons["unit"] = f"{telling[0]!r} is the first column that tells the rows of a wave apart"
        return telling[0]
    reasons["unit"] = "no column is called like an id and tells the rows apart"
    return None


def _tests(frame: pd.DataFrame, units: Codes, wave: str | None) -> dict[str, Callable[[str], bool]]:
    """Return, role by role, what the values of its column must be."""

    def numbers(column: str) -> np.ndarray:
        return to_number(frame[column])

    def binary(column: str) -> bool:
        known = numbers(column)
        known = known[~np.isnan(known)]
        filled = len(known) == int(frame[column].notna().sum())
        return filled and set(np.unique(known)) == {0.0, 1.0}

    def constant(column: str) -> bool:
        return constant_within(frame[column], units)

    def complete(column: str) -> bool:
        return bool(frame[column].notna().all())

    def starts(column: str) -> bool:
        """Say whether values are numbers, or 0 and names of waves such as "2021-05"."""
        waves = set() if wave is None else set(as_text(frame[wave]))
        named = set(as_text(frame[column])) - {"0"} <= waves
        return named or not np.isnan(numbers(column)).any()

    def group(column: str) -> bool:
        return constant(column) and 1 < frame[column].nunique() < len(frame)

    return {
        "offer": lambda c: binary(c) and constant(c) and complete(c),
        "received": lambda c: binary(c) and complete(c),
        "cohort": lambda c: constant(c) and complete(c) and starts(c),
        "probability": lambda c: constant(c) and _inside(numbers(c)),
        "application": lambda c: complete(c) and bool((numbers(c) >= 1).all()),
        "psu": group,
        "household": group,
        "sampling_stratum": group,
        "weight": lambda c: complete(c) and constant(c) and bool((numbers(c) > 0).all()),
        "responded": binary,
        "attempts": lambda c: bool((numbers(c)[frame[c].notna()] >= 0).all()),
    }


def _inside(values: np.ndarray) -> bool:
    return bool(((values > 0) & (values < 1)).all())


def _blocks(
    frame: pd.DataFrame,
    units: Codes,
    offer: str | None,
    taken: Iterable[str],
    reasons: dict[str, str],
) -> tuple[str, ...]:
    """Return the columns of the lottery's blocks: called so, and with both arms in each block."""
    if offer is None:
        return ()
    chosen: list[str] = []
    for column in _named([c for c in frame.columns if c not in taken], "blocks"):
        values = frame[column]
        fits = values.notna().all() and values.nunique() > 1 and constant_within(values, units)
        if fits and (frame.groupby([*chosen, column])[offer].nunique() == 2).all():
            chosen.append(column)
    if chosen:
        shown = ", ".join(map(repr, chosen))
        reasons["blocks"] = f"called like a batch or block; each of {shown} has winners and losers"
    return tuple(chosen)


def _periods(
    frame: pd.DataFrame, named: Mapping[str, Any], reasons: dict[str, str]
) -> dict[str, Any]:
    """Return baseline and, for waves of words, their order as they stand in the file."""
    if named.get("wave") is None:
        return {}
    out: dict[str, Any] = {}
    column = frame[named["wave"]]
    labels = in_order(column)
    if labels is None:
        labels = list(column.dropna().unique())
        known = [KNOWN_ORDER.get(str(v).lower().strip()) for v in labels]
        if None not in known and len(set(known)) == len(known):
            labels = [v for _, v in sorted(zip(known, labels, strict=True))]
            reasons["wave_order"] = "what the words say"
        else:
            reasons["wave_order"] = "the order in which the waves stand in the file; CHECK IT"
        out["wave_order"] = tuple(labels)
    waves, places = waves_of(frame, Roles(named["unit"], named["wave"], **out))
    start = _start(frame, named, waves, places)
    if start == 0:
        reasons["baseline"] = "left out: somebody is treated in the first wave already"
    elif len(waves) > 1:
        out["baseline"] = waves[(start or 1) - 1]
        why = "the last wave before anyone is treated" if start else "the first wave"
        reasons["baseline"] = why
    return out


def _start(
    frame: pd.DataFrame, named: Mapping[str, Any], waves: Sequence[WaveLabel], places: IntArray
) -> int | None:
    """Return the position of the first wave with a treated person, if that can be seen."""
    positions: list[int] = []
    if "received" in named:
        treated = to_number(frame[named["received"]]) == 1
        treated &= frame[named["wave"]].notna().to_numpy()
        positions += np.unique(places[treated]).tolist()
    times = wave_times(waves)
    if "cohort" in named and times is not None:
        cohorts = placed_cohorts(frame[named["cohort"]], waves)
        first = cohorts[np.isfinite(cohorts)].min(initial=np.inf)
        positions += np.flatnonzero(times >= first).tolist()
    return min(positions, default=None)


def _first(
    frame: pd.DataFrame,
    labels: Mapping[str, str],
    role: str,
    fits: Callable[[str], bool],
    reasons: dict[str, str],
) -> str | None:
    """Return the first column that is called, or labelled, like a role and has its values."""
    named = _named(frame.columns, role)
    if role in LABELLED:
        named += [c for c in frame.columns if c not in named and suggests(labels.get(c, ""), role)]
    good = [c for c in named if fits(c)]
    if good:
        reasons[role] = f"{good[0]!r} is called so, and its values fit"
        if len(good) > 1:
            reasons[role] += f"; {', '.join(map(repr, good[1:]))} would fit as well"
        return good[0]
    if named:
        reasons[role] = f"{named[0]!r} is called so, but its values are not {VALUES[role]}"
    return None


def _named(columns: Iterable[str], role: str) -> list[str]:
    """Return the columns called like a role, those first whose whole name is in the list."""
    named = [c for c in columns if suggests(c, role)]
    return sorted(named, key=lambda c: parts_of(c) not in word_lists()[role])


def constant_within(column: pd.Series, units: Codes) -> bool:
    """Say whether a column has one value within each unit, missing ones aside."""
    found, _ = factorise(column)
    return not units.varies(found.of, found.known).any()
