"""Does the answer hang on a choice that could as well have been made otherwise?"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError, PrakerjaEvalError, UsageError
from prakerja_eval.estimate import Estimate, Robust, contrast, infer, join, rename
from prakerja_eval.estimate.specs import instance_of, names_of
from prakerja_eval.matching.adjusted import Adjusted
from prakerja_eval.matching.effects.att import att
from prakerja_eval.matching.effects.difference import difference
from prakerja_eval.matching.match import Matched, match
from prakerja_eval.matching.pairs.design import Nearest
from prakerja_eval.matching.score.models import Logit, ScoreModel
from prakerja_eval.matching.score.propensity import Propensity, propensity
from prakerja_eval.matching.score.support import Support
from prakerja_eval.matching.strata.coarsened import Coarsened, Exact
from prakerja_eval.matching.weighting.weight import weight
from prakerja_eval.matching.weighting.weighting import EntropyBalance, InverseProbability
from prakerja_eval.panel import PanelProtocol, WaveLabel

Effect: TypeAlias = Callable[..., Estimate]

LOGIT, NEAREST = Logit(), Nearest()
CHOICES = ("covariates", "model", "support", "design", "effect")
FOUND = (
    *("estimand", "population", "estimate", "std_error", "conf_low", "conf_high", "p_value"),
    *("n_treated", "n_comparison", "comparison_mean", "status"),
)
WITHOUT_SCORE = (EntropyBalance, Coarsened, Exact)


@dataclass(frozen=True, slots=True)
class Specification:
    """One way to the answer.

    Parameters
    ----------
    name : str
        Short, and of its own.
    covariates : tuple of str
        Baseline columns.
    model : Logit, Probit or Learner
        Of the score.
    support : Support, optional
        Who is left out for want of a counterpart.
    design : object
        Any design that ``matching.match`` or ``matching.weight`` takes.
    effect : callable
        ``matching.difference``, ``matching.att``, ``matching.g_computation``, or another that is
        called with panel, adjusted, outcome and ``waves=``.
    """

    name: str
    covariates: tuple[str, ...]
    model: ScoreModel = LOGIT
    support: Support | None = None
    design: Any = NEAREST
    effect: Effect = difference

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        if not self.name or not self.covariates:
            raise UsageError("Specification needs a name and at least one covariate.")
        if not callable(self.effect):
            raise UsageError("Specification(effect) is a function such as matching.difference.")

    @property
    def choices(self) -> dict[str, str]:
        """Return the choices in words, by ``CHOICES``."""
        scored = not isinstance(self.design, WITHOUT_SCORE)
        words = (
            ", ".join(self.covariates),
            self.model.in_words if scored else "no score",
            "everyone" if self.support is None else self.support.in_words,
            f"{self.design.in_words} ({self.design.estimand})",
            _name(self.effect),
        )
        return dict(zip(CHOICES, words, strict=True))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpecificationCurve:
    """The answers of all specifications.

    Attributes
    ----------
    frame : DataFrame
        A row a specification, in the order given: specification, covariates, model, support,
        design, effect (the choices), estimand, population, estimate, std_error, conf_low,
        conf_high, p_value, n_treated, n_comparison, comparison_mean, status. A specification that
        was refused has NaN and the reason in ``status``.
    estimate : Estimate
        Those that gave a number, joined by person, so that their covariance is known.
    outcome : str
    level : float
        Coverage of intervals.
    """

    frame: pd.DataFrame
    estimate: Estimate
    outcome: str
    level: float

    @property
    def median(self) -> float:
        """Return the median estimate."""
        return float(np.median(self.estimate.theta))

    @property
    def mean(self) -> Estimate:
        """Return the mean estimate, with the variance that the joint covariance of people gives."""
        k = len(self.estimate)
        mean = contrast(self.estimate, np.full(k, 1 / k), specification=f"mean of {k}")
        return replace(mean, defaults=(Robust("HC0", reference="normal"),))

    def summary(self) -> pd.Series:
        """Return counts, range, quartiles, and shares above and below zero beyond chance."""
        theta = self.estimate.theta
        told = self.frame["p_value"] < 1 - self.level
        quartiles = np.percentile(theta, [0, 25, 50, 75, 100])
        names = ("lowest", "lower_quartile", "median", "upper_quartile", "highest")
        known = int(self.frame["p_value"].notna().sum())
        shares = [float((told & (s * self.frame["estimate"] > 0)).sum()) for s in (1, -1)]
        return pd.Series(
            {
                "n_specifications": len(self.frame),
                "n_estimated": len(theta),
                "n_refused": len(self.frame) - len(theta),
                **dict(zip(names, map(float, quartiles), strict=True)),
                "share_above_zero": shares[0] / known if known else np.nan,
                "share_below_zero": shares[1] / known if known else np.nan,
            }
        )

    @property
    def verdict(self) -> str:
        """Say in words how far the answer hangs on the choices."""
        s, frame = self.summary(), self.frame
        said = (
            f"{self.outcome}: of {s['n_specifications']:,.0f} specifications "
            f"{s['n_estimated']:,.0f} gave an estimate, from {s['lowest']:.4g} to "
            f"{s['highest']:.4g}, median {s['median']:.4g}. "
        )
        if np.isnan(s["share_above_zero"]):
            said += "None has a standard error."
        else:
            said += (
                f"{s['share_above_zero']:.0%} of those with a standard error lie above zero and "
                f"{s['share_below_zero']:.0%} below at {1 - self.level:.0%}."
            )
        kinds = list(dict.fromkeys(frame["estimand"].dropna()))
        if len(kinds) > 1:
            said += (
                f" They are about different people ({', '.join(kinds)}), and may differ for that."
            )
        return said

    def __repr__(self) -> str:
        return f"{self._shown().to_string(index=False, na_rep='')}\n{self.verdict}"

    def _repr_html_(self) -> str:
        table = self._shown().to_html(index=False, border=0, na_rep="")
        return f"{table}<p>{escape(self.verdict)}</p>"

    def _shown(self) -> pd.DataFrame:
        numbers = ("estimate", "std_error", "conf_low", "conf_high", "p_value")
        out = self.frame[["specification", *numbers, "status"]].copy()
        for column in numbers:
            out[column] = [f"{v:.4g}" if np.isfinite(v) else "" for v in out[column]]
        return out


def specifications(
    covariates: Mapping[str, Sequence[str]] | Sequence[str],
    *,
    models: Iterable[ScoreModel] = (LOGIT,),
    supports: Iterable[Support | None] = (None,),
    designs: Iterable[Any] = (NEAREST,),
    effects: Iterable[Effect] = (difference,),
) -> tuple[Specification, ...]:
    """Return every combination of choices as a specification.

    Parameters
    ----------
    covariates : sequence of str, or mapping of name to sequence
        One set of baseline columns, or several.
    models, supports, designs, effects : iterable
        As in ``Specification``. A design that needs no score is not repeated over models.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> models = [pe.matching.Logit(), pe.matching.Probit()]
    >>> grid = pe.matching.specifications(["age"], models=models)
    >>> [s.name for s in grid]
    ['1', '2']
    """
    sets = covariates.values() if isinstance(covariates, Mapping) else [covariates]
    models = tuple(models)
    choices = product([names_of(s) for s in sets], models, supports, designs, effects)
    # a design without a score is one specification, whatever the model
    every = [c for c in choices if c[1] is models[0] or not isinstance(c[3], WITHOUT_SCORE)]
    return tuple(Specification(str(i), *choice) for i, choice in enumerate(every, 1))


def specification_curve(
    panel: PanelProtocol,
    outcome: str,
    grid: Sequence[Specification],
    *,
    wave: WaveLabel | None = None,
    level: float = 0.95,
) -> SpecificationCurve:
    """Estimate one effect in every way that was thought of beforehand.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``.
    outcome : str
        Numeric column.
    grid : sequence of Specification
        See ``specifications``. A score is fitted once for its covariates, model and support, and
        a design run once on it, whatever the number of effects.
    wave : wave label, optional
        Left out, the one wave after the baseline.
    level : float
        Coverage of intervals.

    Returns
    -------
    SpecificationCurve
        Every specification is a row; one that was refused says why.

    Raises
    ------
    UsageError
        If names repeat, or several waves come after the baseline and none is named.
    NotEstimableError
        If no specification gives an estimate.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), doi 10.1038/s41562-020-0912-z.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40], "income": [3.0, 1, 4, 2, 5, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> grid = pe.matching.specifications(
    ...     ["age"], designs=[pe.matching.Nearest(replace=False), pe.matching.Nearest(ratio=2)])
    >>> len(pe.matching.specification_curve(panel, "income", grid).frame)
    2
    """
    for specification in grid:
        instance_of(specification, Specification, "specification_curve(grid)")
    names = [s.name for s in grid]
    if not names or len(set(names)) < len(names):
        raise UsageError("specification_curve needs specifications, each with a name of its own.")
    waves = None if wave is None else [wave]
    made = _Made({}, {})
    rows = [_one(panel, outcome, s, waves, made) for s in grid]
    found = [r for r in rows if isinstance(r, Estimate)]
    if not found:
        raise NotEstimableError(f"no specification gives an estimate; the first: {rows[0]}")
    frame = pd.DataFrame([{"specification": s.name, **s.choices} for s in grid])
    columns = [_row(r, level) for r in rows]
    return SpecificationCurve(
        pd.concat([frame, pd.DataFrame(columns, columns=list(FOUND))], axis=1),
        join(*found),
        outcome,
        level,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """Scores and adjustments that were made before, or the reason why not."""

    scores: dict[Hashable, Propensity | str]
    adjusted: dict[Hashable, Adjusted | str]


def _one(
    panel: PanelProtocol,
    outcome: str,
    chosen: Specification,
    waves: Sequence[WaveLabel] | None,
    made: _Made,
) -> Estimate | str:
    """Return the estimate, or why there is none."""
    key = (chosen.covariates, chosen.model, chosen.support, repr(chosen.design))
    if key not in made.adjusted:
        made.adjusted[key] = _attempt(lambda: _adjust(panel, chosen, made))
    adjusted = made.adjusted[key]
    if isinstance(adjusted, str):
        return adjusted
    if getattr(chosen.effect, "func", chosen.effect) is att and not isinstance(adjusted, Matched):
        return "matching.att is for matched pairs; matching.difference takes weights and strata."
    found = _attempt(lambda: chosen.effect(panel, adjusted, outcome, waves=waves))
    if isinstance(found, str):
        return found
    if len(found) > 1:
        waves_found = ", ".join(map(str, found.index["wave"]))
        raise UsageError(f"specification_curve is about one wave; name wave=, of {waves_found}.")
    return rename(found, specification=chosen.name)


def _adjust(panel: PanelProtocol, chosen: Specification, made: _Made) -> Adjusted:
    """Match or weight, on a score that is fitted once."""
    make: Callable[..., Adjusted] = match
    if isinstance(chosen.design, InverseProbability | EntropyBalance):
        make = weight
    if isinstance(chosen.design, WITHOUT_SCORE) and chosen.support is None:
        return make(panel, chosen.design, covariates=chosen.covariates)
    key = (chosen.covariates, chosen.model, chosen.support)
    if key not in made.scores:
        made.scores[key] = _attempt(
            lambda: propensity(panel, chosen.covariates, chosen.model, support=chosen.support)
        )
    score = made.scores[key]
    if isinstance(score, str):
        raise NotEstimableError(score)
    return make(panel, chosen.design, score=score)


def _attempt(make: Callable[[], Any]) -> Any:
    """Return what is made, or the reason why it was refused."""
    try:
        return make()
    except PrakerjaEvalError as error:
        return str(error)


def _row(found: Estimate | str, level: float) -> dict[str, object]:
    if isinstance(found, str):
        return {"status": found}
    try:
        row = infer(found, level=level).frame.iloc[0]
    except NotEstimableError as error:
        return {"estimate": found.theta[0], "status": str(error)}
    return {column: row[column] for column in FOUND}


def _name(effect: Effect) -> str:
    """Return the name of a function, also of one with options filled in."""
    options = getattr(effect, "keywords", {})
    name = getattr(getattr(effect, "func", effect), "__name__", type(effect).__name__)
    return ", ".join([name.replace("_", "-"), *(f"{k}={v}" for k, v in options.items())])
