"""Does imputation meet other packages, the published formula, and a regression written out?"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.did.aggregation import event_study, overall
from prakerja_eval.did.design import Design
from prakerja_eval.did.imputation import imputation
from prakerja_eval.did.imputation_pretrend import imputation_pretrend

DATA = Path(__file__).parent / "data" / "did"
PEERS = pd.read_csv(DATA / "imputation_peers.csv", comment="#")
NAMES = ("sim_panel", "sim_unbalanced")


def simulated(name):
    return pd.read_csv(DATA / f"{name}.csv")


def panel_of(data, **roles):
    return pe.read_panel(data, pe.Roles(unit="id", wave="t", cohort="g", baseline=1, **roles))


def errors(estimate):
    return estimate.tidy()["std_error"].to_numpy(float)


def peers(name, kind, what):
    return PEERS[(PEERS.data == name) & (PEERS.kind == kind) & (PEERS.what == what)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("kind", "covariates"), [("none", ()), ("x1x2", ("x1", "x2"))])
def test_cells_and_their_errors_are_those_of_diff_diff(name, kind, covariates):
    found = imputation(panel_of(simulated(name)), "y", Design(covariates=covariates))
    theirs = peers(name, kind, "cell")
    assert found.index["cohort"].tolist() == theirs["cohort"].tolist()
    assert found.index["wave"].tolist() == theirs["time"].tolist()
    # without covariates exact in both; unbalanced with covariates they demean until 1e-10
    rtol = 1e-7 if covariates else 1e-9
    np.testing.assert_allclose(found.theta, theirs["estimate"], rtol=rtol)
    np.testing.assert_allclose(errors(found), theirs["std_error"], rtol=rtol)


def test_averages_with_fixed_shares_have_the_published_error_as_diff_diff_has_it():
    found = imputation(panel_of(simulated("sim_panel")), "y")
    for ours, what in (
        (event_study(found, shares="fixed"), "event"),
        (overall(found, shares="fixed"), "overall"),
    ):
        theirs = peers("sim_panel", "cohort_horizon", what)
        np.testing.assert_allclose(ours.theta, theirs["estimate"], rtol=1e-9)
        np.testing.assert_allclose(errors(ours), theirs["std_error"], rtol=1e-9)


def test_averages_by_event_time_alone_give_another_error_which_is_not_offered():
    found = event_study(imputation(panel_of(simulated("sim_panel")), "y"), shares="fixed")
    coarser = peers("sim_panel", "horizon", "event")["std_error"].to_numpy()
    gap = coarser / errors(found) - 1
    assert (gap[:3] > 1e-4).all()  # several cohorts behind an event time
    assert abs(gap[3]) < 1e-9  # one cohort


@pytest.mark.parametrize("name", NAMES)
def test_leads_are_those_of_a_regression_on_untreated_rows_by_pyfixest(name):
    found = imputation_pretrend(panel_of(simulated(name)), "y", leads=2)
    theirs = peers(name, "none", "lead")
    assert found.index["event_time"].tolist() == theirs["time"].tolist()
    # their unit effects are demeaned until 1e-8
    np.testing.assert_allclose(found.theta, theirs["estimate"], rtol=1e-6)
    np.testing.assert_allclose(errors(found), theirs["std_error"], rtol=1e-6)


class Dense:
    """The regression written out: a dummy for every unit, every row by hand."""

    def __init__(self, data, weight=None):
        data = data.reset_index(drop=True)
        free = ((data.g == 0) | (data.t < data.g)).to_numpy()
        known = data.id.isin(data.id[free]).to_numpy()
        data, free = data[known].reset_index(drop=True), free[known]
        w = np.ones(len(data)) if weight is None else data[weight].to_numpy()
        self.data, self.free, self.w = data, free, w
        units = pd.get_dummies(data.id).to_numpy(float)
        waves = pd.get_dummies(data.t).to_numpy(float)[:, 1:]
        self.Z = np.column_stack([units, waves])
        Z0, W0 = self.Z[free], w[free, None]
        # the row of weights on untreated outcomes by which each row's Y(0) is imputed
        self.hat = self.Z @ np.linalg.solve(Z0.T @ (W0 * Z0), (W0 * Z0).T)
        self.tau = data.y.to_numpy() - self.hat @ data.y.to_numpy()[free]

    def cell(self, g, t):
        """Return the weights v_it by which a cell's average is a sum of outcomes."""
        inside = ((self.data.g == g) & (self.data.t == t) & ~self.free).to_numpy()
        v = np.where(inside, self.w, 0.0) / self.w[inside].sum()
        out = v.copy()
        out[self.free] -= v @ self.hat
        return out

    def published(self, v):
        """Return the conservative variance of BJS: residuals about cohort-by-wave averages."""
        data = self.data.assign(v=v, tau=self.tau, free=self.free)
        data["up"], data["down"] = data.v**2 * data.tau, data.v**2
        sums = data[~data.free].groupby(["g", "t"])[["up", "down"]].transform("sum")
        mean = (sums.up / sums.down.where(sums.down > 0, 1.0)).reindex(data.index).fillna(0.0)
        residual = np.where(data.free, data.tau, data.tau - mean)
        return float((pd.Series(v * residual).groupby(data.id).sum() ** 2).sum())


@pytest.mark.parametrize("name", NAMES)
def test_the_error_of_fixed_shares_is_the_published_formula(name):
    data = simulated(name)
    data = data[data.id.isin(data.id.unique()[::4])]
    found = imputation(panel_of(data), "y")
    dense = Dense(data)
    v = np.array([dense.cell(c, t) for c, t in found.index[["cohort", "wave"]].to_numpy()])
    np.testing.assert_allclose(found.theta, v @ dense.data.y, rtol=1e-9)
    np.testing.assert_allclose(errors(found) ** 2, [dense.published(u) for u in v], rtol=1e-9)
    shares = np.arange(1.0, len(found) + 1)  # any fixed average
    averaged = pe.contrast(found, shares)
    np.testing.assert_allclose(errors(averaged)[0] ** 2, dense.published(shares @ v), rtol=1e-9)


def test_drawn_shares_add_to_the_published_variance_what_effects_differ_between_cohorts():
    found = imputation(panel_of(simulated("sim_panel")), "y")
    fixed, drawn = (overall(found, shares=s) for s in ("fixed", "drawn"))
    size = found.units["treated_from"].map(
        dict(zip(found.index["cohort"], found.theta, strict=False))
    )
    moved = drawn.psi[:, 0] - fixed.psi[:, 0]
    assert size.notna().sum() == (np.abs(moved) > 0).sum()  # the treated alone move shares
    assert errors(drawn)[0] != pytest.approx(errors(fixed)[0], rel=1e-4)


def test_with_sampling_weights_cells_are_the_weighted_regression_and_centres_differ():
    data = simulated("sim_unbalanced")
    data = data[data.id.isin(data.id.unique()[::4])]
    found = imputation(panel_of(data, weight="w"), "y")
    dense = Dense(data, "w")
    v = np.array([dense.cell(c, t) for c, t in found.index[["cohort", "wave"]].to_numpy()])
    np.testing.assert_allclose(found.theta, v @ dense.data.y, rtol=1e-9)
    # The published centre weighs by v squared, the law's by the weights: with some 30 people in a
    # cohort errors differ by 3e-5 to 3 percent.
    published = np.sqrt([dense.published(u) for u in v])
    gap = errors(found) / published - 1
    assert (np.abs(gap) > 1e-9).all()
    assert (np.abs(gap) < 0.05).all()
