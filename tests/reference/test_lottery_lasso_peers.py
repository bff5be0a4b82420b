"""Does the lasso equal scikit-learn's at the same penalty?

scikit-learn minimises |y - Xb|^2 / (2n) + alpha |b|_1. Columns divided by their penalty and rows
multiplied by the root of their weight turn ours into that with alpha one. Its coordinate descent
stops at a duality gap of 1e-12 of y'y here, which leaves about 1e-6 in coefficients.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Lasso

import prakerja_eval as pe
from prakerja_eval.lottery import Design
from prakerja_eval.numerics.lasso import plug_in_lasso, within_blocks

DATA = Path(__file__).parent / "data" / "lottery"


def equal_to_sklearn(y, X, w, fit):
    root = np.sqrt(w / w.mean())
    scaled = np.where(fit.penalty > 0, X / np.where(fit.penalty > 0, fit.penalty, 1.0), 0.0)
    peer = Lasso(alpha=1.0, fit_intercept=False, tol=1e-12, max_iter=200_000)
    peer.fit(scaled * root[:, None], y * root)
    standard = np.sqrt(np.mean(X**2, axis=0))
    theirs = peer.coef_ / np.where(fit.penalty > 0, fit.penalty, 1.0)
    np.testing.assert_array_equal(fit.beta != 0, peer.coef_ != 0)
    np.testing.assert_allclose(fit.beta * standard, theirs * standard, atol=1e-6 * y.std())


@pytest.mark.parametrize("p", [20, 400])
@pytest.mark.parametrize("seed", range(3))
def test_simulated_people(seed, p):
    rng = np.random.default_rng(seed)
    n = 250
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))  # correlations of a half
    y = X[:, :4] @ [1.5, -1.5, 1.0, 1.0] + rng.standard_t(4, n)
    block, w = rng.integers(0, 5, n), rng.uniform(0.3, 3.0, n)
    X, y = within_blocks(X, block, w), within_blocks(y[:, None], block, w)[:, 0]
    fit = plug_in_lasso(y, X, w, np.arange(n))
    assert (fit.beta != 0).any()
    equal_to_sklearn(y, X, w, fit)


def test_the_earnings_of_jtpa_with_dollars_beside_indicators(shared_reference):
    frame = pd.read_csv(shared_reference / "lottery" / "jtpa.csv").query("sex == 1")
    names = ["prevearn", "married", "black", "hispanic", "hsorged", "wkless13", "afdc"]
    X = frame[names].to_numpy(dtype=float)
    X = np.column_stack([X, X[:, [0]] ** 2, X[:, [0]] * X[:, 1:6]])
    block = pd.factorize(frame.site)[0]
    ones = np.ones(len(frame))
    y = within_blocks(frame[["earnings"]].to_numpy(dtype=float), block, ones)[:, 0]
    X = within_blocks(X, block, ones)
    fit = plug_in_lasso(y, X, ones, np.arange(len(y)))
    assert fit.beta[0] != 0  # earnings before tell of earnings after
    equal_to_sklearn(y, X, ones, fit)


def test_the_synthetic_lottery_selects_what_its_maker_put_in():
    """Income was made from x1 and x2; forty columns of noise stand beside them."""
    frame = pd.read_csv(DATA / "synthetic_lottery.csv")
    rng = np.random.default_rng(9)
    noise = pd.DataFrame(rng.normal(size=(len(frame), 40))).add_prefix("noise")
    frame = pd.concat([frame, noise], axis=1)
    frame["id"] = [f"SYN-{i:06d}" for i in range(len(frame))]
    panel = pe.read_panel(frame, pe.Roles(unit="id", offer="z", blocks="stratum"))
    many = ("x1", "x2", *noise.columns)
    found = pe.lottery.itt(panel, "income", Design(covariates=many, covariate_model="lasso"))
    chosen = pe.lottery.itt(panel, "income", Design(covariates=("x1", "x2")))
    assert found.index["specification"][0].endswith("of 42: x1, x2")
    np.testing.assert_allclose(found.theta, chosen.theta, rtol=1e-10)
