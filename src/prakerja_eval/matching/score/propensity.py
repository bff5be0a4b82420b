"""How likely was each person to be treated, given what was known before?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.learners import cross_fit_probability
from prakerja_eval.matching.score.models import Learner, Logit, NoScore, Probit, ScoreModel
from prakerja_eval.matching.score.overlap import overlap, rare_cells
from prakerja_eval.matching.score.score_fit import ScoreFit, fit_score, refuse_constant
from prakerja_eval.matching.score.support import Region, Support, inside, region
from prakerja_eval.panel import ArrayRequest, PanelProtocol, UnitArrays, treated_units
from prakerja_eval.panel.requests import Missing
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Propensity:
    """People, their arms and covariates, with their score if one was fitted.

    Attributes
    ----------
    units : DataFrame
        Unit table, n rows in order of first appearance; without people whose receipt is
        unknown, or whose sampling weight is zero.
    treated : (n,) bool array
    covariates : (n, p) array
        Without the constant.
    names : tuple of p str
    score : (n,) array
        Probability of being treated; NaN without a score.
    linear_predictor : (n,) array
        On the scale of the model's link; the log odds for a learner.
    weight : (n,) array
        Sampling weights, ones where Roles names none.
    supported : (n,) bool array
        Units inside common support; the others are neither matched nor weighted.
    model : ScoreModel
        The choices.
    fit : Logit or Probit or None
        Coefficients (constant first), influence and information of a parametric model.
    support : Support, optional
        The rule that decided who is supported.
    region : Region, optional
        The scores inside common support. Where the score was fitted again it is in terms of the
        first fit.
    """

    units: pd.DataFrame
    treated: BoolArray
    covariates: FloatArray
    names: tuple[str, ...]
    score: FloatArray
    linear_predictor: FloatArray
    weight: FloatArray
    supported: BoolArray
    model: ScoreModel
    fit: ScoreFit | None
    support: Support | None = None
    region: Region | None = None

    @property
    def frame(self) -> pd.DataFrame:
        """Return unit, treated, score and linear predictor."""
        return pd.DataFrame(
            {
                "treated": self.treated.astype(int),
                "score": self.score,
                "linear_predictor": self.linear_predictor,
            },
            index=self.units.index,
        )

    @property
    def coefficients(self) -> pd.Series:
        """Return the coefficients of a parametric model by name.

        Raises
        ------
        NotEstimableError
            If the score has none.
        """
        if self.fit is None:
            raise NotEstimableError(f"{self.model.in_words} has no coefficients.")
        return pd.Series(self.fit.beta, index=["constant", *self.names])

    def positions(self, arrays: UnitArrays) -> IntArray:
        """Return where each of the score's units stands in a panel's arrays.

        Raises
        ------
        UsageError
            If the panel lacks one of them.
        """
        theirs, own = arrays.clusters.index, self.units.index
        if theirs.is_(own) or theirs.equals(own):
            return np.arange(len(own))
        at = theirs.get_indexer(own)
        if (at < 0).any():
            raise UsageError(
                f"{int((at < 0).sum())} of the people whose score was fitted are not in this "
                "panel; fit the score and match on the panel at hand."
            )
        return np.asarray(at, dtype=np.int64)

    @property
    def in_words(self) -> str:
        """Return what is not the default about the score: its model, its support."""
        model = "" if isinstance(self.model, Logit | NoScore) else f"{self.model.in_words} score"
        support = "" if self.support is None else self.support.in_words
        return ", ".join(filter(None, [model, support]))

    def overlap(self) -> pd.DataFrame:
        """Return a row an arm: range of scores, people outside the other's, effective numbers.

        Columns as in :func:`prakerja_eval.matching.score.overlap.overlap`.

        Raises
        ------
        NotEstimableError
            If there is no score.
        """
        if isinstance(self.model, NoScore):
            raise NotEstimableError("people without a score have no overlap of scores.")
        return overlap(self.score, self.treated, self.weight, self.supported)

    @property
    def rare_cells(self) -> pd.DataFrame:
        """Return values of two-valued and text covariates with fewer than ten people of an arm."""
        return rare_cells(self.covariates, self.names, self.treated)

    def __repr__(self) -> str:
        n1, n = int(self.treated.sum()), len(self.treated)
        counts = f"{n1:,} treated, {n - n1:,} comparison units"
        names = ", ".join(self.names)
        if isinstance(self.model, NoScore):
            return f"Propensity: no score; covariates {names or 'none'}; {counts}"
        about = f"Propensity: {self.model.in_words} of treatment on {names}; {counts}"
        return "\n".join([about, *_overlap_in_words(self.overlap()), *_left_out(self)])


def _overlap_in_words(rows: pd.DataFrame) -> list[str]:
    """Say how far the arms share their scores, a line an arm."""
    said = []
    for arm, other in (("treated", "comparison"), ("comparison", "treated")):
        row = rows.loc[arm]
        said.append(
            f"{arm}: scores {row['lowest']:.3f} to {row['highest']:.3f}, {row['outside']:,.0f} "
            f"({row['share']:.1%}) outside the {other} range; worth {row['effective']:,.0f} people "
            f"once weighted to resemble the {other} arm"
        )
    return said


def _left_out(score: Propensity) -> list[str]:
    """Say who was left out by the rule of support."""
    if score.support is None or score.region is None:
        return []
    out, where = ~score.supported, score.region
    return [
        f"{score.support.in_words} (scores {where.low:.3f} to {where.high:.3f}): "
        f"{int((out & score.treated).sum()):,} treated and "
        f"{int((out & ~score.treated).sum()):,} comparison units left out"
    ]


def people(
    panel: PanelProtocol, covariates: Sequence[str], *, missing: Missing = "refuse"
) -> Propensity:
    """Return people, arms and covariates without a score, for designs that need none.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``.
    covariates : sequence of str
        Baseline columns (see ``ArrayRequest``); may be empty.
    missing : {"refuse", "indicator"}
        As for ``propensity``.

    Returns
    -------
    Propensity
        With the model ``NoScore()``, scores of NaN, everybody supported.

    Raises
    ------
    DataError
        If covariates are missing for some (all are named, with counts).
    NotEstimableError
        If an arm is empty.
    """
    one_of(missing, Missing, "missing")
    if isinstance(covariates, str):
        raise UsageError(f"covariates is the text {covariates!r}; write [{covariates!r}].")
    if not hasattr(panel, "arrays"):
        raise UsageError(f"a panel is needed, not {type(panel).__name__}: pe.read_panel makes one.")
    if wrong := [c for c in covariates if not isinstance(c, str)]:
        raise UsageError(f"covariates are names of columns; {wrong[0]!r} is none.")
    arrays = panel.arrays(ArrayRequest(None, tuple(covariates), missing=missing))
    arms = treated_units(arrays, panel.roles)
    known = arms.known & (arrays.weight > 0)
    treated = arms.treated[known]
    for arm, here in (("treated", treated), ("comparison", ~treated)):
        if not here.any():
            of_weight = (arms.treated == (arm == "treated"))[arms.known].any()
            but = " of positive weight" if of_weight else ""
            raise NotEstimableError(f"the panel has no {arm} unit{but}; widen where().")
    rows = slice(None) if known.all() else known  # no copies of millions of rows
    nothing = np.full(len(treated), np.nan)
    return Propensity(
        units=arrays.clusters.iloc[rows],
        treated=treated,
        covariates=arrays.covariates[rows],
        names=arrays.names,
        score=nothing,
        linear_predictor=nothing,
        weight=arrays.weight[rows],
        supported=np.ones_like(treated),
        model=NoScore(),
        fit=None,
    )


def propensity(
    panel: PanelProtocol,
    covariates: Sequence[str],
    model: ScoreModel | None = None,
    *,
    support: Support | None = None,
    missing: Missing = "refuse",
) -> Propensity:
    """Fit the propensity score P(treated | x), by sampling weight where Roles names one.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``. Outcomes are not looked at.
    covariates : sequence of str
        Baseline columns (see ``ArrayRequest``).
    model : Logit or Probit or Learner, optional
        Left out, ``Logit()``.
    support : Support, optional
        Who is left out because the other arm has nobody like them; left out, nobody is.
    missing : {"refuse", "indicator"}
        Whether missing covariates are refused, or filled with the mean of those known (text: the
        first value) with an indicator column "age (missing)" for people alike in what is missing.

    Returns
    -------
    Propensity

    Raises
    ------
    DataError
        If covariates are missing for some (all are named, with counts).
    NotEstimableError
        If a covariate is constant, depends on the others or separates the arms (it is named), an
        arm is empty, or nobody of an arm lies inside the support.
    UsageError
        If no covariate or an unknown option is named, or one is read after the baseline.

    References
    ----------
    Rosenbaum and Rubin (1983), doi 10.1093/biomet/70.1.41. Rosenbaum and Rubin (1984), appendix,
    on indicators of missing covariates, doi 10.1080/01621459.1984.10478078.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pe.matching.propensity(panel, ["age"], support=pe.matching.Support()).supported.sum()
    np.int64(4)
    """
    chosen = Logit() if model is None else model
    _refuse_options(covariates, chosen, support)
    sample = people(panel, covariates, missing=missing)
    for name in covariates:  # a column of one text has no columns of numbers
        if not any(n == name or n.startswith(f"{name}[") for n in sample.names):
            raise NotEstimableError(f"the covariate {name!r} has one value only: leave it out.")
    refuse_constant(sample.covariates[sample.weight > 0], sample.names)
    scored = _scored(sample, chosen, sample.weight)
    return scored if support is None else _restricted(scored, support)


def _refuse_options(covariates: Sequence[str], model: ScoreModel, support: Support | None) -> None:
    """Refuse options that are wrong whatever the data."""
    if not covariates:
        raise UsageError("a propensity score needs covariates; name at least one.")
    if not isinstance(model, Logit | Probit | Learner):
        raise UsageError(
            f"the score model is {model!r}; it must be Logit(), Probit() or Learner(...)."
        )
    if support is None:
        return
    if not isinstance(support, Support):
        raise UsageError(f"support is {support!r}; it must be Support(...), or left out.")
    if support.refit and isinstance(model, Learner):
        raise UsageError(
            "Support(refit=True) needs coefficients that give everybody's score; a Learner has "
            "none. Choose Logit() or Probit(), or leave refit out."
        )


def _scored(sample: Propensity, model: ScoreModel, weight: FloatArray) -> Propensity:
    """Fit the model by weight and give everybody their score."""
    d = sample.treated.astype(np.float64)
    if isinstance(model, Learner):
        score = cross_fit_probability(
            model.estimator, sample.covariates, d, weight, model.folds, model.seed
        )
        odds = np.log(score) - np.log1p(-score)
        return replace(sample, score=score, linear_predictor=odds, model=model)
    normal = isinstance(model, Probit)
    fit = fit_score(d, sample.covariates, sample.names, weight, normal=normal)
    return replace(
        sample,
        score=fit.probability,
        linear_predictor=fit.linear_predictor,
        model=model,
        fit=fit,
    )


def _restricted(scored: Propensity, support: Support) -> Propensity:
    """Leave out the people outside common support, and fit again where that is asked."""
    where = region(scored.score, scored.treated, scored.weight, support)
    kept = inside(scored.score, scored.treated, where, support.discard)
    counted = kept & (scored.weight > 0)
    for arm, here in (("treated", scored.treated), ("comparison", ~scored.treated)):
        if not (here & counted).any():
            ranges = "; ".join(_overlap_in_words(scored.overlap()))
            raise NotEstimableError(
                f"no {arm} unit lies inside the support ({support.in_words}): there is no overlap "
                f"({ranges}). Choose covariates that both arms share, or other comparison people."
            )
    if support.refit:
        scored = _scored(scored, scored.model, np.where(kept, scored.weight, 0.0))
    return replace(scored, supported=kept, support=support, region=where)
