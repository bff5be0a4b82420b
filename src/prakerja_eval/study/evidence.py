"""What speaks for and against the answer? Tests before treatment, and what a regression mixes."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from prakerja_eval import did
from prakerja_eval.did.restrictions import Search
from prakerja_eval.did.sensitivity import honest
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, infer, subset
from prakerja_eval.panel import Panel
from prakerja_eval.study.schema import StaggeredEntry
from prakerja_eval.study.staggered import POISSON, TWFE, Effects
from prakerja_eval.tables.disclosure import SMALLEST_CELL, small_rows

PRETRENDS = ("name", "outcome", "statistic", "df", "p_value", "null", "slope", "reason")
DECOMPOSITION = ("name", "outcome", "treated", "comparison", "kind", "weight", "estimate")
WEIGHTS = ("name", "outcome", "cohort", "wave", "event_time", "n", "share", "weight")
SENSITIVITY = (
    *("name", "outcome", "restriction", "method", "m", "conf_low", "conf_high", "status"),
    *("breakdown", "target", "reason"),
)
MIXTURE = ("name", "outcome", "n_weights", "n_negative", "sum_negative", "reason")
UNBALANCED = "some people are not seen in every wave"
GIVEN = "there is no such test given covariates"
UNSEEN = "no cohort is seen often enough before treatment"
FEW = f"a cohort has fewer than {SMALLEST_CELL} people"


def pretrends(
    panel: Panel, entry: StaggeredEntry, outcome: str, found: Effects, level: float
) -> Iterable[dict[str, object]]:
    """Yield the joint test that nothing moved before treatment, or why there is none."""
    about: dict[str, object] = {"name": entry.name, "outcome": outcome}
    if found.reason:
        yield about | {"reason": found.reason}
    if entry.estimator in (TWFE, POISSON):
        return
    try:
        rows = _before(panel, entry, outcome, found)
        test = did.pretrends(rows, entry.chosen)
    except (NotEstimableError, UsageError) as error:
        yield about | {"reason": str(error)}
        return
    yield about | {
        "statistic": test.statistic,
        "df": test.df,
        "p_value": test.p_value,
        "null": test.null,
        "slope": _unseen(entry, found, level),
        "reason": "",
    }


def _unseen(entry: StaggeredEntry, found: Effects, level: float) -> float:
    """Return the trend that leaves no period before treatment significant half of the time."""
    if entry.estimator == "did.imputation" or found.event_study is None:
        return np.nan  # its event study has no period before treatment
    try:
        power = did.pretrend_power(found.event_study, inference=entry.chosen, level=level)
    except (NotEstimableError, UsageError):  # a varying base, or unequal steps
        return np.nan
    return power.slope


def _before(panel: Panel, entry: StaggeredEntry, outcome: str, found: Effects) -> Estimate:
    """Return the effects before treatment; imputation has them from a regression of their own."""
    if entry.estimator == "did.imputation":
        if entry.design.covariates:
            raise NotEstimableError(GIVEN)
        return did.imputation_pretrend(panel, outcome, entry.design, leads=_leads(panel, entry))
    study = found.event_study
    assert study is not None
    shown = np.isfinite(study.theta) & (study.counts["status"] != "reference").to_numpy()
    rows = np.flatnonzero((study.index["estimand"] == "pre-trend").to_numpy() & shown)
    if not len(rows):
        raise NotEstimableError(UNSEEN)
    return subset(study, rows=list(rows))


def _leads(panel: Panel, entry: StaggeredEntry) -> int:
    """Return how many event times before treatment there are, less the one to compare with."""
    table = did.status_map(panel)
    before = table[table["status"] == "not yet treated"]
    counts = before.groupby("cohort").size()
    gap = int(np.ceil(entry.design.anticipation))
    leads = int(counts.max() if len(counts) else 0) - gap - 1
    if leads < 1:
        raise NotEstimableError(UNSEEN)
    return leads


def sensitivity(
    entry: StaggeredEntry, outcome: str, found: Effects, level: float
) -> Iterable[pd.DataFrame]:
    """Yield the robust intervals by each restriction, or why there are none."""
    asked, study = entry.sensitivity, found.event_study
    if asked is None or study is None:
        return
    about: dict[str, object] = {"name": entry.name, "outcome": outcome}
    few = small_rows(infer(study, level=level).frame).any()
    for restriction in asked.restrictions:
        try:
            if few:
                raise NotEstimableError(f"{FEW} at some time since treatment began")
            told = honest(
                study,
                restriction,
                contrast=asked.target,
                inference=entry.chosen,
                level=level,
                search=Search(seed=entry.seed),
            )
        except (NotEstimableError, UsageError) as error:
            yield pd.DataFrame([about | {"reason": str(error)}])
            continue
        values = about | {"breakdown": told.breakdown, "target": told.target, "reason": ""}
        yield told.frame.assign(**values)


def mixture(panel: Panel, entry: StaggeredEntry, outcome: str) -> dict[str, pd.DataFrame]:
    """Return what a two-way fixed effects coefficient is made of: comparisons and weights."""
    about = {"name": entry.name, "outcome": outcome}
    if entry.estimator != TWFE:
        return {}
    counts = did.cohort_paths(panel, outcome)["n"]
    if ((counts > 0) & (counts < SMALLEST_CELL)).any():
        return {"mixture": pd.DataFrame([about | {"reason": FEW}])}
    try:
        weights = did.twfe_weights(panel, outcome)
    except NotEstimableError as error:
        return {"mixture": pd.DataFrame([about | {"reason": str(error)}])}
    told = about | {
        "n_weights": len(weights.frame),
        "n_negative": weights.n_negative,
        "sum_negative": weights.sum_negative,
        "reason": "",
    }
    out = {"weights": weights.frame.assign(**about)}
    try:
        out["decomposition"] = did.bacon(panel, outcome).frame.assign(**about)
    except UsageError:  # the decomposition holds for balanced panels alone
        told["reason"] = UNBALANCED
    return out | {"mixture": pd.DataFrame([told])}
