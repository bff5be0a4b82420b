"""Does the omnibus test give the reference figures on JTPA, to the digits printed?

The eight covariates are not named where the figures stand; of all sets of eight of the file's
baseline columns these alone give both statistics, with strata by site and harmonic weights.
"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.lottery.balance import balance

EIGHT = ("prevearn", "married", "black", "hispanic", "hsorged", "wkless13", "age", "afdc")


@pytest.mark.parametrize(
    ("sex", "statistic", "p_value", "permutation"),
    [(1, 5.3314, 0.7216, 0.7303), (0, 9.5567, 0.2975, 0.3045)],
    ids=["men", "women"],
)
def test_the_omnibus_test_of_jtpa_by_site(shared_reference, sex, statistic, p_value, permutation):
    frame = pd.read_csv(shared_reference / "lottery" / "jtpa.csv")
    frame = frame[frame.sex == sex].assign(id=lambda f: "SYN-" + f.recid.astype(str))
    panel = pe.read_panel(frame, pe.Roles(unit="id", offer="assignmt", blocks="site"))
    found = balance(panel, EIGHT)
    assert round(found.statistic, 4) == statistic
    assert round(found.p_value, 4) == p_value
    assert found.df == 8
    # Three Monte Carlo standard errors of a difference between two sets of 9,999 draws.
    error = np.sqrt(2 * permutation * (1 - permutation) / 9_999)
    assert abs(found.p_randomisation - permutation) < 3 * error
