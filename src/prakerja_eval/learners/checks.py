"""Can this object learn what is asked, and can it take sampling weights?"""

import inspect

from prakerja_eval.errors import UsageError

CLASSIFIER = "a scikit-learn classifier with fit and predict_proba (LogisticRegression(), say)"
MEAN = "a scikit-learn regressor with fit and predict (RandomForestRegressor(), say)"


def require_classifier(estimator: object, what: str) -> None:
    """Refuse what cannot estimate a probability.

    Raises
    ------
    UsageError
        If ``estimator`` is a class and no instance, or lacks ``fit`` or ``predict_proba``.
    """
    _refuse_class(estimator, what, CLASSIFIER)
    _require(estimator, what, CLASSIFIER, "fit", "predict_proba")


def require_mean_learner(estimator: object, what: str) -> None:
    """Refuse what cannot estimate a mean.

    A classifier can, by its probability of a one, for an outcome of zeros and ones.

    Raises
    ------
    UsageError
        If ``estimator`` is a class and no instance, or lacks ``fit`` or ``predict``, or is a
        classifier without ``predict_proba``.
    """
    from sklearn.base import is_classifier

    _refuse_class(estimator, what, MEAN)
    _require(estimator, what, MEAN, "fit", "predict")
    if is_classifier(estimator):
        _require(estimator, what, f"{MEAN}, or {CLASSIFIER} for zeros and ones", "predict_proba")


def name_of(estimator: object) -> str:
    """Return the name of a learner's class; of a pipeline, that of its last step."""
    steps = getattr(estimator, "steps", None)
    return name_of(steps[-1][1]) if steps else type(estimator).__name__


def weight_key(estimator: object) -> str | None:
    """Return the name under which ``fit`` takes sampling weights, None if it takes none.

    A pipeline hands them to its last step; a search over parameters to its estimator.
    """
    steps = getattr(estimator, "steps", None)
    if steps:
        name, last = steps[-1]
        inner = weight_key(last)
        return None if inner is None else f"{name}__{inner}"
    parameters = inspect.signature(estimator.fit).parameters  # type: ignore[attr-defined]
    if "sample_weight" in parameters:
        return "sample_weight"
    inside = getattr(estimator, "estimator", None)
    passes = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    return weight_key(inside) if inside is not None and passes else None


def _refuse_class(estimator: object, what: str, asked: str) -> None:
    if isinstance(estimator, type):
        name = estimator.__name__
        raise UsageError(f"{what} is the class {name}; give an instance, {name}(): {asked}.")


def _require(estimator: object, what: str, asked: str, *methods: str) -> None:
    # scikit-learn's clone needs get_params
    lacking = [m for m in (*methods, "get_params") if not callable(getattr(estimator, m, None))]
    if lacking:
        raise UsageError(
            f"{what} is {type(estimator).__name__}, which has no {' or '.join(lacking)}; "
            f"it must be {asked}."
        )
