"""What do lotteries with known truth look like? Blocks, odds, take-up and potential outcomes."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.panel import Roles

from .people import Draw

ROLES = Roles(unit="id", offer="won", blocks="block")
RECEIPT = Roles(unit="id", offer="won", received="trained", blocks="block")

SIZES = 60 + 10 * np.array([3, 9, 0, 7, 11, 4, 1, 10, 6, 2, 8, 5])
ODDS = np.array([0.30, 0.10, 0.45, 0.60, 0.15, 0.55, 0.25, 0.35, 0.50, 0.40, 0.20, 0.30])
EFFECTS = np.array([1.5, -0.5, 0.2, 0.9, 1.2, -0.2, 0.6, 0.0, 1.0, 0.4, -0.4, 0.8])
LEVELS = np.array([2.0, 3.1, 1.4, 2.6, 3.5, 1.8, 2.2, 2.9, 1.6, 2.4, 3.3, 2.1])


def skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw errors of mean 0 and variance 1 with the skewness 1 of a gamma(4)."""
    return (rng.gamma(4.0, 1.0, n) - 4.0) / 2.0


def winners(rng: np.random.Generator, block: np.ndarray, n_won: np.ndarray) -> np.ndarray:
    """Draw exactly n_won[b] winners in each block."""
    order = np.lexsort((rng.random(len(block)), block))
    size = np.bincount(block)
    rank = np.empty(len(block), dtype=np.int64)
    rank[order] = np.arange(len(block)) - np.repeat(np.cumsum(size) - size, size)
    return (rank < n_won[block]).astype(np.float64)


@dataclass(frozen=True)
class Offers:
    """Blocks of fixed size, a fixed number of winners, people drawn anew within each block.

    y(0) = level_b + e, y(1) = y(0) + effect_b + 0.8 v. The truth is sum_b s_b effect_b.
    """

    sizes: np.ndarray
    n_won: np.ndarray
    effects: np.ndarray
    levels: np.ndarray

    @property
    def truth(self) -> float:
        return float(self.sizes @ self.effects / self.sizes.sum())

    def potential(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        block = np.repeat(np.arange(len(self.sizes)), self.sizes)
        y0 = self.levels[block] + skewed(rng, len(block))
        return block, y0, y0 + self.effects[block] + 0.8 * rng.normal(size=len(block))

    def draw(self, rng: np.random.Generator) -> Draw:
        block, y0, y1 = self.potential(rng)
        won = winners(rng, block, self.n_won)
        return Draw(ROLES, np.where(won == 1, y1, y0)[:, None], offer=won, block=block)


@dataclass(frozen=True)
class SamePeople:
    """One set of people whose potential outcomes never change: only the lottery is drawn anew."""

    block: np.ndarray
    y0: np.ndarray
    y1: np.ndarray
    n_won: np.ndarray

    @property
    def truth(self) -> float:
        return float(np.mean(self.y1 - self.y0))

    def draw(self, rng: np.random.Generator) -> Draw:
        won = winners(rng, self.block, self.n_won)
        y = np.where(won == 1, self.y1, self.y0)
        return Draw(ROLES, y[:, None], offer=won, block=self.block)


@dataclass(frozen=True)
class DrawnBlocks:
    """People fall into blocks at random; a block's winners are its odds times its people."""

    n: int
    shares: np.ndarray
    odds: np.ndarray
    effects: np.ndarray
    levels: np.ndarray

    @property
    def truth(self) -> float:
        return float(self.shares @ self.effects)

    def draw(self, rng: np.random.Generator) -> Draw:
        sizes = rng.multinomial(self.n, self.shares)
        n_won = np.clip(np.rint(self.odds * sizes).astype(np.int64), 2, sizes - 2)
        return Offers(sizes, n_won, self.effects, self.levels).draw(rng)


@dataclass(frozen=True)
class TakeUp:
    """Compliers, always-takers (a tenth) and never-takers, in shares that differ by block.

    Types differ in level, compliers' effects by block and within it. Blocks and winners are fixed
    unless `drawn`: then people fall into blocks at random and each wins by a coin of the block's
    odds, so that all is independent and identically distributed.
    """

    sizes: np.ndarray
    odds: np.ndarray
    compliers: np.ndarray
    effects: np.ndarray
    levels: np.ndarray
    drawn: bool = False

    @property
    def n_won(self) -> np.ndarray:
        return np.rint(self.odds * self.sizes).astype(np.int64)

    def truth(self, block_weights: str) -> float:
        """Return sum_b v_b pi_b late_b / sum_b v_b pi_b for the design's weights v."""
        p = self.odds if self.drawn else self.n_won / self.sizes
        v = {
            "population": self.sizes,
            "treated": self.sizes * p,
            "strata_fe": self.sizes * p * (1 - p),
        }[block_weights]
        moved = v * self.compliers
        return float(moved @ self.effects / moved.sum())

    def draw(self, rng: np.random.Generator) -> Draw:
        sizes = rng.multinomial(self.sizes.sum(), self.sizes / self.sizes.sum())
        block = np.repeat(np.arange(len(sizes)), sizes if self.drawn else self.sizes)
        n = len(block)
        coin = (rng.random(n) < self.odds[block]).astype(np.float64)
        won = coin if self.drawn else winners(rng, block, self.n_won)
        u = rng.random(n)
        complier = u < self.compliers[block]
        always = u >= 0.9
        d = np.where(always | (complier & (won == 1)), 1.0, 0.0)
        effect = np.where(complier, self.effects[block], 0.3) + 0.5 * rng.normal(size=n)
        y = self.levels[block] + 0.5 * always - 0.4 * complier + skewed(rng, n) + d * effect
        return Draw(RECEIPT, y[:, None], offer=won, received=d, block=block)
