"""Every smooth kernel that must obey the law: psi_i = d theta / d w_i at the unit weights in use.

A new kernel joins by `@register("its name")` on a function of base weights a (n,) that returns
`Law(theta, psi)`: theta maps multipliers v (n,) to the estimate (K,) at weights a * v, and psi
(n, K) is what the kernel claims at v = 1. Both equal and unequal base weights are tried.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.did import kernel as did
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.regression import difference
from prakerja_eval.lottery.sample import Sample as LotterySample
from prakerja_eval.numerics.blocks import block_means
from prakerja_eval.numerics.iv import tsls
from prakerja_eval.numerics.linear import wls
from prakerja_eval.numerics.logit import logit
from prakerja_eval.numerics.poisson import poisson
from prakerja_eval.numerics.probit import probit


@dataclass(frozen=True)
class Law:
    """An estimate as a function of weight multipliers, and its claimed influence."""

    theta: Callable[[np.ndarray], np.ndarray]
    psi: np.ndarray


Make = Callable[[np.ndarray], Law]
KERNELS: dict[str, Make] = {}


def register(name: str) -> Callable[[Make], Make]:
    """Add a kernel to the law under a name."""

    def add(make: Make) -> Make:
        if name in KERNELS:
            raise ValueError(f"{name} is registered twice")
        KERNELS[name] = make
        return make

    return add


class Sample:
    """Sixty simulated units on which every kernel here has an answer."""

    rng = np.random.default_rng(20200406)
    n = 60
    age = rng.uniform(18, 64, n)
    x = rng.normal(size=n)
    X = np.column_stack([np.ones(n), age, age**2, x])
    X_small = np.column_stack([np.ones(n), x, (age - 40) / 10])
    block = rng.permutation(np.arange(n) % 4)
    offer = rng.binomial(1, np.array([0.3, 0.5, 0.6, 0.5])[block])
    dose = rng.normal(size=n)
    received = (0.8 * offer + 0.4 * dose + 0.5 * rng.normal(size=n) > 0.4).astype(float)
    y = 1.0 + 0.7 * received + 0.3 * x * (1 + offer) + 0.02 * age + rng.normal(size=n) * (1 + x**2)
    count = rng.poisson(np.exp(0.5 + 0.4 * x)) * 1500.0
    treated = rng.binomial(1, 1 / (1 + np.exp(-0.8 * x + 0.3))).astype(float)
    dy = x**2 + 0.5 * treated + rng.normal(size=n)
    DY = np.column_stack([dy, dy**2])
    unequal = rng.uniform(0.3, 3.0, n)


S = Sample
BASES = {"equal": np.ones(S.n), "unequal": S.unequal}


def simple(fit: Callable[[np.ndarray], object], field: str) -> Make:
    """Build the law of a kernel that returns one result object with a field and its psi."""

    def make(a: np.ndarray) -> Law:
        def theta(v: np.ndarray) -> np.ndarray:
            return np.atleast_1d(getattr(fit(a * v), field))

        return Law(theta, fit(a).psi.reshape(S.n, -1))

    return make


# The offer instruments receipt; a dose beside it over-identifies.
_structural = np.column_stack([S.X_small, S.received])
_just = np.column_stack([S.X_small, S.offer])
_over = np.column_stack([S.X_small, S.offer, S.dose])

register("wls")(simple(lambda w: wls(S.y, S.X, w), "beta"))
register("tsls, just identified")(simple(lambda w: tsls(S.y, _structural, _just, w), "beta"))
register("tsls, over-identified")(simple(lambda w: tsls(S.y, _structural, _over, w), "beta"))
register("probit")(simple(lambda w: probit(S.treated, S.X, w), "beta"))
register("logit")(simple(lambda w: logit(S.treated, S.X, w), "beta"))
register("poisson")(simple(lambda w: poisson(S.count, S.X_small, w), "beta"))
register("did, unconditional")(simple(lambda w: did.unconditional(S.DY, S.treated, w), "att"))
register("did, outcome regression")(
    simple(lambda w: did.outcome_regression(S.DY, S.treated, S.X_small, w), "att")
)
register("did, ipw")(simple(lambda w: did.ipw(S.DY, S.treated, S.X_small, w), "att"))
register("did, doubly robust")(
    simple(lambda w: did.doubly_robust(S.DY, S.treated, S.X_small, w), "att")
)


def _block_law(share_weights: np.ndarray) -> Make:
    def make(a: np.ndarray) -> Law:
        def fit(w):
            return block_means(S.y, S.offer, S.block, w, share_weights)

        at_one = fit(a)
        return Law(
            lambda v: np.atleast_1d(fit(a * v).theta), (at_one.psi + at_one.psi_share)[:, None]
        )

    return make


register("block means, population shares")(_block_law(np.ones(S.n)))
register("block means, shares of treated people")(_block_law(S.offer.astype(float)))


@register("block means, shares held fixed")
def _fixed_shares(a: np.ndarray) -> Law:
    ones = np.ones(S.n)
    at_one = block_means(S.y, S.offer, S.block, a, ones)

    def theta(v):
        return np.atleast_1d(
            at_one.shares @ block_means(S.y, S.offer, S.block, a * v, ones).effects
        )

    return Law(theta, at_one.psi[:, None])


@register("ratio of block means")
def _ratio(a: np.ndarray) -> Law:
    def fit(outcome, w):
        return block_means(outcome, S.offer, S.block, w, np.ones(S.n))

    above, below = fit(S.y, a), fit(S.received, a)
    late = above.theta / below.theta
    psi = (
        above.psi + above.psi_share - late * (below.psi + below.psi_share)
    ) / below.theta  # delta method

    def theta(v):
        return np.atleast_1d(fit(S.y, a * v).theta / fit(S.received, a * v).theta)

    return Law(theta, psi[:, None])


# The lottery's regressions. With shares counted as drawn ψ is the whole law, covariate means
# included. Strata fixed effects are registered without Lin's interactions, whose centring is at
# block weights that the design takes as given.


def _lottery_sample(w: np.ndarray, covariates: bool) -> LotterySample:
    return LotterySample(
        y=S.y,
        arm=S.offer.astype(float),
        weight=w,
        received=S.received,
        block=S.block,
        covariates=np.column_stack([S.x, S.age]) if covariates else np.zeros((S.n, 0)),
        names=("x", "age") if covariates else (),
        odds=np.array([0.3, 0.5, 0.6, 0.5])[S.block],
        assigned=np.arange(S.n),
        rows=np.arange(S.n),
        units=pd.DataFrame({"weight": w}, index=pd.Index(np.arange(S.n).astype(str), name="unit")),
        outcome="y",
        wave=None,
        pooled=False,
    )


def _lottery_laws(design: Design) -> tuple[Make, Make]:
    """Return the laws of the difference and of the ratio to receipt, as `itt` and `late` use it."""
    covariates = bool(design.covariates)

    def itt(a: np.ndarray) -> Law:
        def theta(v: np.ndarray) -> np.ndarray:
            sample = _lottery_sample(a * v, covariates)
            return np.atleast_1d(difference(sample.y, sample, design).theta)

        sample = _lottery_sample(a, covariates)
        return Law(theta, difference(sample.y, sample, design).psi[:, None])

    def late(a: np.ndarray) -> Law:
        def ratio(w: np.ndarray) -> tuple[float, float]:
            sample = _lottery_sample(w, covariates)
            first = difference(sample.received, sample, design).theta
            return difference(sample.y, sample, design).theta / first, first

        effect, first = ratio(a)
        sample = _lottery_sample(a, covariates)
        linear = difference(sample.y - effect * sample.received, sample, design)
        return Law(lambda v: np.atleast_1d(ratio(a * v)[0]), linear.psi[:, None] / first)

    return itt, late


for _weights, _model in (
    *((w, m) for w in ("population", "treated") for m in ("none", "ancova", "lin")),
    ("strata_fe", "none"),
    ("strata_fe", "ancova"),
):
    _design = Design(
        block_weights=_weights,
        shares="fixed" if _weights == "strata_fe" else "superpopulation",
        covariates=() if _model == "none" else ("x", "age"),
        covariate_model="ancova" if _model == "none" else _model,
    )
    for _name, _law in zip(("itt", "late"), _lottery_laws(_design), strict=True):
        register(f"lottery {_name}, {_weights}, {_model}")(_law)

for _weights in ("population", "treated"):
    for _model in ("none", "ancova", "lin"):
        _design = Design(
            block_weights=_weights,
            covariates=() if _model == "none" else ("x", "age"),
            covariate_model="ancova" if _model == "none" else _model,
            method="ipw",
        )
        for _name, _law in zip(("itt", "late"), _lottery_laws(_design), strict=True):
            register(f"lottery {_name} by odds, {_weights}, {_model}")(_law)
