"""Does the lottery's instrument give the printed and other packages' figures?

Sources: the lottery reference page for JTPA; Lee, McCrary, Moreira and Porter (2022) for tF;
statsmodels 0.15 and linearmodels 7.1 for the rest, run here.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from linearmodels.iv import IV2SLS
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.lottery.first_stage import first_stage
from prakerja_eval.lottery.weak_instrument import weak_instrument
from prakerja_eval.numerics.blocks import block_dummies
from prakerja_eval.numerics.weak import effective_f, tf_critical

DATA = Path(__file__).parent / "data" / "lottery"
BY_BLOCK = "offer_by_block"
X1X2 = ("x1", "x2")


@pytest.fixture(scope="module")
def synthetic():
    frame = pd.read_csv(DATA / "synthetic_lottery.csv")
    return frame.assign(id=[f"SYN-{i:06d}" for i in range(len(frame))])


def panel_of(frame, blocks="stratum", weight=None):
    return pe.read_panel(
        frame,
        pe.Roles(
            unit="id", offer="z", received="d", blocks=blocks, clusters="district", weight=weight
        ),
    )


@pytest.fixture(scope="module")
def panel(synthetic):
    return panel_of(synthetic)


@pytest.fixture(scope="module")
def jtpa(shared_reference):
    frame = pd.read_csv(shared_reference / "lottery" / "jtpa.csv")
    frame = frame.assign(id=[f"SYN-{i:06d}" for i in range(len(frame))])
    roles = pe.Roles(unit="id", offer="assignmt", received="training")
    return {sex: pe.read_panel(frame[frame.sex == sex], roles) for sex in (0, 1)}


# --- JTPA ---


@pytest.mark.parametrize(
    ("sex", "F", "low", "high"),
    [(1, 4947.684, 3.603, 3643.186), (0, 6438.223, 843.437, 3039.882)],
)
def test_jtpa_first_stage_and_anderson_rubin_set(jtpa, sex, F, low, high):
    # HC1 with χ² quantiles; the F of the page is HC1's too
    inference = pe.Robust("HC1", reference="normal")
    found = weak_instrument(jtpa[sex], "earnings", inference=inference).frame.iloc[0]
    assert found["ar_shape"] == "interval"
    assert round(found["ar_low"], 3) == low
    assert round(found["ar_high"], 3) == high
    assert round(found["f_robust"], 3) == F
    assert found["f_effective"] == found["f_robust"]
    assert found["verdict"].startswith("strong")
    # so strong a first stage leaves the standard error as it is
    np.testing.assert_allclose(found["tf_std_error"], found["std_error"], rtol=1e-12)


# --- tF, as printed ---

# c at √F = 2.0, 2.1, ..., 10.2 of Lee et al. (2022), rounded up to two decimals
TF_PRINTED = (
    *(18.66, 9.74, 7.37, 6.18, 5.43, 4.92, 4.54, 4.25, 4.01, 3.82, 3.65, 3.51, 3.39, 3.29, 3.19),
    *(3.11, 3.03, 2.97, 2.91, 2.85, 2.80, 2.75, 2.71, 2.67, 2.63, 2.60, 2.57, 2.54, 2.51, 2.48),
    *(2.46, 2.43, 2.41, 2.39, 2.37, 2.35, 2.33, 2.32, 2.30, 2.29, 2.27, 2.26, 2.24, 2.23, 2.22),
    *(2.21, 2.20, 2.19, 2.17, 2.16, 2.16, 2.15, 2.14, 2.13, 2.12, 2.11, 2.10, 2.10, 2.09, 2.08),
    *(2.08, 2.07, 2.06, 2.06, 2.05, 2.04, 2.04, 2.03, 2.03, 2.02, 2.02, 2.01, 2.01, 2.00, 2.00),
    *(1.99, 1.99, 1.99, 1.98, 1.98, 1.97, 1.97, 1.97),
)


def test_every_printed_tf_critical_value():
    root = 2 + 0.1 * np.arange(len(TF_PRINTED))
    found = [np.ceil(100 * tf_critical(r * r)) / 100 for r in root]
    np.testing.assert_allclose(found, TF_PRINTED, atol=1e-9)


@pytest.mark.parametrize(("F", "c"), [(10.0, 3.43), (104.7, 1.96)])
def test_the_two_figures_of_the_papers_abstract(F, c):
    assert round(tf_critical(F), 2) == c


def test_tf_reaches_the_normal_quantile_at_the_printed_f():
    assert tf_critical(104.66) > stats.norm.ppf(0.975)
    assert tf_critical(104.68) == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)


def test_the_bar_of_one_instrument_as_printed():
    # Montiel Olea and Pflueger's 23.1 for a bias of 10 %, and 37.4 and 15.1 for 5 and 20 %
    one = np.ones(1)
    bars = [effective_f(one, one, one, tau).critical for tau in (0.05, 0.10, 0.20)]
    assert [round(b, 1) for b in bars] == [37.4, 23.1, 15.1]


# --- statsmodels ---


def regression(frame, y, covariates, saturated):
    """Least squares of y on block dummies, offer (by block) and covariates; offers come first."""
    codes, names = pd.factorize(frame["stratum"], sort=True)
    D = block_dummies(codes, len(names))
    z = frame[["z"]].to_numpy(dtype=float)
    offers = D * z if saturated else z
    X = np.column_stack([offers, D, frame[list(covariates)]])
    return sm.OLS(np.asarray(y, dtype=float), X), offers.shape[1]


@pytest.mark.parametrize("covariates", [(), X1X2])
@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", "cluster"])
def test_at_the_ends_of_the_set_statsmodels_just_does_not_reject(
    synthetic, panel, covariates, kind
):
    clustered = kind == "cluster"
    inference = pe.Clustered("district", "stata") if clustered else pe.Robust(kind)
    design = pe.lottery.Design(block_weights="strata_fe", covariates=covariates)
    found = weak_instrument(panel, "income", design, inference=inference)
    row = found.frame.iloc[0]
    groups = pd.factorize(synthetic["district"])[0]
    options = {"cov_kwds": {"groups": groups}} if clustered else {}
    for theta in (row["ar_low"], row["ar_high"]):
        y = synthetic["income"] - theta * synthetic["d"]
        model, _ = regression(synthetic, y, covariates, saturated=False)
        fit = model.fit(cov_type=kind, **options)
        df = len(np.unique(groups)) - 1 if clustered else fit.df_resid
        critical = stats.t.ppf(0.975, df)
        np.testing.assert_allclose(abs(fit.tvalues[0]), critical, rtol=1e-8)
    first, _ = regression(synthetic, synthetic["d"], covariates, saturated=False)
    F = first.fit(cov_type=kind, **options).tvalues[0] ** 2
    np.testing.assert_allclose(row["f_robust"], F, rtol=1e-8)


@pytest.mark.parametrize("kind", ["HC1", "HC2"])
@pytest.mark.parametrize("covariates", [(), X1X2])
def test_the_joint_test_of_the_blocks_is_statsmodels_wald_test(synthetic, panel, covariates, kind):
    """At zero and at both ends, with and without covariates (K by K, and diagonal, inside)."""
    design = pe.lottery.Design(instruments=BY_BLOCK, covariates=covariates)
    inference = pe.Robust(kind, reference="normal")
    found = weak_instrument(panel, "income", design, inference=inference)
    row = found.frame.iloc[0]

    def wald(theta, column="income"):
        y = synthetic[column] - theta * synthetic["d"]
        model, K = regression(synthetic, y, covariates, saturated=True)
        fit = model.fit(cov_type=kind)
        joint = np.eye(len(fit.params))[:K]
        return float(fit.wald_test(joint, use_f=False, scalar=True).statistic), K

    statistic, K = wald(0.0)
    np.testing.assert_allclose(row["ar_p_value"], stats.chi2.sf(statistic, K), rtol=1e-7)
    assert row["ar_shape"] == "interval"
    for end in (row["ar_low"], row["ar_high"]):
        np.testing.assert_allclose(wald(end)[0], stats.chi2.ppf(0.95, K), rtol=1e-8)
    first, _ = regression(synthetic, synthetic["d"], covariates, saturated=True)
    fit = first.fit(cov_type=kind)
    F = fit.wald_test(np.eye(len(fit.params))[:K], use_f=False, scalar=True).statistic / K
    np.testing.assert_allclose(row["f_robust"], float(F), rtol=1e-8)
    # the least value over θ is Hansen's J: no θ near the minimum does better
    tried = [wald(t)[0] for t in np.linspace(row["estimate"] - 0.3, row["estimate"] + 0.3, 13)]
    assert row["j_statistic"] <= min(tried)
    assert min(tried) - row["j_statistic"] < 0.5
    np.testing.assert_allclose(
        row["j_p_value"], stats.chi2.sf(row["j_statistic"], K - 1), rtol=1e-10
    )


@pytest.mark.parametrize("covariates", [(), X1X2])
def test_the_effective_f_from_the_written_out_instruments(synthetic, panel, covariates):
    """γ'Z'Zγ / tr(Σ Z'Z) with Z the offers after blocks and covariates, and statsmodels' Σ."""
    design = pe.lottery.Design(instruments=BY_BLOCK, covariates=covariates)
    row = weak_instrument(panel, "income", design).frame.iloc[0]
    model, K = regression(synthetic, synthetic["d"], covariates, saturated=True)
    fit = model.fit(cov_type="HC2")
    offers, rest = model.exog[:, :K], model.exog[:, K:]
    Z = offers - rest @ np.linalg.lstsq(rest, offers, rcond=None)[0]
    gamma, sigma, Q = fit.params[:K], fit.cov_params()[:K, :K], Z.T @ Z
    np.testing.assert_allclose(
        row["f_effective"], gamma @ Q @ gamma / np.trace(sigma @ Q), rtol=1e-8
    )


# --- linearmodels ---


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("covariates", [(), X1X2])
def test_two_stage_least_squares_by_block_is_that_of_linearmodels(synthetic, covariates, weight):
    frame = synthetic.assign(w=0.5 + synthetic.index.to_numpy() % 7)
    design = pe.lottery.Design(instruments=BY_BLOCK, covariates=covariates)
    found = pe.lottery.late(panel_of(frame, weight=weight), "income", design)
    codes, names = pd.factorize(frame["stratum"], sort=True)
    D = block_dummies(codes, len(names))
    exogenous = np.column_stack([D, frame[list(covariates)]])
    w = None if weight is None else frame[[weight]]
    peer = IV2SLS(
        frame["income"], exogenous, frame[["d"]], D * frame[["z"]].to_numpy(), weights=w
    ).fit(cov_type="robust")
    np.testing.assert_allclose(found.theta[0], peer.params["d"], rtol=1e-9)
    # the peer's variance has the scores alone; ψ adds the estimation of the first stage
    core = found.terms[0][0].core()
    np.testing.assert_allclose(np.sqrt(core @ core), peer.std_errors["d"], rtol=1e-8)
    psi = found.psi[:, 0]
    assert abs(np.sqrt(psi @ psi) / peer.std_errors["d"] - 1) > 1e-4


def test_hc2_has_the_leverage_of_the_second_stage(synthetic, panel):
    design = pe.lottery.Design(instruments=BY_BLOCK)
    found = pe.lottery.late(panel, "income", design)
    codes, names = pd.factorize(synthetic["stratum"], sort=True)
    D = block_dummies(codes, len(names))
    z, d = synthetic[["z"]].to_numpy(), synthetic["d"].to_numpy()
    offers = np.column_stack([D, D * z])
    fitted = offers @ np.linalg.lstsq(offers, d, rcond=None)[0]
    X = np.column_stack([fitted, D])
    h = np.sum(X @ np.linalg.inv(X.T @ X) * X, axis=1)
    core = found.terms[0][0].core()
    psi = found.psi[:, 0] + core * (1 / np.sqrt(1 - h) - 1)
    se = pe.infer(found, pe.Robust("HC2")).frame["std_error"][0]
    np.testing.assert_allclose(se, np.sqrt(psi @ psi), rtol=1e-8)


# --- the first stage ---


def test_the_first_stage_is_the_itt_on_receipt(panel):
    for options in ({}, {"block_weights": "strata_fe", "covariates": X1X2}):
        design = pe.lottery.Design(**options)
        found, itt = first_stage(panel, design), pe.lottery.itt(panel, "d", design)
        np.testing.assert_allclose(found.theta, itt.theta, rtol=1e-12)
        a, b = (e.findings().frame["std_error"][0] for e in (found, itt))
        np.testing.assert_allclose(a, b, rtol=1e-12)
        assert found.index["estimand"][0] == "first stage"
