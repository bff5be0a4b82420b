"""In which columns does a design measure distances, and how far apart may a pair be?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching.pairs.by_distance import greedy_by_distance, nearest_by_distance
from prakerja_eval.matching.pairs.design import Nearest, Optimal, Order, PairDesign, pooled
from prakerja_eval.matching.pairs.distances import Metric, covariance, in_line, whitened
from prakerja_eval.matching.pairs.neighbours import Ties
from prakerja_eval.matching.pairs.optimal import TooManyPairsError, optimal_pairs
from prakerja_eval.matching.pairs.pairs import Pairs, in_sample
from prakerja_eval.matching.pairs.stock import Field, Limits, steps
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.panel import ArrayRequest, PanelProtocol
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

METRICS = {
    "mahalanobis": Metric.MAHALANOBIS,
    "robust_mahalanobis": Metric.ROBUST,
    "scaled_euclidean": Metric.SCALED,
}


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """What a design measures, over the score's n units.

    Attributes
    ----------
    space : (n, q)
        Columns in which the distance is Euclidean: whitened covariates, or the score alone; NaN
        outside common support.
    line : (n,)
        By which units stand in line, to choose between those at one distance.
    limited : (n, c)
        Columns of calipers.
    width : (c,)
        Greatest difference in each.
    on_score : bool
        Whether the distance is that of the score.
    """

    space: FloatArray
    line: FloatArray
    limited: FloatArray
    width: FloatArray
    on_score: bool

    def between(self, mine: IntArray, theirs: IntArray, sign: float) -> Field:
        """Return the two sides; ``sign`` -1 mirrors the line of a score."""
        key = sign * self.line if self.on_score else self.line
        limits = Limits(self.limited[mine], self.limited[theirs], self.width)
        places = steps(key[mine], key[theirs])
        return Field(self.space[mine], self.space[theirs], places, limits, not self.on_score)


def measured(design: PairDesign) -> bool:
    """Return whether a design asks for more than neighbours on the line of the score."""
    if isinstance(design, Optimal) or design.order == "random":
        return True
    return design.distance != "score" or bool(design.calipers)


def measured_pairs(
    made: Measure,
    design: PairDesign,
    fitted: Propensity,
    scale: FloatArray,
    groups: IntArray | None,
    treated_focal: bool,
) -> Pairs:
    """Match one arm with the other, in positions of the whole sample.

    Parameters
    ----------
    made : Measure
        Of ``measure``.
    design : Nearest or Optimal
    fitted : Propensity
    scale : (n,)
        Score or linear predictor.
    groups : (n,) int, optional
        Exact groups.
    treated_focal : bool
        Whether the treated ask for counterparts, or the comparison people.
    """
    focal = fitted.treated if treated_focal else ~fitted.treated
    mine = np.flatnonzero(focal & fitted.supported)
    theirs = np.flatnonzero(~focal & fitted.supported)
    if made.on_score and not treated_focal:  # the line is mirrored, as for the score alone
        theirs = theirs[::-1]
    field = made.between(mine, theirs, 1.0 if treated_focal else -1.0)
    codes = None if groups is None else (groups[mine], groups[theirs])
    if isinstance(design, Optimal):
        try:
            pairs = optimal_pairs(field, design.ratio, codes)
        except TooManyPairsError as error:
            raise UsageError(
                f"{error}: set a narrower caliper or more exact columns, or use Nearest."
            ) from error
    elif design.replace and design.max_uses is None:
        unit = float(scale[fitted.supported].var(ddof=1)) if made.on_score else 1.0
        tolerance, ties = design.tie_tolerance * unit, Ties[design.ties.upper()]
        pairs = nearest_by_distance(field, design.ratio, ties, tolerance, codes)
    else:
        turns = queue(design, scale, mine, treated_focal)
        pairs = greedy_by_distance(field, turns, design.ratio, design.max_uses or 1, codes)
    return in_sample(pairs, mine, theirs)


def measure(
    panel: PanelProtocol, design: PairDesign, fitted: Propensity, scale: FloatArray
) -> Measure:
    """Return the columns of a design's distance and of its calipers.

    Parameters
    ----------
    panel : Panel
        That was matched: columns that the score lacks are read from it.
    design : Nearest or Optimal
    fitted : Propensity
    scale : (n,)
        Score or linear predictor.

    Raises
    ------
    NotEstimableError
        If a covariate of the distance does not vary.
    UsageError
        If a caliper's column holds words, or the design needs a score and there is none.
    """
    on_score = design.distance == "score"
    if (on_score or design.caliper is not None) and np.isnan(scale).all():
        raise UsageError(
            f"the people at hand have no score, which a {'distance' if on_score else 'caliper'} "
            "is measured in: match with covariates=[...] or a fitted score."
        )
    space, line = (scale[:, None], scale) if on_score else _space(panel, design, fitted)
    columns, widths = [], []
    if design.caliper is not None:
        columns.append(scale)
        widths.append(design.caliper * float(scale[fitted.supported].std(ddof=1)))
    for name, width in dict(design.calipers).items():
        X, _ = _read(panel, fitted, name)
        if X.shape[1] != 1:
            raise UsageError(
                f"a caliper on {name!r} is not possible, since it holds words: name it in exact."
            )
        columns.append(X[:, 0])
        widths.append(width)
    limited = np.column_stack([np.empty((len(scale), 0)), *columns])
    return Measure(space, line, limited, np.array(widths, dtype=np.float64), on_score)


def queue(
    design: Nearest, scale: FloatArray, mine: IntArray, treated_focal: bool
) -> IntArray | None:
    """Return in which order focal units choose; None where the closest pair is made first."""
    order = design.order or _default_order(design, treated_focal)
    if order == "closest":
        return None
    if order == "data":
        return np.arange(len(mine))
    if order == "random":
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(design.seed)))
        return generator.permutation(len(mine))
    if np.isnan(scale).all():
        raise UsageError(f"the people at hand have no score to choose by: order={order!r}.")
    sign = -1.0 if order == "largest" else 1.0
    return np.argsort(sign * scale[mine], kind="stable")


def _default_order(design: Nearest, treated_focal: bool) -> Order:
    """Return the hardest to match first, or the order of the data where no score plays a part."""
    if design.distance != "score" and design.caliper is None:
        return "data"
    return "largest" if treated_focal else "smallest"


def _space(
    panel: PanelProtocol, design: PairDesign, fitted: Propensity
) -> tuple[FloatArray, FloatArray]:
    """Return whitened covariates, (n, q), and the line by which ties are settled, (n,)."""
    if design.on:
        parts = [_read(panel, fitted, name) for name in design.on]
        X = np.column_stack([part[0] for part in parts])
        names = tuple(label for part in parts for label in part[1])
    else:
        X, names = all_levels(fitted.covariates, fitted.names)
    here = fitted.supported
    X, names = _varying(X, names, here)
    arms = fitted.treated[here] if pooled(design) else None
    variance = np.diag(covariance(X[here], arms))
    if not (variance > 0).all():
        where = " within the arms" if arms is not None else ""
        raise NotEstimableError(
            f"the covariate {names[int(np.argmin(variance > 0))]!r} does not vary{where}, so that "
            "no distance can be measured in it: leave it out of Nearest(on)."
        )
    metric = METRICS[design.distance]
    space, line = np.full(X.shape, np.nan), np.full(len(X), np.nan)
    space[here], line[here] = whitened(X[here], metric, arms), in_line(X[here], metric, arms)
    return space, line


def _varying(
    X: FloatArray, names: tuple[str, ...], here: BoolArray
) -> tuple[FloatArray, tuple[str, ...]]:
    """Leave out indicators of values that nobody has."""
    kept = [
        not name.endswith("]") or np.ptp(x[here]) > 0 for name, x in zip(names, X.T, strict=True)
    ]
    return X[:, kept], tuple(name for name, keep in zip(names, kept, strict=True) if keep)


def _read(
    panel: PanelProtocol, fitted: Propensity, name: str
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return one covariate, an indicator for each of its values if it holds words."""
    own = [k for k, n in enumerate(fitted.names) if n == name or n.startswith(f"{name}[")]
    if own:
        return all_levels(fitted.covariates[:, own], tuple(fitted.names[k] for k in own))
    arrays = panel.arrays(ArrayRequest(None, raw=(name,)))
    column = arrays.raw[0]
    values = column.values[fitted.positions(arrays)]
    if not column.labels:
        return np.asarray(values, dtype=np.float64)[:, None], (name,)
    many = range(int(len(column.labels) == 2), len(column.labels))
    made = np.column_stack([values == k for k in many]).astype(np.float64)
    return made, tuple(f"{name}[{column.labels[k]}]" for k in many)


def all_levels(X: FloatArray, names: tuple[str, ...]) -> tuple[FloatArray, tuple[str, ...]]:
    """Add the indicator of the reference value to those of each text column of three or more.

    So that people who differ in the value are equally far apart whichever values they have, where
    the metric does not see to that itself.
    """
    columns: list[FloatArray] = []
    labels: list[str] = []
    for k, name in enumerate(names):
        columns.append(X[:, k])
        labels.append(name)
        base = name.split("[", 1)[0]
        group = [j for j, n in enumerate(names) if n.endswith("]") and n.split("[", 1)[0] == base]
        whole = len(group) > 1 and np.isin(X[:, group], (0.0, 1.0)).all()
        if name.endswith("]") and k == group[-1] and whole:
            columns.append(1.0 - X[:, group].sum(axis=1))
            labels.append(f"{base}[reference]")
    return np.column_stack(columns), tuple(labels)
