"""What do lotteries look like whose odds, response, take-up or outcomes are out of the ordinary?

Each world knows its truth in closed form, or by one root of a known distribution.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit, ndtri

from prakerja_eval.panel import Roles

from .lottery import ROLES, skewed, winners
from .people import Draw

STATED = Roles(unit="id", offer="won", probability="odds")
DRAWN = Roles(unit="id", offer="won", blocks="block", clusters="village")
RECEIPT = Roles(unit="id", offer="won", received="trained", blocks="block")


def blocks_of(sizes: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


@dataclass(frozen=True)
class Stated:
    """n people of three kinds, who win by coins of their own odds; kinds differ in all else too."""

    n: int = 600
    shares = np.array([0.5, 0.3, 0.2])
    odds = np.array([0.2, 0.35, 0.6])
    effects = np.array([0.2, 0.5, 1.2])

    @property
    def truth(self) -> float:
        return float(self.shares @ self.effects)

    def draw(self, rng: np.random.Generator) -> Draw:
        kind = rng.choice(3, self.n, p=self.shares)
        won = (rng.random(self.n) < self.odds[kind]).astype(np.float64)
        gain = self.effects[kind] + 0.5 * rng.normal(size=self.n)
        y = 0.8 * kind + skewed(rng, self.n) + won * gain
        return Draw(STATED, y[:, None], offer=won, odds=self.odds[kind])


@dataclass(frozen=True)
class ManyCovariates:
    """Three blocks of 100 and 40 covariates, of which three matter for the outcome."""

    slopes = np.array([0.8, -0.6, 0.5])
    n_won = np.array([30, 40, 50])
    truth = 0.5

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"x{j:02d}" for j in range(40))

    def draw(self, rng: np.random.Generator) -> Draw:
        block = np.repeat(np.arange(3), 100)
        X = rng.normal(size=(300, 40))
        won = winners(rng, block, self.n_won)
        gain = self.truth + 0.4 * rng.normal(size=300)
        y = 0.5 * block + X[:, [0, 7, 23]] @ self.slopes + skewed(rng, 300) + won * gain
        columns = dict(zip(self.names, X.T, strict=True))
        return Draw(ROLES, y[:, None], offer=won, block=block, columns=columns)


@dataclass(frozen=True)
class DrawnVillages:
    """Three blocks of ten villages, of which four win; people of a village are alike."""

    effects = np.array([0.2, 0.5, 1.1])

    @property
    def people(self) -> np.ndarray:
        return 10 + np.arange(30) % 5

    @property
    def truth(self) -> float:
        home = np.arange(30) // 10
        return float(np.average(self.effects[home], weights=self.people))

    def draw(self, rng: np.random.Generator) -> Draw:
        home, village = np.arange(30) // 10, blocks_of(self.people)
        won = winners(rng, home, np.full(3, 4))[village]
        block = home[village]
        alike = 0.5 * rng.normal(size=30)[village]
        gain = self.effects[block] + 0.4 * rng.normal(size=30)[village]
        y = 0.3 * block + alike + skewed(rng, len(village)) + won * gain
        return Draw(DRAWN, y[:, None], offer=won, block=block, village=village)


@dataclass(frozen=True)
class FewMoved:
    """300 people, half of whom win; as few compliers as asked, always-takers better off."""

    compliers: float
    truth = 1.0

    def draw(self, rng: np.random.Generator) -> Draw:
        n = 300
        block = np.zeros(n, dtype=np.int64)
        won = winners(rng, block, np.array([150]))
        u = rng.random(n)
        complier, always = u < self.compliers, u >= 0.9
        d = (always | (complier & (won == 1))).astype(np.float64)
        y = skewed(rng, n) + 0.8 * always - 0.5 * complier
        y = y + d * (np.where(complier, self.truth, 0.3) + 0.5 * rng.normal(size=n))
        return Draw(RECEIPT, y[:, None], offer=won, received=d, block=block)


@dataclass(frozen=True)
class Silent:
    """Three blocks in which the offer changes who answers; it lowers response in the last.

    Outcomes are normal with variance 1 in each arm. Of the arm in which more answer, those who
    would answer either way are the ones with the lowest outcomes among winners, or the highest
    among losers, so that the effect on them is exactly the lower limit.
    """

    sizes = np.array([300, 300, 300])
    n_won = np.array([100, 150, 180])
    rates = np.array([[0.55, 0.80], [0.60, 0.90], [0.85, 0.60]])  # of losers, of winners
    means = np.array([[0.0, 0.6], [0.5, 0.8], [1.0, 1.6]])

    @property
    def limits(self) -> tuple[float, float]:
        """Return the lower and upper limit, blocks weighted by always-responders."""
        always = self.rates.min(axis=1)
        share = self.sizes * always / (self.sizes * always).sum()
        kept = always / self.rates.max(axis=1)
        moved = stats.norm.pdf(ndtri(kept)) / kept  # by which trimming a tail moves a mean
        gap = self.means[:, 1] - self.means[:, 0]
        return float(share @ (gap - moved)), float(share @ (gap + moved))

    def draw(self, rng: np.random.Generator) -> Draw:
        block = blocks_of(self.sizes)
        won = winners(rng, block, self.n_won)
        n, arm = len(block), won.astype(np.int64)
        trimmed = self.rates[block].argmax(axis=1)  # the arm in which more answer
        u, noise = rng.random(n), rng.normal(size=(n, 2))
        kept = (self.rates.min(axis=1) / self.rates.max(axis=1))[block]
        some = u < self.rates.max(axis=1)[block]
        own = noise[np.arange(n), trimmed]
        lowest = np.where(trimmed == 1, own, -own) < ndtri(kept)
        answers = some & ((arm == trimmed) | lowest)
        y = self.means[block, arm] + noise[np.arange(n), arm]
        return Draw(ROLES, np.where(answers, y, np.nan)[:, None], offer=won, block=block)


@dataclass(frozen=True)
class SilentAtRandom:
    """Two blocks of 300; who answers depends on arm and covariates, which matter for outcomes."""

    sizes = np.array([300, 300])
    n_won = np.array([100, 150])
    effects = np.array([0.3, 0.9])
    names = ("x1", "x2")
    truth = 0.6

    def draw(self, rng: np.random.Generator) -> Draw:
        block = blocks_of(self.sizes)
        n, won = len(block), winners(rng, block, self.n_won)
        x1, x2 = (rng.random(n) < 0.4).astype(np.float64), rng.normal(size=n)
        gain = self.effects[block] + 0.5 * (x1 - 0.4) + 0.3 * x2
        y = 0.4 * block + 0.8 * x1 + 0.6 * x2 + skewed(rng, n) + won * gain
        index = 0.8 + 0.9 * x1 - 0.6 * x2 + won * (0.4 - 0.8 * x1 + 0.9 * x2)
        y = np.where(rng.random(n) < expit(index), y, np.nan)
        return Draw(ROLES, y[:, None], offer=won, block=block, columns={"x1": x1, "x2": x2})


@dataclass(frozen=True)
class Skewed:
    """Two blocks whose outcomes are a gamma's, shifted by block and spread wider by the offer."""

    sizes = np.array([300, 300])
    n_won = np.array([100, 150])
    levels = np.array([[1.0, 1.3], [2.0, 2.8]])  # of losers, of winners
    spread = np.array([1.0, 1.4])

    def quantile(self, arm: int, tau: float) -> float:
        def beyond(q: float) -> float:
            at = (q - self.levels[:, arm]) / self.spread[arm]
            return float(stats.gamma.cdf(2 * at + 4, 4).mean() - tau)

        return float(brentq(beyond, -5.0, 30.0, xtol=1e-12))

    def truth(self, tau: float) -> float:
        return self.quantile(1, tau) - self.quantile(0, tau)

    def draw(self, rng: np.random.Generator) -> Draw:
        block = blocks_of(self.sizes)
        won = winners(rng, block, self.n_won)
        arm = won.astype(np.int64)
        y = self.levels[block, arm] + self.spread[arm] * skewed(rng, len(block))
        return Draw(ROLES, y[:, None], offer=won, block=block)


@dataclass(frozen=True)
class Types:
    """700 people fall into two blocks and win by coins; compliers are younger than others."""

    shares = np.array([0.4, 0.6])
    odds = np.array([0.3, 0.5])
    compliers = np.array([0.6, 0.4])

    @property
    def share(self) -> float:
        return float(self.shares @ self.compliers)

    @property
    def mean(self) -> float:
        weight = self.shares * self.compliers / self.share
        return float(weight @ (np.array([0.0, 0.5]) - 0.7))

    def draw(self, rng: np.random.Generator) -> Draw:
        n = 700
        block = rng.choice(2, n, p=self.shares)
        won = (rng.random(n) < self.odds[block]).astype(np.float64)
        u = rng.random(n)
        complier, always = u < self.compliers[block], u >= 0.9
        d = (always | (complier & (won == 1))).astype(np.float64)
        age = 0.5 * block - 0.7 * complier + rng.normal(size=n)
        y = rng.normal(size=(n, 1))  # drawn last, and not asked for
        return Draw(RECEIPT, y, offer=won, received=d, block=block, columns={"age": age})


@dataclass(frozen=True)
class Incomes:
    """Two blocks of 400; four in ten earn nothing, and the offer adds a quarter to earnings."""

    sizes = np.array([400, 400])
    n_won = np.array([120, 200])
    scales = np.array([1.0, 2.0])
    truth = 0.25

    def draw(self, rng: np.random.Generator) -> Draw:
        block = blocks_of(self.sizes)
        n, won = len(block), winners(rng, block, self.n_won)
        earned = (rng.random(n) < 0.6) * rng.gamma(2.0, 1.0, n) * self.scales[block]
        return Draw(ROLES, (earned * (1 + self.truth * won))[:, None], offer=won, block=block)

    def capped(self, cut: float) -> float:
        """Return the effect on min(y, cut), blocks weighted by their people."""
        means = [
            np.mean([0.6 * _capped_gamma(cut / (s * ratio)) * s * ratio for s in self.scales])
            for ratio in (1.0, 1 + self.truth)
        ]
        return float(means[1] - means[0])


def _capped_gamma(cut: float) -> float:
    """Return E min(G, cut) of a gamma(2)."""
    return 2 * stats.gamma.cdf(cut, 3) + cut * stats.gamma.sf(cut, 2)


@dataclass(frozen=True)
class ThreeOutcomes:
    """400 people, of whom 160 win; three correlated outcomes, each with one effect for all."""

    correlation = np.array([[1.0, 0.6, 0.1], [0.6, 1.0, 0.2], [0.1, 0.2, 1.0]])
    spread = np.array([1.0, 3.0, 0.5])
    effects = np.array([0.3, 0.1, 0.5])  # in standard deviations
    names = ("y", "hours", "savings")

    @property
    def anderson(self) -> float:
        """Return the effect with weights from the covariance over both arms, 0.4 of whom won."""
        R = self.correlation + 0.24 * np.outer(self.effects, self.effects)
        v = np.linalg.solve(R, np.ones(3))
        return float(v @ self.effects / v.sum())

    @property
    def equal(self) -> float:
        return float(self.effects.mean())

    def draw(self, rng: np.random.Generator) -> Draw:
        block = np.zeros(400, dtype=np.int64)
        won = winners(rng, block, np.array([160]))
        z = rng.normal(size=(400, 3)) @ np.linalg.cholesky(self.correlation).T
        Y = self.spread * (z + np.outer(won, self.effects))
        others = {"hours": Y[:, 1:2], "savings": Y[:, 2:]}
        return Draw(ROLES, Y[:, :1], offer=won, block=block, others=others)
