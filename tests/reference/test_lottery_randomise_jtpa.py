"""Do randomisation p-values meet the published ones?

Sources: `reference/lottery/README.md` for JTPA (strata fixed effects, 20,000 draws of another
program) and the blocked toy; the eight rows are those of causaldata's `ri`.
"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.lottery import Design, Redraw, randomise

COEFFICIENT = Redraw(statistic="difference", reps=19_999)


def panel_of(frame, offer, **roles):
    frame = frame.assign(id=[f"SYN-{i:06d}" for i in range(len(frame))])
    return pe.read_panel(frame, pe.Roles(unit="id", offer=offer, **roles))


def test_eight_rows_have_sixty_of_seventy_ways(shared_reference):
    rows = pd.read_csv(shared_reference / "lottery" / "ri8.csv", usecols=["d", "y"])
    found = randomise(panel_of(rows, "d"), "y", None, COEFFICIENT).frame.iloc[0]
    assert found.statistic == 1.0
    assert found.p_value == 60 / 70
    assert found.exact


def test_the_blocked_toy_has_138_of_216_ways():
    toy = pd.DataFrame(
        {
            "y": [5, 7, 3, 9, 4, 6, 8, 2, 7, 5, 9, 6],
            "z": [1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0],
            "block": np.repeat(["a", "b", "c"], 4),
        }
    )
    found = randomise(panel_of(toy, "z", blocks="block"), "y", None, COEFFICIENT).frame.iloc[0]
    assert found.statistic == pytest.approx(0.8333333, abs=5e-8)
    assert found.p_value == 138 / 216
    assert found.n_draws == 216


@pytest.mark.parametrize(("sex", "known"), [(1, 0.0561), (0, 0.00055)])
def test_jtpa_within_three_monte_carlo_errors(shared_reference, sex, known):
    frame = pd.read_csv(shared_reference / "lottery" / "jtpa.csv")
    panel = panel_of(frame[frame.sex == sex], "assignmt", blocks="site")
    found = randomise(panel, "earnings", Design(block_weights="strata_fe"), COEFFICIENT)
    row = found.frame.iloc[0]
    # both sides are simulated
    error = np.sqrt(known * (1 - known) * (1 / 20_000 + 1 / 19_999))
    assert abs(row.p_value - known) < 3 * error
    assert not row.exact
    assert row.estimate == pytest.approx({1: 1089.422265, 0: 1244.924708}[sex], abs=5e-7)


def test_the_spread_over_draws_is_that_of_the_lottery_not_of_even_odds(shared_reference):
    """A peer ignores strata and draws each unit at even odds; here odds go from .08 to .58."""
    frame = pd.read_csv(shared_reference / "lottery" / "synthetic_lottery.csv")
    panel = panel_of(frame, "z", blocks="stratum")
    found = randomise(panel, "income", None, Redraw(statistic="difference", reps=999))
    row = found.frame.iloc[0]
    assert row.estimate == pytest.approx(0.1743185, abs=5e-8)
    assert row.n_assigned == 6000
    spread = found.draws[:, 0].std()
    # Neyman's error by blocks; 999 draws know a standard deviation to 2.2 %, and with unequal odds
    # the spread under no effect is not quite that under the effects there are
    assert spread == pytest.approx(0.0626951, rel=0.08)
    even = 2 * frame.income.std() / np.sqrt(row.n)
    assert spread > 1.1 * even
