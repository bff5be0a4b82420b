"""What was the effect, if the score or the outcome model is right? Augmented weighting."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import expit, ndtr

from prakerja_eval.errors import CollinearityError, NotEstimableError, SeparationError, UsageError
from prakerja_eval.estimate import Estimate, Robust, estimate_row, join
from prakerja_eval.estimate.specs import instance_of, names_of, one_of
from prakerja_eval.matching.adjusted import (
    POPULATIONS,
    Estimand,
    counting,
    focal_units,
    wave_labels,
    with_two_an_arm,
)
from prakerja_eval.matching.effects.aipw_kernel import (
    AugmentedFit,
    Nuisance,
    augmented,
    linear_mean,
    logit_mean,
    poisson_mean,
)
from prakerja_eval.matching.score.models import Learner
from prakerja_eval.matching.score.propensity import Propensity, propensity
from prakerja_eval.matching.weighting.inverse_probability import Tilt
from prakerja_eval.numerics.logit import Logit as LogitFit
from prakerja_eval.panel import (
    ArrayRequest,
    PanelProtocol,
    UnitArrays,
    WaveLabel,
    outcome_waves,
    treated_units,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

OutcomeModel: TypeAlias = Literal["linear", "logit", "poisson"]

MEANS: dict[str, Callable[[FloatArray, FloatArray, FloatArray], Nuisance]] = {
    "linear": linear_mean,
    "logit": logit_mean,
    "poisson": poisson_mean,
}
LOW, HIGH = 0.01, 0.99
ROUNDING = 1e-13


def aipw(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    *,
    covariates: Sequence[str] = (),
    score: Propensity | None = None,
    estimand: Estimand = "ATE",
    outcome_model: OutcomeModel = "linear",
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate an effect by augmented inverse-probability weighting.

    The estimand is E[Y(1) − Y(0)] over everyone, the treated or comparison people, if treatment is
    as good as random given the covariates. The estimate is consistent if the score or the outcome
    models are right:

        ATE = mean of m₁ − m₀ + d (y − m₁) / p − (1 − d) (y − m₀) / (1 − p)
        ATT = mean of (d − (1 − d) p / (1 − p)) (y − m₀), over the mean of d

    with m₁ and m₀ fitted within the arms; the ATC is minus the ATT of not being treated.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``; a sampling weight counts everywhere.
    outcome : str or sequence of str
        Numeric columns.
    covariates : sequence of str
        Baseline columns of the outcome models, and of a logit score where ``score`` is left out.
        Left out, those of ``score``.
    score : Propensity, optional
        A score fitted before: on other covariates, by a probit, with rules of common support (the
        people outside are left out), or by a cross-fitted learner.
    estimand : {"ATE", "ATT", "ATC"}
    outcome_model : {"linear", "logit", "poisson"}
        Least squares; a logit for zeros and ones; Poisson pseudo-likelihood for zero or more.
    waves : sequence, optional
        Left out, every wave after the baseline.

    Returns
    -------
    Estimate
        One row an outcome and wave, of the people observed; the score is fitted on all. ψ carries
        the estimation of score and outcome models and obeys the law, so that the default
        ``Robust("HC0", reference="normal")`` is the M-estimation standard error. A cross-fitted
        score counts as fixed, which an orthogonal estimator may.

    Raises
    ------
    NotEstimableError
        If an arm has too few people observed for its outcome model, a covariate decides who is
        treated or repeats others (it is named), or a score is 0 or 1.
    UsageError
        If neither covariates nor a score is given, or an option is unknown.

    References
    ----------
    Robins, Rotnitzky and Zhao (1994), doi 10.1080/01621459.1994.10476818. Moodie, Saarela and
    Stephens (2018), doi 10.1002/sta4.205.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "trained": [1, 0, 1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40, 33, 22],
    ...                       "income": [3.0, 1, 4, 2, 5, 2, 4, 1]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> found = pe.matching.aipw(panel, "income", covariates=["age"])
    >>> round(float(found.theta[0]), 2)
    2.54
    """
    one_of(estimand, Estimand, "aipw(estimand)")
    one_of(outcome_model, OutcomeModel, "aipw(outcome_model)")
    if not covariates and score is None:
        raise UsageError("aipw needs covariates=[...] or score=....")
    if score is not None:
        instance_of(score, Propensity, "aipw(score)")
    given = names_of(covariates)
    score = propensity(panel, given) if score is None else score
    fitted, weight = _score(score), np.where(score.supported, score.weight, 0.0)
    rows = []
    for name in names_of(outcome):
        arrays = panel.arrays(ArrayRequest(name, given))
        lead, place = treated_units(arrays, panel.roles).lead, score.positions(arrays)
        for t in outcome_waves(arrays, panel.roles, waves):
            people = observed(arrays, place, score.treated, weight, t)
            words = _words(score, estimand, outcome_model, people)
            words |= wave_labels(arrays, name, t, lead(arrays, arrays.waves[t]))
            regressors = _regressors(arrays, score, people, bool(given))
            with cell_named(words):
                means = _means(people, regressors, estimand, outcome_model)
                fit = people.fit(*fitted, means, estimand)
            rows.append(people.row(fit, words, overlap_status(score.score, people.w, estimand)))
    return join(*rows)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Who is compared in a wave: n people who belong to an arm, seen or not.

    Attributes
    ----------
    arrays : UnitArrays
    place : (n,) int
        Their positions in the panel.
    treated : (n,) bool
    y : (n,)
        Zero for those not seen.
    seen : (n,) bool
    w : (n,)
        Sampling weight; zero for those not seen or left out.
    """

    arrays: UnitArrays
    place: IntArray
    treated: BoolArray
    y: FloatArray
    seen: BoolArray
    w: FloatArray

    def fit(
        self,
        score: Nuisance,
        complement: FloatArray,
        means: tuple[Nuisance, Nuisance],
        estimand: Estimand,
    ) -> AugmentedFit:
        """Average the doubly robust scores.

        Raises
        ------
        NotEstimableError
            If an arm is empty, a score is 0 or 1, a prediction infinite, or nothing varies.
        """
        used = self.w > 0
        for name, arm in (("treated", self.treated), ("comparison", ~self.treated)):
            if not (arm & used).any():
                raise NotEstimableError(f"no {name} person is observed.")
        certain = used & ~((score.value > 0) & (complement > 0))
        if certain.any():
            raise NotEstimableError(
                f"{int(certain.sum())} people have a score of 0 or 1, and so no counterpart: "
                "leave them out by a rule of common support, or drop the covariate that sets "
                "them apart."
            )
        w = self.w
        fit = augmented(self.y, self.treated, w, score, complement, means, Tilt[estimand])
        if not np.isfinite(fit.theta):
            raise NotEstimableError("an outcome model predicts beyond any bound: change its form.")
        if np.sqrt(fit.psi @ fit.psi) <= ROUNDING * np.abs(self.y[used]).max():
            raise NotEstimableError("the outcome does not vary beyond what the covariates say.")
        return fit

    def row(self, fit: AugmentedFit, words: dict[str, object], status: str) -> Estimate:
        """Label the answer."""
        used = self.w > 0
        part = used | (fit.psi != 0)  # those not seen took part in fitting the score
        counts = {
            "n": int(used.sum()),
            "n_treated": int((used & self.treated).sum()),
            "n_comparison": int((used & ~self.treated).sum()),
            "comparison_mean": fit.comparison_mean,
            "status": status,
        }
        units = self.arrays.clusters.iloc[self.place[part]]
        default = Robust("HC0", reference="normal")
        psi, said = with_two_an_arm(fit.psi[part], counts)
        return counting(estimate_row(fit.theta, psi, units, words, said, default), used[part])


def said(
    estimator: str, estimand: Estimand, specification: str, lost: bool = False
) -> dict[str, object]:
    """Say whose effect it is; ``lost`` where people whose effect is sought were left out."""
    population = POPULATIONS[estimand]
    return {
        "estimator": estimator,
        "estimand": f"feasible {estimand}" if lost else estimand,
        "population": f"{population} with a counterpart" if lost else population,
        "weighting": population,
        "specification": specification,
    }


def overlap_status(p: FloatArray, w: FloatArray, estimand: Estimand) -> str:
    """Return the status: how many scores are so extreme that few people stand for many.

    For the ATT those near one count, for the ATC those near zero, for the ATE both.
    """
    low, high = p < LOW, p > HIGH
    bad = {"ATE": low | high, "ATT": high, "ATC": low}[estimand] & (w > 0)
    if not bad.any():
        return "ok"
    where = {"ATE": "outside .01 to .99", "ATT": "above .99", "ATC": "below .01"}[estimand]
    return f"weak overlap: {int(bad.sum())} unit(s) have a propensity score {where}"


def _score(score: Propensity) -> tuple[Nuisance, FloatArray]:
    """Return the score with what its estimation does, and its complement."""
    p, eta = score.score, score.linear_predictor
    if score.fit is None:
        if not isinstance(score.model, Learner):
            raise UsageError(
                f"aipw needs a score, and this one is {score.model.in_words!r}: give covariates."
            )
        return Nuisance(p), 1 - p
    X = np.column_stack([np.ones(len(p)), score.covariates])
    if isinstance(score.fit, LogitFit):
        complement = np.asarray(expit(-eta), dtype=np.float64)
        slope = p * complement
    else:
        complement = np.asarray(ndtr(-eta), dtype=np.float64)
        slope = np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
    return Nuisance(p, slope, X, score.fit.psi), complement


def observed(
    arrays: UnitArrays, place: IntArray, treated: BoolArray, weight: FloatArray, wave: int
) -> People:
    """Return the people at the positions ``place``, with their outcomes of a wave."""
    y = arrays.outcome[place, wave]
    seen = np.isfinite(y)
    return People(arrays, place, treated, np.where(seen, y, 0.0), seen, np.where(seen, weight, 0.0))


def _words(
    score: Propensity, estimand: Estimand, outcome_model: OutcomeModel, people: People
) -> dict[str, object]:
    """Return the labels of a row, but for its outcome and wave."""
    focal = focal_units(estimand, score.treated) & (score.weight > 0) & people.seen
    lost = bool((focal & ~score.supported).any())
    parts = [
        f"{score.model.in_words} score",
        "cross-fitted" if score.fit is None else "",
        f"{outcome_model} outcome model",
        "" if score.support is None else score.support.in_words,
    ]
    return said("matching.aipw", estimand, ", ".join(filter(None, parts)), lost)


def _regressors(
    arrays: UnitArrays, score: Propensity, people: People, named: bool
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the regressors of the outcome models with their constant, and the names."""
    X = arrays.covariates[people.place] if named else score.covariates
    names = arrays.names if named else score.names
    # about their means, so that their origin costs no digits
    return np.column_stack([np.ones(len(X)), X - X.mean(axis=0)]), ("constant", *names)


def _means(
    people: People,
    given: tuple[FloatArray, tuple[str, ...]],
    estimand: Estimand,
    outcome_model: OutcomeModel,
) -> tuple[Nuisance, Nuisance]:
    """Fit the outcome models of the comparison arm and of the treated, where they are needed."""
    X, names = given
    nothing = Nuisance(np.zeros(len(people.y)))
    found = []
    for arm, name, needless in (
        (~people.treated, "comparison", "ATC"),
        (people.treated, "treated", "ATT"),
    ):
        w = np.where(arm, people.w, 0.0)
        n = int((w > 0).sum())
        if estimand == needless or not n:
            found.append(nothing)
            continue
        if n <= X.shape[1]:
            raise NotEstimableError(
                f"{n} {name} people are observed, too few for an outcome model of "
                f"{X.shape[1]} coefficients: name fewer covariates."
            )
        with _naming(names, name):
            found.append(MEANS[outcome_model](people.y, X, w))
    return found[0], found[1]


@contextmanager
def _naming(names: tuple[str, ...], arm: str) -> Iterator[None]:
    """Say which covariate an arm's outcome model cannot use."""
    try:
        yield
    except (SeparationError, CollinearityError) as error:
        what = (
            "predicts the outcome perfectly for some"
            if isinstance(error, SeparationError)
            else "is constant, or a combination of the covariates before it, among the observed"
        )
        raise NotEstimableError(
            f"the covariate {names[error.column]!r} {what} {arm} people: leave it out of the "
            "outcome model."
        ) from error


@contextmanager
def cell_named(words: dict[str, object]) -> Iterator[None]:
    """Say in which outcome and wave something cannot be estimated."""
    try:
        yield
    except NotEstimableError as error:
        wave = "" if words["wave"] is None else f", wave {words['wave']}"
        raise NotEstimableError(f"{words['outcome']}{wave}: {error}") from error
