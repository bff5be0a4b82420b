"""Does Poisson difference-in-differences meet pyfixest, statsmodels and sums written out?"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import prakerja_eval as pe
from prakerja_eval.did.poisson import poisson

DATA = Path(__file__).parent / "data" / "did"
PEERS = pd.read_csv(DATA / "imputation_peers.csv", comment="#")
NAMES = ("sim_panel", "sim_unbalanced")


def paid(name):
    """Return the simulated panel with earnings, a tenth of them zero, as the peers had it."""
    data = pd.read_csv(DATA / f"{name}.csv")
    data = data[data.id.isin(data.id[(data.g == 0) | (data.t < data.g)])]
    return data.assign(pay=np.maximum(0, np.round(1000 * (data.y + 1))))


def panel_of(data, **roles):
    return pe.read_panel(data, pe.Roles(unit="id", wave="t", cohort="g", baseline=1, **roles))


def errors(estimate):
    return estimate.tidy()["std_error"].to_numpy(float)


def test_there_are_zeros():
    assert 0.05 < (paid("sim_panel").pay == 0).mean() < 0.3


@pytest.mark.parametrize("name", NAMES)
def test_percent_of_cells_and_errors_are_those_of_pyfixest(name):
    found = poisson(panel_of(paid(name)), "pay", scale="percent")
    theirs = PEERS[(PEERS.data == name) & (PEERS.what == "log ratio")]
    assert found.index["cohort"].tolist() == theirs["cohort"].tolist()
    assert found.index["wave"].tolist() == theirs["time"].tolist()
    ratio = np.exp(theirs["estimate"].to_numpy())
    # both iterate; theirs demeans until 1e-8 within
    np.testing.assert_allclose(1 + found.theta / 100, ratio, rtol=1e-6)
    np.testing.assert_allclose(errors(found), 100 * ratio * theirs["std_error"], rtol=1e-6)


def dense(data, weight):
    """Fit rows by statsmodels' GLM; return data with the counterfactual mean of each row."""
    data = data.assign(w=1.0 if weight is None else data[weight])
    X = pd.concat(
        [pd.get_dummies(data.g), pd.get_dummies(data.t, drop_first=True)], axis=1
    ).to_numpy(float)
    free = ((data.g == 0) | (data.t < data.g)).to_numpy()
    model = sm.GLM(data.pay[free], X[free], family=sm.families.Poisson(), freq_weights=data.w[free])
    fit = model.fit(tol=1e-14, maxiter=200)
    return data.assign(mu=np.exp(X @ fit.params), treated=~free)


def by_hand(data, rows, scale, weight=None):
    """Average observed and counterfactual means over cells by the sizes of cohorts."""
    data = dense(data, weight)
    treated = data[data.treated].assign(event=lambda d: d.t - d.g, all=0)
    size = data.drop_duplicates("id").groupby("g").w.sum()
    cells = treated.groupby(["g", "t"]).apply(
        lambda d: pd.Series(
            {"y": np.average(d.pay, weights=d.w), "mu": np.average(d.mu, weights=d.w)}
        ),
        include_groups=False,
    )
    cells = cells.reset_index().assign(event=lambda d: d.t - d.g, all=0)
    cells["s"] = cells.g.map(size)
    key = {"cells": ["g", "t"], "event_times": "event", "cohorts": "g", "waves": "t"}
    grouped = cells.assign(y=cells.y * cells.s, mu=cells.mu * cells.s).groupby(
        key.get(rows, "all")
    )[["y", "mu", "s"]]
    sums = grouped.sum()
    y, mu = sums.y / sums.s, sums.mu / sums.s
    return (y - mu if scale == "levels" else 100 * (y / mu - 1)).to_numpy()


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("scale", ["levels", "percent"])
@pytest.mark.parametrize("rows", ["cells", "event_times", "cohorts", "waves", "overall"])
def test_averages_are_ratios_of_sums_from_a_regression_on_rows(rows, scale, weight):
    data = paid("sim_unbalanced")
    roles = {} if weight is None else {"weight": weight}
    found = poisson(panel_of(data, **roles), "pay", scale=scale, rows=rows)
    # statsmodels stops at a relative change of the deviance of 1e-14
    np.testing.assert_allclose(found.theta, by_hand(data, rows, scale, weight), rtol=1e-6)


@pytest.mark.parametrize("scale", ["levels", "percent"])
def test_the_error_of_the_overall_percent_is_that_of_a_jackknife(scale):
    data = paid("sim_panel")
    data = data[data.id.isin(data.id.unique()[::10])]
    found = poisson(panel_of(data), "pay", scale=scale, rows="overall")
    ids = data.id.unique()
    without = np.array([by_hand(data[data.id != i], "overall", scale)[0] for i in ids])
    jackknife = np.sqrt((len(ids) - 1) / len(ids) * ((without - without.mean()) ** 2).sum())
    # A jackknife of 60 people exceeds the infinitesimal one by about 1 / 60, and some curvature.
    assert errors(found)[0] == pytest.approx(jackknife, rel=0.06)


def test_in_levels_averages_of_cells_agree_with_the_shared_ones():
    from prakerja_eval.did.aggregation import by_calendar, by_cohort, event_study, overall

    panel = panel_of(paid("sim_panel"))
    cells = poisson(panel, "pay")
    for rows, verb in (
        ("event_times", event_study),
        ("overall", overall),
        ("waves", by_calendar),
        ("cohorts", by_cohort),
    ):
        ours, shared = poisson(panel, "pay", rows=rows), verb(cells)
        np.testing.assert_allclose(ours.theta, shared.theta, rtol=1e-10)
        np.testing.assert_allclose(errors(ours), errors(shared), rtol=1e-10)
