"""Do the designs agree? Each answer beside a benchmark, and one joint test."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Inference, WaldTest, infer, join, test_equal
from prakerja_eval.estimate.variance import across_designs, variance


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Agreement:
    """Answers of several designs to one question.

    Attributes
    ----------
    outcome : str
        The outcome that they all estimate.
    frame : DataFrame
        A row a design, the benchmark first: label, estimate, std_error, conf_low, conf_high, then
        its difference from the benchmark with diff_std_error, diff_conf_low, diff_conf_high,
        diff_p_value (NaN for the benchmark itself).
    joint : WaldTest
        Of the equality of all rows, with their joint covariance.
    by : str
        The index column that tells the designs apart.
    wave : object
        The period that they are all about; None if there is none.
    """

    outcome: str
    frame: pd.DataFrame
    joint: WaldTest
    by: str
    wave: object = None

    def __repr__(self) -> str:
        return f"{self.frame.to_string(index=False)}\n{self.joint!r}"

    def _repr_html_(self) -> str:
        table = self.frame.to_html(index=False, border=0)
        return f"{table}<p>H0: {escape(self.joint.null)}. p = {self.joint.p_value:.4f}</p>"


def agreement(
    benchmark: Estimate,
    others: Sequence[Estimate],
    *,
    by: str = "estimator",
    inference: Inference | None = None,
    level: float = 0.95,
) -> Agreement:
    """Compare designs with a benchmark, like with like.

    The covariance of two answers is that of the people they share (an outer join of their
    influence on unit id), so the difference of two designs on the same treated people is known
    better than two separate standard errors suggest.

    Parameters
    ----------
    benchmark : Estimate
        One parameter, the answer to trust (the experiment, say).
    others : sequence of Estimate
        One parameter each, of the same estimand, population, outcome, wave and weighting.
    by : str
        The index column that tells the designs apart.
    inference : Inference, optional
        Left out, each row's default.
    level : float
        Coverage of the intervals.

    Raises
    ------
    UsageError
        If a row differs in what it estimates (see ``test_equal``).

    References
    ----------
    LaLonde (1986), https://www.jstor.org/stable/1806062.
    """
    if len(benchmark) != 1 or any(len(e) != 1 for e in others) or not others:
        raise UsageError("agreement compares Estimates of one parameter each; use pe.subset.")
    every = join(benchmark, *others)
    joint = test_equal(every, by=by, inference=inference)
    frame = differences(every, inference, level).assign(label=every.index[by].astype(str))
    outcome, wave = (every.index[c].iloc[0] for c in ("outcome", "wave"))
    return Agreement(str(outcome), frame, joint, by, None if pd.isna(wave) else wave)


def differences(every: Estimate, inference: Inference | None, level: float) -> pd.DataFrame:
    """Return each row with its interval, and its difference from the first with its own.

    Parameters
    ----------
    every : Estimate
        The benchmark first.
    inference : Inference, optional
        Left out, each row's default.
    level : float
        Coverage of the intervals.
    """
    from scipy import stats  # late: it takes half a second, which a look at data never needs

    found = infer(every, inference, level=level).frame
    var = variance(every, inference, shares_drawn=across_designs(every))
    difference = every.theta - every.theta[0]
    se, df = np.array([var.of_difference(k, 0) for k in range(len(every))]).T
    half = stats.t.ppf((1 + level) / 2, df) * se
    return pd.DataFrame(
        {
            "label": every.index["estimator"].astype(str),
            "estimate": every.theta,
            "std_error": found["std_error"],
            "conf_low": found["conf_low"],
            "conf_high": found["conf_high"],
            "difference": np.where(np.isnan(se), np.nan, difference),
            "diff_std_error": se,
            "diff_conf_low": difference - half,
            "diff_conf_high": difference + half,
            "diff_p_value": 2 * stats.t.sf(np.abs(difference / se), df),
        }
    )
