"""Balance meets R MatchIt 4.7.2's summary (shared reference folder `matching`)."""

import numpy as np
import pandas as pd
import pytest

from prakerja_eval.balance.kernel import balance, pair_distance, standard_deviations

LOGIT_SCORE = [
    "nn1",
    "nn1_data",
    "nn1_smallest",
    "nn1_closest",
    "nn2",
    "nn1_cal02",
    "nn1_cal01_closest",
    "nn1_rep",
    "nn4_rep",
    "nn1_rep_cal02",
    "nn1_reuse3",
    "nn1_exact",
    "nn1_exact_cal02",
    "nn1_atc_cal",
]
FIELDS = {
    "mean_treated": "mean_t",
    "mean_comparison": "mean_c",
    "smd": "smd",
    "variance_ratio": "vr",
    "ecdf_mean": "ecdf_mean",
    "ecdf_max": "ecdf_max",
}


@pytest.fixture(scope="module")
def folder(shared_reference):
    return shared_reference / "matching"


@pytest.fixture(scope="module")
def lalonde(folder):
    d = pd.read_csv(folder / "lalonde_matchit.csv")
    races = {f"race{r}": (d.race == r).astype(float) for r in ("black", "hispan", "white")}
    score = pd.read_csv(folder / "pscore_lalonde.csv").ps_logit
    frame = pd.DataFrame({"distance": score, **d.drop(columns=["race", "treat", "re78"]), **races})
    return frame, d.treat.to_numpy() == 1


@pytest.mark.parametrize("stage", ["all", "matched"])
@pytest.mark.parametrize("key", LOGIT_SCORE)
def test_balance_before_and_after_meets_matchit(folder, lalonde, key, stage):
    frame, treated = lalonde
    X = frame.to_numpy()
    table = pd.read_csv(folder / "matchit_balance.csv")
    rows = table[(table.key == f"lalonde:{key}") & (table.stage == stage)].set_index("var")
    expected = rows.loc[frame.columns]
    weights = np.ones(len(X))
    if stage == "matched":
        weights = pd.read_csv(folder / "weights_lalonde.csv")[key].to_numpy()
    sd = standard_deviations(X, ~treated if key == "nn1_atc_cal" else treated)
    stats = balance(X, treated, weights, sd)
    for ours, theirs in FIELDS.items():
        # atol: differences of means that are zero but for rounding, on columns of order one.
        np.testing.assert_allclose(
            getattr(stats, ours), expected[theirs], rtol=1e-8, atol=1e-12, err_msg=ours
        )


@pytest.mark.parametrize("key", ["nn1", "nn1_cal02"])
def test_distance_within_pairs_meets_matchit(folder, lalonde, key):
    frame, treated = lalonde
    X = frame.to_numpy()
    table = pd.read_csv(folder / "matchit_balance.csv")
    rows = table[(table.key == f"lalonde:{key}") & (table.stage == "matched")].set_index("var")
    pairs = pd.read_csv(folder / f"pairs_lalonde_{key}.csv").dropna().astype(int) - 1
    ours = pair_distance(
        X, pairs.treated.to_numpy(), pairs.c1.to_numpy(), standard_deviations(X, treated)
    )
    np.testing.assert_allclose(ours, rows.loc[frame.columns].pair_dist, rtol=1e-8)


def test_variances_that_do_not_exist_are_nan():
    X = np.array([[1.0, 0.0, 3.0], [2.0, 1.0, 3.0], [4.0, 0.0, 3.0], [8.0, 1.0, 3.0]])
    treated = np.array([True, True, False, False])
    stats = balance(X, treated, np.ones(4), standard_deviations(X, treated))
    np.testing.assert_array_equal(np.isnan(stats.variance_ratio), [False, True, True])
    np.testing.assert_array_equal(np.isnan(stats.smd), [False, False, True])


def test_one_unit_in_an_arm_has_no_variance_ratio():
    X = np.array([[1.0], [2.0], [4.0]])
    treated = np.array([True, False, False])
    stats = balance(X, treated, np.ones(3), np.ones(1))
    assert np.isnan(stats.variance_ratio[0])


def test_an_arm_without_weight_is_refused():
    with pytest.raises(ValueError, match="no weight"):
        balance(np.eye(2), np.array([True, False]), np.array([1.0, 0.0]), np.ones(2))
