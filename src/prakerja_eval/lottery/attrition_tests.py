"""Do those lost differ, and differently by arm? Tests on what was known of them before."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.estimate import (
    Clustered,
    Estimate,
    Inference,
    LinearFit,
    LinearTerm,
    Robust,
    estimate_row,
    infer,
    join,
    wald,
)
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.itt import lottery_row
from prakerja_eval.lottery.regression import difference
from prakerja_eval.lottery.roster import Roster
from prakerja_eval.lottery.sample import sample_of
from prakerja_eval.numerics.cells import cell_regression
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

COMPARED = (
    "wave",
    "covariate",
    "n",
    "mean_treated",
    "mean_comparison",
    "difference",
    "std_error",
    "p_value",
)
TESTED = (
    "test",
    "wave",
    "n",
    "statistic",
    "df",
    "df_denominator",
    "p_value",
    "null",
    "status",
)
NULLS = {
    "rate": "winners and losers answered equally often{at}, within blocks",
    "respondents": "{covariates} have the same means among winners and losers who answered{at}, "
    "within blocks",
    "interactions": "{covariates} predict who answered{at} alike among winners and losers, within "
    "blocks",
    "IV-R": "the outcome {outcome!r} before the lottery has one mean among winners and losers who "
    "answered{at}, and one among winners and losers who did not, within blocks",
    "IV-P": "the outcome {outcome!r} before the lottery has one mean among winners and losers, "
    "whether they answered{at} or not, within blocks",
}


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The people of the lottery, the wave in question, and what was known of them before.

    Attributes
    ----------
    found : Roster
        With the covariates that were named.
    wave : int
        Position of the wave.
    first : int, optional
        Position of the baseline.
    clusters : str, optional
        The column by which the lottery was drawn.
    """

    found: Roster
    wave: int
    first: int | None
    clusters: str | None

    @property
    def answered(self) -> BoolArray:
        """Return who answered in the wave, (n,)."""
        return self.found.observed(self.wave)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the covariates, the baseline outcome first."""
        if self.first is None:
            return self.found.names
        return (f"{self.found.outcome}@{self.found.waves[self.first]}", *self.found.names)

    @property
    def values(self) -> FloatArray:
        """Return the covariates, (n, k); NaN where the outcome was not seen at the baseline."""
        if self.first is None:
            return self.found.covariates
        return np.column_stack([self.found.y[:, self.first], self.found.covariates])

    @property
    def known(self) -> BoolArray:
        """Return of whom every covariate is known, (n,)."""
        return np.asarray(np.isfinite(self.values).all(axis=1))

    @property
    def default(self) -> Inference:
        """Return HC2, or CR2 by what was drawn."""
        return Robust("HC2") if self.clusters is None else Clustered(self.clusters, "CR2")


def respondents(asked: Asked) -> pd.DataFrame:
    """Compare winners and losers who answered, covariate by covariate."""
    if not asked.names:
        return pd.DataFrame(columns=list(COMPARED))
    try:
        found = infer(_differences(asked)).frame
    except NotEstimableError:  # the row of the joint test says why
        return pd.DataFrame(columns=list(COMPARED))
    frame = pd.DataFrame(
        {
            "wave": asked.found.label(asked.wave),
            "covariate": asked.names,
            "n": found["n"],
            "mean_treated": found["comparison_mean"] + found["estimate"],
            "mean_comparison": found["comparison_mean"],
            "difference": found["estimate"],
            "std_error": found["std_error"],
            "p_value": found["p_value"],
        }
    )
    return frame[list(COMPARED)]


def tests_of(asked: Asked, rate: Estimate) -> pd.DataFrame:
    """Return the tests of one wave, given the difference in response rates."""
    when = asked.found.label(asked.wave)
    rows = []
    for name, (null, make) in _cases(asked, rate).items():
        at = "" if when is None else f" in wave {when}"
        said = null.format(at=at, covariates=", ".join(asked.names), outcome=asked.found.outcome)
        rows.append(_tested(name, when, said, make))
    return pd.DataFrame(rows)[list(TESTED)]


def _cases(asked: Asked, rate: Estimate) -> dict[str, tuple[str, Callable[[], Estimate]]]:
    """Return the nulls of the tests that can be asked for, and what makes each."""
    cases: dict[str, tuple[str, Callable[[], Estimate]]] = {
        "rate": (NULLS["rate"], lambda: _varying(asked, rate))
    }
    if asked.names:
        cases["respondents"] = NULLS["respondents"], lambda: _differences(asked)
        cases["interactions"] = NULLS["interactions"], lambda: _interactions(asked)
    if asked.first is not None:
        cases["IV-R"] = NULLS["IV-R"], lambda: _groups(asked, population=False)
        cases["IV-P"] = NULLS["IV-P"], lambda: _groups(asked, population=True)
    return cases


def _tested(name: str, wave: object, null: str, make: Callable[[], Estimate]) -> dict[str, object]:
    """Make one test; where it cannot be made, say why."""
    row = {"test": name, "wave": wave, "null": null}
    try:
        rows = make()
        found = wald(rows, null=null)
    except NotEstimableError as error:
        blank = dict.fromkeys(("statistic", "df_denominator", "p_value"), np.nan)
        return row | blank | {"n": 0, "df": 0, "status": str(error)}
    numbers = {c: getattr(found, c) for c in ("statistic", "df", "df_denominator", "p_value")}
    return row | numbers | {"n": int(rows.sample.any(axis=1).sum()), "status": "ok"}


def _varying(asked: Asked, rate: Estimate) -> Estimate:
    """Return the difference in rates, unless everybody or nobody answered."""
    seen = asked.answered
    if seen.all() or not seen.any():
        who = "everybody" if seen.all() else "nobody"
        raise NotEstimableError(f"{who} answered: there are no rates to tell apart.")
    return rate


def _differences(asked: Asked) -> Estimate:
    """Return the differences in covariates among people who answered, a row each."""
    design = Design(block_weights="strata_fe", empty_arms="drop", clusters=asked.clusters)
    y = np.full_like(asked.found.y, np.nan)
    y[asked.answered & asked.known, asked.wave] = 1.0
    everything = replace(asked.found, y=y, covariates=asked.values, names=asked.names)
    try:
        sample = sample_of(everything, [asked.wave], design)
    except NotEstimableError as error:
        raise NotEstimableError("no block has both winners and losers who answered.") from error
    bare = sample.with_covariates(np.zeros(0, dtype=np.int64))
    rows = []
    for name, x in zip(asked.names, sample.covariates.T, strict=True):
        labels = {"estimator": "lottery.attrition", "estimand": "balance", "outcome": name}
        rows.append(lottery_row(bare, design, difference(x, bare, design), labels, bare.arm))
    return join(*rows)


def _interactions(asked: Asked) -> Estimate:
    """Return by how much more each covariate predicts response among winners.

    Response is regressed on an intercept for each arm of each block, the covariates, and the
    covariates times the offer; the last coefficients are returned.
    """
    if asked.answered.all():
        raise NotEstimableError("everybody answered: there is nothing to predict.")
    keep = asked.known
    arm, X = asked.found.arm[keep], asked.values[keep]
    cell = 2 * asked.found.block[keep] + arm.astype(np.int64)
    Z = np.hstack([X - X.mean(axis=0), arm[:, None] * (X - X.mean(axis=0))])
    y = asked.answered[keep].astype(np.float64)
    k = X.shape[1]
    return _slopes(asked, _Regression(y, cell, Z, keep), list(range(k, 2 * k)))


def _groups(asked: Asked, *, population: bool) -> Estimate:
    """Return how the baseline outcome differs between arms, by response.

    y0 on [Z R, Z (1 - R)] and intercepts: one for each response group of each block (IV-R), or one
    for each block, and R besides (IV-P). Ghanem, Hirshleifer and Ortiz-Becerra (2023, section B).
    """
    assert asked.first is not None
    before = asked.found.y[:, asked.first]
    keep = np.isfinite(before)
    won, answered = asked.found.arm[keep], asked.answered[keep].astype(np.float64)
    if not 0 < answered.sum() < len(answered):
        who = "everybody" if answered.all() else "nobody"
        raise NotEstimableError(f"{who} with a value at the baseline answered: no groups compare.")
    Z = np.column_stack([won * answered, won * (1 - answered), answered])
    cell = asked.found.block[keep]
    if not population:
        Z, cell = Z[:, :2], 2 * cell + answered.astype(np.int64)
    return _slopes(asked, _Regression(before[keep], cell, Z, keep), list(range(Z.shape[1])))


@dataclass(frozen=True, slots=True, eq=False)
class _Regression:
    """y on intercepts of cells and columns Z, among the people to ``keep``."""

    y: FloatArray
    cell: IntArray
    Z: FloatArray
    keep: BoolArray


def _slopes(asked: Asked, what: _Regression, wanted: list[int]) -> Estimate:
    """Return some slopes of a regression with cells, a row each."""
    _, cell = np.unique(what.cell, return_inverse=True)
    weight, units = asked.found.weight[what.keep], asked.found.units[what.keep]
    n_cells = int(cell.max()) + 1
    try:
        fit = cell_regression(what.y, cell, n_cells, what.Z, weight)
    except CollinearityError as error:
        raise NotEstimableError(
            "no block has people of both arms to compare, or covariates repeat one another."
        ) from error
    linear = LinearFit(
        fit.residuals, weight, fit.bread, np.arange(len(units)), design=what.Z, cells=cell
    )
    rows = []
    for j in wanted:
        contrast = np.zeros(len(fit.beta))
        contrast[n_cells + j] = 1.0
        term = LinearTerm(linear, contrast)
        labels = {"estimator": "lottery.attrition", "specification": f"slope {j}"}
        theta = float(contrast @ fit.beta)
        counts = {"n": len(units)}
        rows.append(estimate_row(theta, term.core(), units, labels, counts, asked.default, [term]))
    return join(*rows)
