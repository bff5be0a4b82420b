"""Which figures does a report have? Each with its file name, caption and text alternative."""

from collections.abc import Iterator

import pandas as pd

from prakerja_eval import figures
from prakerja_eval.language import Catalogue
from prakerja_eval.language.catalogue import listing, titled
from prakerja_eval.report.lottery_pictures import lottery_pictures
from prakerja_eval.report.picture import Picture, slug
from prakerja_eval.report.pictures_over_time import over_time_pictures
from prakerja_eval.report.summary import measure_of
from prakerja_eval.study import Results
from prakerja_eval.tables.impact import number

SCORE = "propensity score"


def pictures(results: Results, words: Catalogue) -> tuple[Picture, ...]:
    """Draw every figure of a report, in the order of its sections."""
    return (
        *_forests(results, words),
        *_paths(results, words),
        *lottery_pictures(results, words),
        *over_time_pictures(results, words),
        *_overlaps(results, words),
        *_loves(results, words),
    )


def _forests(results: Results, words: Catalogue) -> Iterator[Picture]:
    plan, level = results.plan, words.percent(results.plan.level)
    outcomes = {o.column: o for o in plan.outcomes}
    for answers in results.agreements:
        outcome = outcomes[answers.outcome]
        title, measure = titled(words, outcome.label, answers.wave), measure_of(results, outcome)
        figure = figures.forest(
            answers,
            unit=outcome.unit,
            title=outcome.label,
            level=plan.level,
            catalogue=words,
            synthetic=plan.synthetic,
        )
        lines = [
            words.text(
                "figure.alt_line",
                label=row["label"],
                estimate=words.effect(row["estimate"], measure),
                level=level,
                interval=words.interval(row["conf_low"], row["conf_high"], measure),
            )
            for _, row in answers.frame.iterrows()
        ]
        alt = words.text("figure.alt_forest", outcome=title, lines=" ".join(lines))
        caption = words.text("caption.forest", outcome=title, level=level)
        name = f"forest_{slug(outcome.column)}"
        yield Picture("answers", name, outcome.column, figure, caption, alt)


def ordered(frame: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Return rows with the groups in the order of the study file."""
    groups = results.plan.groups
    if groups is None or not len(frame):
        return frame
    place = {label: i for i, label in enumerate(groups.labels.values())}
    return frame.sort_values(
        "group", key=lambda g: g.map(lambda v: place.get(v, len(place))), kind="stable"
    ).reset_index(drop=True)


def _paths(results: Results, words: Catalogue) -> Iterator[Picture]:
    plan, frame = results.plan, ordered(results.paths, results)
    for outcome in plan.outcomes:
        rows = frame[frame["outcome"] == outcome.column] if len(frame) else frame
        if not len(rows):
            continue
        figure = figures.paths(
            rows,
            title=outcome.label,
            unit=outcome.unit,
            level=plan.level,
            catalogue=words,
            synthetic=plan.synthetic,
        )
        groups = listing(words, list(dict.fromkeys(rows["group"].map(str))))
        alt = words.text("figure.alt_paths", outcome=outcome.label, groups=groups)
        caption = words.text("caption.paths", outcome=outcome.label)
        yield Picture(
            "paths", f"paths_{slug(outcome.column)}", outcome.column, figure, caption, alt
        )


def _matchings(frame: pd.DataFrame, results: Results) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield name, label and rows of each matching, in the order of the study file."""
    for entry in results.plan.estimates if len(frame) else ():
        rows = frame[frame["name"] == entry.name]
        if len(rows):
            yield entry.name, entry.label, rows


def _overlaps(results: Results, words: Catalogue) -> Iterator[Picture]:
    for name, label, rows in _matchings(results.overlap, results):
        figure = figures.overlap(rows, catalogue=words, synthetic=results.plan.synthetic)
        caption = words.text("caption.overlap", label=label)
        alt = words.text("figure.alt_overlap", label=label, **_reach(rows, words))
        yield Picture("overlap", f"overlap_{slug(name)}", name, figure, caption, alt)


def _reach(rows: pd.DataFrame, words: Catalogue) -> dict[str, str]:
    """Return between which scores there is anyone, by arm."""
    out = {}
    for arm in ("treated", "comparison"):
        held = rows[(rows["arm"] == arm) & ~(rows["n"] == 0)]
        out[f"{arm}_low"] = words.number(float(held["low"].min()), 2)
        out[f"{arm}_high"] = words.number(float(held["high"].max()), 2)
    return out


def covariate_labels(results: Results, words: Catalogue) -> dict[str, str]:
    """Return the printed names of covariates, the score among them."""
    return {SCORE: words.text("figure.score"), **results.plan.covariate_labels}


def _loves(results: Results, words: Catalogue) -> Iterator[Picture]:
    for name, label, rows in _matchings(results.balance, results):
        labels = covariate_labels(results, words)
        figure = figures.love(
            rows, labels=labels, catalogue=words, synthetic=results.plan.synthetic
        )
        worst = rows["smd"].abs().groupby(rows["stage"]).max()
        alt = words.text(
            "figure.alt_love",
            label=label,
            count=words.number(rows["covariate"].nunique()),
            before=words.number(number(worst.get("before")), 2),
            after=words.number(number(worst.get("after")), 2),
        )
        caption = words.text("caption.love", label=label)
        yield Picture("balance", f"love_{slug(name)}", name, figure, caption, alt)
