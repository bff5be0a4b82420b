"""Does a panel give the plan of the next lottery like it? Against statsmodels and by hand."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.lottery import Design
from prakerja_eval.lottery.power_design import PowerDesign


def people(n: int = 400, icc: float = 0.0, size: int = 10) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    block = np.arange(n) % 2
    village = np.arange(n) // 2 // (size) * 2 + block
    won = (village // 2 % 4 < np.where(block == 1, 2, 1)) * 1
    x = rng.normal(size=n)
    shock = rng.normal(size=village.max() + 1)[village] * np.sqrt(icc)
    y = 3 * block + 0.8 * x + shock + rng.normal(size=n) * np.sqrt(1 - icc)
    frame = pd.DataFrame({"id": [f"p{i}" for i in range(n)], "block": block, "won": won, "x": x})
    got = ((won == 1) & (rng.random(n) < 0.7)) * 1
    frame = frame.assign(village=village, got=got, wave=0, y=y)
    after = frame.assign(wave=1, y=y + got)
    after.loc[rng.random(n) < np.where(won == 1, 0.1, 0.3), "y"] = np.nan
    return pd.concat([frame.assign(got=0), after], ignore_index=True)


def panel_of(frame: pd.DataFrame) -> pe.Panel:
    roles = pe.Roles(
        unit="id", wave="wave", baseline=0, offer="won", received="got", blocks="block",
        clusters="village",
    )  # fmt: skip
    return pe.read_panel(frame, roles)


def test_the_plan_is_read_off_the_panel() -> None:
    frame = people()
    plan = PowerDesign.of(panel_of(frame), "y", Design(covariates=("x",)))
    first, after = frame[frame["wave"] == 0], frame[frame["wave"] == 1]
    assert plan.n == (200.0, 200.0)
    assert plan.odds == tuple(first.groupby("block")["won"].mean())
    lost = after["y"].isna().groupby(after["won"]).mean()
    assert plan.attrition == (lost[1], lost[0])
    got = after.groupby(["won", "block"])["got"].mean()
    assert plan.take_up == pytest.approx((got[1] - got[0]).mean())
    won = first.groupby("block")["won"].sum()
    winners = PowerDesign.of(panel_of(frame), "y", Design(block_weights="treated"))
    assert winners.take_up == pytest.approx(np.average(got[1] - got[0], weights=won))
    # least squares on the four cells, and with x: residual spread and adjusted R² within cells
    cells = pd.get_dummies(2 * first["block"] + first["won"]).to_numpy(float)
    plain = OLS(first["y"].to_numpy(), cells).fit()
    fuller = OLS(first["y"].to_numpy(), np.column_stack([cells, first["x"]])).fit()
    assert plan.sd == pytest.approx(np.sqrt(plain.mse_resid), rel=1e-10)
    assert plan.covariate_r2 == pytest.approx(1 - fuller.mse_resid / plain.mse_resid, rel=1e-9)
    assert plan.cluster_size is None


def test_the_intracluster_correlation_is_that_of_the_analysis_of_variance() -> None:
    frame = people(800, icc=0.3)
    plan = PowerDesign.of(panel_of(frame), "y", Design(clusters="village"))
    first = frame[frame["wave"] == 0].assign(cell=lambda f: 2 * f["block"] + f["won"])
    assert plan.cluster_size == 10
    assert plan.size_cv == 0
    # clusters of one size: n0 = 10, mean squares from the group means by hand
    groups = first.groupby(["cell", "village"])["y"]
    means = groups.mean()
    between = means - means.groupby("cell").transform("mean")
    msb = 10 * (between**2).sum() / (len(means) - 4)
    msw = (groups.var() * 9).sum() / (800 - len(means))
    assert plan.icc == pytest.approx((msb - msw) / (msb + 9 * msw), rel=1e-9)
    assert plan.sd == pytest.approx(np.sqrt((msb - msw) / 10 + msw), rel=1e-9)
    assert pe.lottery.mde(plan).n_clusters == 80


def test_a_correlation_may_be_stated_where_none_is_seen() -> None:
    frame = people()
    alike = frame["village"].map(frame.groupby("village")["y"].mean())
    cell = frame.groupby(["block", "won"])["y"].transform("mean")
    panel = panel_of(frame.assign(y=frame["y"] - alike + cell))
    with pytest.raises(NotEstimableError, match="icc=0"):
        PowerDesign.of(panel, "y", Design(clusters="village"), wave=0)
    assert PowerDesign.of(panel, "y", Design(clusters="village"), wave=0, icc=0.1).icc == 0.1


def test_covariates_that_explain_nothing_and_unknown_waves_are_refused() -> None:
    frame = people()
    noise = np.random.default_rng(0).normal(size=(400, 30))
    columns = {f"z{k}": np.tile(noise[:, k], 2) for k in range(30)}
    rest = frame["y"] - 0.8 * frame["x"]
    panel = panel_of(frame.assign(y=rest - rest.mean(), **columns))
    found = None
    for keep in range(1, 31):
        try:
            PowerDesign.of(panel, "y", Design(covariates=tuple(columns)[:keep]))
        except NotEstimableError as error:
            found = error
            break
    assert "plan without them" in str(found)
    with pytest.raises(UsageError, match="there are 0, 1"):
        PowerDesign.of(panel, "y", wave=7)
