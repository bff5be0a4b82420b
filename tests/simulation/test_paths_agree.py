"""Do simulated draws give what the public functions give on a checked panel?

`make validate` lets a draw answer `arrays` and `moments` itself and reads the variance without the
tidy table. Here 20 draws of every scenario (5 of those over many waves) also go the long way: a
data frame, `read_panel` with its checks, the estimator, `infer`. Both ways sum the same numbers in
the same order, so that they agree to the last bit.
"""

import numpy as np
import pytest

import prakerja_eval as pe

from .judge import FRAMES, answer, difference_at_fixed_shares, of_frame
from .scenarios import BUILDERS, generator, scenarios

pytestmark = pytest.mark.witness  # run by `make witness`, and so by .ci/run

DRAWS = 20
DRAWS_OF_STAGGERED = 5  # they take ten times as long


@pytest.fixture(scope="module")
def all_scenarios():
    return scenarios()


def printed(row, estimate):
    """Return what a user reads: the estimate, its standard error and its interval."""
    if row.asks in FRAMES:
        made = of_frame(row, estimate.frame)
        return made.theta, made.se, made.theta - made.half, made.theta + made.half
    estimate = getattr(estimate, "estimate", estimate)
    if row.asks in ("equality", "zero"):
        asked = pe.subset(estimate, rows=row.rows)
        verb = pe.did.pretrends if row.asks == "zero" else pe.test_equal
        test = verb(asked, inference=row.inference)
        half = np.inf if test.p_value >= 0.05 else -1.0
        wald = test.statistic * (1 if np.isinf(test.df_denominator) else test.df)  # printed as F
        return wald, np.sqrt(2 * test.df), wald - half, wald + half
    if row.asks == "band":
        found = pe.infer(pe.subset(estimate, rows=row.rows), row.inference).frame
        farthest = found.iloc[int(np.argmax(found["statistic"].abs()))]
        half = (farthest["band_high"] - farthest["band_low"]) / (2 * farthest["std_error"])
        t = farthest["statistic"]
        return t, 1.0, t - half, t + half
    if row.asks == "difference":
        other, benchmark = (pe.subset(estimate, rows=[k]) for k in row.rows)
        found = pe.compare.agreement(benchmark, [other], inference=row.inference).frame.iloc[1]
        names = ("difference", "diff_std_error", "diff_conf_low", "diff_conf_high")
    else:
        contrasted = row.asks == "contrast"
        one = difference_at_fixed_shares(row, estimate) if contrasted else estimate
        found = pe.infer(one, row.inference).frame.iloc[0 if contrasted else row.rows[0]]
        names = ("estimate", "std_error", "conf_low", "conf_high")
    return tuple(found[name] for name in names)


@pytest.mark.parametrize("number", range(len(BUILDERS)))
def test_the_short_path_of_the_simulations_is_the_public_path(all_scenarios, number):
    scenario, seeds = all_scenarios[number]
    for seed in seeds[: DRAWS_OF_STAGGERED if scenario.draws < 2_000 else DRAWS]:
        draw = scenario.draw(generator(seed))
        panel = pe.read_panel(draw.frame(), draw.roles)
        short = {name: run(draw, draw) for name, run in scenario.estimators.items()}
        public = {name: run(panel, draw) for name, run in scenario.estimators.items()}
        for row in scenario.rows:
            mine = answer(row, short[row.estimator])
            theta, se, low, high = printed(row, public[row.estimator])
            assert mine.theta == theta, row.name
            assert mine.se == se, row.name
            np.testing.assert_allclose(
                [mine.theta - mine.half, mine.theta + mine.half],
                [low, high],
                rtol=1e-12,
                err_msg=row.name,
            )


def test_two_draws_of_a_scenario_differ_and_one_draw_repeats(all_scenarios):
    for scenario, seeds in all_scenarios:
        chosen = (seeds[0], seeds[0], seeds[1])
        once, again, other = (scenario.draw(generator(s)).outcome for s in chosen)
        np.testing.assert_array_equal(once, again)
        assert other.shape != once.shape or (other != once).any()
