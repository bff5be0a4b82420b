"""Do the two-period kernels give R did's ATT(g,t) and standard errors, cell by cell?

Source: R did 2.5.x with DRDID, analytic standard errors (see the README beside the data). R's SE is
sqrt(sum of psi squared). All are met at 1e-8; R's glm leaves about 2e-9 where a score is fitted.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prakerja_eval.did import kernel
from prakerja_eval.errors import CollinearityError, NotEstimableError

DATA = Path(__file__).parent / "data" / "did"
REFERENCE = pd.read_csv(DATA / "r_did_attgt.csv")
METHODS = ("reg", "ipw", "dr")


def fit_cell(panel, g, t, method, covariates, weight=None):
    """Cohort g against the never treated from the last period before g (varying base) to t."""
    before = t - 1 if t < g else g - 1
    y = panel.set_index(["id", "t"])["y"].unstack()  # noqa: PD010
    units = panel[panel.t == before].set_index("id").loc[y.index]
    keep = ((units.g == g) | (units.g == 0)).to_numpy()
    units = units[keep]
    dy = (y[t] - y[before]).to_numpy()[keep, None]
    d = (units.g == g).to_numpy().astype(np.int64)
    X = np.column_stack([np.ones(len(units)), units[list(covariates)].to_numpy()])
    w = np.ones(len(units)) if weight is None else units[weight].to_numpy()
    return dy, d, X, w


def run(method, dy, d, X, w):
    if method == "reg":
        return kernel.outcome_regression(dy, d, X, w)
    return {"ipw": kernel.ipw, "dr": kernel.doubly_robust}[method](dy, d, X, w)


def check(panel, case, method, covariates, weight=None):
    rows = REFERENCE[REFERENCE.case == case]
    assert len(rows) in (12, 15)
    for row in rows.itertuples():
        cell = fit_cell(panel, row.g, row.t, method, covariates, weight)
        fit = run(method, *cell)
        np.testing.assert_allclose(fit.att, row.att, rtol=1e-8)
        np.testing.assert_allclose(np.sqrt((fit.psi**2).sum()), row.se, rtol=1e-8)
        yield cell, fit


@pytest.fixture(scope="module")
def mpdta(shared_reference):
    """County employment of Callaway and Sant'Anna (2021)."""
    columns = {"countyreal": "id", "year": "t", "first.treat": "g", "lemp": "y"}
    return pd.read_csv(shared_reference / "did" / "mpdta.csv").rename(columns=columns)


@pytest.fixture(scope="module")
def sim_panel():
    return pd.read_csv(DATA / "sim_panel.csv")


@pytest.mark.parametrize("method", METHODS)
def test_county_employment_without_covariates_matches_r_did(mpdta, method):
    for (dy, d, _, w), fit in check(mpdta, f"mpdta|none|never|{method}|varying", method, ()):
        plain = kernel.unconditional(dy, d, w)
        np.testing.assert_allclose(plain.att, fit.att, rtol=1e-10)
        np.testing.assert_allclose(plain.psi, fit.psi, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_county_employment_given_population_matches_r_did(mpdta, method):
    cells = list(check(mpdta, f"mpdta|lpop|never|{method}|varying", method, ["lpop"]))
    assert len(cells) == 12


@pytest.mark.parametrize("weights", ["now", "w"])
@pytest.mark.parametrize("covariates", ["none", "x1x2"])
@pytest.mark.parametrize("method", METHODS)
def test_simulated_panel_with_and_without_weights_matches_r_did(
    sim_panel, method, covariates, weights
):
    case = f"panel|{covariates}|never|{method}|{weights}|iid|ant0"
    names = ["x1", "x2"] if covariates == "x1x2" else []
    weight = "w" if weights == "w" else None
    assert len(list(check(sim_panel, case, method, names, weight))) == 15


@pytest.mark.parametrize("method", METHODS)
def test_the_scale_of_the_weights_changes_neither_effect_nor_influence(sim_panel, method):
    dy, d, X, w = fit_cell(sim_panel, 4, 5, method, ["x1", "x2"], "w")
    one, ten = run(method, dy, d, X, w), run(method, dy, d, X, 10 * w)
    np.testing.assert_allclose(ten.att, one.att, rtol=1e-10)
    np.testing.assert_allclose(ten.psi, one.psi, rtol=1e-8, atol=1e-14)


def test_the_counterfactual_and_the_effect_add_up_to_the_treated_mean(sim_panel):
    dy, d, X, w = fit_cell(sim_panel, 4, 5, "dr", ["x1", "x2"], "w")
    treated_mean = np.average(dy[d == 1, 0], weights=w[d == 1])
    for fit in (kernel.unconditional(dy, d, w), *(run(m, dy, d, X, w) for m in METHODS)):
        np.testing.assert_allclose(fit.att + fit.comparison_mean, treated_mean, rtol=1e-10)


def test_a_comparison_unit_with_a_score_of_one_is_refused_and_not_clipped():
    # Units overlap near zero, so the logit is finite; one comparison unit of next to no weight sits
    # far on the treated side, where the score is one to all digits.
    x = np.concatenate([np.linspace(-1, 1, 400), [30.0]])
    d = (x + 0.15 * np.sin(40 * x) > 0).astype(np.int64)
    w = np.ones(x.size)
    w[-1] = 1e-12
    d[-1] = 0
    X = np.column_stack([np.ones(x.size), x])
    for method in (kernel.ipw, kernel.doubly_robust):
        with pytest.raises(NotEstimableError, match="no overlap"):
            method(x[:, None], d, X, w)


@pytest.mark.parametrize("constant", [0, 1])
def test_an_empty_arm_is_refused(constant):
    x = np.arange(6.0)[:, None]
    X, d = np.ones((6, 1)), np.full(6, constant)
    for fit in (
        lambda: kernel.unconditional(x, d, np.ones(6)),
        lambda: kernel.outcome_regression(x, d, X, np.ones(6)),
        lambda: kernel.ipw(x, d, X, np.ones(6)),
        lambda: kernel.doubly_robust(x, d, X, np.ones(6)),
    ):
        with pytest.raises(NotEstimableError, match="there is no"):
            fit()


def test_a_covariate_constant_among_comparison_units_is_named():
    rng = np.random.default_rng(3)
    d = np.repeat([0, 1], 20)
    X = np.column_stack([np.ones(40), rng.normal(size=40), d * rng.normal(size=40)])
    with pytest.raises(CollinearityError) as refused:
        kernel.outcome_regression(rng.normal(size=(40, 1)), d, X, np.ones(40))
    assert refused.value.column == 2
