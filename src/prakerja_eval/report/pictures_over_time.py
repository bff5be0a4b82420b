"""Which figures does a study of staggered starts have? Who, when, and effects over time."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from prakerja_eval import figures
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import listing, plain
from prakerja_eval.report.picture import Picture, slug
from prakerja_eval.study import Results
from prakerja_eval.study.results import OverTime
from prakerja_eval.study.schema import Outcome


def over_time_pictures(results: Results, words: Catalogue) -> Iterator[Picture]:
    """Yield the figures of staggered starts, in the order of their sections."""
    found = results.over_time
    if found is None:
        return
    yield from _adoption(results, found, words)
    for outcome in results.plan.outcomes:
        yield from _event_studies(results, found, outcome, words)
    for outcome in results.plan.outcomes:
        yield from _sensitivity(results, found, outcome, words)
        yield from _cells(results, found, outcome, words)
        yield from _bacon(results, found, outcome, words)


def _adoption(results: Results, found: OverTime, words: Catalogue) -> Iterator[Picture]:
    """Draw who is treated when, and how each cohort fared."""
    plan = results.plan
    labels = [
        plain(c) or words.text("figure.never") for c in dict.fromkeys(found.adoption["cohort"])
    ]
    cohorts = listing(words, list(dict.fromkeys(labels)))
    figure = figures.status_map(found.adoption, catalogue=words, synthetic=plan.synthetic)
    alt = words.text("alt.status_map", cohorts=cohorts)
    caption = words.text("caption.status_map")
    yield Picture("adoption", "status_map", "", figure, caption, alt)
    for outcome in plan.outcomes:
        rows = found.paths[(found.paths["outcome"] == outcome.column) & found.paths["n"].notna()]
        if not len(rows):
            continue
        figure = figures.cohort_paths(
            rows,
            unit=outcome.unit,
            title=outcome.label,
            level=plan.level,
            catalogue=words,
            synthetic=plan.synthetic,
        )
        alt = words.text("alt.cohort_paths", outcome=outcome.label, cohorts=cohorts)
        caption = words.text("caption.cohort_paths", outcome=outcome.label)
        name = f"cohorts_{slug(outcome.column)}"
        yield Picture("adoption", name, outcome.column, figure, caption, alt)


def rows_of(found: OverTime, outcome: str, role: str) -> pd.DataFrame:
    """Return the event studies, or the cells, of one outcome."""
    frame = found.details
    return frame[(frame["outcome"] == outcome) & (frame["role"] == role)].reset_index(drop=True)


def _event_studies(
    results: Results, found: OverTime, outcome: Outcome, words: Catalogue
) -> Iterator[Picture]:
    """Draw effects by time since treatment: a figure for each unit and kind of base."""
    rows = rows_of(found, outcome.column, "event_study")
    for k, group in enumerate(_together(rows)):
        figure = figures.event_study(
            group,
            title=outcome.label,
            level=results.plan.level,
            catalogue=words,
            synthetic=results.plan.synthetic,
        )
        lines = [_line(own, words) for _, own in group.groupby("label", sort=False)]
        alt = words.text(
            "alt.event_study", outcome=outcome.label, lines=" ".join(filter(None, lines))
        )
        labels = list(dict.fromkeys(map(str, group["label"])))
        caption = words.text(
            "caption.event_study", outcome=outcome.label, labels=listing(words, labels)
        )
        name = f"event_study_{slug(outcome.column)}" + (f"_{k + 1}" if k else "")
        yield Picture("over_time", name, outcome.column, figure, caption, alt)


def _together(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows that can stand in one figure: of one unit, and of one kind of base."""
    kinds: dict[tuple[str, str], list[str]] = {}
    bases = {name: _base(own) for name, own in rows.groupby("name", sort=False)}
    for name, own in rows.groupby("name", sort=False):
        unit = str(own["unit"].iloc[0])
        known = [b for n, b in bases.items() if b and _unit(rows, n) == unit]
        base = bases[name] or (known[0] if known else "")
        kinds.setdefault((unit, base), []).append(str(name))
    return [rows[rows["name"].isin(names)].reset_index(drop=True) for names in kinds.values()]


def _unit(rows: pd.DataFrame, name: object) -> str:
    return str(rows.loc[rows["name"] == name, "unit"].iloc[0])


def _base(rows: pd.DataFrame) -> str:
    """Return what effects before treatment are relative to; nothing where there are none."""
    if not (rows["event_time"] < 0).any():
        return ""
    varying = rows["specification"].map(str).str.contains("base varying", regex=False).any()
    return "varying" if varying else "universal"


def _line(rows: pd.DataFrame, words: Catalogue) -> str:
    """Say from where to where the effects of one design go."""
    shown = rows[rows["estimate"].notna() & (rows["event_time"] >= 0)]
    if not len(shown):
        return ""
    first, last = shown.iloc[0], shown.iloc[-1]
    measure = measure_of_rows(rows)
    return words.text(
        "alt.event_line",
        label=first["label"],
        first=words.effect(first["estimate"], measure),
        start=plain(float(first["event_time"])),
        last=words.effect(last["estimate"], measure),
        end=plain(float(last["event_time"])),
    )


def measure_of_rows(rows: pd.DataFrame) -> Measure:
    """Return how the numbers of some findings are shown."""
    values = rows[["estimate", "std_error"]].to_numpy(float).ravel()
    return Measure.of(str(rows["unit"].iloc[0]), values)


def _cells(
    results: Results, found: OverTime, outcome: Outcome, words: Catalogue
) -> Iterator[Picture]:
    """Draw the effects of each design by cohort and period."""
    for name, rows in rows_of(found, outcome.column, "cell").groupby("name", sort=False):
        label = str(rows["label"].iloc[0])
        after = rows.loc[(rows["event_time"] >= 0), "estimate"].to_numpy(float)
        if not np.isfinite(after).any():
            continue
        figure = figures.cells(
            rows.reset_index(drop=True),
            title=outcome.label,
            catalogue=words,
            synthetic=results.plan.synthetic,
        )
        measure = measure_of_rows(rows)
        low, high = (words.effect(float(f(after)), measure) for f in (np.nanmin, np.nanmax))
        about = {"label": label, "outcome": outcome.label}
        alt = words.text("alt.cells", low=low, high=high, **about)
        file = f"cells_{slug(str(name))}_{slug(outcome.column)}"
        caption = words.text("caption.cells", **about)
        yield Picture("cells", file, outcome.column, figure, caption, alt)


def _sensitivity(
    results: Results, found: OverTime, outcome: Outcome, words: Catalogue
) -> Iterator[Picture]:
    """Draw the intervals of each design by the size of a break of trend, a figure a restriction."""
    labels = {e.name: e.label for e in results.plan.estimates}
    frame = found.sensitivity
    frame = frame[(frame["outcome"] == outcome.column) & (frame["reason"] == "")]
    for (name, breaks), rows in restrictions(frame):
        about = {"label": labels[name], "outcome": outcome.label}
        methods = [words.text(f"robust.{m}") if m != "original" else m for m in rows["method"]]
        figure = figures.sensitivity(
            rows.assign(method=methods),
            breakdown=float(rows["breakdown"].iloc[0]),
            unit=outcome.unit,
            title=outcome.label,
            level=results.plan.level,
            catalogue=words,
            synthetic=results.plan.synthetic,
        )
        file = f"sensitivity_{slug(name)}_{slug(outcome.column)}_{slug(breaks)}"
        caption, alt = (words.text(f"{k}.sensitivity", **about) for k in ("caption", "alt"))
        yield Picture("sensitivity", file, outcome.column, figure, caption, alt)


def restrictions(frame: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """Yield the rows of each design and restriction, the original interval first."""
    for name, own in frame.groupby("name", sort=False):
        first = own[own["restriction"] == "none"].iloc[:1]
        for kind in dict.fromkeys(own.loc[own["restriction"] != "none", "restriction"]):
            rows = pd.concat([first, own[own["restriction"] == kind]], ignore_index=True)
            # the original row carries another restriction's breakdown, perhaps
            yield (str(name), str(kind)), rows.assign(breakdown=rows["breakdown"].iloc[-1])


def _bacon(
    results: Results, found: OverTime, outcome: Outcome, words: Catalogue
) -> Iterator[Picture]:
    """Draw the comparisons that a two-way coefficient is made of."""
    labels = {e.name: e.label for e in results.plan.estimates}
    frame = found.decomposition[found.decomposition["outcome"] == outcome.column]
    for name, rows in frame.groupby("name", sort=False):
        figure = figures.bacon(
            rows.reset_index(drop=True),
            unit=outcome.unit,
            title=outcome.label,
            catalogue=words,
            synthetic=results.plan.synthetic,
        )
        label = labels[str(name)]
        caption = words.text("caption.bacon", label=label, outcome=outcome.label)
        alt = words.text("alt.bacon", label=label, count=words.number(len(rows)))
        file = f"bacon_{slug(str(name))}_{slug(outcome.column)}"
        yield Picture("two_way", file, outcome.column, figure, caption, alt)
