"""What does selection on two covariates with known truth look like? A logit score."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from prakerja_eval.matching.score.models import Logit as LogitModel
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.numerics.logit import Logit
from prakerja_eval.panel import ArrayRequest, Roles

from .people import Draw

ROLES = Roles(unit="id", wave="wave", baseline=1, received="trained")
COVARIATES = ("x1", "x2")
EDGE = np.sqrt(3.0)
SLOPES = np.array([0.35, 0.30])


@dataclass(frozen=True)
class Selected:
    """n people with covariates in wave 1 and an outcome in wave 2.

    x1 and x2 are uniform with variance 1; the score is logit(constant + SLOPES x).
    y(0) = 1 + 0.8 x1 - 0.5 x2 + e depends on x beyond the score, so that fitting the score
    matters; effects are 0.5 + varies (0.4 x1 + 0.3 x2 + 0.5 v).
    """

    n: int
    constant: float
    varies: float = 1.0

    @property
    def truth(self) -> float:
        """Return E[effect | treated] by Gauss-Legendre quadrature over both covariates."""
        nodes, weights = np.polynomial.legendre.leggauss(100)
        x1, x2 = np.meshgrid(EDGE * nodes, EDGE * nodes)
        mass = np.outer(weights, weights) * expit(self.constant + SLOPES[0] * x1 + SLOPES[1] * x2)
        effect = 0.5 + self.varies * (0.4 * x1 + 0.3 * x2)
        return float((mass * effect).sum() / mass.sum())

    def draw(self, rng: np.random.Generator) -> Draw:
        x = rng.uniform(-EDGE, EDGE, (self.n, 2))
        p = expit(self.constant + x @ SLOPES)
        treated = rng.random(self.n) < p
        y0 = 1.0 + x @ np.array([0.8, -0.5]) + rng.normal(size=self.n)
        noise = 0.5 * rng.normal(size=self.n)
        gain = 0.5 + self.varies * (x @ np.array([0.4, 0.3]) + noise)
        y = y0 + treated * gain
        return Draw(
            ROLES,
            np.column_stack([np.full(self.n, np.nan), y]),
            waves=(1, 2),
            received=np.column_stack([np.zeros(self.n), treated]),
            columns={"x1": x[:, 0], "x2": x[:, 1]},
            score=p,
        )


def known_score(panel: object, draw: Draw) -> Propensity:
    """Return the true score in the form that `matching.match(score=...)` takes."""
    arrays = panel.arrays(ArrayRequest(None, COVARIATES))
    X = np.column_stack([np.ones(draw.n), arrays.covariates])
    p = draw.score
    eta = np.log(p / (1 - p))
    information = (X * (p * (1 - p))[:, None]).T @ X
    fit = Logit(
        beta=np.linalg.solve(information, (X * (p * (1 - p))[:, None]).T @ eta),
        probability=p,
        linear_predictor=eta,
        psi=np.zeros_like(X),
        information_inverse=np.linalg.inv(information),
        iterations=0,
    )
    treated = arrays.received.max(axis=1) > 0
    return Propensity(
        units=arrays.clusters,
        treated=treated,
        covariates=arrays.covariates,
        names=arrays.names,
        score=p,
        linear_predictor=eta,
        weight=arrays.weight,
        supported=np.ones_like(treated),
        model=LogitModel(),
        fit=fit,
    )
