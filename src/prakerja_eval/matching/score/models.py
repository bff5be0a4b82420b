"""How is the propensity score modelled? The choices, made without outcomes."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from prakerja_eval.errors import UsageError
from prakerja_eval.learners.checks import require_classifier


@dataclass(frozen=True, slots=True)
class Logit:
    """Unpenalised maximum-likelihood logit with a constant."""

    @property
    def in_words(self) -> str:
        """Return the model as a short label."""
        return "logit"


@dataclass(frozen=True, slots=True)
class Probit:
    """Unpenalised maximum-likelihood probit with a constant."""

    @property
    def in_words(self) -> str:
        """Return the model as a short label."""
        return "probit"


@dataclass(frozen=True, slots=True)
class NoScore:
    """No score: designs that compare people by their covariates alone."""

    @property
    def in_words(self) -> str:
        """Return the model as a short label."""
        return "no score"


@dataclass(frozen=True, slots=True)
class Learner:
    """A scikit-learn classifier, cross-fitted: each person's score is from a fit without them.

    Only orthogonal estimators have a standard error with such a score (``aipw``, ``double_ml``);
    elsewhere it is NaN, with the status "score not parametric".

    Parameters
    ----------
    estimator : object
        With ``fit`` and ``predict_proba``; it is cloned, never fitted itself.
    folds : int
        Number of folds.
    seed : int
        Of the folds, and of the learner where it draws.

    Raises
    ------
    UsageError
        If the estimator gives no probabilities, or the folds are fewer than two.
    """

    estimator: Any
    folds: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        require_classifier(self.estimator, "Learner(estimator)")
        for name, lowest in (("folds", 2), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < lowest:
                raise UsageError(f"Learner({name}) is {value!r}; a whole number from {lowest}.")

    @property
    def in_words(self) -> str:
        """Return the model as a short label: the class, that of the last step of a pipeline."""
        steps = getattr(self.estimator, "steps", [("", self.estimator)])
        return f"{type(steps[-1][1]).__name__} ({self.folds} folds)"


ScoreModel: TypeAlias = Logit | Probit | Learner | NoScore
