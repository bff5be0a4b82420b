"""Which claims are simulated? Each scenario with its truth, its estimators and its inference.

Seed, draws, scenarios and rows were fixed before any result was seen. A new scenario goes to the
end of `BUILDERS`, so that the random streams of the others stay what they are.
"""

from collections.abc import Callable

import numpy as np

from prakerja_eval import did, lottery, matching
from prakerja_eval.estimate import AbadieImbens, Clustered, Estimate, Robust

from .across import joint_test, lottery_and_did, lottery_and_matching
from .adjusting_claims import ADJUSTING
from .changes import COVARIATES as CHANGE_COVARIATES
from .changes import TwoPeriods
from .claims import Estimator, Row, Scenario
from .lottery import EFFECTS, LEVELS, ODDS, SIZES, DrawnBlocks, Offers, SamePeople, TakeUp
from .lottery_claims import LOTTERY
from .people import Draw
from .selection import COVARIATES, Selected, known_score
from .staggered_claims import STAGGERED

SEED = 20201104


def itt(**design: object) -> Estimator:
    return lambda panel, draw: lottery.itt(panel, "y", lottery.Design(**design))


def late(**design: object) -> Estimator:
    return lambda panel, draw: lottery.late(panel, "y", lottery.Design(**design))


def change(method: str) -> Estimator:
    design = did.Design(method=method, covariates=CHANGE_COVARIATES)
    return lambda panel, draw: did.two_by_two(panel, "y", design)


def matched(known: bool, **design: object) -> Estimator:
    def estimate(panel: object, draw: Draw) -> Estimate:
        score = known_score(panel, draw) if known else None
        nearest = matching.Nearest(**design)
        pairs = matching.match(panel, nearest, covariates=() if known else COVARIATES, score=score)
        return matching.att(panel, pairs, "y")

    return estimate


def _itt_fixed_blocks() -> Scenario:
    world = Offers(SIZES, np.rint(ODDS * SIZES).astype(np.int64), EFFECTS, LEVELS)
    return Scenario(
        "itt, 12 blocks",
        "12 blocks of 60 to 170 people, odds .1 to .6, effects that differ by block and within it; "
        "people drawn anew within blocks of fixed size. Truth: block effects weighted by people.",
        world.draw,
        {"saturated": itt()},
        (Row("HC2", "saturated", Robust("HC2"), world.truth),),
    )


def _itt_same_people(rng: np.random.Generator) -> Scenario:
    base = Offers(SIZES, np.rint(ODDS * SIZES).astype(np.int64), EFFECTS, LEVELS)
    world = SamePeople(*base.potential(rng), base.n_won)
    why = "Neyman: the variance of the unit effects is left in, so the variance is too large"
    return Scenario(
        "itt, finite population",
        "The same blocks with one set of people, whose potential outcomes are fixed; only the "
        "lottery is drawn anew. Truth: the mean effect on these very people.",
        world.draw,
        {"saturated": itt()},
        (Row("HC2", "saturated", Robust("HC2"), world.truth, "conservative", why=why),),
    )


def _itt_small_arms() -> Scenario:
    blocks = np.arange(50)
    effects = 0.5 + 0.4 * np.sin(blocks)
    sizes, n_won = np.full(50, 12), np.full(50, 2)
    world = Offers(sizes, n_won, effects, 2.0 + np.cos(blocks))
    why = "contrast: without leverage correction a variance from two people is half too small"
    return Scenario(
        "itt, 50 blocks with arms of 2 and 10",
        "50 blocks of 2 winners and 10 losers, effects that differ by block and within it. Truth: "
        "block effects weighted by people.",
        world.draw,
        {"saturated": itt()},
        (
            Row("HC2", "saturated", Robust("HC2"), world.truth),
            Row("HC2, Welch", "saturated", Robust("HC2", "welch"), world.truth),
            Row("HC0", "saturated", Robust("HC0"), world.truth, claim=False, why=why),
        ),
    )


def _itt_drawn_blocks() -> Scenario:
    shares = SIZES / SIZES.sum()
    world = DrawnBlocks(1_200, shares, ODDS, 0.5 + 2.5 * (EFFECTS - EFFECTS.mean()), LEVELS)
    why = "contrast: the sampling of the block shares is left out"
    return Scenario(
        "itt, superpopulation shares",
        "1,200 people fall into 12 blocks at random; winners are the odds times a block's people. "
        "Truth: block effects weighted by the population shares.",
        world.draw,
        {"drawn": itt(shares="superpopulation"), "fixed": itt()},
        (
            Row("HC2, shares drawn", "drawn", Robust("HC2"), world.truth),
            Row("HC2, shares fixed", "fixed", Robust("HC2"), world.truth, claim=False, why=why),
        ),
    )


COMPLIERS = 0.45 + 0.35 * (np.arange(12) % 4) / 3


def _late() -> Scenario:
    world = TakeUp(SIZES, ODDS, COMPLIERS, EFFECTS, LEVELS)
    why = "the regression takes the spread of block effects for noise although blocks are fixed"
    return Scenario(
        "late, 12 blocks",
        "The 12 blocks with compliers (.45 to .8 by block), always-takers and never-takers; "
        "complier effects differ by block and within it. Truth: complier effects weighted by the "
        "design's weights times the compliers' share.",
        world.draw,
        {
            "ratio": late(),
            "ratio, by winners": late(block_weights="treated"),
            "2sls": late(block_weights="strata_fe"),
        },
        (
            Row("ratio, HC2", "ratio", Robust("HC2"), world.truth("population")),
            Row(
                "ratio by winners, HC2",
                "ratio, by winners",
                Robust("HC2"),
                world.truth("treated"),
            ),
            Row(
                "2SLS strata FE, HC2",
                "2sls",
                Robust("HC2"),
                world.truth("strata_fe"),
                "conservative",
                why=why,
            ),
        ),
    )


def _late_independent() -> Scenario:
    odds = np.maximum(ODDS, 0.2)
    world = TakeUp(SIZES, odds, COMPLIERS, EFFECTS, LEVELS, drawn=True)
    return Scenario(
        "late, independent draws",
        "As before with odds of .2 to .6, people falling into blocks at random and winning by "
        "independent coins. Truth: complier effects weighted by n p (1 - p) times their share.",
        world.draw,
        {"2sls": late(block_weights="strata_fe")},
        (Row("2SLS strata FE, HC2", "2sls", Robust("HC2"), world.truth("strata_fe")),),
    )


UNIT = Clustered("unit", correction="none")


def _did(name: str, about: str, world: TwoPeriods, wrong: str | None) -> Scenario:
    why = f"contrast: {wrong} rests on the model that is wrong here"
    methods = ("dr", "reg", "ipw") if wrong is None else ("dr", wrong)
    rows = [
        Row(m, m, UNIT, world.truth, claim=m != wrong, why=why if m == wrong else "")
        for m in methods
    ]
    return Scenario(name, about, world.draw, {m: change(m) for m in methods}, tuple(rows))


def _matching_with_replacement() -> Scenario:
    world = Selected(2_000, -0.7)
    why = "contrast: the score's estimation is left out"
    known, fitted = AbadieImbens("known"), AbadieImbens("estimated")
    t = world.truth
    return Scenario(
        "att, nearest neighbour with replacement",
        "2,000 people, about 700 treated, scores .14 to .61, effects that differ with the "
        "covariates and beyond them, outcomes that depend on the covariates beyond the score. "
        "Truth: the mean effect on the treated in the population.",
        world.draw,
        {
            "known, M = 1": matched(True),
            "known, M = 4": matched(True, ratio=4),
            "fitted, M = 1": matched(False),
            "fitted, M = 4": matched(False, ratio=4),
        },
        (
            Row("M = 1, score known", "known, M = 1", known, t),
            Row("M = 4, score known", "known, M = 4", known, t),
            Row("M = 1, score estimated", "fitted, M = 1", fitted, t),
            Row("M = 4, score estimated", "fitted, M = 4", fitted, t),
            Row("M = 1, fitted as if known", "fitted, M = 1", known, t, claim=False, why=why),
            Row("M = 4, fitted as if known", "fitted, M = 4", known, t, claim=False, why=why),
        ),
    )


def _matching_without_replacement() -> Scenario:
    world = Selected(2_000, -1.6)
    return Scenario(
        "att, nearest neighbour without replacement",
        "2,000 people, about 350 treated, scores .06 to .39; otherwise as with replacement. The "
        "score is known.",
        world.draw,
        {"known": matched(True, replace=False)},
        (
            Row("score known", "known", AbadieImbens("known"), world.truth),
            Row("score known, clustered by pair", "known", Clustered("pair"), world.truth),
        ),
    )


def _matching_constant_effect() -> Scenario:
    world = Selected(2_000, -1.6, varies=0.0)
    why = "fitting the score only helps where the effect is constant, and the variance ignores it"
    return Scenario(
        "att, without replacement on a fitted score",
        "As before with one effect for all and a fitted score.",
        world.draw,
        {"fitted": matched(False, replace=False)},
        (
            Row(
                "score fitted, taken as known",
                "fitted",
                AbadieImbens("known"),
                world.truth,
                "conservative",
                why=why,
            ),
        ),
    )


def streams() -> list[np.random.SeedSequence]:
    """Return one seed sequence a scenario."""
    return np.random.SeedSequence(SEED).spawn(len(BUILDERS))


def generator(seed: np.random.SeedSequence) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


# A builder gets a generator for what is fixed over the draws of its scenario.
BUILDERS: tuple[Callable[[np.random.Generator], Scenario], ...] = (
    lambda rng: _itt_fixed_blocks(),
    _itt_same_people,
    lambda rng: _itt_small_arms(),
    lambda rng: _itt_drawn_blocks(),
    lambda rng: _late(),
    lambda rng: _late_independent(),
    lambda rng: _did(
        "did, both models right",
        "1,000 people, two periods, a logit score and a trend linear in both covariates, effects "
        "that differ with them. Truth: the mean effect on the treated in the population.",
        TwoPeriods(1_000),
        None,
    ),
    lambda rng: _did(
        "did, only the score right",
        "The same with a trend that is bent in x1 and has an interaction.",
        TwoPeriods(1_000, trend_bend=0.5),
        "reg",
    ),
    lambda rng: _did(
        "did, only the outcome model right",
        "The same with a score that is bent in x1.",
        TwoPeriods(1_000, score_bend=0.5),
        "ipw",
    ),
    lambda rng: _matching_with_replacement(),
    lambda rng: _matching_without_replacement(),
    lambda rng: _matching_constant_effect(),
    lambda rng: lottery_and_did(),
    lambda rng: lottery_and_matching(once=False),
    lambda rng: lottery_and_matching(once=True),
    lambda rng: joint_test(),
    *(lambda rng, build=build: build() for build in (*STAGGERED, *LOTTERY, *ADJUSTING)),
)


def scenarios() -> list[tuple[Scenario, list[np.random.SeedSequence]]]:
    """Return every scenario with the seeds of its draws."""
    out = []
    for build, stream in zip(BUILDERS, streams(), strict=True):
        scenario = build(generator(stream.spawn(1)[0]))
        out.append((scenario, stream.spawn(scenario.draws)))
    return out
