"""What do two periods with known truth look like? Parallel trends given two covariates."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from prakerja_eval.panel import Roles

from .people import Draw

ROLES = Roles(unit="id", wave="wave", baseline=1, cohort="cohort")
COVARIATES = ("x1", "x2")
EDGE = np.sqrt(3.0)  # uniform on (-EDGE, EDGE) has variance 1


def score_index(x1: np.ndarray, x2: np.ndarray, bend: float) -> np.ndarray:
    """Return the index of the score: linear but for `bend`."""
    return -0.4 + 0.5 * x1 + 0.5 * x2 + bend * (x1**2 - 1)


def trend(x1: np.ndarray, x2: np.ndarray, bend: float) -> np.ndarray:
    """Return the change without treatment: linear but for `bend`."""
    return 0.3 + 0.5 * x1 - 0.4 * x2 + bend * (x1**2 - 1) + bend * x1 * x2


def effect(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    return 0.5 + 0.4 * x1 + 0.3 * x2


@dataclass(frozen=True)
class TwoPeriods:
    """n people; x1 uniform, x2 a coin of 0.4; the bends say which model is wrong."""

    n: int
    score_bend: float = 0.0
    trend_bend: float = 0.0

    @property
    def truth(self) -> float:
        """Return E[effect | treated] by Gauss-Legendre quadrature over x1, exact over x2."""
        nodes, weights = np.polynomial.legendre.leggauss(200)
        above = below = 0.0
        for x2, share in ((0.0, 0.6), (1.0, 0.4)):
            p = expit(score_index(EDGE * nodes, x2, self.score_bend))
            above += share * float(weights @ (p * effect(EDGE * nodes, x2)))
            below += share * float(weights @ p)
        return above / below

    def draw(self, rng: np.random.Generator) -> Draw:
        x1 = rng.uniform(-EDGE, EDGE, self.n)
        x2 = (rng.random(self.n) < 0.4).astype(np.float64)
        treated = rng.random(self.n) < expit(score_index(x1, x2, self.score_bend))
        before = 2.0 + x1 + 0.5 * treated + rng.normal(size=self.n)
        noise = (1.0 + 0.3 * x2) * rng.normal(size=self.n)
        gain = treated * (effect(x1, x2) + 0.5 * rng.normal(size=self.n))
        after = before + trend(x1, x2, self.trend_bend) + noise + gain
        return Draw(
            ROLES,
            np.column_stack([before, after]),
            waves=(1, 2),
            treated=treated,
            columns={"x1": x1, "x2": x2},
        )
