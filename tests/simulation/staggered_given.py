"""What do staggered cohorts look like whose trends are parallel only given covariates?"""

from dataclasses import dataclass, replace

import numpy as np

from prakerja_eval.panel import Roles

from .changes import COVARIATES, EDGE, trend
from .people import Draw
from .staggered import NEVER, ROLES


@dataclass(frozen=True)
class GivenX:
    """n people; cohorts by a multinomial logit in x1, uniform, and x2, a coin of 0.4.

    Given never or g the score of g is a logit, linear but for `score_bend`; the change from wave
    to wave is `changes.trend`, linear but for `trend_bend`. Effects are 0.5 + 0.2 e + 0.4 x1 +
    0.3 x2, e waves after the start.
    """

    n: int
    starts: tuple[float, ...] = (NEVER, 3.0, 4.0)
    waves: int = 4
    score_bend: float = 0.0
    trend_bend: float = 0.0

    @property
    def times(self) -> np.ndarray:
        return np.arange(1, self.waves + 1)

    def odds(self, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        """Return the probabilities of the cohorts, (m, 3)."""
        bend = self.score_bend * (x1**2 - 1)
        index = np.column_stack(
            [0.0 * x1, -0.6 + 0.5 * x1 + 0.4 * x2 + bend, -0.4 + 0.3 * x1 - 0.4 * x2 + bend]
        )
        p = np.exp(index)
        return p / p.sum(axis=1, keepdims=True)

    def gains(self, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        """Return the effect on each person by cohort and wave, (m, 3, T)."""
        e = self.times - np.array(self.starts)[:, None]
        since = 0.5 + 0.2 * np.where(e >= 0, e, 0.0)
        return np.where(e >= 0, since + (0.4 * x1 + 0.3 * x2)[:, None, None], 0.0)

    def truth(self, e: int | None = None) -> float:
        """Return the average effect over treated cells, or e waves after the start.

        By Gauss-Legendre quadrature over x1, exact over x2.
        """
        nodes, weights = np.polynomial.legendre.leggauss(200)
        event = self.times - np.array(self.starts)[:, None]
        kept = event >= 0 if e is None else event == e
        above = below = 0.0
        for x2, share in ((0.0, 0.6), (1.0, 0.4)):
            x1 = EDGE * nodes
            mass = share * weights[:, None] * self.odds(x1, np.full_like(x1, x2))
            gains = self.gains(x1, np.full_like(x1, x2))
            above += float((mass[:, :, None] * gains * kept).sum())
            below += float((mass[:, :, None] * kept).sum())
        return above / below

    def draw(self, rng: np.random.Generator) -> Draw:
        x1 = rng.uniform(-EDGE, EDGE, self.n)
        x2 = (rng.random(self.n) < 0.4).astype(np.float64)
        below = np.cumsum(self.odds(x1, x2), axis=1)
        code = (rng.random(self.n)[:, None] > below[:, :-1]).sum(axis=1)
        noise = (1.0 + 0.3 * x2)[:, None] * rng.normal(size=(self.n, self.waves))
        path = np.outer(trend(x1, x2, self.trend_bend), self.times - 1) * 0.5
        gain = self.gains(x1, x2)[np.arange(self.n), code]
        gain = np.where(gain != 0, gain + 0.5 * rng.normal(size=self.n)[:, None], 0.0)
        level = 2.0 + x1 + 0.4 * code + rng.normal(size=self.n)
        y = level[:, None] + path + noise + gain
        return Draw(
            ROLES,
            y,
            tuple(self.times.tolist()),
            cohort=np.array(self.starts)[code],
            columns=dict(zip(COVARIATES, (x1, x2), strict=True)),
        )


@dataclass(frozen=True)
class CrossSections(GivenX):
    """Each person is asked in one wave only."""

    starts: tuple[float, ...] = (NEVER, 2.0, 3.0)
    waves: int = 3

    def draw(self, rng: np.random.Generator) -> Draw:
        drawn = super().draw(rng)
        asked = rng.integers(0, self.waves, self.n)[:, None] == np.arange(self.waves)
        roles = Roles(unit="id", wave="wave", cohort="cohort")
        return replace(
            drawn, roles=roles, outcome=np.where(asked, drawn.outcome, np.nan), once=True
        )
