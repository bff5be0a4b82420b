"""Do weighting, strata, regression after matching and doubly robust estimates cover?

Worlds are those of `selection.py`: a logit score in two uniform covariates, an outcome that is
linear in them, effects that vary with them and beyond. Each estimator is judged against its own
estimand, by quadrature. 1,000 draws a scenario, fixed beforehand.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LinearRegression, LogisticRegression

from prakerja_eval import matching
from prakerja_eval.estimate import Clustered, Estimate, Robust

from .claims import Estimator, Row, Scenario
from .people import Draw
from .selection import COVARIATES, EDGE, ROLES, SLOPES, Selected

DRAWS = 1_000
N, LEVEL = 1_000, -0.7
OUTCOME = np.array([0.8, -0.5])
EFFECT = np.array([0.4, 0.3])
TILTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ATT": lambda p: p,
    "ATC": lambda p: 1 - p,
    "ATE": np.ones_like,
    "ATO": lambda p: p * (1 - p),
    "ATM": lambda p: np.minimum(p, 1 - p),
}


def truth(estimand: str, constant: float = LEVEL) -> float:
    """Return the mean effect under an estimand's weights, by Gauss-Legendre quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x1, x2 = np.meshgrid(EDGE * nodes, EDGE * nodes)
    mass = np.outer(weights, weights)
    mass = mass * TILTS[estimand](expit(constant + SLOPES[0] * x1 + SLOPES[1] * x2))
    return float((mass * (0.5 + EFFECT[0] * x1 + EFFECT[1] * x2)).sum() / mass.sum())


@dataclass(frozen=True)
class InCells:
    """People in 9 cells of two covariates with three values each; the score differs by cell.

    The outcome is bent in both covariates, so that only a comparison within cells is right.
    """

    n: int

    @property
    def cells(self) -> np.ndarray:
        return np.array([(a, b) for a in (-1.0, 0.0, 1.0) for b in (-1.0, 0.0, 1.0)])

    def score(self, x: np.ndarray) -> np.ndarray:
        return expit(-0.6 + 0.5 * x[:, 0] + 0.4 * x[:, 0] * x[:, 1])

    def effect(self, x: np.ndarray) -> np.ndarray:
        return 0.5 + 0.4 * x[:, 0] ** 2 + 0.3 * x[:, 1]

    def truth(self, estimand: str) -> float:
        """Return the mean effect over cells, which are equally frequent."""
        mass = TILTS[estimand](self.score(self.cells))
        return float(mass @ self.effect(self.cells) / mass.sum())

    def draw(self, rng: np.random.Generator) -> Draw:
        x = self.cells[rng.integers(0, 9, self.n)]
        p = self.score(x)
        treated = rng.random(self.n) < p
        y = 1 + x[:, 0] ** 2 - x[:, 0] * x[:, 1] + rng.normal(size=self.n)
        y = y + treated * (self.effect(x) + 0.5 * rng.normal(size=self.n))
        return Draw(
            ROLES,
            np.column_stack([np.full(self.n, np.nan), y]),
            waves=(1, 2),
            received=np.column_stack([np.zeros(self.n), treated]),
            columns={"x1": x[:, 0], "x2": x[:, 1]},
            score=p,
        )


def weighted(design: object) -> Estimator:
    def estimate(panel: object, draw: Draw) -> Estimate:
        made = matching.weight(panel, design, covariates=COVARIATES)
        return matching.difference(panel, made, "y")

    return estimate


def after(design: object, verb: Callable[..., Estimate]) -> Estimator:
    def estimate(panel: object, draw: Draw) -> Estimate:
        return verb(panel, matching.match(panel, design, covariates=COVARIATES), "y")

    return estimate


def aipw(estimand: str) -> Estimator:
    return lambda panel, draw: matching.aipw(panel, "y", covariates=COVARIATES, estimand=estimand)


def double_ml(estimand: str) -> Estimator:
    learners = matching.Learners(
        outcome=LinearRegression(), treatment=LogisticRegression(C=1e6, max_iter=1_000)
    )
    return lambda panel, draw: matching.double_ml(
        panel, "y", learners, covariates=COVARIATES, estimand=estimand
    )


def _weighting() -> Scenario:
    ways = {
        **{e: matching.InverseProbability(estimand=e) for e in TILTS},
        "entropy balancing, ATT": matching.EntropyBalance(estimand="ATT"),
        "entropy balancing, ATE": matching.EntropyBalance(estimand="ATE"),
    }
    rows = [Row(name, name, None, truth(name.split(", ")[-1])) for name in ways]
    why = "contrast: weights taken as known, the score's estimation left out"
    known = Robust("HC3", reference="normal")
    rows += [
        Row(f"{e}, as if known", e, known, truth(e), claim=False, why=why) for e in ("ATT", "ATE")
    ]
    return Scenario(
        "weighting by a fitted score, and entropy balancing",
        f"{N:,} people, about {N * 0.35:.0f} treated; scores .14 to .61. Each estimand has its own "
        "truth in the population.",
        Selected(N, LEVEL).draw,
        {name: weighted(design) for name, design in ways.items()},
        tuple(rows),
        DRAWS,
    )


def _doubly_robust() -> Scenario:
    rows = [Row(f"AIPW, {e}", e, None, truth(e)) for e in ("ATE", "ATT", "ATC")]
    rows += [Row(f"cross-fitted, {e}", f"dml {e}", None, truth(e)) for e in ("ATE", "ATT")]
    ways = {e: aipw(e) for e in ("ATE", "ATT", "ATC")}
    ways |= {f"dml {e}": double_ml(e) for e in ("ATE", "ATT")}
    return Scenario(
        "doubly robust, both models right",
        "The same people; cross-fitting in five folds, with a logit and a line by scikit-learn.",
        Selected(N, LEVEL).draw,
        ways,
        tuple(rows),
        DRAWS,
    )


def _strata() -> Scenario:
    world = InCells(N)
    ways = {e: after(matching.Exact(estimand=e), matching.att) for e in ("ATT", "ATC", "ATE")}
    ways["difference"] = after(matching.Exact(), matching.difference)
    hc3 = "weights are taken as given, though the shares of the strata are drawn"
    rows = [
        Row(f"effect within strata, {e}", e, None, world.truth(e)) for e in ("ATT", "ATC", "ATE")
    ]
    rows.append(
        Row(
            "weighted difference, HC3", "difference", None, world.truth("ATT"), claim=False, why=hc3
        )
    )
    return Scenario(
        "exact strata",
        f"{N:,} people in 9 cells of two covariates, scores .18 to .57 by cell, an outcome bent in "
        "both covariates, effects that differ by cell and beyond.",
        world.draw,
        ways,
        tuple(rows),
        DRAWS,
    )


def _subclasses() -> Scenario:
    five, many = matching.Subclass(n=5), matching.Subclass(n=20)
    bias = "contrast: within five strata of the score the covariates still differ"
    return Scenario(
        "subclasses of a fitted score",
        f"{2 * N:,} people as in weighting. Five strata leave a part of the bias (Cochran 1968: "
        "about a tenth); regression within the weighted sample takes it away.",
        Selected(2 * N, LEVEL).draw,
        {
            "5": after(five, matching.att),
            "20": after(many, matching.att),
            "regression": after(five, matching.g_computation),
        },
        (
            Row("5 strata", "5", None, truth("ATT"), claim=False, why=bias),
            Row(
                "20 strata", "20", None, truth("ATT"), "conservative",
                why="cut points and score are held fixed, and fitting the score helps",
            ),
            Row("5 strata and g-computation", "regression", None, truth("ATT")),
        ),
        DRAWS,
    )  # fmt: skip


def _after_matching() -> Scenario:
    constant, pair = -1.6, Clustered("pair", "stata", "normal")
    nearest = matching.Nearest(replace=False)
    t = truth("ATT", constant)
    wide = "the variance ignores that fitting the score helps; see the page for how wide"
    return Scenario(
        "regression after matching without replacement",
        f"{N:,} people, about {N * 0.17:.0f} treated, fitted scores .06 to .39; one neighbour.",
        Selected(N, constant).draw,
        {
            "regression": after(nearest, matching.g_computation),
            "plain": after(nearest, matching.difference),
        },
        (
            Row("g-computation, clustered by pair", "regression", pair, t),
            Row("plain difference, clustered by pair", "plain", pair, t, "conservative", why=wide),
        ),
        DRAWS,
    )


def _kernels() -> Scenario:
    ways = {
        "epanechnikov": matching.Kernel(bandwidth=0.03),
        "radius": matching.Radius(radius=0.02),
    }
    return Scenario(
        "kernel and radius matching on a fitted score",
        f"{N:,} people as in weighting; bandwidth .03, radius .02.",
        Selected(N, LEVEL).draw,
        {name: after(design, matching.att) for name, design in ways.items()},
        (
            Row("epanechnikov", "epanechnikov", None, truth("ATT")),
            Row(
                "radius", "radius", None, truth("ATT"), "conservative",
                why="an edge has no slope, so the score is taken as known",
            ),
        ),
        DRAWS,
    )  # fmt: skip


ADJUSTING = (_weighting, _doubly_robust, _strata, _subclasses, _after_matching, _kernels)
