"""What does a staggered adoption with known truth look like? Cohorts drawn at random."""

from dataclasses import dataclass, replace

import numpy as np

from prakerja_eval.panel import Roles

from .people import Draw

ROLES = Roles(unit="id", wave="wave", baseline=1, cohort="cohort")
NEVER = np.inf


@dataclass(frozen=True)
class Staggered:
    """n people fall into cohorts by `shares`; starts by cohort, the first of them never.

    A person of cohort g is better off from wave g on by (first_g + growth_g e) (1 + spread v), e
    waves after the start, v standard normal. Without treatment paths are parallel: a level that
    differs by cohort, a common path, and errors that last (autocorrelation a half) and are larger
    among the treated.
    """

    n: int = 500
    starts: tuple[float, ...] = (NEVER, 3.0, 4.0, 5.0)
    shares: tuple[float, ...] = (0.4, 0.25, 0.2, 0.15)
    first: tuple[float, ...] = (0.0, 1.0, 0.6, 0.2)
    growth: tuple[float, ...] = (0.0, 0.5, 0.3, -0.2)
    spread: float = 0.5
    waves: int = 6

    @property
    def times(self) -> np.ndarray:
        return np.arange(1, self.waves + 1)

    @property
    def event_time(self) -> np.ndarray:
        """Return wave less start, (G, T); minus infinity for never."""
        return self.times - np.array(self.starts)[:, None]

    @property
    def att(self) -> np.ndarray:
        """Return the mean effect by cohort and wave, (G, T); zero before treatment."""
        e = self.event_time
        since = np.where(e >= 0, e, 0.0)
        effect = np.array(self.first)[:, None] + np.array(self.growth)[:, None] * since
        return np.where(e >= 0, effect, 0.0)

    def overall(self, sizes: np.ndarray | None = None, att: np.ndarray | None = None) -> float:
        """Return the average over treated cells, by population shares or other sizes."""
        return self._average(self.event_time >= 0, sizes, att)

    def at(self, e: int, sizes: np.ndarray | None = None, att: np.ndarray | None = None) -> float:
        """Return the average effect e waves after the start."""
        return self._average(self.event_time == e, sizes, att)

    def by_wave(self) -> float:
        """Return the mean over waves of the average effect on those treated by then."""
        started = self.event_time >= 0
        waves = np.flatnonzero(started.any(axis=0))
        kept = [started & (np.arange(self.waves) == t) for t in waves]
        return float(np.mean([self._average(k, None, None) for k in kept]))

    def _average(self, kept: np.ndarray, sizes: np.ndarray | None, att: np.ndarray | None) -> float:
        share = np.array(self.shares) if sizes is None else sizes
        weight = share[:, None] * kept
        return float((weight * (self.att if att is None else att)).sum() / weight.sum())

    def draw(self, rng: np.random.Generator) -> Draw:
        return self.people(rng, rng.choice(len(self.shares), self.n, p=self.shares))

    def people(self, rng: np.random.Generator, code: np.ndarray) -> Draw:
        """Draw outcomes of people whose cohorts are known."""
        n = len(code)
        treated = np.isfinite(np.array(self.starts))[code]
        error = rng.normal(size=(n, self.waves))
        for t in range(1, self.waves):
            error[:, t] += 0.5 * error[:, t - 1]
        error *= np.where(treated, 1.3, 1.0)[:, None]
        gain = self.att[code] * (1 + self.spread * rng.normal(size=n))[:, None]
        level = 0.6 * code + rng.normal(size=n)
        common = 0.3 * self.times + 0.2 * np.sin(self.times)
        y = level[:, None] + common + error + gain
        return Draw(
            ROLES, y, tuple(self.times.tolist()), cohort=np.array(self.starts)[code], gain=gain
        )

    def sizes(self, draw: Draw) -> np.ndarray:
        """Count a draw's people by cohort."""
        return np.array([np.sum(draw.cohort == g) for g in self.starts], dtype=np.float64)

    def realised(self, draw: Draw) -> np.ndarray:
        """Return the mean effect on the very people of a draw, (G, T)."""
        return np.array([draw.gain[draw.cohort == g].mean(axis=0) for g in self.starts])


@dataclass(frozen=True)
class Attrition(Staggered):
    """Answers are missing from wave 3 on, at a rate that differs by cohort and by nothing else."""

    lost: tuple[float, ...] = (0.1, 0.2, 0.3, 0.3)

    def draw(self, rng: np.random.Generator) -> Draw:
        drawn = super().draw(rng)
        code = (drawn.cohort[:, None] == np.array(self.starts)).argmax(axis=1)
        rate = np.array(self.lost)[code]
        gone = (rng.random(drawn.outcome.shape) < rate[:, None]) & (self.times >= 3)
        return replace(drawn, outcome=np.where(gone, np.nan, drawn.outcome))


@dataclass(frozen=True)
class Villages(Staggered):
    """Whole villages of 8 fall into cohorts, and share a shock that lasts."""

    villages: int = 60

    def draw(self, rng: np.random.Generator) -> Draw:
        code = rng.choice(len(self.shares), self.villages, p=self.shares)
        village = np.repeat(np.arange(self.villages), 8)
        drawn = self.people(rng, code[village])
        shock = 0.5 * rng.normal(size=(self.villages, self.waves)).cumsum(axis=1)
        own = 1 + 0.3 * rng.normal(size=self.villages)
        outcome = drawn.outcome + shock[village] + drawn.gain * (own[village] - 1)[:, None]
        roles = replace(ROLES, clusters=("village",))
        return replace(drawn, roles=roles, outcome=outcome, village=village)


@dataclass(frozen=True)
class Sampled(Staggered):
    """Two kinds of people, the rarer drawn more often, with twice the effect and other cohorts.

    `kind` is the share of the second kind in the population and in the sample; `joins` the cohorts
    of each kind. `shares` and `att` are those of the population.
    """

    kind: tuple[float, float] = (0.3, 0.6)
    joins: tuple[tuple[float, ...], ...] = ((0.5, 0.2, 0.2, 0.1), (0.25, 0.25, 0.2, 0.3))

    @property
    def att(self) -> np.ndarray:
        """Return the mean effect by cohort and wave in the population."""
        second = self.kind[0] * np.array(self.joins[1])
        part = second / (second + (1 - self.kind[0]) * np.array(self.joins[0]))
        return super().att * (1 + part)[:, None]

    def draw(self, rng: np.random.Generator) -> Draw:
        second = rng.random(self.n) < self.kind[1]
        codes = [rng.choice(len(self.shares), self.n, p=p) for p in self.joins]
        code = np.where(second, codes[1], codes[0])
        population, sample = self.kind
        weight = np.where(second, population / sample, (1 - population) / (1 - sample))
        plain = Staggered(self.n, self.starts, self.shares, self.first, self.growth, self.spread)
        drawn = plain.people(rng, code)
        gain = drawn.gain * (1 + second)[:, None]
        roles = replace(ROLES, weight="weight")
        outcome = drawn.outcome + gain - drawn.gain
        return replace(drawn, roles=roles, outcome=outcome, gain=gain, weight=weight)


def sampled() -> Sampled:
    """Return a sampled population whose cohort shares follow from those of its kinds."""
    kind, joins = Sampled.kind, np.array(Sampled.joins)
    shares = (1 - kind[0]) * joins[0] + kind[0] * joins[1]
    return Sampled(n=800, shares=tuple(shares.tolist()))


@dataclass(frozen=True)
class Earnings(Staggered):
    """Amounts of zero or more whose means grow by the same factor, a third of them zero.

    `att` is in percent of what the mean would have been, (first + growth e); the level is a
    cohort's mean in wave 1.
    """

    first: tuple[float, ...] = (0.0, 20.0, 30.0, 10.0)
    growth: tuple[float, ...] = (0.0, 10.0, 0.0, 5.0)
    level: tuple[float, ...] = (3.0, 2.0, 2.5, 1.5)

    @property
    def untreated(self) -> np.ndarray:
        """Return the means without treatment, (G, T)."""
        common = np.exp(0.08 * (self.times - 1) + 0.1 * np.sin(self.times))
        return np.outer(self.level, common)

    def mean_gain(self, kept: np.ndarray) -> float:
        """Return the average effect in levels over cells."""
        return self._average(kept, None, self.untreated * self.att / 100)

    def percent(self, kept: np.ndarray) -> float:
        """Return the average effect in percent of the average without treatment."""
        return 100 * self.mean_gain(kept) / self._average(kept, None, self.untreated)

    def draw(self, rng: np.random.Generator) -> Draw:
        code = rng.choice(len(self.shares), self.n, p=self.shares)
        mean = (self.untreated * (1 + self.att / 100))[code]
        own = rng.gamma(4.0, 0.25, self.n)[:, None]  # of mean one
        works = rng.random(mean.shape) < 2 / 3
        y = mean * own * works * 1.5 * rng.gamma(4.0, 0.25, mean.shape)
        return Draw(ROLES, y, tuple(self.times.tolist()), cohort=np.array(self.starts)[code])
