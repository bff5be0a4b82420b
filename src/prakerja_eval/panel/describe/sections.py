"""In which order does a field analyst ask? Who, when, which arms, what is missing, what values."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prakerja_eval.language import Catalogue
from prakerja_eval.panel.describe.grid import Grid, Section, grid, printable
from prakerja_eval.panel.describe.look import ALL, TREATMENT
from prakerja_eval.panel.describe.spread import spread_section
from prakerja_eval.panel.values import plain_text
from prakerja_eval.typing import FloatArray

if TYPE_CHECKING:
    from prakerja_eval.panel.describe.description import Description

MOST_PATTERNS, MOST_COLUMNS = 12, 20


def sections(about: "Description", words: Catalogue, short: bool = False) -> list[Section]:
    """Return a description as sentences and tables of printed cells.

    Parameters
    ----------
    about : Description
    words : Catalogue
    short : bool
        Leave out the finer columns and all but the first rows of long tables.
    """
    parts: tuple[Callable[[Description, Catalogue, bool], Section], ...]
    parts = (_who, _when, _arms, _missing, spread_section, _columns)
    return [part(about, words, short) for part in parts]


def wave_name(wave: object, words: Catalogue) -> str:
    """Return a wave's label, or a word where the row names none or the data have one wave."""
    if pd.isna(wave):
        return words.text("describe.no_wave")
    return words.text("describe.arm_all") if wave == "" else plain_text(wave)


def percent(share: float, words: Catalogue) -> str:
    """Return a share in percent with one digit, without the word."""
    return words.number(100 * share, 1)


def _who(about: "Description", words: Catalogue, short: bool) -> Section:
    size = words.text(
        "describe.size",
        rows=words.number(about.rows),
        units=words.number(about.units),
        columns=words.number(len(about.schema)),
    )
    rows: dict[str, list[str]] = {}
    for name, roles in zip(about.schema["column"], about.schema["role"], strict=True):
        for role in filter(None, roles.split(", ")):
            rows.setdefault(role, []).append(name)
    head = (words.text("describe.role"), words.text("describe.column"))
    table = grid(
        words.text("describe.roles"), head, [(r, ", ".join(c)) for r, c in rows.items()], 2
    )
    return Section(words.text("describe.who"), (size,), (table,))


def _when(about: "Description", words: Catalogue, short: bool) -> Section:
    waves = list(dict.fromkeys(about.groups["wave"]))
    if waves == [""]:
        line = words.text("describe.cross_section")
    else:
        names = ", ".join(printable(wave_name(w, words)) for w in waves)
        line = words.text("describe.waves", waves=names)
    table = _by_wave(about.groups, ("rows", "units"), words, words.text("describe.groups"))
    return Section(words.text("describe.when"), (line,), (table,))


def _by_wave(frame: pd.DataFrame, values: tuple[str, ...], words: Catalogue, caption: str) -> Grid:
    """Return counts, a row a wave and a column a value and arm."""
    arms = list(dict.fromkeys(frame["arm"]))
    head = [words.text("describe.wave")]
    head += [f"{arm_head(a, words)}{words.text(f'describe.{v}')}" for a in arms for v in values]
    rows = [
        (wave_name(w, words), *(words.number(v) for v in part[list(values)].to_numpy().ravel()))
        for w, part in frame.groupby("wave", sort=False, dropna=False)
    ]
    return grid(caption, head, rows)


def arm_head(arm: str, words: Catalogue) -> str:
    """Return an arm's name above a head, nothing where there is one arm."""
    return "" if arm == ALL else words.text(f"describe.arm_{arm}") + "\n"


def _arms(about: "Description", words: Catalogue, short: bool) -> Section:
    lines = (words.text(f"describe.by_{about.arms_by}"), words.text("describe.presence"))
    grids = [_rates(about, words)]
    if about.response["wave"].nunique() > 1:
        grids.append(_patterns(about, words))
    return Section(words.text("describe.arms"), lines, tuple(grids))


def _rates(about: "Description", words: Catalogue) -> Grid:
    frame = about.response
    arms = list(dict.fromkeys(frame["arm"]))
    gaps = TREATMENT in arms and bool(frame["difference_points"].notna().any())
    head = [words.text("describe.wave")]
    for arm in arms:
        head += [arm_head(arm, words) + words.text(f"describe.{v}") for v in ("present", "rate")]
    rows = []
    for wave, part in frame.groupby("wave", sort=False, dropna=False):
        cells = [wave_name(wave, words)]
        for n, rate in zip(part["present"], part["rate"], strict=True):
            cells += [words.number(n), percent(rate, words)]
        cells += [words.number(part["difference_points"].max(), 1)] if gaps else []
        rows.append(tuple(cells))
    head += [words.text("describe.difference")] if gaps else []
    return grid(words.text("describe.response"), head, rows)


def _patterns(about: "Description", words: Catalogue) -> Grid:
    frame = about.patterns
    arms = list(dict.fromkeys(about.groups["arm"]))
    shape = (len(frame) // len(arms), len(arms))
    units, share = (frame[c].to_numpy().reshape(shape) for c in ("units", "share"))
    names = list(dict.fromkeys(frame["pattern"]))
    rest = len(names) - MOST_PATTERNS
    if rest > 1:
        units, share = (
            np.vstack([x[:MOST_PATTERNS], x[MOST_PATTERNS:].sum(0)]) for x in (units, share)
        )
        names = [*names[:MOST_PATTERNS], words.text("describe.rarer", count=words.number(rest))]
    head = [words.text("describe.pattern")]
    for arm in arms:
        head += [arm_head(arm, words) + words.text(f"describe.{v}") for v in ("units", "percent")]
    rows = []
    for k, name in enumerate(names):
        pairs = zip(units[k], share[k], strict=True)
        cells = [c for n, s in pairs for c in (words.number(n), percent(s, words))]
        rows.append((name, *cells))
    return grid(words.text("describe.patterns"), head, rows)


def _missing(about: "Description", words: Catalogue, short: bool) -> Section:
    frame = about.missingness
    total = frame.groupby("column", sort=False)["missing"].sum()
    holes = total[total > 0].sort_values(ascending=False, kind="stable")
    title, count = words.text("describe.missing"), words.number(len(holes))
    full = words.number(len(total) - len(holes))
    lines = [words.text("describe.holes", count=count, full=full)]
    if not len(holes):
        return Section(title, tuple(lines))
    shown = list(holes.index[: MOST_COLUMNS if short else None])
    if len(shown) < len(holes):
        lines.append(words.text("describe.first", count=words.number(len(shown))))
    tables = [_shares(frame, shown, words, short)]
    if len(about.reasons):
        tables.append(_reasons(about.reasons, words))
    return Section(title, tuple(lines), tuple(tables))


def _shares(frame: pd.DataFrame, shown: list[str], words: Catalogue, short: bool) -> Grid:
    """Return the share missing, a row a column: by wave and arm; in short, by wave and by arm."""
    waves, arms = (list(dict.fromkeys(frame[key])) for key in ("wave", "arm"))
    shape = (-1, len(waves), len(arms))
    names = list(dict.fromkeys(frame["column"]))
    missing, rows = (frame[key].to_numpy(float).reshape(shape) for key in ("missing", "rows"))
    share = _ratio(missing, rows).reshape(len(names), -1)
    head = [f"{w}\n{a}" for w in _wave_heads(waves, words) for a in _arm_names(arms, words)]
    if short and len(arms) > 1 and len(waves) > 1:
        by_wave = _ratio(missing.sum(axis=2), rows.sum(axis=2))
        share = np.hstack([by_wave, _ratio(missing.sum(axis=1), rows.sum(axis=1))])
        head = [*_wave_heads(waves, words), *_arm_names(arms, words)]
    place = {name: k for k, name in enumerate(names)}
    cells = [(name, *(percent(s, words) for s in share[place[name]])) for name in shown]
    head = [h.strip() for h in head]
    return grid(words.text("describe.shares"), [words.text("describe.column"), *head], cells)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    share = np.full(part.shape, np.nan)
    np.divide(part, whole, where=whole > 0, out=share)
    return share


def _wave_heads(waves: list[object], words: Catalogue) -> list[str]:
    return [printable(wave_name(w, words)) for w in waves]


def _arm_names(arms: list[str], words: Catalogue) -> list[str]:
    return ["" if a == ALL else words.text(f"describe.arm_{a}") for a in arms]


def _reasons(frame: pd.DataFrame, words: Catalogue) -> Grid:
    keys = ["column", "reason", "meaning"]
    arms = [a for a in dict.fromkeys(frame["arm"]) if a != ALL]
    table = frame.pivot_table(index=keys, columns="arm", values="n", aggfunc="sum", fill_value=0)
    table.insert(0, "n", table.sum(axis=1), allow_duplicates=True)
    table = table.reindex(columns=["n", *arms])
    head = [words.text(f"describe.{k}") for k in (*keys, "n")]
    head += [words.text(f"describe.arm_{a}") for a in arms]
    rows = [
        (*map(str, key), *(words.number(v) for v in row))
        for key, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    return grid(words.text("describe.reasons"), head, rows, 3)


def _columns(about: "Description", words: Catalogue, short: bool) -> Section:
    head = [words.text(f"describe.{k}") for k in ("column", "role", "kind", "label")]
    head += [words.text(f"describe.{k}") for k in ("distinct", "missing_share", "constant")]
    head += [words.text("describe.value_labels")]
    rows = [
        (
            row.column,
            row.role,
            words.text("describe.kind_" + row.kind.replace(" ", "_")),
            row.label,
            words.number(row.distinct),
            percent(row.missing_share, words),
            words.text("describe.yes" if row.constant else "describe.no"),
            words.number(row.value_labels),
        )
        for row in about.schema.itertuples()
    ]
    return Section(
        words.text("describe.columns"), (), (grid(words.text("describe.schema"), head, rows, 4),)
    )
