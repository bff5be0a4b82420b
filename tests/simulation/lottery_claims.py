"""What is claimed of the lottery wing? Scenarios beyond the plain effect of the offer.

Draws, scenarios and rows were fixed before any result was seen.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from prakerja_eval import lottery
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.lottery.transform import pooled_quantile

from .claims import Estimator, Row, Scenario
from .lottery import Offers, TakeUp
from .lottery_worlds import (
    DrawnVillages,
    FewMoved,
    Incomes,
    ManyCovariates,
    Silent,
    SilentAtRandom,
    Skewed,
    Stated,
    ThreeOutcomes,
    Types,
)
from .people import Draw

DRAWS = 1_000
CUT = 0.9


def itt(**design: object) -> Estimator:
    return lambda panel, draw: lottery.itt(panel, "y", lottery.Design(**design))


def _stated_odds() -> Scenario:
    world = Stated()
    return Scenario(
        "lottery, stated odds",
        "600 people of three kinds, whose odds (.2, .35, .6), levels and effects differ, win by "
        "coins. Everybody weighted by one over the stated odds. Truth: the mean effect.",
        world.draw,
        {"ipw": itt(method="ipw")},
        (Row("weighted by the odds", "ipw", None, world.truth),),
        DRAWS,
    )


def _lasso() -> Scenario:
    world = ManyCovariates()
    chosen = {"covariates": world.names, "covariate_model": "lasso"}
    return Scenario(
        "lottery, double selection",
        "Three blocks of 100 people, 40 covariates of which three explain half of the outcome. "
        "Truth: the mean effect.",
        world.draw,
        {"lasso": itt(**chosen), "plain": itt()},
        (
            Row("double-selection lasso", "lasso", None, world.truth),
            Row("unadjusted", "plain", None, world.truth),
        ),
        DRAWS,
    )


def _lone_arms(equal: bool) -> Scenario:
    sizes = np.concatenate([3 + np.arange(60) % 5, np.full(10, 12)])
    n_won = np.concatenate([np.ones(60, dtype=np.int64), np.full(10, 5)])
    spread = 0.0 if equal else 0.8
    effects = 0.5 + spread * np.sin(np.arange(70))
    world = Offers(sizes, n_won, effects, 2.0 + np.cos(np.arange(70)))
    how = "equal" if equal else "different"
    why = "the spread of the blocks' effects is taken for noise"
    return Scenario(
        f"lottery, lone winners, {how} effects",
        "60 blocks of 3 to 7 people with one winner each and 10 blocks of 12 with five; effects "
        f"are {how} between blocks. Variance of the small ones by Pashley and Miratrix. Truth: "
        "block effects weighted by people.",
        world.draw,
        {"between": itt(lone_arms="pashley_miratrix")},
        (
            Row(
                "Pashley and Miratrix",
                "between",
                None,
                world.truth,
                "two-sided" if equal else "conservative",
                why="" if equal else why,
            ),
        ),
        DRAWS,
    )


def _drawn_villages() -> Scenario:
    world = DrawnVillages()
    return Scenario(
        "lottery, villages drawn",
        "Three blocks of ten villages, of which four win; 10 to 14 people a village, who are "
        "alike; effects differ by block and village. Truth: block effects weighted by people.",
        world.draw,
        {"saturated": itt(clusters="village")},
        (Row("CR2, the default", "saturated", None, world.truth),),
        DRAWS,
    )


def _by_block() -> Scenario:
    odds = np.array([0.3, 0.5, 0.4, 0.6])
    moved = np.array([0.45, 0.8, 0.55, 0.7])
    effects = np.array([1.2, 0.2, 0.9, 0.5])
    world = TakeUp(np.full(4, 250), odds, moved, effects, np.array([2.0, 3.0, 1.4, 2.6]), True)
    weight = odds * (1 - odds) * moved**2
    return Scenario(
        "late, an instrument a block",
        "1,000 people fall into four blocks at random and win by coins; compliers (.45 to .8) and "
        "their effects differ by block. Truth: complier effects weighted by n p (1 - p) times the "
        "square of their share.",
        world.draw,
        {
            "over": lambda panel, draw: lottery.late(
                panel, "y", lottery.Design(instruments="offer_by_block")
            )
        },
        (Row("over-identified", "over", None, float(weight @ effects / weight.sum())),),
        DRAWS,
    )


def _first_stage(strong: bool) -> Scenario:
    world = FewMoved(0.5 if strong else 0.07)
    how, moved, F = ("strong", "half", "about 100") if strong else ("weak", "7 %", "about 3")
    why = "contrast: the usual interval rests on a strong first stage, and here covers too much"
    none = "no interval in draws in which the offer moved nobody, which count as misses"
    t = world.truth
    rows = (
        Row("Anderson-Rubin set", "weak", None, t, "test", asks="set"),
        Row("tF interval", "weak", None, t, "at least", why="" if strong else none, asks="tf"),
        Row(
            "usual interval",
            "weak",
            None,
            t,
            "test",
            claim=strong,
            why="" if strong else why,
            asks="usual",
        ),
    )
    return Scenario(
        f"late, a {how} first stage",
        f"300 people, half of whom win; the offer moves {moved} ({F} is the concentration "
        "parameter), a tenth take part either way and are better off. Truth: the effect on "
        "compliers. The mean of a ratio with a weak first stage says nothing; sets and intervals "
        "are judged by coverage.",
        world.draw,
        {"weak": lambda panel, draw: lottery.weak_instrument(panel, "y")},
        rows,
        DRAWS,
    )


def _lee() -> Scenario:
    world = Silent()
    low, high = world.limits
    why = "the mean of a trimmed sample lies inside that of its distribution, here by .008"
    return Scenario(
        "lottery, bounds under attrition",
        "Three blocks of 300 with odds of .33, .5 and .6; the offer raises response in two (by .25 "
        "and .3) and lowers it in the third (by .25). Those who answer either way are the worst "
        "case, so that the effect on them is the lower limit. Truth: limits of trimmed normal "
        "distributions, blocks weighted by always-responders.",
        world.draw,
        {"lee": lambda panel, draw: lottery.lee_bounds(panel, "y")},
        (
            Row("lower limit", "lee", None, low, why=why),
            Row("upper limit", "lee", None, high, why=why, rows=(1,)),
            Row("Imbens and Manski, worst case", "lee", None, low, "at least", asks="interval"),
        ),
        DRAWS,
    )


def _response_weighted() -> Scenario:
    world = SilentAtRandom()
    why = "contrast: those who answered stand for all"
    return Scenario(
        "lottery, missing at random",
        "Two blocks of 300; response depends on arm and two covariates that also move outcomes "
        "and effects. Truth: the mean effect on everybody.",
        world.draw,
        {
            "weighted": lambda panel, draw: lottery.response_weighted(panel, "y", world.names),
            "plain": itt(),
        },
        (
            Row("weighted for response", "weighted", None, world.truth),
            Row("those who answered", "plain", None, world.truth, claim=False, why=why),
        ),
        DRAWS,
    )


def _quantiles() -> Scenario:
    world = Skewed()
    return Scenario(
        "lottery, quantile effects",
        "Two blocks of 300 with odds of a third and a half, gamma outcomes that the offer moves "
        "and spreads. Truth: quantiles of the two mixtures.",
        world.draw,
        {"q": lambda panel, draw: lottery.quantiles(panel, "y", quantiles=(0.5, 0.9))},
        (
            Row("median", "q", None, world.truth(0.5)),
            Row("quantile .9", "q", None, world.truth(0.9), rows=(1,)),
        ),
        DRAWS,
    )


def _compliers() -> Scenario:
    world = Types()
    return Scenario(
        "lottery, compliers",
        "700 people fall into two blocks and win by coins; compliers (.6 and .4) have a lower mean "
        "of a covariate. Truth: their share, and that mean.",
        world.draw,
        {"kappa": lambda panel, draw: lottery.compliers(panel, "age")},
        (
            Row("share of compliers", "kappa", None, world.share),
            Row("mean of compliers", "kappa", None, world.mean, rows=(4,)),
        ),
        DRAWS,
    )


def _at_the_cut(panel: object, draw: Draw) -> Estimate:
    """Return the winsorised effect less its truth at the cut that was drawn."""
    found = lottery.zeros(panel, "y", parts=("winsorised",), quantile=CUT)
    y = draw.outcome[:, 0]
    cut = pooled_quantile(y, np.ones_like(y), CUT)
    return replace(found, theta=found.theta - Incomes().capped(cut))


def _incomes() -> Scenario:
    world = Incomes()

    def parts(panel: object, draw: Draw) -> Estimate:
        found = lottery.zeros(panel, "y", parts=("percent", "poisson"))
        return join(found, _at_the_cut(panel, draw))

    return Scenario(
        "lottery, outcomes with zeros",
        "Two blocks of 400; four in ten earn nothing, and the offer adds a quarter to what is "
        "earned. Truth: .25; for the winsorised outcome, whose cut is drawn, zero less the effect "
        "at that cut.",
        world.draw,
        {"parts": parts},
        (
            Row("percent of the comparison mean", "parts", None, world.truth),
            Row("Poisson", "parts", None, world.truth, rows=(1,)),
            Row("winsorised at the pooled quantile .9", "parts", None, 0.0, rows=(2,)),
        ),
        DRAWS,
    )


def _indices() -> Scenario:
    world = ThreeOutcomes()

    def index(kind: str) -> Estimator:
        return lambda panel, draw: lottery.summary_index(panel, world.names, kind=kind)

    return Scenario(
        "lottery, summary indices",
        "400 people, of whom 160 win; three correlated outcomes with effects of .3, .1 and .5 "
        "standard deviations. Truth: their mean with the population's weights.",
        world.draw,
        {"anderson": index("anderson"), "klk": index("kling_liebman_katz")},
        (
            Row("Anderson", "anderson", None, world.anderson),
            Row("Kling, Liebman and Katz", "klk", None, world.equal),
        ),
        DRAWS,
    )


LOTTERY: tuple[Callable[[], Scenario], ...] = (
    _stated_odds,
    _lasso,
    lambda: _lone_arms(True),
    lambda: _lone_arms(False),
    _drawn_villages,
    _by_block,
    lambda: _first_stage(False),
    lambda: _first_stage(True),
    _lee,
    _response_weighted,
    _quantiles,
    _compliers,
    _incomes,
    _indices,
)
