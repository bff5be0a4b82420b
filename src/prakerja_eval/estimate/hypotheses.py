"""Do the answers agree? Joint Wald tests, and the test of equality that refuses unlike rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.estimate import Estimate, known_label
from prakerja_eval.estimate.specs import Inference, WildClusterBootstrap
from prakerja_eval.estimate.variance import across_designs, variance
from prakerja_eval.typing import FloatArray

LIKE_WITH_LIKE = (
    "estimand",
    "population",
    "outcome",
    "cohort",
    "wave",
    "event_time",
    "subgroup",
    "weighting",
)
NEVER_APART = ("estimand", "population", "outcome", "weighting")
SHARES_NOTE = "The lottery's block shares are taken as drawn here, since the others' are."
WILD_NOTE = "The wild bootstrap tests one parameter; this is its cluster-robust variance with F."
RANK_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class WaldTest:
    """A test that prints its own null.

    Attributes
    ----------
    null : str
        The hypothesis in words.
    statistic, p_value : float
    df : int
        Number of restrictions.
    df_denominator : float
        Infinite: chi-squared on ``df``; finite: F on (df, df_denominator), statistic divided by df.
    note : str
        What a reader of the test must know besides.
    """

    null: str
    statistic: float
    df: int
    df_denominator: float
    p_value: float
    note: str = ""

    def __repr__(self) -> str:
        law = (
            f"chi2({self.df})"
            if np.isinf(self.df_denominator)
            else f"F({self.df}, {self.df_denominator:.4g})"
        )
        said = f"H0: {self.null}\n{law} = {self.statistic:.4f}, p = {self.p_value:.4f}"
        return f"{said}\n{self.note}" if self.note else said


def wald(
    estimate: Estimate,
    inference: Inference | None = None,
    *,
    restrictions: Sequence[Sequence[float]] | FloatArray | None = None,
    null: str | None = None,
    shares_drawn: bool = False,
) -> WaldTest:
    """Test that linear combinations of the parameters are jointly zero.

    Parameters
    ----------
    estimate : Estimate
        K parameters.
    inference : Inference, optional
        Left out, each row's default.
    restrictions : (R, K) array, optional
        Left out, every parameter is zero.
    null : str, optional
        The hypothesis in words, for printing.
    shares_drawn : bool
        Add the influence of a lottery's block shares where a row takes them as fixed.

    Returns
    -------
    WaldTest
        θ'R'(RVR')⁻¹Rθ; chi-squared where every row has normal quantiles, F with the smallest
        degrees of freedom otherwise.

    Raises
    ------
    NotEstimableError
        If a tested row has no variance, the rows have no common covariance, or the covariance of
        the restrictions is singular.
    """
    matrix = np.eye(len(estimate)) if restrictions is None else np.atleast_2d(restrictions)
    if matrix.shape[1] != len(estimate):
        raise UsageError(f"restrictions on {matrix.shape[1]} of {len(estimate)} parameters.")
    var = variance(estimate, inference, shares_drawn=shares_drawn)
    used = np.flatnonzero(np.any(matrix != 0, axis=0))
    gone = [var.status[k] for k in used if not np.isfinite(var.std_error()[k])]
    if gone:
        raise NotEstimableError(f"a tested row has no standard error: {gone[0]}.")
    covariance = var.covariance[np.ix_(used, used)]
    if np.isnan(covariance).any():
        raise NotEstimableError(
            "the rows have no common covariance, since their independent units or regressions "
            "differ; name one inference for all rows."
        )
    value = matrix[:, used] @ estimate.theta[used]
    spread = matrix[:, used] @ covariance @ matrix[:, used].T
    most = (matrix[:, used] ** 2) @ np.diag(covariance)
    statistic = _quadratic(value, spread, most)
    q, df2 = len(value), float(var.df[used].min())
    words = null or f"all {len(value)} restrictions hold"
    from scipy import stats  # late: it takes half a second, which a look at data never needs

    if np.isinf(df2):
        return WaldTest(words, statistic, q, df2, float(stats.chi2.sf(statistic, q)))
    specs = estimate.defaults if inference is None else (inference,)
    note = WILD_NOTE if any(isinstance(s, WildClusterBootstrap) for s in specs) else ""
    return WaldTest(words, statistic / q, q, df2, float(stats.f.sf(statistic / q, q, df2)), note)


def _quadratic(value: FloatArray, spread: FloatArray, most: FloatArray) -> float:
    """Return v'S⁻¹v, or refuse an S that is singular; ``most`` is its diagonal less covariances."""
    if (np.diag(spread) <= RANK_TOLERANCE * most).any():
        raise NotEstimableError("a restriction has variance zero: it compares a row with itself.")
    scale = np.sqrt(np.diag(spread))
    correlation = spread / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlation)[0] < RANK_TOLERANCE:
        raise NotEstimableError("the restrictions are linearly dependent; leave some out.")
    z = value / scale
    return float(z @ np.linalg.solve(correlation, z))


def test_equal(
    estimate: Estimate, by: str = "estimator", inference: Inference | None = None
) -> WaldTest:
    """Test that rows which differ only in ``by`` are equal, with their joint covariance.

    Like with like: rows must have the same estimand, population, outcome, cohort, wave, event
    time, subgroup and weighting. An ITT is take-up times a TOT, so it equals no ATT.

    Parameters
    ----------
    estimate : Estimate
        Two rows or more.
    by : str
        The index column that tells them apart: "estimator", "specification", ...
    inference : Inference, optional
        Left out, each row's default.

    Raises
    ------
    UsageError
        If the rows are not alike, or ``by`` does not tell them apart.
    """
    known_label(by)
    if len(estimate) < 2:
        raise UsageError("test_equal compares two rows or more; this Estimate has one.")
    index = estimate.index
    for column in LIKE_WITH_LIKE:
        values = list(dict.fromkeys(map(str, index[column])))
        exempt = column == by and column not in NEVER_APART
        if not exempt and len(values) > 1:
            raise UsageError(
                f"test_equal compares like with like, and these rows differ in {column}: "
                f"{' / '.join(values)}. Compare effects of the same kind on the same people "
                "(pe.subset keeps rows; pe.lottery.late gives the effect on recipients)."
            )
    names = list(map(str, index[by]))
    if len(set(names)) < len(names):
        raise UsageError(f"two rows have the same {by}; name a column that tells them apart.")
    k = len(names)
    restrictions = np.hstack([np.eye(k - 1), np.full((k - 1, 1), -1.0)])
    outcome = index["outcome"].iloc[0]
    null = f"the effect on {outcome} is the same by {', '.join(names[:-1])} and {names[-1]}"
    drawn = across_designs(estimate)
    test = wald(estimate, inference, restrictions=restrictions, null=null, shares_drawn=drawn)
    return replace(test, note=f"{SHARES_NOTE} {test.note}".strip()) if drawn else test


test_equal.__test__ = False  # type: ignore[attr-defined]  # pytest: the name is a contract, no test
