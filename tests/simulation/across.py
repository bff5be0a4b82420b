"""Do three designs on the same treated people differ by chance as much as their test supposes?

People apply by a logit in two covariates, a lottery in blocks draws winners among them, and those
who never applied are the outside comparison. All three designs then seek the mean effect on the
winners, so that every difference between them has the truth zero.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from prakerja_eval import did, lottery, matching
from prakerja_eval.estimate import AbadieImbens, Estimate, Robust, join
from prakerja_eval.panel import Roles

from .claims import Estimator, Row, Scenario
from .lottery import EFFECTS, LEVELS, ODDS, SIZES, skewed, winners
from .people import Draw
from .selection import COVARIATES, EDGE, SLOPES, known_score

ROLES = Roles(
    unit="id",
    wave="wave",
    baseline=1,
    cohort="cohort",
    offer="won",
    received="trained",
    blocks="block",
)
EXPERIMENT = ("winner", "loser")
OBSERVED = ("winner", "outside")
BLOCKS = 8


@dataclass(frozen=True)
class LotteryAndOutside:
    """n people; who applies falls into a block at random, and a block's odds of them win.

    Winners are all treated, and nobody else. Levels differ by block in both periods: parallel
    trends hold, and given the covariates treatment is as good as random where the levels are zero.
    """

    n: int
    constant: float
    shares: np.ndarray
    odds: np.ndarray
    effects: np.ndarray
    levels: np.ndarray

    def draw(self, rng: np.random.Generator) -> Draw:
        n = self.n
        x = rng.uniform(-EDGE, EDGE, (n, 2))
        p = expit(self.constant + x @ SLOPES)
        applied = rng.random(n) < p
        block = np.where(applied, rng.choice(len(self.shares), n, p=self.shares), len(self.shares))
        won = np.zeros(n)
        sizes = np.bincount(block[applied], minlength=len(self.shares))
        n_won = np.clip(np.rint(self.odds * sizes).astype(np.int64), 2, sizes - 2)
        won[applied] = winners(rng, block[applied], n_won)
        level = np.append(self.levels, 0.0)[block] + 0.7 * rng.normal(size=n)
        before = level + x @ np.array([0.4, 0.2]) + 0.7 * rng.normal(size=n)
        y0 = 1.0 + level + x @ np.array([0.8, -0.5]) + 0.7 * skewed(rng, n)
        gain = np.append(self.effects, 0.0)[block] + x @ np.array([0.4, 0.3])
        after = y0 + won * (gain + 0.5 * rng.normal(size=n))
        odds = p * float(self.shares @ self.odds) / (1 - p)
        return Draw(
            ROLES,
            np.column_stack([before, after]),
            waves=(1, 2),
            offer=won,
            received=np.column_stack([np.zeros(n), won]),
            treated=won == 1,
            block=block,
            columns={"x1": x[:, 0], "x2": x[:, 1]},
            score=odds / (1 + odds),
            sample=np.where(won == 1, "winner", np.where(applied, "loser", "outside")),
        )


def experiment(panel: object) -> Estimate:
    design = lottery.Design(block_weights="treated")
    return lottery.late(panel.where(sample=EXPERIMENT), "y", design)


def change(panel: object) -> Estimate:
    design = did.Design(method="dr", covariates=COVARIATES)
    return did.two_by_two(panel.where(sample=OBSERVED), "y", design)


def nearest(panel: object, draw: Draw, known: bool, **design: object) -> Estimate:
    people = panel.where(sample=OBSERVED)
    score = known_score(people, draw.where(sample=OBSERVED)) if known else None
    covariates = () if known else COVARIATES
    pairs = matching.match(people, matching.Nearest(**design), covariates=covariates, score=score)
    made = matching.att(people, pairs, "y")
    # With replacement the default corrects for the fit of any logit; a known score has none.
    return replace(made, defaults=(AbadieImbens("known"),)) if known else made


def beside_experiment(known: bool, **design: object) -> Estimator:
    return lambda panel, draw: join(experiment(panel), nearest(panel, draw, known, **design))


def eight_blocks(constant: float, levels: np.ndarray) -> LotteryAndOutside:
    shares = SIZES[:BLOCKS] / SIZES[:BLOCKS].sum()
    effects = 0.5 + 2.5 * (EFFECTS[:BLOCKS] - EFFECTS[:BLOCKS].mean())
    return LotteryAndOutside(3_000, constant, shares, ODDS[:BLOCKS], effects, levels)


def one_block(constant: float) -> LotteryAndOutside:
    return LotteryAndOutside(
        3_000, constant, np.ones(1), np.array([0.5]), np.array([0.5]), np.zeros(1)
    )


def lottery_and_did() -> Scenario:
    world = eight_blocks(-0.5, LEVELS[:BLOCKS])
    why = (
        "contrast: the lottery's ψ at fixed shares does not carry the spread of the block effects "
        "over winners that the other's ψ carries, so that it stays in the difference"
    )
    return Scenario(
        "difference, lottery and did",
        "3,000 people, of whom about 1,150 apply by a logit in two covariates, fall into 8 blocks "
        "at random and win by odds of .1 to .6; effects differ much by block. The lottery "
        "(weighted by winners) against doubly robust DiD of the same winners with those who never "
        "applied. Truth of the difference: zero.",
        world.draw,
        {"both": lambda panel, draw: join(experiment(panel), change(panel))},
        (
            Row("did less lottery, shares drawn", "both", None, 0.0, **_less(1)),
            Row(
                "did less lottery, shares fixed",
                "both",
                Robust("HC0", reference="normal"),
                0.0,
                claim=False,
                why=why,
                asks="contrast",
                rows=(1, 0),
            ),
        ),
    )


def lottery_and_matching(once: bool) -> Scenario:
    how = "without replacement" if once else "with replacement"
    # Winners against the outside have the scores of the scenarios above: constants -1.6 and -0.7.
    constant = (-1.6 if once else -0.7) - float(np.log(0.5))
    world = one_block(constant)
    numbers = "about 450 win and 2,100" if once else "about 750 win and 1,500"
    return Scenario(
        f"difference, experiment and matching {how}",
        f"3,000 people, of whom {numbers} never apply, one block with odds of a half. The "
        f"experiment against matching of the same winners, {how}, with those who never applied, "
        "who differ in the two covariates alone. Truth of the difference: zero.",
        world.draw,
        {
            "known": beside_experiment(True, replace=not once),
            "fitted": beside_experiment(False, replace=not once),
        },
        (
            Row("matching less experiment, score known", "known", None, 0.0, **_less(1)),
            Row("matching less experiment, score fitted", "fitted", None, 0.0, **_less(1)),
        ),
    )


def joint_test() -> Scenario:
    world = eight_blocks(-0.5, np.zeros(BLOCKS))

    def three(panel: object, draw: Draw) -> Estimate:
        return join(experiment(panel), change(panel), nearest(panel, draw, known=False))

    return Scenario(
        "equality of lottery, did and matching",
        "As with lottery and did, but levels that do not differ by block, so that matching (M = 1, "
        "with replacement, score fitted) is right too. All three in one test of equality, and "
        "their differences. Truth: two degrees of freedom; zero.",
        world.draw,
        {"three": three},
        (
            Row("joint test at 5 %", "three", None, 2.0, "test", asks="equality", rows=(0, 1, 2)),
            Row("did less lottery", "three", None, 0.0, **_less(1)),
            Row("matching less lottery", "three", None, 0.0, **_less(2)),
            Row("matching less did", "three", None, 0.0, asks="difference", rows=(2, 1)),
        ),
    )


def _less(row: int) -> dict[str, object]:
    return {"asks": "difference", "rows": (row, 0)}
