"""What speaks for and against the answer? Tests before treatment, and what a regression mixes."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from prakerja_eval import did
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, subset, wald
from prakerja_eval.panel import Panel
from prakerja_eval.study.schema import StaggeredEntry
from prakerja_eval.study.staggered import POISSON, TWFE, Effects
from prakerja_eval.tables.disclosure import SMALLEST_CELL

PRETRENDS = ("name", "outcome", "statistic", "df", "p_value", "null", "reason")
DECOMPOSITION = ("name", "outcome", "treated", "comparison", "kind", "weight", "estimate")
WEIGHTS = ("name", "outcome", "cohort", "wave", "event_time", "n", "share", "weight")
MIXTURE = ("name", "outcome", "n_weights", "n_negative", "sum_negative", "reason")
FEW = f"a cohort has fewer than {SMALLEST_CELL} people"


def pretrends(
    panel: Panel, entry: StaggeredEntry, outcome: str, found: Effects
) -> Iterable[dict[str, object]]:
    """Yield the joint test that nothing moved before treatment, or why there is none."""
    about: dict[str, object] = {"name": entry.name, "outcome": outcome}
    if found.reason:
        yield about | {"reason": found.reason}
    if entry.estimator in (TWFE, POISSON):
        return
    try:
        rows = _before(panel, entry, outcome, found)
        null = f"the effects on {outcome} before treatment are zero"
        test = wald(rows, entry.chosen, null=null)
    except (NotEstimableError, UsageError) as error:
        yield about | {"reason": str(error)}
        return
    yield about | {
        "statistic": test.statistic,
        "df": test.df,
        "p_value": test.p_value,
        "null": test.null,
        "reason": "",
    }


def _before(panel: Panel, entry: StaggeredEntry, outcome: str, found: Effects) -> Estimate:
    """Return the effects before treatment; imputation has them from a regression of their own."""
    if entry.estimator == "did.imputation":
        if entry.design.covariates:
            raise NotEstimableError("there is no such test with covariates.")
        return did.imputation_pretrend(panel, outcome, entry.design, leads=_leads(panel, entry))
    study = found.event_study
    assert study is not None
    shown = np.isfinite(study.theta) & (study.counts["status"] != "reference").to_numpy()
    rows = np.flatnonzero((study.index["estimand"] == "pre-trend").to_numpy() & shown)
    if not len(rows):
        raise NotEstimableError("no cohort is seen often enough before treatment.")
    return subset(study, rows=list(rows))


def _leads(panel: Panel, entry: StaggeredEntry) -> int:
    """Return how many event times before treatment there are, less the one to compare with."""
    table = did.status_map(panel)
    before = table[table["status"] == "not yet treated"]
    counts = before.groupby("cohort").size()
    gap = int(np.ceil(entry.design.anticipation))
    leads = int(counts.max() if len(counts) else 0) - gap - 1
    if leads < 1:
        raise NotEstimableError("no cohort is seen often enough before treatment.")
    return leads


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
    except UsageError as error:  # the decomposition holds for balanced panels alone
        told["reason"] = str(error)
    return out | {"mixture": pd.DataFrame([told])}
