"""What does a learner predict for each person from the other folds alone?

Everybody is predicted once, by the fit that left out the person's own fold (Chernozhukov,
Chetverikov, Demirer, Duflo, Hansen, Newey and Robins 2018, doi 10.1111/ectj.12097). The learner
that was handed over is never fitted: each fold has a clone, whose ``random_state`` is set from the
seed where it was None.
"""

from typing import Any

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.learners.checks import require_classifier, require_mean_learner, weight_key
from prakerja_eval.learners.folds import folds_by_arm
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


def cross_fit_probability(
    estimator: object,
    X: FloatArray,
    y: BoolArray | FloatArray,
    w: FloatArray,
    folds: int | IntArray,
    seed: int,
    clip: float | None = None,
) -> FloatArray:
    """Predict the probability of a one.

    Parameters
    ----------
    estimator : scikit-learn classifier
        With ``fit`` and ``predict_proba``; not changed.
    X : (n, p)
        Regressors, without a constant.
    y : (n,)
        Zeros and ones.
    w : (n,)
        Sampling weights.
    folds : int or (n,) int
        Number of folds, dealt by :func:`folds_by_arm`, or the fold of each person.
    seed : int
        Of the folds, and of each clone's ``random_state`` where the learner leaves that open.
    clip : float, optional
        Move probabilities into [clip, 1 - clip], for callers that say so in their labels. Left out,
        they stay as they are.

    Returns
    -------
    (n,) array
        Above zero and below one.

    Raises
    ------
    UsageError
        If the estimator is no classifier, or takes no ``sample_weight`` where weights differ.
    NotEstimableError
        If a prediction is missing or infinite, or, without ``clip``, a score is 0 or 1.
    """
    require_classifier(estimator, "the learner of the score")
    d = np.asarray(y, dtype=np.int64)
    fold = folds_by_arm(d == 1, folds, seed) if isinstance(folds, int) else folds
    p = _predicted(estimator, X, d, w, fold, np.ones(len(d), dtype=np.bool_), seed)
    if clip is not None:
        return np.clip(p, clip, 1 - clip)
    certain = int(((p <= 0) | (p >= 1)).sum())
    if certain:
        raise NotEstimableError(
            f"{type(estimator).__name__} gives {certain} of {len(p)} people a score of 0 or 1, "
            "and so no counterpart: use a learner whose probabilities stay between (larger leaves "
            "or more trees of a forest, calibration, a penalty), or drop the covariate that sets "
            "these people apart."
        )
    return p


def cross_fit_mean(
    estimator: object,
    X: FloatArray,
    y: FloatArray,
    w: FloatArray,
    folds: int | IntArray,
    seed: int,
    among: BoolArray | None = None,
) -> FloatArray:
    """Predict the mean of y for everybody, learnt from some.

    Parameters
    ----------
    estimator : scikit-learn regressor
        With ``fit`` and ``predict``; or, for zeros and ones, a classifier. Not changed.
    X, w, folds, seed
        As in :func:`cross_fit_probability`.
    y : (n,)
        Outcome; what it is outside ``among`` does not matter.
    among : (n,) bool, optional
        Who may be learnt from (an arm, those seen); left out, everybody.

    Returns
    -------
    (n,) array
        In units of y.

    Raises
    ------
    UsageError
        If the estimator is none, takes no ``sample_weight`` where weights differ, or is a
        classifier and y is not of zeros and ones.
    NotEstimableError
        If a prediction is missing or infinite, or nobody outside a fold can be learnt from.
    """
    require_mean_learner(estimator, "the learner of the outcome")
    learn = np.ones(len(y), dtype=np.bool_) if among is None else among
    fold = folds_by_arm(learn, folds, seed) if isinstance(folds, int) else folds
    from sklearn.base import is_classifier

    if is_classifier(estimator):
        if not np.isin(y[learn], (0.0, 1.0)).all():
            raise UsageError(
                f"{type(estimator).__name__} is a classifier, and the outcome is not of zeros and "
                "ones: give a regressor."
            )
        y = np.where(learn, y, 0.0).astype(np.int64)
    return _predicted(estimator, X, y, w, fold, learn, seed)


def _predicted(
    estimator: object,
    X: FloatArray,
    y: FloatArray | IntArray,
    w: FloatArray,
    fold: IntArray,
    learn: BoolArray,
    seed: int,
) -> FloatArray:
    """Predict each fold from the others' people who may be learnt from."""
    w = w / w.mean()  # the unit of the weights would else set the strength of a penalty
    weighting = _weighting(estimator, w)
    out = np.full(len(y), np.nan)
    numbers = np.random.SeedSequence(seed).generate_state(int(fold.max()) + 1)
    for k, number in enumerate(numbers):
        mine, others = fold == k, (fold != k) & learn & (w > 0)
        if not others.any():
            raise NotEstimableError(f"outside fold {k + 1} there is nobody to learn from.")
        if not mine.any():
            continue
        weights = {} if weighting is None else {weighting: w[others]}
        out[mine] = _one_fold(_clone(estimator, int(number)), X, y, (others, mine), weights)
    missing = int((~np.isfinite(out)).sum())
    if missing:
        raise NotEstimableError(
            f"{type(estimator).__name__} predicts no number for {missing} of {len(out)} people."
        )
    return out


def _one_fold(
    learner: Any,
    X: FloatArray,
    y: FloatArray | IntArray,
    rows: tuple[BoolArray, BoolArray],
    weights: dict[str, FloatArray],
) -> FloatArray:
    """Fit on the first rows and predict the second."""
    from sklearn.base import is_classifier

    others, mine = rows
    name = type(learner).__name__
    if is_classifier(learner) and len(np.unique(y[others])) < 2:
        raise NotEstimableError(
            f"{name} sees zeros alone or ones alone in the folds that it learns from."
        )
    try:
        learner.fit(X[others], y[others], **weights)
        if not hasattr(learner, "predict_proba") or not is_classifier(learner):
            found = np.asarray(learner.predict(X[mine]), dtype=np.float64)
        else:
            one = int(np.flatnonzero(np.asarray(learner.classes_) == 1)[0])
            found = np.asarray(learner.predict_proba(X[mine]), dtype=np.float64)[:, one]
    except ValueError as error:
        raise NotEstimableError(
            f"{name} could not learn from {int(others.sum())} people: {error}"
        ) from error
    if found.size != mine.sum():
        raise UsageError(f"{name} predicts {found.size} numbers for {int(mine.sum())} people.")
    return found.reshape(-1)


def _weighting(estimator: object, w: FloatArray) -> str | None:
    """Return the argument by which ``fit`` takes the weights; None where all are one."""
    if (w == 1).all():
        return None
    key = weight_key(estimator)
    if key is None:
        raise UsageError(
            f"the panel has sampling weights, and {type(estimator).__name__}.fit takes no "
            "sample_weight: use a learner that does, or build the panel without Roles(weight)."
        )
    return key


def _clone(estimator: object, number: int) -> Any:
    """Return an unfitted copy, its open random states set."""
    from sklearn.base import clone

    copy = clone(estimator)
    open_states = {
        key: number
        for key, value in sorted(copy.get_params(deep=True).items())
        if (key == "random_state" or key.endswith("__random_state")) and value is None
    }
    return copy.set_params(**open_states) if open_states else copy
