"""What was the effect, if learners find the score and the outcome's mean? Cross-fitting."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.estimate.specs import instance_of, names_of, one_of
from prakerja_eval.learners import (
    cross_fit_mean,
    cross_fit_probability,
    folds_by_arm,
    name_of,
    require_classifier,
    require_mean_learner,
)
from prakerja_eval.matching.adjusted import Estimand, wave_labels
from prakerja_eval.matching.effects.aipw import People, cell_named, observed, overlap_status, said
from prakerja_eval.matching.effects.aipw_kernel import AugmentedFit, Nuisance, averaged
from prakerja_eval.panel import (
    ArrayRequest,
    PanelProtocol,
    UnitArrays,
    WaveLabel,
    outcome_waves,
    treated_units,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Learners:
    """The learners of double machine learning, and how people are split.

    Parameters
    ----------
    outcome : scikit-learn regressor
        Of the outcome's mean, fitted within an arm; for an outcome of zeros and ones a classifier
        serves too. Cloned, never fitted itself.
    treatment : scikit-learn classifier
        Of the score. Cloned.
    folds : int
        Each person is predicted by learners that saw the other folds alone.
    seed : int
        Of the folds, and of the learners' ``random_state`` where they leave it open.
    repeats : int
        Number of splits whose estimates are averaged.
    by : str, optional
        A cluster that Roles names ("household"): its people stay in one fold.
    clip : float, optional
        Move scores into [clip, 1 - clip], which changes the estimate and is said in its label.
        Left out, a score of 0 or 1 is refused.

    Raises
    ------
    UsageError
        If a learner cannot do its part, or an option is out of its range.
    """

    outcome: object
    treatment: object
    folds: int = 5
    seed: int = 1
    repeats: int = 1
    by: str | None = None
    clip: float | None = None

    def __post_init__(self) -> None:
        require_mean_learner(self.outcome, "Learners(outcome)")
        require_classifier(self.treatment, "Learners(treatment)")
        for name, lowest in (("folds", 2), ("seed", 0), ("repeats", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < lowest:
                raise UsageError(f"Learners({name}) is {value!r}; a whole number from {lowest}.")
        if self.clip is not None and not 0 < self.clip < 0.5:
            raise UsageError(f"Learners(clip) is {self.clip!r}; it lies between 0 and .5.")

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        words = [
            f"{name_of(self.treatment)} score",
            f"{name_of(self.outcome)} outcome model",
            f"{self.folds} folds" + (f" by {self.by}" if self.by else ""),
        ]
        words += [f"{self.repeats} splits"] if self.repeats > 1 else []
        words += [f"scores clipped at {self.clip:g}"] if self.clip is not None else []
        return ", ".join(words)


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """Folds of n people, the seed of their learners, and the cross-fitted score."""

    fold: IntArray
    seed: int
    score: FloatArray


def double_ml(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    learners: Learners,
    *,
    covariates: Sequence[str],
    estimand: Estimand = "ATE",
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate an effect by double machine learning in the interactive regression model.

    The estimand is E[Y(1) − Y(0)] over everyone, the treated or comparison people, if treatment is
    as good as random given the covariates. Score and outcome means are learnt on other people than
    those for whom they are used, and enter the orthogonal score of :func:`aipw`.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``; a sampling weight is handed to the learners, and
        counts in the average.
    outcome : str or sequence of str
        Numeric columns.
    learners : Learners
        Regressor, classifier, folds, seed, repeats.
    covariates : sequence of str
        Baseline columns.
    estimand : {"ATE", "ATT", "ATC"}
    waves : sequence, optional
        Left out, every wave after the baseline.

    Returns
    -------
    Estimate
        One row an outcome and wave, of the people observed. ψ is the score of each person over the
        total, folds and learners held fixed: they matter to second order. The default inference is
        ``Robust("HC0", reference="normal")``. People are split in the order of their ids, so that
        shuffled rows give the same answer.

    Raises
    ------
    NotEstimableError
        If a learner gives a score of 0 or 1 (and ``clip`` is not set) or no number, or an arm is
        missing outside a fold.
    UsageError
        If there are no covariates, an option is unknown, or a learner takes no sampling weights
        where Roles names one.

    References
    ----------
    Chernozhukov, Chetverikov, Demirer, Duflo, Hansen, Newey and Robins (2018),
    doi 10.1111/ectj.12097.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from sklearn.linear_model import LinearRegression, LogisticRegression
    >>> from prakerja_eval.matching import Learners, double_ml
    >>> frame = pd.DataFrame({"id": list("abcdefghij"), "trained": [1, 0] * 5,
    ...                       "age": [20, 21, 30, 28, 25, 40, 33, 22, 27, 35],
    ...                       "income": [3.0, 1, 4, 2, 5, 2, 4, 1, 4, 3]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> learners = Learners(LinearRegression(), LogisticRegression(), folds=2)
    >>> len(double_ml(panel, "income", learners, covariates=["age"]))
    1
    """
    instance_of(learners, Learners, "double_ml(learners)")
    one_of(estimand, Estimand, "double_ml(estimand)")
    if not covariates:
        raise UsageError("double_ml needs covariates=[...].")
    given = names_of(covariates)
    rows, splits = [], list[_Split]()
    for name in names_of(outcome):
        arrays = panel.arrays(ArrayRequest(name, given))
        arms = treated_units(arrays, panel.roles)
        place = np.flatnonzero(arms.known & (arrays.weight > 0))
        place = place[np.argsort(arrays.units[place])]
        treated, weight = arms.treated[place], arrays.weight[place]
        splits = splits or _splits(arrays, place, treated, learners)
        for t in outcome_waves(arrays, panel.roles, waves):
            people = observed(arrays, place, treated, weight, t)
            words = said("matching.double_ml", estimand, learners.in_words)
            words |= wave_labels(arrays, name, t, arms.lead(arrays, arrays.waves[t]))
            with cell_named(words):
                fits = [_fit(people, split, learners, estimand) for split in splits]
            status = _status(splits, people, estimand, learners)
            rows.append(people.row(averaged(fits), words, status))
    return join(*rows)


def _splits(
    arrays: UnitArrays, place: IntArray, treated: BoolArray, learners: Learners
) -> list[_Split]:
    """Deal people to folds, and learn the score, as often as is asked."""
    groups = _groups(arrays.clusters.iloc[place], learners.by)
    X, weight = arrays.covariates[place], arrays.weight[place]
    out = []
    for number in np.random.SeedSequence(learners.seed).generate_state(learners.repeats):
        seed = int(number)
        fold = folds_by_arm(treated, learners.folds, seed, groups)
        p = cross_fit_probability(
            learners.treatment, X, treated, weight, fold, seed, clip=learners.clip
        )
        out.append(_Split(fold, seed, p))
    return out


def _groups(units: pd.DataFrame, by: str | None) -> IntArray | None:
    """Return the cluster of each person, None for people apart; who has none stands alone."""
    if by in (None, "unit"):
        return None
    if by not in units.columns.difference(["weight"]):
        known = ", ".join(c for c in units.columns if c != "weight") or "none"
        raise UsageError(
            f"Learners(by={by!r}) names no cluster; Roles names {known}: see Roles(household=...)."
        )
    codes = np.array(pd.factorize(units[by])[0], dtype=np.int64)
    alone = codes < 0
    codes[alone] = len(codes) + np.arange(int(alone.sum()))
    return codes


def _fit(people: People, split: _Split, learners: Learners, estimand: Estimand) -> AugmentedFit:
    """Learn the outcome's mean in the arms where it is needed, and average the scores."""
    X = people.arrays.covariates[people.place]
    weight = people.arrays.weight[people.place]
    means = []
    for arm, needless in ((~people.treated, "ATC"), (people.treated, "ATT")):
        if estimand == needless:
            means.append(Nuisance(np.zeros(len(people.y))))
            continue
        among = arm & people.seen
        m = cross_fit_mean(learners.outcome, X, people.y, weight, split.fold, split.seed, among)
        means.append(Nuisance(m))
    return people.fit(Nuisance(split.score), 1 - split.score, (means[0], means[1]), estimand)


def _status(splits: list[_Split], people: People, estimand: Estimand, learners: Learners) -> str:
    """Say how many scores are extreme, by their mean over splits, or were clipped in any."""
    if learners.clip is not None:
        edge = np.array([np.minimum(s.score, 1 - s.score) <= learners.clip for s in splits])
        moved = int((edge.any(axis=0) & (people.w > 0)).sum())
        if moved:
            return f"weak overlap: {moved} unit(s) had their propensity score clipped"
    return overlap_status(np.mean([s.score for s in splits], axis=0), people.w, estimand)
