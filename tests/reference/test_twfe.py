"""Do two-way fixed effects, Sun-Abraham and Bacon meet other packages, and dummies written out?

pyfixest demeans by alternating projections to 1e-13 a step, which leaves about 1e-12 in
coefficients; diff-diff's decomposition is closed form. All are asked to 1e-8.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.did.bacon import bacon
from prakerja_eval.did.sun_abraham import sun_abraham
from prakerja_eval.did.twfe import twfe
from prakerja_eval.did.twfe_weights import twfe_weights

DATA = Path(__file__).parent / "data" / "did"
PEERS = pd.read_csv(DATA / "twfe_peers.csv", comment="#")
NAMES = ("sim_panel", "sim_unbalanced")
CLOSE = {"rtol": 1e-8, "atol": 1e-11}


def simulated(name):
    return pd.read_csv(DATA / f"{name}.csv")


def panel_of(data, weights="none"):
    more = {} if weights == "none" else {"weight": weights}
    return pe.read_panel(data, pe.Roles(unit="id", wave="t", cohort="g", baseline=1, **more))


def peers(name, weights, what):
    return PEERS[(PEERS.data == name) & (PEERS.weights == weights) & (PEERS.what == what)]


def found_rows(estimate):
    """Estimates with a variance: cohort, time, theta, SE."""
    frame = estimate.tidy()
    return frame[frame.status != "reference"]


def agree(frame, expected):
    assert len(frame) == len(expected)
    np.testing.assert_allclose(frame["estimate"].to_numpy(float), expected.estimate, **CLOSE)
    np.testing.assert_allclose(frame["std_error"].to_numpy(float), expected.std_error, **CLOSE)


@pytest.mark.parametrize("weights", ["none", "w"])
@pytest.mark.parametrize("name", NAMES)
class TestPyfixest:
    def test_the_static_coefficient_and_its_clustered_error(self, name, weights):
        agree(twfe(panel_of(simulated(name), weights), "y").tidy(), peers(name, weights, "static"))

    @pytest.mark.parametrize(("what", "window"), [("dynamic", None), ("binned", (-2, 1))])
    def test_coefficients_by_event_time(self, name, weights, what, window):
        panel = panel_of(simulated(name), weights)
        frame = found_rows(twfe(panel, "y", dynamic=True, window=window))
        expected = peers(name, weights, what)
        assert list(frame.event_time) == list(expected.time)
        agree(frame, expected)

    def test_the_saturated_regression_with_never_treated(self, name, weights):
        frame = found_rows(sun_abraham(panel_of(simulated(name), weights), "y"))
        expected = peers(name, weights, "saturated").sort_values(["cohort", "time"])
        assert list(frame.wave) == list(expected.time)
        agree(frame, expected)

    def test_the_saturated_regression_with_the_last_treated(self, name, weights):
        data = simulated(name)
        frame = found_rows(sun_abraham(panel_of(data[data.g > 0], weights), "y"))
        expected = peers(name, weights, "saturated last").sort_values(["cohort", "time"])
        assert list(frame.wave) == list(expected.time)
        agree(frame, expected)


def test_the_decomposition_of_diff_diff():
    found = bacon(panel_of(simulated("sim_panel")), "y").frame
    expected = peers("sim_panel", "none", "bacon")
    ours = found.assign(comparison=found.comparison.replace("never treated", np.nan))
    both = ours.merge(
        expected, left_on=["treated", "comparison"], right_on=["cohort", "time"], how="outer"
    )
    assert len(both) == len(expected)
    np.testing.assert_allclose(both.estimate_x, both.estimate_y, **CLOSE)
    np.testing.assert_allclose(both.weight, both.std_error, **CLOSE)


def test_the_effect_weights_of_diff_diff():
    found = twfe_weights(panel_of(simulated("sim_panel")), "y").frame
    expected = peers("sim_panel", "none", "effect weights")
    assert list(found.cohort) == list(expected.cohort.astype(int))
    assert list(found.wave) == list(expected.time.astype(int))
    np.testing.assert_allclose(found.weight, expected.estimate, **CLOSE)


def test_on_a_balanced_panel_sun_abraham_is_group_time_with_a_universal_base():
    from prakerja_eval.did.group_time import group_time

    for weights in ("none", "w"):
        panel = panel_of(simulated("sim_panel"), weights)
        ours = sun_abraham(panel, "y")
        theirs = group_time(panel, "y", pe.did.Design(base_period="universal"))
        pd.testing.assert_frame_equal(
            ours.index[["cohort", "wave", "event_time", "estimand", "population"]],
            theirs.index[["cohort", "wave", "event_time", "estimand", "population"]],
        )
        np.testing.assert_allclose(ours.theta, theirs.theta, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(ours.psi, theirs.psi, rtol=1e-8, atol=1e-12)
        pd.testing.assert_frame_equal(ours.counts, theirs.counts, rtol=1e-10)
