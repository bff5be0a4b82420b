"""Which figures does the chapter on the lottery have? Flow, balance, tests, bounds, quantiles."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from prakerja_eval import figures
from prakerja_eval.language import Catalogue
from prakerja_eval.language.catalogue import plain, titled
from prakerja_eval.report.lottery_sheets import kind_of, rows_of
from prakerja_eval.report.picture import Picture, slug
from prakerja_eval.report.summary import measure_of
from prakerja_eval.study import Results
from prakerja_eval.study.results import LotteryTables
from prakerja_eval.study.schema import Outcome


def lottery_pictures(results: Results, words: Catalogue) -> Iterator[Picture]:
    """Yield the figures of the chapter, in the order of its parts."""
    found = results.lottery
    if found is None or not len(found.audit):
        return
    yield _flow(results, found, words)
    if len(found.balance):
        yield _balance(results, found, words)
    for outcome in results.plan.outcomes:
        yield from _draws(results, found, outcome, words)
    for outcome in results.plan.outcomes:
        yield from _bounds(results, found, outcome, words)
    for outcome in results.plan.outcomes:
        yield from _quantiles(results, found, outcome, words)


def _flow(results: Results, found: LotteryTables, words: Catalogue) -> Picture:
    """Draw the flow of participants; of several outcomes the first."""
    first = results.plan.outcomes[0]
    frame = found.flow[found.flow["outcome"].isin(["", first.column])].drop(columns="outcome")
    figure = figures.flow(frame, catalogue=words, synthetic=results.plan.synthetic)
    parts = [
        words.text(
            "lottery_alt.flow_line",
            arm=words.text(f"lottery_figure.{row['arm']}"),
            stage=words.text(f"lottery_alt.{row['stage']}"),
            wave=plain(row["wave"]),
            n=words.text("format.hidden") if np.isnan(row["n"]) else words.number(row["n"]),
        )
        for row in frame.to_dict("records")
    ]
    alt = words.text("lottery_alt.flow", lines=" ".join(parts))
    caption = words.text("lottery_caption.flow", outcome=first.label)
    return Picture("lottery_who", "lottery_flow", "", figure, caption, alt)


def _balance(results: Results, found: LotteryTables, words: Catalogue) -> Picture:
    figure = figures.lottery_balance(
        found.balance,
        labels=results.plan.covariate_labels,
        level=results.plan.level,
        catalogue=words,
        synthetic=results.plan.synthetic,
    )
    worst = float(found.balance["normalised_difference"].abs().max())
    alt = words.text("lottery_alt.balance", worst=words.number(worst, 2))
    caption = words.text("lottery_caption.balance_figure")
    return Picture("lottery_balance", "lottery_balance", "", figure, caption, alt)


def _draws(
    results: Results, found: LotteryTables, outcome: Outcome, words: Catalogue
) -> Iterator[Picture]:
    """Draw the statistics of the draws, in the last period of an outcome."""
    frame = found.randomisation
    if not len(frame):
        return
    rows = np.flatnonzero(frame["outcome"] == outcome.column)
    if np.isnan(frame["p_value"].iloc[rows[-1]]):
        return
    row = frame.iloc[rows[-1]]
    figure = figures.randomisation(
        found.draws[:, rows[-1]],
        float(row["statistic"]),
        p_value=float(row["p_value"]),
        title=titled(words, outcome.label, row["wave"]),
        catalogue=words,
        synthetic=results.plan.synthetic,
    )
    about = {"outcome": titled(words, outcome.label, row["wave"])}
    shown = words.p_value(float(row["p_value"]), sentence=True)
    alt = words.text("lottery_alt.draws", p=shown, **about)
    caption = words.text("lottery_caption.draws", **about)
    name = f"lottery_draws_{slug(outcome.column)}"
    yield Picture("lottery_effects", name, outcome.column, figure, caption, alt)


def _bounds(
    results: Results, found: LotteryTables, outcome: Outcome, words: Catalogue
) -> Iterator[Picture]:
    """Draw the bounds of the last period beside the effect among those who answered."""
    frame = _last(found.bounds, outcome.column)
    plain_row = _last(rows_of(found, "offer"), outcome.column)
    if not len(frame):
        return
    ends = ["lower", "upper", "conf_low", "conf_high"]
    rows = frame[ends].assign(label=[kind_of(row, words) for row in frame.to_dict("records")])
    first = plain_row.assign(
        lower=plain_row["estimate"],
        upper=plain_row["estimate"],
        label=words.text("lottery_kind.observed"),
    )[["label", *ends]]
    figure = figures.bounds(
        pd.concat([first, rows], ignore_index=True),
        unit=outcome.unit,
        title=titled(words, outcome.label, frame["wave"].iloc[0]),
        level=results.plan.level,
        catalogue=words,
        synthetic=results.plan.synthetic,
    )
    measure = measure_of(results, outcome)
    lines = [
        words.text(
            "lottery_alt.bounds_line",
            label=row["label"],
            interval=words.interval(row["lower"], row["upper"], measure),
        )
        for row in rows.to_dict("records")
        if np.isfinite([row["lower"], row["upper"]]).all()
    ]
    alt = words.text("lottery_alt.bounds", outcome=outcome.label, lines=" ".join(lines))
    caption = words.text("lottery_caption.bounds_figure", outcome=outcome.label)
    name = f"lottery_bounds_{slug(outcome.column)}"
    yield Picture("lottery_attrition", name, outcome.column, figure, caption, alt)


def _quantiles(
    results: Results, found: LotteryTables, outcome: Outcome, words: Catalogue
) -> Iterator[Picture]:
    """Draw quantile effects in the last period of an outcome."""
    rows = _last(rows_of(found, "quantile"), outcome.column)
    if not len(rows):
        return
    figure = figures.quantile_effects(
        rows,
        unit=outcome.unit,
        title=titled(words, outcome.label, rows["wave"].iloc[0]),
        catalogue=words,
        synthetic=results.plan.synthetic,
    )
    alt = words.text("lottery_alt.quantiles", outcome=outcome.label, count=len(rows))
    caption = words.text("lottery_caption.quantiles", outcome=outcome.label)
    name = f"lottery_quantiles_{slug(outcome.column)}"
    yield Picture("lottery_quantiles", name, outcome.column, figure, caption, alt)


def _last(frame: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Return an outcome's rows of the last period."""
    if not len(frame):
        return frame
    rows = frame[frame["outcome"] == outcome]
    last = rows["wave"].map(plain) == plain(rows["wave"].iloc[-1]) if len(rows) else []
    return rows[last].reset_index(drop=True)
