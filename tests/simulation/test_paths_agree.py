"""Do simulated draws give what the public functions give on a checked panel?

`make validate` lets a draw answer `arrays` itself and reads the variance without the tidy table.
Here 20 draws of every scenario also go the long way: a data frame, `read_panel` with its checks,
the estimator, `infer`. Both ways sum the same numbers in the same order, so that they agree to the
last bit.
"""

import numpy as np
import pytest

import prakerja_eval as pe

from .judge import interval
from .scenarios import BUILDERS, generator, scenarios

DRAWS = 20


@pytest.fixture(scope="module")
def all_scenarios():
    return scenarios()


@pytest.mark.parametrize("number", range(len(BUILDERS)))
def test_the_short_path_of_the_simulations_is_the_public_path(all_scenarios, number):
    scenario, seeds = all_scenarios[number]
    for seed in seeds[:DRAWS]:
        draw = scenario.draw(generator(seed))
        panel = pe.read_panel(draw.frame(), draw.roles)
        short = {name: run(draw, draw) for name, run in scenario.estimators.items()}
        public = {name: run(panel, draw) for name, run in scenario.estimators.items()}
        for row in scenario.rows:
            mine = interval(short[row.estimator], row.inference)
            printed = pe.infer(public[row.estimator], row.inference).frame.iloc[0]
            assert mine.theta == printed["estimate"], row.name
            assert mine.se == printed["std_error"], row.name
            np.testing.assert_allclose(
                [mine.theta - mine.half, mine.theta + mine.half],
                [printed["conf_low"], printed["conf_high"]],
                rtol=1e-12,
                err_msg=row.name,
            )


def test_two_draws_of_a_scenario_differ_and_one_draw_repeats(all_scenarios):
    for scenario, seeds in all_scenarios:
        chosen = (seeds[0], seeds[0], seeds[1])
        once, again, other = (scenario.draw(generator(s)).outcome for s in chosen)
        np.testing.assert_array_equal(once, again)
        assert other.shape != once.shape or (other != once).any()
