"""Are the multiplier weights, bands and step-down tests those of the papers?"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import draws, estimate_row


def generator(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


def several(psi, theta, villages=None):
    """An Estimate of K parameters with this influence (n, K)."""
    n = len(psi)
    units = pd.DataFrame({"weight": 1.0}, index=[f"u{i}" for i in range(n)])
    if villages is not None:
        units["village"] = villages
    rows = [
        estimate_row(t, p, units, {"estimator": "x", "cohort": k}, {"n": n}, pe.Clustered("unit"))
        for k, (t, p) in enumerate(zip(theta, psi.T, strict=True))
    ]
    return pe.join(*rows)


MOMENTS = {
    # third and fourth moments: Rademacher 0, 1; Mammen (1993) 1, 2; Webb (2023) 0, 7/6
    "rademacher": (0.0, 1.0, 2),
    "mammen": (1.0, 2.0, 2),
    "webb": (0.0, 7 / 6, 6),
}


@pytest.mark.parametrize("kind", MOMENTS)
def test_multiplier_weights_have_the_moments_of_their_law(kind):
    w = draws.multiplier_weights(generator(), (1000, 1000), kind)
    third, fourth, points = MOMENTS[kind]
    for power, moment in ((1, 0.0), (2, 1.0), (3, third), (4, fourth)):
        error = np.std(w**power) / 1e3
        assert abs(np.mean(w**power) - moment) <= 5 * error + 1e-12
    assert len(np.unique(w)) == points


@pytest.mark.parametrize("kind", MOMENTS)
def test_the_seed_fixes_every_draw(kind):
    rng = generator(3)
    estimate = several(rng.normal(size=(40, 3)) / 40, [0.1, 0.2, 0.0], np.arange(40) % 9)
    for by in ("unit", "village"):
        spec = pe.MultiplierBootstrap(reps=499, seed=7, weights=kind, by=by)
        first, again = (pe.infer(estimate, spec).frame for _ in range(2))
        pd.testing.assert_frame_equal(first, again)
        other = pe.infer(
            estimate, pe.MultiplierBootstrap(reps=499, seed=8, weights=kind, by=by)
        ).frame
        assert not np.array_equal(first["band_low"], other["band_low"])


def test_draws_do_not_depend_on_how_they_are_cut_into_chunks(monkeypatch):
    scores = generator(3).normal(size=(50, 2))
    spec = pe.MultiplierBootstrap(reps=399, by="village", weights="webb")
    whole = draws.draw_t(scores, scores.T @ scores, spec)
    monkeypatch.setattr(draws, "CHUNK_CELLS", 50 * 37)
    np.testing.assert_allclose(draws.draw_t(scores, scores.T @ scores, spec), whole, rtol=1e-12)


def test_the_band_of_one_parameter_is_the_normal_interval():
    estimate = several(generator(2).normal(size=(400, 1)) / 400, [0.0])
    spec = pe.MultiplierBootstrap(reps=99_999)
    found = pe.infer(estimate, spec).frame.iloc[0]
    half = (found["band_high"] - found["band_low"]) / 2 / found["std_error"]
    # Monte Carlo error of a 95 % quantile of |z| at 1e5 draws is about 0.006
    assert abs(half - stats.norm.ppf(0.975)) < 0.03
    assert found["band_low"] == found["conf_low"]


def test_the_band_of_independent_parameters_is_the_exact_normal_one():
    n, k = 600, 5
    basis = np.linalg.qr(generator(4).normal(size=(n, k)))[0]
    estimate = several(basis / 10, np.zeros(k))
    found = pe.infer(estimate, pe.MultiplierBootstrap(reps=99_999)).frame
    half = found["band_high"] / found["std_error"]
    exact = stats.norm.ppf((1 + 0.95 ** (1 / k)) / 2)
    assert np.ptp(half) < 1e-12
    assert abs(half.iloc[0] - exact) < 0.03
    point = found["conf_high"] / found["std_error"]
    assert np.abs(point - stats.norm.ppf(0.975)).max() < 0.03


def test_normal_draws_and_rademacher_draws_agree_where_units_are_the_clusters():
    n = 500
    rng = generator(5)
    psi = rng.normal(size=(n, 3)) @ np.array([[1.0, 0.5, 0], [0, 1, 0.5], [0, 0, 1]]) / n
    estimate = several(psi, [0.05, 0.02, 0.08], [f"v{i}" for i in range(n)])
    gauss = pe.infer(estimate, pe.MultiplierBootstrap(reps=19_999)).frame
    signs = pe.infer(estimate, pe.MultiplierBootstrap(reps=19_999, by="village")).frame
    np.testing.assert_allclose(gauss["std_error"], signs["std_error"], rtol=1e-12)
    np.testing.assert_allclose(gauss["p_value"], signs["p_value"], atol=0.015)
    half = [(f["band_high"] - f["band_low"]) / f["std_error"] for f in (gauss, signs)]
    np.testing.assert_allclose(*half, rtol=0.02)


def test_the_normal_draws_have_the_covariance_of_the_influence():
    psi = generator(6).normal(size=(300, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    covariance = psi.T @ psi
    t = draws.draw_t(psi, covariance, pe.MultiplierBootstrap(reps=99_999))
    root = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(t.T @ t / 99_999, covariance / np.outer(root, root), atol=0.015)


def test_a_row_without_a_variance_stays_nan_beside_the_bands_of_the_others():
    psi = generator(7).normal(size=(50, 2)) / 50
    psi[:, 1] = 0
    found = pe.infer(several(psi, [0.1, 0.0]), pe.MultiplierBootstrap(reps=199)).frame
    assert np.isfinite(found["band_low"].iloc[0])
    assert found[["std_error", "p_value", "band_low", "conf_low"]].iloc[1].isna().all()
    assert found["status"].iloc[1].startswith("no variance")
    nothing = pe.infer(several(psi[:, 1:], [0.0]), pe.MultiplierBootstrap(reps=199)).frame
    assert nothing["band_low"].isna().all()


# Corrected p-values


def brute_romano_wolf(t_star, t):
    """Romano and Wolf (2016), algorithm 4.2, step by step over the hypotheses still open."""
    order = sorted(range(len(t)), key=lambda k: -abs(t[k]))
    adjusted, before = {}, 0.0
    for position, k in enumerate(order):
        still = order[position:]
        exceed = sum(max(abs(row[j]) for j in still) >= abs(t[k]) for row in t_star)
        before = max(before, (1 + exceed) / (1 + len(t_star)))
        adjusted[k] = before
    return [adjusted[k] for k in range(len(t))]


@pytest.mark.parametrize("seed", range(5))
def test_romano_wolf_is_the_stepdown_of_the_paper(seed):
    rng = generator(seed)
    t_star = rng.normal(size=(250, 4)) + rng.normal(size=(250, 1))
    t = rng.normal(size=4) * 2
    found = draws.romano_wolf(t_star, t)
    np.testing.assert_allclose(found, brute_romano_wolf(t_star, t), rtol=1e-14)
    assert (found >= draws.exceedance(t_star, t) - 1e-15).all()


def test_romano_wolf_uses_the_shared_draws_and_leaves_raw_p_values_beside():
    rng = generator(9)
    estimate = several(rng.normal(size=(80, 4)) / 80, rng.normal(size=4) / 20, np.arange(80) % 20)
    spec = pe.MultiplierBootstrap(reps=999, by="village")
    raw = pe.infer(estimate, spec).frame
    found = pe.infer(estimate, spec, adjust=pe.Adjustment("romano_wolf", family="waves")).frame
    var = pe.estimate.variance(estimate, spec)
    t_star = draws.draw_t(var.scores, var.covariance, spec)
    expected = brute_romano_wolf(t_star, (estimate.theta / var.std_error()).tolist())
    np.testing.assert_allclose(found["p_adjusted"], expected, rtol=1e-12)
    pd.testing.assert_series_equal(found["p_value"], raw["p_value"])
    assert set(found["family"]) == {"waves"}
    with pytest.raises(UsageError, match="shared draws"):
        pe.infer(estimate, pe.Clustered("village"), adjust=pe.Adjustment("romano_wolf"))


def with_p_values(p):
    """An Estimate whose normal p-values are these."""
    z = stats.norm.isf(np.asarray(p) / 2)
    return several(np.eye(len(p)), z)


def test_holm_and_benjamini_hochberg_by_hand():
    p = [0.01, 0.04, 0.03, 0.005]
    estimate, plain = with_p_values(p), pe.Clustered("unit", "none")
    holm = pe.infer(estimate, plain, adjust=pe.Adjustment("holm")).frame
    np.testing.assert_allclose(holm["p_value"], p, rtol=1e-10)
    # sorted .005 .01 .03 .04 times 4 3 2 1, never falling: .02 .03 .06 .06
    np.testing.assert_allclose(holm["p_adjusted"], [0.03, 0.06, 0.06, 0.02], rtol=1e-10)
    bh = pe.infer(estimate, plain, adjust=pe.Adjustment("bh")).frame
    # sorted times 4/1 4/2 4/3 4/4, never rising from the top: .02 .02 .04 .04
    np.testing.assert_allclose(bh["p_adjusted"], [0.02, 0.04, 0.04, 0.02], rtol=1e-10)


def test_corrections_pass_over_rows_without_a_p_value():
    psi = np.eye(3)
    psi[:, 1] = 0
    estimate = several(psi, stats.norm.isf(np.array([0.01, 0.5, 0.04]) / 2))
    for adjust in (pe.Adjustment("holm"), pe.Adjustment("bh")):
        found = pe.infer(estimate, pe.Clustered("unit", "none"), adjust=adjust).frame
        assert np.isnan(found["p_adjusted"].iloc[1])
        np.testing.assert_allclose(found["p_adjusted"].iloc[0], 0.02, rtol=1e-10)
    drawn = pe.infer(
        estimate, pe.MultiplierBootstrap(reps=199), adjust=pe.Adjustment("romano_wolf")
    ).frame
    assert drawn["p_adjusted"].isna().tolist() == [False, True, False]
