"""Does the wing meet three packages on one more panel: eight waves, four cohorts, with holes?

`data/did/panel8.csv` was drawn, and `did_peers.csv` computed, apart from the estimators.
Regressions and closed forms agree to some 1e-13 and are asked to 1e-9; where a peer's iterations
stop earlier, the line says so.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe

DATA = Path(__file__).parent / "data" / "did"
PEERS = pd.read_csv(DATA / "did_peers.csv")
UNITS, ROWS, CELLS = 300, 2400, 16
PANELS = [(name, weights) for name in ("panel8", "holes") for weights in ("none", "w")]
each_panel = pytest.mark.parametrize(("name", "weights"), PANELS)
KEYS = {
    "cell": ["cohort", "wave"],
    "log ratio": ["cohort", "wave"],
    "event": ["event_time"],
    "static": [],
    "overall": [],
}


def rows_of(name):
    data = pd.read_csv(DATA / "panel8.csv")
    return data if name == "panel8" else data[data.seen == 1]


def panel_of(name, weights):
    more = {} if weights == "none" else {"weight": "w"}
    return pe.read_panel(
        rows_of(name), pe.Roles(unit="id", wave="t", cohort="g", baseline=1, **more)
    )


def peers(estimator, term, **where):
    found = PEERS[(PEERS.estimator == estimator) & (PEERS.term == term)]
    for column, value in where.items():
        found = found[found[column] == value]
    assert len(found)
    return found


def beside(found, theirs):
    """Return ours and theirs of the same cohort and wave, or event time; none may be missing."""
    term = theirs.term.iloc[0]
    ours = found if isinstance(found, pd.DataFrame) else found.tidy()
    ours = ours[ours.status == "ok"].assign(all=0.0)
    time = "event_time" if term == "event" else "wave"
    keys = KEYS[term] or ["all"]
    theirs = theirs.rename(columns={"time": time}).assign(all=0.0)
    ours = ours[[*keys, "estimate", "std_error"]].astype(float)
    both = ours.merge(theirs[[*keys, "estimate", "se"]].astype(float), on=keys, how="outer")
    assert len(both) == len(theirs)
    assert not both.isna().any(axis=None)
    return both


def agree(found, theirs, factor=1.0, rtol=1e-9):
    """Ask for one estimate and, the peer's factor taken out, one standard error."""
    both = beside(found, theirs)
    np.testing.assert_allclose(both.estimate_x, both.estimate_y, rtol=rtol, atol=1e-10)
    np.testing.assert_allclose(both.std_error * factor, both.se, rtol=rtol)


def hc1(parameters):
    """Return the root of diff-diff's factor at 300 clusters and 2400 rows."""
    return np.sqrt(UNITS / (UNITS - 1) * (ROWS - 1) / (ROWS - parameters))


@each_panel
def test_two_way_fixed_effects_are_those_of_pyfixest(name, weights):
    where = {"data": name, "weights": weights}
    panel = panel_of(name, weights)
    agree(pe.did.twfe(panel, "y"), peers("twfe", "static", **where))
    agree(pe.did.twfe(panel, "y", dynamic=True), peers("twfe", "event", **where))


@each_panel
def test_the_saturated_regression_is_that_of_pyfixest(name, weights):
    found = pe.did.sun_abraham(panel_of(name, weights), "y")
    agree(found, peers("sun_abraham", "cell", data=name, weights=weights))


@pytest.mark.parametrize("weights", ["none", "w"])
def test_averages_of_the_saturated_regression_are_those_of_pyfixest_and_diff_diff(weights):
    cells = pe.did.sun_abraham(panel_of("panel8", weights), "y")
    events = pe.did.event_study(cells, shares="fixed")
    where = {"data": "panel8", "weights": weights}
    theirs = peers("sun_abraham", "event", **where)
    # 28 cells, 7 waves and a constant; with weights diff-diff counts clusters alone
    factor = hc1(36) if weights == "none" else np.sqrt(UNITS / (UNITS - 1))
    for package, by in (("pyfixest 0.60.0", 1.0), ("diff-diff 3.13.0", factor)):
        agree(events, theirs[theirs.package == package], by)
    agree(pe.did.overall(cells, shares="fixed"), peers("sun_abraham", "overall", **where), factor)


def by_rows(cells, name):
    """Average cells by event time with shares of rows seen, which peers take where rows miss."""
    size = rows_of(name).groupby(["g", "t"]).size()
    kept = cells.index[cells.index["event_time"].ne(-1)]
    rows = np.array([size[cell] for cell in kept[["cohort", "wave"]].itertuples(index=False)])
    for event in sorted(kept["event_time"].unique()):
        shares = np.zeros(len(cells))
        inside = kept["event_time"] == event
        shares[kept.index[inside]] = rows[inside] / rows[inside].sum()
        yield event, shares


@pytest.mark.parametrize("estimator", ["sun_abraham", "imputation"])
def test_where_rows_miss_peers_weigh_cohorts_by_rows_and_are_met_by_those_shares(estimator):
    cells = getattr(pe.did, estimator)(panel_of("holes", "none"), "y")
    theirs = peers(estimator, "event", data="holes", weights="none")
    if estimator == "sun_abraham":
        theirs = theirs[theirs.package == "pyfixest 0.60.0"]
    theirs = theirs.set_index("time")
    averages = list(by_rows(cells, "holes"))
    assert [event for event, _ in averages] == list(theirs.index)
    for event, shares in averages:
        found = pe.contrast(cells, shares).tidy().iloc[0]
        assert found["estimate"] == pytest.approx(theirs.estimate[event], rel=1e-8)
        assert found["std_error"] == pytest.approx(theirs.se[event], rel=1e-8)


def test_averages_of_imputation_are_those_of_diff_diff():
    cells = pe.did.imputation(panel_of("panel8", "none"), "y")
    where = {"data": "panel8", "weights": "none"}
    events = pe.did.event_study(cells, shares="fixed")
    agree(events, peers("imputation", "event", **where))
    agree(pe.did.overall(cells, shares="fixed"), peers("imputation", "overall", **where))


def test_with_weights_averages_of_imputation_agree_and_errors_centre_otherwise():
    cells = pe.did.imputation(panel_of("panel8", "w"), "y")
    theirs = peers("imputation", "event", data="panel8", weights="w")
    both = beside(pe.did.event_study(cells, shares="fixed"), theirs)
    np.testing.assert_allclose(both.estimate_x, both.estimate_y, rtol=1e-9)
    # the published centre weighs residuals by v squared, ours by the sampling weights
    np.testing.assert_allclose(both.std_error * np.sqrt(UNITS / (UNITS - 1)), both.se, rtol=1e-2)


@each_panel
def test_log_ratios_of_poisson_cells_are_those_of_pyfixest(name, weights):
    found = pe.did.poisson(panel_of(name, weights), "pay", scale="percent").tidy()
    percent = found["estimate"].astype(float)
    found["std_error"] = found["std_error"].astype(float) / (100 + percent)
    found["estimate"] = np.log1p(percent / 100)
    # its errors come from weights one step before the last: 5e-8
    agree(found, peers("poisson", "log ratio", data=name, weights=weights), rtol=1e-6)


@pytest.mark.parametrize("name", ["panel8", "holes"])
def test_poisson_cells_in_levels_are_those_of_diff_diff(name):
    cells = pe.did.poisson(panel_of(name, "none"), "pay")
    both = beside(cells, peers("poisson", "cell", data=name))
    np.testing.assert_allclose(both.estimate_x, both.estimate_y, rtol=1e-9)
    rows, parameters = len(rows_of(name)), CELLS + 12  # five groups and seven waves
    factor = np.sqrt(UNITS / (UNITS - 1) * (rows - 1) / (rows - parameters))
    np.testing.assert_allclose(both.std_error * factor, both.se, rtol=1e-6)


def test_poisson_averages_in_levels_are_those_of_diff_diff():
    cells = pe.did.poisson(panel_of("panel8", "none"), "pay")
    for term, verb in (("event", pe.did.event_study), ("overall", pe.did.overall)):
        theirs = peers("poisson", term, data="panel8")
        agree(verb(cells, shares="fixed"), theirs, hc1(CELLS + 12), rtol=1e-6)


@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
@pytest.mark.parametrize(("name", "weights"), PANELS[:3])
def test_doubly_robust_cells_and_averages_are_those_of_csdid(name, weights, comparison):
    data = "panel" if name == "panel8" else "cross_sections"  # what csdid does with holes
    design = pe.did.Design(covariates=("x1", "x2"), comparison=comparison, data=data)
    cells = pe.did.group_time(panel_of(name, weights), "y", design)
    settings = f"none, drawn shares, x1 x2, {comparison.replace('_', '')}"
    where = {"data": name, "weights": weights, "settings": settings}
    agree(cells, peers("group_time dr", "cell", **where))
    agree(pe.did.event_study(cells), peers("group_time dr", "event", **where))
    agree(pe.did.overall(cells), peers("group_time dr", "overall", **where))


def test_the_decomposition_and_the_effect_weights_are_those_of_diff_diff():
    panel = panel_of("panel8", "none")
    ours = pe.did.bacon(panel, "y").frame
    ours = ours.assign(comparison=ours.comparison.replace("never treated", 0).astype(int))
    theirs = peers("bacon", "pair").rename(columns={"cohort": "treated", "time": "comparison"})
    both = ours.merge(theirs, on=["treated", "comparison"])
    assert len(both) == len(theirs) == len(ours)
    np.testing.assert_allclose(both.estimate_x, both.estimate_y, rtol=1e-9)
    np.testing.assert_allclose(both.weight, both.se, rtol=1e-9)
    weights = pe.did.twfe_weights(panel, "y").frame
    theirs = peers("effect weights", "cell")
    both = weights.merge(theirs, left_on=["cohort", "wave"], right_on=["cohort", "time"])
    assert len(both) == len(theirs) == len(weights)
    np.testing.assert_allclose(both.weight, both.estimate, rtol=1e-9)
    assert (both.weight < 0).any()
