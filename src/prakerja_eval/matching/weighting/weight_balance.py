"""What does exact balance make of each person? Entropy-balancing weights of a panel's people."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.matching.adjusted import focal_units
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.matching.score.score_fit import refuse_constant
from prakerja_eval.matching.weighting.entropy import ImbalanceError, dual_influence, entropy_weights
from prakerja_eval.matching.weighting.entropy_moments import MomentColumns, moment_columns
from prakerja_eval.matching.weighting.weighted import ARMS, Weighted
from prakerja_eval.matching.weighting.weighting import EntropyBalance
from prakerja_eval.typing import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Constraints:
    """What is to be balanced: columns, sampling weights, whose means, and the arms to weight."""

    made: MomentColumns
    base: FloatArray
    asked: FloatArray
    target: FloatArray
    arms: tuple[tuple[str, BoolArray], ...]


def by_balance(people: Propensity, design: EntropyBalance) -> Weighted:
    """Weight people by entropy balancing of their covariates.

    Parameters
    ----------
    people : Propensity
        A score is not needed; people outside its support take no part.
    design : EntropyBalance

    Raises
    ------
    NotEstimableError
        If a covariate is constant or a combination of others, nobody of an arm is left, or no
        weights balance the arms: the covariate that is farthest off is named.
    """
    ask = _constraints(people, design)
    raw = ask.base.copy()
    for name, arm in ask.arms:
        rows = np.flatnonzero(arm & (ask.base > 0))
        D = ask.made.columns[rows]
        D -= ask.target
        try:
            found = entropy_weights(D, ask.base[rows])
        except ImbalanceError as error:
            raise _refusal(error, people, ask, name) from error
        raw[rows] = found.weight * ask.base[rows].sum()
    focal = focal_units(design.estimand, people.treated)
    dependence = partial(_through_balance, people, design, raw)
    return Weighted(design, people, raw, float(ask.base @ focal), dependence)


def _through_balance(
    people: Propensity, design: EntropyBalance, raw: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return d weights / d dual of the balance constraints, and the dual's influence.

    An arm's weights are scaled to the sum B of its sampling weights. The logarithm of that scale is
    a parameter too, with influence (base_i - weight_i) / B; it moves nothing but a regression in
    which both arms share their slopes.
    """
    ask = _constraints(people, design)
    Z = ask.made.columns
    drawn = ask.asked if design.drawn else np.zeros_like(ask.asked)
    derivatives, influences = [], []
    for _, arm in ask.arms:
        own = np.where(arm, raw, 0.0)
        derivatives.append(own[:, None] * (Z - ask.target))
        influences.append(dual_influence(Z, ask.target, own / own.sum(), drawn))
        base = np.where(arm, ask.base, 0.0)
        derivatives.append(own[:, None])
        influences.append((base - own)[:, None] / base.sum())
    return np.hstack(derivatives), np.hstack(influences)


def _constraints(people: Propensity, design: EntropyBalance) -> _Constraints:
    treated = people.treated
    base = np.where(people.supported, people.weight, 0.0)
    arms = tuple(zip(ARMS, (treated, ~treated), strict=True))
    for name, arm in arms:
        if not (base[arm] > 0).any():
            raise NotEstimableError(f"no {name} person is inside common support: widen it.")
    focal = focal_units(design.estimand, treated)
    asked = np.where(focal, base, 0.0) / (base @ focal)
    made = _columns(people, base, design)
    weighted = tuple(a for a in arms if design.estimand == "ATE" or not focal[a[1]].any())
    return _Constraints(made, base, asked, asked @ made.columns, weighted)


def _columns(people: Propensity, base: FloatArray, design: EntropyBalance) -> MomentColumns:
    """Return the columns to be balanced; name the covariate in a refusal."""
    X, names = people.covariates, people.names
    refuse_constant(X if (base > 0).all() else X[base > 0], names)
    try:
        return moment_columns(X, base, design.moments, products=design.interactions)
    except CollinearityError as error:
        raise NotEstimableError(
            f"the covariate {names[error.column]!r} is a combination of the covariates before "
            "it: leave it out."
        ) from error


def _refusal(
    error: ImbalanceError, people: Propensity, ask: _Constraints, arm: str
) -> NotEstimableError:
    """Say which moment cannot be balanced, where it would have to be, and what to do."""
    factors = ask.made.factors[error.column]
    names = [people.names[j] for j in factors]
    what = names[0] if len(factors) == 1 else " x ".join(names)
    if len(factors) > 1 and len(set(factors)) == 1:
        what = f"{names[0]}^{len(factors)}"
    column = np.prod(people.covariates[:, list(factors)], axis=1)
    rows = dict(ask.arms)[arm] & (ask.base > 0)
    low, mean, high = column[rows].min(), ask.asked @ column, column[rows].max()
    within = low <= mean <= high
    return NotEstimableError(
        f"no weights of the {arm} people balance the covariates; {what!r} is farthest off: its "
        f"mean must become {mean:.6g}, and theirs lie between {low:.6g} and {high:.6g}"
        f"{', but not together with the others' if within else ''}. Leave it out, ask for fewer "
        "moments, or leave out people without a counterpart."
    )
