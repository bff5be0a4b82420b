"""Robust intervals beside moderndid 0.2.0: where it agrees, and why not where it does not.

`data/honest_peers.csv` holds its intervals for the studies in `data/honest_studies.csv`
(`data/make_honest_peers.py`). Its conditional intervals are values of a grid; ``step`` is the
distance between two, 1/25 standard error of the first effect.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prakerja_eval.did.honest_flci import fixed_length
from prakerja_eval.did.honest_sets import relative, smoothness
from prakerja_eval.did.honest_test import Test as Settings
from prakerja_eval.did.honest_test import hull, least_favourable

DATA = Path(__file__).parent / "data"
STUDIES = pd.read_csv(DATA / "honest_studies.csv")
PEERS = pd.read_csv(DATA / "honest_peers.csv")
HALF = 200  # steps from the middle of its grid to either end


def study(name):
    part = STUDIES[STUDIES["study"] == name]
    k = len(part)
    covariance = part[[f"v{j}" for j in range(k)]].to_numpy()
    return part["beta"].to_numpy(), covariance, int((part["event_time"] < -1).sum())


def target_of(row, n_post):
    return np.eye(n_post)[0] if row.target == "first" else np.full(n_post, 1 / n_post)


def rows(restriction, method):
    picked = (PEERS["restriction"] == restriction) & (PEERS["method"] == method)
    return list(PEERS[picked].itertuples())


def label(row):
    return f"{row.study}-{row.target}-{row.m:.3g}"


def conditional(row, steps=None, hybrid=False):
    """Return our interval; of Delta^RM only the pieces of the steps before treatment given."""
    beta, covariance, n_pre = study(row.study)
    target = target_of(row, len(beta) - n_pre)
    if row.restriction == "smoothness":
        pieces = [smoothness(row.m, target, covariance)]
    else:
        steps = range(n_pre) if steps is None else steps
        pieces = [relative(row.m, s, sign, target, covariance) for s in steps for sign in (1, -1)]
    root = np.linalg.cholesky(covariance).T
    draws = np.random.default_rng(1).standard_normal((50_000, len(beta))) @ root
    middle, se = beta[n_pre:] @ target, np.sqrt(covariance[n_pre, n_pre])
    grid = middle + np.linspace(-40 * se, 40 * se, 4001)
    ends = []
    for piece in pieces:
        test = Settings(0.05, np.inf)
        if hybrid:
            test = Settings(0.045 / 0.995, least_favourable(piece, draws, 0.005))
        found = hull(grid, beta, covariance, piece, test)
        ends.append((found.low, found.high))
    return np.nanmin(ends, axis=0)[0], np.nanmax(ends, axis=0)[1]


def compare(row, ours, tolerance):
    """Both ends agree, or the peer's is the end of its grid and ours lies beyond."""
    beta, _, n_pre = study(row.study)
    middle = beta[n_pre:] @ target_of(row, len(beta) - n_pre)
    for peer, end, side in zip((row.conf_low, row.conf_high), ours, (-1, 1), strict=True):
        if abs(peer - middle) > (HALF - 0.5) * row.step:
            assert side * (end - peer) > -tolerance
        else:
            assert abs(end - peer) <= tolerance


@pytest.mark.parametrize("row", rows("smoothness", "flci"), ids=label)
def test_fixed_length_intervals(row):
    beta, covariance, n_pre = study(row.study)
    found = fixed_length(row.m, target_of(row, len(beta) - n_pre), covariance, 0.05)
    centre = found.weight @ beta
    ours = centre + np.array([-1, 1]) * found.half_length
    se = np.sqrt(covariance[n_pre, n_pre])
    # theirs searches a grid of sizes by a conic solver; at m = 0 that is a little off least squares
    atol = 0.007 * se if row.m == 0 else 0.001 * se
    np.testing.assert_allclose(ours, [row.conf_low, row.conf_high], atol=atol)
    # and nowhere is theirs shorter
    assert 2 * found.half_length <= (row.conf_high - row.conf_low) * (1 + 1e-6)


@pytest.mark.parametrize("row", rows("smoothness", "conditional"), ids=label)
def test_conditional_intervals_under_smoothness(row):
    compare(row, conditional(row), row.step)


@pytest.mark.parametrize("row", rows("relative magnitudes", "conditional"), ids=label)
def test_conditional_intervals_under_relative_magnitudes(row):
    # the peer's union leaves out the first step before treatment (see the method page)
    n_pre = study(row.study)[2]
    compare(row, conditional(row, range(1, n_pre)), row.step)
    low, high = conditional(row)
    assert low <= row.conf_low
    assert high >= row.conf_high


@pytest.mark.parametrize(
    "row",
    rows("smoothness", "conditional_hybrid") + rows("relative magnitudes", "conditional_hybrid"),
    ids=label,
)
def test_hybrid_intervals(row):
    # the peer's critical value of size 0.005 is the fifth largest of 1,000 draws, 2.44 where
    # 200,000 draws say 2.79: 0.15 standard errors of the effect in all
    beta, covariance, n_pre = study(row.study)
    target = target_of(row, len(beta) - n_pre)
    se = np.sqrt(target @ covariance[n_pre:, n_pre:] @ target)
    steps = range(1, n_pre)
    compare(row, conditional(row, steps, hybrid=True), max(0.15 * se, 4 * row.step))


def test_all_studies_and_methods_are_there():
    assert set(PEERS["study"]) == {"mpdta", "near", "noisy", "long"}
    assert len(PEERS) == 60
