"""Were winners and losers alike before the lottery? Covariates compared within its blocks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, infer, join
from prakerja_eval.estimate.specs import instance_of, names_of
from prakerja_eval.lottery.design import Design, merged_only
from prakerja_eval.lottery.drawn import Drawn, drawn_lottery, redraws
from prakerja_eval.lottery.itt import lottery_row
from prakerja_eval.lottery.regression import difference
from prakerja_eval.lottery.roster import Roster, refuse_no_panel, roster
from prakerja_eval.lottery.sample import Sample, sample_of
from prakerja_eval.numerics.hansen_bowers import Omnibus, hansen_bowers
from prakerja_eval.panel import PanelProtocol
from prakerja_eval.typing import BoolArray, FloatArray

# Statistics that are equal but for rounding count as ties: they are at least as far out.
TIE = 1e-9


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LotteryBalance:
    """Balance of covariates between winners and losers.

    Attributes
    ----------
    frame : DataFrame
        A row a covariate: covariate, mean_treated, mean_comparison (means of the arms' blocks at
        the design's weights), difference, std_error, p_value, normalised_difference.
    statistic : float
        Hansen and Bowers' d2 of all covariates.
    df : int
        Rank of the covariates: those that repeat others do not count.
    p_value : float
        By the chi-squared distribution on ``df``.
    p_randomisation : float
        Share of draws of the lottery that leave a statistic at least as large.
    draws : int
        Draws behind it, the lottery's own among them.
    note : str
        What a reader must know besides.
    """

    frame: pd.DataFrame
    statistic: float
    df: int
    p_value: float
    p_randomisation: float
    draws: int
    note: str = ""

    def __repr__(self) -> str:
        return f"{self.frame.round(4).to_string(index=False)}\n{self._omnibus()}"

    def _repr_html_(self) -> str:
        table = self.frame.round(4).to_html(index=False, border=0)
        return f"{table}<p>{self._omnibus()}</p>"

    def _omnibus(self) -> str:
        """Return the omnibus test in words."""
        said = (
            f"H0: the lottery did not favour anyone by these covariates. d2({self.df}) = "
            f"{self.statistic:.4f}, p = {self.p_value:.4f} (chi-squared), "
            f"{self.p_randomisation:.4f} (lottery drawn again, {self.draws:,} draws)."
        )
        return f"{said} {self.note}".rstrip()


def balance(
    panel: PanelProtocol,
    covariates: Sequence[str],
    design: Design | None = None,
    *,
    reps: int = 9_999,
    seed: int = 1,
) -> LotteryBalance:
    """Compare winners and losers on what was known before the lottery; no outcome is read.

    The difference of a covariate is the design's, Σ_b s_b (mean of winners − mean of losers), not
    adjusted for other covariates. The normalised difference divides it by √((s²_won + s²_lost)/2),
    standard deviations of the arms. The omnibus statistic is d² = T'V⁻T with T = Σ_b h_b (mean of
    winners − mean of losers), h_b harmonic, and V its exact covariance under the lottery.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``, and ``blocks`` where odds differed.
    covariates : sequence of str
        As in ``Design(covariates=...)``; a column of text gives an indicator a value.
    design : Design, optional
        Its blocks, weights and clusters count; its covariates do not.
    reps : int
        Draws of the lottery, with its blocks, clusters and quotas. Where it could have gone in
        fewer ways than that, each way is taken once.
    seed : int
        Seed of the draws.

    Returns
    -------
    LotteryBalance
        p = (1 + c) / (1 + reps), c the draws at least as far out. Where clusters were drawn, or
        people have weights, T compares totals, and the size of a cluster is one of the covariates.

    Raises
    ------
    UsageError
        Without covariates, or for an unknown column.
    DataError
        If the panel has a fault, or a covariate is missing for someone.
    NotEstimableError
        If the stated odds differ within a block, which then cannot be drawn again.

    References
    ----------
    Hansen and Bowers (2008), doi 10.1214/08-STS254. Imbens and Rubin (2015), ch. 14.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from prakerja_eval.lottery.balance import balance
    >>> frame = pd.DataFrame({"id": list("abcdef"), "won": [1, 1, 1, 0, 0, 0],
    ...                       "age": [30.0, 41.0, 25.0, 33.0, 28.0, 35.0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> balance(panel, ["age"]).frame["difference"].item()
    0.0
    """
    asked = Design() if design is None else design
    instance_of(asked, Design, "design")
    names = names_of(covariates)
    _refuse(names, reps, seed)
    refuse_no_panel(panel)
    plain = replace(asked, covariates=(), covariate_model="ancova", lone_arms=merged_only(asked))
    first = panel.roles.baseline
    waves = None if first is None else [first]
    found = roster(panel, None, replace(plain, covariates=names), waves)
    sample = sample_of(replace(found, outcome="covariates", y=np.ones((len(found), 1))), [0], plain)
    rows = [_row(sample, j, plain) for j in range(len(sample.names))]
    drawn = drawn_lottery(panel, found, plain)
    test = _omnibus(drawn, found)
    p_randomisation, draws = _redrawn(test, drawn, reps, seed)
    return LotteryBalance(
        frame=_frame(join(*rows), sample),
        statistic=test.statistic,
        df=test.rank,
        p_value=float(special.chdtrc(test.rank, test.statistic)) if draws else np.nan,
        p_randomisation=p_randomisation,
        draws=draws,
        note=_note(test, found),
    )


def _refuse(names: tuple[str, ...], reps: object, seed: object) -> None:
    """Refuse a call without covariates, draws or seed."""
    if not names:
        raise UsageError("lottery.balance(covariates) names no column.")
    if not isinstance(reps, int) or reps < 99:
        raise UsageError(f"lottery.balance(reps) is {reps!r}; use at least 99 draws.")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"lottery.balance(seed) is {seed!r}; use a whole number.")


def _row(sample: Sample, j: int, design: Design) -> Estimate:
    """Return the design's difference in covariate j."""
    bare = sample.with_covariates(np.zeros(0, dtype=np.int64))
    answer = difference(sample.covariates[:, j], bare, design)
    labels = {"estimator": "lottery.balance", "estimand": "balance", "outcome": sample.names[j]}
    return lottery_row(bare, design, answer, labels, sample.arm)


def _frame(rows: Estimate, sample: Sample) -> pd.DataFrame:
    found = infer(rows).frame
    return pd.DataFrame(
        {
            "covariate": sample.names,
            "mean_treated": found["comparison_mean"] + found["estimate"],
            "mean_comparison": found["comparison_mean"],
            "difference": found["estimate"],
            "std_error": found["std_error"],
            "p_value": found["p_value"],
            "normalised_difference": found["estimate"] / _spread(sample),
        }
    )


def _spread(sample: Sample) -> FloatArray:
    """Return √((s²_won + s²_lost)/2) of each covariate, (p,); NaN where neither arm varies."""
    total = np.zeros(sample.covariates.shape[1])
    for arm in (1, 0):
        x, w = sample.covariates[sample.arm == arm], sample.weight[sample.arm == arm]
        centred = x - w @ x / w.sum()
        total += w @ centred**2 / w.sum() * len(w) / max(len(w) - 1, 1)
    return np.asarray(np.where(total > 0, np.sqrt(total / 2), np.nan))


def _omnibus(drawn: Drawn, found: Roster) -> Omnibus:
    """Return the test on totals of the drawn units, their sizes among them."""
    features = np.column_stack([np.ones(len(found)), found.covariates])
    weighted = (features * found.weight[:, None]).T
    totals = np.column_stack([np.bincount(drawn.unit, x).astype(np.float64) for x in weighted])
    size = drawn.lottery.size
    return hansen_bowers(totals, drawn.lottery.won, np.repeat(np.arange(len(size)), size))


def _redrawn(test: Omnibus, drawn: Drawn, reps: int, seed: int) -> tuple[float, int]:
    """Return the share of draws that are at least as far out, and their number."""
    if test.determined or not test.rank:
        return np.nan, 0
    again = redraws(drawn, reps, seed, 0)
    out = [_far_out(sums, test.statistic) for sums in again.sums(test.scores)]
    beyond, total = int(np.concatenate(out).sum()), again.reps
    if again.state is None:  # every assignment, the lottery's own among them
        return beyond / total, total
    return (1 + beyond) / (1 + total), 1 + total


def _far_out(sums: FloatArray, statistic: float) -> BoolArray:
    """Say of winners' sums (r, B, rank) whether their squared length reaches the statistic."""
    length = (sums.sum(axis=1) ** 2).sum(axis=1)
    return np.asarray(length >= statistic * (1 - TIE))


def _note(test: Omnibus, found: Roster) -> str:
    """Say what is not plain about the omnibus test."""
    said = []
    if not test.rank:
        return "No covariate varies within blocks: there is no omnibus test."
    if test.determined:
        said.append(
            "There are as many covariates as drawn units less blocks: every draw gives the same "
            "statistic, so there is no omnibus test. Name fewer covariates."
        )
    sized = int(len(np.unique(found.assigned)) < len(found) or np.ptp(found.weight) > 0)
    repeated = found.covariates.shape[1] + sized - test.rank
    if sized:
        said.append("Totals of drawn units are compared; their size is one of the covariates.")
    if repeated > 0 and not test.determined:
        said.append(f"{repeated} of them repeat others or do not vary within blocks.")
    return " ".join(said)
